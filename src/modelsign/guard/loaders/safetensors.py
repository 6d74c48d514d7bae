"""Safetensors: tensors by name, from the sealed bytes.

The library maps the file; the sealed copy can be mapped safely, because nobody can write to it any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign.errors import error
from modelsign.guard.loader import Loader

if TYPE_CHECKING:
    from modelsign.guard.loader import Judged

__all__ = ["LOADER"]


def _load(judged: Judged) -> dict[str, object]:
    from safetensors import SafetensorError  # noqa: PLC0415 - heavy, and optional

    try:
        if judged.options.framework == "torch":
            from safetensors.torch import load_file as load_tensors  # noqa: PLC0415 - heavy, and optional

            return dict(load_tensors(judged.path, device=judged.options.device))
        from safetensors.numpy import load_file as load_arrays  # noqa: PLC0415 - heavy, and optional

        return dict(load_arrays(judged.path))
    except SafetensorError as fault:
        raise error("LOAD_FAILED", f"{judged.name}: {fault}") from fault
    except (AttributeError, KeyError, TypeError) as fault:
        message = f"{judged.name}: {fault}; numpy has no such type, ask for framework='torch'"
        raise error("LOAD_FAILED", message) from fault


LOADER: Final = Loader(
    id="safetensors",
    title="safetensors",
    description="A dictionary of arrays (framework='numpy') or tensors (framework='torch').",
    formats=("safetensors",),
    load=_load,
    libraries=("safetensors",),
    extra="safetensors",
)
