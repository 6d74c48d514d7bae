"""Writes TensorFlow's messages and checkpoint indexes by hand; nothing here needs TensorFlow."""

from __future__ import annotations

from protobytes import message, varint

STRING = 7


def text_tensor(text: str | bytes) -> bytes:
    return message((1, STRING), (2, b""), (8, text))


def node(name: str, operator: str, *inputs: str, **attributes) -> bytes:
    """A node; an attribute is text, or a tensor of text where its name is ``value``."""
    fields = [(1, name), (2, operator), *((3, one) for one in inputs)]
    for key, value in attributes.items():
        inside = message((8, text_tensor(value))) if key == "value" else message((2, value))
        fields.append((5, message((1, key), (2, inside))))
    return message(*fields)


def function(name: str, *nodes: bytes) -> bytes:
    return message((1, message((1, name))), *((3, one) for one in nodes))


def graph(*nodes: bytes, functions: tuple[bytes, ...] = ()) -> bytes:
    """A GraphDef; by default of a placeholder and a Relu."""
    nodes = nodes or (node("x", "Placeholder"), node("y", "Relu", "x"))
    library = [(2, message(*((1, one) for one in functions)))] if functions else []
    return message(*((1, one) for one in nodes), *library, (4, message((1, 1994))))


def asset(tensor: str, filename: str) -> bytes:
    return message((1, message((1, tensor))), (2, filename))


def meta_graph(inside: bytes | None = None, *extra) -> bytes:
    return message((1, message((4, "serve"))), (2, graph() if inside is None else inside), *extra)


def saved_model(inside: bytes | None = None, *extra) -> bytes:
    return message((1, 1), (2, meta_graph(inside, *extra)))


def user_object(identifier: str, metadata: str) -> tuple[int, bytes]:
    """The field of a MetaGraphDef that holds a Keras layer's description."""
    return 7, message((1, message((4, message((1, identifier), (2, message((1, 1))), (3, metadata))))))


def entry(kind: int = 1, dims=(2,), *, shard: int = 0, offset: int = 0, size: int | None = None) -> bytes:
    count = 4
    for length in dims:
        count *= length
    shape = message(*((2, message((1, length))) for length in dims))
    return message((1, kind), (2, shape), (3, shard), (4, offset), (5, count if size is None else size), (6, 1.0))


def _block(pairs: list[tuple[bytes, bytes]]) -> bytes:
    """A block in which each key shares what it can with the one before."""
    out = b""
    before = b""
    for name, value in pairs:
        shared = next(
            (n for n in range(min(len(name), len(before))) if name[n] != before[n]), min(len(name), len(before))
        )
        out += varint(shared) + varint(len(name) - shared) + varint(len(value)) + name[shared:] + value
        before = name
    return out + (0).to_bytes(4, "little") + (1).to_bytes(4, "little")


def index(entries: dict[bytes, bytes] | None = None, *, shards: int = 1, compressed: int = 0) -> bytes:
    """The index of a checkpoint; by default of one tensor."""
    pairs = [(b"", message((1, shards), (3, message((1, 1)))))]
    pairs += sorted(({b"w": entry()} if entries is None else entries).items())
    data = _block(pairs)
    out = data + bytes([compressed]) + bytes(4)
    meta = len(out), len(_block([]))
    out += _block([]) + bytes(5)
    handle = varint(0) + varint(len(data))
    place = len(out), len(_block([(b"x", handle)]))
    out += _block([(b"x", handle)]) + bytes(5)
    footer = b"".join(map(varint, (*meta, *place)))
    return out + footer.ljust(40, b"\0") + (0xDB4775248B80FB57).to_bytes(8, "little")
