"""Signed models and policies for tests that walk the whole road."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path

from modelsign.artifact.model import open_artifact
from modelsign.signing import keys
from modelsign.signing.evidence import bundle_place
from modelsign.signing.sign import sign_model

POLICY = """\
apiVersion: modelsign.dev/v1
kind: ModelTrustPolicy
metadata:
  name: test
parameters:
  signers:
    type: keys
rules:
  - id: signed
    kind: signature
    keys: [signers]
    threshold: 1
  - id: clean
    kind: scan
    accept: [{accept}]
"""


@dataclass(frozen=True)
class SignedModel:
    """A model on disk, its signer, and a policy that allows it."""

    path: Path
    key: keys.SigningKey
    public: Path
    policy: Path

    @property
    def arguments(self) -> dict[str, object]:
        """What to pass to ``modelsign.load`` and ``modelsign.verified``."""
        return {"policy": str(self.policy), "parameters": {"signers": str(self.public)}}

    def sign(self) -> None:
        """Sign the model as it is now."""
        sign(self.path, self.key)


def sign(path: Path, key: keys.SigningKey) -> None:
    """Sign a model and put the bundle at its default place."""
    with open_artifact(path) as artifact:
        result = sign_model(artifact, key, replaced=("model.sig",))
    Path(bundle_place(path)).write_bytes(result.bundle)


def weights(value: float, count: int = 8) -> bytes:
    """Return safetensors with one array ``w`` that holds ``value`` everywhere; the size does not depend on it."""
    data = struct.pack(f"<{count}d", *[value] * count)
    header = json.dumps({"w": {"dtype": "F64", "shape": [count], "data_offsets": [0, len(data)]}}).encode()
    header += b" " * (-len(header) % 8)
    return struct.pack("<Q", len(header)) + header + data


def npy(values: list[int], *, descr: str = "<i8") -> bytes:
    """Return a .npy file with these numbers."""
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': ({len(values)},), }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    text = header.encode("latin-1")
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + struct.pack(f"<{len(values)}q", *values)


def make(folder: Path, files: dict[str, bytes], *, single: bool = False, accept: str = "clean") -> SignedModel:
    """Write a model, sign it with a new key, and write a policy that names that key."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "model"
    for name, data in files.items():
        place = folder / name if single else path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    if single:
        (name,) = files
        path = folder / name
    key = keys.generate()
    public, policy = folder / "signer.pub", folder / "policy.yaml"
    public.write_bytes(key.public.pem)
    policy.write_text(POLICY.format(accept=accept), encoding="utf-8")
    model = SignedModel(path, key, public, policy)
    model.sign()
    return model
