"""Hotspots (热点): what rises, where, since when, and what belongs together; pure functions over frames."""
