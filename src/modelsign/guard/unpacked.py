"""Unpacks a compressed stream for the loaders, with the very reader the scan unpacked it with.

Libraries guess a compression by rules of their own; here the bytes a loader gets are those the scan judged.
What comes out is kept in sealed memory, and scanned again, so that its reading picks the loader.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from modelsign import limits
from modelsign.artifact.reading import BLOCK, FileReading
from modelsign.confined.scanning import Scanner
from modelsign.errors import error
from modelsign.scan.formats import _index

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsign.artifact.reading import Reading
    from modelsign.guard.loader import Judged

__all__ = ["COMPRESSED", "unpacked"]

COMPRESSED: Final = "compressed"
"""The scan's reading of a compressed stream."""
_SEALS: Final = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL


@contextmanager
def unpacked(judged: Judged, *, sandbox: bool = True) -> Iterator[Judged]:
    """Give what a compressed stream holds, as a judged file of its own; gone after the block.

    Raises:
        ModelsignError: ``LOAD_FAILED`` if the stream is not whole.

    """
    target = os.memfd_create("modelsign", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        with FileReading(judged.descriptor(), judged.name) as packed:
            (member,) = _index.load(COMPRESSED).scan(packed, judged.name).members
            with member.open(limits.SCAN_UNPACKED_BYTES) as stream:
                if stream.fault is not None:
                    raise error("LOAD_FAILED", f"{judged.name}: {stream.fault.message}")
                _copy(stream, target)
        fcntl.fcntl(target, fcntl.F_ADD_SEALS, _SEALS)
        with (
            FileReading(_again(target), judged.name) as inner,
            Scanner(total=inner.size, largest=inner.size, sandbox=sandbox) as scanner,
        ):
            scan = scanner.scan(inner, member.name)
        yield replace(judged, path=f"/proc/self/fd/{target}", scan=scan, descriptor=lambda: _again(target))
    finally:
        os.close(target)


def _again(descriptor: int) -> int:
    return os.open(f"/proc/self/fd/{descriptor}", os.O_RDONLY | os.O_CLOEXEC)


def _copy(source: Reading, target: int) -> None:
    for offset in range(0, source.size, BLOCK):
        block = source.read_at(offset, BLOCK)
        while block:
            block = block[os.write(target, block) :]
