"""Builds CatBoost models and Torch7 files by hand."""

from __future__ import annotations

import struct

import flatbytes

TREES = {0: (4, 1), 1: [0, 1, 2], 2: [1, 2], 3: [0, 1], 5: [{0: (4, 0)}]}


def catboost(core: dict | None = None, behind: bytes = b"", *, size: int | None = None) -> bytes:
    """A model with two trees; ``core`` replaces fields of its table."""
    fields = {0: "FlabuffersModel_v1", 1: TREES, 2: [{0: "params", 1: "{}"}], **(core or {})}
    raw = flatbytes.build(fields, mark=b"")
    return b"CBM1" + struct.pack("<I", len(raw) if size is None else size) + raw + behind


def ctr(*tables: bytes) -> bytes:
    """What stands behind the trees for categorical features."""
    return struct.pack("<I", len(tables)) + b"".join(struct.pack("<I", len(table)) + table for table in tables)


CTR_TABLE = flatbytes.build({0: (4, 1)}, mark=b"")


class Torch7:
    """Writes values; objects are numbered as they come."""

    def __init__(self) -> None:
        self._number = 0

    def _new(self, kind: int) -> bytes:
        self._number += 1
        return struct.pack("<2i", kind, self._number)

    @staticmethod
    def _text(value: bytes) -> bytes:
        return struct.pack("<i", len(value)) + value

    def value(self, value: object) -> bytes:
        """A value: None, a bool, a number, bytes, a dict."""
        if value is None or isinstance(value, bool):
            return struct.pack("<i", 0) if value is None else struct.pack("<2i", 5, value)
        if isinstance(value, int | float):
            return struct.pack("<id", 1, value)
        if isinstance(value, bytes):
            return struct.pack("<i", 2) + self._text(value)
        assert isinstance(value, dict)
        return self.table(*((self.value(key), item) for key, item in value.items()))

    def table(self, *pairs: tuple[bytes, object]) -> bytes:
        """A table; values that are no bytes of a value yet are written."""
        head = self._new(3) + struct.pack("<i", len(pairs))
        return head + b"".join(key + self.value(item) for key, item in pairs)

    def thing(self, name: str, body: bytes, *, version: str = "V 1") -> bytes:
        """An object of a class."""
        return self._new(4) + (self._text(version.encode()) if version else b"") + self._text(name.encode()) + body

    def tensor(self, kind: str = "Float", count: int = 3, width: int = 4) -> bytes:
        """A tensor of one dimension with its storage."""
        head = self._new(4) + self._text(b"V 1") + self._text(f"torch.{kind}Tensor".encode())
        storage = self.thing(f"torch.{kind}Storage", struct.pack("<q", count) + bytes(count * width))
        return head + struct.pack("<i3q", 1, count, 1, 1) + storage

    def function(self, kind: int = 8) -> bytes:
        """A function, with bytes where its bytecode would stand."""
        return self._new(kind) + self._text(b"\x1bLJ") + self.table()


def torch7_model() -> bytes:
    """A layer of nn with a weight."""
    made = Torch7()
    head = made._new(4) + made._text(b"V 1") + made._text(b"nn.Linear")
    inside = made._new(3) + struct.pack("<i", 2)
    return head + inside + made.value(b"weight") + made.tensor() + made.value(b"train") + made.value(False)  # noqa: FBT003


def torch7_text(
    numbers: bytes = b"0.5 -1 1e-05", count: int = 3, kind: bytes = b"Float", last: bytes = b"5\n0\n"
) -> bytes:
    """The same as text; ``last`` is the value of ``train``."""
    head = b"4\n1\n3\nV 1\n9\nnn.Linear\n3\n2\n2\n2\n6\nweight\n"
    tensor = b"4\n3\n3\nV 1\n%d\ntorch.%sTensor\n1\n%d\n1\n1\n" % (12 + len(kind), kind, count)
    storage = b"4\n4\n3\nV 1\n%d\ntorch.%sStorage\n%d\n" % (13 + len(kind), kind, count)
    return head + tensor + storage + numbers + b"\n2\n5\ntrain\n" + last


def torch7_function() -> bytes:
    """A table with a function."""
    made = Torch7()
    return made._new(3) + struct.pack("<i", 1) + made.value(b"forward") + made.function()
