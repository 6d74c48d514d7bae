"""Which files are plainly inert: no loader takes code or objects from them.

A small closed rule for files that stand in a model without being signed (``.gitattributes``, what lies
under ``.github``, extra files under ``--ignore-unsigned-files``). A file is inert if it is strict JSON
without keys that name code, or text under a name on a closed list (DESIGN, *Outcomes*). Everything else
counts as loadable. The scanner has its own, larger answer; this one asks no reader of any format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign import limits, strictjson
from modelsign.errors import ModelsignError

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["CODE_BEARING_KEYS", "TEXT_NAMES", "is_plainly_inert"]

TEXT_NAMES: Final = frozenset(
    {
        ".gitattributes",
        ".gitignore",
        "authors",
        "authors.md",
        "changelog.md",
        "citation.bib",
        "code_of_conduct.md",
        "codeowners",
        "contributing.md",
        "copying",
        "funding.md",
        "licence",
        "licence.md",
        "licence.txt",
        "license",
        "license.md",
        "license.txt",
        "merges.txt",
        "model_card.md",
        "notice",
        "notice.md",
        "notice.txt",
        "pull_request_template.md",
        "readme",
        "readme.md",
        "readme.txt",
        "security.md",
        "vocab.txt",
    }
)
"""File names, in lower case, under which plain text is inert."""

CODE_BEARING_KEYS: Final = frozenset(
    {
        "__class__",
        "__reduce__",
        "_class_",
        "_target_",
        "auto_map",
        "chat_template",
        "class_name",
        "custom_pipelines",
        "py/object",
        "py/reduce",
        "py/type",
        "registered_name",
        "trust_remote_code",
    }
)
"""JSON keys by which a loader is told to import or run something."""

_CONTROL_BYTES: Final = bytes(set(range(32)) - set(b"\t\n\f\r")) + b"\x7f"


def is_plainly_inert(reading: Reading, name: str) -> bool:
    """Say whether the file is strict JSON without code-bearing keys, or text under a known name.

    Raises:
        ModelsignError: the reading's own faults (``FILE_UNREADABLE``, ``FILE_CHANGED_WHILE_READ``).

    """
    base = name.rsplit("/", 1)[-1].lower()
    text = base in TEXT_NAMES
    if reading.size > limits.INERT_BYTES or not (text or base.endswith(".json")):
        return False
    data = reading.read_at(0, reading.size)
    return _is_text(data) if text else _is_plain_json(data)


def _is_text(data: bytes) -> bool:
    if len(data.translate(None, _CONTROL_BYTES)) != len(data):
        return False
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _is_plain_json(data: bytes) -> bool:
    try:
        level = [strictjson.loads(data, most_bytes=limits.INERT_BYTES)]
    except ModelsignError:
        return False
    while level:
        deeper: list[object] = []
        for value in level:
            if isinstance(value, dict):
                if not CODE_BEARING_KEYS.isdisjoint(value):
                    return False
                deeper += value.values()
            elif isinstance(value, list):
                deeper += value
        level = deeper
    return True
