"""The flags by which ``verify`` is told what was revoked. Decides nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeVar

import click

from modelsign import limits
from modelsign.cli.sections import section
from modelsign.errors import error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from modelsign.cli.session import Session
    from modelsign.signing.revocation import Revocations

__all__ = ["read_list_file", "read_revocations", "revocation_options", "shown_lists"]

_Function = TypeVar("_Function", bound="Callable[..., Any]")

_OPTIONS = (
    click.option("--revocation-list", metavar="FILE", help="Nothing on this signed list passes; it must be there."),
    click.option(
        "--revocation-key",
        "revocation_keys",
        multiple=True,
        metavar="FILE",
        help="A public key that may sign the revocation list; one of those named must have.",
    ),
    click.option("--max-revocation-age", metavar="DURATION", help="How old the list may be, such as 7d."),
    click.option(
        "--revocation-version",
        type=click.IntRange(min=1),
        metavar="N",
        help="The least version of the list.",
    ),
)


def revocation_options(function: _Function) -> _Function:
    """Add the flags that name a revocation list."""
    for option in reversed(section("Revocation", _OPTIONS)):
        function = option(function)
    return function


def read_revocations(session: Session, values: Mapping[str, Any], now: datetime) -> Revocations | None:
    """Open the list that the flags name and check that it is fresh; None where none was asked for.

    Raises:
        ModelsignError: ``REVOCATION_NOT_ASKED``, ``REVOCATION_LIST_MISSING`` or another reason of the list.

    """
    place, age = values["revocation_list"], values["max_revocation_age"]
    if place is None:
        if values["revocation_keys"] or age is not None or values["revocation_version"] is not None:
            raise error("REVOCATION_NOT_ASKED", "settings of a revocation list were given, and no --revocation-list")
        return None
    from modelsign.cli.model_options import read_public_key
    from modelsign.cli.times import duration
    from modelsign.signing.freshness import check_freshness
    from modelsign.signing.revocation import Revocations
    from modelsign.signing.revocation_list import open_list

    keys = [read_public_key(session, key) for key in values["revocation_keys"]]
    if not keys:
        raise error("REVOCATION_NOT_ASKED", "no --revocation-key says who may sign the revocation list")
    longest = None if age is None else duration("--max-revocation-age", age)
    revocations = open_list(read_list_file(session, place), keys)
    check_freshness(revocations, now=now, max_age=longest, least_version=values["revocation_version"])
    return Revocations([revocations])


def shown_lists(revocations: Revocations | None) -> dict[str, object]:
    """Say in the answer which list was asked, where one was: the verdict is of its version."""
    from modelsign import timestamp

    if revocations is None:
        return {}
    (asked,) = revocations.lists
    return {
        "revocation_list": {
            "version": asked.version,
            "issued": timestamp.write(asked.issued),
            "expires": timestamp.write(asked.expires),
            "key_digest": asked.signer.key_digest if asked.signer else None,
        }
    }


def read_list_file(session: Session, place: str) -> bytes:
    """Read a revocation list, unverified.

    Raises:
        ModelsignError: ``REVOCATION_LIST_MISSING``, ``INPUT_UNREADABLE`` or ``INPUT_TOO_LARGE``.

    """
    if place != "-" and not os.path.lexists(place):
        raise error("REVOCATION_LIST_MISSING", f"there is no revocation list at {place}")
    return session.read(place, limits.REVOCATION_BYTES, what="revocation list")
