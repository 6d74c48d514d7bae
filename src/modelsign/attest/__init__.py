"""The attest layer."""
