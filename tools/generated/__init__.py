"""What tools/generate.py writes, one module per kind of file."""
