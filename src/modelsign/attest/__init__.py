"""Claims about models: in-toto statements, their predicates, and the file beside the model that keeps them.

A model signature is never an attestation and an attestation never a model signature: the predicate types are
disjoint, and both sides check.
"""
