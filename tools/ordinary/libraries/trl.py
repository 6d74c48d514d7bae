"""TRL: the arguments that its trainers leave beside a model."""

from __future__ import annotations

import io
import tempfile
from typing import TYPE_CHECKING

import torch
import trl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MODULES = ("trl", "transformers", "torch")


def files(chosen: Callable[[str], bool]) -> Iterator[tuple[str, bytes | str]]:
    """Yield each trainer's arguments, as ``training_args.bin``."""
    with tempfile.TemporaryDirectory() as scratch:
        for name in filter(chosen, sorted(one for one in dir(trl) if one.endswith("Config"))):
            saved = io.BytesIO()
            try:
                made = getattr(trl, name)(output_dir=scratch, report_to=[], bf16=False)
                torch.save(made, saved)
            except (TypeError, ValueError, ImportError, RuntimeError, AttributeError) as fault:
                yield f"{name}.bin", f"{type(fault).__name__}: {str(fault)[:100]}"
            else:
                yield f"{name}.bin", saved.getvalue()
