"""Grafana dashboards of a site: what they ask, how they look, what they say; loaded only where they are made."""
