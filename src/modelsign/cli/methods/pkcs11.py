"""Flags for signing with a key on a PKCS#11 token. Whoever verifies names its public key (``key show``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from modelsign.errors import ModelsignError, error

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from modelsign.cli.session import Session
    from modelsign.signing.methods.pkcs11 import Pkcs11Key
    from modelsign.signing.sealer import RawSigner, Sealer
    from modelsign.signing.trust import Trust

__all__ = ["SIGN_OPTIONS", "VERIFY_OPTIONS", "open_key", "raw_signers", "sealers", "trusts"]

SIGN_OPTIONS = (
    click.option("--pkcs11-uri", metavar="URI", help="A key on a token that signs (RFC 7512), without its PIN."),
    click.option(
        "--pin-file", metavar="FILE", help="Where the token's PIN is: a file, or env:NAME. Else it is asked for."
    ),
)
VERIFY_OPTIONS: tuple[Any, ...] = ()


def sealers(session: Session, values: Mapping[str, Any]) -> list[Sealer]:
    """Return a sealer for the key on the token."""
    from modelsign.signing.methods.key import KeySealer

    return [KeySealer(key) for key in raw_signers(session, values)]


def raw_signers(session: Session, values: Mapping[str, Any]) -> list[RawSigner]:
    """Return the key on the token, for whatever kind of bundle."""
    uri = values["pkcs11_uri"]
    if uri is None:
        if values["pin_file"]:
            raise click.UsageError("--pin-file is for --pkcs11-uri.")
        return []
    source = click.get_current_context().get_parameter_source("pkcs11_uri")
    public = source is click.core.ParameterSource.COMMANDLINE  # anybody can read a process's arguments
    return [open_key(session, uri, values["pin_file"], pin_allowed=not public)]


def trusts(session: Session, values: Mapping[str, Any], now: datetime) -> list[Trust]:
    """Return nothing: a token's key is a key like any other to whoever verifies."""
    del session, values, now
    return []


def open_key(session: Session, text: str, pin_source: str | None, *, pin_allowed: bool = False) -> Pkcs11Key:
    """Open a key on a token; ask for its PIN where it needs one and none was given."""
    from modelsign.signing.methods.pkcs11 import Pkcs11Key
    from modelsign.signing.pkcs11_uri import parse_pkcs11_uri

    uri = parse_pkcs11_uri(text, pin_allowed=pin_allowed)
    source = pin_source or uri.pin_file
    pin = session.secret(source, prompt="PIN") if source is not None else uri.pin
    try:
        return Pkcs11Key(uri, _text(pin))
    except ModelsignError as fault:
        asked = session.secret(None, prompt="PIN of the token") if fault.code == "PKCS11_PIN_NEEDED" else None
        if not asked:  # an empty PIN would be one of the few tries
            raise
    return Pkcs11Key(uri, _text(asked))


def _text(pin: bytes | None) -> str | None:
    try:
        return None if pin is None else pin.decode("utf-8")
    except UnicodeDecodeError:
        raise error("PKCS11_PIN_WRONG", "the PIN is not UTF-8") from None
