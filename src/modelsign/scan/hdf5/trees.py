"""B-trees: version 1 for older groups, version 2 for indexes of links and attributes.

Specification III.A, III.B (symbol table nodes), III.A.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign.scan.hdf5.source import BrokenError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsign.scan.hdf5.source import Cursor, Source

__all__ = ["Symbol", "records", "symbols"]

_SOFT: Final = 2
_NODE_EXTRA: Final = 10
"""Bytes of a version 2 node that are no records: mark, version, type, checksum."""
_DEPTH: Final = 64


class Symbol(NamedTuple):
    """An entry of an older group: where its name lies in the local heap, and its header; None for a soft link."""

    name: int
    header: int | None


def symbols(source: Source, address: int) -> Iterator[Symbol]:
    """Yield the entries of an older group, by its B-tree (III.A.1) and symbol table nodes (III.B)."""
    pending = [address]
    seen: set[int] = set()
    while pending:
        node = pending.pop()
        if node in seen:
            raise BrokenError("a B-tree leads to a node twice", source.base + node)
        seen.add(node)
        source.step(node)
        mark = source.read(node, 4).data
        if mark == b"SNOD":
            yield from _symbol_node(source, node)
            continue
        head = source.read(node, 8 + 2 * source.address_size)
        head.expect(b"TREE")
        if head.uint(1) != 0:
            raise BrokenError("a group has a B-tree of another kind", head.offset)
        head.uint(1)
        count = head.uint(2)
        body = source.read(node + 8 + 2 * source.address_size, count * (source.length_size + source.address_size))
        for _ in range(count):
            body.length()
            pending.append(body.address())


def _symbol_node(source: Source, node: int) -> Iterator[Symbol]:
    head = source.read(node, 8)
    head.take(6)
    count = head.uint(2)
    body = source.read(node + 8, count * (2 * source.address_size + 24))
    for _ in range(count):
        source.step(node)
        name, header, cached = body.address(), body.address(), body.uint(4)
        body.take(20)
        yield Symbol(name, None if cached == _SOFT else header)


class _Sizes(NamedTuple):
    """Widths of a version 2 tree's counts, by level: of the records in a child, and of those in all below it."""

    records: int
    below: list[int]


def _sizes(source: Source, node_size: int, record_size: int, depth: int) -> _Sizes:
    """Follow ``H5B2__hdr_init``: how wide the counts in internal nodes are."""
    most = (node_size - _NODE_EXTRA) // record_size
    width = _width(most)
    total = most
    below = [0]
    for _ in range(depth):
        pointer = source.address_size + width + below[-1]
        here = (node_size - _NODE_EXTRA - pointer) // (record_size + pointer)
        total = (here + 1) * total + here
        below.append(_width(total))
    return _Sizes(width, below)


def _width(number: int) -> int:
    return max(1, (number.bit_length() + 7) // 8)


def records(source: Source, address: int, kind: int) -> Iterator[Cursor]:
    """Yield the records of a version 2 B-tree of one type, in no order that matters."""
    head = source.read(address, 16 + source.address_size + 2)
    head.expect(b"BTHD")
    head.take(1)
    if head.uint(1) != kind:
        raise BrokenError("a B-tree holds records of another kind", head.offset)
    node_size, record_size, depth = head.uint(4), head.uint(2), head.uint(2)
    head.take(2)
    root, count = head.address(), head.uint(2)
    if depth > _DEPTH or record_size == 0 or node_size <= _NODE_EXTRA:
        raise BrokenError("a B-tree has sizes that no writer gives it", head.place)
    if root == source.undefined:
        return
    sizes = _sizes(source, node_size, record_size, depth)
    pending = [(root, count, depth)]
    while pending:
        node, count, level = pending.pop()
        source.step(node)
        pointer = source.address_size + sizes.records + sizes.below[level - 1] if level else 0
        body = source.read(node, 6 + count * record_size + (count + 1) * pointer)
        body.expect(b"BTIN" if level else b"BTLF")
        body.take(2)
        for _ in range(count):
            source.step(node)
            yield body.rest(record_size)
        for _ in range(count + 1 if level else 0):
            child, inside = body.address(), body.uint(sizes.records)
            body.take(sizes.below[level - 1])
            pending.append((child, inside, level - 1))
