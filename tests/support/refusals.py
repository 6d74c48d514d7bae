"""Catches a refusal so that a test can look at its code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from modelsign.errors import ModelsignError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


def refusal(function: Callable[..., object], *arguments: Any, **options: Any) -> ModelsignError:
    """Call a function that must refuse, and return its error."""
    with pytest.raises(ModelsignError) as caught:
        function(*arguments, **options)
    return caught.value


def refused_with(function: Callable[..., object], *arguments: Any, **options: Any) -> str:
    """Call a function that must refuse, and return the reason's code."""
    return refusal(function, *arguments, **options).code


def build(root: Path, contents: Mapping[str, bytes | str]) -> Path:
    """Write files below a folder, which is made."""
    root.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
    return root
