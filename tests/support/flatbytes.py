"""Writes FlatBuffers by hand, and TensorFlow Lite models with them; nothing here needs flatbuffers.

A table is a dict from field number to value: ``(width, number)``, text, bytes, a table, or a list of tables, of texts
or of numbers.
"""

from __future__ import annotations

from protobytes import message


class Wide(list):
    """A list of numbers in eight bytes each."""


class Triples(list):
    """A list of structs of three numbers in four bytes each, as one flat list."""


def build(root: dict, mark: bytes = b"TFL3") -> bytes:
    """Write a file; each table stands before what it points to."""
    out = bytearray(4) + mark
    _pad(out)
    out[:4] = _table(out, root).to_bytes(4, "little")
    return bytes(out)


def _pad(out: bytearray) -> None:
    out += bytes(-len(out) % 4)


def _table(out: bytearray, fields: dict) -> int:
    """Write the description, the table, then what it points to; return where the table lies."""
    _pad(out)
    numbers = max(fields, default=-1) + 1
    size, places = 4, {}
    for number, value in fields.items():
        places[number] = size
        size += value[0] if isinstance(value, tuple) else 4
    head = len(out)
    out += (4 + 2 * numbers).to_bytes(2, "little") + size.to_bytes(2, "little")
    out += b"".join(places.get(number, 0).to_bytes(2, "little") for number in range(numbers))
    _pad(out)
    at = len(out)
    out += (at - head).to_bytes(4, "little") + bytes(size - 4)
    for number, value in fields.items():
        place = at + places[number]
        if isinstance(value, tuple):
            out[place : place + value[0]] = (value[1] % 256 ** value[0]).to_bytes(value[0], "little")
        else:
            out[place : place + 4] = (_child(out, value) - place).to_bytes(4, "little")
    return at


def _child(out: bytearray, value: object) -> int:
    if isinstance(value, dict):
        return _table(out, value)
    _pad(out)
    at = len(out)
    if isinstance(value, (str, bytes)):
        data = value.encode() + b"\0" if isinstance(value, str) else value
        out += len(data.rstrip(b"\0") if isinstance(value, str) else data).to_bytes(4, "little") + data
    elif value and isinstance(value[0], (dict, str)):
        out += len(value).to_bytes(4, "little") + bytes(4 * len(value))
        for index, one in enumerate(value):
            place = at + 4 + 4 * index
            out[place : place + 4] = (_child(out, one) - place).to_bytes(4, "little")
    elif isinstance(value, Wide):
        out += len(value).to_bytes(4, "little") + b"".join(number.to_bytes(8, "little") for number in value)
    else:
        out += (len(value) // 3 if isinstance(value, Triples) else len(value)).to_bytes(4, "little")
        out += b"".join((number % 2**32).to_bytes(4, "little") for number in value)
    return at


def flex(name: str, node_operator: str) -> bytes:
    """The options of a selected TensorFlow operator: a FlexBuffer of its name and its node."""
    node = message((1, "n"), (2, node_operator))
    data = bytes([len(name)]) + name.encode() + b"\0"
    second = len(data) + 1
    data += bytes([len(node)]) + node + b"\0" + bytes([2])
    start = len(data)
    data += bytes([start - 1, start + 1 - second, 5 << 2, 5 << 2])
    return data + bytes([len(data) - start, 10 << 2, 1])


def model(  # noqa: PLR0913 - each part of a model can be replaced
    codes: list[dict] | None = None,
    *,
    options: bytes | None = None,
    tensor: dict | None = None,
    operator: dict | None = None,
    buffers: list[dict] | None = None,
    extra: dict | None = None,
) -> dict:
    """A model with one operator, one tensor of two floats, and an empty first buffer."""
    code = codes or [{0: (1, 0), 3: (4, 0)}]
    step = {0: (4, 0), 1: [0], 2: [0]} | ({} if options is None else {5: options}) | (operator or {})
    graph = {0: [{0: [2], 1: (1, 0), 2: (4, 1), 3: "w"} | (tensor or {})], 1: [0], 2: [0], 3: [step], 4: "main"}
    return {0: (4, 3), 1: code, 2: [graph], 3: "by hand", 4: buffers or [{}, {0: bytes(8)}]} | (extra or {})


def program(  # noqa: PLR0913 - each part of a program can be replaced
    *,
    operator: str = "aten::add",
    call: tuple[int, dict] | None = None,
    values: list[dict] | None = None,
    delegates: list[dict] | None = None,
    segments: list[dict] | None = None,
    extra: dict | None = None,
    base: int = 0,
) -> bytes:
    """An ExecuTorch program that adds a tensor to itself; ``base`` is where segments begin."""
    tensor = {0: (1, 6), 2: [2], 3: b"\0", 5: (4, 0)}
    kind, inside = call or (1, {0: (4, 0), 1: [0, 0]})
    plan = {
        0: "forward",
        2: [{0: (1, 5), 1: tensor}, {0: (1, 2), 1: {0: (8, 1)}}] if values is None else values,
        3: [0],
        4: [0],
        5: [{2: [{0: (1, kind), 1: inside}]}],
        6: [{0: operator, 1: "out"}],
        7: delegates or [],
    }
    root = {0: (4, 0), 1: [plan], 2: [{}, {0: bytes(8)}], 4: segments or []} | (extra or {})
    data = build(root, b"ET12" + b"eh00" + bytes(28))
    return data[:24] + (base or len(data)).to_bytes(8, "little") + data[32:]


def custom(name: str, **rest) -> bytes:
    return build(model([{0: (1, 32), 1: name, 3: (4, 32)}], **rest))
