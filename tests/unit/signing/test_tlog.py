"""Merkle paths, against a second, recursive writing of RFC 6962."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from papersigstore import tree_path, tree_root
from refusals import refused_with

from modelsign.errors import ModelsignError
from modelsign.signing.bundle import InclusionProof
from modelsign.signing.sigstore.tlog import includes, parse_checkpoint

LEAVES = [f"leaf {number}".encode() for number in range(40)]


def proof_of(index: int, size: int) -> InclusionProof:
    leaves = LEAVES[:size]
    return InclusionProof(index, tree_root(leaves), size, tuple(tree_path(index, leaves)), None)


@pytest.mark.parametrize("size", range(1, 41))
def test_every_leaf_of_every_tree_is_found_and_at_no_other_place(size):
    for index in range(size):
        proof = proof_of(index, size)
        assert includes(LEAVES[index], proof)
        assert not includes(b"another", proof)
        assert not any(
            includes(LEAVES[index], proof._replace(log_index=other)) for other in range(size) if other != index
        )
        assert not includes(LEAVES[index], proof._replace(hashes=(*proof.hashes, b"\0" * 32)))
        if proof.hashes:
            assert not includes(LEAVES[index], proof._replace(hashes=proof.hashes[:-1]))


@given(st.integers(-2, 2**63), st.integers(-2, 2**63), st.lists(st.binary(min_size=32, max_size=32), max_size=70))
def test_any_numbers_give_an_answer(index, size, hashes):
    assert not includes(b"leaf", InclusionProof(index, b"\1" * 32, size, tuple(hashes), None))


@given(st.text(max_size=300))
def test_any_text_is_a_checkpoint_or_a_refusal(text):
    with contextlib.suppress(ModelsignError):
        parse_checkpoint(text)


def test_a_checkpoint_may_say_more_than_it_must():
    note = "origin\n7\n" + "A" * 43 + "=\nTimestamp: 1\n\n\u2014 origin AAAAAAA=\n"
    checkpoint = parse_checkpoint(note)
    assert (checkpoint.origin, checkpoint.size, checkpoint.root_hash) == ("origin", 7, b"\0" * 32)
    assert checkpoint.text == note.partition("\n\n")[0].encode() + b"\n"
    assert checkpoint.signatures == (("origin", b"\0" * 4, b"\0"),)


NOTE = "origin\n7\n" + "A" * 43 + "=\n\n\u2014 origin AAAAAAA=\n"


@pytest.mark.parametrize(
    "line",
    [
        "\u2014 origin AAAA!AAA=",
        "\u2014 origin AAAAAAA",
        "\u2014 origin AAAAAAA==",
        "\u2014 origin AAAA\tAAA=",
        "\u2014 origin AAAA",
        "\u2014 origin AAAAAA==",
        "\u2014 origin",
        "- origin AAAAAAA=",
        "",
    ],
)
def test_a_signature_of_a_checkpoint_is_strict_base64_of_a_key_hint_and_more(line):
    assert parse_checkpoint(NOTE)
    assert refused_with(parse_checkpoint, NOTE.replace("\u2014 origin AAAAAAA=", line)) == "LOG_CHECKPOINT_INVALID"


@pytest.mark.parametrize("root", ["A" * 43, "A" * 43 + "==", " " + "A" * 43 + "=", "A" * 20 + "\r" + "A" * 23 + "="])
def test_the_root_hash_of_a_checkpoint_is_strict_base64(root):
    note = NOTE.replace("A" * 43 + "=", root, 1)
    assert refused_with(parse_checkpoint, note) == "LOG_CHECKPOINT_INVALID"
