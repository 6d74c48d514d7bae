"""The use case *check*: one verdict on a model by a trust policy, from bytes and evidence.

All bytes are read once, by the scan; the digests of the very bytes that were scanned go to the signatures and name
the model in attestations. Then the policy is evaluated, which is pure. Works on an opened model and on its private
copy alike; who loads afterwards takes the copy.

Collected evidence only ever supports: bundles that cannot be verified are listed as ignored and decide nothing, for an
opened model and for its private copy alike. What is no bundle at all in the model's own places of evidence is another
matter: it is bytes that nobody signed, so it refuses the model, as it does in ``verify``.

A manifest of other digests than whole-file SHA-256 (shards, BLAKE2b) needs a second reading, which could be of other
bytes; then everything is judged again on a private copy. Where there is no room for one the answer stays open.
"""

from __future__ import annotations

import functools
import hashlib
import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from modelsign import files, limits, timestamp
from modelsign.artifact.manifest import tree_digest
from modelsign.artifact.model import Artifact
from modelsign.artifact.snapshot import take_snapshot
from modelsign.attest.envelope import open_attestation
from modelsign.attest.store import read_lines, store_place
from modelsign.errors import ModelsignError, error
from modelsign.examine import examine
from modelsign.policy.evaluate import evaluate
from modelsign.policy.facts import AttestationFact, Facts, RevocationFact, SignatureFact
from modelsign.policy.parameters import BoundPolicy, bind
from modelsign.signing.evidence import bundle_place, check_bundles, find_bundles, read_bundle
from modelsign.signing.revocation import Revocations, statement_digest
from modelsign.signing.revocation_list import open_list
from modelsign.signing.verify import VerifyOptions, recognise, verify_model
from modelsign.verdict import CheckResult, EvidenceItem, Verdict, VerifyVerdict, who

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from modelsign.artifact.snapshot import Snapshot
    from modelsign.policy.anchors import BoundTrust
    from modelsign.policy.document import Policy
    from modelsign.policy.parameters import Value
    from modelsign.signing.bundle import Bundle
    from modelsign.verdict import PolicyInput, ScanResult, Signer, VerifyResult

__all__ = ["Evidence", "check_model", "collect_evidence", "one_or_many"]

_SECOND_READING: Final = "HASH_UNSUPPORTED"
_SHOWN: Final = 300
"""Characters of a reason's message that are kept of evidence nobody vouches for."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was collected and is not verified yet: each entry is where it came from and its bytes.

    ``bundles`` are model signatures, ``stores`` are attestation stores with one bundle a line. ``faults`` are what
    lies at a default place and could not be read, or is no bundle; with any of them no evidence counts.
    """

    bundles: tuple[tuple[str, bytes], ...] = ()
    stores: tuple[tuple[str, bytes], ...] = ()
    faults: tuple[tuple[str, ModelsignError], ...] = ()


def collect_evidence(
    model: str | os.PathLike[str],
    *,
    bundles: Sequence[str | os.PathLike[str]] = (),
    attestations: Sequence[str | os.PathLike[str]] = (),
) -> Evidence:
    """Read the signatures and attestations of a model: the named ones, or those at the default places.

    What was named must be there and readable; what lies at a default place and is not, or is no bundle, is in
    ``faults``.

    Raises:
        ModelsignError: ``SIGNATURE_MISSING``, ``SIGNATURE_NOT_A_FILE``, ``INPUT_UNREADABLE`` or ``INPUT_TOO_LARGE``
            for a place that was named.

    """
    base = os.path.dirname(bundle_place(model))  # noqa: PTH120 - strings, as in artifact
    collecting = _Collecting(base)
    for place in one_or_many(bundles):
        collecting.bundles.append((_shown(place, base), read_bundle(place)))
    for place in one_or_many(attestations):
        collecting.stores.append((_shown(place, base), _read_store(place)))
    # The model's own places are looked at also where others were named: what is no bundle there refuses all the same.
    own_bundles = [] if collecting.bundles else collecting.bundles
    for place in collecting.first(find_bundles(model)):
        collecting.take(place, own_bundles, functools.partial(read_bundle, place))
    own_stores = [] if collecting.stores else collecting.stores
    if os.path.lexists(store_place(model)):
        collecting.take(store_place(model), own_stores, functools.partial(_read_store, store_place(model)))
    return collecting.done()


