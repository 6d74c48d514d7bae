"""The hash algorithms of manifests: OMS v1.0's algorithm registry, ``sha256`` (default), ``blake2b``, ``blake3``.

BLAKE3 comes from the package ``blake3``, an extra; the other two are hashlib's. All release the interpreter's lock.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final, Protocol, Self, cast

from modelsign.errors import error

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ALGORITHMS", "Hasher", "hasher_of"]

ALGORITHMS: Final = {"sha256": 64, "blake2b": 128, "blake3": 64}
"""Every algorithm, with the number of hex digits of its digest."""


class Hasher(Protocol):
    """What hashlib's and blake3's objects have in common."""

    def update(self, data: Any, /) -> Any:
        """Take more bytes."""
        ...

    def hexdigest(self) -> str:
        """Return the digest of the bytes so far, lowercase hex."""
        ...

    def copy(self) -> Self:
        """Return an independent hasher in the same state."""
        ...


def hasher_of(algorithm: str) -> Callable[..., Hasher]:
    """Return what makes a hasher: call it with bytes to begin with, or with nothing.

    Raises:
        ModelsignError: ``HASH_UNSUPPORTED``; for ``blake3`` where its package is not installed.

    """
    if algorithm == "blake3":
        try:
            from blake3 import blake3  # noqa: PLC0415 - an extra
        except ImportError:
            raise error(
                "HASH_UNSUPPORTED",
                "digests of BLAKE3 are wanted, and the package blake3 is not installed",
                advice="Install it with `pip install 'modelsign[blake3]'`, or ask the signer for SHA-256.",
            ) from None
        return cast("Callable[..., Hasher]", blake3)
    if algorithm not in ALGORITHMS:
        known = ", ".join(ALGORITHMS)
        raise error("HASH_UNSUPPORTED", f"the hash algorithm {algorithm} is not one of {known}")
    return cast("Callable[..., Hasher]", getattr(hashlib, algorithm))
