"""One key has many encodings and one digest; encodings that hide something are refused. All made by openssl."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import mldsa, utils
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from refusals import refusal, refused_with

from modelsign.errors import ModelsignError
from modelsign.signing import key_encodings, keys
from modelsign.signing.envelope import trusts_of
from modelsign.signing.keys import load_private_key, load_public_key

if TYPE_CHECKING:
    from pathlib import Path


def openssl(*words: str | Path, data: bytes | None = None) -> bytes:
    return subprocess.run(["openssl", *words], input=data, check=True, capture_output=True).stdout


@pytest.fixture(scope="module")
def rsa() -> bytes:
    return openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072")


@pytest.fixture(scope="module")
def restricted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of RSA-PSS keys that say what they may be used with."""
    folder = tmp_path_factory.mktemp("pss")
    for name, digest, salt in (("ours", "sha256", 32), ("sha512", "sha512", 64), ("salt", "sha256", 20)):
        options = {"bits": 3072, "pss_keygen_md": digest, "pss_keygen_mgf1_md": digest, "pss_keygen_saltlen": salt}
        words = [f"rsa_{'keygen_' if key == 'bits' else ''}{key}:{value}" for key, value in options.items()]
        pairs = [word for option in words for word in ("-pkeyopt", option)]
        openssl("genpkey", "-algorithm", "RSA-PSS", *pairs, "-out", folder / name)
        openssl("pkey", "-in", folder / name, "-pubout", "-out", folder / f"{name}.pub")
    return folder


@pytest.mark.parametrize("curve", ["prime256v1", "secp384r1", "secp521r1"])
def test_every_form_of_a_point_is_one_key(curve: str) -> None:
    private = openssl("ecparam", "-name", curve, "-genkey", "-noout")
    forms = [
        openssl("ec", "-pubout", "-conv_form", form, "-outform", encoding, data=private)
        for form in ("compressed", "uncompressed", "hybrid")
        for encoding in ("PEM", "DER")
    ]
    assert len(set(forms)) == 6
    found = [load_public_key(form) for form in forms]
    assert {key.digest for key in found} == {load_private_key(private).public.digest}
    assert {key.hint for key in found} == {found[1].hint}
    assert len(trusts_of(found)) == 1


def test_every_container_of_an_rsa_key_is_one_key(rsa: bytes) -> None:
    forms = [
        openssl("rsa", option, "-outform", encoding, data=rsa)
        for option in ("-pubout", "-RSAPublicKey_out")
        for encoding in ("PEM", "DER")
    ]
    assert {load_public_key(form).digest for form in forms} == {load_private_key(rsa).public.digest}


def test_an_rsassa_pss_key_is_the_rsa_key_it_holds() -> None:
    private = openssl("genpkey", "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:3072")
    public = load_public_key(openssl("pkey", "-pubout", data=private))
    as_rsa = public.der
    assert b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01" in as_rsa  # rsaEncryption
    assert public.digest == load_public_key(as_rsa).digest == load_private_key(private).public.digest


def test_an_rsassa_pss_key_restricted_to_what_we_use_is_taken(restricted: Path) -> None:
    public = load_public_key((restricted / "ours.pub").read_bytes())
    public.verify(b"data", load_private_key((restricted / "ours").read_bytes()).sign(b"data"))


@pytest.mark.parametrize("name", ["sha512", "salt"])
def test_an_rsassa_pss_key_restricted_to_something_else_is_refused(restricted: Path, name: str) -> None:
    fault = refusal(load_public_key, (restricted / f"{name}.pub").read_bytes())
    assert (fault.code, fault.exit_status) == ("KEY_UNSUPPORTED", 3)
    assert "restricted" in fault.message
    assert refused_with(load_private_key, (restricted / name).read_bytes()) == "KEY_UNSUPPORTED"


@pytest.mark.parametrize("encoding", ["PEM", "DER"])
def test_a_curve_spelled_out_by_parameters_is_refused_and_the_advice_helps(encoding: str) -> None:
    named = openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    spelled_out = openssl("pkey", "-ec_param_enc", "explicit", data=named)
    explicit = openssl("pkcs8", "-topk8", "-nocrypt", "-outform", encoding, data=spelled_out)
    public = openssl("pkey", "-pubout", "-ec_param_enc", "explicit", "-outform", encoding, data=named)
    for function, data in ((load_public_key, public), (load_private_key, explicit)):
        fault = refusal(function, data)
        assert (fault.code, "named_curve" in fault.advice) == ("KEY_UNSUPPORTED", True)
    again = openssl("pkey", "-pubin", "-inform", encoding, "-pubout", "-ec_param_enc", "named_curve", data=public)
    assert load_public_key(again).digest == load_private_key(named).public.digest


def test_ber_is_no_key() -> None:
    der = keys.generate().public.der
    assert der[:2] == b"\x30\x59"
    long_length = b"\x30\x81\x59" + der[2:]
    indefinite = b"\x30\x80" + der[2:] + b"\0\0"
    for data in (long_length, indefinite, der + b"\0"):
        assert refused_with(load_public_key, data) == "KEY_MALFORMED"


