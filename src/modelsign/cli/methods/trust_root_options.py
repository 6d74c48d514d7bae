"""Flags that say which Sigstore is trusted and how many of its proofs are wanted; keys and identities share them.

Not a member of the family.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from modelsign.cli.session import Session
    from modelsign.signing.trust_root import DatedRoot, TrustRoot

__all__ = ["TRUST_ROOT_OPTIONS", "FoundRoot", "find_root"]

TRUST_ROOT_OPTIONS = (
    click.option("--trusted-root", metavar="FILE", help="The trusted_root.json of the Sigstore that is trusted."),
    click.option(
        "--trust-config", metavar="FILE", help="The client trust configuration of that Sigstore, instead of its root."
    ),
    click.option("--offline", is_flag=True, help="Open no socket: use the trust root at hand, whose age is shown."),
    click.option("--max-root-age", metavar="DURATION", help="Refuse a trust root that is older, such as 30d."),
    click.option(
        "--log-threshold",
        type=click.IntRange(min=0),
        metavar="N",
        help="So many different transparency logs must confirm the signature (identities: 1; keys: none).",
    ),
    click.option(
        "--timestamp-threshold",
        type=click.IntRange(min=0),
        metavar="N",
        help="So many different RFC 3161 timestamp authorities must confirm it (none).",
    ),
)
"""The flags."""


class FoundRoot(NamedTuple):
    """The trust root that the flags name, and what has to be said about it."""

    root: TrustRoot
    notes: tuple[str, ...]


def find_root(session: Session, values: Mapping[str, Any], now: datetime) -> FoundRoot:
    """Return the trust root that the flags name.

    Raises:
        ModelsignError: ``USAGE`` for two sources of trust, ``TRUST_ROOT_TOO_OLD``, a reason of the file or its reading.

    """
    from modelsign.errors import error

    if values["trusted_root"] and values["trust_config"]:
        raise error("USAGE", "--trusted-root and --trust-config both name the Sigstore that is trusted")
    dated = _dated(session, values)
    age = dated.check_age(now, _duration(values["max_root_age"]))
    told = "of unknown age" if age is None else f"{age.days} days old"
    return FoundRoot(dated.root, (f"the trust root from {dated.place} is {told}", *dated.root.warnings))


def _dated(session: Session, values: Mapping[str, Any]) -> DatedRoot:
    from modelsign import limits
    from modelsign.signing.trust_root import DatedRoot, parse_trust_config, parse_trust_root, read_shipped_root

    path = values["trusted_root"] or values["trust_config"]
    if path is None:
        return read_shipped_root()
    data = session.read(path, limits.TRUST_ROOT_BYTES, what="trust root")
    root = parse_trust_root(data) if values["trusted_root"] else parse_trust_config(data).root
    return DatedRoot(root, path, _changed(path) or root.newest_start)


def _changed(path: str) -> datetime | None:
    """Return when a file was last written; None for standard input."""
    import os
    from datetime import UTC, datetime

    return None if path == "-" else datetime.fromtimestamp(os.stat(path).st_mtime, UTC)  # noqa: PTH116 - as it was read


def _duration(text: str | None) -> timedelta | None:
    from modelsign.policy import duration

    if text is None:
        return None
    try:
        return duration.parse(text)
    except ValueError as fault:
        raise click.BadParameter(str(fault), param_hint="--max-root-age") from None
