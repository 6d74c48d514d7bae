"""The guard/loaders layer."""
