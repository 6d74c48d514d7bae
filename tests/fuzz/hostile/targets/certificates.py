"""Certificates and what says that they were revoked, and a verifier that is given one of them at a time."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

import paperchain
from cryptography.hazmat.primitives.serialization import Encoding

from hostile.target import Target
from modelsign.errors import ModelsignError
from modelsign.signing.bundle import parse_bundle
from modelsign.signing.dsse import IN_TOTO
from modelsign.signing.methods.certificate import CertificateSealer, CertificateTrust
from modelsign.signing.x509.certificates import load_certificate, load_certificates
from modelsign.signing.x509.crl import load_revocation_lists
from modelsign.signing.x509.identity import exact_identity, glob_identity, names_of
from modelsign.signing.x509.ocsp import load_ocsp_response
from modelsign.signing.x509.status import RevocationSources

if TYPE_CHECKING:
    from modelsign.signing.x509.certificates import Certificate

NOW = paperchain.NOW


@cache
def chain() -> paperchain.Chain:
    return paperchain.Chain()


@cache
def links() -> tuple[Certificate, ...]:
    return tuple(load_certificate(link.der) for link in (chain().leaf, chain().middle, chain().root))


@cache
def bundle() -> bytes:
    leaf, middle, _ = links()
    return CertificateSealer(chain().leaf.signer, leaf, [middle], now=NOW).seal(IN_TOTO, b"{}").bundle


def vouch(data: bytes, **settings: object) -> object:
    trust = CertificateTrust(
        **{"roots": (links()[2],), "identity": exact_identity(paperchain.IDENTITY), "now": NOW} | settings
    )
    return trust.vouch(parse_bundle(data), allow_legacy=True)


def certificate(data: bytes) -> object:
    """Read a certificate, its names, and use it as root and as intermediate."""
    read = load_certificate(data)
    names_of(read)
    for settings in ({"roots": (read,)}, {"intermediates": (read,)}):
        with suppress(ModelsignError):
            vouch(bundle(), **settings)
    return read


def revocation_list(data: bytes) -> object:
    found = load_revocation_lists(data)
    return vouch(bundle(), revocation=RevocationSources(lists=found))


def answer(data: bytes) -> object:
    return vouch(bundle(), revocation=RevocationSources(answers=(load_ocsp_response(data),)))


def identity(data: bytes) -> object:
    """Ask for any identity, exactly and as a glob."""
    text = data.decode("utf-8", "replace")
    for ask in (exact_identity, glob_identity):
        with suppress(ModelsignError):
            ask(text).match(links()[0])
    return None


def ders() -> list[bytes]:
    return [link.der for link in (chain().leaf, chain().middle, chain().root)]


def pems() -> list[bytes]:
    return [b"".join(link.certificate.public_bytes(Encoding.PEM) for link in (chain().middle, chain().root))]


def lists() -> list[bytes]:
    return [chain().middle.revocation_list(), chain().middle.revocation_list(chain().leaf)]


def identities() -> list[bytes]:
    return [b"email:ci@example.org", b"*@example.org", b"subject:CN=paper leaf", b"uri:https://*/x?", b"CN=a\\,b+O=c"]


TARGETS = (
    Target(
        "certificate", certificate, lambda: [link.der for link in (chain().leaf, chain().middle, chain().root)], "der"
    ),
    Target("certificates-pem", load_certificates, pems, "text"),
    Target("crl", revocation_list, lists, "der"),
    Target("ocsp", answer, lambda: [chain().middle.answer(chain().leaf)], "der"),
    Target("certificate-bundle", vouch, lambda: [bundle()]),
    Target("certificate-identity", identity, identities, "text"),
)
