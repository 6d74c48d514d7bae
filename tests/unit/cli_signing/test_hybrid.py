"""Hybrid signing: a classical and a post-quantum key sign the same bytes, and neither signature can be stripped."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from commandline import modelsign
from refusals import build

if TYPE_CHECKING:
    from pathlib import Path

    from commandline import Answered

BOTH = ("--key", "classic.pub", "--key", "pq.pub")


def run(folder: Path, *arguments: str) -> Answered:
    return modelsign(*arguments, "--format", "json", "--no-config", cwd=folder)


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    build(tmp_path / "model", {"config.json": "{}", "weights": "1"})
    run(tmp_path, "key", "generate", "classic.pem")
    run(tmp_path, "key", "generate", "pq.pem", "--algorithm", "ml-dsa-87")
    answer = run(tmp_path, "sign", "model", "--key", "classic.pem", "--key", "pq.pem")
    assert (answer.exit_code, len(answer.document["bundles"])) == (0, 2)
    return tmp_path


def places(folder: Path) -> dict[str, Path]:
    return {"classical": folder / "model/model.sig", "post-quantum": next((folder / "model/model.sig.d").glob("*.sig"))}


def test_both_signatures_are_found_and_are_over_the_same_bytes(signed: Path) -> None:
    answer = run(signed, "verify", "model", *BOTH)
    assert (answer.exit_code, answer.document["verdict"]) == (0, "VERIFIED")
    assert {signer["algorithm"] for signer in answer.document["signers"]} == {"ecdsa-p256-sha256", "ml-dsa-87"}
    payloads = {json.loads(place.read_bytes())["dsseEnvelope"]["payload"] for place in places(signed).values()}
    assert len(payloads) == 1


def test_who_knows_one_key_only_verifies_as_before(signed: Path) -> None:
    assert run(signed, "verify", "model", "--key", "classic.pub").exit_code == 0
    assert run(signed, "verify", "model", "--key", "pq.pub").exit_code == 0


@pytest.mark.parametrize("family", ["classical", "post-quantum"])
def test_removing_either_signature_is_noticed(signed: Path, family: str) -> None:
    places(signed)[family].unlink()
    answer = run(signed, "verify", "model", *BOTH)
    assert (answer.exit_code, answer.document["verdict"]) == (1, "REFUSED")
    assert answer.codes == ["SIGNATURES_TOO_FEW"]


@pytest.mark.parametrize("family", ["classical", "post-quantum"])
def test_breaking_either_signature_is_noticed(signed: Path, family: str) -> None:
    place = places(signed)[family]
    bundle = json.loads(place.read_bytes())
    signature = bundle["dsseEnvelope"]["signatures"][0]
    signature["sig"] = signature["sig"][:20] + ("A" if signature["sig"][20] != "A" else "B") + signature["sig"][21:]
    place.write_text(json.dumps(bundle))
    assert run(signed, "verify", "model", *BOTH).exit_code == 1


def test_the_other_signature_in_its_place_does_not_help(signed: Path) -> None:
    found = places(signed)
    found["post-quantum"].write_bytes(found["classical"].read_bytes())
    assert run(signed, "verify", "model", *BOTH).exit_code == 1


def test_a_signature_over_other_bytes_does_not_complete_the_pair(signed: Path) -> None:
    found = places(signed)
    kept = found["post-quantum"].read_bytes()
    (signed / "model/weights").write_text("2")
    found["post-quantum"].unlink()
    assert run(signed, "sign", "model", "--key", "classic.pem", "--force").exit_code == 0
    found["post-quantum"].write_bytes(kept)
    assert run(signed, "verify", "model", "--key", "classic.pub").exit_code == 0
    assert run(signed, "verify", "model", *BOTH).exit_code == 1


def test_one_key_named_twice_is_one_key(signed: Path) -> None:
    (signed / "twin.pub").write_bytes(b"a comment\n" + (signed / "classic.pub").read_bytes())
    places(signed)["post-quantum"].unlink()
    answer = run(signed, "verify", "model", "--key", "classic.pub", "--key", "twin.pub", "--threshold", "2")
    assert answer.exit_code == 2
    assert run(signed, "sign", "model", "--key", "classic.pem", "--key", "classic.pem", "--force").exit_code == 2


POLICY = """
apiVersion: modelsign.dev/v1
kind: ModelTrustPolicy
metadata: {name: hybrid, version: 1}
parameters:
  classical: {type: keys, description: ECDSA}
  post-quantum: {type: keys, description: ML-DSA}
rules:
  - {id: classical, kind: signature, title: Signed by the classical key, keys: [classical]}
  - {id: post-quantum, kind: signature, title: Signed by the post-quantum key, keys: [post-quantum]}
"""


@pytest.mark.parametrize("family", ["classical", "post-quantum"])
def test_a_policy_demands_one_signature_of_each_family(signed: Path, family: str) -> None:
    (signed / "hybrid.yaml").write_text(POLICY)
    words = ("check", "model", "--policy", "hybrid.yaml", "--set", "classical=classic.pub", "--set")
    assert run(signed, *words, "post-quantum=pq.pub").document["verdict"] == "ALLOW"
    places(signed)[family].unlink()
    answer = run(signed, *words, "post-quantum=pq.pub")
    assert (answer.exit_code, answer.document["verdict"]) == (1, "DENY")
    assert [rule["id"] for rule in answer.document["rules"] if rule["result"] == "FAIL"] == [family]
