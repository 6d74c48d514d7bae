"""What a member of ``signing/methods/`` is: one way to sign bytes and to say who signed them."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Method"]


class Method(NamedTuple):
    """One way to sign.

    ``kinds`` are the kinds of :class:`~modelsign.signing.bundle.Material` its bundles carry. ``verifies`` is False for
    ways that make bundles of another method, which that method then verifies (a token's key is a key). ``extra`` is
    the optional part of the installation that it needs.

    Beside its descriptor a member has a :class:`~modelsign.signing.sealer.Sealer`, and where it verifies a
    :class:`~modelsign.signing.trust.Trust`.
    """

    id: str
    title: str
    description: str
    kinds: tuple[str, ...]
    verifies: bool = True
    extra: str | None = None
