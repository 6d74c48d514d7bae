"""The public Sigstore conformance suite's verification vectors, all of them, where a checkout is at hand."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(os.environ.get("MODELSIGN_VECTORS", "/nonexistent")) / "sigstore-conformance"
TOOLS = Path(__file__).parents[2] / "tools/conformance"
pytestmark = pytest.mark.skipif(
    not CHECKOUT.is_dir(), reason="MODELSIGN_VECTORS does not name the published vectors of sigstore-conformance"
)


def test_every_vector_that_must_verify_does_and_every_other_one_is_refused(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    from run_sigstore import run  # noqa: PLC0415 - a tool, found only now

    outcomes = run(CHECKOUT)
    assert [outcome for outcome in outcomes if not outcome.right] == []
    assert sum(outcome.code is None for outcome in outcomes) >= 42
    assert all(outcome.code for outcome in outcomes if outcome.name.endswith("_fail"))
    assert "run_sigstore" in sys.modules
