"""One file per kind of input."""
