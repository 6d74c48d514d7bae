"""PyTorch's persistent ids and its older stream format, as ``torch.serialization`` reads them (PyTorch 2.13)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign.scan import knowledge
from modelsign.scan.machine.arguments import fits_signature
from modelsign.scan.machine.values import Global

if TYPE_CHECKING:
    from modelsign.scan.machine.judge import Judge
    from modelsign.scan.machine.values import Value

__all__ = ["MAGIC", "element_size", "persistent_in_tar", "persistent_module", "persistent_storage", "storage_sizes"]

MAGIC: Final = 0x1950A86A20F9469CFC6C
"""The number the first pickle of an older PyTorch stream holds."""
_STORAGE: Final = ("=storage", "class#torch-storage", "str", "str", "int", "?none|tuple:data")
_MODULE_PARTS: Final = 4
_SIZES: Final = {
    "Bool": 1, "Byte": 1, "Char": 1, "QInt8": 1, "QUInt8": 1, "QUInt4x2": 1, "QUInt2x4": 1, "Untyped": 1,
    "Half": 2, "BFloat16": 2, "Short": 2, "Float": 4, "Int": 4, "QInt32": 4,
    "Double": 8, "Long": 8, "ComplexFloat": 8, "ComplexDouble": 16,
}  # fmt: skip


def persistent_storage(judge: Judge, identifier: Value) -> Value | None:
    """Return the storage a persistent id stands for; None if it has not PyTorch's shape.

    The judge remembers the id, where :func:`storage_sizes` is wanted.
    """
    if not isinstance(identifier, tuple) or not fits_signature(judge.source, _STORAGE, identifier):
        return None
    if judge.keeps_storages:
        judge.storage_ids.append(identifier)
    return judge.instance("torch.storage.TypedStorage", knowledge.allowed("torch.storage.TypedStorage"))


def persistent_module(judge: Judge, identifier: Value) -> Value | None:
    """Return the class that an older PyTorch stream names by ``('module', class, file, source)``; None if it is none.

    ``torch.serialization._legacy_load`` compares the source with the installed one and returns the class.
    """
    if not isinstance(identifier, tuple) or len(identifier) != _MODULE_PARTS or not isinstance(identifier[1], Global):
        return None
    kind = identifier[0]
    named = isinstance(kind, int) and kind >= 0 and judge.source.text(kind) == "module"
    return identifier[1] if named else None


def persistent_in_tar(judge: Judge, identifier: Value | str) -> Value | None:
    """Return what an id of the oldest form stands for: a tensor by its number, or ``(class, file, source)``'s class."""
    if isinstance(identifier, tuple):
        known = len(identifier) == _MODULE_PARTS - 1 and isinstance(identifier[0], Global)
        return identifier[0] if known else None
    if isinstance(identifier, int) and identifier < 0:
        return None
    return judge.instance("torch.Tensor", knowledge.allowed("torch.Tensor"))


def element_size(kind: object) -> int:
    """Return the bytes of one number of a storage's class; 1 where it is none that is known."""
    return _SIZES.get(kind.name.removesuffix("Storage"), 1) if isinstance(kind, Global) else 1


def storage_sizes(judge: Judge) -> dict[str, tuple[str, int]]:
    """Return each storage's class and number of bytes, by its key."""
    found = {}
    for _, cls, key, _, count, *_ in judge.storage_ids:
        if isinstance(cls, Global) and isinstance(key, int) and isinstance(count, int):
            kind = cls.name.removesuffix("Storage")
            size = (judge.source.integer(count) or 0) * _SIZES.get(kind, 1)
            found[judge.source.text(key) or ""] = (cls.path, max(0, size))
    return found
