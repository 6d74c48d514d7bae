"""Flags for signing and verifying with key pairs in files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from modelsign.cli.session import Session
    from modelsign.signing.sealer import RawSigner, Sealer
    from modelsign.signing.trust import Trust

__all__ = ["SIGN_OPTIONS", "VERIFY_OPTIONS", "raw_signers", "sealers", "trusts"]

SIGN_OPTIONS = (
    click.option(
        "--key",
        "--private-key",
        "keys",
        multiple=True,
        metavar="FILE",
        help="A private key that signs; each one that is named makes a signature of its own.",
    ),
    click.option(
        "--password-file",
        "password_files",
        multiple=True,
        metavar="FILE",
        help="Where a key's password is: a file, or env:NAME; one for all keys, or one for each. Else it is asked for.",
    ),
)
VERIFY_OPTIONS = (
    click.option(
        "--key",
        "--public-key",
        "keys",
        multiple=True,
        metavar="FILE",
        help="A public key; all that are named must sign.",
    ),
)


def sealers(session: Session, values: Mapping[str, Any]) -> list[Sealer]:
    """Return a sealer for each private key."""
    from modelsign.signing.methods.key import KeySealer

    return [KeySealer(key) for key in raw_signers(session, values)]


def raw_signers(session: Session, values: Mapping[str, Any]) -> list[RawSigner]:
    """Return each private key, for whatever kind of bundle."""
    from modelsign.cli.model_options import read_private_key

    keys: Sequence[str] = values["keys"]
    passwords = _passwords(len(keys), values["password_files"])
    return [read_private_key(session, key, password) for key, password in zip(keys, passwords, strict=True)]


def trusts(session: Session, values: Mapping[str, Any], now: datetime) -> list[Trust]:
    """Return a trust for each public key; with proofs by logs and clocks where their number was given."""
    from modelsign.cli.model_options import read_public_key
    from modelsign.signing.methods.key import KeyTrust

    keys = [read_public_key(session, path) for path in values["keys"]]
    logs, timestamps = values["log_threshold"] or 0, values["timestamp_threshold"] or 0
    if not keys or not logs + timestamps:
        return [KeyTrust(key) for key in keys]
    from modelsign.cli.methods.trust_root_options import find_root
    from modelsign.signing.sigstore.proofs import ProofPolicy

    found = find_root(session, values, now)
    policy = ProofPolicy(logs=logs, timestamps=timestamps, times=0)
    return [KeyTrust(key, root=found.root, proofs=policy, notes=found.notes) for key in keys]


def _passwords(count: int, given: Sequence[str]) -> Sequence[str | None]:
    if not given:
        return [None] * count
    if len(given) == 1:
        return list(given) * count
    if len(given) != count:
        raise click.BadParameter(f"{len(given)} passwords for {count} keys", param_hint="--password-file")
    return given
