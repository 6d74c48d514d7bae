"""What configurations construct by name: ``_target_`` of Hydra, ``class_path`` of Lightning, ``target`` of others.

A loader imports the name and calls it with the values beside it. A name is known where constructing it with any values
that a configuration can hold runs, opens, loads and fetches nothing (``knowledge/targets.json``, and
``targets.generated.json``, which ``tools/target_knowledge.py`` derives from the libraries' own source); so nothing
depends on the arguments, which other files can overrule. What is constructed for an argument is judged by itself.
"""

from __future__ import annotations

import functools
import re
from typing import Final

from modelsign.scan.tables import table

__all__ = ["is_constructible", "reference", "soft_target"]

_DOTTED: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+\Z", re.ASCII)
_FILES: Final = frozenset({
    "bin", "ckpt", "csv", "json", "jsonl", "md", "npy", "onnx", "pkl", "pt", "pth", "safetensors", "txt", "yaml",
})  # fmt: skip
"""What ends the name of a file rather than that of something to call; nothing in Python is called so but modules."""


@functools.cache
def _known() -> frozenset[str]:
    names = {name for group in table("targets")["groups"] for name in group["names"]}
    for module, classes in table("targets.generated")["classes"].items():
        names.update(f"{module}.{name}" for name in classes.split())
    return frozenset(names)


def is_constructible(name: str) -> bool:
    """Whether constructing what a name stands for does nothing but compute, whatever the arguments."""
    return name in _known()


def soft_target(value: object, node: dict[str, object]) -> bool:
    """Whether a value under a key of many uses (``target``, ``cls``) is the dotted name of something to call.

    Names of files and bare words are not; but where ``params`` stand beside it, text that is put together later is, and
    so is the name of a file, whose module is imported before it turns out to hold nothing of that name.
    """
    if not isinstance(value, str):
        return False
    name = value.strip()
    if "${" in name:
        return "params" in node
    return _DOTTED.match(name) is not None and (name.rpartition(".")[2] not in _FILES or "params" in node)


def reference(node: dict[str, object]) -> str | None:
    """Return the name that a node of Fiddle's JSON (NeMo 2's ``io.json``) has imported; None for any other node."""
    module, name = node.get("module"), node.get("name")
    if node.get("type") == "pyref" and isinstance(module, str) and isinstance(name, str):
        return f"{module}.{name}"
    return None
