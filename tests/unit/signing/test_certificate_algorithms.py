"""Which signatures of authorities are believed: on certificates, revocation lists and OCSP responses."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from certificatelab import EC, ED25519, LEAF, NOW, P384, RESPONDER, Authority, rsa
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, x25519
from refusals import refused_with

from modelsign.signing.x509.algorithms import check_algorithm, check_key, signed_by
from modelsign.signing.x509.crl import load_revocation_lists
from modelsign.signing.x509.ocsp import load_ocsp_response

if TYPE_CHECKING:
    from pathlib import Path

LATER = NOW + timedelta(hours=1)
PSS = ("-sigopt", "rsa_padding_mode:pss")


def claims(oid: str, digest: hashes.HashAlgorithm | None = None) -> Any:
    """Return what has a signature by this algorithm."""
    return SimpleNamespace(signature_algorithm_oid=x509.ObjectIdentifier(oid), signature_hash_algorithm=digest)


@pytest.mark.parametrize(
    ("oid", "digest", "code"),
    [
        ("1.2.840.113549.1.1.4", hashes.MD5(), "CERTIFICATE_WEAK"),
        ("1.2.840.113549.1.1.5", hashes.SHA1(), "CERTIFICATE_WEAK"),
        ("1.2.840.10045.4.3.1", hashes.SHA224(), "CERTIFICATE_WEAK"),
        ("1.2.840.113549.1.1.10", hashes.SHA1(), "CERTIFICATE_WEAK"),
        ("1.2.840.113549.1.1.10", None, "CERTIFICATE_UNSUPPORTED"),
        ("2.16.840.1.101.3.4.3.10", hashes.SHA3_256(), "CERTIFICATE_UNSUPPORTED"),
        ("1.2.3.4", None, "CERTIFICATE_UNSUPPORTED"),
    ],
)
def test_weak_and_unknown_algorithms_are_refused(oid: str, digest: hashes.HashAlgorithm | None, code: str) -> None:
    assert refused_with(check_algorithm, claims(oid, digest), "it") == code


def test_rsa_pss_counts_with_a_strong_hash_that_can_be_told() -> None:
    check_algorithm(claims("1.2.840.113549.1.1.10", hashes.SHA256()), "it")

    class Odd(SimpleNamespace):
        signature_algorithm_oid = x509.ObjectIdentifier("1.2.840.113549.1.1.10")

        @property
        def signature_hash_algorithm(self) -> None:
            raise UnsupportedAlgorithm("no such hash")

    assert refused_with(check_algorithm, Odd(), "it") == "CERTIFICATE_UNSUPPORTED"


def test_keys_of_other_kinds_are_not_known() -> None:
    for key in (x25519.X25519PrivateKey.generate().public_key(), object()):
        assert refused_with(check_key, key, "it") == "CERTIFICATE_UNSUPPORTED"
    assert refused_with(check_key, ec.generate_private_key(ec.SECP256K1()).public_key(), "it") == "CERTIFICATE_WEAK"
    check_key(ed448.Ed448PrivateKey.generate().public_key(), "it")


@pytest.mark.parametrize(
    "key",
    [EC, P384, ED25519, rsa(2048)],
    ids=["p256", "p384", "ed25519", "rsa"],
)
def test_lists_and_responses_are_signed_by_every_strong_kind_of_key(tmp_path: Path, key: tuple[str, ...]) -> None:
    authority = Authority(tmp_path, "ca", key=key)
    leaf = authority.issue("leaf")
    (listed,) = load_revocation_lists(authority.crl("list").read_bytes())
    assert listed.ask(leaf.certificate, [authority.certificate], LATER) == (None, None)
    responder = authority.issue("responder", key=key, extensions=RESPONDER)
    for signer in (authority.issued, responder):
        answer = load_ocsp_response(authority.ocsp("answer", leaf, signer=signer).read_bytes())
        assert answer.ask(leaf.certificate, authority.certificate, LATER) == (None, None)


def test_lists_may_be_signed_with_rsa_pss_and_responses_not_yet(tmp_path: Path) -> None:
    """cryptography does not give the parameters of a response's signature."""
    authority = Authority(tmp_path, "ca", key=rsa(2048), options=PSS)
    leaf = authority.issue("leaf")
    (listed,) = load_revocation_lists(authority.crl("list").read_bytes())
    assert listed.ask(leaf.certificate, [authority.certificate], LATER) == (None, None)
    answer = load_ocsp_response(authority.ocsp("answer", leaf, "-rsigopt", "rsa_padding_mode:pss").read_bytes())
    assert refused_with(answer.ask, leaf.certificate, authority.certificate, LATER) == "OCSP_UNTRUSTED"


def test_a_response_signed_with_sha1_is_not_believed(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ca", key=rsa(2048))
    leaf = authority.issue("leaf")
    answer = load_ocsp_response(authority.ocsp("answer", leaf, "-rmd", "sha1").read_bytes())
    assert refused_with(answer.ask, leaf.certificate, authority.certificate, LATER) == "OCSP_UNTRUSTED"


def test_a_list_signed_with_sha1_is_not_believed(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ca", key=rsa(2048))
    leaf = authority.issue("leaf").certificate
    (listed,) = load_revocation_lists(authority.crl("list", digest="sha1").read_bytes())
    assert refused_with(listed.ask, leaf, [authority.certificate], LATER) == "CRL_UNTRUSTED"


def test_a_signature_counts_by_the_algorithm_it_claims_alone(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ca", extensions=LEAF)
    key, signature = authority.certificate.public_key, authority.issued.key.sign(b"data")
    strong = claims("1.2.840.10045.4.3.2", hashes.SHA256())
    assert signed_by(key, strong, signature, b"data")
    assert not signed_by(key, strong, signature, b"other")
    assert not signed_by(key, claims("2.16.840.1.101.3.4.3.18"), signature, b"data")
    assert not signed_by(object(), strong, signature, b"data")


def test_ml_dsa_signs_for_its_own_name_alone() -> None:
    mldsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.mldsa")
    key = mldsa.MLDSA65PrivateKey.generate()
    signature = key.sign(b"data")
    assert signed_by(key.public_key(), claims("2.16.840.1.101.3.4.3.18"), signature, b"data")
    assert not signed_by(key.public_key(), claims("2.16.840.1.101.3.4.3.19"), signature, b"data")
