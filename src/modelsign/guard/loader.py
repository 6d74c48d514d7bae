"""What a member of ``guard/loaders/`` is: one way to turn judged bytes into objects.

A loader gets sealed bytes, never a caller's path, and what the scan said of those very bytes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsign.verdict import FileScan

__all__ = ["Judged", "LoadOptions", "Loader"]


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """What the caller may choose about loading; nothing here widens what the policy and the scan allow.

    ``framework`` is what safetensors become: arrays or tensors. ``device`` is where torch puts them.
    ``weights_only`` is torch's own restriction, which the policy alone can lift; without it the unpickler is still held
    to the scan's names.
    """

    framework: Literal["numpy", "torch"] = "numpy"
    device: str = "cpu"
    weights_only: bool = True


@dataclass(frozen=True, slots=True)
class Judged:
    """One file whose bytes were judged: its name, its sealed bytes, and what the scan says of them.

    ``path`` is the sealed descriptor itself (``/proc/self/fd/N``), for libraries that want a path; it has no suffix.
    ``descriptor`` gives a fresh, read-only descriptor of the sealed bytes.
    """

    name: str
    path: str
    scan: FileScan
    descriptor: Callable[[], int]
    options: LoadOptions

    def stream(self) -> BinaryIO:
        """Return a new binary stream over the sealed bytes; the caller closes it."""
        return os.fdopen(self.descriptor(), "rb")


def _always(scan: FileScan) -> bool:  # noqa: ARG001 - the format alone decides
    return True


@dataclass(frozen=True, slots=True)
class Loader:
    """One loader.

    ``formats`` are the scan's readings it takes. Where two loaders take one reading, ``suits`` tells them apart by
    what the scan saw, and exactly one of them may say yes. ``load`` raises ``ModelsignError`` or the library's
    own error. ``libraries`` are the modules it imports, ``extra`` the extra that brings them, None for none.
    """

    id: str
    title: str
    description: str
    formats: tuple[str, ...]
    load: Callable[[Judged], object]
    suits: Callable[[FileScan], bool] = _always
    libraries: tuple[str, ...] = ()
    extra: str | None = None
