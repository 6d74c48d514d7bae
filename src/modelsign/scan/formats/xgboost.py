"""XGBoost's binary models (``.model``, ``.bin``, ``.deprecated``), and what pickles before 1.6 hold of a booster.

Nothing in such a file is run or looked up, but a booster follows what it says without a check: children of nodes, the
feature that a node asks for, the group that a tree adds to, weights by their number. Each must lie within the tree,
the model or the vector, and every byte must be accounted for. Follows src/learner.cc, src/gbm and src/tree of XGBoost
0.72 to 2.1, on machines whose numbers are little-endian.
"""

from __future__ import annotations

import re
import struct
import sys
from array import array
from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign import limits
from modelsign.artifact.containers.stream import Stream
from modelsign.artifact.reading import Slice
from modelsign.scan.format import Format, Inspection, Magic, Member
from modelsign.scan.rules import BROKEN, BUDGET
from modelsign.scan.window import BrokenError, ExhaustedError, Window
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["FORMAT"]

PART: Final = Rule(
    "xgboost-part",
    "the XGBoost model has parts of an unknown kind",
    Severity.LOW,
    Outcome.UNVERIFIED,
    "The model names a booster that is not known, or has trees with several roots or with vectors for leaves, which no "
    "version writes for models that people train. The loader reads on as that kind asks for.",
    "Write the model again as JSON with a current XGBoost.",
    ("https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html",),
)
_BINARY: Final = b"binf"
_SNAPSHOT: Final = b"CONFIG-offset:"
_HEAD: Final = struct.Struct("<fIiiiIII104x")
"""``LearnerModelParam``: base score, features, classes, attributes, metrics, version, targets, and what is reserved."""
_TREES: Final = struct.Struct("<iiiiqii128x")
"""``GBTreeModelParam``: trees, roots, features, padding, a buffer, groups, size of leaf vectors."""
_TREE: Final = struct.Struct("<iiiiIi124x")
"""``TreeParam``: roots, nodes, deleted nodes, depth, features, size of leaf vectors."""
_LINEAR: Final = struct.Struct("<Ii128x")
"""``GBLinearModelParam``: features and groups."""
_BOOSTERS: Final = (b"gbtree", b"dart", b"gblinear")
_NAME: Final = re.compile(rb"[a-z0-9:_+-]*", re.ASCII)
_LONGEST_NAME: Final = 100
_FIELDS: Final = 5
"""Numbers of a node: parent, left child, right child, feature, value."""
_NODE: Final = 4 * _FIELDS
_STATISTICS: Final = 16
_NONE: Final = 0xFFFFFFFF
_INDEX: Final = 0x7FFFFFFF
_MOST_NODES: Final = 1 << 22
"""Nodes of one tree, which are kept while it is looked at."""
_PAIR: Final = 2
_SCALAR_LEAVES: Final = 2
"""From this version on a leaf that holds one value counts as a vector of one."""


class _UnknownError(ValueError):
    """A part of a kind that is not known."""


class _Model(NamedTuple):
    """What the head of a model says."""

    features: int
    groups: int
    major: int
    has_attributes: bool
    has_metrics: bool
    objective: bytes
    booster: bytes


def _names(reading: Reading, start: int) -> tuple[bytes, bytes] | None:
    """Return the names of objective and booster, which follow the head; None if this is no such model."""
    place, found = start + _HEAD.size, []
    for _ in range(2):
        length = int.from_bytes(reading.read_at(place, 8), "little")
        if length > _LONGEST_NAME:
            return None
        found.append(reading.read_at(place + 8, length))
        place += 8 + length
    objective, booster = found
    return (objective, booster) if booster and all(_NAME.fullmatch(name) for name in found) else None


def _start(reading: Reading) -> int | None:
    """Return where the head begins; None where the file begins like no binary model."""
    if reading.read_at(0, len(_SNAPSHOT)) == _SNAPSHOT:
        start = len(_SNAPSHOT) + 8
        return start + len(_BINARY) * (reading.read_at(start, len(_BINARY)) == _BINARY)
    if reading.read_at(0, len(_BINARY)) == _BINARY:
        return len(_BINARY)
    names = _names(reading, 0)
    return 0 if names is not None and names[1] in _BOOSTERS else None


def _recognise(reading: Reading, name: str) -> bool:
    del name
    return _start(reading) is not None


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    start = _start(reading)
    if start is None:
        return Inspection(readable=False)
    end = reading.size
    members: tuple[Member, ...] = ()
    if reading.read_at(0, len(_SNAPSHOT)) == _SNAPSHOT:
        begin = len(_SNAPSHOT) + 8
        end = begin + int.from_bytes(reading.read_at(begin - 8, 8), "little")
        if end > reading.size:
            return Inspection(readable=True, findings=(BROKEN.finding("the model is cut short", offset=reading.size),))
        config = Slice(reading, end, reading.size - end)
        members = (Member("config.json", lambda _: Stream(config, unpacked=0)),)
    try:
        _walk(Window(reading, start, end), reading, start)
    except _UnknownError as fault:
        found = PART.finding(str(fault))
    except ExhaustedError as halt:
        found = BUDGET.finding(halt.message, offset=halt.offset)
    except BrokenError as fault:
        found = BROKEN.finding(fault.message, offset=fault.offset)
    else:
        return Inspection(readable=True, members=members)
    return Inspection(readable=True, findings=(found,), members=members)


