"""Root digest and tree digest follow their specifications, as other tools compute them."""

from __future__ import annotations

import hashlib
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import build, refused_with

from modelsign.artifact.hashing import hash_artifact
from modelsign.artifact.manifest import Manifest, Resource, root_digest, tree_digest
from modelsign.artifact.model import open_artifact

if TYPE_CHECKING:
    from pathlib import Path

A, B = hashlib.sha256(b"a").hexdigest(), hashlib.sha256(b"b").hexdigest()


def test_the_root_digest_is_over_raw_digests_in_listed_order() -> None:
    expected = hashlib.sha256(bytes.fromhex(A) + bytes.fromhex(B)).hexdigest()
    assert root_digest([A, B]) == expected
    assert root_digest([B, A]) != expected
    assert Manifest.of({"b": B, "a": A}).root_digest == expected


def test_the_tree_digest_binds_names_and_the_root_digest_does_not() -> None:
    one, other = Manifest.of({"a": A, "b": B}), Manifest.of({"a.pkl": A, "evil.py": B})
    assert one.root_digest == other.root_digest
    assert one.tree_digest != other.tree_digest


def test_the_tree_digest_is_what_sha256sum_makes_of_its_own_output(tmp_path: Path) -> None:
    model = build(
        tmp_path / "m", {"b": "2", "a/b": "1", "a-b": "", "Z": "22", "é ü": "x", "日本": "y", "\U0001f600": ""}
    )
    with open_artifact(model) as artifact:
        digests = hash_artifact(artifact)
    script = "find . -type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum"
    answer = subprocess.run(["bash", "-c", script], cwd=model, capture_output=True, text=True, check=True)
    assert tree_digest(digests) == answer.stdout.split()[0]
    assert Manifest.of(digests).tree_digest == tree_digest(digests)


@given(st.dictionaries(st.text(st.characters(exclude_characters="\n", codec="utf-8"), min_size=1), st.just(A)))
def test_names_are_sorted_by_their_bytes(digests: dict[str, str]) -> None:
    lines = b"".join(
        digests[name.decode()].encode() + b"  " + name + b"\n" for name in sorted(name.encode() for name in digests)
    )
    assert tree_digest(digests) == hashlib.sha256(lines).hexdigest()


def test_a_newline_in_a_name_is_refused() -> None:
    # Without that, one file of this name and two files would have one tree digest.
    assert refused_with(tree_digest, {f"x\n{B}  y": A}) == "NAME_CONTROL_CHARACTER"


def test_a_tree_digest_is_not_made_of_other_algorithms() -> None:
    manifest = Manifest([Resource("a", "blake2b", "00" * 64)])
    with pytest.raises(ValueError, match="SHA-256"):
        _ = manifest.tree_digest
