"""Flags for signing with a key at a key management service. Whoever verifies names its public key (``key show``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from modelsign.errors import error

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from modelsign.cli.session import Session
    from modelsign.signing.methods.kms import KmsKey
    from modelsign.signing.sealer import RawSigner, Sealer
    from modelsign.signing.trust import Trust

__all__ = ["SIGN_OPTIONS", "VERIFY_OPTIONS", "is_kms_uri", "open_key", "raw_signers", "sealers", "trusts"]

SIGN_OPTIONS = (
    click.option(
        "--kms",
        metavar="URI",
        help="A key at a service that signs: awskms://, gcpkms://, azurekms://, hashivault:// or openbao://.",
    ),
)
VERIFY_OPTIONS: tuple[Any, ...] = ()


def sealers(session: Session, values: Mapping[str, Any]) -> list[Sealer]:
    """Return a sealer for the key at the service."""
    from modelsign.signing.methods.key import KeySealer

    return [KeySealer(key) for key in raw_signers(session, values)]


def raw_signers(session: Session, values: Mapping[str, Any]) -> list[RawSigner]:
    """Return the key at the service, for whatever kind of bundle.

    Raises:
        ModelsignError: ``NETWORK_OFFLINE``, or a reason of the service.

    """
    if values["kms"] is None:
        return []
    if values["offline"]:  # before anything looks for credentials, which some environments keep at a server too
        raise error("NETWORK_OFFLINE", "the key is at a service, which would have to be asked")
    return [open_key(session, values["kms"])]


def trusts(session: Session, values: Mapping[str, Any], now: datetime) -> list[Trust]:
    """Return nothing: a service's key is a key like any other to whoever verifies."""
    del session, values, now
    return []


def is_kms_uri(text: str) -> bool:
    """Say whether a text is meant as the URI of a key at a service."""
    from modelsign.signing.kms.reference import SCHEMES

    return text.startswith(SCHEMES)


def open_key(session: Session, uri: str) -> KmsKey:
    """Ask the service for the key."""
    from modelsign.cli.methods.network import transport_of
    from modelsign.signing.methods.kms import KmsKey, open_service

    return KmsKey(open_service(uri, environ=session.environ, transport=transport_of(session, {"offline": False})))
