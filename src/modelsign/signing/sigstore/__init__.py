"""Sigstore: its trust roots, logs, timestamps and identities verified, and its services spoken to.

Never decides whose identity is wanted: that is the caller's.
"""
