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
    from modelsign.signing.sigstore.services.trust_updates import Current, Repository
    from modelsign.signing.sigstore.trust_root import TrustRoot

__all__ = ["TRUST_ROOT_OPTIONS", "TRUST_SOURCE_OPTIONS", "FoundRoot", "find_root", "find_trust"]

TRUST_SOURCE_OPTIONS = (
    click.option("--trusted-root", metavar="FILE", help="The trusted_root.json of the Sigstore that is trusted."),
    click.option(
        "--trust-config", metavar="FILE", help="The client trust configuration of that Sigstore, instead of its root."
    ),
    click.option(
        "--tuf-url",
        metavar="URL",
        help="Where that Sigstore publishes its root; by default, where the public one does.",
    ),
    click.option("--tuf-root", metavar="FILE", help="The root.json by which the publisher is first trusted."),
    click.option("--offline", is_flag=True, help="Open no socket: use the trust root at hand, whose age is shown."),
    click.option("--max-root-age", metavar="DURATION", help="Refuse a trust root that is older, such as 30d."),
)
"""The flags that name a Sigstore."""
TRUST_ROOT_OPTIONS = (
    *TRUST_SOURCE_OPTIONS,
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
"""The flags that name a Sigstore, and how many of its proofs are wanted."""


class FoundRoot(NamedTuple):
    """The trust root that the flags name, and what has to be said about it."""

    root: TrustRoot
    notes: tuple[str, ...]


def find_root(session: Session, values: Mapping[str, Any], now: datetime) -> FoundRoot:
    """Return the trust root that the flags name.

    Raises:
        ModelsignError: as :func:`find_trust`.

    """
    found = find_trust(session, values, now)
    return FoundRoot(found.dated.root, found.warnings)


def find_trust(session: Session, values: Mapping[str, Any], now: datetime) -> Current:
    """Return the trust root that the flags name, and the signing configuration that came with it.

    Without a file it is brought up to date over the network, unless that is forbidden.

    Raises:
        ModelsignError: ``USAGE`` for two sources of trust, ``TRUST_ROOT_TOO_OLD``, a reason of the file or its reading,
            or of the update.

    """
    from modelsign.cli.methods.network import transport_of
    from modelsign.errors import error
    from modelsign.signing.sigstore.services.trust_updates import current_trust

    named = [name for name in ("trusted_root", "trust_config", "tuf_url") if values[name]]
    if len(named) > 1:
        flags = " and ".join(f"--{name.replace('_', '-')}" for name in named)
        raise error("USAGE", f"{flags} both name the Sigstore that is trusted")
    max_age = _duration(values["max_root_age"])
    if named and named != ["tuf_url"]:
        return _from_file(session, values, now, max_age)
    return current_trust(_repository(session, values), transport_of(session, values), now=now, max_age=max_age)


def _from_file(session: Session, values: Mapping[str, Any], now: datetime, max_age: timedelta | None) -> Current:
    from modelsign import limits
    from modelsign.signing.sigstore.services.trust_updates import Current
    from modelsign.signing.sigstore.trust_root import DatedRoot, parse_trust_config, parse_trust_root

    path = values["trusted_root"] or values["trust_config"]
    data = session.read(path, limits.TRUST_ROOT_BYTES, what="trust root")
    config = None
    with session.naming(path):
        if values["trusted_root"]:
            root = parse_trust_root(data)
        else:
            root, config = parse_trust_config(data)
    dated = DatedRoot(root, path, _changed(path) or root.newest_start)
    age = dated.check_age(now, max_age)
    told = "of unknown age" if age is None else f"{age.days} days old"
    return Current(dated, config, (f"the trust root from {path} is {told}", *root.warnings))


def _repository(session: Session, values: Mapping[str, Any]) -> Repository:
    from modelsign import limits
    from modelsign.signing.sigstore.services.trust_updates import PUBLIC_GOOD, Repository

    first = values["tuf_root"]
    root = None if first is None else session.read(first, limits.TRUST_ROOT_BYTES, what="TUF root")
    return Repository(values["tuf_url"] or PUBLIC_GOOD, session.cache_folder("tuf"), root)


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
