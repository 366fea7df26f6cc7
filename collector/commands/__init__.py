"""The commands, one module for each noun; `collector/cli.py` gives them their names."""
