"""``modelsign digest``: the digests that name a model, computed from its bytes. Nothing is verified."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from modelsign.cli.command import define
from modelsign.cli.model_options import insecure_notes, model_options, open_model, progress_of
from modelsign.errors import error
from modelsign.reasons import ExitStatus
from modelsign.verdict import Report

if TYPE_CHECKING:
    from modelsign.cli.model_options import ModelOptions
    from modelsign.cli.session import Session

__all__ = ["command"]


@define("digest", examples=("modelsign digest model/", "modelsign digest model/ --list"))
@click.argument("model")
@click.option("--list", "listed", is_flag=True, help="Show the digest of each file too, as sha256sum does.")
@model_options
def command(session: Session, *, model: str, listed: bool, **files: object) -> Report:
    """Show a model's digests.

    The root digest is what an OMS signature names; it does not bind names. The tree digest (dirHash1) binds them
    and is what attestations name.
    """
    from modelsign.artifact.hashing import hash_artifact
    from modelsign.artifact.manifest import Manifest

    values: ModelOptions = files
    with open_model(model, values) as artifact:
        if artifact.unmatched_ignores:
            missing = ", ".join(artifact.unmatched_ignores)
            raise error("IGNORE_MATCHES_NOTHING", f"there is nothing at the path to ignore {missing}")
        digests = hash_artifact(artifact, progress=progress_of(session, artifact, "hashing"))
        manifest = Manifest.of(digests)
        warnings = artifact.warnings + insecure_notes(values)
        ignored = list(artifact.ignored)
    resources = [{"name": entry.name, "sha256": entry.digest_hex} for entry in manifest.resources]
    body: dict[str, object] = {
        "root_digest": manifest.root_digest,
        "tree_digest": manifest.tree_digest,
        "resources": resources,
        "ignored": ignored,
    }
    lines = [f"{entry.digest_hex}  {entry.name}" for entry in manifest.resources] if listed else []
    lines += [f"root digest  {manifest.root_digest}", f"tree digest  {manifest.tree_digest}"]
    return Report("digest", ExitStatus.OK, body, warnings=warnings, text="\n".join(lines) + "\n")
