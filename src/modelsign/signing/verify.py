"""The use case *verify*: are these the bytes that those named by the caller signed?

The order is fixed: signatures over raw bytes first, then the signed statements are parsed, then the model is read
once and compared with each. A model is VERIFIED exactly when everybody who was named, or enough distinct signers,
signed a statement that it meets in full; bundles of others, or that do not match, change nothing then and are only
mentioned. Otherwise all reasons found are listed: refusals (exit 1) before what could not be decided (exit 3),
because a model that is known to be wrong is not made better by a bundle that could not be read. The first reason is
the exit status.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from modelsign import timestamp
from modelsign.artifact.inert import is_plainly_inert
from modelsign.errors import ModelsignError, Refused, error
from modelsign.signing.bundle import parse_bundle
from modelsign.signing.compare import Hashes, compare
from modelsign.signing.describe.foreign import described
from modelsign.signing.dsse import IN_TOTO
from modelsign.signing.envelope import trusts_of
from modelsign.signing.evidence import check_evidence
from modelsign.signing.oms import parse_statement
from modelsign.signing.revocation import statement_digest
from modelsign.signing.selection import Selection, not_looked_at
from modelsign.signing.trust import ask, count_distinct
from modelsign.signing.validity import check_validity
from modelsign.verdict import FileLedger, VerifyResult, VerifyVerdict

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from modelsign.artifact.model import Artifact
    from modelsign.artifact.reading import FileReading
    from modelsign.artifact.snapshot import Snapshot
    from modelsign.signing.bundle import Bundle
    from modelsign.signing.compare import Comparison
    from modelsign.signing.keys import VerifyKey
    from modelsign.signing.oms import Statement
    from modelsign.signing.revocation import Revocations
    from modelsign.signing.trust import CountBy, Trust, Vouch
    from modelsign.verdict import Signer

__all__ = ["Recognised", "VerifyOptions", "check_threshold", "lacking_of", "recognise", "verify_model"]


class VerifyOptions(NamedTuple):
    """The relaxations of one verification; every default is the strict one.

    ``ignore_paths`` are those the caller accepts beyond the default names; the artifact is opened with the same.
    ``threshold`` is how many distinct signers are enough, counted by ``count_by``; None means that everybody named must
    have signed. ``strict_names`` False admits names
    with control characters and names that collide. ``is_inert`` says which unsigned files no loader takes code from;
    callers above the scanner ask it (``scan.engine.is_inert``). ``odd_evidence_refuses`` False is for who collects the
    evidence itself, from wherever it lies, and lists what is no bundle (``check``). ``revocations`` are the entries of
    lists that were verified and are fresh. ``now`` is compared with the times a signature sets itself.
    ``require_oms`` refuses what is accepted beyond OMS v1.0: other orders, algorithms, names and fields.
    ``tree_digest`` False leaves out the tree digest where the manifest does not need whole files hashed in one go, so
    that shards are hashed on all processors. ``only`` are patterns of the files to look at: then the verdict is PARTIAL
    at best, never VERIFIED.
    """

    ignore_paths: tuple[str, ...] = ()
    ignore_unsigned_files: bool = False
    unsigned_loadable: bool = False
    allow_legacy: bool = False
    threshold: int | None = None
    count_by: CountBy = "signer"
    strict_names: bool = True
    is_inert: Callable[[FileReading, str], bool] = is_plainly_inert
    odd_evidence_refuses: bool = True
    revocations: Revocations | None = None
    now: datetime | None = None
    require_oms: bool = False
    tree_digest: bool = True
    only: tuple[str, ...] = ()


class Recognised(NamedTuple):
    """A statement that somebody trusted signed.

    ``vouches`` are by the place of the trust among those that were named; ``fallen`` is why others do not count.
    """

    vouches: Mapping[int, Vouch]
    statement: Statement
    legacy: bool
    fallen: tuple[ModelsignError, ...]


class _Vouched(NamedTuple):
    """A statement that somebody trusted signed, and how the model compares with it; the fields are those above."""

    vouches: Mapping[int, Vouch]
    statement: Statement
    comparison: Comparison
    legacy: bool
    fallen: tuple[ModelsignError, ...] = ()

    @property
    def signers(self) -> list[Signer]:
        return [vouch.signer for vouch in self.vouches.values()]


def verify_model(  # noqa: PLR0913 - the settings of one verification
    artifact: Artifact | Snapshot,
    bundles: bytes | Sequence[bytes],
    keys: Sequence[VerifyKey | Trust],
    *,
    digests: Mapping[str, str] | None = None,
    options: VerifyOptions | None = None,
    progress: Callable[[int], None] | None = None,
) -> VerifyResult:
    """Verify a model against bundles and trusted keys, or whatever else was named to be trusted.

    With ``digests`` (name → SHA-256 hex of all the model's files) no file is read again.

    Raises:
        ModelsignError: ``NO_TRUST_SOURCE``, ``THRESHOLD_IMPOSSIBLE`` or ``IGNORE_MATCHES_NOTHING``, because the
            question makes no sense, ``USAGE`` or ``ARGUMENT_INVALID`` for values of another kind, or a fault of reading
            the model. Every other reason is in the result.

    """
    options = _normal(options or VerifyOptions())
    trusted = trusts_of(keys)
    check_threshold(trusted, options.threshold)
    given = _each_once(bundles)
    only = Selection(options.only) if options.only else None
    tree = options.tree_digest or options.revocations is not None  # which may name the model by it
    hashes = Hashes(artifact, digests, progress, tree=tree, only=only)
    faults: list[ModelsignError] = []
    if not given:
        faults.append(error("SIGNATURE_MISSING", f"the model {artifact.name} has no signature"))
    vouched: list[_Vouched] = []
    broken: set[bytes] = set()
    for data in given:
        try:
            vouched.append(_examine(data, trusted, artifact, hashes, options))
        except ModelsignError as fault:
            faults.append(fault)
            if fault.code.startswith("BUNDLE_"):
                broken.add(data)
    _check_ignores(artifact, [entry.statement for entry in vouched], options)
    standing = [entry for entry in vouched if not entry.comparison.faults]
    lacking = lacking_of(trusted, standing, options)
    # A broken bundle that others outweigh is still a file in the model that nobody signed. Where it is all there is,
    # it has its own reason: it could not be read.
    held_against = _held_against(
        hashes, given if lacking else set(given) - broken, options, standing, read=bool(vouched)
    )
    faults += [fault for entry in vouched for fault in entry.fallen]
    if not lacking and not held_against:
        asides = [fault.message for entry in vouched for fault in entry.comparison.faults]
        notes = tuple(f"a bundle was not counted: {message}" for message in [*asides, *(f.message for f in faults)])
        return _result(hashes, standing, standing, notes=notes)
    for entry in vouched:
        faults += entry.comparison.faults
    if lacking and (standing or not faults or len(trusted) > 1):
        faults.append(lacking)
    reasons = _in_order([*held_against, *faults])
    return _result(hashes, vouched, standing, reasons=reasons)


def _held_against(
    hashes: Hashes, known: Collection[bytes], options: VerifyOptions, standing: Sequence[_Vouched], *, read: bool
) -> list[ModelsignError]:
    """Return what refuses the model whoever signed it: odd files where evidence lies, and what was revoked."""
    found = check_evidence(hashes.artifact, known=known) if options.odd_evidence_refuses else []
    if options.revocations is not None and read:
        found += options.revocations.against_model(hashes.tree_digest(), hashes.of("sha256"))
        for entry in standing:  # files that were not looked at are signed still, and so is the model they belong to
            found += options.revocations.against_model(entry.statement.tree_digest, entry.statement.whole_files)
    return found


def _each_once(bundles: bytes | Sequence[bytes]) -> list[bytes]:
    """Return each bundle once.

    Raises:
        ModelsignError: ``USAGE`` for a path in the place of bytes.

    """
    given = [bundles] if isinstance(bundles, (str, bytes)) else list(dict.fromkeys(bundles))
    if not all(isinstance(data, bytes) for data in given):
        raise error("USAGE", "bundles are bytes, not a path", advice="Read the file, and pass what is in it.")
    return given


def _normal(options: VerifyOptions) -> VerifyOptions:
    """Write the paths to ignore as a manifest does: ``./x/`` is ``x``.

    Raises:
        ModelsignError: ``ARGUMENT_INVALID`` for a time without a zone, which no time of a signature compares with.

    """
    if options.now is not None and options.now.utcoffset() is None:
        raise error("ARGUMENT_INVALID", "the time has no time zone", advice="Pass datetime.now(UTC).")
    paths = options.ignore_paths
    return options._replace(ignore_paths=tuple(os.path.normpath(path) for path in paths)) if paths else options


def check_threshold(trusted: Sequence[Trust], threshold: int | None) -> None:
    """Refuse a question that nobody could answer with yes.

    Raises:
        ModelsignError: ``NO_TRUST_SOURCE`` or ``THRESHOLD_IMPOSSIBLE``.

    """
    if not trusted:
        raise error("NO_TRUST_SOURCE", "nothing was named that must have signed")
    if threshold is None:
        return
    if threshold < 1 or (threshold > len(trusted) and all(trust.single for trust in trusted)):
        raise error("THRESHOLD_IMPOSSIBLE", f"{threshold} of {len(trusted)} different signers cannot have signed")


def recognise(data: bytes, trusted: Sequence[Trust], options: VerifyOptions) -> Recognised:
    """Say who of those trusted made a model's signature and is still good for it; the model is not looked at.

    Raises:
        ModelsignError: ``BUNDLE_MALFORMED``, ``NOT_A_MODEL_SIGNATURE``, ``LEGACY_NOT_ALLOWED``, ``MANIFEST_MALFORMED``,
            the reason of whoever came nearest, or why nobody is good any more.

    """
    bundle = parse_bundle(data)
    try:
        vouches = ask(trusted, bundle, allow_legacy=options.allow_legacy)
    except ModelsignError as fault:
        raise described(fault, bundle) from None
    if bundle.payload_type != IN_TOTO:
        raise error("NOT_A_MODEL_SIGNATURE", f"the payload type is {bundle.payload_type[:100]}, not {IN_TOTO}")
    statement = parse_statement(bundle.payload, strict_names=options.strict_names)
    _check_format(vouches, statement, options)
    vouches, fallen = _still_good(vouches, bundle, statement, options)
    if options.require_oms and not (statement.oms and not bundle.legacy and all(v.oms for v in vouches.values())):
        raise error("NOT_OMS", "the signature is good, and does not follow OMS v1.0 in every part")
    return Recognised(vouches, statement, bundle.legacy, fallen)


def _examine(
    data: bytes,
    trusted: Sequence[Trust],
    artifact: Artifact | Snapshot,
    hashes: Hashes,
    options: VerifyOptions,
) -> _Vouched:
    vouches, statement, legacy, fallen = recognise(data, trusted, options)
    comparison = compare(
        artifact,
        statement,
        hashes,
        accepted_ignores=frozenset(options.ignore_paths).union(artifact.evidence, artifact.named_evidence),
        ignore_unsigned_files=options.ignore_unsigned_files,
        unsigned_loadable=options.unsigned_loadable,
        is_inert=options.is_inert,
    )
    return _Vouched(vouches, statement, comparison, legacy, fallen)


def _still_good(
    vouches: Mapping[int, Vouch], bundle: Bundle, statement: Statement, options: VerifyOptions
) -> tuple[dict[int, Vouch], tuple[ModelsignError, ...]]:
    """Leave out signers that were revoked and signatures that expired, and say why; raise where nobody is left."""
    revocations = options.revocations
    revoked = None if revocations is None else revocations.against_signature(statement_digest(bundle))
    good, fallen = {}, []
    for number, vouch in vouches.items():
        fault = revoked
        if fault is None and revocations is not None:
            fault = revocations.against_signer(vouch.signer)
        if fault is None and statement.validity is not None:
            fault = check_validity(statement.validity, vouch.signer, options.now)
        if fault is None:
            good[number] = vouch
        else:
            fallen.append(fault)
    if not good:
        raise fallen[0]
    return good, tuple(fallen)


def _check_format(vouches: Mapping[int, Vouch], statement: Statement, options: VerifyOptions) -> None:
    old_predicate = statement.format == "oms-v0.2"
    if old_predicate and not options.allow_legacy:
        raise error("LEGACY_NOT_ALLOWED", "the signature is one of model-signing 0.2.0")
    if any(vouch.v0_2 for vouch in vouches.values()) and not old_predicate:
        raise error("NOT_A_MODEL_SIGNATURE", "the encoding of 0.2.0 was used for another predicate than that of 0.2.0")


def _check_ignores(artifact: Artifact | Snapshot, statements: Sequence[Statement], options: VerifyOptions) -> None:
    """Refuse a path to ignore that is neither in the model nor in a signer's list: it is a slip of the pen."""
    if not statements:
        return
    known = {path for statement in statements for path in statement.ignore_paths}
    nowhere = [path for path in artifact.unmatched_ignores if path not in known]
    if nowhere and options.ignore_paths:
        raise error("IGNORE_MATCHES_NOTHING", f"there is nothing at the path to ignore {', '.join(nowhere)}")


def lacking_of(
    trusted: Sequence[Trust], standing: Sequence[_Vouched] | Sequence[Recognised], options: VerifyOptions
) -> ModelsignError | None:
    """Return who is missing, None where enough have signed."""
    met = {number for entry in standing for number in entry.vouches}
    signers = [vouch.signer for entry in standing for vouch in entry.vouches.values()]
    if options.threshold is None:
        needed, counted = len(trusted), len(met)
    else:
        needed, counted = options.threshold, count_distinct(signers, options.count_by)
    if counted >= needed:
        return None
    absent = [trust for number, trust in enumerate(trusted) if number not in met]
    return error(
        "SIGNATURES_TOO_FEW",
        f"{counted} of the {needed} signers that are needed signed this model; without a valid signature: "
        + (", ".join(trust.label for trust in absent) or "nobody who was named"),
        details={
            "needed": needed,
            "signed": sorted({signer.key_digest for signer in signers}),
            "missing": [trust.id for trust in absent],
        },
    )


def _in_order(faults: Sequence[ModelsignError]) -> tuple[ModelsignError, ...]:
    unique = list({(fault.code, fault.message): fault for fault in faults}.values())
    return tuple(sorted(unique, key=lambda fault: not isinstance(fault, Refused)))


def _result(
    hashes: Hashes,
    vouched: Sequence[_Vouched],
    standing: Sequence[_Vouched],
    *,
    reasons: tuple[ModelsignError, ...] = (),
    notes: tuple[str, ...] = (),
) -> VerifyResult:
    """Put the answer together; where bundles differ, the first one that stands (or else the first) is shown."""
    artifact = hashes.artifact
    shown = (standing or vouched or (None,))[0]
    verdict = VerifyVerdict.VERIFIED if hashes.only is None else VerifyVerdict.PARTIAL
    if reasons:
        verdict = VerifyVerdict.REFUSED if isinstance(reasons[0], Refused) else VerifyVerdict.UNDECIDED
    if shown is None:
        ledger = FileLedger(ignored=artifact.ignored)
        known = hashes.given is not None
        return VerifyResult(
            verdict,
            hashes.root_digest() if known else None,
            hashes.tree_digest() if known else None,
            None,
            oms=False,
            format=None,
            signers=(),
            files=ledger,
            reasons=reasons,
            warnings=artifact.warnings,
        )
    signers = {signer: None for entry in vouched for signer in entry.signers}
    if hashes.only is not None:
        notes = (not_looked_at(shown.comparison.ledger), *notes)
    warnings = tuple(warning for entry in vouched for vouch in entry.vouches.values() for warning in vouch.warnings)
    fmt = "oms-v0.3" if shown.legacy and shown.statement.format == "oms-v1.0" else shown.statement.format
    return VerifyResult(
        verdict,
        shown.comparison.root_digest,
        hashes.tree_digest(),
        shown.statement.signed_root,
        oms=shown.statement.oms and not shown.legacy and all(vouch.oms for vouch in shown.vouches.values()),
        format=fmt,
        signers=tuple(signers),
        files=shown.comparison.ledger,
        reasons=reasons,
        warnings=artifact.warnings + shown.comparison.warnings + warnings + notes,
        expires=None if shown.statement.validity is None else timestamp.write(shown.statement.validity.expires),
    )
