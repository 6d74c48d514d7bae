"""What a caller trusts: who vouches, whose reason is told, and who counts as distinct."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import pytest
from bundlecraft import encoded, raw_bundle
from hypothesis import given
from hypothesis import strategies as st
from refusals import refusal, refused_with

from modelsign.errors import error
from modelsign.signing.bundle import parse_bundle
from modelsign.signing.envelope import trusts_of
from modelsign.signing.keys import generate
from modelsign.signing.trust import Vouch, ask, count_distinct
from modelsign.verdict import Signer

if TYPE_CHECKING:
    from modelsign.signing.bundle import Bundle


class Fixed(NamedTuple):
    """A trust whose answer is given."""

    answer: str | None
    id: str = "fixed"
    method: str = "test"
    label: str = "somebody"
    single: bool = True

    def vouch(self, bundle: Bundle, *, allow_legacy: bool = False) -> Vouch:
        del bundle, allow_legacy
        if self.answer is not None:
            raise error(self.answer, self.id)
        return Vouch(Signer("test", "none", self.id), oms=False)


BUNDLE = parse_bundle(encoded(raw_bundle()))


def test_everybody_who_recognises_a_bundle_vouches_for_it() -> None:
    vouches = ask([Fixed(None, "a"), Fixed("SIGNATURE_WRONG_KEY"), Fixed(None, "b")], BUNDLE)
    assert {number: vouch.signer.key_digest for number, vouch in vouches.items()} == {0: "a", 2: "b"}


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        (["SIGNATURE_WRONG_KEY", "SIGNATURE_INVALID"], "SIGNATURE_INVALID"),
        (["SIGNATURE_INVALID", "LEGACY_NOT_ALLOWED"], "SIGNATURE_INVALID"),
        (["SIGNATURE_WRONG_KEY", "SIGNATURE_WRONG_KEY"], "SIGNATURE_WRONG_KEY"),
        (["CERTIFICATE_IDENTITY_MISMATCH", "SIGNATURE_INVALID"], "SIGNATURE_INVALID"),
        (["SIGNATURE_WRONG_KEY", "CERTIFICATE_IDENTITY_MISMATCH"], "CERTIFICATE_IDENTITY_MISMATCH"),
        ([], "NO_TRUST_SOURCE"),
    ],
)
def test_where_nobody_vouches_the_nearest_says_why(answers: list[str], told: str) -> None:
    assert refused_with(ask, [Fixed(answer) for answer in answers], BUNDLE) == told


def test_each_trust_is_asked_once_and_a_key_stands_for_itself() -> None:
    key = generate().public
    trusts = trusts_of([key, Fixed(None), key, Fixed(None), Fixed(None, "other")])
    assert [(trust.method, trust.id) for trust in trusts] == [("key", key.digest), ("test", "fixed"), ("test", "other")]
    fault = refusal(trusts_of, ["publisher.pub"])
    assert (fault.code, "load_public_key" in fault.advice) == ("USAGE", True)


def keyless(key: str, identity: str, issuer: str = "https://issuer") -> Signer:
    return Signer("keyless", "ecdsa-p256-sha256", key, identity=identity, issuer=issuer)


def test_one_identity_with_two_keys_is_one_signer() -> None:
    assert count_distinct([keyless("k1", "ci"), keyless("k2", "ci")]) == 1
    assert count_distinct([keyless("k1", "ci"), keyless("k2", "ci", "https://other")]) == 2


def test_one_key_with_two_identities_is_one_signer() -> None:
    assert count_distinct([keyless("k1", "alice"), keyless("k1", "bob")]) == 1
    assert count_distinct([keyless("k1", "alice"), Signer("key", "ecdsa-p256-sha256", "k1")]) == 1


def test_a_further_signer_who_shares_with_two_others_takes_neither_away() -> None:
    chain = [keyless("k1", "alice"), keyless("k2", "bob"), keyless("k1", "bob")]
    assert count_distinct(chain) == count_distinct(chain[:2]) == 2
    assert count_distinct(chain[1:]) == 1


def test_counted_by_issuer_two_names_of_one_issuer_are_one() -> None:
    signers = [keyless("k1", "alice"), keyless("k2", "bob"), keyless("k3", "bob", "https://other")]
    assert count_distinct(signers) == 3
    assert count_distinct(signers, "issuer") == 2


SIGNERS = st.builds(
    keyless,
    st.sampled_from("abcd"),
    st.sampled_from(["alice", "bob", "carol"]),
    st.sampled_from(["https://i", "https://j"]),
)


def most_that_share_nothing(signers: list[Signer], by: str) -> int:
    """Every subset, tried."""

    def alike(one: Signer, other: Signer) -> bool:
        names = {(one.identity, one.issuer), (other.identity, other.issuer)}
        return one.key_digest == other.key_digest or len(names) == 1 or (by == "issuer" and one.issuer == other.issuer)

    return max(
        count
        for count in range(len(signers) + 1)
        for chosen in itertools.combinations(signers, count)
        if not any(alike(*pair) for pair in itertools.combinations(chosen, 2))
    )


@given(st.lists(SIGNERS, max_size=6))
def test_the_count_is_the_most_signers_of_whom_no_two_share_a_key_or_an_identity(signers: list[Signer]) -> None:
    assert count_distinct(signers) == most_that_share_nothing(signers, "signer")
    assert count_distinct(signers, "issuer") == most_that_share_nothing(signers, "issuer")


@given(st.lists(SIGNERS, min_size=1, max_size=12))
def test_a_signer_more_never_lowers_the_count(signers: list[Signer]) -> None:
    for by in ("signer", "issuer"):
        assert count_distinct(signers[1:], by) <= count_distinct(signers, by)


@given(st.lists(SIGNERS, max_size=8), st.data())
def test_counting_forgets_order_and_repetition_and_never_exceeds_the_keys(
    signers: list[Signer], data: st.DataObject
) -> None:
    for by in ("signer", "issuer"):
        counted = count_distinct(signers, by)
        assert count_distinct(data.draw(st.permutations(signers * 2)), by) == counted
        assert counted <= len({signer.key_digest for signer in signers})
        assert counted <= len({(signer.identity, signer.issuer) for signer in signers})


def test_one_person_certified_through_two_authorities_of_a_root_is_one() -> None:
    def signer(key: str, issuer: str, root: str) -> Signer:
        return Signer("certificate", "ed25519", key, identity="ci@example.org", issuer=issuer, root=root)

    one, other, stranger = signer("1", "CN=a", "r"), signer("2", "CN=b", "r"), signer("3", "CN=a", "s")
    assert count_distinct([one, other]) == count_distinct([one, other], "issuer") == 1
    assert count_distinct([one, stranger]) == count_distinct([one, stranger], "issuer") == 1
    somebody = replace(stranger, identity="other@example.org")
    assert count_distinct([one, somebody]) == count_distinct([one, somebody], "issuer") == 2
    assert count_distinct([one, replace(somebody, root="r")], "issuer") == 1


def test_one_person_with_two_names_and_two_certificates_is_one_whatever_name_was_asked_for() -> None:
    """A renewed certificate has the same names and another key."""

    def signer(key: str, identity: str, *names: str) -> Signer:
        return Signer("certificate", "ed25519", key, identity=identity, names=names, root="r")

    alice = ("email:alice@example.org", "uri:https://example.org/alice")
    asked = [(key, name, names) for key in "12" for names in (alice, alice[::-1]) for name in names]
    both = [signer(key, name.partition(":")[2], *names) for key, name, names in asked]
    assert count_distinct(both) == 1
    assert count_distinct([*both, signer("4", "bob@example.org", "email:bob@example.org")]) == 2
