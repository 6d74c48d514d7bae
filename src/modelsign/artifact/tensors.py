"""Where a tensor lies in a safetensors file, told from the file's header alone.

The header is a length (8 bytes, little endian) and JSON; offsets count from its end (format section of the safetensors
README). Nothing is said of the numbers, and nothing is loaded; whether a whole file keeps the format's rules is for the
scan to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign import limits, strictjson
from modelsign.errors import error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from modelsign.errors import ModelsignError

__all__ = ["TensorPlace", "read_tensor_places"]

_LENGTH: Final = 8
_METADATA: Final = "__metadata__"


class TensorPlace(NamedTuple):
    """A tensor's type, shape and place: byte offsets (start, end) in the file, end exclusive."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


def read_tensor_places(name: str, size: int, read: Callable[[int, int], bytes]) -> Mapping[str, TensorPlace]:
    """Return tensor name → place for a file of ``size`` bytes; ``read`` returns its bytes from start to end.

    Raises:
        ModelsignError: ``TENSORS_MALFORMED``, or whatever ``read`` raises.

    """
    length = int.from_bytes(read(0, min(_LENGTH, size)), "little")
    first = _LENGTH + length
    if size < first or length > limits.SAFETENSORS_HEADER_BYTES:
        raise _malformed(name, "its header is longer than the file or than a header may be")
    header = strictjson.loads(
        read(_LENGTH, first), most_bytes=limits.SAFETENSORS_HEADER_BYTES, what="header", code="TENSORS_MALFORMED"
    )
    if not isinstance(header, dict):
        raise _malformed(name, "its header is no object")
    return {tensor: _place(name, entry, first, size) for tensor, entry in header.items() if tensor != _METADATA}


def _place(name: str, entry: object, first: int, size: int) -> TensorPlace:
    if isinstance(entry, dict) and isinstance(entry.get("dtype"), str):
        shape, offsets = entry.get("shape"), entry.get("data_offsets")
        if _sizes(shape) and _sizes(offsets) and len(offsets) == 2 and offsets[0] <= offsets[1] <= size - first:  # type: ignore[arg-type,index] # noqa: PLR2004 - begin and end
            return TensorPlace(entry["dtype"], tuple(shape), first + offsets[0], first + offsets[1])  # type: ignore[arg-type,index] # as checked above
    raise _malformed(name, "a tensor has no type, shape and place within the file")


def _sizes(value: object) -> bool:
    return isinstance(value, list) and all(type(item) is int and item >= 0 for item in value)


def _malformed(name: str, why: str) -> ModelsignError:
    return error("TENSORS_MALFORMED", f"{name} is not a safetensors file: {why}")
