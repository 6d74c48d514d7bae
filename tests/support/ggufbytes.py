"""Builds GGUF files by hand, good and broken; an own writer after docs/gguf.md of ggml."""

from __future__ import annotations

import struct

UINT8, INT8, UINT16, INT16, UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY, UINT64, INT64, FLOAT64 = range(13)
_SCALARS = {UINT8: "B", INT8: "b", UINT16: "H", INT16: "h", UINT32: "I", INT32: "i", FLOAT32: "f", BOOL: "?",
            UINT64: "Q", INT64: "q", FLOAT64: "d"}  # fmt: skip
F32, F16, Q4_0, Q8_0, Q4_K = 0, 1, 2, 8, 12


class Writer:
    """Writes numbers and texts of one version and byte order."""

    def __init__(self, *, version: int = 3, order: str = "<") -> None:
        self.version, self.order = version, order

    def number(self, kind: str, value: float) -> bytes:
        return struct.pack(self.order + kind, value)

    def count(self, value: int) -> bytes:
        return self.number("I" if self.version == 1 else "Q", value)

    def text(self, value: str | bytes) -> bytes:
        raw = value.encode() if isinstance(value, str) else value
        return self.count(len(raw)) + raw

    def value(self, kind: int, value: object) -> bytes:
        """A value with its type in front; a list is ``(ARRAY, (type, values))``."""
        return self.number("I", kind) + self.bare(kind, value)

    def bare(self, kind: int, value: object) -> bytes:
        if kind == STRING:
            return self.text(value)
        if kind == ARRAY:
            inner, values = value
            return self.number("I", inner) + self.count(len(values)) + b"".join(self.bare(inner, one) for one in values)
        return self.number(_SCALARS[kind], value)

    def tensor(self, name: str | bytes, shape: tuple[int, ...], kind: int, offset: int) -> bytes:
        dimensions = b"".join(self.count(length) for length in shape)
        return (
            self.text(name)
            + self.number("I", len(shape))
            + dimensions
            + self.number("I", kind)
            + self.number("Q", offset)
        )


MODEL = (
    ("general.architecture", STRING, "llama"),
    ("general.alignment", UINT32, 32),
    ("llama.rope.freq_base", FLOAT32, 1e4),
    ("tokenizer.ggml.tokens", ARRAY, (STRING, ["<s>", "a", "{{ x.__class__ }}"])),
    ("tokenizer.ggml.scores", ARRAY, (FLOAT32, [0.0, -1.0, -2.0])),
)
TENSORS = (("token_embd.weight", (8, 3), F32, 0), ("blk.0.attn_q.weight", (32, 2), Q4_0, 96))


def gguf(  # noqa: PLR0913 - each is a way in which a file can differ
    entries: object = MODEL,
    tensors: object = TENSORS,
    *,
    data: bytes | None = None,
    version: int = 3,
    order: str = "<",
    counts: tuple[int, int] | None = None,
    alignment: int = 32,
    template: str | None = None,
) -> bytes:
    """A GGUF file; by default two small tensors and the metadata of a model."""
    writer = Writer(version=version, order=order)
    entries = [*entries, *([("tokenizer.chat_template", STRING, template)] if template is not None else [])]
    tensors = list(tensors)
    number, many = counts or (len(tensors), len(entries))
    head = b"GGUF" + writer.number("I", version) + writer.count(number) + writer.count(many)
    head += b"".join(writer.text(key) + writer.value(kind, value) for key, kind, value in entries)
    head += b"".join(writer.tensor(*tensor) for tensor in tensors)
    body = (bytes(96) + bytes(36) + bytes(28)) if data is None else data
    return head + bytes(-len(head) % alignment) + body
