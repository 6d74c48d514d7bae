r"""The manifest of a model, and the two digests that name it.

The *root digest* is OMS v1.0's: SHA-256 over the raw digests in listed order; it does not bind names.
The *tree digest* is in-toto's ``dirHash1``: SHA-256 over ``<sha256 hex>  <name>\n`` per file, names as
raw UTF-8 sorted by bytes; it binds names.

Never reads a file; see :mod:`modelsign.artifact.hashing`.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from modelsign.errors import error

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Manifest", "Resource", "root_digest", "tree_digest"]


class Resource(NamedTuple):
    """One entry of a manifest: a name relative to the model, an algorithm, a digest in lowercase hex."""

    name: str
    algorithm: str
    digest_hex: str


def root_digest(digests: Iterable[str]) -> str:
    """Return OMS v1.0's root digest over hex digests in listed order, as lowercase hex."""
    return hashlib.sha256(bytes.fromhex("".join(digests))).hexdigest()


def tree_digest(digests: Mapping[str, str]) -> str:
    """Return the ``dirHash1`` over name → SHA-256 hex, as lowercase hex without prefix.

    Raises:
        ModelsignError: ``NAME_CONTROL_CHARACTER`` for a newline in a name, which would make two
            different models look alike.

    """
    # UTF-8 keeps the order of code points, so sorting the names sorts their bytes.
    lines = [f"{digests[name]}  {name}\n" for name in sorted(digests)]
    text = "".join(lines)
    if text.count("\n") != len(lines):
        odd = next(name for name in digests if "\n" in name)
        raise error("NAME_CONTROL_CHARACTER", f"the name {odd} holds a newline")
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


class Manifest:
    """The ordered resources of a model with their digests."""

    __slots__ = ("resources",)

    def __init__(self, resources: Iterable[Resource]) -> None:
        """Take the resources in the order in which they are listed."""
        self.resources = tuple(resources)

    @classmethod
    def of(cls, digests: Mapping[str, str]) -> Manifest:
        """Make a manifest of whole files from name → SHA-256 hex, in the order of OMS (code points)."""
        return cls(Resource(name, "sha256", digests[name]) for name in sorted(digests))

    @property
    def root_digest(self) -> str:
        """OMS's root digest, lowercase hex."""
        return root_digest(resource.digest_hex for resource in self.resources)

    @property
    def tree_digest(self) -> str:
        """The ``dirHash1``; every resource must be a whole file under SHA-256.

        Raises:
            ValueError: a resource has another algorithm, so the bytes must be read for this digest.

        """
        if any(resource.algorithm != "sha256" for resource in self.resources):
            raise ValueError("the tree digest is made of SHA-256 digests of whole files")
        return tree_digest({resource.name: resource.digest_hex for resource in self.resources})
