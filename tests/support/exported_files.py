"""Writes exported PyTorch programs and shards of distributed checkpoints by hand; nothing here needs PyTorch."""

from __future__ import annotations

import io
import json
import warnings
import zipfile

EVIL = b"\x80\x02cposix\nsystem\nX\x04\x00\x00\x00true\x85R."
STATE = b"\x80\x02}X\x01\x00\x00\x00aK\x01s."
SYMBOL = "Symbol('s77', positive=True, integer=True)"


def zipped(members: dict[str, bytes]) -> bytes:
    """A ZIP archive of stored members."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w") as target:
        warnings.simplefilter("ignore")
        for name, data in members.items():
            target.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()


def saved(pickle: bytes = STATE) -> bytes:
    """What torch.save writes."""
    return zipped({"archive/data.pkl": pickle, "archive/version": b"3\n", "archive/byteorder": b"little"})


def node(target: str = "torch.ops.aten.linear.default", **more: object) -> dict[str, object]:
    """A node of a graph."""
    argument = {"name": "input", "arg": {"as_tensor": {"name": "x"}}, "kind": 1}
    output = {"as_tensor": {"name": "y"}}
    return {"target": target, "inputs": [argument], "outputs": [output], "metadata": {"torch_fn": "f;g"}, **more}


def spec(kind: str = "builtins.tuple", context: object = "null", *children: str) -> str:
    """The description of inputs or outputs, as text in JSON."""
    inner = [json.loads(child)[1] for child in children]
    return json.dumps([1, {"type": kind, "context": context, "children_spec": inner}])


def program(*nodes: dict, size: str = SYMBOL, guards: tuple[str, ...] = (), in_spec: str | None = None) -> bytes:
    """A program of some nodes with one size and some guards."""
    graph = {
        "inputs": [{"as_tensor": {"name": "x"}}],
        "outputs": [{"as_tensor": {"name": "y"}}],
        "nodes": list(nodes) or [node()],
        "tensor_values": {"x": {"dtype": 7, "sizes": [{"as_expr": {"expr_str": size, "hint": {"as_int": 5}}}]}},
        "sym_int_values": {},
    }
    signature = {"inputs": [], "outputs": [], "in_spec": in_spec or spec(), "out_spec": spec("builtins.dict", '["a"]')}
    module = {"graph": graph, "signature": {}, "module_call_graph": [{"fqn": "", "signature": signature}]}
    return json.dumps(
        {
            "graph_module": module,
            "opset_version": {"aten": 10},
            "range_constraints": {"s77": {"min_val": 2, "max_val": None}},
            "schema_version": {"major": 8, "minor": 20},
            "guards_code": list(guards),
        }
    ).encode()


def exported(model: bytes | None = None, *, pickled: bool = False, **more: bytes) -> bytes:
    """An archive as PyTorch 2.13 writes it; ``more`` are members by name with ``__`` for ``/``."""
    config = {"config": {"l.weight": {"path_name": "weight_0", "is_param": True, "use_pickle": pickled}}}
    members = {
        "data/weights/weight_0": saved() if pickled else bytes(48),
        "data/weights/model_weights_config.json": json.dumps(config).encode(),
        "data/constants/model_constants_config.json": b'{"config": {}}',
        "models/model.json": program() if model is None else model,
        "data/sample_inputs/model.pt": saved(),
        "extra/note.txt": b"hello",
        "archive_format": b"pt2",
        "archive_version": b"0",
        ".data/version": b"6\n",
        "byteorder": b"little",
        ".data/serialization_id": b"0" * 40,
    }
    members |= {name.replace("__", "/"): data for name, data in more.items()}
    return zipped({f"model/{name}": data for name, data in members.items()})


def older(model: bytes | None = None, constants: bytes = STATE) -> bytes:
    """An archive as PyTorch before 2.8 wrote it."""
    return zipped(
        {
            "serialized_exported_program.json": program() if model is None else model,
            "serialized_state_dict.pt": saved(),
            "serialized_constants.pt": saved(constants),
            "serialized_example_inputs.pt": saved(),
            "version": b"8.2",
            "extra_files/note": b"hello",
        }
    )


def numbers(data: bytes = bytes(12)) -> bytes:
    """What torch.save writes, with a storage that holds some bytes."""
    return zipped({"archive/data.pkl": STATE, "archive/data/0": data, "archive/version": b"3\n"})


GOOD = {
    "pytorch-distributed": {"__0_0.distcp": saved() + numbers() + saved(), "two.bin": numbers() * 2},
    "pytorch-export": {"model.pt2": exported(), "older.pt2": older(), "tensors.pt2": exported(pickled=True)},
}
BAD = {
    "pytorch-distributed": {
        "evil.distcp": saved() + saved(EVIL) + numbers(),
        "hidden.distcp": saved() + numbers(bytes(9) + saved(EVIL)),
    },
    "pytorch-export": {
        "calls.pt2": exported(program(node("torch.os.system"))),
        "size.pt2": exported(program(size="__import__('os').getpid()")),
        "object.pt2": exported(data__constants__opaque_obj_0=EVIL),
        "compiled.pt2": exported(data__aotinductor__model__x_wrapper_so=b"\x7fELF\x02\x01\x01"),
    },
}
