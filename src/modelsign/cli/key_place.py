"""Where keys are not written: into a model, where a private one would be published and any would break a signature.

A folder is a model if it holds signatures or attestations, or the files by which libraries know a folder as a model
(``pytorch_model.bin``, ``tokenizer.json``, ``saved_model.pb``, …). So is whatever lies below such a folder. A model
that is one file makes no model of the folder it lies in: a key beside it goes nowhere with it, and ``sign`` refuses a
model that holds a key in any case. Looks at names alone; decides nothing else.
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
    r"model_index\.json|tokenizer(?:_config)?\.json|.*\.index\.json|(?:keras_metadata|saved_model)\.pb"
    r"|(?:adapter|diffusion_pytorch|flax|pytorch|rust|tf|open_clip_pytorch)_model.*|model.*\.(?:bin|safetensors|gguf|onnx)"
    r"|MLmodel",
    re.IGNORECASE,
)
"""How the files of a model's folder are called by transformers, diffusers, TensorFlow, Keras, ONNX and MLflow."""


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
            raise error("KEY_INSIDE_MODEL", f"{folder} is the folder of a model: it holds {weights}")


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
    """Return the name of a file that makes a folder a model, if there is one."""
    return next((name for name in sorted(_listing(folder)) if _NAMES.fullmatch(name)), None)


def _listing(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 - strings, as in artifact
    except OSError:
        return []
