"""What header messages say: links, attributes, layouts, filters, external files (specification IV.A.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign.scan.hdf5.source import BrokenError

if TYPE_CHECKING:
    from modelsign.scan.hdf5.source import Cursor, Source

__all__ = ["Attribute", "Link", "Text", "attribute", "filters", "is_virtual", "link", "text_type"]

HARD: Final = 0
SOFT: Final = 1
EXTERNAL: Final = 64
_VIRTUAL: Final = 3
_FIXED_CLASS: Final = 3
_VARIABLE_CLASS: Final = 9
_NAMED_FILTER: Final = 256
_PADDED: Final = 1
_WITH_CHARSET: Final = 3
_COMMITTED: Final = 2


class Link(NamedTuple):
    """A link (IV.A.2.g): its name, its kind, the header of a hard link, what an external link names."""

    name: bytes
    kind: int
    header: int | None = None
    target: str = ""


class Text(NamedTuple):
    """A datatype of text: how many bytes one takes in place, and whether they lie in the global heap."""

    size: int
    variable: bool


class Attribute(NamedTuple):
    """An attribute (IV.A.2.m): its name, its type if that is text, how many there are, and its bytes in place."""

    name: bytes
    text: Text | None
    committed: int | None
    elements: int
    body: Cursor


def link(body: Cursor) -> Link:
    """Read a link message."""
    version, flags = body.uint(1), body.uint(1)
    if version != 1:
        raise BrokenError("a link has an unknown version", body.place)
    kind = body.uint(1) if flags & 8 else HARD
    body.take(8 * bool(flags & 4) + bool(flags & 16))
    name = body.take(body.uint(1 << (flags & 3)))
    if kind == HARD:
        return Link(name, kind, body.address())
    value = body.rest(body.uint(2))
    if kind != EXTERNAL:
        return Link(name, kind)
    value.take(1)
    return Link(name, kind, None, value.text().decode("utf-8", "replace"))


def text_type(body: Cursor) -> Text | None:
    """Read a datatype (IV.A.2.d) as far as to say whether it is text."""
    kind = body.uint(1) & 15
    bits, size = body.uint(3), body.uint(4)
    if kind == _FIXED_CLASS:
        return Text(size, variable=False)
    if kind == _VARIABLE_CLASS and bits & 15 == 1:
        return Text(size, variable=True)
    return None


def _count(body: Cursor) -> int:
    """Return how many elements a dataspace (IV.A.2.b) has."""
    version, rank = body.uint(1), body.uint(1)
    if version == 1:
        body.take(6)
    elif version == 2:  # noqa: PLR2004 - the version's number
        body.uint(1)
        if body.uint(1) == 2:  # noqa: PLR2004 - the null dataspace
            return 0
    else:
        raise BrokenError("a dataspace has an unknown version", body.place)
    count = 1
    for _ in range(rank):
        count *= body.length()
    return count


def attribute(source: Source, body: Cursor) -> Attribute:
    """Read an attribute message; ``committed`` is the header of a datatype that lies elsewhere."""
    version, flags = body.uint(1), body.uint(1)
    if not 1 <= version <= _WITH_CHARSET:
        raise BrokenError("an attribute has an unknown version", body.place)
    name_size, type_size, space_size = body.uint(2), body.uint(2), body.uint(2)
    if version == _WITH_CHARSET:
        body.take(1)
    shared = flags if version > _PADDED else 0
    parts = []
    for size in (name_size, type_size, space_size):
        parts.append(body.rest(size))
        if version == _PADDED:
            body.take(min(-size % 8, body.left))
    name = parts[0].data.split(b"\0", 1)[0]
    if shared & 2:
        raise BrokenError("an attribute's dataspace lies in a shared table", body.place)
    committed = _committed(source, parts[1]) if shared & 1 else None
    text = None if shared & 1 else text_type(parts[1])
    return Attribute(name, text, committed, _count(parts[2]), body)


def _committed(source: Source, body: Cursor) -> int:
    """Return the header of a committed datatype (IV.A.2, shared messages)."""
    version, kind = body.uint(1), body.uint(1)
    if version == 1:
        body.take(6)
    elif version == 3 and kind != _COMMITTED:  # noqa: PLR2004 - the version's number
        raise BrokenError("an attribute's datatype lies in a shared table", body.place)
    del source
    return body.address()


def is_virtual(body: Cursor) -> bool:
    """Whether a data layout (IV.A.2.i) maps the dataset to other datasets."""
    version = body.uint(1)
    return version > 2 and body.uint(1) == _VIRTUAL  # noqa: PLR2004 - versions 1 and 2 know no such class


def filters(body: Cursor) -> list[int]:
    """Return the numbers of a filter pipeline (IV.A.2.l)."""
    version, count = body.uint(1), body.uint(1)
    if version not in {1, 2}:
        raise BrokenError("a filter pipeline has an unknown version", body.place)
    if version == 1:
        body.take(6)
    found = []
    for _ in range(count):
        number = body.uint(2)
        name = body.uint(2) if version == 1 or number >= _NAMED_FILTER else 0
        body.take(2)
        values = body.uint(2)
        body.take(name + (-name % 8 if version == 1 else 0))
        body.take(4 * values + (4 * (values % 2) if version == 1 else 0))
        found.append(number)
    return found
