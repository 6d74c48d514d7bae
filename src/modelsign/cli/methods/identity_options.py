"""Flags that name whose certificate must have signed; certificates and identities of Sigstore share them.

Not a member of the family: a member asks :func:`identities` for what was named and makes its own kind of trust of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["IDENTITY_OPTIONS", "NamedIdentity", "identities"]

IDENTITY_OPTIONS = (
    click.option(
        "--certificate-identity",
        "--identity",
        "identities",
        multiple=True,
        metavar="NAME",
        help="Who must have signed, exactly as the certificate says: a URI, a mail address, …; each one named must.",
    ),
    click.option(
        "--certificate-identity-glob",
        "identity_globs",
        multiple=True,
        metavar="PATTERN",
        help="Who must have signed, as a glob of the whole name: ** anything, * up to a separator (/ @ : …), ?.",
    ),
    click.option(
        "--certificate-identity-regexp",
        "identity_regexps",
        multiple=True,
        metavar="PATTERN",
        help="Who must have signed, as a regular expression of the whole name (always anchored).",
    ),
)
"""The flags; a member puts them among its own, and the first of the family's members shows them."""


class NamedIdentity(NamedTuple):
    """An identity that a flag named, and how it is meant."""

    kind: Literal["exact", "glob", "regexp"]
    text: str


def identities(values: Mapping[str, Any]) -> list[NamedIdentity]:
    """Return every identity that was named, in the order of the flags above."""
    return [
        *(NamedIdentity("exact", text) for text in values["identities"]),
        *(NamedIdentity("glob", text) for text in values["identity_globs"]),
        *(NamedIdentity("regexp", text) for text in values["identity_regexps"]),
    ]
