"""What servers answer: Fulcio, Rekor v1 and v2, timestamp authorities. The network is left out, its bounds are not."""

from __future__ import annotations

import json
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING

import papersigstore as paper
from bundlecraft import encoded

from hostile.target import Target
from modelsign.errors import ModelsignError
from modelsign.signing.bundle import parse_bundle
from modelsign.signing.content import Content
from modelsign.signing.keys import VerifyKey
from modelsign.signing.sigstore.log_entries import Verifier
from modelsign.signing.sigstore.services.fulcio import request_certificate
from modelsign.signing.sigstore.services.rekor import Log, write_entry
from modelsign.signing.sigstore.services.timestamp_authority import request_timestamp
from modelsign.transport import Answer, server_words

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

URL = "https://services.example"


@cache
def key() -> ec.EllipticCurvePrivateKey:
    return paper.new_key()


@cache
def instance() -> paper.Paper:
    return paper.Paper()


def answering(data: bytes) -> SimpleNamespace:
    """Return what stands in for a transport: it answers everything with these bytes."""
    return SimpleNamespace(send=lambda *_, **__: Answer(200, {}, data))


def certificate(data: bytes) -> object:
    return request_certificate(answering(data), URL, "token", key())


def certificates() -> list[bytes]:
    at = instance()
    chain = [at.certificate(key()), *(link.der for link in at.authority.chain)]
    pems = [paper.pem(der).decode() for der in chain]
    return [encoded({"signedCertificateEmbeddedSct": {"chain": {"certificates": pems}}})]


@cache
def logged(version: int) -> tuple[dict, Content]:
    at = instance()
    bundle = at.sign(log=at.rekor2 if version == 2 else at.rekor1, key=key(), managed=True)
    return paper.entry_of(bundle), Content.of_envelope(parse_bundle(encoded(bundle)).envelope)


def entry(version: int, data: bytes) -> object:
    public = VerifyKey(key().public_key())
    return write_entry(
        answering(data), Log(URL, version), logged(version)[1], Verifier(public.der, public, certificate=False)
    )


def entries_v1() -> list[bytes]:
    found = logged(1)[0]
    proof = found["inclusionProof"]
    flat = {
        "body": found["canonicalizedBody"],
        "integratedTime": int(found["integratedTime"]),
        "logID": paper.unb64(found["logId"]["keyId"]).hex(),
        "logIndex": int(found["logIndex"]),
        "verification": {
            "signedEntryTimestamp": found["inclusionPromise"]["signedEntryTimestamp"],
            "inclusionProof": {
                "checkpoint": proof["checkpoint"]["envelope"],
                "hashes": [paper.unb64(text).hex() for text in proof["hashes"]],
                "logIndex": int(proof["logIndex"]),
                "rootHash": paper.unb64(proof["rootHash"]).hex(),
                "treeSize": int(proof["treeSize"]),
            },
        },
    }
    return [encoded({"ab" * 40: flat})]


def stamps() -> list[bytes]:
    return [instance().clock.stamp(b"s")]


def stamp(data: bytes) -> object:
    """Ask for a timestamp; a sound answer from a drawer gets as far as its nonce."""
    try:
        return request_timestamp(answering(data), URL, b"s")
    except ModelsignError as fault:
        if "nonce" in fault.message:
            return None
        raise


def words(data: bytes) -> object:
    said = server_words(data)
    assert said.isprintable(), said
    return json.dumps(said)


TARGETS = (
    Target("fulcio-answer", certificate, certificates),
    Target("rekor1-answer", lambda data: entry(1, data), entries_v1),
    Target("rekor2-answer", lambda data: entry(2, data), lambda: [encoded(logged(2)[0])]),
    Target("timestamp-answer", stamp, stamps, "der"),
    Target("server-words", words, lambda: [b'{"code":16,"message":"no"}', b"<html>\x1b[2J</html>"], total=True),
)
