"""Writes the schemas of protobuf formats as data, from the descriptors that the formats' own packages carry.

Run it where the package is installed; nothing of it is needed to scan. The version is noted in the table.

    python tools/schemas.py onnx
    python tools/schemas.py tensorflow
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import json
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent.parent / "src/modelsign/scan/knowledge/schemas"
ROOTS = {
    "onnx": ("onnx", {"onnx.onnx_ml_pb2": ["ModelProto"]}),
    "tensorflow": (
        "tensorflow-cpu",
        {
            "tensorflow.core.protobuf.saved_model_pb2": ["SavedModel"],
            "tensorflow.core.protobuf.fingerprint_pb2": ["FingerprintDef"],
            "tensorflow.core.protobuf.tensor_bundle_pb2": ["BundleHeaderProto", "BundleEntryProto"],
            "tensorflow.python.keras.protobuf.saved_metadata_pb2": ["SavedMetadata"],
        },
    ),
    "coreml": ("coremltools", {"coremltools.proto.Model_pb2": ["Model"]}),
    "paddle": ("paddlepaddle", {"paddle.base.proto.framework_pb2": ["ProgramDesc"]}),
    # Caffe has no package: protoc makes caffe_pb2 of src/caffe/proto/caffe.proto, and PYTHONPATH points to it
    "caffe": ("caffe.proto of BVLC/caffe 9b891540183d", {"caffe_pb2": ["NetParameter", "SolverParameter"]}),
}
"""The package of each format and the messages that a file may hold, by the module that describes them."""
_KINDS = {
    1: "fixed64", 2: "fixed32", 3: "varint", 4: "varint", 5: "varint", 6: "fixed64", 7: "fixed32", 8: "varint",
    9: "bytes", 12: "bytes", 13: "varint", 14: "varint", 15: "fixed32", 16: "fixed64", 17: "varint", 18: "varint",
}  # fmt: skip
"""How each type of ``FieldDescriptorProto.Type`` lies on the wire."""
_MESSAGE = 11


def document(name: str) -> dict[str, object]:
    """Return the table of one format."""
    package, modules = ROOTS[name]
    waiting: list[Any] = [
        importlib.import_module(module).DESCRIPTOR.message_types_by_name[message]
        for module, messages in modules.items()
        for message in messages
    ]
    roots = [one.full_name for one in waiting]
    messages: dict[str, dict[str, list[str]]] = {}
    while waiting:
        message = waiting.pop()
        if message.full_name in messages:
            continue
        fields = messages.setdefault(message.full_name, {})
        for field in sorted(message.fields, key=lambda one: one.number):
            kind = field.message_type.full_name if field.type == _MESSAGE else _KINDS[field.type]
            repeated = getattr(field, "is_repeated", None)
            if repeated is None:
                repeated = field.label == field.LABEL_REPEATED
            fields[str(field.number)] = [field.name, kind + "*" * repeated]
            if field.type == _MESSAGE:
                waiting.append(field.message_type)
    named = package if " " in package else f"{package} {importlib.metadata.version(package)}"
    return {
        "source": f"the descriptors of {named}, by tools/schemas.py",
        "roots": roots,
        "messages": dict(sorted(messages.items())),
    }


def main() -> int:
    """Write the tables that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("format", nargs="+", choices=sorted(ROOTS))
    for name in parser.parse_args().format:
        table = document(name)
        messages = table.pop("messages")
        head = json.dumps(table, indent=1)[:-2]
        rows = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in messages.items())  # type: ignore[attr-defined] # a dict
        (TARGET / f"{name}.json").write_text(f'{head},\n "messages": {{\n{rows}\n }}\n}}\n', encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
