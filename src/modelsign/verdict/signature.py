"""What a verification says: who signed, which files were covered, and why not."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from modelsign.reasons import ExitStatus
from modelsign.verdict.jsonable import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.errors import ModelsignError

__all__ = ["FileLedger", "LogProof", "Signer", "VerifyResult", "VerifyVerdict", "who"]


class VerifyVerdict(StrEnum):
    """What ``verify`` says of a model.

    PARTIAL is said of the files that were asked for, and never of a model: ``files.unchecked`` lists the rest, and no
    gate takes it for VERIFIED.
    """

    VERIFIED = "VERIFIED"
    PARTIAL = "PARTIAL"
    REFUSED = "REFUSED"
    UNDECIDED = "UNDECIDED"


@dataclass(frozen=True, slots=True)
class LogProof:
    """A transparency log that was shown to hold the signature.

    ``log`` is the log's address or, where it has none, its id in hex. ``time`` is ISO 8601, None where the log's entry
    proves no time.
    """

    log: str
    index: int
    time: str | None = None


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signed, as far as it was verified.

    ``method`` is ``key``, ``certificate`` or ``keyless``. ``key_digest`` is the SHA-256 of the DER
    SubjectPublicKeyInfo, lowercase hex, of the canonical form of the key (one key in two encodings has one digest).
    ``time`` (ISO 8601) is when the signature is known to have existed by, and ``time_proof`` how that is known:
    ``rfc3161`` or ``transparency-log``.

    Of certificates: ``identity`` is the name that was asked for and found, ``issuer`` who confirmed it, ``subject``
    the certificate's subject (RFC 4514), ``names`` every alternative name as ``kind:value``, ``claims`` what else the
    issuer confirmed (Fulcio's extensions by name). ``root`` is the SHA-256 of the anchor in hex: of the root
    certificate, or of the trust root document. ``logs`` and ``timestamps`` are the proofs of time that were verified.
    ``insecure`` names the switches that made this weaker. ``not_before`` (ISO 8601) is when the certificate begins to
    be valid: the signature was not made earlier.
    """

    method: str
    algorithm: str
    key_digest: str
    identity: str | None = None
    issuer: str | None = None
    time: str | None = None
    time_proof: str | None = None
    subject: str | None = None
    names: tuple[str, ...] = ()
    claims: Mapping[str, str] = field(default_factory=dict, hash=False)
    root: str | None = None
    logs: tuple[LogProof, ...] = ()
    timestamps: tuple[str, ...] = ()
    insecure: tuple[str, ...] = ()
    not_before: str | None = None


def who(signer: Signer) -> str:
    """Name a signer in one line: by its identity where there is one, else by its key."""
    if signer.identity is not None:
        return f"{signer.identity}, confirmed by {signer.issuer}" if signer.issuer else signer.identity
    return f"key {signer.key_digest} ({signer.algorithm})"


@dataclass(frozen=True, slots=True)
class FileLedger:
    """Which files a verification covered; names are relative to the model.

    ``unchecked`` are the files that were not looked at because only others were asked for; nothing is known of them.
    """

    signed: int = 0
    checked: int = 0
    unsigned: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """What ``verify`` found. ``reasons`` is empty exactly when the verdict is VERIFIED, or PARTIAL where asked for.

    ``expires`` (ISO 8601) is until when the signer said the signature is good, None where that was left open.
    """

    verdict: VerifyVerdict
    root_digest: str | None
    tree_digest: str | None
    signed_root_digest: str | None
    oms: bool
    format: str | None
    signers: tuple[Signer, ...]
    files: FileLedger
    reasons: tuple[ModelsignError, ...] = ()
    warnings: tuple[str, ...] = ()
    expires: str | None = None

    def __bool__(self) -> bool:
        """Say whether the model as a whole is verified; so that nobody takes an answer for a good one."""
        return self.verdict is VerifyVerdict.VERIFIED

    @property
    def exit_status(self) -> ExitStatus:
        """The first reason's status; 0 when verified, or where all the files that were asked for are as signed."""
        return self.reasons[0].exit_status if self.reasons else ExitStatus.OK

    def body(self) -> dict[str, object]:
        """The stable JSON body of ``verify``."""
        return {
            "verdict": self.verdict.value,
            "root_digest": self.root_digest,
            "tree_digest": self.tree_digest,
            "signed_root_digest": self.signed_root_digest,
            "oms": self.oms,
            "format": self.format,
            "signers": plain(self.signers),
            "files": plain(self.files),
            "expires": self.expires,
        }
