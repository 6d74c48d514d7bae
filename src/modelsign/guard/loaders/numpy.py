"""NumPy arrays (``.npy``) and archives of them (``.npz``), read whole.

Arrays of objects are pickles inside; they are read with the restricted unpickler, never with ``allow_pickle``.
"""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Final, cast

from modelsign.errors import error
from modelsign.guard.loader import Loader
from modelsign.guard.restricted import AcceptedGlobals, unpickle

if TYPE_CHECKING:
    from typing import Any, BinaryIO

    from modelsign.guard.loader import Judged

__all__ = ["LOADER"]

_ZIP_START: Final = b"PK"


def _load(judged: Judged) -> object:
    accepted = AcceptedGlobals(judged.scan.globals, judged.name)
    with judged.stream() as stream:
        if stream.read(len(_ZIP_START)) == _ZIP_START:
            return _archive(stream, accepted, judged.name)
        stream.seek(0)
        return _array(stream, accepted, judged.name)


def _archive(stream: BinaryIO, accepted: AcceptedGlobals, name: str) -> dict[str, object]:
    arrays: dict[str, object] = {}
    with zipfile.ZipFile(stream) as archive:
        for member in archive.namelist():
            with archive.open(member) as part:
                arrays[member.removesuffix(".npy")] = _array(cast("BinaryIO", part), accepted, f"{name}:{member}")
    return arrays


def _array(stream: BinaryIO, accepted: AcceptedGlobals, name: str) -> Any:
    from numpy.lib import format as npy  # noqa: PLC0415 - heavy, and optional

    readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    version = npy.read_magic(stream)
    if version in readers:
        shape, _, dtype = readers[version](stream)
        if dtype.hasobject:
            return _objects(unpickle(stream, accepted), shape, dtype, name)
    stream.seek(0)
    return npy.read_array(stream, allow_pickle=False)


def _objects(array: Any, shape: tuple[int, ...], dtype: Any, name: str) -> Any:
    """Return the pickled array if it is what the header announced; the pickle keeps shape and order itself."""
    if getattr(array, "dtype", None) != dtype or getattr(array, "shape", None) != shape:
        raise error("LOAD_FAILED", f"{name}: the pickled array is not what the header announces")
    return array


LOADER: Final = Loader(
    id="numpy",
    title="NumPy",
    description="The array of a .npy file; a dictionary of arrays for .npz, all read at once.",
    formats=("numpy",),
    load=_load,
    libraries=("numpy",),
    extra="numpy",
)
