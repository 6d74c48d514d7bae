"""Reads Python source as a syntax tree, compiles nothing, and says what it would do while it is imported."""
