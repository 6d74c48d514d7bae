"""``modelsign revocation``: make, extend, renew and show signed revocation lists.

The list is one file that its publisher signs anew, with the next version, each time it is changed. Whoever changes it
first verifies what is there, so that nothing is signed that the publisher did not write.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from modelsign.cli.command import define, group
from modelsign.cli.methods import sealers, sign_options
from modelsign.reasons import ExitStatus
from modelsign.report.escape import escape_line
from modelsign.verdict import Report, plain, who

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from modelsign.cli.session import Session
    from modelsign.signing.revocation_list import RevocationList, Revoked
    from modelsign.signing.sealer import Sealer

__all__ = ["command"]

_LIFE: Final = "30d"

command = group("revocation", "Make and show signed lists of what does not count any more.")

_EXPIRES = click.option(
    "--expires",
    metavar="TIME",
    default=_LIFE,
    show_default=True,
    help="Until when the list is good: a time, a date, or a duration from now.",
)


def _changes_a_list(function: Callable[..., Report]) -> Callable[..., Report]:
    """Add what every change of a list has."""
    previous = click.option(
        "--previous-key", metavar="FILE", help="The public key the list is signed with now, if it is another one."
    )
    return click.argument("place", metavar="LIST")(sign_options(previous(_EXPIRES(function))))


@define(
    "revocation init",
    within=command,
    examples=(
        "modelsign revocation init revoked.json --key authority.pem",
        "modelsign revocation init revoked.json --key authority.pem --expires 7d",
    ),
)
@click.argument("place", metavar="LIST")
@sign_options
@_EXPIRES
def init(session: Session, *, place: str, expires: str, **values: Any) -> Report:
    """Make an empty list, version 1."""
    from modelsign.cli.times import until
    from modelsign.signing.revocation_list import RevocationList

    now = session.now()
    made = RevocationList(1, now, until("--expires", expires, now))
    return _sign(session, place, made, _sealer(session, values), replace=False)


@define(
    "revocation add",
    within=command,
    examples=(
        "modelsign revocation add revoked.json --key ca.pem --revoke-key old.pub --since 2026-11-20 --reason lost",
        "modelsign revocation add revoked.json --key ca.pem --revoke-model model/ --reason backdoor",
    ),
)
@_changes_a_list
@click.option("--revoke-key", "revoked_keys", multiple=True, metavar="FILE", help="A public key that signs no more.")
@click.option(
    "--revoke-identity", "identities", multiple=True, metavar="NAME", help="An identity that signs no more, exactly."
)
@click.option("--issuer", metavar="URL", help="The identities only as this issuer confirmed them.")
@click.option(
    "--revoke-signature", "signatures", multiple=True, metavar="BUNDLE", help="A bundle whose signature counts no more."
)
@click.option("--revoke-model", "models", multiple=True, metavar="MODEL", help="A model, whoever signed it.")
@click.option("--revoke-tree-digest", "trees", multiple=True, metavar="HEX", help="The same, by its tree digest.")
@click.option("--revoke-file-digest", "file_digests", multiple=True, metavar="HEX", help="A file, by SHA-256.")
@click.option("--reason", required=True, metavar="TEXT", help="Why; whoever is refused sees it.")
@click.option(
    "--since", metavar="TIME", help="Since when a key or identity was in other hands; older proven signatures stand."
)
def add(session: Session, *, place: str, expires: str, previous_key: str | None, **values: Any) -> Report:
    """Add entries: keys, identities, signatures, models or files."""
    from modelsign.cli.times import until

    now = session.now()
    entries = tuple(_entries(session, values, now))
    if not entries:
        raise click.UsageError("Name what is revoked: --revoke-key, --revoke-identity, --revoke-model, …")
    sealer = _sealer(session, values)
    return _change(session, place, sealer, previous_key, entries, now, until("--expires", expires, now))


@define(
    "revocation renew",
    within=command,
    examples=(
        "modelsign revocation renew revoked.json --key authority.pem",
        "modelsign revocation renew revoked.json --key new.pem --previous-key authority.pub --expires 7d",
    ),
)
@_changes_a_list
def renew(session: Session, *, place: str, expires: str, previous_key: str | None, **values: Any) -> Report:
    """Sign the list again as it is, with the next version and a new expiry."""
    from modelsign.cli.times import until

    now = session.now()
    return _change(session, place, _sealer(session, values), previous_key, (), now, until("--expires", expires, now))


@define(
    "revocation show",
    within=command,
    examples=(
        "modelsign revocation show revoked.json --revocation-key authority.pub",
        "modelsign revocation show revoked.json --format json",
    ),
)
@click.argument("place", metavar="LIST")
@click.option(
    "--revocation-key", "keys", multiple=True, metavar="FILE", help="A public key that may have signed the list."
)
def show(session: Session, *, place: str, keys: tuple[str, ...]) -> Report:
    """Show a list; without --revocation-key nothing about it is verified."""
    from modelsign.cli.model_options import read_public_key
    from modelsign.cli.revocation_options import read_list_file
    from modelsign.errors import ModelsignError
    from modelsign.signing.bundle import parse_bundle
    from modelsign.signing.freshness import check_freshness
    from modelsign.signing.revocation_list import open_list, parse_list

    data = read_list_file(session, place)
    warnings: tuple[str, ...] = ()
    if keys:
        shown = open_list(data, [read_public_key(session, key) for key in keys])
    else:
        shown = parse_list(parse_bundle(data).payload)
        warnings = ("nothing was verified: no --revocation-key says who may have signed the list",)
    try:
        check_freshness(shown, now=session.now())
    except ModelsignError as fault:
        warnings += (fault.message,)
    return _report(session, place, shown, warnings)


def _entries(session: Session, values: Mapping[str, Any], now: datetime) -> list[Revoked]:
    from modelsign.artifact.hashing import hash_artifact
    from modelsign.artifact.manifest import tree_digest
    from modelsign.artifact.model import open_artifact
    from modelsign.cli.model_options import is_inert, read_public_key
    from modelsign.cli.times import moment
    from modelsign.signing.bundle import parse_bundle
    from modelsign.signing.evidence import read_bundle
    from modelsign.signing.revocation import statement_digest
    from modelsign.signing.revocation_list import Revoked

    since = moment("--since", values["since"]) if values["since"] else None
    if values["issuer"] is not None and not values["identities"]:
        raise click.UsageError("--issuer belongs to --revoke-identity.")
    _check_texts(values)
    found = [("key", read_public_key(session, key).digest) for key in values["revoked_keys"]]
    found += [("identity", name) for name in values["identities"]]
    others: list[tuple[str, str]] = []
    for place in values["signatures"]:
        data = read_bundle(place)
        with session.naming(place):
            others.append(("signature", statement_digest(parse_bundle(data))))
    for model in values["models"]:
        with open_artifact(model, is_inert=is_inert) as artifact:
            others.append(("model", tree_digest(hash_artifact(artifact))))
    others += [("model", digest) for digest in values["trees"]] + [
        ("file", digest) for digest in values["file_digests"]
    ]
    if since is not None and others:
        raise click.UsageError("--since is for keys and identities; what is wrong with a model was always wrong.")
    return [
        Revoked(kind, value, values["reason"], now, since, values["issuer"] if kind == "identity" else None)
        for kind, value in found + others
    ]


def _check_texts(values: Mapping[str, Any]) -> None:
    """Refuse what no list could hold, in the words of the flags."""
    import re

    from modelsign.signing.revocation_list import REASON_CHARACTERS

    for flag, name in (("--revoke-tree-digest", "trees"), ("--revoke-file-digest", "file_digests")):
        for digest in values[name]:
            if re.fullmatch("[0-9a-f]{64}", digest) is None:
                raise click.BadParameter(f"{digest[:80]!r} is not 64 lowercase hex digits", param_hint=flag)
    for flag, text in (("--reason", values["reason"]), *(("--revoke-identity", name) for name in values["identities"])):
        if not 0 < len(text) <= REASON_CHARACTERS:
            raise click.BadParameter(f"has to have 1 to {REASON_CHARACTERS} characters", param_hint=flag)


def _sealer(session: Session, values: Mapping[str, Any]) -> Sealer:
    found = sealers(session, values)
    if len(found) != 1:
        raise click.UsageError("A revocation list has one signature; name one key.")
    return found[0]


def _change(  # noqa: PLR0913, PLR0917 - one change of one list
    session: Session,
    place: str,
    sealer: Sealer,
    previous_key: str | None,
    entries: tuple[Revoked, ...],
    now: datetime,
    expires: datetime,
) -> Report:
    """Verify the list that is there, and sign the next one."""
    import os

    from modelsign.attest.store import locked
    from modelsign.cli.model_options import read_public_key
    from modelsign.signing.methods.key import KeySealer
    from modelsign.signing.revocation_list import open_list

    if place == "-":
        raise click.UsageError("A list that is changed is a file: it is read, signed and replaced.")
    if previous_key is not None:
        trusted = read_public_key(session, previous_key)
    elif isinstance(sealer, KeySealer):
        trusted = sealer.key.public
    else:
        raise click.UsageError("--previous-key says which key the list is signed with now.")
    with locked(os.path.dirname(os.path.abspath(place))):  # noqa: PTH100, PTH120 - strings, as in the store
        before = open_list(_present(session, place), [trusted])
        after = before._replace(
            version=before.version + 1, issued=now, expires=expires, entries=(*before.entries, *entries)
        )
        return _sign(session, place, after, sealer, replace=True)


def _present(session: Session, place: str) -> bytes:
    """Read the list that is to be changed."""
    import os

    from modelsign.cli.revocation_options import read_list_file
    from modelsign.errors import error

    if not os.path.lexists(place):
        raise error(
            "REVOCATION_LIST_MISSING",
            f"there is no revocation list at {place}",
            advice="Check the spelling, or make one with `modelsign revocation init`.",
        )
    return read_list_file(session, place)


def _sign(session: Session, place: str, revocations: RevocationList, sealer: Sealer, *, replace: bool) -> Report:
    from modelsign import files
    from modelsign.signing.revocation_list import seal_list

    sealed = seal_list(revocations, sealer)
    if replace:
        files.write_atomic(place, sealed.bundle + b"\n", force=True)
    else:
        session.write(place, sealed.bundle + b"\n")
    return _report(session, place, revocations._replace(signer=sealed.signer))


def _report(session: Session, place: str, shown: RevocationList, warnings: tuple[str, ...] = ()) -> Report:
    from modelsign import timestamp
    from modelsign.signing.revocation_list import written

    issued, expires = timestamp.write(shown.issued), timestamp.write(shown.expires)
    entries = [written(entry) for entry in shown.entries]
    body: dict[str, object] = {
        "list": place,
        "version": shown.version,
        "issued": issued,
        "expires": expires,
        "signer": None if shown.signer is None else plain(shown.signer),
        "entries": entries,
    }
    signer = "NOT VERIFIED" if shown.signer is None else escape_line(who(shown.signer))
    text = (
        f"revocation list {escape_line(place)}\n  version    {shown.version}\n  signed by  {signer}\n"
        f"  issued     {issued}\n  expires    {expires}\n  entries    {len(entries)}\n"
    )
    for entry in shown.entries:
        since = f" since {timestamp.write(entry.since)}" if entry.since else ""
        by = f" of {entry.issuer}" if entry.issuer else ""
        text += f"    {entry.kind} {escape_line(entry.value + by)}{since}: {escape_line(entry.reason)}\n"
    return Report(session.command, ExitStatus.OK, body, warnings=warnings, text=text)
