"""Notations that formats are written in, read by hand: no format of a model is known here."""
