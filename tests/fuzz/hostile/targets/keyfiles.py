"""Keys in PEM and DER."""

from __future__ import annotations

from functools import cache

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from hostile.target import Target
from modelsign.signing import keys

KINDS = ("ecdsa-p256-sha256", "ecdsa-p521-sha512", "ed25519", "ml-dsa-65")


@cache
def made() -> tuple[keys.SigningKey, ...]:
    return tuple(keys.generate(kind) for kind in KINDS)


def public_der() -> list[bytes]:
    load = load_pem_public_key
    return [load(key.public.pem).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) for key in made()]


def private_der() -> list[bytes]:
    loaded = [load_pem_private_key(key.pem(), None) for key in made()]
    return [key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()) for key in loaded]


def pems() -> list[bytes]:
    return [*(key.public.pem for key in made()), *(key.pem() for key in made()), made()[0].pem(b"password")]


TARGETS = (
    Target("public-key-der", keys.load_public_key, public_der, "der"),
    Target("private-key-der", keys.load_private_key, private_der, "der"),
    Target("public-key-pem", keys.load_public_key, pems, "text"),
    Target("private-key-pem", keys.load_private_key, pems, "text"),
)
