"""modelsign decides whether a machine-learning model may be loaded.

This module is the public API: :func:`load` and :func:`verified` are the gate most programs want; the rest are the
stops of the road they take. Importing it imports nothing else; a name is fetched when it is first used (PEP 562).
What is not named here may change between minor versions.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from modelsign._version import __version__

if TYPE_CHECKING:
    from modelsign.artifact.manifest import Serialization
    from modelsign.artifact.model import Artifact, open_artifact
    from modelsign.artifact.snapshot import Snapshot, take_snapshot
    from modelsign.check import check_model
    from modelsign.confined.scanning import scan_artifact
    from modelsign.errors import ModelsignError, NothingToCheck, Refused, Undecided, UsageError
    from modelsign.guard.load import load
    from modelsign.guard.verified import VerifiedModel, verified
    from modelsign.signing.keys import load_private_key, load_public_key
    from modelsign.signing.library import (
        certificate_sealer,
        certificate_trust,
        keyless_sealer,
        keyless_trust,
        open_revocations,
    )
    from modelsign.signing.partial import LocalBytes, SignedFiles, open_signed
    from modelsign.signing.sign import sign_model
    from modelsign.signing.verify import VerifyOptions, verify_model
    from modelsign.verdict import (
        CheckResult,
        Finding,
        Outcome,
        ScanResult,
        Severity,
        Signer,
        Verdict,
        VerifyResult,
        VerifyVerdict,
    )

__all__ = [
    "Artifact",
    "CheckResult",
    "Finding",
    "LocalBytes",
    "ModelsignError",
    "NothingToCheck",
    "Outcome",
    "Refused",
    "ScanResult",
    "Serialization",
    "Severity",
    "SignedFiles",
    "Signer",
    "Snapshot",
    "Undecided",
    "UsageError",
    "Verdict",
    "VerifiedModel",
    "VerifyOptions",
    "VerifyResult",
    "VerifyVerdict",
    "__version__",
    "certificate_sealer",
    "certificate_trust",
    "check_model",
    "keyless_sealer",
    "keyless_trust",
    "load",
    "load_private_key",
    "load_public_key",
    "open_artifact",
    "open_revocations",
    "open_signed",
    "scan_artifact",
    "sign_model",
    "take_snapshot",
    "verified",
    "verify_model",
]

_HOMES = {
    "modelsign.artifact.manifest": ("Serialization",),
    "modelsign.artifact.model": ("Artifact", "open_artifact"),
    "modelsign.artifact.snapshot": ("Snapshot", "take_snapshot"),
    "modelsign.check": ("check_model",),
    "modelsign.errors": ("ModelsignError", "NothingToCheck", "Refused", "Undecided", "UsageError"),
    "modelsign.guard.load": ("load",),
    "modelsign.guard.verified": ("VerifiedModel", "verified"),
    "modelsign.confined.scanning": ("scan_artifact",),
    "modelsign.signing.keys": ("load_private_key", "load_public_key"),
    "modelsign.signing.library": (
        "certificate_sealer",
        "certificate_trust",
        "keyless_sealer",
        "keyless_trust",
        "open_revocations",
    ),
    "modelsign.signing.partial": ("LocalBytes", "SignedFiles", "open_signed"),
    "modelsign.signing.sign": ("sign_model",),
    "modelsign.signing.verify": ("VerifyOptions", "verify_model"),
    "modelsign.verdict": (
        "CheckResult",
        "Finding",
        "Outcome",
        "ScanResult",
        "Severity",
        "Signer",
        "Verdict",
        "VerifyResult",
        "VerifyVerdict",
    ),
}


def __getattr__(name: str) -> object:
    """Fetch a public name from its home.

    Raises:
        AttributeError: the name is not public.

    """
    for home, names in _HOMES.items():
        if name in names:
            value: object = getattr(import_module(home), name)
            globals()[name] = value
            return value
    message = f"module 'modelsign' has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    """List the public names without fetching them."""
    return sorted({*globals(), *__all__})
