r"""The manifest of a model, and the two digests that name it.

The *root digest* is OMS v1.0's: SHA-256 over the raw digests in listed order; it does not bind names.
The *tree digest* is in-toto's ``dirHash1``: SHA-256 over ``<sha256 hex>  <name>\n`` per file, names as
raw UTF-8 sorted by bytes; it binds names.

A *serialization* says how a manifest lists a model: whole files, or consecutive byte ranges of one size, shards, each
named ``path:start:end`` (OMS v1.0, section 6.3). An empty file has no shard; the tree digest alone binds it.

Never reads a file; see :mod:`modelsign.artifact.hashing`.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign.errors import error

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "FILES",
    "SHARD_SIZE",
    "Digests",
    "Manifest",
    "Resource",
    "Serialization",
    "parse_shard_name",
    "root_digest",
    "shard_name",
    "tree_digest",
]

SHARD_SIZE: Final = 1_000_000_000
"""Bytes of a shard unless somebody says otherwise (OMS v1.0, section 6.3.2)."""


_SHARD: Final = re.compile(r"(.+):(0|[1-9][0-9]{0,18}):([1-9][0-9]{0,18})", re.DOTALL)


class Serialization(NamedTuple):
    """How a manifest lists a model: under which algorithm, and in shards of how many bytes (None: whole files)."""

    algorithm: str = "sha256"
    shard_size: int | None = None

    @property
    def method(self) -> str:
        """OMS's word for it: ``files`` or ``shards``."""
        return "files" if self.shard_size is None else "shards"

    def spans(self, size: int) -> list[tuple[int, int]]:
        """Return the shards of a file of ``size`` bytes as (start, end), end exclusive; none for an empty file."""
        step = self.shard_size or max(1, size)
        return [(start, min(start + step, size)) for start in range(0, size, step)]

    def names(self, name: str, size: int) -> list[str]:
        """Return the names of the resources of one file."""
        if self.shard_size is None:
            return [name]
        return [shard_name(name, start, end) for start, end in self.spans(size)]


FILES: Final = Serialization()
"""Whole files under SHA-256, the default."""


def shard_name(name: str, start: int, end: int) -> str:
    """Return the name of a shard."""
    return f"{name}:{start}:{end}"


def parse_shard_name(name: str) -> tuple[str, tuple[int, int] | None]:
    """Split ``path:start:end`` at its last two colons, for paths may hold some; None where it is no shard's name."""
    found = _SHARD.fullmatch(name)
    return (name, None) if found is None else (found[1], (int(found[2]), int(found[3])))


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


class Digests(NamedTuple):
    """The digests of a model's bytes, lowercase hex, as one pass over them gives them.

    ``listed`` are those of the manifest, by the names of its resources. ``whole`` are the SHA-256 digests of whole
    files, by name; empty where no tree digest was wanted. ``sizes`` are in bytes, by name, of every file.
    """

    serialization: Serialization
    listed: Mapping[str, str]
    whole: Mapping[str, str]
    sizes: Mapping[str, int]

    @property
    def root_digest(self) -> str:
        """OMS's root digest over the listed digests, in the order of OMS (code points of the names)."""
        return root_digest(self.listed[name] for name in sorted(self.listed))

    @property
    def tree_digest(self) -> str | None:
        """The ``dirHash1``; None where the whole files were not hashed."""
        return tree_digest(self.whole) if self.whole else None


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
