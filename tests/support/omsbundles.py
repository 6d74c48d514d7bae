"""OMS bundles written from the specification's text, without this project's writer, so that every part can be wrong.

Nothing here is copied from another project's vectors: keys are fresh in every run.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import blake3

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from modelsign.signing.keys import SigningKey

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
IN_TOTO = "application/vnd.in-toto+json"
PREDICATE_TYPE = "https://model_signing/signature/v1.0"
PREDICATE_TYPE_V0_2 = "https://model_signing/Digests/v0.1"
FILES = {"config.json": b"{}", "sub/adapter.bin": b"adapter", "weights.bin": b"weights"}
ABSENT: Any = object()
"""For a field that is left out."""


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def digest_of(data: bytes, algorithm: str = "sha256") -> str:
    return blake3.blake3(data).hexdigest() if algorithm == "blake3" else hashlib.new(algorithm, data).hexdigest()


def root_of(resources: list[dict[str, Any]]) -> str:
    """Return the root digest (section 6.5.1)."""
    return hashlib.sha256(b"".join(bytes.fromhex(resource["digest"]) for resource in resources)).hexdigest()


def put(folder: Path, files: Mapping[str, bytes] = FILES) -> Path:
    """Write the files of a model."""
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def resources_of(files: Mapping[str, bytes], algorithm: str = "sha256") -> list[dict[str, Any]]:
    """Return the descriptors of whole files (section 6.3.1), sorted by code points."""
    return [
        {"name": name, "digest": digest_of(files[name], algorithm), "algorithm": algorithm} for name in sorted(files)
    ]


def shards_of(files: Mapping[str, bytes], size: int, algorithm: str = "sha256") -> list[dict[str, Any]]:
    """Return the descriptors of shards (section 6.3.2), sorted by code points."""
    found = []
    for name, data in files.items():
        for start in range(0, len(data), size):
            part = data[start : start + size]
            shard = f"{name}:{start}:{start + len(part)}"
            found.append({"name": shard, "digest": digest_of(part, algorithm), "algorithm": algorithm})
    return sorted(found, key=lambda entry: entry["name"])


@dataclass
class Statement:
    """A statement in the shape of the specification, whose parts a test changes before it is signed."""

    resources: list[dict[str, Any]] = field(default_factory=lambda: resources_of(FILES))
    serialization: dict[str, Any] = field(
        default_factory=lambda: {"method": "files", "hash_type": "sha256", "allow_symlinks": False}
    )
    name: Any = "model"
    predicate_type: Any = PREDICATE_TYPE
    statement_type: Any = "https://in-toto.io/Statement/v1"
    change: Callable[[dict[str, Any]], object] | None = None

    def payload(self) -> bytes:
        """Write the statement with the root digest that follows from its resources."""
        value: dict[str, Any] = {
            "_type": self.statement_type,
            "subject": [{"name": self.name, "digest": {"sha256": root_of(self.resources)}}],
            "predicateType": self.predicate_type,
            "predicate": {"resources": self.resources, "serialization": self.serialization},
        }
        if self.change is not None:
            self.change(value)
        return json.dumps(value).encode()


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return DSSE's pre-authentication encoding (DSSE v1.0, protocol)."""
    return b" ".join(
        [b"DSSEv1", str(len(payload_type)).encode(), payload_type.encode(), str(len(payload)).encode(), payload]
    )


def pae_of_0_2(payload: bytes) -> bytes:
    """Return what release 0.2.0 of the reference signed: the text of the bytes, under a magic of its own."""
    return f"DSSEV1 {len(IN_TOTO)} {IN_TOTO} {len(payload)} {payload!r}".encode()


def sealed(
    payload: bytes | Statement,
    key: SigningKey,
    change: Callable[[dict[str, Any]], object] | None = None,
    *,
    signature: bytes | None = None,
) -> bytes:
    """Sign with a key as the appendix of the specification shows it, then change the bundle around it."""
    data = payload.payload() if isinstance(payload, Statement) else payload
    bundle: dict[str, Any] = {
        "mediaType": MEDIA_TYPE,
        "verificationMaterial": {"publicKey": {"hint": key.public.hint}},
        "dsseEnvelope": {
            "payload": b64(data),
            "payloadType": IN_TOTO,
            "signatures": [{"sig": b64(key.sign(pae(IN_TOTO, data)) if signature is None else signature), "keyid": ""}],
        },
    }
    if change is not None:
        change(bundle)
    return json.dumps(bundle).encode()


def decoded(bundle: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a bundle and its statement as JSON values."""
    value = json.loads(bundle)
    return value, json.loads(base64.b64decode(value["dsseEnvelope"]["payload"]))
