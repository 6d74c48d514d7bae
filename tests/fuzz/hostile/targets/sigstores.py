"""Everything Sigstore: trust roots, configurations, log entries, checkpoints, timestamps, certificates, tokens."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import papersigstore as paper
from bundlecraft import encoded

from hostile.target import Target
from modelsign.errors import ModelsignError, error
from modelsign.signing.bundle import parse_any_bundle
from modelsign.signing.methods.keyless import KeylessTrust
from modelsign.signing.pkcs11_uri import parse_pkcs11_uri
from modelsign.signing.sigstore import tlog
from modelsign.signing.sigstore.fulcio_certificate import find_issuer, read_signing_certificate
from modelsign.signing.sigstore.identities import exactly
from modelsign.signing.sigstore.sct import verify_sct
from modelsign.signing.sigstore.services.signing_config import choose_services, parse_signing_config
from modelsign.signing.sigstore.services.tokens import read_token
from modelsign.signing.sigstore.timestamps import verify_timestamps
from modelsign.signing.sigstore.trust_root import parse_trust_config, parse_trust_root

if TYPE_CHECKING:
    from modelsign.signing.sigstore.trust_root import TrustRoot

NOW = paper.SIGNED
STORE = resources.files("sigstore") / "_store" / "https%3A%2F%2Ftuf-repo-cdn.sigstore.dev"
CLAIMS = {
    "iss": "https://i.example",
    "sub": "s",
    "email": "a@b.c",
    "email_verified": True,
    "aud": "sigstore",
    "exp": int(NOW.timestamp()) + 300,
    "nbf": int(NOW.timestamp()) - 300,
}
PIN_URI = b"pkcs11:token=models;object=key%20one;id=%01%02;type=private?module-path=/usr/lib/x.so&pin-source=file:/pin"


@cache
def instance() -> paper.Paper:
    return paper.Paper()


@cache
def root() -> TrustRoot:
    return parse_trust_root(encoded(instance().trust_root()))


def root_seeds() -> list[bytes]:
    return [encoded(instance().trust_root()), (STORE / "trusted_root.json").read_bytes()]


def signing_seeds() -> list[bytes]:
    return [(STORE / "signing_config.v0.2.json").read_bytes()]


def config_seeds() -> list[bytes]:
    whole = {
        "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
        "trustedRoot": instance().trust_root(),
        "signingConfig": json.loads(signing_seeds()[0]),
    }
    return [encoded(whole)]


@cache
def bundle_seeds() -> list[bytes]:
    at = instance()
    return [encoded(bundle) for bundle in (at.sign(), at.sign(log=at.rekor2), at.sign(managed=True))]


def keyless(data: bytes) -> object:
    """Verify a bundle by its identity."""
    trust = KeylessTrust(root(), exactly(paper.IDENTITY), exactly(paper.ISSUER), {})
    return trust.vouch(parse_any_bundle(data), allow_legacy=True)


def log_entries(data: bytes) -> object:
    """Verify whatever the entries of a bundle hold, each by itself."""
    for entry in parse_any_bundle(data).material.tlog_entries:
        for verify in (tlog.verify_promise, tlog.verify_inclusion):
            with suppress(ModelsignError):
                verify(entry, root().tlogs)
    return None


def checkpoint_seeds() -> list[bytes]:
    bundles = [parse_any_bundle(data) for data in bundle_seeds()]
    proofs = [entry.proof for bundle in bundles for entry in bundle.material.tlog_entries]
    return [proof.checkpoint.encode() for proof in proofs if proof and proof.checkpoint]


def timestamp_seeds() -> list[bytes]:
    return [instance().clock.stamp(b"s"), instance().clock.stamp(b"s", embed=False)]


def timestamp(data: bytes) -> object:
    return verify_timestamps([data], b"s", root().timestamp_authorities)


def certificate_seeds() -> list[bytes]:
    made = [instance().certificate(paper.new_key()), instance().certificate(paper.new_key(), scts=0)]
    return [*made, *(entry for authority in root().authorities for entry in authority.chain)]


def signing_certificate(data: bytes) -> object:
    """Read a certificate as a signer's, and look for who issued it."""
    leaf = read_signing_certificate(data)
    verify_sct(leaf.certificate, find_issuer(leaf.certificate, root().authorities, [NOW]), root().ctlogs)
    return leaf


def services(data: bytes) -> object:
    return choose_services(parse_signing_config(data), now=NOW)


def token(data: bytes) -> object:
    return read_token(data, now=NOW)


def token_of(claims: bytes) -> bytes:
    def part(value: bytes) -> bytes:
        return base64.urlsafe_b64encode(value).rstrip(b"=")

    return b".".join((part(b'{"alg":"ES256"}'), part(claims), part(b"signature")))


def key_uri(data: bytes) -> object:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise error("USAGE", "not text") from None
    return parse_pkcs11_uri(text, pin_allowed=True)


TARGETS = (
    Target("keyless", keyless, bundle_seeds),
    Target("log-entries", log_entries, bundle_seeds),
    Target("trust-root", parse_trust_root, root_seeds),
    Target("trust-config", parse_trust_config, config_seeds),
    Target("signing-config", services, signing_seeds),
    Target("checkpoint", lambda data: tlog.parse_checkpoint(data.decode("utf-8", "replace")), checkpoint_seeds, "text"),
    Target("timestamp", timestamp, timestamp_seeds, "der"),
    Target("signing-certificate", signing_certificate, certificate_seeds, "der"),
    Target("token", token, lambda: [token_of(encoded(CLAIMS))], "text"),
    Target("token-claims", lambda data: token(token_of(data)), lambda: [encoded(CLAIMS)]),
    Target("pkcs11-uri", key_uri, lambda: [PIN_URI], "text"),
)
