"""The attest/predicates layer."""
