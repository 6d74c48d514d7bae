"""Trust policies: what must be true of a model before anything loads it.

A policy is a strict YAML or JSON document (``document``) with parameters the caller binds
(``parameters``), judged against facts somebody else established (``facts``) by ``evaluate``,
which is pure: no file, no network, no environment, no clock of its own.
"""
