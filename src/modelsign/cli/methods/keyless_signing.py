"""Flags for signing with an identity of Sigstore, and for letting others confirm a signature by a key.

What becomes public for ever is said first, and somebody must agree: ``--yes``, or a person at the terminal.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import click

from modelsign.cli.methods.trust_root_options import TRUST_SOURCE_OPTIONS
from modelsign.errors import error
from modelsign.report.escape import escape_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from modelsign.cli.session import Session
    from modelsign.signing.sealer import Sealer
    from modelsign.signing.sigstore.services.rekor import Log
    from modelsign.signing.sigstore.services.signing_config import Services
    from modelsign.signing.sigstore.services.tokens import Token

__all__ = ["SIGN_OPTIONS", "sealers", "witnessed"]

_FRESH: Final = 60
"""Seconds that a token must be good for, or another one is fetched."""
_LOOKS_LIKE_A_TOKEN: Final = re.compile(r"\s*ey[\w=-]{5,}\.ey[\w=-]{5,}")
"""How one begins: header and claims are JSON objects in base64url; what follows matters to nobody who reads it."""

SIGN_OPTIONS = (
    click.option("--keyless", is_flag=True, help="Sign with an identity, by Sigstore; it becomes public for ever."),
    click.option(
        "--identity-token",
        metavar="FILE",
        help="Where the identity token is: a file, or env:NAME. Else an ambient one is taken, or you log in.",
    ),
    click.option("--oidc-issuer", metavar="URL", help="Where to log in; by default what the configuration says."),
    click.option("--oidc-out-of-band", is_flag=True, help="Log in with a browser on another machine."),
    click.option("--signing-config", metavar="FILE", help="The signing configuration: which services sign."),
    *TRUST_SOURCE_OPTIONS,
    click.option(
        "--timestamp-url",
        "--timestamp-server-url",
        "timestamp_urls",
        multiple=True,
        metavar="URL",
        help="Let this RFC 3161 authority confirm when the signature existed.",
    ),
    click.option(
        "--log", "--rekor-url", "logs", multiple=True, metavar="URL", help="Write the signature into this Rekor log."
    ),
    click.option(
        "--log-version",
        type=click.IntRange(1, 2),
        default=2,
        show_default=True,
        help="The version of the interface of --log.",
    ),
    click.option("-y", "--yes", is_flag=True, help="Agree that what is said to become public may."),
)


def sealers(session: Session, values: Mapping[str, Any]) -> list[Sealer]:
    """Return what signs with an identity, once somebody agreed to what becomes public.

    Raises:
        ModelsignError: ``PUBLICATION_NOT_AGREED``, ``NETWORK_OFFLINE``, ``USAGE``, or a reason of the token, the trust
            root or the signing configuration.

    """
    if not values["keyless"]:
        _refuse_stray(values)
        return []
    if values["offline"]:
        raise error("NETWORK_OFFLINE", "a signature with an identity needs Sigstore's services")
    from modelsign.cli.methods.network import transport_of
    from modelsign.cli.methods.trust_root_options import find_trust
    from modelsign.signing.sigstore.services.sealer import KeylessSealer
    from modelsign.signing.sigstore.services.signing_config import choose_services

    trust = find_trust(session, values, session.now())
    config = _signing_config(session, values) or trust.signing_config
    if config is None:
        raise error("USAGE", "--trusted-root says nothing of services: add --signing-config, or use --trust-config")
    services = choose_services(
        config, now=session.now(), logs=_logs(values), timestamp_authorities=values["timestamp_urls"]
    )
    known, token = _token(session, values, services)
    _agree(session, values, _published(known, services))
    return [KeylessSealer(trust.dated.root, services, transport_of(session, values), token, session.now)]


def witnessed(session: Session, values: Mapping[str, Any], found: Sequence[Sealer]) -> list[Sealer]:
    """Return sealers by keys and certificates with the confirmations that the flags ask for.

    Raises:
        ModelsignError: ``PUBLICATION_NOT_AGREED``, ``NETWORK_OFFLINE`` or ``NETWORK_URL_REFUSED``.

    """
    logs, stamps = _logs(values), values["timestamp_urls"]
    if not found or not (logs or stamps):
        return list(found)
    from modelsign.cli.methods.network import transport_of
    from modelsign.signing.methods.key import KeySealer
    from modelsign.signing.sigstore.services.witnesses import WitnessedSealer, Witnesses
    from modelsign.transport import check_url

    for log in logs:
        check_url(log.url, what="transparency log")
    for url in stamps:
        check_url(url, what="timestamp authority", plain=True)
    if values["offline"]:
        raise error("NETWORK_OFFLINE", "timestamps and log entries come from servers")
    if logs:
        named = ", ".join(log.url for log in logs)
        _agree(session, values, f"the public key, its signature and the digest of what it signs, in {named}")
    witnesses = Witnesses(transport_of(session, values), stamps, logs)
    return [
        WitnessedSealer(sealer, witnesses, sealer.key.public if isinstance(sealer, KeySealer) else None)
        for sealer in found
    ]


def _refuse_stray(values: Mapping[str, Any]) -> None:
    for name in ("identity_token", "oidc_issuer", "oidc_out_of_band", "signing_config"):
        if values[name]:
            raise error("USAGE", f"--{name.replace('_', '-')} is for --keyless")


def _logs(values: Mapping[str, Any]) -> tuple[Log, ...]:
    from modelsign.signing.sigstore.services.rekor import Log

    return tuple(Log(url, values["log_version"]) for url in values["logs"])


def _signing_config(session: Session, values: Mapping[str, Any]) -> Mapping[str, object] | None:
    from modelsign import limits
    from modelsign.signing.sigstore.services.signing_config import parse_signing_config

    path = values["signing_config"]
    if path is None:
        return None
    data = session.read(path, limits.TRUST_ROOT_BYTES, what="signing configuration")
    with session.naming(path):
        return parse_signing_config(data)


def _token(session: Session, values: Mapping[str, Any], services: Services) -> tuple[Token | None, Callable[[], Token]]:
    """Return the token, where it is there already, and what fetches one when it is needed."""
    from modelsign.signing.sigstore.services.tokens import ambient_token, interactive_token

    source = values["identity_token"]
    if source is not None:
        given = _given_token(session, source)
        return given, lambda: given
    offered = None if values["oidc_issuer"] else ambient_token(now=session.now())
    if offered is not None:
        return offered, lambda: _fresh(session, offered)
    issuer = values["oidc_issuer"] or services.issuer
    if issuer is None or not session.interactive:
        raise error("TOKEN_MISSING", "there is no ambient identity token, and nobody at a terminal who could log in")
    return None, lambda: interactive_token(issuer, now=session.now(), out_of_band=values["oidc_out_of_band"])


def _given_token(session: Session, source: str) -> Token:
    from modelsign import limits
    from modelsign.signing.sigstore.services.tokens import read_token

    if _LOOKS_LIKE_A_TOKEN.match(source):
        raise error(
            "USAGE",
            "--identity-token was given a token itself, which everybody on this machine can read among the arguments",
            advice="Pass a file that holds it, or env:NAME for a variable.",
        )
    if source.startswith("env:"):
        data = session.secret(source, prompt="identity token") or b""
    else:
        data = session.read(source, limits.TOKEN_BYTES, what="identity token")
    return read_token(data, now=session.now())


def _fresh(session: Session, offered: Token) -> Token:
    """Return the ambient token, or another one where reading the model took nearly as long as it lives."""
    from modelsign.signing.sigstore.services.tokens import ambient_token

    now = session.now()
    if (offered.expires - now).total_seconds() > _FRESH:
        return offered
    return ambient_token(now=now) or offered


def _published(token: Token | None, services: Services) -> str:
    who = "the identity you log in with" if token is None else f"the identity {token.identity} of {token.issuer}"
    logs = " and ".join(f"the transparency log {log.url}" for log in services.logs)
    told = "is shown what is signed, names of files included, and keeps its digest"
    kept = f"; {logs} {told if _shows_all(services) else 'keeps a digest of what is signed'}" if logs else ""
    return f"{who} and the time, in the certificate log of {services.authority}{kept}"


def _shows_all(services: Services) -> bool:
    return any(log.version == 1 for log in services.logs)


def _agree(session: Session, values: Mapping[str, Any], published: str) -> None:
    told = f"This becomes public, for ever: {published}."
    if values["yes"]:
        session.tell(told)
        return
    if not session.agrees(f"{escape_line(told)} Go on?"):
        raise error("PUBLICATION_NOT_AGREED", f"nobody agreed. {told}")
