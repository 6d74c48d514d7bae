"""The flags by which findings are accepted for a time: baselines and acceptances in place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from modelsign.cli.sections import section

if TYPE_CHECKING:
    from modelsign.cli.session import Session
    from modelsign.verdict import Acceptance, ScanResult

__all__ = ["acceptance_options", "accepted"]

_OPTIONS: Final = (
    click.option("--baseline", metavar="FILE", help="Findings that were accepted, each until it expires."),
    click.option("--write-baseline", metavar="FILE", help="Accept what is found now: write it as a baseline."),
    click.option("--baseline-reason", metavar="TEXT", help="Why; needed to write a baseline."),
    click.option(
        "--baseline-days",
        type=click.IntRange(1, 3650),
        default=90,
        show_default=True,
        help="How long what is written holds.",
    ),
    click.option(
        "--accept-finding",
        multiple=True,
        metavar="RULE:PATH:DATE:REASON",
        help="Accept a rule's findings in one file until a date (YYYY-MM-DD, UTC).",
    ),
    click.option(
        "--insecure-accept-unsafe",
        is_flag=True,
        help="Let a baseline accept `unsafe` findings of the very bytes it names.",
    ),
)


def acceptance_options(function: Any) -> Any:
    """Add the flags to a command; their values are what :func:`accepted` takes."""
    for option in reversed(section("Accepted findings", _OPTIONS)):
        function = option(function)
    return function


def accepted(session: Session, result: ScanResult, values: dict[str, Any]) -> tuple[ScanResult, list[str]]:
    """Apply what the flags accept to a result; also return warnings.

    Raises:
        ModelsignError: ``BASELINE_INVALID``, and what reading and writing files raises.

    """
    from modelsign import baseline, limits

    given: list[Acceptance] = []
    if values["baseline"] is not None:
        given += baseline.read(session.read(values["baseline"], limits.BASELINE_BYTES, what="baseline"))
    for text in values["accept_finding"]:
        try:
            given.append(baseline.in_place(text))
        except ValueError as fault:
            raise click.BadParameter(str(fault), param_hint="--accept-finding") from None
    insecure = values["insecure_accept_unsafe"]
    warnings = ["--insecure-accept-unsafe: findings called unsafe can be accepted"] if insecure else []
    if given:
        result = baseline.apply(result, given, now=session.now(), accept_unsafe=insecure)
        warnings += [one.warning() for one in result.acceptances if one.warning()]
    if values["write_baseline"] is not None:
        if not values["baseline_reason"] or not values["baseline_reason"].strip():
            raise click.UsageError("--write-baseline needs --baseline-reason.")
        data, left = baseline.make(
            result,
            now=session.now(),
            days=values["baseline_days"],
            reason=values["baseline_reason"].strip(),
            accept_unsafe=insecure,
        )
        session.write(values["write_baseline"], data)
        warnings += left
    return result, warnings
