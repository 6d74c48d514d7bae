"""Bundles made by hand, so that every part of one can be wrong."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from modelsign.signing.dsse import IN_TOTO, pae

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsign.signing.keys import SigningKey

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def raw_bundle(payload: bytes = b"{}", signature: bytes = b"sig", hint: str = "00") -> dict[str, Any]:
    """Return a well-formed bundle as JSON values."""
    return {
        "mediaType": MEDIA_TYPE,
        "verificationMaterial": {"publicKey": {"hint": hint}, "tlogEntries": []},
        "dsseEnvelope": {
            "payload": b64(payload),
            "payloadType": IN_TOTO,
            "signatures": [{"sig": b64(signature), "keyid": ""}],
        },
    }


def encoded(value: object) -> bytes:
    return json.dumps(value).encode()


def signed(payload: bytes, key: SigningKey, change: Callable[[dict[str, Any]], object] | None = None) -> bytes:
    """Sign any payload, then change the bundle around it."""
    bundle = raw_bundle(payload, key.sign(pae(IN_TOTO, payload)), key.public.hint)
    if change is not None:
        change(bundle)
    return encoded(bundle)


def legacy(bundle: dict[str, Any]) -> None:
    """Give a bundle the shape from before OMS v1.1."""
    bundle["verificationMaterial"] = {"publicKey": {"rawBytes": b64(b"pem"), "keyDetails": "PKIX_ECDSA_P256_SHA_256"}}
    bundle["dsseEnvelope"]["signatures"][0]["keyid"] = None
