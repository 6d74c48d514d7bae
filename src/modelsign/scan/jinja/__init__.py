"""Reads Jinja templates without running them: what a template could reach beyond the messages it is given."""
