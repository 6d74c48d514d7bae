"""Writes word vectors, fastText models, single tensors, and models of ONNX Runtime and MNN by hand."""

from __future__ import annotations

import struct

import onnxbytes
from flatbytes import Triples, Wide, build

EVIL = b"\x80\x02cposix\nsystem\nX\x04\x00\x00\x00true\x85R."


def word2vec(words: tuple[bytes, ...] = (b"the", b"\xc3\xbc", b"x"), size: int = 4, *, behind: bytes = b"") -> bytes:
    """Vectors as gensim writes them, or with a newline behind each."""
    head = b"%d %d\n" % (len(words), size)
    return head + b"".join(word + b" " + bytes(range(4 * size)) + behind for word in words)


def dense(rows: int, columns: int) -> bytes:
    """A plain matrix."""
    return struct.pack("<2q", rows, columns) + bytes(4 * rows * columns)


def quantiser(columns: int, width: int = 2) -> bytes:
    """What turns codes into numbers."""
    parts = -(-columns // width)
    return struct.pack("<4i", columns, parts, width, (columns - 1) % width + 1) + bytes(4 * columns * 256)


def quantised(rows: int, columns: int, *, normed: bool = False, codes: int | None = None) -> bytes:
    """A quantised matrix."""
    size = rows * -(-columns // 2) if codes is None else codes
    out = bytes([normed]) + struct.pack("<2qi", rows, columns, size) + bytes(size) + quantiser(columns)
    return out + (bytes(rows) + quantiser(1) if normed else b"")


def fasttext(  # noqa: PLR0913 - each part of a model can be replaced
    words: tuple[bytes, ...] = (b"the", b"a", b"__label__x"),
    *,
    version: int = 12,
    size: int | None = None,
    pruned: int = -1,
    first: bytes | None = None,
    second: bytes | None = None,
    flags: tuple[int, int] = (0, 0),
) -> bytes:
    """A model of two words and a label; ``first`` and ``second`` are matrices, ``flags`` whether they are packed."""
    count = len(words) if size is None else size
    out = struct.pack("<2i", 793712314, version) + struct.pack("<12id", *range(12), 0.5)
    out += struct.pack("<3i2q", count, count - 1, 1, 100, pruned)
    out += b"".join(word + b"\0" + struct.pack("<qb", 7, word.startswith(b"__")) for word in words)
    out += bytes(8 * max(0, pruned)) + bytes([flags[0]]) + (dense(9, 4) if first is None else first)
    return out + bytes([flags[1]]) + (dense(1, 4) if second is None else second)


def ort(  # noqa: PLR0913 - each part of a model can be replaced
    *nodes: dict, tensors: list[dict] | None = None, most: int = 9, edges: list[dict] | None = None, opset: int = 18,
    ir: int = 9, extra: dict | None = None,
) -> bytes:  # fmt: skip
    """A model of ONNX Runtime with some nodes."""
    graph = {0: [ort_tensor()] if tensors is None else tensors, 2: list(nodes) or [ort_node()], 3: (4, most)}
    graph |= {4: [{0: (4, 0), 2: Triples([1, 0, 0])}] if edges is None else edges}
    model = {0: (8, ir), 1: [{0: "", 1: (8, opset)}], 2: "by hand", 7: graph}
    return build({0: "6", 1: model} | (extra or {}), b"ORTM")


def ort_node(name: str = "Relu", domain: str = "", **more: object) -> dict:
    """A node; attributes by their field's number, as ``f7`` for a graph."""
    attributes = [{0: "a", int(key[1:]): value} for key, value in more.items()]
    return {0: "n", 2: domain, 4: (4, 0), 5: name, 10: attributes}


def ort_tensor(dims: tuple[int, ...] = (2,), kind: int = 1, data: bytes = bytes(8)) -> dict:
    """A tensor of two numbers."""
    return {0: "w", 2: Wide(dims), 3: (4, kind), 4: data}


def mnn(*operators: dict, tensors: int = 2, extra: dict | None = None) -> bytes:
    """A model of MNN with some operators."""
    net = {0: "biz", 3: list(operators) or [mnn_operator()], 7: ["x", "y"][:tensors], 8: (4, tensors)}
    return build(net | (extra or {}), b"")


def mnn_operator(number: int = 69, **more: object) -> dict:
    """An operator from tensor 0 to tensor 1; others of its fields by number, as ``f7`` for its file."""
    return {0: [0], 3: "r", 4: [1], 5: (4, number)} | {int(key[1:]): value for key, value in more.items()}


LOOP = mnn_operator(128, f1=(1, 92), f2={5: (4, 1), 6: [{0: mnn_operator(7)}]})
GOOD = {
    "mnn": {"model.mnn": mnn(LOOP, mnn_operator(f7="model.mnn.weight"))},
    "word2vec": {"vectors.bin": word2vec(), "google.bin": word2vec(behind=b"\n"), "x": word2vec((b"a",), 1)},
    "fasttext": {
        "model.bin": fasttext(),
        "model.ftz": fasttext(first=quantised(9, 5, normed=True), second=quantised(2, 4), flags=(1, 1)),
        "plain.ftz": fasttext(pruned=2, first=quantised(9, 5), flags=(1, 0)),
    },
    "onnx-tensor": {"input_0.pb": onnxbytes.tensor(), "output_0.pb": onnxbytes.tensor((2, 3), 7, bytes(48))},
    "ort": {"model.ort": ort(), "if.ort": ort(ort_node("If", f7={2: [ort_node("Neg")], 3: (4, 9)}))},
}
BAD = {
    "mnn": {"model.mnn": mnn(mnn_operator(f7="/etc/passwd"))},
    "word2vec": {"more.bin": word2vec() + EVIL},
    "fasttext": {"cut.bin": fasttext()[:-1], "more.bin": fasttext() + EVIL},
    "onnx-tensor": {"input_0.pb": onnxbytes.tensor(external={"location": "../x"}, raw=b"")},
    "ort": {"model.ort": ort(ort_node("PyOp", "ai.onnx.contrib"))},
}
