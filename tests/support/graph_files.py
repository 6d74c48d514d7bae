"""Files of formats that hold computation graphs, good and bad, written by hand; part of ``model_files``."""

from __future__ import annotations

import coremlbytes
import flatbytes
import onnxbytes
import paddlebytes
import tensorflowbytes
import xmlbytes

GOOD: dict[str, dict[str, bytes]] = {
    "openvino": {"model.xml": xmlbytes.openvino(), "bare.xml": xmlbytes.openvino("SoftMax", "opset8", head="")},
    "pmml": {"model.pmml": xmlbytes.pmml()},
    "paddle": {"model.pdmodel": paddlebytes.program(), "model.pdiparams": paddlebytes.tensor() * 2},
    "mxnet": {"m-symbol.json": paddlebytes.symbol(), "m-0000.params": paddlebytes.parameters()},
    "coreml": {
        "network.mlmodel": coremlbytes.network(),
        "program.mlmodel": coremlbytes.program(),
        "weight.bin": coremlbytes.blobs(),
        "Manifest.json": b'{"itemInfoEntries": {"a": {"path": "com.apple.CoreML/model.mlmodel"}}}',
    },
    "onnx": {
        "model.onnx": onnxbytes.model(),
        "function.onnx": onnxbytes.model(
            onnxbytes.node("F", "own"), extra=((25, onnxbytes.function("F", "own", onnxbytes.node("Relu"))),)
        ),
    },
    "tensorflow": {
        "saved_model.pb": tensorflowbytes.saved_model(None, (6, tensorflowbytes.asset("c:0", "vocab.txt"))),
        "frozen.pb": tensorflowbytes.graph(),
        "model.ckpt.meta": tensorflowbytes.meta_graph(),
        "fingerprint.pb": b"\x08\x01\x10\x02\x18\x03\x28\x05\x32\x02\x08\x01\x3a\x02id",
    },
    "tensorflow-checkpoint": {
        "variables.index": tensorflowbytes.index(),
        "many.index": tensorflowbytes.index({b"layer-%d/w" % n: tensorflowbytes.entry() for n in range(30)}),
        "variables.data-00000-of-00001": b"\xff\x00\x00\x80" * 16,
        "checkpoint": b'model_checkpoint_path: "ckpt-1"\n',
    },
    "tflite": {
        "model.tflite": flatbytes.build(flatbytes.model()),
        "flex.tflite": flatbytes.custom("FlexAdd", options=flatbytes.flex("Add", "Add")),
    },
    "executorch": {"model.pte": flatbytes.program()},
}
"""Files that must be clean, by the format they must be read as."""

BAD: dict[str, dict[str, bytes]] = {
    "openvino": {"custom.xml": xmlbytes.openvino("Mine", "extension")},
    "pmml": {"java.pmml": xmlbytes.pmml("java.lang.Runtime")},
    "paddle": {"evil.pdmodel": paddlebytes.program("py_func"), "cut.pdiparams": paddlebytes.tensor()[:-1]},
    "mxnet": {"m-symbol.json": paddlebytes.symbol("Custom"), "m.params": paddlebytes.parameters(kind=99)},
    "coreml": {
        "away.mlmodel": coremlbytes.program("/etc/passwd"),
        "custom.mlmodel": coremlbytes.program(operation="mine"),
        "short.bin": coremlbytes.blobs(size=10**9),
    },
    "onnx": {
        "away.onnx": onnxbytes.model(tensors=(onnxbytes.tensor(external={"location": "../x"}),)),
        "python.onnx": onnxbytes.model(onnxbytes.node("PythonOp", "com.microsoft")),
    },
    "tensorflow": {
        "saved_model.pb": tensorflowbytes.saved_model(tensorflowbytes.graph(tensorflowbytes.node("e", "PyFunc"))),
        "away.pb": tensorflowbytes.meta_graph(None, (6, tensorflowbytes.asset("c:0", "../x"))),
    },
    "tensorflow-checkpoint": {
        "variables.index": tensorflowbytes.index({b"w": tensorflowbytes.entry(size=3)}),
        "checkpoint": b'model_checkpoint_path: "/elsewhere/ckpt-1"\n',
    },
    "tflite": {
        "custom.tflite": flatbytes.custom("Mine"),
        "file.tflite": flatbytes.custom("FlexAdd", options=flatbytes.flex("Add", "ReadFile")),
    },
    "executorch": {"custom.pte": flatbytes.program(operator="mine::op")},
}
"""Files that must not be clean, by the format whose reader finds it."""
