"""The guard layer."""
