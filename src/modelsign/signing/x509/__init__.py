"""Certificates: parsed strictly, chains to roots, names, timestamps, and whether they were revoked (CRL, OCSP).

Never signs, and never trusts a root that it finds.
"""
