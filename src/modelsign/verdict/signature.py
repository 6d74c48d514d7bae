"""What a verification says: who signed, which files were covered, and why not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from modelsign.reasons import ExitStatus
from modelsign.verdict.jsonable import plain

if TYPE_CHECKING:
    from modelsign.errors import ModelsignError

__all__ = ["FileLedger", "Signer", "VerifyResult", "VerifyVerdict"]


class VerifyVerdict(StrEnum):
    """What ``verify`` says of a model."""

    VERIFIED = "VERIFIED"
    REFUSED = "REFUSED"
    UNDECIDED = "UNDECIDED"


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signed, as far as it was verified.

    ``key_digest`` is the SHA-256 of the DER SubjectPublicKeyInfo, lowercase hex, of the
    canonical form of the key (one key in two encodings has one digest). ``time`` is ISO 8601.
    """

    method: str
    algorithm: str
    key_digest: str
    identity: str | None = None
    issuer: str | None = None
    time: str | None = None
    time_proof: str | None = None


@dataclass(frozen=True, slots=True)
class FileLedger:
    """Which files a verification covered; names are relative to the model."""

    signed: int = 0
    checked: int = 0
    unsigned: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """What ``verify`` found. ``reasons`` is empty exactly when the verdict is VERIFIED."""

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

    @property
    def exit_status(self) -> ExitStatus:
        """The first reason's status; 0 when verified."""
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
        }
