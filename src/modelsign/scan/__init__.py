"""The scan layer."""
