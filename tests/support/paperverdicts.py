"""Asks what became of a bundle of ``papersigstore``, in one word."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from papersigstore import IDENTITY, ISSUER, data_of

from modelsign.errors import ModelsignError
from modelsign.signing.bundle import parse_any_bundle
from modelsign.signing.methods.keyless import KeylessTrust
from modelsign.signing.sigstore.identities import exactly
from modelsign.signing.sigstore.proofs import ProofPolicy
from modelsign.signing.sigstore.trust_root import parse_trust_root

if TYPE_CHECKING:
    from papersigstore import Paper


def own_copy(founded: Paper) -> Paper:
    """Return an instance with the same keys, which a test may alter."""
    own = copy.copy(founded)
    own.rekor1, own.rekor2 = copy.copy(founded.rekor1), copy.copy(founded.rekor2)
    own.rekor1.leaves, own.rekor2.leaves = list(founded.rekor1.leaves), list(founded.rekor2.leaves)
    return own


def trust(paper: Paper, root: dict[str, Any] | None = None, **policy: Any) -> KeylessTrust:
    read = parse_trust_root(data_of(root or paper.trust_root()))
    return KeylessTrust(read, exactly(IDENTITY), exactly(ISSUER), {}, ProofPolicy(**policy))


def verdict(paper: Paper, bundle: dict[str, Any], root: dict[str, Any] | None = None, **policy: Any) -> str:
    try:
        trust(paper, root, **policy).vouch(parse_any_bundle(data_of(bundle)))
    except ModelsignError as fault:
        return fault.code
    return "accepted"
