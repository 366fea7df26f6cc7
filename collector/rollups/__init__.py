"""Rollups: what dashboards draw and InfluxQL cannot work out: consumption by the hour, losses, people, the desk."""
