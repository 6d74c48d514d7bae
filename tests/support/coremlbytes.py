"""Writes Core ML models and weight files by hand; nothing here needs coremltools."""

from __future__ import annotations

from protobytes import message


def model(*fields: tuple[int, bytes]) -> bytes:
    return message((1, 7), (2, message((1, message((1, "x"))))), *fields)


def network(layer: bytes | None = None) -> bytes:
    """A neural network of one layer."""
    relu = message((1, "relu"), (2, "x"), (3, "y"), (130, message((10, b""))))
    return model((500, message((1, layer or relu))))


def program(path: str = "@model_path/weights/weight.bin", operation: str = "const") -> bytes:
    """A program of one operation, whose value lies in a file."""
    value = message((5, message((1, path), (2, 64))))
    step = message((1, operation), (5, message((1, "val"), (2, value))))
    block = message((1, "CoreML7"), (2, message((2, "y"), (3, step))))
    function = message((2, "CoreML7"), (3, block))
    return model((502, message((1, 1), (2, message((1, "main"), (2, function))))))


def blobs(*, count: int = 1, size: int = 8, offset: int = 128) -> bytes:
    """A file of weights with one blob of eight bytes."""
    header = count.to_bytes(4, "little") + (2).to_bytes(4, "little") + bytes(56)
    places = size.to_bytes(8, "little") + offset.to_bytes(8, "little")
    return header + (0xDEADBEEF).to_bytes(4, "little") + (1).to_bytes(4, "little") + places + bytes(40) + b"\x01" * 8
