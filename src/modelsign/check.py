"""The use case *check*: one verdict on a model by a trust policy, from bytes and evidence.

All bytes are read once, by the scan; the digests of the very bytes that were scanned go to the signatures and name
the model in attestations. Then the policy is evaluated, which is pure. Works on an opened model and on its private
copy alike; who loads afterwards takes the copy.

Collected evidence only ever supports: what cannot be verified is listed as ignored and decides nothing.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from modelsign import files, limits
from modelsign.artifact.manifest import tree_digest
from modelsign.attest import timestamp
from modelsign.attest.envelope import open_attestation
from modelsign.attest.store import read_lines, store_place
from modelsign.errors import ModelsignError, error
from modelsign.examine import examine
from modelsign.policy.evaluate import evaluate
from modelsign.policy.facts import AttestationFact, Facts, SignatureFact
from modelsign.policy.parameters import BoundPolicy, bind
from modelsign.signing.evidence import bundle_place, find_bundles, read_bundle
from modelsign.signing.verify import VerifyOptions, verify_model
from modelsign.verdict import CheckResult, EvidenceItem, Verdict, VerifyVerdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from modelsign.artifact.model import Artifact
    from modelsign.artifact.snapshot import Snapshot
    from modelsign.policy.document import Policy
    from modelsign.policy.parameters import Value
    from modelsign.verdict import ScanResult, VerifyResult

__all__ = ["Evidence", "check_model", "collect_evidence"]

_SIGNATURES: Final = frozenset({"signature"})
_ATTESTATIONS: Final = frozenset({"attestation"})


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was collected and is not verified yet: each entry is where it came from and its bytes.

    ``bundles`` are model signatures, ``stores`` are attestation stores with one bundle a line.
    """

    bundles: tuple[tuple[str, bytes], ...] = ()
    stores: tuple[tuple[str, bytes], ...] = ()


def collect_evidence(
    model: str | os.PathLike[str],
    *,
    bundles: Sequence[str | os.PathLike[str]] = (),
    attestations: Sequence[str | os.PathLike[str]] = (),
) -> Evidence:
    """Read the signatures and attestations of a model: the named ones, or those at the default places.

    Raises:
        ModelsignError: ``SIGNATURE_MISSING``, ``SIGNATURE_NOT_A_FILE``, ``INPUT_UNREADABLE`` or ``INPUT_TOO_LARGE``.

    """
    named = [os.fspath(place) for place in bundles] or find_bundles(model)
    stores = [os.fspath(place) for place in attestations]
    if not stores and os.path.lexists(store_place(model)):
        stores = [store_place(model)]
    base = os.path.dirname(bundle_place(model))  # noqa: PTH120 - strings, as in artifact
    return Evidence(
        tuple((_shown(place, base), read_bundle(place)) for place in named),
        tuple(
            (_shown(place, base), files.read_bounded(place, limits.STORE_BYTES, what="attestation store"))
            for place in stores
        ),
    )


def _shown(place: str, base: str) -> str:
    """Name evidence relative to the model where it lies beside it, so that verdicts do not depend on where that is."""
    return os.path.relpath(place, base) if base and place.startswith(base + os.sep) else place


@dataclass(slots=True)
class _Gathered:
    """What verification made of the evidence."""

    signatures: list[SignatureFact] = field(default_factory=list)
    attestations: list[AttestationFact] = field(default_factory=list)
    results: list[VerifyResult] = field(default_factory=list)
    items: list[EvidenceItem] = field(default_factory=list)
    refused: list[ModelsignError] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


def check_model(  # noqa: PLR0913 - the inputs of a verdict, each by name
    artifact: Artifact | Snapshot,
    policy: Policy | BoundPolicy,
    parameters: Mapping[str, Value | Sequence[Value]] | None = None,
    *,
    now: datetime,
    evidence: Evidence | None = None,
    opinions: Sequence[str] = (),
    ignore_paths: Sequence[str] = (),
    progress: Callable[[str, int, int], None] | None = None,
) -> CheckResult:
    """Judge a model by a policy at a time.

    ``parameters`` are the policy's (``{"signers": ["pub.pem"]}``), unless it is bound already. ``evidence`` is what
    :func:`collect_evidence` read; without it, what lies in the opened model's own folder. A private copy holds no
    evidence, so for one it must be given. ``opinions`` are other scanners to ask. ``ignore_paths`` are those the
    model was opened with. ``progress`` is called by the scan.

    Raises:
        ModelsignError: ``PARAMETER_UNSET``, ``PARAMETER_UNKNOWN``, ``PARAMETER_INVALID``, and faults of making a
            private copy for ``opinions``. Whatever is wrong with the model or its evidence is in the result.

    """
    bound = policy if isinstance(policy, BoundPolicy) else bind(policy, parameters or {})
    collected = _own_evidence(artifact) if evidence is None else evidence
    scan = examine(artifact, opinions=opinions, progress=progress)
    digests = _digests(artifact, scan)
    tree = None if digests is None else tree_digest(digests)
    gathered = _Gathered()
    if digests is not None and tree is not None:
        known = digests | _aside_digests(artifact)
        options = VerifyOptions(ignore_paths=tuple(ignore_paths), threshold=1)
        _verify_signatures(artifact, bound, collected, known, tree, options, gathered)
        _open_attestations(bound, collected, tree, gathered)
    facts = Facts(
        files=frozenset(entry.name for entry in artifact.files),
        tree_digest=tree,
        scan=scan,
        signatures=tuple(gathered.signatures),
        attestations=tuple(gathered.attestations),
    )
    found = evaluate(bound, facts, now=now)
    return CheckResult(
        verdict=found.verdict,
        policy=bound.name,
        rules=found.rules,
        tree_digest=tree,
        scan=scan,
        signatures=tuple(gathered.results),
        ignored_evidence=tuple(gathered.ignored),
        reasons=found.reasons if found.verdict is Verdict.ALLOW else _explained(found.reasons, gathered.refused),
        warnings=(
            *artifact.warnings,
            *(f"{path} is left out as asked: not signed, not scanned" for path in ignore_paths),
        ),
        time=timestamp.write(now),
        evidence=tuple(gathered.items),
    )


