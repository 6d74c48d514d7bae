"""``modelsign scan``: what would these files do when loaded?

Exit status: all files clean 0, any unsafe 1, any other outcome 3, nothing to scan 4. ``--accept`` takes
``unverified`` and ``unsupported`` for good enough; ``incomplete`` never is. What another scanner finds counts only
where it was asked by ``--second-opinion``; ``--compare`` shows what all say and decides nothing.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from modelsign.cli.acceptances import acceptance_options, accepted, read_acceptances
from modelsign.cli.command import ALL_FORMATS, NO_SANDBOX, define
from modelsign.verdict import Answer, Outcome, Report, worst

if TYPE_CHECKING:
    from modelsign.cli.session import Session
    from modelsign.verdict import ScanResult

__all__ = ["command"]

_ACCEPTABLE = (Outcome.UNVERIFIED, Outcome.UNSUPPORTED)
_SHOWN = 3


def _outcomes(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> frozenset[Outcome]:
    """Read lists of outcomes with commas."""
    words = [word.strip() for text in value for word in text.split(",") if word.strip()]
    for word in words:
        if word not in _ACCEPTABLE:
            message = f"{word!r} cannot be accepted; choose from {', '.join(_ACCEPTABLE)}."
            raise click.BadParameter(message, ctx=ctx, param=param)
    return frozenset(Outcome(word) for word in words)


@define(
    "scan",
    examples=(
        "modelsign scan model/",
        "modelsign scan model.pt --format sarif -o scan.sarif",
        "modelsign scan model/ --second-opinion modelscan",
        "modelsign scan model/ --compare",
        "modelsign scan --trace model.pkl",
        "modelsign scan - < model.pkl",
    ),
    formats=ALL_FORMATS,
)
@click.argument("model", required=False)
@click.option(
    "--accept",
    callback=_outcomes,
    multiple=True,
    metavar="OUTCOME[,OUTCOME]",
    help="Take `unverified` and/or `unsupported` files for good enough; `incomplete` never is.",
)
@click.option(
    "--second-opinion",
    "--opinion",
    multiple=True,
    metavar="ENGINE",
    help="Ask another scanner too, and let its findings count: fickling, modelscan or picklescan.",
)
@click.option("--compare", "comparing", is_flag=True, help="Show who says what of each file; decides nothing.")
@click.option("--trace", is_flag=True, help="Disassemble the pickles, and mark what was found at its opcode.")
@click.option("--trust-global", multiple=True, metavar="MODULE.NAME", help="Take a name in a pickle for safe.")
@click.option("--allow-symlinks", is_flag=True, help="Follow links that stay inside the model.")
@click.option("--link-root", multiple=True, metavar="DIR", help="Follow links into this folder too.")
@acceptance_options
@NO_SANDBOX
@click.option("--ruleset", is_flag=True, help="Show the digest of the rules instead of scanning.")
def command(  # noqa: PLR0913 - one parameter a flag
    session: Session,
    *,
    model: str | None,
    accept: frozenset[Outcome],
    second_opinion: tuple[str, ...],
    comparing: bool,
    trace: bool,
    trust_global: tuple[str, ...],
    allow_symlinks: bool,
    link_root: tuple[str, ...],
    no_sandbox: bool,
    ruleset: bool,
    **acceptance: Any,
) -> Report:
    """Scan a model's files for code that would run when they are loaded."""
    from modelsign.artifact.model import open_artifact
    from modelsign.cli.model_options import keep_report_outside, place_of
    from modelsign.errors import ExitStatus
    from modelsign.examine import compare, examine, opinion_ids
    from modelsign.scan.ruleset import ruleset_digest
    from modelsign.scan.trace import tracing

    if ruleset:
        digest = ruleset_digest()
        return Report(session.command, ExitStatus.OK, body={"ruleset_digest": digest}, text=f"sha256:{digest}\n")
    if model is None:
        raise click.UsageError("Missing argument 'MODEL'.")
    if model != "-":
        keep_report_outside(session, model, nobody="scanned")
    given = read_acceptances(session, acceptance)
    scanning: Any = {"trust_globals": frozenset(trust_global), "sandbox": not no_sandbox}
    compared = opinion_ids() if comparing else ()
    warnings: list[str] = []
    with tracing() if trace else nullcontext() as traced:
        if model == "-":
            result = _scan_input(session, (*second_opinion, *compared), **scanning)
        else:
            with open_artifact(
                model, allow_symlinks=allow_symlinks, link_roots=link_root, strict_names=False
            ) as artifact:
                result = examine(
                    artifact, opinions=second_opinion, compared=compared, progress=session.progress, **scanning
                )
                warnings += artifact.warnings
    if traced is not None:
        result = replace(result, traces=tuple(traced.found))
        warnings += [] if traced.found else ["--trace: there is no pickle in what was scanned"]
    if comparing:
        result = compare(result)
    result, told = accepted(session, result, given, acceptance)
    report = _report(session, result, accept, (*warnings, *told, *_notes(result, trust_global, second_opinion)))
    return report if model == "-" else replace(report, place=place_of(session, model))


def _report(session: Session, result: ScanResult, accept: frozenset[Outcome], warnings: tuple[str, ...]) -> Report:
    status = result.exit_status(accept)
    reasons = _reasons(result, status)
    return Report(session.command, status, body=result.body(), reasons=reasons, warnings=warnings, result=result)


def _notes(result: ScanResult, trusted: tuple[str, ...], wanted: tuple[str, ...]) -> list[str]:
    """Say what was taken for safe, and which scanner that was asked by name has no opinion."""
    return [f"--trust-global {name} was taken for safe" for name in trusted] + [
        f"no second opinion of {opinion.engine}: {opinion.status} ({opinion.message})"
        for opinion in result.opinions
        if opinion.engine in wanted and opinion.status not in {"findings", "no findings"}
    ]


def _scan_input(session: Session, opinions: tuple[str, ...], **scanning: Any) -> ScanResult:
    """Scan standard input as one file without a name."""
    from modelsign import limits
    from modelsign.confined.scanning import scan_bytes

    if opinions:
        raise click.UsageError("A second opinion needs files, not standard input.")
    data = session.read("-", limits.SCAN_INPUT_BYTES, what="model")
    return scan_bytes(data, "-", **scanning)


def _reasons(result: ScanResult, status: int) -> tuple[Answer, ...]:
    """Say in one sentence why the status is not 0."""
    from modelsign.errors import ExitStatus, error

    if status == ExitStatus.OK:
        return ()
    left = {file.path: result.left(file) for file in result.files}
    most = worst(left.values())
    outcome = result.outcome if most is Outcome.CLEAN else most
    wanted = [path for path, what in left.items() if what is outcome]
    names = ", ".join(wanted[:_SHOWN]) or "the model as a whole"
    more = f" and {len(wanted) - _SHOWN} more" if len(wanted) > _SHOWN else ""
    code = "SCAN_UNSAFE" if status == ExitStatus.NEGATIVE else "SCAN_NOT_CLEAN"
    return (Answer.of(error(code, f"{outcome}: {names}{more}")),)
