"""Who vouches for these bytes: signatures over manifests and statements.

Signatures are DSSE envelopes in Sigstore bundles v0.3; over a model they follow OpenSSF Model Signing (OMS)
v1.0. Trust is always named by the caller.
"""

from __future__ import annotations

from modelsign.signing.envelope import sign_statement, verify_envelope

__all__ = ["sign_statement", "verify_envelope"]
