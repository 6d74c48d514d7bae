"""The signing layer."""
