"""The signing/methods layer."""