def _walk(window: Window, reading: Reading, start: int) -> None:
    """Follow a model from its head to its last byte."""
    names = _names(reading, start)
    if names is None:
        raise BrokenError("the names of objective and booster are none", start)
    _, features, classes, attributes, metrics, major, _, targets = _HEAD.unpack(window.take(_HEAD.size))
    objective, booster = (_text(window) for _ in names)
    groups = max(classes, targets if major else 0, 1)
    model = _Model(features, groups, major, bool(attributes), bool(metrics), objective, booster)
    if booster == b"gblinear":
        _linear(window, model)
    elif booster in _BOOSTERS:
        _trees(window, model)
    else:
        raise _UnknownError(f"a booster by the name {booster.decode('ascii', 'replace')!r}")
    _rest(window, model)
    if window.left:
        raise BrokenError("bytes follow the model", window.at)


def _count(window: Window, width: int) -> int:
    """Read the length of a vector whose elements take so many bytes at least."""
    at, count = window.at, window.uint(8, "little")
    if count * width > window.left:
        raise BrokenError("a vector is longer than the file", at)
    return count


def _text(window: Window) -> bytes:
    length = _count(window, 1)
    if length <= _LONGEST_NAME:
        return window.take(length)
    window.skip(length)
    return b""


def _linear(window: Window, model: _Model) -> None:
    """Weights of each feature and the bias, for each group; older versions go by the numbers that stand here."""
    at = window.at
    features, groups = _LINEAR.unpack(window.take(_LINEAR.size))
    count = _count(window, 4)
    wanted = {(model.features + 1) * model.groups, ((features or model.features) + 1) * (groups or model.groups)}
    if wanted != {count}:
        raise BrokenError(f"there are {count} weights instead of {max(wanted)}", at)
    window.skip(4 * count)


def _trees(window: Window, model: _Model) -> None:
    at = window.at
    count, _, features, _, _, groups, vector = _TREES.unpack(window.take(_TREES.size))
    if not 0 <= count <= window.left // (_TREE.size + _NODE + _STATISTICS + 4):
        raise BrokenError(f"there are {count} trees", at)
    if vector:
        raise _UnknownError("vectors for leaves")
    for _ in range(count):
        _tree(window, min(model.features, features or model.features), model.major)
    groups = min(model.groups, groups if groups > 0 else model.groups)
    for _ in range(count):
        at = window.at
        group = window.sint(4, "little")
        if not 0 <= group < groups:
            raise BrokenError(f"a tree adds to group {group} of {groups}", at)
    if model.booster == b"dart" and count:
        at = window.at
        if _count(window, 4) != count:
            raise BrokenError("there are other weights than trees", at)
        window.skip(4 * count)


def _tree(window: Window, features: int, major: int) -> None:
    at = window.at
    roots, count, deleted, _, own_features, vector = _TREE.unpack(window.take(_TREE.size))
    if roots != 1 or vector != (major >= _SCALAR_LEAVES):
        raise _UnknownError("a tree with several roots or vectors for leaves")
    if not 1 <= count <= window.left // (_NODE + _STATISTICS):
        raise BrokenError(f"a tree has {count} nodes", at)
    if count > _MOST_NODES:
        raise ExhaustedError("a tree has more nodes than a scan keeps", at)
    nodes = array("I")
    for start in range(0, count * _NODE, limits.STREAM_FIELD_BYTES // 2):
        nodes.frombytes(window.take(min(limits.STREAM_FIELD_BYTES // 2, count * _NODE - start)))
    if sys.byteorder == "big":
        nodes.byteswap()
    window.skip(count * _STATISTICS)
    flaw = _flaw_of(nodes, count, deleted, min(features, own_features or features))
    if flaw:
        raise BrokenError(flaw, at)


def _flaw_of(nodes: array[int], count: int, deleted: int, features: int) -> str | None:
    """Follow the children from the root; say what is wrong."""
    seen, gone = bytearray(count), nodes[3::_FIELDS].count(_NONE)
    waiting = [0]
    seen[0] = 1
    if nodes[3] == _NONE or gone != deleted:
        return "a tree has other deleted nodes than it says"
    while waiting:
        place = _FIELDS * waiting.pop()
        if nodes[place + 1] == _NONE:
            continue
        if nodes[place + 3] & _INDEX >= features:
            return "a node asks for a feature beyond those of the model"
        for child in nodes[place + 1 : place + 3]:
            if child >= count or seen[child]:
                return "a node has a child that is none of its own"
            if nodes[_FIELDS * child + 3] == _NONE or (nodes[_FIELDS * child] & _INDEX) * _FIELDS != place:
                return "a node has a child that does not know it"
            seen[child] = 1
            waiting.append(child)
    return None if sum(seen) + gone == count else "a tree has nodes that belong to no other"


def _rest(window: Window, model: _Model) -> None:
    """Attributes; before 1.0 a parameter of the objective and the names of metrics, which later versions leave out."""
    if model.has_attributes:
        for _ in range(_PAIR * _count(window, _PAIR * 8)):
            _text(window)
    if model.objective == b"count:poisson" and not model.major and window.left:
        _text(window)
    if model.has_metrics and not model.major and window.left:
        for _ in range(_count(window, 8)):
            _text(window)


FORMAT = Format(
    id="xgboost",
    title="XGBoost binary model",
    description="Trees or weights of a booster in the binary format before JSON, alone or with a configuration.",
    recognise=_recognise,
    scan=_scan,
    magic=(Magic(0, _BINARY), Magic(0, _SNAPSHOT)),
    rules=(PART, BROKEN, BUDGET),
)
