"""Finds private keys among a model's files, by content, so that they are not signed and published.

Looks at all of a small file and at the start of a large one; never opens a key and never shows one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from modelsign.errors import error

if TYPE_CHECKING:
    from modelsign.artifact.model import Artifact
    from modelsign.artifact.snapshot import Snapshot

__all__ = ["is_private_key", "refuse_private_keys"]

_LOOKED_AT: Final = 1024 * 1024
"""Bytes of a file that are searched."""
_DER_BYTES: Final = 16 * 1024
"""A DER key is no larger."""
_DER_SEQUENCE: Final = b"\x30"
# The armour alone also stands in documentation and vocabularies: a key has base64 after it. Line ends may be
# written as \n where the key is a string in JSON.
_ARMOUR: Final = re.compile(
    rb"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY-----(?:\s|\\[nr]){1,4}"
    rb"(?:Proc-Type: |DEK-Info: |[A-Za-z0-9+/]{16})"
)
_PUTTY: Final = re.compile(rb"PuTTY-User-Key-File-[23]: ")


def refuse_private_keys(artifact: Artifact | Snapshot) -> None:
    """Refuse a model one of whose files holds a private key.

    Raises:
        ModelsignError: ``PRIVATE_KEY_IN_MODEL``, or a fault of reading.

    """
    for name in artifact.names + artifact.aside:
        with artifact.open(name) as reading:
            if is_private_key(reading.read_at(0, _LOOKED_AT), whole=reading.size <= _LOOKED_AT):
                raise error("PRIVATE_KEY_IN_MODEL", f"{name} holds a private key")


def is_private_key(data: bytes, *, whole: bool = True) -> bool:
    """Say whether bytes hold a private key; ``whole`` says that they are all of the file."""
    if b"PRIVATE KEY-----" in data and _ARMOUR.search(data):
        return True
    if _PUTTY.match(data):
        return True
    return whole and len(data) <= _DER_BYTES and data.startswith(_DER_SEQUENCE) and _is_der_key(data)


def _is_der_key(data: bytes) -> bool:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - only where a file looks like DER
    from cryptography.hazmat.primitives.serialization import load_der_private_key  # noqa: PLC0415 - same

    try:
        load_der_private_key(data, None)
    except ValueError:
        return False
    except (TypeError, UnsupportedAlgorithm):  # encrypted, or a private key of a kind that is not known
        return True
    return True
