"""What a member of ``signing/methods/`` is: one way to sign bytes and to say who signed them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelsign.signing.bundle import Bundle
    from modelsign.signing.keys import SigningKey, VerifyKey

__all__ = ["Method"]


class Method(NamedTuple):
    """One way to sign.

    ``kinds`` are the kinds of :class:`~modelsign.signing.bundle.Material` its bundles carry. ``seal`` makes a
    bundle of a payload type and a payload. ``find_signer`` returns the trusted key that made a bundle's
    signature, or raises; it takes whether legacy shapes are allowed.
    """

    id: str
    title: str
    description: str
    kinds: tuple[str, ...]
    seal: Callable[[str, bytes, SigningKey], bytes]
    find_signer: Callable[[Bundle, Sequence[VerifyKey], bool], VerifyKey]
