"""Names of resources: which ones are safe to print, to write into a manifest and to open elsewhere.

A name is a POSIX path relative to the model. OMS v1.0 leaves open what a name may hold; here a name
that two machines could understand differently, or that could fool the reader of a report, is refused
(docs/decisions/names-two-machines-agree-on.md). ``strict=False`` gives the specification's behaviour; what can never be
written to a manifest or would leave the model is refused all the same.

Never touches a file system.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsign import limits
from modelsign.errors import error

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["check_collisions", "check_name", "covers", "path_part_order"]

_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_SEPARATORS = frozenset("\u2028\u2029")


def check_name(name: str, *, strict: bool = True) -> None:
    """Refuse a name that is not a plain relative path.

    Raises:
        ModelsignError: ``NAME_NOT_UTF8``, ``NAME_LEAVES_MODEL``, ``NAME_CONTROL_CHARACTER`` or
            ``NAME_TOO_LONG``.

    """
    if not name.isascii() or len(name) > limits.NAME_BYTES:
        _check_bytes(name)
    # One look at the whole string is enough for nearly every name.
    if not name or name[0] == "/" or name[-1] == "/" or "//" in name or "." in (name[0], name[-1]) or "/." in name:
        for part in name.split("/"):
            if part in {"", ".", ".."}:
                raise error("NAME_LEAVES_MODEL", f"the name {name} is not a plain path inside the model")
    if "\0" in name or "\n" in name or (strict and not name.isprintable()):
        _check_characters(name, strict=strict)


def _check_bytes(name: str) -> None:
    try:
        encoded = name.encode("utf-8")
    except UnicodeEncodeError:
        raise error("NAME_NOT_UTF8", f"the name {name!a} is not UTF-8") from None
    if len(encoded) > limits.NAME_BYTES:
        raise error("NAME_TOO_LONG", f"a name has {len(encoded)} bytes; the limit is {limits.NAME_BYTES}")


def _check_characters(name: str, *, strict: bool) -> None:
    for character in name:
        point = ord(character)
        control = point < 0x20 or 0x7F <= point < 0xA0 or character in _BIDI or character in _SEPARATORS  # noqa: PLR2004 - C0, DEL and C1
        if character in "\0\n" or (strict and control):
            raise error(
                "NAME_CONTROL_CHARACTER",
                f"the name {name} holds the control character U+{point:04X}",
            )


def check_collisions(names: Iterable[str]) -> None:
    """Refuse names that a case-insensitive or normalising file system would take for one.

    Raises:
        ModelsignError: ``NAME_COLLIDES_NORMALISED`` or ``NAME_COLLIDES_CASE``.

    """
    names = names if isinstance(names, (list, tuple)) else list(names)
    # Lower case is the fold of ASCII; a set of the right size proves that nothing collides.
    if len({name.lower() for name in names}) == len(names) and all(map(str.isascii, names)):
        return
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(_fold(name), name)
        if other is not name and other != name:
            _refuse_collision(other, name)


def _fold(name: str) -> str:
    if name.isascii():
        return name.lower()
    from unicodedata import normalize  # noqa: PLC0415 - its tables are only needed for names outside ASCII

    # Unicode 3.13, D145: canonical caseless matching.
    return normalize("NFD", normalize("NFD", name).casefold())


def _refuse_collision(first: str, second: str) -> None:
    from unicodedata import normalize  # noqa: PLC0415 - only on the way to a refusal

    if normalize("NFC", first) == normalize("NFC", second):
        raise error(
            "NAME_COLLIDES_NORMALISED",
            f"the names {first!a} and {second!a} differ only by Unicode normalisation",
        )
    raise error("NAME_COLLIDES_CASE", f"the names {first} and {second} differ only by letter case")


def path_part_order(name: str) -> list[str]:
    """Return the sort key of the reference implementation: the parts of the path (facts of OMS, not its text)."""
    return name.split("/")


def covers(ignored: str, name: str) -> bool:
    """Say whether an ignored path is ``name`` itself or a folder above it."""
    return name == ignored or name.startswith(ignored + "/")