def one_or_many(places: str | os.PathLike[str] | Sequence[str | os.PathLike[str]]) -> list[str]:
    """Return paths as strings; a lone path stands for itself, not for its letters."""
    return [os.fspath(places)] if isinstance(places, (str, os.PathLike)) else [os.fspath(place) for place in places]


def _read_store(place: str) -> bytes:
    return files.read_bounded(place, limits.STORE_BYTES, what="attestation store")


class _Collecting:
    """Evidence on the way in, within the budget of what somebody else may have put beside a model."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._left = limits.EVIDENCE_BYTES
        self.bundles: list[tuple[str, bytes]] = []
        self.stores: list[tuple[str, bytes]] = []
        self.faults: list[tuple[str, ModelsignError]] = []

    def first(self, places: Sequence[str]) -> Sequence[str]:
        """Return as many places as are looked at."""
        if len(places) > limits.EVIDENCE_FILES:
            place = _shown(places[limits.EVIDENCE_FILES], self._base)
            message = f"this and {len(places) - limits.EVIDENCE_FILES - 1} further pieces of evidence are not read"
            self.faults.append((place, error("INPUT_TOO_LARGE", message)))
        return places[: limits.EVIDENCE_FILES]

    def take(self, place: str, into: list[tuple[str, bytes]], read: Callable[[], bytes]) -> None:
        """Read one piece; a fault is kept, not raised. Nothing is read when the budget is spent."""
        shown = _shown(place, self._base)
        try:
            if self._left <= 0:
                raise error("INPUT_TOO_LARGE", "there is more evidence beside the model than is read")
            data = read()
            check_bundles(shown, data, by_line=place.endswith(".jsonl"))
        except ModelsignError as fault:
            self.faults.append((shown, fault))
            return
        self._left -= len(data)
        into.append((shown, data))

    def done(self) -> Evidence:
        return Evidence(tuple(self.bundles), tuple(self.stores), tuple(self.faults))


def _shown(place: str, base: str) -> str:
    """Name evidence relative to the model where it lies beside it, so that verdicts do not depend on where that is."""
    return os.path.relpath(place, base) if base and place.startswith(base + os.sep) else place


@dataclass(slots=True)
class _Gathered:
    """What verification made of the evidence."""

    signatures: list[SignatureFact] = field(default_factory=list)
    attestations: list[AttestationFact] = field(default_factory=list)
    open_signatures: list[SignatureFact] = field(default_factory=list)
    revocations: list[RevocationFact] = field(default_factory=list)
    results: list[VerifyResult] = field(default_factory=list)
    items: list[EvidenceItem] = field(default_factory=list)
    refused: list[ModelsignError] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    def ignore(self, source: str, fault: ModelsignError) -> None:
        """List a piece of evidence that decides nothing, and why; what it says of itself is cut short."""
        words = fault.message if len(fault.message) <= _SHOWN else f"{fault.message[:_SHOWN]}…"
        self.ignored.append(f"{source}: {fault.code}: {words}")


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
    sandbox: bool = True,
) -> CheckResult:
    """Judge a model by a policy at a time.

    ``parameters`` are the policy's (``{"signers": ["pub.pem"]}``), unless it is bound already. ``evidence`` is what
    :func:`collect_evidence` read; without it, what lies in the opened model's own folder. A private copy holds no
    evidence, so for one it must be given. ``opinions`` are other scanners to ask. ``ignore_paths`` are those the
    model was opened with. ``progress`` is called by the scan, which runs in a confined process unless ``sandbox`` is
    False.

    Raises:
        ModelsignError: ``PARAMETER_UNSET``, ``PARAMETER_UNKNOWN``, ``PARAMETER_INVALID``, ``ARGUMENT_INVALID``, and
            faults of making a private copy for ``opinions``. Whatever is wrong with the model or its evidence is in
            the result.

    """
    if now.tzinfo is None:
        raise error("ARGUMENT_INVALID", "now is a time without a zone", advice="Pass datetime.now(UTC).")
    bound = policy if isinstance(policy, BoundPolicy) else bind(policy, parameters or {})
    ignored = tuple(os.path.normpath(path) for path in one_or_many(ignore_paths))
    collected = _own_evidence(artifact) if evidence is None else evidence

    def judge(bytes_of: Artifact | Snapshot) -> tuple[CheckResult, bool]:
        scan = examine(bytes_of, opinions=opinions, progress=progress, sandbox=sandbox)
        return _judge(bytes_of, bound, scan, collected, ignored, now)

    found, left_open = judge(artifact)
    if not left_open or found.verdict is Verdict.ALLOW or not isinstance(artifact, Artifact):
        return found
    try:
        private = take_snapshot(artifact, most_bytes=limits.SNAPSHOT_BYTES)
    except ModelsignError as fault:
        return replace(found, reasons=_explained(found.reasons, [fault]))
    with private:
        return judge(private)[0]


def _judge(  # noqa: PLR0913, PLR0917 - the inputs of a verdict
    artifact: Artifact | Snapshot,
    bound: BoundPolicy,
    scan: ScanResult,
    collected: Evidence,
    ignore_paths: tuple[str, ...],
    now: datetime,
) -> tuple[CheckResult, bool]:
    """Judge what was read; also tell whether a trusted signature could not be compared without a second reading."""
    digests = _digests(artifact, scan)
    tree = None if digests is None else tree_digest(digests)
    gathered = _Gathered()
    for source, fault in collected.faults:
        gathered.ignore(source, fault)
        gathered.refused.append(fault)
    known = (digests or {}) | (_aside_digests(artifact) if digests else {})
    revocations = _open_lists(bound, tree, known, gathered)
    if digests is not None and tree is not None and not collected.faults:
        options = VerifyOptions(
            ignore_paths=ignore_paths, threshold=1, odd_evidence_refuses=False, revocations=revocations, now=now
        )
        signing = bound.trusts_for("signature", now)
        _verify_signatures(artifact, signing, collected, known, tree, options, gathered)
        attesting = bound.trusts_for("attestation", now, any_hint=True)
        _open_attestations(attesting, collected, tree, digests, revocations, gathered)
    facts = Facts(
        files=frozenset(entry.name for entry in artifact.files),
        tree_digest=tree,
        scan=scan,
        signatures=tuple(gathered.signatures),
        attestations=tuple(gathered.attestations),
        open_signatures=tuple(gathered.open_signatures),
        revocations=tuple(gathered.revocations),
    )
    found = evaluate(bound, facts, now=now)
    result = CheckResult(
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
            *bound.warnings,
            *(f"{path} is left out as asked: not signed, not scanned" for path in ignore_paths),
        ),
        time=timestamp.write(now),
        evidence=tuple(gathered.items),
        inputs=_inputs(bound, facts),
    )
    return result, bool(gathered.open_signatures)


def _inputs(bound: BoundPolicy, facts: Facts) -> tuple[PolicyInput, ...]:
    versions = {fact.digest: fact.version for fact in facts.revocations}
    return tuple(replace(item, version=versions.get(item.digest)) for item in bound.inputs)


def _own_evidence(artifact: Artifact | Snapshot) -> Evidence:
    collecting = _Collecting("")

    def read(name: str) -> bytes:
        with artifact.open(name) as reading:
            if reading.size > limits.STORE_BYTES:
                raise error("INPUT_TOO_LARGE", f"{name} has more than {limits.STORE_BYTES} bytes")
            return reading.read_at(0, reading.size)

    for name in collecting.first(artifact.evidence):
        into = collecting.stores if name.endswith(".jsonl") else collecting.bundles
        collecting.take(name, into, functools.partial(read, name))
    return collecting.done()


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


def _open_lists(
    bound: BoundPolicy, tree: str | None, digests: Mapping[str, str], gathered: _Gathered
) -> Revocations | None:
    """Open the revocation lists that were given; what one names counts nowhere, however old the list is."""
    found = []
    for parameter, digest, data in bound.revocation_lists:
        try:
            if data is None:
                raise error("REVOCATION_LIST_MISSING", f"there is no revocation list where {parameter} says")
            opened = open_list(data, bound.revocation_keys)
        except ModelsignError as fault:
            gathered.ignore(parameter, fault)
            gathered.refused.append(fault)
            continue
        found.append(opened)
        against = tuple(fault.message for fault in Revocations([opened]).against_model(tree, digests))
        signer = "" if opened.signer is None else opened.signer.key_digest
        gathered.revocations.append(
            RevocationFact(parameter, digest, signer, opened.version, opened.issued, opened.expires, against)
        )
    return Revocations(found) if found else None


def _verify_signatures(  # noqa: PLR0913, PLR0917 - the state of one check
    artifact: Artifact | Snapshot,
    trusts: Sequence[BoundTrust],
    collected: Evidence,
    digests: Mapping[str, str],
    tree: str,
    options: VerifyOptions,
    gathered: _Gathered,
) -> None:
    """Verify each bundle alone, so that one that is broken takes nothing from another."""
    if not trusts:
        return
    if not collected.bundles and not collected.faults:
        gathered.refused.append(error("SIGNATURE_MISSING", f"the model {artifact.name} has no signature"))
    for source, data in collected.bundles:
        result = verify_model(artifact, data, trusts, digests=digests, options=options)
        gathered.results.append(result)
        if result.verdict is VerifyVerdict.VERIFIED and result.tree_digest == tree:
            fact = _signature(source, data, trusts, options)
            gathered.signatures.append(fact)
            gathered.items.append(
                EvidenceItem(source, "signature", hashlib.sha256(data).hexdigest(), _named(fact.signers))
            )
            continue
        if any(reason.code == _SECOND_READING for reason in result.reasons):
            gathered.open_signatures.append(_signature(source, data, trusts, options))
        gathered.refused += result.reasons
        for reason in result.reasons:
            gathered.ignore(source, reason)


def _signature(source: str, data: bytes, trusts: Sequence[BoundTrust], options: VerifyOptions) -> SignatureFact:
    """Say who made a signature that was found to be good."""
    found = recognise(data, trusts, options)
    signers = {trusts[number].id: vouch.signer for number, vouch in found.vouches.items()}
    validity = found.statement.validity
    return SignatureFact(source, signers, None if validity is None else validity.made_at)


def _named(signers: Mapping[str, Signer]) -> tuple[str, ...]:
    """Name signers as evidence does: by key, or by identity and who confirmed it."""
    return tuple(sorted({signer.key_digest if signer.identity is None else who(signer) for signer in signers.values()}))


def _open_attestations(  # noqa: PLR0913, PLR0917 - the state of one check
    trusts: Sequence[BoundTrust],
    collected: Evidence,
    tree: str,
    digests: Mapping[str, str],
    revocations: Revocations | None,
    gathered: _Gathered,
) -> None:
    for source, data in collected.stores:
        try:
            lines = read_lines(data)
        except ModelsignError as fault:
            gathered.ignore(source, fault)
            continue
        for line in lines:
            place = f"{source}:{line.number}"
            try:
                if line.bundle is None:
                    raise line.problem or error("BUNDLE_MALFORMED", "the line is not a bundle")
                if not trusts:  # no rule asks for attestations
                    continue
                found = open_attestation(line.bundle, trusts, tree_digest=tree, digests=digests)
                signers = _not_revoked(found.signed_by, line.bundle, revocations)
            except ModelsignError as fault:
                gathered.ignore(place, fault)
                continue
            kind = found.statement.predicate_type
            gathered.attestations.append(
                AttestationFact(place, signers, kind, found.statement.predicate, found.made_at)
            )
            gathered.items.append(EvidenceItem(place, kind, line.digest, _named(signers)))


def _not_revoked(
    signers: Mapping[str, Signer], bundle: Bundle, revocations: Revocations | None
) -> Mapping[str, Signer]:
    """Leave out the signers of an attestation that were revoked; raise why where none is left."""
    if revocations is None:
        return signers
    revoked = revocations.against_signature(statement_digest(bundle))
    faults = {name: revoked or revocations.against_signer(signer) for name, signer in signers.items()}
    good = {name: signer for name, signer in signers.items() if faults[name] is None}
    for fault in faults.values():
        if fault is not None and not good:
            raise fault
    return good


def _explained(reasons: tuple[ModelsignError, ...], refused: Sequence[ModelsignError]) -> tuple[ModelsignError, ...]:
    """Put what was wrong with the evidence behind the rules that missed it, each thing once."""
    unique = {(reason.code, reason.message): reason for reason in (*reasons, *refused)}
    return tuple(unique.values())
