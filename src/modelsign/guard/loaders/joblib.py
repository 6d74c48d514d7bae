"""Joblib dumps: a pickle with raw arrays between the opcodes, importing exactly the names the scan accepted.

A subclass of joblib's own unpickler. Three of its habits are not taken over: arrays of objects are read with the
restricted unpickler (older joblib used an unrestricted one), arrays in companion files are refused (they are opened
by a name from the stream), and nothing is mapped.
"""

from __future__ import annotations

import inspect
import pickle
from typing import TYPE_CHECKING, Final

from modelsign.errors import error
from modelsign.guard.loader import Loader
from modelsign.guard.restricted import AcceptedGlobals, unpickle

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, BinaryIO

    from modelsign.guard.loader import Judged
    from modelsign.verdict import FileScan

__all__ = ["LOADER"]


def _unpickler(stream: BinaryIO, accepted: AcceptedGlobals) -> Any:
    """Return joblib's unpickler over a stream, restricted; the classes exist only where joblib does."""
    from joblib import numpy_pickle  # noqa: PLC0415 - heavy, and optional

    class RestrictedNumpyUnpickler(numpy_pickle.NumpyUnpickler):  # type: ignore[misc]  # joblib is untyped
        dispatch: dict[int, Callable[[Any], None]] = numpy_pickle.NumpyUnpickler.dispatch.copy()

        def find_class(self, module: str, name: str) -> Any:
            return super().find_class(*accepted.resolve(module, name))

        def get_extension(self, code: int) -> None:
            raise accepted.refusal(f"extension code {code}")

        def load_build(self) -> None:
            numpy_pickle.Unpickler.load_build(self)
            if isinstance(self.stack[-1], numpy_pickle.NDArrayWrapper):
                raise error("LOAD_FAILED", "an array lies in a companion file; save again with a current joblib")
            if isinstance(self.stack[-1], numpy_pickle.NumpyArrayWrapper):
                self.stack.append(self.array_of(self.stack.pop()))

        dispatch[pickle.BUILD[0]] = load_build

        def array_of(self, wrapper: Any) -> Any:
            if wrapper.dtype.hasobject:
                return unpickle(self.file_handle, accepted)
            if hasattr(self, "ensure_native_byte_order"):
                return wrapper.read(self, self.ensure_native_byte_order)
            return wrapper.read(self)

    parameters = inspect.signature(numpy_pickle.NumpyUnpickler.__init__).parameters
    native = {"ensure_native_byte_order": True} if "ensure_native_byte_order" in parameters else {}
    unpickler = RestrictedNumpyUnpickler("", stream, **native)
    unpickler.fix_imports = False
    return unpickler


def _load(judged: Judged) -> object:
    with judged.stream() as stream:
        return _unpickler(stream, AcceptedGlobals(judged.scan.globals, judged.name)).load()


def _suits(scan: FileScan) -> bool:
    return any(name.startswith("joblib.") for name in scan.globals)


LOADER: Final = Loader(
    id="joblib",
    title="joblib",
    description="The object of an uncompressed joblib dump, with imports restricted to the names the scan accepted.",
    formats=("pickle", "joblib"),
    load=_load,
    suits=_suits,
    libraries=("joblib", "numpy"),
    extra="joblib",
)
