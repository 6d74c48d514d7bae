"""Certificates are read whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from certificatelab import LEAF, NAMES, NOW, Authority, openssl
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import x25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from refusals import refused_with

from modelsign import limits
from modelsign.signing.methods.certificate import CertificateSealer
from modelsign.signing.x509.certificates import Certificate, load_certificate, load_certificates
from modelsign.signing.x509.identity import exact_identity, names_of

if TYPE_CHECKING:
    from pathlib import Path

    from certificatelab import Lab


def test_one_certificate_is_read_in_der_or_pem(lab: Lab) -> None:
    pem = lab.leaf.path.read_bytes()
    der = openssl("x509", "-outform", "DER", stdin=pem)
    assert load_certificate(der) == load_certificate(pem) == lab.leaf.certificate
    assert hash(load_certificate(der)) == hash(lab.leaf.certificate)
    assert load_certificate(der) != lab.middle.certificate != der
    assert load_certificate(der).digest == openssl("dgst", "-sha256", stdin=der).decode().split()[-1]


def test_a_file_holds_many_each_counted_once(lab: Lab) -> None:
    data = b"words\n" + lab.leaf.path.read_bytes() + b"more\n" + lab.middle.path.read_bytes() * 2
    assert load_certificates(data) == (lab.leaf.certificate, lab.middle.certificate)
    assert refused_with(load_certificate, data) == "CERTIFICATE_MALFORMED"


@pytest.mark.parametrize(
    "data",
    [b"", b"junk", b"-----BEGIN PRIVATE KEY-----\n", b"-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----"],
)
def test_what_is_no_certificate_is_malformed(data: bytes) -> None:
    assert refused_with(load_certificates, data) == "CERTIFICATE_MALFORMED"


def test_every_cut_and_every_appendix_is_malformed(lab: Lab) -> None:
    der = lab.leaf.certificate.der
    for length in range(len(der)):
        assert refused_with(Certificate, der[:length]) == "CERTIFICATE_MALFORMED"
    assert refused_with(Certificate, der + b"\0") == "CERTIFICATE_MALFORMED"


def test_a_signature_with_unused_bits_is_malformed(tmp_path: Path) -> None:
    """They are not signed; where the last bits of a signature are 0 other readers take such a certificate too."""
    authority = Authority(tmp_path, "root")
    ders = (authority.issue(f"leaf{number}", extensions=LEAF).certificate.der for number in range(100))
    der = next(der for der in ders if der[-1] % 2 == 0)
    place = len(der) - len(x509.load_der_x509_certificate(der).signature) - 1
    changed = der[:place] + b"\x01" + der[place + 1 :]
    assert x509.load_der_x509_certificate(changed)
    assert refused_with(Certificate, changed) == "CERTIFICATE_MALFORMED"


def test_files_and_certificates_have_greatest_sizes(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    pem, der = lab.leaf.path.read_bytes(), lab.leaf.certificate.der
    monkeypatch.setattr(limits, "CERTIFICATES", 1)
    assert refused_with(load_certificates, pem * 2) == "CERTIFICATE_LIMIT"
    monkeypatch.setattr(limits, "CERTIFICATE_FILE_BYTES", len(pem) - 1)
    assert refused_with(load_certificates, pem) == "CERTIFICATE_LIMIT"
    monkeypatch.setattr(limits, "CERTIFICATE_BYTES", len(der) - 1)
    assert refused_with(Certificate, der) == "CERTIFICATE_MALFORMED"
    monkeypatch.undo()
    monkeypatch.setattr(limits, "CERTIFICATE_NAMES", 2)
    assert refused_with(Certificate, der) == "CERTIFICATE_MALFORMED"


def test_what_a_parser_only_warns_of_is_malformed(lab: Lab) -> None:
    """A serial number that is not positive (RFC 5280, section 4.1.2.2)."""
    der = lab.leaf.certificate.der
    place = der.index(b"\x02\x14") if b"\x02\x14" in der[:40] else der.index(b"\x02\x13")
    negative = der[: place + 2] + bytes([der[place + 2] | 0x80]) + der[place + 3 :]
    assert refused_with(Certificate, negative) == "CERTIFICATE_MALFORMED"


def test_a_key_that_signs_nothing_has_no_use_here(lab: Lab) -> None:
    issuer = load_pem_private_key(lab.middle.issued.key_path.read_bytes(), None)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name.from_rfc4514_string("CN=x"))
        .issuer_name(lab.middle.certificate.subject)
        .public_key(x25519.X25519PrivateKey.generate().public_key())
        .serial_number(7)
        .not_valid_before(NOW)
        .not_valid_after(NOW)
        .sign(issuer, SHA256())  # type: ignore[arg-type] # an EC key
    )
    leaf = Certificate(made.public_bytes(Encoding.DER))
    assert refused_with(CertificateSealer, lab.leaf.key, leaf, now=NOW) == "CERTIFICATE_UNSUPPORTED"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("UTF8:" + "x" * 200, "x" * 200),
        ("OCT:ab", "#04026162"),
        ("UTF8:y", "y"),
    ],
)
def test_other_names_are_shown_as_text_where_they_are_text(lab: Lab, value: str, shown: str) -> None:
    leaf = lab.special(f"other{len(shown)}{shown[:1]}", f"{LEAF}subjectAltName=otherName:1.2.3.4;{value}\n").certificate
    assert names_of(leaf) == (f"other:1.2.3.4:{shown}",)
    assert exact_identity(f"other:1.2.3.4:{shown}").match(leaf)


def test_names_that_nobody_can_compare_are_refused_whole(tmp_path: Path) -> None:
    """x400Address and ediPartyName, which cryptography does not read."""
    authority = Authority(tmp_path, "ca")
    edi = "subjectAltName=DER:30:08:A5:06:A1:04:0C:02:68:69\n"
    leaf = authority.issue("edi", extensions=LEAF + edi)
    assert refused_with(load_certificate, leaf.path.read_bytes()) == "CERTIFICATE_MALFORMED"
    assert names_of(authority.issue("plain", extensions=LEAF + NAMES).certificate)
