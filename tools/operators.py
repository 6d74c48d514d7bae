"""Writes the allow-lists of operators as data, from the registries of the libraries that run them.

Run it where the libraries are installed; nothing of them is needed to scan. Operators that are listed as dangerous
(``operators/dangerous.json``, written by hand) are left out of the allow-lists.

    python tools/operators.py onnx tensorflow
"""

from __future__ import annotations

import argparse
import ctypes
import importlib
import importlib.metadata
import inspect
import json
import pkgutil
from pathlib import Path

TARGET = Path(__file__).parent.parent / "src/modelsign/scan/knowledge/operators"


def _group(domain: str, names: set[str], source: str, refused: set[str]) -> dict[str, object]:
    return {"domain": domain, "source": source, "names": sorted(n for n in names if n.casefold() not in refused)}


def onnx(refused: set[str]) -> dict[str, object]:
    """Return ONNX's operators of all versions, ONNX Runtime's own, and those of its extensions package."""
    library = importlib.import_module("onnx")
    names: dict[str, set[str]] = {}
    versions: dict[str, int] = {}
    for schema in library.defs.get_all_schemas_with_history():
        names.setdefault(schema.domain, set()).add(schema.name)
        versions[schema.domain] = max(versions.get(schema.domain, 0), schema.since_version)
    source = f"onnx {library.__version__}, onnx.defs.get_all_schemas_with_history"
    groups = [_group(domain, found, source, refused) for domain, found in sorted(names.items())]
    state = importlib.import_module("onnxruntime.capi.onnxruntime_pybind11_state")
    runtime: dict[str, set[str]] = {}
    for schema in state.get_all_operator_schema():
        runtime.setdefault(schema.domain, set()).add(schema.name)
    source = f"onnxruntime {importlib.metadata.version('onnxruntime')}, get_all_operator_schema"
    for domain, found in sorted(runtime.items()):
        groups.append(_group(domain, found - names.get(domain, set()), source, refused))
    extensions = importlib.import_module("onnxruntime_extensions._cuops")
    found = {
        name
        for name in dir(extensions)
        if isinstance(getattr(extensions, name), type) and issubclass(getattr(extensions, name), extensions.CustomOp)
    } - {"CustomOp"}
    source = f"onnxruntime-extensions {importlib.metadata.version('onnxruntime-extensions')}, _cuops"
    groups += [_group(domain, found, source, refused) for domain in ("ai.onnx.contrib", "com.microsoft.extensions")]
    versions[""] = library.defs.onnx_opset_version()
    return {"ir_version": library.IR_VERSION, "opsets": versions, "groups": [one for one in groups if one["names"]]}


def tensorflow(refused: set[str]) -> dict[str, object]:
    """Return the operators that TensorFlow registers."""
    wrapper = importlib.import_module("tensorflow.python.client.pywrap_tf_session")
    definitions = importlib.import_module("tensorflow.core.framework.op_def_pb2").OpList()
    definitions.ParseFromString(wrapper.TF_GetBuffer(wrapper.TF_GetAllOpList()))
    source = f"tensorflow-cpu {importlib.metadata.version('tensorflow-cpu')}, TF_GetAllOpList"
    return {"groups": [_group("", {one.name for one in definitions.op}, source, refused)]}


def tflite(refused: set[str]) -> dict[str, object]:
    """Return the built-in operators of TensorFlow Lite by their number, and the custom ones it registers itself."""
    schema = importlib.import_module("tensorflow.lite.python.schema_py_generated")
    numbers = {name: number for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}
    version = importlib.metadata.version("tensorflow-cpu")
    own = {"NumericVerify", "AudioSpectrogram", "Mfcc", "TFLite_Detection_PostProcess", "aeq.hadamard_rotation"}
    return {
        "builtin": {
            "source": f"tensorflow-cpu {version}, tensorflow/lite/python/schema_py_generated.py",
            "names": sorted(numbers, key=numbers.__getitem__),
        },
        "groups": [_group("", own, "tensorflow/lite/core/kernels/register.cc, BuiltinOpResolver", refused)],
    }


def coreml(refused: set[str]) -> dict[str, object]:
    """Return the operations of Core ML's programs, and those that only the writer of programs makes."""
    importlib.import_module("coremltools.converters.mil.mil.ops.defs")
    registry = importlib.import_module("coremltools.converters.mil.mil.ops.registry").SSAOpRegistry
    source = f"coremltools {importlib.metadata.version('coremltools')}"
    return {
        "groups": [
            _group("", set(registry.core_ops), f"{source}, SSAOpRegistry.core_ops", refused),
            _group("", {"write_state", "coreml_update_state"}, f"{source}, converters/mil/backend/mil", refused),
        ]
    }


TORCHSCRIPT_SPACES = (
    "aten", "prim", "prims", "quantized", "_quantized", "quantization", "sparse", "mkldnn", "mkldnn_prepacked", "mkl",
    "onednn", "profiler",
)  # fmt: skip
"""The namespaces of PyTorch whose operators compute; the others talk to other machines, or serve its compilers."""
TORCHSCRIPT_CLASSES = [
    "quantized.LinearPackedParamsBase", "quantized.Conv2dPackedParamsBase", "quantized.Conv3dPackedParamsBase",
    "quantized.EmbeddingPackedParamsBase", "rnn.CellParamsBase", "sparse.LinearPackedParamsBase",
    "xnnpack.LinearOpContext", "xnnpack.Conv2dOpContext", "xnnpack.TransposeConv2dOpContext",
    "mkldnn.ConvOpContext", "profiler._RecordFunction",
]  # fmt: skip
TORCHSCRIPT_PREPACKED = {
    "conv2d_clamp_prepack", "conv2d_clamp_run", "conv2d_transpose_clamp_prepack", "conv2d_transpose_clamp_run",
    "linear_clamp_prepack", "linear_clamp_run", "unpack_prepacked_sizes_conv2d", "unpack_prepacked_sizes_linear",
}  # fmt: skip
TORCHVISION = {"nms", "roi_align", "ps_roi_align", "roi_pool", "ps_roi_pool", "deform_conv2d"}


