"""Graphs in protobuf, FlatBuffers and XML: depth, number, counts, and references that lead to one place again."""

from __future__ import annotations

import coremlbytes
import flatbytes
import older_files
import onnxbytes
import paddlebytes
import protobytes
import tensorflowbytes
import xgboostbytes

from bombs.bomb import Bomb, filled, nested, numbered


def _wrapped(number: int, inside: bytes, size: int, limit: int = 400) -> bytes:
    """A message in a message, as often as fits."""
    while len(inside) < size and limit:
        inside = protobytes.message((number, inside))
        limit -= 1
    return inside


def _onnx(make):
    return lambda size: onnxbytes.model(*make(size))


def _graphs_in_graphs(size: int) -> bytes:
    inner = onnxbytes.node("Relu")
    for _ in range(min(size // 30, 500)):
        inner = onnxbytes.node("If", "", onnxbytes.attribute("g", g=onnxbytes.graph(inner)))
    return onnxbytes.model(inner)


def _tensorflow(make):
    return lambda size: tensorflowbytes.saved_model(tensorflowbytes.graph(*make(size)))


def _checkpoint(size: int) -> bytes:
    """A table whose keys share nearly all of the one before."""
    long = b"k" * 60_000
    out = protobytes.varint(0) + protobytes.varint(len(long)) + protobytes.varint(0) + long
    out += b"".join(protobytes.varint(60_000) + b"\x01\x00" + b"a" for _ in range(size // 6))
    return _table(out)


def _table(block: bytes) -> bytes:
    data = block + (0).to_bytes(4, "little") + (1).to_bytes(4, "little")
    out = data + bytes(5)
    return _footed(out, [(b"x", protobytes.varint(0) + protobytes.varint(len(data)))])


def _footed(out: bytes, index: list[tuple[bytes, bytes]]) -> bytes:
    empty = tensorflowbytes._block([])
    meta = len(out), len(empty)
    out += empty + bytes(5)
    found = tensorflowbytes._block(index)
    place = len(out), len(found)
    out += found + bytes(5)
    footer = b"".join(map(protobytes.varint, (*meta, *place)))
    return out + footer.ljust(40, b"\0") + (0xDB4775248B80FB57).to_bytes(8, "little")


def _one_block_again(size: int) -> bytes:
    """An index whose entries all lead to one block."""
    pairs = [(b"", protobytes.message((1, 1), (3, protobytes.message((1, 1)))))]
    pairs += [(b"k%06d" % number, tensorflowbytes.entry()) for number in range(size // 2 // 30)]
    data = tensorflowbytes._block(pairs)
    handle = protobytes.varint(0) + protobytes.varint(len(data))
    return _footed(data + bytes(5), [(b"%06d" % number, handle) for number in range(size // 2 // 14)])


def _checkpoint_entries(size: int) -> bytes:
    return tensorflowbytes.index({b"k%06d" % number: tensorflowbytes.entry() for number in range(size // 30)})


def _shared_tables(size: int) -> bytes:
    """A TensorFlow Lite model in which every list leads to one table again, level by level."""
    model = bytearray(flatbytes.build(flatbytes.model()))
    return _share(model, size)


def _share(model: bytearray, size: int) -> bytes:
    """Put two long lists behind a model: of one subgraph again, whose operators are one operator again."""

    def number(at: int, width: int = 4, *, signed: bool = False) -> int:
        return int.from_bytes(model[at : at + width], "little", signed=signed)

    def place(table: int, field: int) -> int:
        head = table - number(table, 4, signed=True)
        return table + number(head + 4 + 2 * field, 2)

    def replace(table: int, field: int) -> int:
        """Replace a list of tables by a long one of its first; return that one."""
        at = place(table, field)
        vector = at + number(at)
        first = vector + 4 + number(vector + 4)
        count = size // 8
        model.extend(bytes(-len(model) % 4))
        new = len(model)
        model.extend(count.to_bytes(4, "little"))
        for index in range(count):
            here = new + 4 + 4 * index
            model.extend(((first - here) % 2**32).to_bytes(4, "little"))
        model[at : at + 4] = (new - at).to_bytes(4, "little")
        return first

    root = number(0)
    graph = replace(root, 2)
    replace(graph, 3)
    return bytes(model)


def _operators(size: int) -> bytes:
    codes = [{0: (1, 32), 1: f"c{number:06}", 3: (4, 32)} for number in range(size // 40)]
    return flatbytes.build(flatbytes.model(codes))


def _trees(tree: bytes, count: int) -> bytes:
    return xgboostbytes.model(xgboostbytes.trees(*[tree] * count))


def _nodes(count: int) -> tuple[tuple[int, int, int, int], ...]:
    """Return a tree that is one path, with a leaf on every step."""
    leaf, steps = xgboostbytes.NONE, max(count // 2, 1)
    inner = [(2 * step - 1 if step else 0) for step in range(steps)]
    found = [(leaf, 1, 2, 0)]
    for step in range(1, steps):
        found += [(inner[step - 1], 2 * step + 1, 2 * step + 2, 0), (inner[step - 1], leaf, leaf, 0)]
    return (*found, (inner[-1], leaf, leaf, 0), (inner[-1], leaf, leaf, 0))


def _xml(part: str) -> bytes:
    return part.encode()


NET = b'<?xml version="1.0"?>\n<net name="g" version="11"><layers>'
PMML = b'<?xml version="1.0"?>\n<PMML xmlns="http://www.dmg.org/PMML-4_4" version="4.4">'
XML = {
    "elements in elements": nested(b"<a>", b"", b"</a>", PMML, b"</PMML>"),
    "open elements": filled(PMML, b"<a>"),
    "elements": filled(PMML, b"<a/>", b"</PMML>"),
    "attributes": numbered(PMML + b"<a", b' b%06d="1"', b"/></PMML>"),
    "one attribute again": filled(PMML + b"<a", b' b="1"', b"/></PMML>"),
    "one attribute": filled(PMML + b'<a b="', b"c", b'"/></PMML>'),
    "text": filled(PMML, b"c", b"</PMML>"),
    "lines": filled(PMML, b"\n", b"</PMML>"),
    "comments": filled(PMML, b"<!---->", b"</PMML>"),
    "a comment": filled(PMML + b"<!--", b"c", b"--></PMML>"),
    "sections": filled(PMML, b"<![CDATA[]]>", b"</PMML>"),
    "instructions": filled(PMML, b"<?a?>", b"</PMML>"),
    "references": filled(PMML, b"&amp;", b"</PMML>"),
    "names": numbered(PMML, b"<a%06d/>", b"</PMML>"),
    "functions": numbered(PMML, b'<Apply function="f%06d"/>', b"</PMML>"),
    "name spaces": numbered(PMML, b'<a xmlns:b%06d="c"/>', b"</PMML>"),
    "name spaces inside": numbered(PMML + b"<a", b' xmlns:b%06d="c"', b"/></PMML>"),
    "one long name": filled(PMML + b"<", b"a"),
    "entities": filled(b'<?xml version="1.0"?>\n<!DOCTYPE PMML [', b'<!ENTITY a "b">', b"]><PMML/>"),
}
LAYERS = {
    "layers": numbered(NET, b'<layer id="%06d" type="T" version="v"/>', b"</layers></net>"),
    "known layers": filled(NET, b'<layer id="1" name="y" type="ReLU" version="opset1"/>', b"</layers></net>"),
    "data": filled(
        NET + b'<layer id="1" type="Const" version="opset1">',
        b'<data offset="0" size="8"/>',
        b"</layer></layers></net>",
    ),
}

BOMBS: tuple[Bomb, ...] = (
    Bomb("onnx", "nodes", "model.onnx", _onnx(lambda size: [onnxbytes.node("Relu")] * (size // 14))),
    Bomb(
        "onnx",
        "unknown operators",
        "model.onnx",
        _onnx(lambda size: [onnxbytes.node(f"O{number:06}") for number in range(size // 17)]),
    ),
    Bomb("onnx", "graphs in graphs", "model.onnx", _graphs_in_graphs),
    Bomb(
        "onnx",
        "attributes",
        "model.onnx",
        _onnx(lambda size: [onnxbytes.node("Relu", "", *[onnxbytes.attribute("a", i=1)] * (size // 12))]),
    ),
    Bomb(
        "onnx",
        "compiled",
        "model.onnx",
        _onnx(
            lambda size: (
                [onnxbytes.node("EPContext", "com.microsoft", *[onnxbytes.attribute("embed_mode", i=0)] * 5)]
                * (size // 150)
            )
        ),
    ),
    Bomb("onnx", "tensors", "model.onnx", lambda size: onnxbytes.model(tensors=(onnxbytes.tensor(),) * (size // 20))),
    Bomb(
        "onnx",
        "dimensions",
        "model.onnx",
        lambda size: onnxbytes.model(tensors=(onnxbytes.tensor(dims=(2,) * (size // 2)),)),
    ),
    Bomb(
        "onnx",
        "external entries",
        "model.onnx",
        lambda size: onnxbytes.model(
            tensors=(onnxbytes.tensor(external={f"k{number:06}": "x" for number in range(size // 16)}),)
        ),
    ),
    Bomb(
        "onnx",
        "metadata",
        "model.onnx",
        lambda size: onnxbytes.model(extra=tuple((14, onnxbytes.entry("k", "a(b)")) for _ in range(size // 13))),
    ),
    Bomb(
        "onnx",
        "metadata of brackets",
        "model.onnx",
        lambda size: onnxbytes.model(extra=((14, onnxbytes.entry("k", "(" * min(size, 60_000))),)),
    ),
    Bomb(
        "onnx",
        "functions",
        "model.onnx",
        lambda size: onnxbytes.model(
            extra=tuple((25, onnxbytes.function(f"f{number}", "d")) for number in range(size // 22))
        ),
    ),
    Bomb("onnx", "unknown fields", "model.onnx", lambda size: onnxbytes.model(extra=((99, 1),) * (size // 3))),
    Bomb("onnx", "one field again", "model.onnx", lambda size: onnxbytes.model(extra=((1, 8),) * (size // 2))),
    Bomb("onnx", "small fields", "model.onnx", filled(onnxbytes.model(), b"\x08\x08")),
    Bomb("onnx", "graphs", "model.onnx", lambda size: onnxbytes.model(extra=((7, b""),) * (size // 2))),
    Bomb("onnx", "messages in messages", "model.onnx", lambda size: _wrapped(7, onnxbytes.model(), size)),
    Bomb(
        "tensorflow",
        "nodes",
        "saved_model.pb",
        _tensorflow(lambda size: [tensorflowbytes.node("x", "Relu")] * (size // 11)),
    ),
    Bomb(
        "tensorflow",
        "unknown operators",
        "saved_model.pb",
        _tensorflow(lambda size: [tensorflowbytes.node("x", f"O{number:06}") for number in range(size // 14)]),
    ),
    Bomb(
        "tensorflow",
        "inputs",
        "saved_model.pb",
        _tensorflow(lambda size: [tensorflowbytes.node("x", "Relu", *["y"] * (size // 3))]),
    ),
    Bomb(
        "tensorflow",
        "identities",
        "saved_model.pb",
        _tensorflow(
            lambda size: [
                tensorflowbytes.node("n0", "Const", value="a"),
                *(tensorflowbytes.node(f"n{number}", "Identity", f"n{number - 1}") for number in range(1, size // 32)),
                tensorflowbytes.node("r", "ReadFile", f"n{size // 32 - 1}"),
            ]
        ),
    ),
    Bomb(
        "tensorflow",
        "readers of one name",
        "saved_model.pb",
        _tensorflow(
            lambda size: [
                tensorflowbytes.node("n0", "Const", value="a"),
                *(tensorflowbytes.node(f"n{number}", "Identity", f"n{number - 1}") for number in range(1, size // 64)),
                *(
                    tensorflowbytes.node(f"r{number}", "RestoreV2", f"n{size // 64 - 1}")
                    for number in range(size // 64)
                ),
            ]
        ),
    ),
    Bomb(
        "tensorflow",
        "functions",
        "saved_model.pb",
        lambda size: tensorflowbytes.saved_model(
            tensorflowbytes.graph(
                functions=tuple(tensorflowbytes.function(f"f{number}") for number in range(size // 14))
            )
        ),
    ),
    Bomb(
        "tensorflow",
        "assets",
        "saved_model.pb",
        lambda size: tensorflowbytes.saved_model(None, *[(6, tensorflowbytes.asset("a", "b"))] * (size // 12)),
    ),
    Bomb(
        "tensorflow",
        "objects",
        "saved_model.pb",
        lambda size: tensorflowbytes.saved_model(
            None, *[tensorflowbytes.user_object("_tf_keras_layer", "{}")] * (size // 40)
        ),
    ),
    Bomb("tensorflow", "graphs", "saved_model.pb", filled(b"\x08\x01", b"\x12\x00")),
    Bomb("tensorflow-checkpoint", "keys that share", "a.index", _checkpoint),
    Bomb("tensorflow-checkpoint", "one block again", "a.index", _one_block_again),
    Bomb("tensorflow-checkpoint", "entries", "a.index", _checkpoint_entries),
    Bomb(
        "coreml",
        "layers",
        "model.mlmodel",
        lambda size: coremlbytes.model(
            (500, protobytes.message(*[(1, protobytes.message((1, "r"), (130, b"R\x00")))] * (size // 12)))
        ),
    ),
    Bomb("coreml", "models in models", "model.mlmodel", lambda size: _wrapped(200, coremlbytes.network(), size)),
    Bomb(
        "coreml",
        "pipelines",
        "model.mlmodel",
        lambda size: coremlbytes.model((202, protobytes.message(*[(1, coremlbytes.network())] * (size // 40)))),
    ),
    Bomb("coreml", "program", "model.mlmodel", lambda size: coremlbytes.program(operation="o" * size)),
    Bomb(
        "paddle",
        "operators",
        "model.pdmodel",
        lambda size: protobytes.message(
            (1, protobytes.message((1, 0), (2, -1), *[(4, protobytes.message((3, "relu")))] * (size // 8))),
            (4, protobytes.message((1, 0))),
        ),
    ),
    Bomb(
        "paddle",
        "unknown operators",
        "model.pdmodel",
        lambda size: protobytes.message(
            (
                1,
                protobytes.message(
                    (1, 0), (2, -1), *[(4, protobytes.message((3, f"o{number:06}"))) for number in range(size // 11)]
                ),
            ),
            (4, protobytes.message((1, 0))),
        ),
    ),
    Bomb("paddle", "tensors", "model.pdiparams", filled(b"", paddlebytes.tensor())),
    Bomb("paddle", "empty tensors", "model.pdiparams", filled(b"", paddlebytes.tensor(dims=(0,), data=b""))),
    Bomb("mxnet", "parameters", "a.params", lambda size: paddlebytes.parameters(count=size) + bytes(size)),
    Bomb(
        "mxnet",
        "nodes",
        "a-symbol.json",
        filled(b'{"arg_nodes":[],"heads":[],"nodes":[', b'{"op":"x","name":"y"},', b'{"op":"x","name":"y"}]}'),
    ),
    Bomb(
        "mxnet",
        "graphs in graphs",
        "a-symbol.json",
        nested(b'{"arg_nodes":[],"nodes":[{"op":"x","name":"y","subgraphs":[', b"", b"]}]}"),
    ),
    Bomb("tflite", "shared tables", "a.tflite", _shared_tables),
    Bomb("tflite", "custom operators", "a.tflite", _operators),
    Bomb("tflite", "buffers", "a.tflite", lambda size: flatbytes.build(flatbytes.model(buffers=[{}] * (size // 12)))),
    Bomb("tflite", "appended", "a.tflite", filled(flatbytes.build(flatbytes.model()), b"\0")),
    Bomb("catboost", "parts", "a.cbm", lambda size: older_files.catboost({3: ["p"] * (size // 12)})),
    Bomb(
        "catboost",
        "trees",
        "a.cbm",
        lambda size: older_files.catboost(
            {1: {0: (4, 1), 1: [0] * (size // 4), 2: [0] * (size // 4), 3: [0] * (size // 4), 5: [{0: (4, 0)}]}}
        ),
    ),
    Bomb(
        "catboost",
        "tables",
        "a.cbm",
        lambda size: older_files.catboost(
            {3: ["static_ctr_provider_v1"]}, older_files.ctr(*[older_files.CTR_TABLE] * (size // 24))
        ),
    ),
    Bomb("xgboost", "trees", "a.model", lambda size: _trees(xgboostbytes.tree(), size // 256)),
    Bomb("xgboost", "nodes", "a.model", lambda size: _trees(xgboostbytes.tree(_nodes(size // 36)), 1)),
    Bomb(
        "xgboost",
        "attributes",
        "a.model",
        lambda size: xgboostbytes.model(attributes=((b"", b""),) * (size // 16)),
    ),
    *(Bomb("pmml", name, "model.pmml", make) for name, make in XML.items()),
    *(Bomb("openvino", name, "model.xml", make) for name, make in LAYERS.items()),
)
