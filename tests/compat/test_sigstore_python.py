"""sigstore-python is the witness: what it refuses of what it supports, we refuse too."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest
from papersigstore import IDENTITY, ISSUER, Paper, as_version, b64, data_of, new_key, unb64
from paperverdicts import verdict

sigstore_models = pytest.importorskip("sigstore.models")
verify = pytest.importorskip("sigstore.verify")


@pytest.fixture(scope="module")
def paper() -> Paper:
    return Paper()


@pytest.fixture(scope="module")
def witness(paper: Paper, tmp_path_factory: pytest.TempPathFactory) -> Any:
    place = tmp_path_factory.mktemp("root") / "trusted_root.json"
    place.write_bytes(data_of(paper.trust_root()))
    verifier = verify.Verifier(trusted_root=sigstore_models.TrustedRoot.from_file(str(place)))
    policy = verify.policy.Identity(identity=IDENTITY, issuer=ISSUER)

    def accepts(bundle: dict[str, Any]) -> bool:
        try:
            verifier.verify_dsse(sigstore_models.Bundle.from_json(data_of(bundle)), policy)
        except Exception:  # noqa: BLE001 - the witness raises what it likes on odd input
            return False
        return True

    return accepts


def bundles(paper: Paper) -> list[dict[str, Any]]:
    return [
        paper.sign(stamped=None),
        paper.sign(),
        paper.sign(log=paper.rekor2, kind="hashedrekord"),
        as_version(paper.sign(), "0.1"),
        as_version(paper.sign(stamped=None), "0.2", [paper.authority.der]),
    ]


def test_both_accept_what_is_good(paper, witness):
    for bundle in bundles(paper):
        assert (verdict(paper, bundle), witness(bundle)) == ("accepted", True)


def test_both_refuse_another_certificate(paper, witness):
    key = new_key()
    for certificate in (
        paper.certificate(key, code_signing=False),
        paper.certificate(key, scts=0),
        paper.certificate(key, ct_key=new_key()),
        paper.certificate(key, ca=True),
    ):
        bundle = paper.sign(key=key, certificate=certificate)
        assert verdict(paper, bundle) != "accepted"
        assert not witness(bundle)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [place for name, inner in value.items() for place in leaves(inner, (*path, name))]
    if isinstance(value, list):
        return [place for number, inner in enumerate(value) for place in leaves(inner, (*path, number))]
    return [path]


def altered(bundle: dict[str, Any], path: tuple[Any, ...], chance: random.Random) -> dict[str, Any]:
    """Flip a bit of a base64 value, change a number, cut, or drop a leaf."""
    changed = copy.deepcopy(bundle)
    parent: Any = changed
    for step in path[:-1]:
        parent = parent[step]
    text = parent[path[-1]]
    how = chance.choice(["flip", "flip", "flip", "drop", "empty", "number"])
    if how == "drop":
        del parent[path[-1]]
    elif how == "empty":
        parent[path[-1]] = ""
    elif how == "number" and text.isdigit():
        parent[path[-1]] = str(int(text) + chance.choice([-1, 1]))
    else:
        try:
            data = bytearray(unb64(text))
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            parent[path[-1]] = b64(bytes(data))
        except (ValueError, IndexError):
            spot = chance.randrange(len(text)) if text else 0
            parent[path[-1]] = text[:spot] + chr(chance.randrange(32, 127)) + text[spot + 1 :]
    return changed


@pytest.mark.parametrize("seed", range(5))
def test_we_are_never_looser_however_a_bundle_is_altered(paper, witness, seed):
    chance = random.Random(seed)
    bundle = bundles(paper)[seed]
    places = leaves(bundle)
    for _ in range(150):
        changed = altered(bundle, chance.choice(places), chance)
        if not witness(changed):
            assert verdict(paper, changed) != "accepted"
