"""Writes ONNX models by hand (onnx.proto); nothing here needs the onnx package."""

from __future__ import annotations

from protobytes import message


def entry(name: str, value: str) -> bytes:
    return message((1, name), (2, value))


def tensor(dims=(2,), kind: int = 1, raw: bytes | None = None, external: dict[str, str] | None = None) -> bytes:
    """A tensor, of two floats unless told otherwise; with ``external`` its numbers lie elsewhere."""
    fields = [(1, size) for size in dims] + [(2, kind), (8, "w")]
    if external is None:
        fields.append((9, bytes(8) if raw is None else raw))
    else:
        fields += [(13, entry(name, value)) for name, value in external.items()]
        fields.append((14, 1))
    return message(*fields)


def attribute(name: str, **values) -> bytes:
    """An attribute with an integer, some text, a tensor or a graph."""
    numbers = {"i": (3, 2), "s": (4, 3), "t": (5, 4), "g": (6, 5)}
    fields = [(numbers[kind][0], value) for kind, value in values.items()]
    return message((1, name), *fields, *((20, numbers[kind][1]) for kind in values))


def node(operator: str, domain: str = "", *attributes: bytes) -> bytes:
    where = [(7, domain)] if domain else []
    return message((1, "x"), (2, "y"), (4, operator), *where, *((5, one) for one in attributes))


def graph(*nodes: bytes, tensors: tuple[bytes, ...] = ()) -> bytes:
    return message(*((1, one) for one in nodes), (2, "g"), *((5, one) for one in tensors), (11, b"\x0a\x01x"))


def model(*nodes: bytes, tensors: tuple[bytes, ...] = (), extra: tuple = (), ir: int = 8, opset: int = 17) -> bytes:
    """A model; by default one Relu and one tensor."""
    inside = graph(*(nodes or (node("Relu"),)), tensors=tensors or (tensor(),))
    return message((1, ir), (2, "by hand"), (7, inside), (8, message((1, ""), (2, opset))), *extra)


def function(name: str, domain: str, *nodes: bytes) -> bytes:
    return message((1, name), (4, "x"), (5, "y"), *((7, one) for one in nodes), (10, domain))
