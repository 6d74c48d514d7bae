"""The flags by which findings are accepted for a time: baselines and acceptances in place."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import click

from modelsign.cli.sections import section

if TYPE_CHECKING:
    from modelsign.cli.session import Session
    from modelsign.verdict import Acceptance, ScanResult

__all__ = ["acceptance_options", "accepted", "read_acceptances"]

_DAYS: Final = 90
_OPTIONS: Final = (
    click.option("--baseline", metavar="FILE", help="Findings that were accepted, each until it expires."),
    click.option("--write-baseline", metavar="FILE", help="Accept what is found now: write it as a baseline."),
    click.option("--baseline-reason", metavar="TEXT", help="Why; needed to write a baseline."),
    click.option(
        "--baseline-days",
        type=click.IntRange(1, 3650),
        help=f"How long what is written holds; {_DAYS} where it is not said.",
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
    """Add the flags to a command; their values are what the functions below take."""
    for option in reversed(section("Accepted findings", _OPTIONS)):
        function = option(function)
    return function


def read_acceptances(session: Session, values: dict[str, Any]) -> list[Acceptance]:
    """Read what the flags accept, before any work is done.

    Raises:
        ModelsignError: ``BASELINE_NOT_FOUND``, ``BASELINE_INVALID``, and what reading files raises.

    """
    from modelsign import baseline, limits
    from modelsign.errors import error

    _check_usage(values)
    given: list[Acceptance] = []
    place = values["baseline"]
    if place is not None:
        if place != "-" and not os.path.lexists(place):
            raise error("BASELINE_NOT_FOUND", f"there is no baseline at {place}")
        given += baseline.read(session.read(place, limits.BASELINE_BYTES, what="baseline"))
    for text in values["accept_finding"]:
        try:
            given.append(_known(baseline.in_place(text)))
        except ValueError as fault:
            raise click.BadParameter(str(fault), param_hint="--accept-finding") from None
    return given


def accepted(
    session: Session, result: ScanResult, given: list[Acceptance], values: dict[str, Any]
) -> tuple[ScanResult, list[str]]:
    """Apply what is accepted to a result, and write the baseline that the flags ask for; also return warnings.

    Raises:
        ModelsignError: what writing files raises.

    """
    from modelsign import baseline

    insecure = values["insecure_accept_unsafe"]
    warnings = ["--insecure-accept-unsafe: findings called unsafe can be accepted"] if insecure else []
    if given:
        result = baseline.apply(result, given, now=session.now(), accept_unsafe=insecure)
        warnings += [one.warning() for one in result.acceptances if one.warning()]
    if values["write_baseline"] is not None:
        data, left = baseline.make(
            result,
            now=session.now(),
            days=values["baseline_days"] or _DAYS,
            reason=values["baseline_reason"].strip(),
            accept_unsafe=insecure,
        )
        session.write(values["write_baseline"], data)
        warnings += left
    return result, warnings


def _check_usage(values: dict[str, Any]) -> None:
    """Refuse flags that would do nothing by themselves, and a baseline without a reason."""
    if values["write_baseline"] is not None:
        if not (values["baseline_reason"] or "").strip():
            raise click.UsageError("--write-baseline needs --baseline-reason.")
    elif values["baseline_reason"] is not None or values["baseline_days"] is not None:
        raise click.UsageError("--baseline-reason and --baseline-days go with --write-baseline.")


def _known(one: Acceptance) -> Acceptance:
    """Return an acceptance whose rule exists.

    Raises:
        ValueError: there is no such rule.

    """
    from difflib import get_close_matches

    from modelsign.opinions.opinion import RULES
    from modelsign.scan.engine import known_rules

    ids = [rule.id for rule in (*known_rules(), *RULES)]
    if one.rule not in ids:
        near = get_close_matches(one.rule, ids, 1)
        message = f"there is no rule {one.rule!r}" + (f"; {near[0]} is near" if near else "")
        raise ValueError(message)
    return one
