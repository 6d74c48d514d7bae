"""The Keras layers that a SavedModel describes as JSON, from which ``tf.keras`` builds Python objects again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign import limits, strictjson
from modelsign.errors import ModelsignError
from modelsign.scan.rules import BROKEN
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsign.verdict import Finding

__all__ = ["CUSTOM", "LAMBDA", "check_metadata"]

_REFERENCES: Final = ("CVE-2024-3660", "CVE-2021-37678", "https://keras.io/api/layers/core_layers/lambda/")
LAMBDA: Final = Rule(
    "tensorflow-keras-lambda",
    "a Keras layer in the SavedModel holds Python bytecode",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "The metadata of the SavedModel describes a Lambda layer or a function whose bytecode is in the file. "
    "`tf.keras.models.load_model` turns it into a function again, and the model calls it.",
    "Do not load the model with Keras; ask for one without Lambda layers.",
    _REFERENCES,
)
CUSTOM: Final = Rule(
    "tensorflow-keras-module",
    "a Keras layer in the SavedModel names a module of its own",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "The metadata names a module that is not part of Keras. Loading the model with Keras may import it.",
    "Find out which package the layer needs and whether you trust it.",
    _REFERENCES,
)
_CODE_CLASSES: Final = frozenset({"Lambda", "__lambda__"})
_TYPES: Final = frozenset({"lambda", "function"})
_ROOTS: Final = frozenset({"keras", "tensorflow", "keras_src", "tf_keras", "builtins"})


def check_metadata(data: bytes, offset: int) -> Iterator[Finding]:
    """Judge one object's metadata: JSON with class names, modules and configurations at any depth."""
    try:
        waiting = [
            strictjson.loads(data, most_bytes=limits.SCAN_JSON_BYTES, most_room=limits.SCAN_JSON_ROOM, finite=False)
        ]
    except ModelsignError as fault:
        yield BROKEN.finding(f"the metadata of a Keras layer: {fault.message}", offset=offset)
        return
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            waiting += node.values()
            kind = node.get("class_name")
            if kind in _CODE_CLASSES or ("function" in node and node.get("function_type") in _TYPES):
                yield LAMBDA.finding(f"a layer of class {str(kind)[:100]}", offset=offset)
            module = node.get("module")
            if isinstance(module, str) and module.partition(".")[0] not in _ROOTS:
                yield CUSTOM.finding(f"the module {module[:200]}", offset=offset)
