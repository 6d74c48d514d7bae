"""Reasons that come from statements, predicates and the attestation store."""

from __future__ import annotations

from modelsign.reasons._reason import ExitStatus, Reason

REASONS: tuple[Reason, ...] = ()
