"""Models with signatures and attestations on disk, for tests of attest and check."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from signedmodels import weights

from modelsign.artifact.hashing import hash_artifact
from modelsign.artifact.model import open_artifact
from modelsign.attest.claims import provenance_statement, scan_statement
from modelsign.attest.predicates.provenance import Build
from modelsign.attest.store import append_line, store_place
from modelsign.examine import examine
from modelsign.signing import keys
from modelsign.signing.envelope import sign_statement
from modelsign.signing.evidence import bundle_place
from modelsign.signing.sign import sign_model

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

BUILDER = "https://ci.example/runner"
FILES: Mapping[str, bytes] = {"model.safetensors": weights(1.5), "config.json": b'{"model_type": "bert"}'}


class Ring:
    """Named keys, with their public halves as files in a folder."""

    def __init__(self, folder: Path, *names: str) -> None:
        self.folder = folder
        self.keys: dict[str, keys.SigningKey] = {}
        for name in names:
            self.keys[name] = keys.generate("ed25519")
            (folder / f"{name}.key").write_bytes(self.keys[name].pem())
            (folder / f"{name}.pub").write_bytes(self.keys[name].public.pem)

    def __getitem__(self, name: str) -> keys.SigningKey:
        return self.keys[name]

    def public(self, name: str) -> Path:
        return self.folder / f"{name}.pub"

    def private(self, name: str) -> Path:
        return self.folder / f"{name}.key"

    def digest(self, name: str) -> str:
        return self.keys[name].public.digest


def write_model(folder: Path, files: Mapping[str, bytes] = FILES) -> Path:
    for name, data in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    return folder


def sign(model: Path, key: keys.SigningKey, *, name: str | None = None) -> Path:
    """Sign a model; further signatures get a name of their own."""
    place = Path(bundle_place(model))
    if name is not None:
        place = Path(f"{place}.d") / f"{name}.sig"
        place.parent.mkdir(exist_ok=True)
    with open_artifact(model) as artifact:
        place.write_bytes(sign_model(artifact, key).bundle)
    return place


def attest_provenance(model: Path, key: keys.SigningKey, *, builder: str = BUILDER, **changes: object) -> int:
    with open_artifact(model) as artifact:
        build = Build(builder_id=builder, **changes)  # type: ignore[arg-type] # tests pass what fits
        statement = provenance_statement(artifact.name, hash_artifact(artifact), build)
    return append_line(store_place(model), sign_statement(statement, key))


def attest_scan(model: Path, key: keys.SigningKey, scanned_on: datetime | None) -> int:
    with open_artifact(model) as artifact:
        statement = scan_statement(artifact.name, examine(artifact), version="1", scanned_on=scanned_on)
    return append_line(store_place(model), sign_statement(statement, key))
