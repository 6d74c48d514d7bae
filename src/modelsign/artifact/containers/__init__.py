"""Containers read by hand: ZIP archives and compressed streams, bounded and without trust in their own words."""
