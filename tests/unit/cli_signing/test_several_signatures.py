"""Several keys make several signatures: each in its place, all or none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from commandline import modelsign
from refusals import build

from modelsign.signing.keys import generate

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return build(tmp_path / "m", {"w.bin": "weights"})


@pytest.fixture
def keys(tmp_path: Path) -> list[str]:
    """Three private keys of different kinds, each with its public half beside it."""
    named = []
    for algorithm in ("ecdsa-p256-sha256", "ed25519", "ml-dsa-65"):
        key = generate(algorithm)
        (tmp_path / f"{algorithm}.pem").write_bytes(key.pem())
        (tmp_path / f"{algorithm}.pub").write_bytes(key.public.pem)
        named.append(str(tmp_path / algorithm))
    return named


def sign(model: Path, *words: str) -> tuple[int, dict[str, Any]]:
    return answer("sign", str(model), *words)


def answer(*words: str) -> tuple[int, dict[str, Any]]:
    answered = modelsign(*words, "--format", "json")
    return answered.exit_code, answered.document


def test_each_key_makes_a_signature_of_its_own(model: Path, keys: list[str]) -> None:
    status, body = sign(model, *(word for key in keys for word in ("--key", f"{key}.pem")))
    assert status == 0
    digests = [signer["key_digest"] for signer in body["signers"]]
    assert body["bundles"] == [
        str(model / "model.sig"),
        *(str(model / "model.sig.d" / f"{digest[:16]}.sig") for digest in digests[1:]),
    ]
    status, verified = answer("verify", str(model), *(word for key in keys for word in ("--key", f"{key}.pub")))
    assert (status, verified["verdict"]) == (0, "VERIFIED")
    assert {signer["algorithm"] for signer in verified["signers"]} == {"ecdsa-p256-sha256", "ed25519", "ml-dsa-65"}


@pytest.mark.parametrize("stripped", [0, 1, 2])
def test_none_of_them_can_be_stripped(model: Path, keys: list[str], stripped: int) -> None:
    _, body = sign(model, *(word for key in keys for word in ("--key", f"{key}.pem")))
    place = body["bundles"][stripped]
    model.joinpath(place).unlink()
    status, verified = answer("verify", str(model), *(word for key in keys for word in ("--key", f"{key}.pub")))
    assert (status, verified["reasons"][0]["code"]) == (1, "SIGNATURES_TOO_FEW")


def test_further_signatures_leave_what_is_there_untouched(model: Path, keys: list[str]) -> None:
    sign(model, "--key", f"{keys[0]}.pem")
    before = (model / "model.sig").read_bytes()
    status, body = sign(model, "--add", "--key", f"{keys[1]}.pem", "--key", f"{keys[2]}.pem")
    assert (status, len(body["bundles"])) == (0, 2)
    assert (model / "model.sig").read_bytes() == before
    assert len(list((model / "model.sig.d").iterdir())) == 2


def test_one_place_each_or_a_usage_error(model: Path, keys: list[str], tmp_path: Path) -> None:
    both = ("--key", f"{keys[0]}.pem", "--key", f"{keys[1]}.pem")
    one, two = str(tmp_path / "one.sig"), str(tmp_path / "two.sig")
    assert sign(model, *both, "--bundle", one)[0] == 2
    assert sign(model, *both, "--bundle", one, "--bundle", one)[0] == 2
    assert sign(model, *both, "--add", "--bundle", one, "--bundle", two)[0] == 2
    assert not (tmp_path / "one.sig").exists()
    status, body = sign(model, *both, "--bundle", one, "--bundle", two)
    assert (status, body["bundles"]) == (0, [one, two])


def test_one_key_named_twice_is_a_slip_of_the_pen(model: Path, keys: list[str]) -> None:
    assert sign(model, "--key", f"{keys[0]}.pem", "--key", f"{keys[0]}.pem")[0] == 2


def test_nothing_is_written_where_one_of_the_places_is_taken(model: Path, keys: list[str]) -> None:
    sign(model, "--key", f"{keys[0]}.pem")
    status, body = sign(model, "--key", f"{keys[1]}.pem", "--key", f"{keys[2]}.pem")
    assert (status, body["reasons"][0]["code"]) == (2, "OUTPUT_EXISTS")
    assert not (model / "model.sig.d").exists()


def test_passwords_are_one_for_all_or_one_for_each(model: Path, tmp_path: Path) -> None:
    for name, password in (("a", b"one"), ("b", b"two")):
        (tmp_path / f"{name}.pem").write_bytes(generate().pem(password))
        (tmp_path / f"{name}.txt").write_bytes(password)
    keys = ("--key", str(tmp_path / "a.pem"), "--key", str(tmp_path / "b.pem"))
    one, two = (("--password-file", str(tmp_path / f"{name}.txt")) for name in "ab")
    status, body = sign(model, *keys, *one)
    assert (status, body["reasons"][0]["code"]) == (2, "KEY_PASSWORD_WRONG")
    assert sign(model, *keys, *one, *two, *one)[0] == 2
    assert sign(model, *keys, *one, *two)[0] == 0


def test_each_signer_attests_on_a_line_of_its_own(model: Path, keys: list[str]) -> None:
    status, body = answer("attest", "scan", str(model), "--key", f"{keys[0]}.pem", "--key", f"{keys[2]}.pem")
    assert (status, body["lines"], len(body["signers"])) == (0, [1, 2], 2)
    assert (model / "model.intoto.jsonl").read_bytes().count(b"\n") == 2
