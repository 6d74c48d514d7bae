"""``modelsign sign``: sign a model so that others can verify every byte of it.

Writes one Sigstore bundle that follows OpenSSF Model Signing v1.0. Nothing is overwritten without ``--force``.
"""

from __future__ import annotations

import dataclasses
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
from modelsign.errors import ModelsignError, error
from modelsign.reasons import ExitStatus
from modelsign.report.escape import escape_line
from modelsign.verdict import Report, plain

if TYPE_CHECKING:
    from modelsign.artifact.model import Artifact
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
    _check_output(session, model)
    if key is None:
        raise error("NO_SIGNING_METHOD", "no --key says how to sign")
    if add and bundle is not None:
        raise click.UsageError("--add chooses the place itself; leave out --bundle or --add.")
    signing_key = read_private_key(session, key, password_file)
    place = bundle or _place(model, signing_key.public.digest, add=add)
    with open_model(model, values, [place]) as artifact:
        if place != "-":
            _check_place(session, artifact, model, place, key)
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
        _make_folder(os.path.dirname(place))  # noqa: PTH120 - strings, as in artifact
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


def _check_place(session: Session, artifact: Artifact, model: str, place: str, key: str) -> None:
    """Refuse, before any work, a place that a signature must not take or could not be verified in."""
    for name in artifact.named_evidence:
        if not _admitted(name, git_left_out=artifact.ignores_git):
            raise error(
                "USAGE",
                f"{name} in the model is no place for a signature",
                advice="Leave out --bundle, pass --add for a further signature, or choose a place outside the model.",
            )
    if not os.path.lexists(place):
        return
    if not session.force:
        raise error(
            "OUTPUT_EXISTS",
            f"{place} exists already",
            advice="Pass --add to sign beside it, --force to replace it, or another place with --bundle.",
        )
    if not _may_be_replaced(artifact, model, place, key):
        raise error(
            "OUTPUT_EXISTS",
            f"{place} exists already and is no signature",
            advice="Choose another place with --bundle; --force replaces signatures and nothing else.",
        )


def _admitted(name: str, *, git_left_out: bool) -> bool:
    """Say whether a signature under this name in the model could be verified there."""
    from modelsign.artifact.model import GIT_NAMES, SIGNATURE_FOLDER, STORE

    top, _, rest = name.partition("/")
    if top == SIGNATURE_FOLDER:
        return rest.endswith(".sig") and "/" not in rest
    return name != STORE and not (git_left_out and top in GIT_NAMES)


def _may_be_replaced(artifact: Artifact, model: str, place: str, key: str) -> bool:
    """Say whether a file is a signature, or lies where nothing else may; never a key, never a file of the model."""
    from modelsign import files, limits
    from modelsign.artifact.model import SIGNATURE, SIGNATURE_FOLDER
    from modelsign.signing.bundle import parse_bundle
    from modelsign.signing.evidence import bundle_place
    from modelsign.signing.private_keys import is_private_key

    for precious in (key, model):
        if os.path.exists(place) and os.path.exists(precious) and os.path.samefile(place, precious):  # noqa: PTH110,PTH121 - strings, as in artifact
            return False
    if os.path.islink(place) or not os.path.isfile(place):  # noqa: PTH113,PTH114 - same
        return True  # nothing is lost with a link; anything else is refused as it is written to
    data = files.read_bounded(place, limits.BUNDLE_BYTES, what="signature")
    if is_private_key(data):
        return False
    named = artifact.named_evidence
    ours = {name for name in named if name.partition("/")[0] in (SIGNATURE, SIGNATURE_FOLDER)}
    if ours or place == bundle_place(model) or (not data and not named):
        return True
    try:
        parse_bundle(data)
    except ModelsignError:
        return False
    return True


def _check_output(session: Session, model: str) -> None:
    """Keep the report out of the model, where it would be a file that nobody signed."""
    report = session.presentation.output
    if report is None or not os.path.isdir(model):  # noqa: PTH112 - strings, as in artifact
        return
    folder = os.path.realpath(os.path.dirname(report))  # noqa: PTH120 - same
    if f"{folder}/".startswith(f"{os.path.realpath(model)}/"):
        session.presentation = dataclasses.replace(session.presentation, output=None)
        raise error(
            "USAGE",
            f"the report {report} would be a file in the model that nobody signed",
            advice="Choose a place outside the model with -o.",
        )


def _make_folder(folder: str) -> None:
    if os.path.islink(folder):  # noqa: PTH114 - same
        raise error(
            "SIGNATURE_NOT_A_FILE", f"{folder} is a link; further signatures lie in a folder of the model's own"
        )
    try:
        os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - same
    except OSError as fault:
        raise error("OUTPUT_UNWRITABLE", f"{folder}: {fault.strerror}") from None


def _same(model: str, name: str, place: str) -> bool:
    inside = os.path.join(model, name)  # noqa: PTH118 - strings, as in artifact
    return place != "-" and os.path.exists(place) and os.path.samefile(inside, place)  # noqa: PTH110,PTH121 - same
