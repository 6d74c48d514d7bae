"""The artifact layer."""
