"""Follows every link of an HDF5 file from its root and says what a loader would open, load or look up on the way.

Each object is visited once, however many links lead to it. The numbers of datasets are never read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from modelsign import limits
from modelsign.artifact.reading import BytesReading
from modelsign.errors import ModelsignError
from modelsign.scan.hdf5 import headers, heaps, rules, trees
from modelsign.scan.hdf5 import messages as message
from modelsign.scan.hdf5.source import BrokenError, ExhaustedError, Source
from modelsign.scan.pickles import scan_pickle
from modelsign.scan.rules import BROKEN, BUDGET, of_fault
from modelsign.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from modelsign.artifact.reading import Reading
    from modelsign.scan.hdf5.source import Cursor
    from modelsign.verdict import Finding, Rule

__all__ = ["Hdf5", "hdf5_of"]

_FILTERS: Final = frozenset({1, 2, 3, 4, 5, 6, 32000})
"""deflate, shuffle, fletcher32, szip, nbit, scaleoffset of the library; lzf, which h5py brings (filter registry)."""
_SHOWN: Final = 200
_FILES_SHOWN: Final = 3
_LINK_RECORD: Final = 5
_ATTRIBUTE_RECORD: Final = 8
_LINK_INFO, _DATATYPE, _LINK, _FILES, _LAYOUT, _PIPELINE, _ATTRIBUTE, _TABLE, _ATTRIBUTE_INFO = (
    2, 3, 6, 7, 8, 11, 12, 17, 21,
)  # fmt: skip
_EXTENSION: Final = {15: "a table of shared messages", 20: "a file driver's block", 24: "a metadata cache image"}
_SHAREABLE: Final = frozenset({_PIPELINE, _ATTRIBUTE})
_KEPT: Final = frozenset({"model_config", "training_config", "config", "class_name", "keras_version", "backend"})
"""Attributes of the root that another reader wants to see."""


@dataclass(frozen=True, slots=True)
class Hdf5:
    """What was seen: findings, names that pickles in attributes import, and texts of the root by name.

    A name that stands twice has two texts: which of them a loader finds depends on how it looks.
    """

    findings: tuple[Finding, ...]
    globals: frozenset[str]
    texts: Mapping[str, list[bytes]]


_known: WeakKeyDictionary[Reading, Hdf5] = WeakKeyDictionary()


def hdf5_of(reading: Reading) -> Hdf5 | None:
    """Return what an HDF5 file holds, or None where the bytes are none; the same reading is walked once."""
    found = _known.get(reading)
    if found is None:
        base = headers.find_superblock(reading)
        if base is None:
            return None
        walk = _Walk(Source(reading, base))
        walk.run()
        found = _known[reading] = Hdf5(tuple(walk.findings), frozenset(walk.globals), walk.texts)
    return found


@dataclass(slots=True)
class _Walk:
    """One walk over one file."""

    source: Source
    findings: dict[Finding, None] = field(default_factory=dict)
    globals: set[str] = field(default_factory=set)
    texts: dict[str, list[bytes]] = field(default_factory=dict)
    heaps: heaps.GlobalHeaps = field(init=False)
    waiting: list[tuple[int, str]] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.heaps = heaps.GlobalHeaps(self.source)

    def note(self, rule: Rule, text: str, path: str = "", offset: int | None = None) -> None:
        if len(self.findings) <= limits.SCAN_FINDINGS:
            self.findings[rule.finding(text, member=path or None, offset=offset)] = None

    def run(self) -> None:
        """Walk from the root; what breaks ends the object it is in, what is beyond the budget ends the walk."""
        try:
            root = headers.read_superblock(self.source)
            if root.driver is not None:
                self.note(rules.HIDDEN, "the superblock names a file driver's block")
            if root.extension is not None:
                self._extension(root.extension)
            self.waiting.append((root.header, "/"))
            if root.table is not None:
                self._guard(lambda: self._symbols(*(root.table or (0, 0)), "/"), "/")
            while self.waiting:
                address, path = self.waiting.pop()
                if address not in self.seen:
                    self.seen.add(address)
                    self._guard(lambda: self._object(address, path), path)  # noqa: B023 - called at once
        except ExhaustedError as halt:
            self.note(BUDGET, halt.message, offset=halt.offset)
        except BrokenError as halt:
            self.note(BROKEN, halt.message, offset=halt.offset)
        except ModelsignError as fault:
            self.findings[of_fault(fault)] = None

    def _guard(self, part: Callable[[], None], path: str) -> None:
        try:
            part()
        except ExhaustedError:
            raise
        except BrokenError as halt:
            self.note(BROKEN, halt.message, path, halt.offset)

    def _extension(self, address: int) -> None:
        for found in headers.messages(self.source, address):
            if found.kind in _EXTENSION:
                self.note(rules.HIDDEN, f"the superblock's extension has {_EXTENSION[found.kind]}")

    def _object(self, address: int, path: str) -> None:
        for found in headers.messages(self.source, address):
            if found.shared:
                if found.kind in _SHAREABLE:
                    self.note(rules.HIDDEN, "a message of the object lies in a shared table", path)
                continue
            self._guard(lambda: self._message(found.kind, found.body, path), path)  # noqa: B023 - called at once

    def _message(self, kind: int, body: Cursor, path: str) -> None:
        read = _READERS.get(kind)
        if read is not None:
            read(self, body, path)

    def table(self, body: Cursor, path: str) -> None:
        self._symbols(body.address(), body.address(), path)

    def filters(self, body: Cursor, path: str) -> None:
        for number in message.filters(body):
            if number not in _FILTERS:
                self.note(rules.FILTER, f"the filter {number} is looked for among plugins", path, body.place)

    def indexed(self, body: Cursor, order_size: int, path: str, kind: int) -> None:
        """Read links or attributes that lie in a fractal heap (IV.A.2.c, IV.A.2.v)."""
        body.take(1)
        body.take(order_size * (body.uint(1) & 1))
        heap_address, tree = body.address(), body.address()
        if heap_address == self.source.undefined:
            return
        heap = heaps.FractalHeap(self.source, heap_address)
        for record in trees.records(self.source, tree, kind):
            if kind == _LINK_RECORD:
                record.take(4)
                self.link(message.link(heap.object(record)), path)
                continue
            identifier = record.rest(8)
            if record.uint(1) & 2:
                self.note(rules.HIDDEN, "an attribute of the object lies in a shared table", path)
            else:
                self.attribute(message.attribute(self.source, heap.object(identifier)), path)

    def _symbols(self, tree: int, heap: int, path: str) -> None:
        names = heaps.local_heap(self.source, heap)
        for symbol in trees.symbols(self.source, tree):
            names.at = min(symbol.name, len(names.data))
            if symbol.header is not None:
                self.waiting.append((symbol.header, _join(path, names.text())))

    def link(self, found: message.Link, path: str) -> None:
        inside = _join(path, found.name)
        if found.kind == message.EXTERNAL:
            self.note(rules.EXTERNAL, f"links to an object in the file {found.target[:_SHOWN]!r}", inside)
        elif found.header is not None:
            self.waiting.append((found.header, inside))
        elif found.kind != message.SOFT:
            self.note(rules.USER_LINK, f"a link of the class {found.kind}", inside)

    def files(self, body: Cursor, path: str) -> None:
        """Name the files of an External Data Files message (IV.A.2.h)."""
        place, files = body.place, []
        try:
            body.take(6)
            used = body.uint(2)
            names = heaps.local_heap(self.source, body.address())
            for _ in range(min(used, _FILES_SHOWN)):
                names.at = min(body.length(), len(names.data))
                body.take(2 * self.source.length_size)
                files.append(repr(names.text()[:_SHOWN].decode("utf-8", "replace")))
        finally:
            told = f": {', '.join(files)}" if files else ""
            self.note(rules.EXTERNAL, f"its numbers lie in other files{told}", path, place)

    def virtual(self, body: Cursor, path: str) -> None:
        """Name the first source of a virtual dataset (VII.A)."""
        place = body.place
        if not message.is_virtual(body):
            return
        text = "its numbers lie in other datasets"
        try:
            mapping = self.heaps.object(body.address(), body.uint(4), limits.NAME_BYTES)
            name = mapping[1 + self.source.length_size :].split(b"\0", 1)[0].decode("utf-8", "replace")
            text = f"{text}, the first in the file {name[:_SHOWN]!r}"
        finally:
            self.note(rules.EXTERNAL, text, path, place)

    def attribute(self, found: message.Attribute, path: str) -> None:
        text = found.text
        if found.committed is not None:
            text = next(
                (
                    message.text_type(entry.body)
                    for entry in headers.messages(self.source, found.committed)
                    if entry.kind == _DATATYPE and not entry.shared
                ),
                None,
            )
        if text is None or found.elements < 1:
            return
        name = found.name.decode("utf-8", "replace")
        kept = path == "/" and name in _KEPT
        room = found.body.left // max(1, 8 + self.source.address_size if text.variable else text.size)
        value = b"".join(self._value(text, found.body) for _ in range(min(found.elements, room) if kept else 1))
        if kept:
            self.texts.setdefault(name, []).append(value)
        if name == "PSEUDOATOM" and value.rstrip(b"\0") == b"object":
            self.note(rules.PICKLED, "the dataset's rows are unpickled by PyTables", path)
        if value.endswith(b"."):
            self._maybe_pickle(value, f"{path}@{name[:_SHOWN]}")

    def _value(self, text: message.Text, body: Cursor) -> bytes:
        if not text.variable:
            return body.take(text.size).rstrip(b"\0")
        size, heap, index = body.uint(4), body.address(), body.uint(4)
        return self.heaps.object(heap, index, size) if size else b""

    def _maybe_pickle(self, value: bytes, path: str) -> None:
        """Judge an attribute as PyTables reads it: text that ends in a full stop is tried as a pickle."""
        seen = scan_pickle(BytesReading(value), member=path, takes_members=False)
        whole = seen.end == len(value) and bool(seen.globals)
        for finding in seen.findings:
            if whole or finding.outcome is Outcome.UNSAFE:
                self.findings[finding] = None
        if whole:
            self.globals |= seen.globals


_READERS: Final[dict[int, Callable[[_Walk, Cursor, str], None]]] = {
    _LINK_INFO: lambda walk, body, path: walk.indexed(body, 8, path, _LINK_RECORD),
    _LINK: lambda walk, body, path: walk.link(message.link(body), path),
    _FILES: _Walk.files,
    _LAYOUT: _Walk.virtual,
    _PIPELINE: _Walk.filters,
    _ATTRIBUTE: lambda walk, body, path: walk.attribute(message.attribute(walk.source, body), path),
    _TABLE: _Walk.table,
    _ATTRIBUTE_INFO: lambda walk, body, path: walk.indexed(body, 2, path, _ATTRIBUTE_RECORD),
}
"""What is done with each message, by its type."""


def _join(path: str, name: bytes) -> str:
    """Return the path of an object in a group, cut to what a person reads."""
    return f"{path.rstrip('/')}/{name[:_SHOWN].decode('utf-8', 'replace')}"[: 5 * _SHOWN]
