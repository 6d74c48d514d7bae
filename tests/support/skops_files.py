"""Builds skops models by hand."""

from __future__ import annotations

import io
import json
import zipfile


def node(loader: str, module: object, name: object, **more: object) -> dict[str, object]:
    """A node of a schema."""
    return {"__class__": name, "__module__": module, "__loader__": loader} | more


def text(value: object) -> dict[str, object]:
    """A node that holds a value of JSON."""
    return node("JsonNode", "builtins", "str", content=json.dumps(value), is_json=True)


def mapping(**content: object) -> dict[str, object]:
    """A dictionary of nodes."""
    keys = node("ListNode", "builtins", "list", content=[node("TypeNode", "builtins", "str")])
    return node("DictNode", "builtins", "dict", key_types=keys, content=content)


def estimator(name: str = "sklearn.linear_model._logistic.LogisticRegression", **content: object) -> dict[str, object]:
    """An object with state."""
    module, _, cls = name.rpartition(".")
    return node("ObjectNode", module, cls, content=mapping(**content))


def skops(root: dict[str, object], members: dict[str, bytes] | None = None, *, protocol: object = 2) -> bytes:
    """A model."""
    buffer = io.BytesIO()
    schema = {**root, "protocol": protocol, "_skops_version": "0.16.0"}
    with zipfile.ZipFile(buffer, "w") as target:
        for name, data in {"schema.json": json.dumps(schema).encode(), **(members or {})}.items():
            target.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()
