"""Keys decide the algorithm; two encodings of a key are one key; signatures can be reproduced."""

from __future__ import annotations

import subprocess
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, mldsa, padding, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
)
from refusals import refusal, refused_with

from modelsign.signing.envelope import trusts_of
from modelsign.signing.keys import ALGORITHMS, family, generate, load_private_key, load_public_key

if TYPE_CHECKING:
    from pathlib import Path

EXTENSIONS = ("ed25519", "rsa-pss-sha256", "ml-dsa-65", "ml-dsa-87")
RANDOMISED = ("rsa-pss-sha256", "ml-dsa-65", "ml-dsa-87")


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 3072)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_kind_signs_and_verifies_and_survives_being_written(algorithm: str) -> None:
    key = load_private_key(generate(algorithm).pem())
    public = load_public_key(key.public.pem)
    assert (public.algorithm, public.oms) == (algorithm, algorithm not in EXTENSIONS)
    assert (public.digest, public.hint) == (key.public.digest, key.public.hint)
    signature = key.sign(b"data")
    public.verify(b"data", signature)
    assert (key.sign(b"data") == signature) == (algorithm not in RANDOMISED)
    for data, wrong in ((b"Data", signature), (b"data", b""), (b"data", signature[:-1]), (b"data", signature + b"x")):
        fault = refusal(public.verify, data, wrong)
        assert (fault.code, fault.exit_status) == ("SIGNATURE_WRONG_KEY", 1)
    assert refused_with(generate(algorithm).public.verify, b"data", signature) == "SIGNATURE_WRONG_KEY"


def test_every_algorithm_belongs_to_a_family() -> None:
    assert {name for name in ALGORITHMS if family(name) == "post-quantum"} == {"ml-dsa-65", "ml-dsa-87"}
    assert generate("ml-dsa-65").public.family == "post-quantum"
    assert generate().public.family == "classical"


@pytest.mark.parametrize(("algorithm", "size"), [("ml-dsa-65", 3309), ("ml-dsa-87", 4627)])
def test_an_independent_implementation_of_fips_204_verifies_what_is_signed(algorithm: str, size: int) -> None:
    ml_dsa = pytest.importorskip("dilithium_py.ml_dsa")
    other = getattr(ml_dsa, algorithm.upper().replace("-", "_"))
    key = generate(algorithm)
    raw = load_der_public_key(key.public.der).public_bytes(Encoding.Raw, PublicFormat.Raw)
    signature = key.sign(b"data")
    assert len(signature) == size
    assert other.verify(raw, b"data", signature)
    public, private = other.keygen()
    theirs = load_public_key(key.public.der.replace(raw, public))
    theirs.verify(b"data", other.sign(private, b"data"))
    assert not theirs.accepts(b"data", other.sign(private, b"data", ctx=b"another use"))


@pytest.mark.parametrize("algorithm", ["ml-dsa-65", "ml-dsa-87"])
def test_ml_dsa_keys_are_encrypted_like_any_other(algorithm: str) -> None:
    key = generate(algorithm)
    assert load_private_key(key.pem(b"secret"), b"secret").public.digest == key.public.digest
    assert refused_with(load_private_key, key.pem(b"secret"), b"wrong") == "KEY_PASSWORD_WRONG"


def test_a_cryptography_without_ml_dsa_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    # as cryptography 47 answers; tools/smoke.py runs the real one
    def unsupported(*_: object) -> None:
        raise UnsupportedAlgorithm("Unknown key type: 2.16.840.1.101.3.4.3.18")

    key = generate("ml-dsa-65")
    monkeypatch.setattr(serialization, "load_pem_public_key", unsupported)
    monkeypatch.setattr(serialization, "load_pem_private_key", unsupported)
    monkeypatch.setattr(mldsa, "MLDSA65PrivateKey", SimpleNamespace(generate=unsupported))
    for fault in (
        refusal(load_public_key, key.public.pem),
        refusal(load_private_key, key.pem()),
        refusal(generate, "ml-dsa-65"),
    ):
        assert (fault.code, "cryptography 48" in fault.advice) == ("KEY_UNSUPPORTED", True)


