"""``modelsign sign``: sign a model so that others can verify every byte of it.

Writes one Sigstore bundle that follows OpenSSF Model Signing v1.0. Nothing is overwritten without ``--force``.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from modelsign.cli.command import define
from modelsign.cli.digest_sources import (
    check_sources,
    prepare,
    prepare_without_model,
    source_options,
    unread_notes,
    unread_words,
)
from modelsign.cli.manifest_options import manifest_options
from modelsign.cli.methods import sealers, sign_options
from modelsign.cli.model_options import (
    insecure_notes,
    keep_report_outside,
    model_options,
    open_model,
    progress_of,
)
from modelsign.errors import ModelsignError, error
from modelsign.reasons import ExitStatus
from modelsign.report.escape import escape_line
from modelsign.verdict import Report, plain, who

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from modelsign.artifact.model import Artifact
    from modelsign.cli.session import Session
    from modelsign.signing.sealer import Sealer
    from modelsign.signing.sign import SignResult
    from modelsign.signing.validity import Validity

__all__ = ["command"]


@define(
    "sign",
    examples=(
        "modelsign sign model/ --key signer.pem",
        "modelsign sign weights.safetensors --key signer.pem --bundle weights.sig",
        "modelsign sign model/ --key second.pem --add",
        "modelsign sign model/ --key classic.pem --key post-quantum.pem",
        "modelsign sign model/ --key signer.pem --serialization shards --shard-size 100000000",
        "modelsign sign --from-digests SHA256SUMS --name model --key signer.pem --bundle model.sig",
        "modelsign sign model/ --key signer.pem --previous old.sig --changed config.json",
        "modelsign sign model/ --key signer.pem --certificate signer.crt --certificate-chain issuing-ca.crt",
        "modelsign sign model/ --keyless --yes",
    ),
)
@click.argument("model", required=False)
@sign_options
@click.option(
    "--bundle",
    "--signature",
    "bundles",
    multiple=True,
    metavar="FILE",
    help="Where the signature goes, one for each; by default model.sig in MODEL, or MODEL.sig beside a file.",
)
@click.option("--add", is_flag=True, help="Keep the signatures there are: write further ones into model.sig.d/.")
@click.option(
    "--reference-file-name",
    is_flag=True,
    help="Name a single file '.', as model-signing does and OMS does not, so that model-signing verifies it.",
)
@click.option(
    "--expires",
    metavar="TIME",
    help="Until when the signature is good: a time, a date, or a duration such as 90d. Only modelsign heeds it.",
)
@source_options
@manifest_options
@model_options
def command(  # noqa: PLR0913 - one parameter per flag
    session: Session,
    *,
    model: str | None,
    bundles: tuple[str, ...],
    add: bool,
    reference_file_name: bool,
    expires: str | None,
    **values: Any,
) -> Report:
    """Sign a model."""
    check_sources(model, values)
    chosen = sealers(session, values)
    validity = None if expires is None else _validity(expires, session.now())
    if model is None:
        return _sign_absent(session, chosen, bundles, values, validity, whole_model_name=reference_file_name)
    keep_report_outside(session, model)
    places = _places(model, chosen, bundles, add=add)
    with open_model(model, values, [place for place in places if place]) as artifact:
        for place in filter(None, places):
            if place != "-":
                _check_place(
                    session,
                    artifact,
                    model,
                    place,
                    [*values["keys"], *filter(None, (values["certificate"],)), *values["certificate_chain"]],
                )
        prepared = prepare(
            session,
            artifact,
            chosen,
            values,
            whole_model_name=reference_file_name,
            replaced=[name for name in artifact.evidence if any(_same(model, name, place) for place in places)],
            validity=validity,
            progress=progress_of(session, artifact, "signing"),
        )
        warnings = artifact.warnings + insecure_notes(values)
        ignored = artifact.ignored
    results = [prepared.sign(sealer) for sealer in chosen]  # all of them, before anything is written
    for number, result in enumerate(results):
        places[number] = places[number] or _further_place(model, result.signer.key_digest)
        _write(session, model, places[number], result.bundle)
    warnings += unread_notes(results[0], values)
    return _report(model, results, places, validity, ignored=ignored, warnings=warnings)


def _sign_absent(  # noqa: PLR0913 - the parts of one signature
    session: Session,
    chosen: Sequence[Sealer],
    bundles: Sequence[str],
    values: dict[str, Any],
    validity: Validity | None,
    *,
    whole_model_name: bool,
) -> Report:
    """Sign the digests of a model that is not here."""
    if len(bundles) != len(chosen) or len(set(bundles)) != len(bundles):
        raise click.UsageError("Without MODEL, --bundle says where each signature goes.")
    for place in bundles:
        if place != "-" and os.path.lexists(place):
            _check_existing(session, place)
    prepared = prepare_without_model(session, values, whole_model_name=whole_model_name, validity=validity)
    results = [prepared.sign(sealer) for sealer in chosen]
    for place, result in zip(bundles, results, strict=True):
        session.write(place, result.bundle + b"\n")
    warnings = insecure_notes(values) + unread_notes(results[0], values)
    name = values["name"] or values["from_digests"]
    return _report(name, results, bundles, validity, ignored=(), warnings=warnings)


def _check_existing(session: Session, place: str) -> None:
    """Refuse to write over anything but a signature, and over that without --force."""
    from modelsign import files, limits
    from modelsign.signing.bundle import parse_bundle

    if session.force and os.path.isfile(place):  # noqa: PTH113 - strings, as in artifact
        try:
            parse_bundle(files.read_bounded(place, limits.BUNDLE_BYTES, what="signature"))
        except ModelsignError:
            pass
        else:
            return
    raise error(
        "OUTPUT_EXISTS",
        f"{place} exists already",
        advice="Choose another place with --bundle; --force replaces signatures and nothing else.",
    )


def _validity(expires: str, now: datetime) -> Validity:
    from modelsign.cli.times import until
    from modelsign.signing.validity import Validity

    return Validity(now, until("--expires", expires, now))


def _report(  # noqa: PLR0913 - the parts of the answer
    model: str,
    results: Sequence[SignResult],
    places: Sequence[str],
    validity: Validity | None,
    *,
    ignored: Sequence[str],
    warnings: tuple[str, ...],
) -> Report:
    from modelsign import timestamp

    first = results[0]
    body: dict[str, object] = {
        "bundle": places[0],
        "bundles": list(places),
        "root_digest": first.root_digest,
        "tree_digest": first.tree_digest,
        "oms": all(result.oms for result in results),
        "format": "oms-v1.0",
        "expires": None if validity is None else timestamp.write(validity.expires),
        "signers": plain([result.signer for result in results]),
        "files": {"signed": first.files, "ignored": list(ignored), "unread": list(first.unread)},
    }
    text = f"signed {first.files} file{'' if first.files == 1 else 's'} of {escape_line(model)}\n"
    for result, place in zip(results, places, strict=True):
        text += f"  signature    {escape_line(place)}\n  by           {escape_line(who(result.signer))}\n"
    text += f"  root digest  {first.root_digest}\n  tree digest  {first.tree_digest or 'not computed'}\n"
    text += unread_words(first)
    if validity is not None:
        text += f"  expires      {body['expires']}\n"
    return Report("sign", ExitStatus.OK, body, warnings=warnings, text=text)


def _places(model: str, chosen: Sequence[Sealer], bundles: Sequence[str], *, add: bool) -> list[str]:
    """Return where each signature goes, empty where only the finished signature tells."""
    from modelsign.signing.evidence import bundle_place

    if bundles:
        if add:
            raise click.UsageError("--add chooses the place itself; leave out --bundle or --add.")
        if len(bundles) != len(chosen):
            raise click.UsageError(f"--bundle is given {len(bundles)} times for {len(chosen)} signatures.")
        if len(set(bundles)) != len(bundles):
            raise click.UsageError("--bundle names one place twice.")
        return list(bundles)
    further = [_further_place(model, sealer.key_digest) if sealer.key_digest else "" for sealer in chosen]
    if len(set(filter(None, further))) != len([place for place in further if place]):
        raise click.UsageError("One key is named twice.")
    return further if add else [bundle_place(model), *further[1:]]


def _further_place(model: str, key_digest: str) -> str:
    from modelsign.signing.evidence import bundle_place

    return f"{bundle_place(model)}.d/{key_digest[:16]}.sig"


def _write(session: Session, model: str, place: str, bundle: bytes) -> None:
    from modelsign.signing.evidence import bundle_place

    folder = os.path.dirname(place)  # noqa: PTH120 - strings, as in artifact
    if folder == f"{bundle_place(model)}.d":
        _make_folder(folder)
    session.write(place, bundle + b"\n")


def _check_place(session: Session, artifact: Artifact, model: str, place: str, keys: Sequence[str]) -> None:
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
    if not _may_be_replaced(artifact, model, place, keys):
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


def _may_be_replaced(artifact: Artifact, model: str, place: str, keys: Sequence[str]) -> bool:
    """Say whether a file is a signature, or lies where nothing else may; never a key, never a file of the model."""
    from modelsign import files, limits
    from modelsign.artifact.model import SIGNATURE, SIGNATURE_FOLDER
    from modelsign.signing.bundle import parse_bundle
    from modelsign.signing.evidence import bundle_place
    from modelsign.signing.private_keys import is_private_key

    for precious in (*keys, model):
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
    return place not in ("", "-") and os.path.exists(place) and os.path.samefile(inside, place)  # noqa: PTH110,PTH121 - same
