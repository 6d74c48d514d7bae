"""The command line: one thin module per command, and the only place that prints or exits."""
