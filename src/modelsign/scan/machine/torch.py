"""PyTorch's persistent ids and its older stream format, as ``torch.serialization`` reads them (PyTorch 2.13)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign.scan import knowledge
from modelsign.scan.machine.arguments import fits_signature
from modelsign.scan.machine.values import Global, Instance

if TYPE_CHECKING:
    from modelsign.scan.machine.judge import Judge
    from modelsign.scan.machine.values import Value

__all__ = ["MAGIC", "persistent_storage"]

MAGIC: Final = 0x1950A86A20F9469CFC6C
"""The number the first pickle of an older PyTorch stream holds."""
_STORAGE: Final = ("=storage", "class#torch-storage", "str", "str", "int", "?none|tuple:data")
_SIZES: Final = {
    "Bool": 1, "Byte": 1, "Char": 1, "QInt8": 1, "QUInt8": 1, "QUInt4x2": 1, "QUInt2x4": 1, "Untyped": 1,
    "Half": 2, "BFloat16": 2, "Short": 2, "Float": 4, "Int": 4, "QInt32": 4,
    "Double": 8, "Long": 8, "ComplexFloat": 8, "ComplexDouble": 16,
}  # fmt: skip


def persistent_storage(judge: Judge, identifier: Value) -> Value | None:
    """Return the storage a persistent id stands for; None if it has not PyTorch's shape.

    The judge remembers each storage's key with its class and its number of bytes.
    """
    if not isinstance(identifier, tuple) or not fits_signature(judge.source, _STORAGE, identifier):
        return None
    cls, key, count = identifier[1], identifier[2], identifier[4]
    if not isinstance(cls, Global) or not isinstance(key, int) or not isinstance(count, int):
        return None
    name, number = judge.source.text(key), judge.source.integer(count)
    if name is None or number is None or number < 0:
        return None
    kind = cls.name.removesuffix("Storage")
    judge.storages[name] = (cls.path, number * _SIZES.get(kind, 1))
    return Instance("torch.storage.TypedStorage", knowledge.allowed("torch.storage.TypedStorage"))
