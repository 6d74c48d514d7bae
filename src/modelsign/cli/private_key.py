"""Reads the private key a command signs with; the password comes by file, ``env:NAME`` or prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsign import limits

if TYPE_CHECKING:
    from modelsign.cli.session import Session
    from modelsign.signing.keys import SigningKey

__all__ = ["read_private_key"]


def read_private_key(session: Session, path: str, password_file: str | None) -> SigningKey:
    """Return the key; asks for a password only where one is needed and none is named.

    Raises:
        ModelsignError: what reading the file and the key raises.

    """
    from modelsign.errors import ModelsignError
    from modelsign.signing.keys import load_private_key

    data = session.read(path, limits.KEY_BYTES, what="private key")
    if password_file is not None:
        return load_private_key(data, session.secret(password_file, prompt=""))
    try:
        return load_private_key(data)
    except ModelsignError as fault:
        if fault.code != "KEY_PASSWORD_NEEDED":
            raise
        return load_private_key(data, session.secret(None, prompt=f"Password of {path}"))
