"""Predicate types, one file each, each ending in one ``PREDICATE``."""
