"""The opinions layer."""
