"""The signing half of the conformance client: an in-toto statement, or a blob, signed by an identity.

Statements go the way that models go. Blobs are signed here alone, from the same parts: modelsign itself signs models.
"""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs
from cryptography.hazmat.primitives.asymmetric import ec

from modelsign.signing.bundle import MEDIA_TYPE, MessageSignature, parse_any_bundle
from modelsign.signing.content import Content
from modelsign.signing.dsse import IN_TOTO
from modelsign.signing.keys import SigningKey
from modelsign.signing.methods.keyless import KeylessTrust
from modelsign.signing.sigstore.fulcio_certificate import read_signing_certificate
from modelsign.signing.sigstore.identities import exactly
from modelsign.signing.sigstore.log_entries import Verifier
from modelsign.signing.sigstore.services.fulcio import request_certificate
from modelsign.signing.sigstore.services.rekor import write_entry
from modelsign.signing.sigstore.services.sealer import KeylessSealer
from modelsign.signing.sigstore.services.signing_config import choose_services, parse_signing_config
from modelsign.signing.sigstore.services.tokens import read_token
from modelsign.signing.sigstore.services.trust_updates import Repository, current_trust
from modelsign.signing.sigstore.services.witnesses import Witnesses
from modelsign.signing.sigstore.trust_root import parse_trust_root
from modelsign.transport import Transport

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from modelsign.signing.sigstore.trust_root import TrustRoot

__all__ = ["sign_bundle"]


def sign_bundle(options: argparse.Namespace) -> None:
    """Sign a file and write the bundle.

    Raises:
        ModelsignError: it was not signed.

    """
    now, transport = datetime.now(UTC), Transport()
    root, config = _sigstore(options, transport, now)
    token = read_token(options.identity_token.encode(), now=now)
    sealer = KeylessSealer(root, choose_services(config, now=now), transport, lambda: token, lambda: datetime.now(UTC))
    data = Path(options.artifact).read_bytes()
    bundle = sealer.seal(IN_TOTO, data).bundle if options.in_toto else _sign_blob(sealer, data)
    Path(options.bundle).write_bytes(bundle)


def _sigstore(
    options: argparse.Namespace, transport: Transport, now: datetime
) -> tuple[TrustRoot, Mapping[str, object]]:
    if options.trusted_root and options.signing_config:
        root = parse_trust_root(Path(options.trusted_root).read_bytes())
        return root, parse_signing_config(Path(options.signing_config).read_bytes())
    host = "sigstage" if options.staging else "sigstore"
    folder = Path(platformdirs.user_cache_dir("modelsign-conformance")) / host
    current = current_trust(Repository(f"https://tuf-repo-cdn.{host}.dev", str(folder)), transport, now=now)
    return current.dated.root, current.signing_config or {}


def _sign_blob(sealer: KeylessSealer, blob: bytes) -> bytes:
    private = ec.generate_private_key(ec.SECP256R1())
    key = SigningKey(private)
    issued = request_certificate(sealer.transport, sealer.services.authority, sealer.token().raw, private)
    message = MessageSignature("SHA2_256", hashlib.sha256(blob).digest(), key.sign(blob))
    content = Content.of_blob(message, blob)
    stamps = Witnesses(sealer.transport, sealer.services.timestamp_authorities).stamp(message.signature)
    verifier = Verifier(issued.certificate, key.public, certificate=True)
    entries = [write_entry(sealer.transport, log, content, verifier) for log in sealer.services.logs]
    data = _write(issued.certificate, message, entries, stamps)
    leaf = read_signing_certificate(issued.certificate)
    trust = KeylessTrust(sealer.root, exactly(leaf.name), exactly(leaf.issuer or ""), {})
    trust.confirm(parse_any_bundle(data), content)
    return data


def _write(
    certificate: bytes, message: MessageSignature, entries: Sequence[Mapping[str, object]], stamps: Sequence[bytes]
) -> bytes:
    material: dict[str, object] = {"certificate": {"rawBytes": _base64(certificate)}, "tlogEntries": list(entries)}
    if stamps:
        found = [{"signedTimestamp": _base64(stamp)} for stamp in stamps]
        material["timestampVerificationData"] = {"rfc3161Timestamps": found}
    digest = {"algorithm": message.algorithm, "digest": _base64(message.digest or b"")}
    signed = {"messageDigest": digest, "signature": _base64(message.signature)}
    document = {"mediaType": MEDIA_TYPE, "verificationMaterial": material, "messageSignature": signed}
    return json.dumps(document, separators=(",", ":")).encode()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