def test_a_signature_has_one_encoding() -> None:
    key = keys.generate()
    signature = key.sign(b"data")
    r, s = utils.decode_dss_signature(signature)
    p1363 = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    long_length = b"\x30\x81" + signature[1:]
    padded = b"\x30" + bytes([signature[1] + 1]) + b"\x02" + bytes([signature[3] + 1]) + b"\0" + signature[4:]
    for other in (p1363, long_length, padded, signature + b"\0"):
        assert not key.public.accepts(b"data", other)


def test_the_twin_of_an_ecdsa_signature_is_the_same_signer() -> None:
    key = keys.generate()
    r, s = utils.decode_dss_signature(key.sign(b"data"))
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    twin = utils.encode_dss_signature(r, order - s)
    assert key.public.accepts(b"data", twin)  # which is why signers are counted and signatures are not


def test_rsa_keys_have_a_largest_size() -> None:
    modulus = (1 << 16391) + 12345
    body = der(0x30, der(0x02, b"\0" + modulus.to_bytes(2049, "big")), der(0x02, b"\x01\x00\x01"))
    fault = refusal(load_public_key, body)
    assert (fault.code, "16392 bits" in fault.message) == ("KEY_UNSUPPORTED", True)


def der(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    return bytes([tag, 0x82]) + len(body).to_bytes(2, "big") + body


def ml_dsa_pkcs8(level: int, private: bytes) -> bytes:
    oid = bytes.fromhex("0609608648016503040311")[:-1] + bytes([0x11 + (44, 65, 87).index(level)])
    return der(0x30, b"\x02\x01\x00", der(0x30, oid), der(0x04, private))


SEED = bytes(range(32))


def expanded(level: int) -> bytes:
    """What OpenSSL 3.5 writes beside the seed; an independent implementation of FIPS 204 expands it."""
    ml_dsa = pytest.importorskip("dilithium_py.ml_dsa")
    _, private = getattr(ml_dsa, f"ML_DSA_{level}").key_derive(SEED)
    return bytes(private)


@pytest.mark.parametrize("level", [65, 87])
def test_the_ml_dsa_private_key_of_openssl_is_the_key_of_its_seed(level: int) -> None:
    only_seed = load_private_key(ml_dsa_pkcs8(level, der(0x80, SEED)))
    both = ml_dsa_pkcs8(level, der(0x30, der(0x04, SEED), der(0x04, expanded(level))))
    assert only_seed.public.algorithm == f"ml-dsa-{level}"
    assert load_private_key(both).public.digest == only_seed.public.digest
    pem = openssl("base64", data=both)
    armoured = b"-----BEGIN PRIVATE KEY-----\n" + pem + b"-----END PRIVATE KEY-----\n"
    assert load_private_key(armoured).public.digest == only_seed.public.digest
    assert refused_with(load_private_key, both, b"secret") == "KEY_NOT_ENCRYPTED"


def test_an_expanded_ml_dsa_key_without_seed_is_refused_with_advice() -> None:
    fault = refusal(load_private_key, ml_dsa_pkcs8(65, der(0x04, expanded(65))))
    assert (fault.code, "seed" in fault.advice) == ("KEY_UNSUPPORTED", True)


@pytest.mark.parametrize(
    "private",
    [SEED, der(0x80, SEED[1:]), der(0x30, der(0x04, SEED)), der(0x30, der(0x04, SEED), der(0x04, bytes(100))), b""],
    ids=["bare", "short", "no expanded", "short expanded", "nothing"],
)
def test_other_contents_of_an_ml_dsa_key_are_malformed(private: bytes) -> None:
    assert refused_with(load_private_key, ml_dsa_pkcs8(65, private)) == "KEY_MALFORMED"


def test_ml_dsa_44_is_not_accepted() -> None:
    key = mldsa.MLDSA44PrivateKey.generate()
    private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert refused_with(load_private_key, private) == "KEY_UNSUPPORTED"
    assert refused_with(load_public_key, public) == "KEY_UNSUPPORTED"


@given(st.binary(max_size=200))
def test_any_bytes_pass_or_are_refused(data: bytes) -> None:
    for function in (key_encodings.refuse_encoding, key_encodings.private_der, key_encodings.ml_dsa_name):
        try:
            function(data)
        except ModelsignError as fault:
            assert fault.code == "KEY_UNSUPPORTED"  # noqa: PT017 - most inputs pass


@given(st.data())
def test_any_change_to_a_private_key_gives_a_key_or_a_reason(data: st.DataObject) -> None:
    whole = bytearray(ml_dsa_pkcs8(65, der(0x30, der(0x04, SEED), der(0x04, bytes(4032)))))
    whole[data.draw(st.integers(0, 100))] = data.draw(st.integers(0, 255))
    try:
        load_private_key(bytes(whole[: data.draw(st.integers(0, len(whole)))]))
    except ModelsignError as fault:
        assert fault.code in {"KEY_MALFORMED", "KEY_UNSUPPORTED"}  # noqa: PT017 - some changes leave a key
