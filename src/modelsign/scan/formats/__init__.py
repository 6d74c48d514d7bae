"""The scan/formats layer."""
