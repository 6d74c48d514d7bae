"""``modelsign sign``: sign a model so that others can verify every byte of it.

Writes one Sigstore bundle that follows OpenSSF Model Signing v1.0. Nothing is overwritten without ``--force``.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from modelsign.cli.command import define
from modelsign.cli.model_options import (
    insecure_notes,
    model_options,
    open_model,
    progress_of,
    read_private_key,
)
from modelsign.errors import error
from modelsign.reasons import ExitStatus
from modelsign.report.escape import escape_line
from modelsign.verdict import Report, plain

if TYPE_CHECKING:
    from modelsign.cli.model_options import ModelOptions
    from modelsign.cli.session import Session

__all__ = ["command"]


@define(
    "sign",
    examples=(
        "modelsign sign model/ --key signer.pem",
        "modelsign sign weights.safetensors --key signer.pem --bundle weights.sig",
        "modelsign sign model/ --key second.pem --add",
    ),
)
@click.argument("model")
@click.option("--key", "--private-key", "key", metavar="FILE", help="The private key that signs.")
@click.option(
    "--password-file", metavar="FILE", help="Where the key's password is: a file, or env:NAME. Else it is asked for."
)
@click.option(
    "--bundle",
    "--signature",
    "bundle",
    metavar="FILE",
    help="Where the signature goes; by default model.sig in MODEL, or MODEL.sig beside a file.",
)
@click.option("--add", is_flag=True, help="Keep the signatures there are: write a further one into model.sig.d/.")
@click.option(
    "--reference-file-name",
    is_flag=True,
    help="Name a single file '.', as model-signing does and OMS does not, so that model-signing verifies it.",
)
@model_options
def command(  # noqa: PLR0913 - one parameter per flag
    session: Session,
    *,
    model: str,
    key: str | None,
    password_file: str | None,
    bundle: str | None,
    add: bool,
    reference_file_name: bool,
    **files: object,
) -> Report:
    """Sign a model."""
    from modelsign.signing.envelope import signer_of
    from modelsign.signing.sign import sign_model

    values: ModelOptions = files
    if key is None:
        raise error("NO_SIGNING_METHOD", "no --key says how to sign")
    if add and bundle is not None:
        raise click.UsageError("--add chooses the place itself; leave out --bundle or --add.")
    signing_key = read_private_key(session, key, password_file)
    place = bundle or _place(model, signing_key.public.digest, add=add)
    with open_model(model, values, [place]) as artifact:
        if place != "-" and os.path.lexists(place) and not session.force:
            raise error(
                "OUTPUT_EXISTS",
                f"{place} exists already",
                advice="Pass --add to sign beside it, --force to replace it, or another place with --bundle.",
            )
        result = sign_model(
            artifact,
            signing_key,
            whole_model_name=reference_file_name,
            replaced=[name for name in artifact.evidence if _same(model, name, place)],
            progress=progress_of(session, artifact, "signing"),
        )
        warnings = artifact.warnings + insecure_notes(values)
        ignored = artifact.ignored
    if add:
        os.makedirs(os.path.dirname(place), exist_ok=True)  # noqa: PTH103,PTH120 - strings, as in artifact
    session.write(place, result.bundle + b"\n")
    body: dict[str, object] = {
        "bundle": place,
        "root_digest": result.root_digest,
        "tree_digest": result.tree_digest,
        "oms": result.oms,
        "format": "oms-v1.0",
        "signers": plain((signer_of(signing_key.public),)),
        "files": {"signed": result.files, "ignored": list(ignored)},
    }
    text = (
        f"signed {result.files} file{'' if result.files == 1 else 's'} of {escape_line(model)}\n"
        f"  signature    {escape_line(place)}\n"
        f"  by key       {signing_key.public.digest} ({signing_key.public.algorithm})\n"
        f"  root digest  {result.root_digest}\n"
        f"  tree digest  {result.tree_digest}\n"
    )
    return Report("sign", ExitStatus.OK, body, warnings=warnings, text=text)


def _place(model: str, key_digest: str, *, add: bool) -> str:
    from modelsign.signing.evidence import bundle_place

    main = bundle_place(model)
    return f"{main}.d/{key_digest[:16]}.sig" if add else main


def _same(model: str, name: str, place: str) -> bool:
    inside = os.path.join(model, name)  # noqa: PTH118 - strings, as in artifact
    return place != "-" and os.path.exists(place) and os.path.samefile(inside, place)  # noqa: PTH110,PTH121 - same
