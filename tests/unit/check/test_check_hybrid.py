"""One classical and one post-quantum signature, neither of which can be stripped: the shipped policy on real keys."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from attested import sign, write_model

from modelsign.artifact.model import open_artifact
from modelsign.check import check_model
from modelsign.errors import ModelsignError
from modelsign.guard.load import load
from modelsign.policy.document import load_policy
from modelsign.signing import keys
from modelsign.verdict import Verdict

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
POLICY = load_policy("hybrid")


@pytest.fixture(scope="module")
def classical() -> keys.SigningKey:
    return keys.generate()


@pytest.fixture(scope="module")
def post_quantum() -> keys.SigningKey:
    return keys.generate("ml-dsa-65")


@pytest.fixture
def model(tmp_path, classical, post_quantum) -> Path:
    made = write_model(tmp_path / "model")
    sign(made, classical)
    sign(made, post_quantum, name="post-quantum")
    return made


def judged(model: Path, *trusted: keys.SigningKey) -> tuple[str, dict[str, str | None]]:
    with open_artifact(model) as artifact:
        found = check_model(artifact, POLICY, {"signers": [key.public for key in trusted]}, now=NOW)
    return str(found.verdict), {rule.id: rule.code for rule in found.rules}


def test_both_together_are_allowed_and_load(model, classical, post_quantum):
    assert judged(model, classical, post_quantum)[0] == "ALLOW"
    given = {"signers": [classical.public, post_quantum.public.pem]}
    assert load(model, policy="hybrid", parameters=given, now=NOW)


def test_without_the_post_quantum_signature_it_is_denied(model, classical, post_quantum):
    (model / "model.sig.d" / "post-quantum.sig").unlink()
    verdict, codes = judged(model, classical, post_quantum)
    assert verdict == "DENY"
    assert codes == {"signed-classically": None, "signed-post-quantum": "POLICY_ALGORITHM_FAMILY", "not-unsafe": None}
    with pytest.raises(ModelsignError) as caught:
        load(model, policy="hybrid", parameters={"signers": [classical.public, post_quantum.public]}, now=NOW)
    assert caught.value.code == "LOAD_DENIED"


def test_without_the_classical_signature_it_is_denied(model, classical, post_quantum):
    (model / "model.sig.d" / "post-quantum.sig").replace(model / "model.sig")
    verdict, codes = judged(model, classical, post_quantum)
    assert verdict == "DENY"
    assert codes["signed-classically"] == "POLICY_ALGORITHM_FAMILY"
    assert codes["signed-post-quantum"] is None


def test_a_post_quantum_signature_that_was_spoiled_is_none(model, classical, post_quantum):
    spoiled = (model / "model.sig").read_bytes()
    (model / "model.sig.d" / "post-quantum.sig").write_bytes(spoiled)
    assert judged(model, classical, post_quantum)[0] == "DENY"


def test_a_key_that_was_not_named_signs_for_neither_family(model, classical):
    stranger = keys.generate("ml-dsa-87")
    sign(model, stranger, name="stranger")
    verdict, codes = judged(model, classical)
    assert (verdict, codes["signed-post-quantum"]) == ("DENY", "POLICY_ALGORITHM_FAMILY")
    assert judged(model, classical, stranger)[0] == Verdict.ALLOW