def test_ecdsa_is_deterministic_by_rfc_6979() -> None:
    # RFC 6979, A.2.5, P-256 with SHA-256, message "sample"
    secret = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
    pem = ec.derive_private_key(secret, ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    signature = load_private_key(pem).sign(b"sample").hex()
    assert "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716" in signature
    assert "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8" in signature


def test_openssl_verifies_what_is_signed(tmp_path: Path) -> None:
    key = generate()
    (tmp_path / "pub").write_bytes(key.public.pem)
    (tmp_path / "sig").write_bytes(key.sign(b"data"))
    (tmp_path / "data").write_bytes(b"data")
    subprocess.run(
        ["openssl", "dgst", "-sha256", "-verify", "pub", "-signature", "sig", "data"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )


def test_a_key_in_two_encodings_is_one_key() -> None:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    point = key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    # SubjectPublicKeyInfo with id-ecPublicKey, prime256v1, and the point compressed
    header = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200")
    keys = [load_public_key(data) for data in (pem, load_public_key(pem).der, header + point, b"text\n" + pem)]
    assert len({found.digest for found in keys}) == 1
    assert [trust.id for trust in trusts_of(keys)] == [keys[0].digest]


def test_an_rsa_key_is_one_key_under_both_of_its_object_identifiers(rsa_key: rsa.RSAPrivateKey) -> None:
    plain = rsa_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    rsa_encryption, rsassa_pss = (
        bytes.fromhex("300d06092a864886f70d0101010500"),
        bytes.fromhex("300b06092a864886f70d01010a"),
    )
    assert rsa_encryption in plain
    body = rsassa_pss + plain[plain.index(rsa_encryption) + len(rsa_encryption) :]
    renamed = b"\x30\x82" + len(body).to_bytes(2, "big") + body
    assert load_public_key(plain).digest == load_public_key(renamed).digest


def test_distinct_keeps_the_order() -> None:
    one, other = generate().public, generate().public
    assert [trust.id for trust in trusts_of([other, one, other])] == [other.digest, one.digest]


def test_rsa_signatures_by_pkcs1_v1_5_are_not_accepted(rsa_key: rsa.RSAPrivateKey) -> None:
    public = load_public_key(rsa_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    signature = rsa_key.sign(b"data", padding.PKCS1v15(), hashes.SHA256())
    assert not public.accepts(b"data", signature)


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(65537, 2048),
        ec.generate_private_key(ec.SECP256K1()),
        dsa.generate_private_key(1024),
        ed448.Ed448PrivateKey.generate(),
        x25519.X25519PrivateKey.generate(),
    ],
    ids=["rsa-2048", "secp256k1", "dsa", "ed448", "x25519"],
)
def test_other_kinds_and_sizes_are_unsupported(
    key: rsa.RSAPrivateKey
    | ec.EllipticCurvePrivateKey
    | dsa.DSAPrivateKey
    | ed448.Ed448PrivateKey
    | x25519.X25519PrivateKey,
) -> None:
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert refused_with(load_private_key, private) == "KEY_UNSUPPORTED"
    fault = refusal(load_public_key, public)
    assert (fault.code, fault.exit_status) == ("KEY_UNSUPPORTED", 3)


def test_an_unknown_algorithm_cannot_be_generated() -> None:
    assert refused_with(generate, "md5") == "KEY_UNSUPPORTED"


@pytest.mark.parametrize(
    "data", [b"", b"garbage", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", b"0" * 99]
)
def test_what_is_no_key_is_malformed(data: bytes) -> None:
    fault = refusal(load_public_key, data)
    assert (fault.code, fault.exit_status) == ("KEY_MALFORMED", 3)
    assert refused_with(load_private_key, data.replace(b"PUBLIC", b"PRIVATE")) == "KEY_MALFORMED"


def test_oversized_keys_are_malformed() -> None:
    assert refused_with(load_public_key, b"x" * 70_000) == "KEY_MALFORMED"
    assert refused_with(load_private_key, b"x" * 70_000) == "KEY_MALFORMED"


def test_the_wrong_half_is_a_usage_error() -> None:
    key = generate()
    for function, data, code in (
        (load_public_key, key.pem(), "KEY_IS_PRIVATE"),
        (load_private_key, key.public.pem, "KEY_IS_PUBLIC"),
    ):
        fault = refusal(function, data)
        assert (fault.code, fault.exit_status) == (code, 2)


def test_encrypted_keys_open_with_their_password_only() -> None:
    key = generate()
    pem = key.pem(b"secret")
    assert b"ENCRYPTED" in pem
    assert load_private_key(pem, b"secret").public.digest == key.public.digest
    assert refused_with(load_private_key, pem) == "KEY_PASSWORD_NEEDED"
    assert refused_with(load_private_key, pem, b"wrong") == "KEY_PASSWORD_WRONG"
    assert refused_with(load_private_key, key.pem(), b"secret") == "KEY_NOT_ENCRYPTED"


def test_der_and_traditional_private_keys_are_read() -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    old = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    assert load_private_key(der, b"x").public.digest == load_private_key(old).public.digest


def test_a_file_with_two_keys_is_no_key() -> None:
    one, two = generate(), generate("ed25519")
    for both in (one.public.pem + two.public.pem, two.public.pem + one.public.pem, one.public.pem * 2):
        fault = refusal(load_public_key, both)
        assert fault.code == "KEY_MALFORMED"
        assert "more than one key" in fault.message
    assert refused_with(load_private_key, one.pem() + two.pem()) == "KEY_MALFORMED"


def test_parameters_before_a_private_key_are_not_a_second_key() -> None:
    words = ["openssl", "ecparam", "-name", "prime256v1", "-genkey"]
    made = subprocess.run(words, check=True, capture_output=True).stdout
    assert b"EC PARAMETERS" in made
    assert load_private_key(made).public.algorithm == ALGORITHMS[0]