def _own_evidence(artifact: Artifact | Snapshot) -> Evidence:
    bundles: list[tuple[str, bytes]] = []
    stores: list[tuple[str, bytes]] = []
    for name in artifact.evidence:
        with artifact.open(name) as reading:
            if reading.size > limits.STORE_BYTES:
                raise error("INPUT_TOO_LARGE", f"{name} has more than {limits.STORE_BYTES} bytes")
            (stores if name.endswith(".jsonl") else bundles).append((name, reading.read_at(0, reading.size)))
    return Evidence(tuple(bundles), tuple(stores))


def _digests(artifact: Artifact | Snapshot, scan: ScanResult) -> dict[str, str] | None:
    """Return the digest of every file, from the reading that was scanned; None where one was not read whole."""
    found = {file.path: file.sha256 for file in scan.files if file.sha256 is not None}
    return found if found.keys() == {entry.name for entry in artifact.files} else None


def _aside_digests(artifact: Artifact | Snapshot) -> dict[str, str]:
    """Return the digests of files under git's names, which a signature may cover; they are never loaded."""
    digests: dict[str, str] = {}
    for name in artifact.aside:
        with artifact.open(name) as reading:
            digests[name] = reading.sha256()
    return digests


def _verify_signatures(  # noqa: PLR0913, PLR0917 - the state of one check
    artifact: Artifact | Snapshot,
    bound: BoundPolicy,
    collected: Evidence,
    digests: Mapping[str, str],
    tree: str,
    options: VerifyOptions,
    gathered: _Gathered,
) -> None:
    """Verify each bundle alone, so that one that is broken takes nothing from another."""
    keys = list(bound.keys_for(_SIGNATURES).values())
    if not keys:
        return
    if not collected.bundles:
        gathered.refused.append(error("SIGNATURE_MISSING", f"the model {artifact.name} has no signature"))
    for source, data in collected.bundles:
        result = verify_model(artifact, data, keys, digests=digests, options=options)
        gathered.results.append(result)
        if result.verdict is VerifyVerdict.VERIFIED and result.tree_digest == tree:
            signers = tuple(signer.key_digest for signer in result.signers)
            gathered.signatures.append(SignatureFact(source, frozenset(signers)))
            gathered.items.append(EvidenceItem(source, "signature", hashlib.sha256(data).hexdigest(), signers))
            continue
        gathered.refused += result.reasons
        gathered.ignored += [f"{source}: {reason.code}: {reason.message}" for reason in result.reasons]


def _open_attestations(bound: BoundPolicy, collected: Evidence, tree: str, gathered: _Gathered) -> None:
    keys = tuple(bound.keys_for(_ATTESTATIONS).values())
    if not keys:
        return
    for source, data in collected.stores:
        try:
            lines = read_lines(data)
        except ModelsignError as fault:
            gathered.ignored.append(f"{source}: {fault.code}: {fault.message}")
            continue
        for line in lines:
            place = f"{source}:{line.number}"
            try:
                if line.bundle is None:
                    raise line.problem or error("BUNDLE_MALFORMED", "the line is not a bundle")
                found = open_attestation(line.bundle, keys, tree_digest=tree)
            except ModelsignError as fault:
                gathered.ignored.append(f"{place}: {fault.code}: {fault.message}")
                continue
            kind = found.statement.predicate_type
            gathered.attestations.append(
                AttestationFact(place, found.signers, kind, found.statement.predicate, found.made_at)
            )
            gathered.items.append(EvidenceItem(place, kind, line.digest, tuple(sorted(found.signers))))


def _explained(reasons: tuple[ModelsignError, ...], refused: Sequence[ModelsignError]) -> tuple[ModelsignError, ...]:
    """Put what was wrong with the evidence behind the rules that missed it, each thing once."""
    unique = {(reason.code, reason.message): reason for reason in (*reasons, *refused)}
    return tuple(unique.values())
