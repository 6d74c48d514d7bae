"""What is signed is the pre-authentication encoding of DSSE, byte for byte."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from modelsign.signing.dsse import IN_TOTO, pae, pae_of_v0_2


def test_the_encoding_is_the_example_of_the_specification() -> None:
    # secure-systems-lab/dsse, protocol.md, test vectors
    expected = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert pae("http://example.com/HelloWorld", b"hello world") == expected


def test_lengths_are_counted_in_bytes() -> None:
    assert pae("é", b"") == "DSSEv1 2 é 0 ".encode()


@given(st.text(), st.binary(), st.text(), st.binary())
def test_different_inputs_have_different_encodings(kind: str, payload: bytes, kind2: str, payload2: bytes) -> None:
    same = (kind.encode("utf-8", "replace"), payload) == (kind2.encode("utf-8", "replace"), payload2)
    kind, kind2 = kind.encode("utf-8", "replace").decode(), kind2.encode("utf-8", "replace").decode()
    assert (pae(kind, payload) == pae(kind2, payload2)) == same


def test_the_encoding_of_0_2_0_has_its_mistakes() -> None:
    assert pae_of_v0_2(b'{"a"}') == f"DSSEV1 28 {IN_TOTO} 5 b'{{\"a\"}}'".encode()


def test_a_type_that_is_no_text_is_encoded_all_the_same() -> None:
    assert pae("\ud800", b"x") == b"DSSEv1 3 \xed\xa0\x80 1 x"
