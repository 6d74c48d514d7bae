"""OCDBT stores: manifest, nodes and data files of TensorStore, in which Orbax keeps the checkpoints of JAX.

A data file is a log of values and nodes, one behind the other: a value is a chunk of an array, nearly always packed
with Zstandard, or a description of an array in JSON. TensorStore copies numbers out of the chunks and runs nothing. A
node names the files in which values lie, and a name could lead out of the store. Values that stand in a node, or that
are packed and begin like a file of their own, are members; bare numbers have no structure, and are taken for such only
under the name that TensorStore gives to its data files.

Source: see ``scan/frameworks/ocdbt.py``; orbax-checkpoint 0.12 for where such files lie.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final

from modelsign import limits
from modelsign.artifact.containers.stream import CODECS, Stream, unpack, unpack_exactly
from modelsign.artifact.reading import BLOCK, BytesReading, Slice
from modelsign.scan import sniff
from modelsign.scan.format import Format, Inspection, Magic, Member
from modelsign.scan.frameworks.ocdbt import (
    BTREE,
    MAGICS,
    MANIFEST,
    VERSIONS,
    BadNodeError,
    NodeBudgetError,
    frame_end,
    read_node,
)
from modelsign.scan.rules import BROKEN, BUDGET
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading
    from modelsign.scan.frameworks.ocdbt import Node
    from modelsign.verdict import Finding

__all__ = ["FORMAT"]

PATH: Final = Rule(
    "ocdbt-path",
    "the store names a file outside of it",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "A manifest or node says that values lie in a file, and the name leads out of the checkpoint's folder, to a URL, "
    "or is put together from parts that only make sense as a whole. Loading would read that place.",
    "Do not load the checkpoint; it was made to reach files that are not its own.",
    ("https://google.github.io/tensorstore/kvstore/ocdbt/index.html",),
)
_FRAME: Final = b"\x28\xb5\x2f\xfd"
_NAMED: Final = re.compile(r"(?:^|/)d/[0-9a-f]{32}$")
_STARTS: Final = (_FRAME, *MAGICS)
"""How packed values and nodes begin."""
_JSON: Final = (b"{", b"[")
_HEAD: Final = 8
_MOST_PARTS: Final = 200_000
_ROOM, _ROOM_PER_BYTE = 1024 * 1024, 64
"""Bytes of bodies of nodes that are unpacked, together, for a file and for each of its bytes."""
_MOST_FINDINGS: Final = 50


def _recognise(reading: Reading, name: str) -> bool:
    head = reading.read_at(0, _HEAD)
    if head.startswith(MAGICS):
        return True
    if _NAMED.search(name) is None or not head or sniff.is_loadable(head):
        return False
    return head.startswith((_FRAME, *_JSON)) or not (sniff.is_text(reading) or sniff.by_content(reading))


class _Walk:
    """Walks over a file, part by part; what lies between the parts is bare numbers."""

    def __init__(self, reading: Reading, name: str) -> None:
        self._reading = reading
        self._name = name
        self._named = _NAMED.search(name) is not None
        self.findings: dict[Finding, None] = {}
        self.members: list[Member] = []
        self._room = _ROOM + _ROOM_PER_BYTE * reading.size

    def run(self) -> None:
        at, follows = 0, True
        for _ in range(_MOST_PARTS):
            if at >= self._reading.size:
                return
            behind = self._part(at, follows=follows)
            follows = behind is not None
            if behind is None:
                behind = self._next(at)
                self._bare(at, behind)
            at = behind
        self._note(BUDGET.finding(f"more than {_MOST_PARTS} values and nodes"))

    def _note(self, finding: Finding) -> None:
        if len(self.findings) < _MOST_FINDINGS or finding.outcome is Outcome.UNSAFE:
            self.findings.setdefault(finding)

    def _part(self, at: int, *, follows: bool) -> int | None:
        """Take the node or the packed value at an offset; return the offset behind it.

        ``follows``: it begins the file, or comes right behind another part, where nothing but a part has such a mark.
        """
        head = self._reading.read_at(at, len(_FRAME))
        if head.startswith(_FRAME):
            end = frame_end(self._reading, at)
            if end is not None:
                self._packed(at, end)
            elif follows:
                self._note(BROKEN.finding("a packed value is cut short or damaged", offset=at))
            return end
        if head not in MAGICS:
            return None
        try:
            node = read_node(self._reading, at, self._room)
        except NodeBudgetError as fault:
            self._note(BUDGET.finding(str(fault), offset=at))
            return None
        except BadNodeError as fault:
            if fault.sure or follows:
                self._note(BROKEN.finding(str(fault), offset=at))
            return None
        self._room -= node.unpacked
        self._take(node, at)
        return at + node.length

    def _take(self, node: Node, at: int) -> None:
        for text in node.escapes:
            self._note(PATH.finding(text, offset=at))
        for place in node.places:
            own = place.path and (self._name == place.path or self._name.endswith("/" + place.path))
            if own and place.offset + place.length > self._reading.size:
                self._note(BROKEN.finding(f"{place.length} bytes at {place.offset} are not in the file", offset=at))
        for number, value in enumerate(node.values):
            described = value[:1] in _JSON
            if described or sniff.is_loadable(value[:_HEAD]):
                name = f"value {number} of the node at {at}"
                self._member(name, BytesReading(value), data=not described)
            elif value.startswith(_FRAME):
                self._peek(BytesReading(value), f"value {number} of the node at {at}")

    def _packed(self, at: int, end: int) -> None:
        self._peek(Slice(self._reading, at, end - at), f"value at {at}")

    def _peek(self, packed: Reading, name: str) -> None:
        """Hand on a packed value where what comes out begins like a file of its own; numbers stay packed."""
        with unpack_exactly(packed, CODECS["zstd"], _HEAD, _HEAD) as stream:
            head = stream.read_at(0, _HEAD)
        if sniff.is_loadable(head):
            self.members.append(Member(name, functools.partial(unpack, packed, "zstd"), data=True))

    def _member(self, name: str, reading: Reading, *, data: bool) -> None:
        self.members.append(Member(name, lambda _: Stream(reading), data=data))

    def _next(self, at: int) -> int:
        """Return where the next part could begin, or the end of the file."""
        start = at + 1
        while data := self._reading.read_at(start, BLOCK):
            found = [place for place in map(data.find, _STARTS) if place >= 0]
            if found:
                return start + min(found)
            if len(data) < BLOCK:
                break
            start += len(data) - len(_FRAME) + 1
        return self._reading.size

    def _bare(self, at: int, behind: int) -> None:
        """Judge bytes between parts: a file that is not named as a data file has none."""
        if sniff.is_loadable(self._reading.read_at(at, _HEAD)):
            self._member(f"numbers at {at}", Slice(self._reading, at, behind - at), data=True)
        if not self._named and at:
            self._note(BROKEN.finding(f"{behind - at} bytes belong to no node", offset=at))


def _scan(reading: Reading, name: str) -> Inspection:
    walk = _Walk(reading, name)
    walk.run()
    if len(walk.members) > limits.SCAN_MEMBERS:
        walk.members.clear()
        walk.findings[BUDGET.finding("more values than a scan follows")] = None
    return Inspection(readable=True, findings=tuple(walk.findings), members=tuple(walk.members))


FORMAT = Format(
    id="ocdbt",
    title="OCDBT store (Orbax checkpoint)",
    description="Manifest, nodes and values of TensorStore's key-value store, in which Orbax keeps arrays.",
    recognise=_recognise,
    scan=_scan,
    magic=(Magic(0, MANIFEST), Magic(0, BTREE), Magic(0, VERSIONS)),
    extensions=(".ocdbt",),
    rules=(PATH, BROKEN, BUDGET),
    refines=("compressed",),
)
