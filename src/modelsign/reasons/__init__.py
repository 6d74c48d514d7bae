"""Every reason this project can give for a refusal, by its stable code.

One module per area, each a tuple of :class:`Reason`. A code is never reused and never
changes its exit status. ``modelsign explain CODE`` and the generated reason pages read
this catalog; nothing else describes a refusal.
"""

from __future__ import annotations

from modelsign.reasons._reason import ExitStatus, Reason
from modelsign.reasons.artifact import REASONS as _ARTIFACT
from modelsign.reasons.attest import REASONS as _ATTEST
from modelsign.reasons.baseline import REASONS as _BASELINE
from modelsign.reasons.certificates import REASONS as _CERTIFICATES
from modelsign.reasons.command import REASONS as _COMMAND
from modelsign.reasons.guard import REASONS as _GUARD
from modelsign.reasons.hardware import REASONS as _HARDWARE
from modelsign.reasons.keyless_signing import REASONS as _KEYLESS_SIGNING
from modelsign.reasons.manifests import REASONS as _MANIFESTS
from modelsign.reasons.network import REASONS as _NETWORK
from modelsign.reasons.policy import REASONS as _POLICY
from modelsign.reasons.revocation import REASONS as _REVOCATION
from modelsign.reasons.sandbox import REASONS as _SANDBOX
from modelsign.reasons.scan import REASONS as _SCAN
from modelsign.reasons.signing import REASONS as _SIGNING
from modelsign.reasons.sigstore import REASONS as _SIGSTORE

__all__ = ["CATALOG", "ExitStatus", "Reason"]

_AREAS = (
    _COMMAND,
    _ARTIFACT,
    _SIGNING,
    _CERTIFICATES,
    _MANIFESTS,
    _SIGSTORE,
    _KEYLESS_SIGNING,
    _HARDWARE,
    _NETWORK,
    _REVOCATION,
    _SCAN,
    _SANDBOX,
    _BASELINE,
    _ATTEST,
    _POLICY,
    _GUARD,
)
CATALOG: dict[str, Reason] = {reason.code: reason for area in _AREAS for reason in area}
