"""``modelsign verify``: are these the bytes that those you name signed?

Exit status: 0 verified (with --only, the files that were asked for: PARTIAL); 1 unsigned, changed, missing or extra
file, wrong key; 2 no trust source or no such model; 3 malformed or unreadable; 4 empty model. All reasons are listed,
refusals first; the first is the exit status.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import click

from modelsign.cli.command import ALL_FORMATS, define
from modelsign.cli.manifest_options import tree_digest_option
from modelsign.cli.methods import fetched, trusts, verify_options
from modelsign.cli.model_options import (
    insecure_notes,
    is_inert,
    keep_report_outside,
    model_options,
    open_model,
    progress_of,
)
from modelsign.cli.revocation_options import read_revocations, revocation_options, shown_lists
from modelsign.errors import ModelsignError, UsageError
from modelsign.reasons import ExitStatus
from modelsign.verdict import Answer, FileLedger, Report, VerifyResult, VerifyVerdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelsign.cli.session import Session

__all__ = ["command"]


@define(
    "verify",
    examples=(
        "modelsign verify model/ --key publisher.pub",
        "modelsign verify weights.safetensors --bundle weights.sig --key publisher.pub",
        "modelsign verify model/ --key alice.pub --key bob.pub --key carol.pub --threshold 2",
        "modelsign verify model/ --ca-roots root.crt --certificate-identity release@example.org",
        "modelsign verify model/ --certificate-identity me@example.org --certificate-oidc-issuer https://accounts.google.com",
        "modelsign verify model/ --key publisher.pub --revocation-list revoked.json --revocation-key authority.pub",
        "modelsign verify model/ --key publisher.pub --only config.json --only 'vae/**'",
    ),
    formats=ALL_FORMATS,
)
@click.argument("model")
@click.option(
    "--bundle",
    "--signature",
    "bundles",
    multiple=True,
    metavar="FILE",
    help="A signature; by default model.sig and model.sig.d/*.sig in MODEL, or MODEL.sig beside a file.",
)
@verify_options
@click.option("--threshold", type=click.IntRange(min=1), metavar="N", help="So many distinct signers are enough.")
@click.option(
    "--count-by",
    type=click.Choice(["signer", "issuer"]),
    default="signer",
    show_default=True,
    help="What makes signers distinct for --threshold: key and identity, or the issuer too.",
)
@click.option(
    "--ignore-unsigned-files/--no-ignore-unsigned-files",
    default=False,
    help="Only list extra files, unless they could be loaded.",
)
@click.option(
    "--only",
    "only",
    multiple=True,
    metavar="PATTERN",
    help="Look at these files alone (* stays in a folder, ** does not); the verdict is PARTIAL, the rest is listed.",
)
@tree_digest_option
@click.option("--allow-legacy", is_flag=True, help="Accept formats from before OMS v1.1.")
@click.option("--require-oms", is_flag=True, help="Refuse whatever OMS v1.0 does not say, though it is understood.")
@revocation_options
@model_options
def command(  # noqa: PLR0913 - one parameter per flag
    session: Session,
    *,
    model: str,
    bundles: tuple[str, ...],
    threshold: int | None,
    count_by: Any,
    ignore_unsigned_files: bool,
    only: tuple[str, ...],
    tree_digest: bool,
    allow_legacy: bool,
    require_oms: bool,
    **values: Any,
) -> Report:
    """Verify a model's signature.

    Trust is named by you: without a key or an identity there is no verdict (exit 2). Keys in a bundle or beside the
    model are never trusted.
    """
    from modelsign.signing.evidence import find_bundles
    from modelsign.signing.verify import VerifyOptions, verify_model

    keep_report_outside(session, model)
    now = session.now()
    options = VerifyOptions(
        ignore_paths=tuple(values["ignore_paths"]),
        ignore_unsigned_files=ignore_unsigned_files,
        unsigned_loadable=values["insecure_unsigned_loadable"],
        allow_legacy=allow_legacy,
        threshold=threshold,
        count_by=count_by,
        strict_names=not values["insecure_names"],
        is_inert=is_inert,
        now=now,
        require_oms=require_oms,
        tree_digest=tree_digest,
        only=_asked_for(only),
    )
    try:
        trusted = trusts(session, values, now)
        options = options._replace(revocations=read_revocations(session, values, now))
        with open_model(model, values, bundles) as artifact:
            data = _read(session, bundles or find_bundles(model))
            trusted = fetched(session, values, trusted, data)
            progress = progress_of(session, artifact, "verifying")
            result = verify_model(artifact, data, trusted, options=options, progress=progress)
    except UsageError:
        raise
    except ModelsignError as fault:
        result = _unanswered(fault)
    notes = insecure_notes(values)
    result = dataclasses.replace(result, warnings=result.warnings + notes)
    answers = tuple(Answer.of(reason) for reason in result.reasons)
    body = result.body() | shown_lists(options.revocations)
    return Report("verify", result.exit_status, body, answers, result.warnings, result)


def _asked_for(only: tuple[str, ...]) -> tuple[str, ...]:
    """Take a narrower question from the command line alone: a variable somewhere must not turn VERIFIED into less."""
    source = click.get_current_context().get_parameter_source("only")
    if only and source is not click.core.ParameterSource.COMMANDLINE:
        raise click.UsageError("--only counts on the command line alone, not as a variable or in a configuration.")
    return only


def _read(session: Session, places: Sequence[str]) -> list[bytes]:
    from modelsign import limits
    from modelsign.signing.evidence import read_bundles

    given = [session.read("-", limits.BUNDLE_BYTES, what="bundle")] if "-" in places else []
    return given + read_bundles([place for place in places if place != "-"])


def _unanswered(fault: ModelsignError) -> VerifyResult:
    """Give the stable keys of the answer also where the model could not be compared."""
    verdict = VerifyVerdict.REFUSED if fault.exit_status is ExitStatus.NEGATIVE else VerifyVerdict.UNDECIDED
    return VerifyResult(
        verdict, None, None, None, oms=False, format=None, signers=(), files=FileLedger(), reasons=(fault,)
    )
