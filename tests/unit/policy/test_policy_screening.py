"""What a bundle claims is compared before it is verified, and a claim that fits is never taken for a proof."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from certificatelab import NOW
from paperidentities import ALICE, MALLORY, PaperSealer
from papersigstore import ISSUER, Paper
from refusals import refusal, refused_with

from modelsign.policy.anchors import BoundTrust
from modelsign.policy.identities import read_identity
from modelsign.policy.screening import CertificateScreen, KeylessScreen
from modelsign.signing.bundle import parse_bundle
from modelsign.signing.dsse import IN_TOTO
from modelsign.signing.keys import generate
from modelsign.signing.methods.certificate import CertificateSealer
from modelsign.signing.methods.key import KeySealer

if TYPE_CHECKING:
    from certificatelab import Lab

    from modelsign.signing.bundle import Bundle
    from modelsign.signing.trust import Vouch

PAPER = Paper()


class Reached(Exception):
    """The bundle came through to the signing method."""


class Method(NamedTuple):
    """Stands where a signing method would verify."""

    method: str = "test"
    id: str = "id"
    label: str = "somebody"
    single: bool = True

    def vouch(self, bundle: Bundle, *, allow_legacy: bool = False) -> Vouch:
        raise Reached(bundle.version, allow_legacy)


def keyless(**fields: Any) -> BoundTrust:
    return BoundTrust("id", Method(), KeylessScreen(read_identity("people", {"issuer": ISSUER, **fields})))


def named(**fields: Any) -> BoundTrust:
    return BoundTrust("id", Method(), CertificateScreen(read_identity("people", fields)))


def bundle(**fields: Any) -> Bundle:
    return parse_bundle(PaperSealer(PAPER, **fields).seal(IN_TOTO, b"{}").bundle)


def test_a_claim_of_somebody_else_is_not_worth_verifying():
    for trust, given in (
        (keyless(identity=ALICE), bundle(identity=MALLORY)),
        (keyless(identity=ALICE), bundle(issuer="https://other.example")),
        (keyless(identity_glob="https://people.example/b*"), bundle()),
    ):
        fault = refusal(trust.vouch, given)
        assert fault.code == "CERTIFICATE_IDENTITY_MISMATCH"
        assert "who was not named" in fault.message


def test_a_claim_that_fits_is_verified_from_the_beginning():
    claims = {"build_trigger": "never"}
    for trust in (keyless(identity=ALICE), keyless(identity_regexp=".*"), keyless(identity=ALICE, claims=claims)):
        with pytest.raises(Reached):
            trust.vouch(bundle())


def test_what_claims_nothing_that_can_be_read_is_left_to_the_method():
    key = generate("ed25519")
    bare = parse_bundle(KeySealer(key).seal(IN_TOTO, b"{}").bundle)
    odd = json.loads(PaperSealer(PAPER).seal(IN_TOTO, b"{}").bundle)
    odd["verificationMaterial"]["certificate"]["rawBytes"] = "AAAA"
    for given in (bare, parse_bundle(json.dumps(odd).encode())):
        for trust in (keyless(identity=MALLORY), named(identity="dns:nobody.example")):
            with pytest.raises(Reached):
                trust.vouch(given)


def test_names_in_certificates_are_compared_in_the_same_way(lab: Lab):
    leaf = lab.leaf
    given = parse_bundle(CertificateSealer(leaf.key, leaf.certificate, now=NOW).seal(IN_TOTO, b"{}").bundle)
    with pytest.raises(Reached):
        named(identity="email:ci@example.org", organization="Acme").vouch(given)
    for other in ({"identity": "dns:example.org"}, {"identity": "email:ci@example.org", "organization": "Other"}):
        assert refused_with(named(**other).vouch, given) == "CERTIFICATE_IDENTITY_MISMATCH"
