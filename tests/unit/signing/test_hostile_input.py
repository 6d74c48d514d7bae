"""What fuzzing found, one by one: inputs that let another exception out than ``ModelsignError`` (docs/fuzzing.md)."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from types import SimpleNamespace

import foreignbundles as foreign
import paperchain
import papersigstore as paper
import pytest
from bundlecraft import encoded
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from refusals import refused_with

from modelsign.errors import ModelsignError
from modelsign.signing.describe.certificate import describe_certificate
from modelsign.signing.describe.material import describe_timestamp
from modelsign.signing.keys import load_private_key
from modelsign.signing.sigstore.fulcio_certificate import read_signing_certificate
from modelsign.signing.sigstore.sct import verify_sct
from modelsign.signing.sigstore.services.fulcio import request_certificate
from modelsign.signing.sigstore.timestamps import verify_timestamps
from modelsign.signing.sigstore.trust_root import parse_trust_root
from modelsign.signing.x509.certificates import Certificate
from modelsign.signing.x509.ocsp import load_ocsp_response
from modelsign.signing.x509.parsing import parsing
from modelsign.transport import Answer

VERSION, SERIAL = bytes.fromhex("a003020102"), bytes.fromhex("020400c0ffee")
ROOT = "application/vnd.dev.sigstore.trustedroot+json;version=0.1"


def broken(what: str) -> bytes:
    """Return a certificate that cryptography reads with an exception of its own, a warning, or only on demand."""
    good = foreign.certificate("leaf")
    changes = {
        "version": (VERSION, bytes.fromhex("a003020103")),
        "serial": (SERIAL, bytes.fromhex("020400000000")),
        "subject": (b"\x0c\x04leaf", b"\x1f\x04leaf"),
    }
    before, after = changes[what]
    if before not in good:
        before, after = bytes.fromhex("0203c0ffee"), bytes.fromhex("0203000000")
    changed = good.replace(before, after)
    assert changed != good
    return changed


@pytest.mark.parametrize("what", ["version", "serial", "subject"])
def test_a_certificate_that_complains_in_another_way_is_refused(what):
    data = broken(what)
    assert refused_with(read_signing_certificate, data) == "CERTIFICATE_MALFORMED"
    assert "cannot be read" in describe_certificate(data).problem


@pytest.mark.parametrize("what", ["version", "serial"])
def test_an_authority_with_such_a_certificate_is_not_used(what):
    chain = {"certificates": [{"rawBytes": foreign.b64(broken(what))}]}
    member = {"uri": "x", "certChain": chain, "validFor": {"start": "2026-01-01T00:00:00Z"}}
    root = parse_trust_root(encoded({"mediaType": ROOT, "certificateAuthorities": [member]}))
    assert root.authorities == ()
    assert "a certificate cannot be read" in root.warnings[0]


@pytest.mark.parametrize("kind", [["x"], {"x": 1}, 7, None])
def test_a_trust_root_whose_media_type_is_no_text_is_unsupported(kind):
    assert refused_with(parse_trust_root, encoded({"mediaType": kind})) == "TRUST_ROOT_UNSUPPORTED"


def test_a_private_key_that_openssl_stumbles_over_is_malformed():
    too_long = bytes.fromhex("3036020100300506032b6570042a0428") + b"\xff" * 40
    assert refused_with(load_private_key, too_long) == "KEY_MALFORMED"


def test_fulcio_answering_with_a_certificate_that_has_no_key_is_malformed():
    """The certificate loads, and its key is read only when it is asked for."""
    good = foreign.certificate("leaf")
    place = good.index(bytes.fromhex("034200")) + 3
    pem = paper.pem(good[:place] + b"\x05" + good[place + 1 :]).decode()
    answer = Answer(200, {}, encoded({"signedCertificateEmbeddedSct": {"chain": {"certificates": [pem]}}}))
    transport = SimpleNamespace(send=lambda *_, **__: answer)
    code = refused_with(request_certificate, transport, "https://fulcio.example", "token", paper.new_key())
    assert code == "NETWORK_ANSWER_MALFORMED"


@pytest.mark.parametrize("data", [b"", b"\x30\x00", b"\x30\x03\x02\x01\x00", b"\x30\x80\x00\x00"])
def test_what_is_no_timestamp_is_invalid(data):
    assert refused_with(verify_timestamps, [data], b"s", ()) == "TIMESTAMP_INVALID"
    assert describe_timestamp(data).problem


def test_a_certificate_that_only_openssl_refuses_makes_no_panic():
    """rfc3161-client unwraps what OpenSSL says of a certificate: one with a name of an odd type must not get there."""
    at = paper.Paper()
    root = at.trust_root()
    member = root["timestampAuthorities"][0]["certChain"]["certificates"][-1]
    der = foreign.base64.b64decode(member["rawBytes"])
    place = der.index(b"\x0c\x0aclock root")
    for tag in range(256):
        member["rawBytes"] = foreign.b64(der[:place] + bytes([tag]) + der[place + 1 :])
        authorities = parse_trust_root(encoded(root)).timestamp_authorities
        with suppress(ModelsignError):
            verify_timestamps([at.clock.stamp(b"s")], b"s", authorities)


def test_an_answer_about_revocation_from_the_last_day_there_is_is_of_the_future():
    """To add how long it is good would lead beyond the last year that can be written."""
    chain = paperchain.Chain()
    answer = load_ocsp_response(chain.middle.answer(chain.leaf, made=datetime(9999, 12, 31, tzinfo=UTC), until=None))
    leaf, middle = (Certificate(link.certificate.public_bytes(Encoding.DER)) for link in (chain.leaf, chain.middle))
    revoked, stale = answer.ask(leaf, middle, paperchain.NOW)
    assert (revoked, stale.code) == (None, "OCSP_STALE")


def test_a_panic_below_is_a_reason():
    panic = type("PanicException", (BaseException,), {"__module__": "pyo3_runtime"})

    def read():
        with parsing("it", "TIMESTAMP_INVALID"):
            raise panic("called `Result::unwrap()` on an `Err` value")

    assert refused_with(read) == "TIMESTAMP_INVALID"

    def stop():
        with parsing("it", "TIMESTAMP_INVALID"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop()


@pytest.mark.parametrize("value", [b"", b"\x04\x00", b"\x04\x02\x00\xff", b"\x04\x04\x00\x02\x00\x00", b"\x30\x00"])
def test_a_malformed_list_of_signed_certificate_timestamps_is_invalid(value):
    link = paperchain.Link("self")
    oid = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
    found = (
        x509.CertificateBuilder(link.name, link.name, link.key.public_key(), 7)
        .not_valid_before(paperchain.NOW.replace(tzinfo=None))
        .not_valid_after((paperchain.NOW + paperchain.DAY).replace(tzinfo=None))
        .add_extension(x509.UnrecognizedExtension(oid, value), critical=False)
        .sign(link.key, hashes.SHA256())
    )
    assert refused_with(verify_sct, found, link.certificate, ()) == "SCT_INVALID"
