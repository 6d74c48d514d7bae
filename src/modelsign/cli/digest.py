"""``modelsign digest``: the digests that name a model, from its bytes or joined from shares; nothing is verified.

The JSON answer is a list of digests that ``digest merge`` and ``sign --from-digests`` read.
"""

from __future__ import annotations

import dataclasses
import os
import re
from typing import TYPE_CHECKING, Any

import click

from modelsign.cli.command import define
from modelsign.cli.manifest_options import LIST_ADVICE, manifest_options, serialization_of
from modelsign.cli.model_options import insecure_notes, keep_report_outside, model_options, open_model, progress_of
from modelsign.errors import error
from modelsign.reasons import ExitStatus
from modelsign.verdict import Report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelsign.artifact.digest_list import DigestList
    from modelsign.cli.session import Session

__all__ = ["command"]

_MERGE = "merge"


@define(
    "digest",
    examples=(
        "modelsign digest model/",
        "modelsign digest model/ --list",
        "modelsign digest model/ --serialization shards --shard 1/4 -o part-1.json",
        "modelsign digest merge part-1.json part-2.json part-3.json part-4.json -o digests.json",
    ),
)
@click.argument("model")
@click.argument("more", nargs=-1, metavar="[SHARE]...")
@click.option("--list", "listed", is_flag=True, help="Show the digest of each file or shard, as sha256sum does.")
@click.option(
    "--shard",
    "share",
    metavar="I/N",
    help="Hash only this share of N; the answer is JSON. Whole files are not split, shards are shared out.",
)
@manifest_options
@model_options
def command(
    session: Session, *, model: str, more: tuple[str, ...], listed: bool, share: str | None, **values: Any
) -> Report:
    """Show a model's digests.

    The root digest is what an OMS signature names; it does not bind names. The tree digest (dirHash1) binds them
    and is what attestations name. `modelsign digest merge SHARE...` joins the answers of --shard into the digests of
    the whole model.
    """
    if model == _MERGE and more:
        if share is not None:
            raise click.UsageError("--shard hashes, and merge joins what was hashed.")
        found, warnings = _merged(session, more, strict_names=not values["insecure_names"]), insecure_notes(values)
        _answer_in_json(session)
    elif model == _MERGE and not os.path.lexists(model):
        raise click.UsageError("merge joins shares: name the files that `digest MODEL --shard i/n` wrote.")
    elif more:
        raise click.UsageError(f"Got unexpected extra arguments ({' '.join(more)})")
    else:
        found, warnings = _hashed(session, model, share, values)
    return Report("digest", ExitStatus.OK, found.body(), warnings=warnings, text=_text(found, listed=listed))


def _hashed(
    session: Session, model: str, share: str | None, values: dict[str, Any]
) -> tuple[DigestList, tuple[str, ...]]:
    from modelsign.artifact.division import digest_share, largest_unsplit

    keep_report_outside(session, model)
    part = (1, 1) if share is None else _part(share)
    with open_model(model, values) as artifact:
        if artifact.unmatched_ignores:
            missing = ", ".join(artifact.unmatched_ignores)
            raise error("IGNORE_MATCHES_NOTHING", f"there is nothing at the path to ignore {missing}")
        found = digest_share(
            artifact,
            serialization_of(values),
            part,
            tree=values["tree_digest"],
            progress=progress_of(session, artifact, "hashing"),
        )
        warnings = artifact.warnings + insecure_notes(values)
    if share is not None:
        _answer_in_json(session)
    unsplit = largest_unsplit(found)
    if unsplit is not None:
        how = "--serialization shards --no-tree-digest splits inside files"
        warnings += (f"{unsplit} is more than one share's part and is not split, its digest is one chain; {how}",)
    return found, warnings


def _merged(session: Session, places: Sequence[str], *, strict_names: bool) -> DigestList:
    from modelsign import limits
    from modelsign.artifact.digest_list import parse_digests
    from modelsign.artifact.division import join

    shares = []
    for place in places:
        data = session.read(place, limits.DIGESTS_BYTES, what="share")
        with session.naming(place, LIST_ADVICE):
            shares.append(parse_digests(data, strict_names=strict_names))
    return join(shares)


def _part(share: str) -> tuple[int, int]:
    from modelsign import limits

    found = re.fullmatch(r"([1-9][0-9]{0,8})/([1-9][0-9]{0,8})", share)
    if found is None or not int(found[1]) <= int(found[2]) <= limits.DIGEST_PARTS:
        raise click.BadParameter(f"{share!r} is not I/N with I from 1 to N", param_hint="--shard")
    return int(found[1]), int(found[2])


def _answer_in_json(session: Session) -> None:
    """Answer in the form that is read again, unless another was asked for."""
    source = click.get_current_context().get_parameter_source("format")
    if source is click.core.ParameterSource.DEFAULT:
        session.presentation = dataclasses.replace(session.presentation, format="json")


def _text(found: DigestList, *, listed: bool) -> str:
    digests = found.digests
    lines = [f"{digests.listed[name]}  {name}" for name in sorted(digests.listed)] if listed else []
    if found.complete:
        lines += [f"root digest  {digests.root_digest}", f"tree digest  {digests.tree_digest or 'not computed'}"]
    else:
        lines.append(f"share {found.part[0]} of {found.part[1]}; only --format json can be merged")
    return "\n".join(lines) + "\n"
