"""Policies and facts for tests of policies, without keys, files or signatures."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from modelsign.policy.document import read_policy
from modelsign.policy.facts import AttestationFact, Facts, SignatureFact
from modelsign.policy.parameters import bind_values
from modelsign.verdict import FileScan, Outcome, ScanResult, Signer, worst

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelsign.policy.document import Policy
    from modelsign.policy.parameters import BoundPolicy

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TREE = "ab" * 32
PROVENANCE = "https://slsa.dev/provenance/v1"
SCAN = "https://modelsign.dev/attestation/model-scan/v1"


def document(rules: Sequence[Mapping[str, Any]], **top: Any) -> dict[str, Any]:
    """A policy document with the parameters ``signers``, ``builders`` (keys) and ``ids`` (strings)."""
    return {
        "apiVersion": "modelsign.dev/v1",
        "kind": "ModelTrustPolicy",
        "metadata": {"name": "test"},
        "parameters": {
            "signers": {"type": "keys"},
            "builders": {"type": "keys"},
            "ids": {"type": "strings", "default": ["one"]},
        },
        "rules": list(rules),
        **top,
    }


def policy(rules: Sequence[Mapping[str, Any]], **top: Any) -> Policy:
    return read_policy(json.dumps(document(rules, **top)).encode())


def bound(rules: Sequence[Mapping[str, Any]], **top: Any) -> BoundPolicy:
    return bind_values(policy(rules, **top), {"signers": ("s1", "s2", "s3"), "builders": ("b1", "b2")})


def scanned(files: Mapping[str, Outcome | str], *, formats: Mapping[str, str] | None = None) -> ScanResult:
    """A scan with an outcome per file; a name that ends in .json is inert."""
    seen = tuple(
        FileScan(
            name, "00" * 32, 1, (formats or {}).get(name, "safetensors"), Outcome(outcome),
            loadable=not name.endswith(".json"),
        )
        for name, outcome in files.items()
    )  # fmt: skip
    return ScanResult(worst(file.outcome for file in seen), "11" * 32, seen)


def by_keys(*names: str, algorithm: str = "ecdsa-p256-sha256", **proofs: Any) -> dict[str, Signer]:
    """Signers by bare keys, whose digests are their names, as facts carry them."""
    return {name: Signer("key", algorithm, name, **proofs) for name in names}


def facts(
    files: Mapping[str, Outcome | str] | None = None,
    *,
    signers: Sequence[str] = (),
    attestations: Sequence[AttestationFact] = (),
    **changes: Any,
) -> Facts:
    """Facts about a model of clean files; each signer is one signature."""
    names = {"model.safetensors": "clean"} if files is None else files
    values: dict[str, Any] = {
        "files": frozenset(names),
        "tree_digest": TREE,
        "scan": scanned(names),
        "signatures": tuple(SignatureFact(f"sig {at}", by_keys(name)) for at, name in enumerate(signers)),
        "attestations": tuple(attestations),
    }
    return Facts(**{**values, **changes})


def attested(
    predicate: Mapping[str, Any] | None = None,
    *,
    signer: str = "b1",
    kind: str = PROVENANCE,
    made_at: datetime | None = None,
    source: str = "store:1",
) -> AttestationFact:
    return AttestationFact(source, by_keys(signer), kind, predicate or {}, made_at)