def torchscript(refused: set[str]) -> dict[str, object]:
    """Return the operators that PyTorch registers and that only compute, and torchvision's for detection."""
    torch = importlib.import_module("torch")
    found: dict[str, set[str]] = {}
    for schema in torch._C._jit_get_all_schemas():  # noqa: SLF001 - the registry has no public name
        space, _, name = schema.name.partition("::")
        if space in TORCHSCRIPT_SPACES and schema.name.casefold() not in refused:
            found.setdefault(space, set()).add(name)
    source = f"torch {torch.__version__}, torch._C._jit_get_all_schemas"
    groups = [_group(space, names, source, set()) for space, names in sorted(found.items())]
    groups += [
        _group("prepacked", TORCHSCRIPT_PREPACKED, "aten/src/ATen/native/xnnpack/RegisterOpContextClass.cpp", set()),
        _group("torchvision", TORCHVISION, "torchvision/csrc/ops", set()),
    ]
    classes = [{"source": "torch.class_ registrations in aten/src/ATen/native", "names": TORCHSCRIPT_CLASSES}]
    return {"groups": groups, "classes": classes}


def openvino(refused: set[str]) -> dict[str, object]:
    """Return the layers that OpenVINO's Python operator sets make, and those that only its frontends do."""
    names: set[str] = set()
    for module in pkgutil.iter_modules(importlib.import_module("openvino").__path__):
        if module.name.startswith("opset"):
            made = vars(importlib.import_module(f"openvino.{module.name}"))
            names |= {name for name, one in made.items() if inspect.isfunction(one) and not name.startswith("_")}
    others = {"const", "if", "loop", "tensor_iterator"} | {
        f"experimental_detectron_{name}"
        for name in (
            "detection_output",
            "generate_proposals_single_image",
            "prior_grid_generator",
            "roi_feature_extractor",
            "top_k_rois",
        )
    }
    source = f"openvino {importlib.metadata.version('openvino')}, the functions of openvino.opset*"
    tables = "openvino src/core/include/openvino/opsets/opset*_tbl.hpp, those without such a function"
    return {"groups": [_group("", names, source, refused), _group("", others, tables, refused)]}


def paddle(refused: set[str]) -> dict[str, object]:
    """Return the operators that Paddle registers, and those of the dialects of its newer programs (PIR)."""
    core = importlib.import_module("paddle.base.core")
    version = f"paddlepaddle {importlib.metadata.version('paddlepaddle')}"
    compute = {name.rstrip("_") for name in dir(importlib.import_module("paddle._C_ops")) if not name.startswith("_")}
    builtin = {"module", "parameter", "set_parameter", "shadow_output", "combine", "slice", "split", "constant"}
    control = {"yield", "tuple_push", "tuple_pop", "stack_create", "has_elements", "assert"}
    more = {"data", "feed", "fetch", "if", "while", "select_input", "full_int_array", "array_length"}
    return {
        "groups": [
            _group("", set(core.get_all_op_names()), f"{version}, get_all_op_names", refused),
            _group("pd_op", compute, f"{version}, paddle._C_ops", refused),
            _group(
                "pd_op", more - compute, "paddle/fluid/pir/dialect/operator/ir/control_flow_op.h, manual_op.h", refused
            ),
            _group("builtin", builtin, "paddle/pir/include/core/builtin_op.h", refused),
            _group("cf", control, "paddle/pir/include/dialect/control_flow/ir/cf_op.h", refused),
        ]
    }


def mxnet(refused: set[str]) -> dict[str, object]:
    """Return the operators that MXNet registers."""
    base = importlib.import_module("mxnet.base")
    count, names = ctypes.c_uint(), ctypes.POINTER(ctypes.c_char_p)()
    base._LIB.MXListAllOpNames(ctypes.byref(count), ctypes.byref(names))  # noqa: SLF001 - there is no other way
    source = f"mxnet {importlib.metadata.version('mxnet')}, MXListAllOpNames"
    return {"groups": [_group("", {names[at].decode() for at in range(count.value)}, source, refused)]}


def main() -> int:
    """Write the lists that are asked for."""
    makers = {
        "onnx": onnx,
        "tensorflow": tensorflow,
        "tflite": tflite,
        "coreml": coreml,
        "openvino": openvino,
        "paddle": paddle,
        "mxnet": mxnet,
        "torchscript": torchscript,
    }
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library", nargs="+", choices=sorted(makers))
    rows = json.loads((TARGET / "dangerous.json").read_text(encoding="utf-8"))
    for library in parser.parse_args().library:
        refused = {name.casefold() for row in rows.get(library, ()) for name in row["names"]}
        document = {"generator": "tools/operators.py", **makers[library](refused)}
        (TARGET / f"{library}.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
