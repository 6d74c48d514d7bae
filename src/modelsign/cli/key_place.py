"""Where keys are not written: into a model, where a private one would be published and any would break a signature.

A folder is a model if it holds signatures or attestations, or weights: files known by their names or first bytes as
what loaders load. So is whatever lies below such a folder. Weights in a home, or in a folder that everybody may write
to, make no model of all that lies below them. Looks at names and first bytes; decides nothing else.
"""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING, Final

from modelsign.errors import error

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["refuse_model", "refuse_signed_model"]

_NAMES: Final = re.compile(
    r".*\.(?:bst|caffemodel|cbm|ckpt|dill|gguf|ggml|h5|hdf5|joblib|keras|llamafile|mar|mlmodel|mlpackage|msgpack|nemo"
    r"|npy|npz|onnx|ort|pb|pdparams|pickle|pkl|pt|pt2|pte|pth|safetensors|skops|spm|tflite|ubj|index\.json)"
    r"|.*model.*\.bin|tokenizer\.model|mlmodel",
    re.IGNORECASE,
)
_MAGIC: Final = re.compile(
    rb"GGUF|\x89HDF\r\n\x1a\n|\x93NUMPY|\x80[\x02-\x05][\x8a\x95(\]}cX]|PK\x03\x04.{26,80}/(?:data\.pkl|version)"
    rb'|.{4}\x00\x00\x00\x00\{"|.{4}TFL3',
    re.DOTALL,
)
_HEAD: Final = 128
_LOOKED_AT: Final = 1000
"""Files of one folder whose first bytes are looked at."""


def refuse_model(key: str, *, home: str) -> None:
    """Refuse to write a private key into a model, signed or not.

    Raises:
        ModelsignError: ``KEY_INSIDE_MODEL``.

    """
    refuse_signed_model(key)
    for folder in _folders(key):
        if _is_shared(folder, home):
            return
        weights = _weights(folder)
        if weights is not None:
            raise error("KEY_INSIDE_MODEL", f"{folder} holds weights: {weights}")


def refuse_signed_model(key: str) -> None:
    """Refuse to write a key, even a public one, into a model that has signatures: it would be one file too many.

    Raises:
        ModelsignError: ``KEY_INSIDE_MODEL``.

    """
    from modelsign.artifact.model import EVIDENCE_NAMES

    for folder in _folders(key):
        found = set(EVIDENCE_NAMES).intersection(_listing(folder))
        if found:
            raise error("KEY_INSIDE_MODEL", f"{folder} is a signed model: it holds {min(found)}")


def _folders(key: str) -> Iterator[str]:
    """Yield the folder of a key and the folders above it, the nearest first."""
    folder = os.path.realpath(os.path.dirname(key))  # noqa: PTH120 - strings, as in artifact
    yield folder
    while folder != os.path.dirname(folder):  # noqa: PTH120 - same
        folder = os.path.dirname(folder)  # noqa: PTH120 - same
        yield folder


def _is_shared(folder: str, home: str) -> bool:
    """Say whether things that have nothing to do with each other lie in a folder: a home, /tmp, the root."""
    try:
        mode = os.stat(folder).st_mode  # noqa: PTH116 - same
    except OSError:
        return False
    return bool(mode & stat.S_ISVTX) or folder in ("/", os.path.realpath(home) if home else "/")


def _weights(folder: str) -> str | None:
    """Return the name of a file with weights, if there is one."""
    names = sorted(_listing(folder))
    for name in names:
        if _NAMES.fullmatch(name):
            return name
    return next((name for name in names[:_LOOKED_AT] if _MAGIC.match(_head(f"{folder}/{name}"))), None)


def _head(path: str) -> bytes:
    """Return the first bytes of a regular file; none of anything else, and none where it may not be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError:
        return b""
    try:
        return os.read(descriptor, _HEAD) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
    except OSError:
        return b""
    finally:
        os.close(descriptor)


def _listing(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 - strings, as in artifact
    except OSError:
        return []
