"""Which unsigned files are inert when no scanner is at hand: git's own two text files, and nothing else.

What may stand in a model without being signed (under ``.github``, extra files under ``--ignore-unsigned-files``) must
be inert, and only the scanner can say so, because every reader has to be asked (DESIGN, *Outcomes*). The scanner is a
layer above; callers that have it hand its answer in (``scan.engine.is_inert``). This is the answer of those that have
not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign import limits

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["TEXT_NAMES", "is_plainly_inert"]

TEXT_NAMES: Final = frozenset({".gitattributes", ".gitignore"})
"""Files that git reads and no loader does."""
_CONTROL_BYTES: Final = bytes(set(range(32)) - set(b"\t\n\f\r")) + b"\x7f"


def is_plainly_inert(reading: Reading, name: str) -> bool:
    """Say whether the file is one of git's own, and text in UTF-8.

    Raises:
        ModelsignError: the reading's own faults (``FILE_UNREADABLE``, ``FILE_CHANGED_WHILE_READ``).

    """
    if name.rsplit("/", 1)[-1] not in TEXT_NAMES or reading.size > limits.INERT_BYTES:
        return False
    data = reading.read_at(0, reading.size)
    if len(data.translate(None, _CONTROL_BYTES)) != len(data):
        return False
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
