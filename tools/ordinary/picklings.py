"""Writes one object in every way in which people keep fitted models: pickles by protocol, joblib plain and compressed.

Used by the generators of ``libraries``, which run in whatever Python has the library: this must run in 3.7 too.
"""

from __future__ import annotations

import importlib.util
import io
import pickle
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["joblibs", "pickles"]

_PROTOCOLS = (2, 3, 4, 5)
_COMPRESSED = {
    "joblib": 0,
    "joblib.z": ("zlib", 3),
    "joblib.gz": ("gzip", 3),
    "joblib.bz2": ("bz2", 3),
    "joblib.xz": ("xz", 0),
    "joblib.lzma": ("lzma", 0),
    "joblib.lz4": ("lz4", 1),
}


def pickles(name: str, made: Any) -> Iterator[tuple[str, bytes | str]]:
    """Yield ``NAME.pN.pkl`` by each protocol, or why an object cannot be pickled."""
    for protocol in _PROTOCOLS:
        if protocol <= pickle.HIGHEST_PROTOCOL:
            yield f"{name}.p{protocol}.pkl", _attempt(pickle.dumps, made, protocol)


def joblibs(name: str, made: Any) -> Iterator[tuple[str, bytes | str]]:
    """Yield what ``joblib.dump`` writes, plain and with each compression."""
    import joblib  # noqa: PLC0415 - only libraries whose models are kept so have it

    def dumped(value: Any, compress: Any) -> bytes:
        file = io.BytesIO()
        joblib.dump(value, file, compress=compress)
        return file.getvalue()

    for suffix, compress in _COMPRESSED.items():
        if suffix == "joblib.lz4" and importlib.util.find_spec("lz4") is None:
            continue
        yield f"{name}.{suffix}", _attempt(dumped, made, compress)


def _attempt(write: Any, made: Any, how: Any) -> bytes | str:
    """Return the bytes, or in words why there are none: objects with functions of their own cannot be pickled."""
    try:
        data: bytes = write(made, how)
    except (pickle.PicklingError, TypeError, AttributeError, NotImplementedError) as fault:
        return f"{type(fault).__name__}: {fault}"
    return data
