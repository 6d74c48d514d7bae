"""Writes GGML files from before GGUF by hand: every known layout, with a word or two and one tensor."""

from __future__ import annotations

import struct


def ints(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


def words(*texts: bytes, scores: bool = False) -> bytes:
    return b"".join(ints(len(text)) + text + bytes(4 * scores) for text in texts)


def tensor(name: bytes = b"w", shape: tuple[int, ...] = (2, 2), kind: int = 0, data: bytes | None = None) -> bytes:
    return ints(len(shape), len(name), kind, *shape) + name + (bytes(16) if data is None else data)


def aligned(before: bytes, name: bytes = b"w") -> bytes:
    """A tensor behind ``before`` whose numbers begin at a multiple of 32 bytes."""
    head = before + ints(2, len(name), 0, 2, 2) + name
    return head + bytes(-len(head) % 32) + bytes(16)


LLAMA = ints(2, 64, 16, 4, 2, 8, 1)
WHISPER = ints(2, 8, 4, 1, 1, 8, 4, 1, 1, 2, 1)
GGJT = aligned(b"tjgg" + ints(3) + LLAMA + words(b"a", b"bc", scores=True))
GGMF = b"fmgg" + ints(1) + LLAMA + words(b"a", b"bc", scores=True) + tensor()
OLDEST = b"lmgg" + LLAMA + words(b"a", b"bc") + tensor()
SPEECH = b"lmgg" + WHISPER + ints(2, 3) + bytes(24) + ints(2) + words(b"a", b"bc") + tensor() + tensor(b"b", (4,))
GPT2 = b"lmgg" + ints(2, 8, 4, 1, 1, 1) + ints(2) + words(b"a", b"bc") + tensor()
ADAPTER = aligned(b"algg" + ints(1) + ints(8, 16))

GOOD: dict[str, dict[str, bytes]] = {
    "ggml": {
        "ggjt.bin": GGJT, "ggmf.bin": GGMF, "ggml.bin": OLDEST, "whisper.bin": SPEECH, "gpt2.bin": GPT2,
        "adapter.bin": ADAPTER,
    },
    "numbers": {
        "model.onnx_data": struct.pack("<64f", *(number / 7 for number in range(64))),
        "onnx/model.onnx.data": b"\x02\x00\x81\x3f" * 9,
        "openvino_model.bin": b"\x02\x00\x81\x3f" * 9,
        "yolov3.weights": ints(0, 2, 0) + bytes(8) + bytes(range(100)),
    },
}  # fmt: skip
"""Files that must be clean, by the format they must be read as."""

BAD: dict[str, dict[str, bytes]] = {
    "ggml": {
        "cut.bin": OLDEST[:-1],
        "more.bin": OLDEST + b"x",
        "kind.bin": b"lmgg" + LLAMA + words(b"a", b"b") + tensor(kind=99),
    },
    "numbers": {"evil.onnx_data": b"\x80\x02cposix\nsystem\nX\x04\x00\x00\x00true\x85R."},
}
"""Files that must not be clean, by the format whose reader finds it."""
