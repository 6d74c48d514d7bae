"""Runs the scanner in a confined child process, and takes nothing it says on trust."""
