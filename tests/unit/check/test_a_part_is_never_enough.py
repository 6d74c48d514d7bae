"""A gate never takes PARTIAL for VERIFIED, whoever asked for it."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from commandline import modelsign as run
from signedmodels import make, weights

from modelsign import check
from modelsign.artifact.model import open_artifact
from modelsign.errors import ModelsignError
from modelsign.guard.verified import verified
from modelsign.policy.document import load_policy
from modelsign.signing.verify import verify_model
from modelsign.verdict import Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from modelsign.verdict import VerifyResult


@pytest.fixture
def in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever verifies signatures for a verdict gets PARTIAL, with nothing against it."""

    def some(*arguments: Any, **settings: Any) -> VerifyResult:
        options = settings.pop("options")
        result = verify_model(*arguments, **settings, options=options._replace(only=("**",)))
        assert (result.verdict.value, result.reasons) == ("PARTIAL", ())
        return result

    monkeypatch.setattr(check, "verify_model", some)


@pytest.mark.usefixtures("in_part")
def test_no_gate_takes_a_part_for_a_model(tmp_path: Path) -> None:
    model = make(tmp_path, {"model.safetensors": weights(1.0)})
    with open_artifact(model.path) as artifact:
        found = check.check_model(
            artifact, load_policy(model.policy), {"signers": str(model.public)}, now=datetime.now(UTC)
        )
    assert found.verdict is Verdict.DENY
    words = ("check", model.path, "--policy", model.policy, "--set", f"signers={model.public}")
    assert run(*map(os.fspath, words)).exit_code == 1
    with pytest.raises(ModelsignError), verified(model.path, **model.arguments):
        pytest.fail("the gate opened")


def test_the_same_model_is_let_through_where_all_of_it_is_verified(tmp_path: Path) -> None:
    model = make(tmp_path, {"model.safetensors": weights(1.0)})
    with verified(model.path, **model.arguments) as found:
        assert found
