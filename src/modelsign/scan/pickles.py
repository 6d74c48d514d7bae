"""What a pickle would do when loaded, decided without loading it.

The entry points for every format that carries pickles: plain pickle files, PyTorch archives, NumPy object
arrays, joblib. Nothing here imports or calls what a pickle names; the bytes are walked by an abstract machine
that follows CPython's ``Modules/_pickle.c`` (not ``pickletools``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsign.scan.format import Inspection

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["scan_pickle"]


def scan_pickle(
    reading: Reading, *, member: str | None = None, start: int = 0, persistent: str | None = None
) -> Inspection:
    """Say what the pickle (or the pickles one after the other) from ``start`` to the end would do.

    ``member`` is the path inside a container, put into every finding. ``persistent`` names the shape of
    persistent ids the caller's loader resolves: ``"torch"`` for PyTorch storages; None makes any a finding.
    """
    raise NotImplementedError
