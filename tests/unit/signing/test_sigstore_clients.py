"""What is asked of Fulcio, Rekor and timestamp authorities, and what is not believed of their answers."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from refusals import refusal, refused_with
from rfc3161_client import decode_timestamp_response
from scriptedserver import Says, scripted

from loopback import CERTIFICATES, IDENTITY, LOGS, STAMPS, token
from modelsign.signing import keys
from modelsign.signing.bundle import parse_bundle
from modelsign.signing.content import Content
from modelsign.signing.dsse import IN_TOTO, Envelope, pae
from modelsign.signing.methods.key import KeySealer
from modelsign.signing.sigstore.log_entries import Verifier
from modelsign.signing.sigstore.services.fulcio import request_certificate
from modelsign.signing.sigstore.services.rekor import Log, write_entry
from modelsign.signing.sigstore.services.timestamp_authority import request_timestamp
from modelsign.signing.sigstore.services.witnesses import WitnessedSealer, Witnesses
from modelsign.transport import Patience, Transport

QUICK = Transport(Patience(connect=5.0, silence=5.0, answer=10.0, tries=3, backoff=0.01, longest_pause=2.0))


def signed(key, payload=b"{}"):
    return Content.of_envelope(Envelope(IN_TOTO, payload, key.sign(pae(IN_TOTO, payload))))


def bare(key):
    return Verifier(key.public.der, key.public, certificate=False)


@pytest.fixture(scope="module")
def key():
    return keys.generate()


def test_a_certificate_is_for_the_key_and_names_the_tokens_owner(sigstore):
    private = ec.generate_private_key(ec.SECP256R1())
    issued = request_certificate(QUICK, sigstore.url, token(sigstore.issuer), private)
    leaf = x509.load_der_x509_certificate(issued.certificate)
    assert leaf.public_key() == private.public_key()
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [IDENTITY]
    assert len(issued.chain) == 1


def test_the_token_travels_in_a_header_and_the_request_says_nothing_of_its_owner(sigstore):
    secret = token(sigstore.issuer)
    request_certificate(QUICK, sigstore.url, secret, ec.generate_private_key(ec.SECP256R1()))
    (asked,) = sigstore.requests()
    assert asked["headers"]["authorization"] == f"Bearer {secret}"
    pem = base64.b64decode(json.loads(base64.b64decode(asked["body"]))["certificateSigningRequest"])
    request = x509.load_pem_x509_csr(pem)
    assert request.is_signature_valid
    assert request.subject == x509.Name([])


def test_fulcios_words_are_shown_when_it_refuses(sigstore):
    words = {"code": 3, "message": "error processing the identity token"}
    sigstore.faults({"path": CERTIFICATES, "status": 400, "body": json.dumps(words)})
    secret = token(sigstore.issuer)
    fault = refusal(request_certificate, QUICK, sigstore.url, secret, ec.generate_private_key(ec.SECP256R1()))
    assert fault.code == "CERTIFICATE_NOT_ISSUED"
    assert "error processing the identity token" in fault.message
    assert secret not in fault.message


def test_fulcio_that_refuses_without_a_word_is_told_by_its_status(sigstore):
    sigstore.faults({"path": CERTIFICATES, "status": 403})
    fault = refusal(request_certificate, QUICK, sigstore.url, "t", ec.generate_private_key(ec.SECP256R1()))
    assert fault.code == "CERTIFICATE_NOT_ISSUED"
    assert "403" in fault.message


def test_fulcio_that_is_busy_is_asked_again(sigstore):
    sigstore.faults({"path": CERTIFICATES, "times": 2, "status": 429, "headers": {"Retry-After": "0"}})
    assert request_certificate(QUICK, sigstore.url, token(sigstore.issuer), ec.generate_private_key(ec.SECP256R1()))
    assert sigstore.asked() == [CERTIFICATES] * 3


def test_a_certificate_for_another_key_is_refused(sigstore):
    issued = request_certificate(QUICK, sigstore.url, token(sigstore.issuer), ec.generate_private_key(ec.SECP256R1()))
    pem = x509.load_der_x509_certificate(issued.certificate)
    chain = {"chain": {"certificates": [pem.public_bytes(Encoding.PEM).decode()]}}
    sigstore.faults({"path": CERTIFICATES, "status": 201, "body": json.dumps({"signedCertificateEmbeddedSct": chain})})
    other = ec.generate_private_key(ec.SECP256R1())
    assert refused_with(request_certificate, QUICK, sigstore.url, "t", other) == "CERTIFICATE_NOT_ASKED_FOR"


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"[]", b"{}", b"not json", b'{"signedCertificateEmbeddedSct": null}',
        b'{"signedCertificateDetachedSct": {"chain": {"certificates": ["x"]}}}',
        b'{"signedCertificateEmbeddedSct": {"chain": {"certificates": []}}}',
        b'{"signedCertificateEmbeddedSct": {"chain": {"certificates": [1]}}}',
        b'{"signedCertificateEmbeddedSct": {"chain": {"certificates": ["-----BEGIN CERTIFICATE-----"]}}}',
        b'{"signedCertificateEmbeddedSct": {"chain": {"certificates": ["\\ud800"]}}}',
    ],
)  # fmt: skip
def test_an_answer_that_is_no_certificate_is_refused(body):
    with scripted(Says(201, body)) as server:
        code = refused_with(request_certificate, QUICK, server.url, "t", ec.generate_private_key(ec.SECP256R1()))
    assert code == "NETWORK_ANSWER_MALFORMED"


def test_a_timestamp_is_the_authoritys_whole_response(sigstore):
    stamp = request_timestamp(QUICK, f"{sigstore.url}{STAMPS}", b"signature")
    assert decode_timestamp_response(stamp).as_bytes() == stamp
    (asked,) = sigstore.requests()
    assert asked["headers"]["content-type"] == "application/timestamp-query"
    assert b"signature" not in base64.b64decode(asked["body"])


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"wrongNonce": True}, "nonce"),
        ({"wrongImprint": True}, "another signature"),
        ({"body": "\x30\x03garbage"}, "no RFC 3161 response"),
        ({"body": "", "status": 201}, "no RFC 3161 response"),
    ],
)
def test_a_timestamp_that_answers_something_else_is_refused(sigstore, fault, said):
    sigstore.faults({"path": STAMPS, **fault})
    found = refusal(request_timestamp, QUICK, f"{sigstore.url}{STAMPS}", b"signature")
    assert found.code == "TIMESTAMP_ANSWER_WRONG"
    assert said in found.message


def test_a_timestamp_authority_that_refuses_is_quoted():
    # PKIStatusInfo {status rejection(2), statusString "no"} (RFC 3161, section 2.4.2)
    rejection = bytes.fromhex("300b3009020102300 40c026e6f".replace(" ", ""))
    with scripted(Says(200, rejection)) as server:
        fault = refusal(request_timestamp, QUICK, server.url, b"signature")
    assert fault.code == "TIMESTAMP_REFUSED"
    assert "status 2: no" in fault.message


def test_a_huge_timestamp_is_not_read(sigstore):
    sigstore.faults({"path": STAMPS, "size": 10_000_000})
    code = refused_with(request_timestamp, QUICK, f"{sigstore.url}{STAMPS}", b"signature")
    assert code == "NETWORK_ANSWER_TOO_LARGE"


@pytest.mark.parametrize(("version", "kind"), [(1, ("dsse", "0.0.1")), (2, ("hashedrekord", "0.0.2"))])
def test_an_entry_comes_back_in_the_form_of_bundles(sigstore, key, version, kind):
    write_entry(QUICK, Log(sigstore.url, version), signed(key, b'{"first":1}'), bare(key))
    content = signed(key)
    entry = write_entry(QUICK, Log(sigstore.url, version), content, bare(key))
    assert tuple(entry["kindVersion"].values()) == kind
    assert entry["inclusionProof"]["hashes"]
    body = base64.b64decode(entry["canonicalizedBody"])
    assert base64.b64encode(content.signature) in body
    assert ("integratedTime" in entry) == (version == 1)


def test_rekor_v2_is_told_no_more_than_the_digest(sigstore, key):
    write_entry(QUICK, Log(sigstore.url, 2), signed(key, b'{"secret":"name"}'), bare(key))
    assert b"secret" not in base64.b64decode(sigstore.requests()[0]["body"])


def test_an_entry_whose_answer_was_lost_is_found_again(sigstore, key):
    sigstore.faults({"path": LOGS["rekor1"], "truncate": True})
    entry = write_entry(QUICK, Log(sigstore.url, 1), signed(key, b'{"lost":1}'), bare(key))
    paths = sigstore.asked()
    assert paths[:2] == [LOGS["rekor1"]] * 2
    assert paths[2] == f"{LOGS['rekor1']}/{entry['logIndex']}"


@pytest.mark.parametrize("algorithm", ["ecdsa-p384-sha384", "ecdsa-p521-sha512"])
def test_larger_curves_are_logged_by_their_own_hash(sigstore, algorithm):
    key = keys.generate(algorithm)
    write_entry(QUICK, Log(sigstore.url, 2), signed(key), bare(key))
    request = json.loads(base64.b64decode(sigstore.requests()[0]["body"]))["hashedRekordRequestV002"]
    assert len(base64.b64decode(request["digest"])) == int(algorithm[-3:]) // 8
    assert algorithm[-3:] in request["signature"]["verifier"]["keyDetails"]


@pytest.mark.parametrize("algorithm", ["ed25519", "rsa-pss-sha256"])
def test_a_key_that_no_log_can_check_is_refused_before_anything_is_sent(sigstore, algorithm):
    key = keys.generate(algorithm)
    witnesses = Witnesses(QUICK, (f"{sigstore.url}{STAMPS}",), (Log(sigstore.url, 1),))
    sealer = WitnessedSealer(KeySealer(key), witnesses, key.public)
    assert refused_with(sealer.seal, IN_TOTO, b"{}") == "LOG_KEY_UNSUPPORTED"
    assert sigstore.asked() == []


def test_an_entry_for_another_signature_is_refused(sigstore, key):
    other = write_entry(QUICK, Log(sigstore.url, 2), signed(key, b'{"other":1}'), bare(key))
    sigstore.faults({"path": LOGS["rekor2"], "status": 201, "body": json.dumps(other)})
    code = refused_with(write_entry, QUICK, Log(sigstore.url, 2), signed(key), bare(key))
    assert code == "LOG_ANSWER_WRONG"


def test_fields_that_bundles_do_not_have_are_left_out(sigstore, key):
    envelope = signed(key, b'{"future":1}')
    entry = write_entry(QUICK, Log(sigstore.url, 2), envelope, bare(key))
    answer = json.dumps({**entry, "integratedTime": None, "witnesses": ["new"]})
    sigstore.faults({"path": LOGS["rekor2"], "status": 201, "body": answer})
    assert write_entry(QUICK, Log(sigstore.url, 2), envelope, bare(key)) == entry


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{}", b'{"a": {}, "b": {}}', b'{"a": {"verification": null}}',
        b'{"a": {"body": "%%%", "verification": {"inclusionProof": {}}}}',
        b'{"a": {"body": "e30=", "logIndex": true, "verification": {"inclusionProof": {}}}}',
        b'{"a": {"body": "bm8=", "verification": {"inclusionProof": {}}}}',
        b'{"a": {"body": "e30=", "logIndex": 1, "logID": "xx", "verification": {"inclusionProof": {}}}}',
    ],
)  # fmt: skip
@pytest.mark.parametrize("version", [1, 2])
def test_an_answer_that_is_no_entry_is_refused(key, body, version):
    with scripted(Says(201, body)) as server:
        code = refused_with(write_entry, QUICK, Log(server.url, version), signed(key), bare(key))
    assert code == "NETWORK_ANSWER_MALFORMED"


def test_a_log_that_has_the_entry_and_does_not_say_where_is_refused(key):
    with scripted(Says(409, b"", {"Location": "/../../x?y"})) as server:
        code = refused_with(write_entry, QUICK, Log(server.url, 1), signed(key), bare(key))
    assert code == "LOG_ANSWER_WRONG"


def test_the_log_is_written_to_after_all_timestamps_are_there(sigstore, key):
    witnesses = Witnesses(QUICK, (f"{sigstore.url}{STAMPS}",) * 2, (Log(sigstore.url, 2),))
    sealed = WitnessedSealer(KeySealer(key), witnesses, key.public).seal(IN_TOTO, b"{}")
    assert sigstore.asked() == [STAMPS, STAMPS, LOGS["rekor2"]]
    material = parse_bundle(sealed.bundle).material
    assert (material.kind, len(material.timestamps), len(material.tlog_entries)) == ("public_key", 2, 1)


def test_without_a_timestamp_nothing_is_written(sigstore, key):
    sigstore.faults({"path": STAMPS, "times": 0, "status": 500})
    witnesses = Witnesses(QUICK, (f"{sigstore.url}{STAMPS}",), (Log(sigstore.url, 2),))
    sealer = WitnessedSealer(KeySealer(key), witnesses, key.public)
    assert refused_with(sealer.seal, IN_TOTO, b"{}") == "NETWORK_SERVER_FAILED"
    assert LOGS["rekor2"] not in sigstore.asked()
