"""Backtests: rules on what was recorded."""
