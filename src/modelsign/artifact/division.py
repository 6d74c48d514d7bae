"""Divides the hashing of a model among processes or machines, and joins what they found.

The work is a list of units: each shard, and each whole file, for one digest is one chain that nothing can split. So a
manifest of whole files is divided file by file, one of shards inside files; its tree digest, where it is wanted, adds
one unit for each file that is not itself one shard under SHA-256. The largest unit comes first and goes to the share
that has least: a rule that everybody who knows names, sizes and serialization follows to the same division.

Joining reads no byte of the model, so it cannot know that two machines saw the same bytes where they hashed different
ranges. Whoever verifies computes everything from one read, and refuses what does not fit together.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign.artifact.digest_list import DigestList
from modelsign.artifact.hashing import hash_model, hash_shards
from modelsign.artifact.manifest import FILES, Digests, shard_name
from modelsign.errors import error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from modelsign.artifact.manifest import Serialization
    from modelsign.artifact.model import Artifact

__all__ = ["Share", "digest_share", "divide", "join", "largest_unsplit"]

_EACH: Final = 4096
"""What opening a file or ending a digest costs, in bytes of hashing; spreads many small files evenly."""


class Share(NamedTuple):
    """One share of the work: files to hash whole, and shards (start, end) by file."""

    whole: frozenset[str]
    shards: Mapping[str, tuple[tuple[int, int], ...]]


def divide(sizes: Mapping[str, int], serialization: Serialization, of: int, *, tree: bool = True) -> list[Share]:
    """Divide the hashing of files (name → bytes) into ``of`` shares; the same for everybody who asks the same."""
    units: list[tuple[int, str, tuple[int, int] | None]] = []
    for name, size in sizes.items():
        shards = [] if serialization.shard_size is None else serialization.spans(size)
        units += [(-(end - start), name, (start, end)) for start, end in shards]
        if serialization.shard_size is None or (tree and not _implied(serialization, size)):
            units.append((-size, name, None))
    units.sort(key=lambda unit: (unit[0], unit[1], unit[2] or (-1, -1)))
    loads = [(0, number) for number in range(of)]
    whole: list[list[str]] = [[] for _ in range(of)]
    ranges: list[dict[str, list[tuple[int, int]]]] = [{} for _ in range(of)]
    for weight, name, span in units:
        load, number = loads[0]
        heapq.heapreplace(loads, (load - weight + _EACH, number))
        if span is None:
            whole[number].append(name)
        else:
            ranges[number].setdefault(name, []).append(span)
    return [
        Share(frozenset(names), {name: tuple(sorted(spans)) for name, spans in shards.items()})
        for names, shards in zip(whole, ranges, strict=True)
    ]


def _implied(serialization: Serialization, size: int) -> bool:
    """Say whether the digest of the whole file is that of its only shard."""
    return serialization.algorithm == "sha256" and 0 < size <= (serialization.shard_size or 0)


def digest_share(  # noqa: PLR0913 - the settings of one share
    artifact: Artifact,
    serialization: Serialization = FILES,
    part: tuple[int, int] = (1, 1),
    *,
    tree: bool = True,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> DigestList:
    """Hash one share (its number from 1, and how many there are) of a model, in parallel; by default all of it.

    Raises:
        ModelsignError: ``EMPTY_MODEL`` where a manifest of shards would list nothing, or as ``hash_model``.

    """
    tree = tree or serialization == FILES
    sizes: dict[str, int] = {entry.name: entry.size for entry in artifact.files}
    if part == (1, 1):
        found = hash_model(artifact, serialization, tree=tree, threads=threads, progress=progress)
    else:
        share = divide(sizes, serialization, part[1], tree=tree)[part[0] - 1]
        found = _hash_share(artifact, serialization, share, tree=tree, threads=threads, progress=progress)
    grown = next((name for name, size in found.sizes.items() if size != sizes[name]), None)
    if grown is not None:
        raise error("FILE_CHANGED_WHILE_READ", f"{grown} was written to since the model was listed")
    return DigestList(
        artifact.name,
        sizes,
        found.listed,
        found.whole if tree else {},
        serialization,
        single_file=artifact.single_file,
        tree=tree,
        part=part,
        ignored=artifact.ignored,
        ignores_git=artifact.ignores_git,
        follows_links=artifact.follows_links,
    )


def _hash_share(  # noqa: PLR0913 - as above
    artifact: Artifact,
    serialization: Serialization,
    share: Share,
    *,
    tree: bool,
    threads: int | None,
    progress: Callable[[int], None] | None,
) -> Digests:
    if serialization.shard_size is None:
        return hash_model(artifact, serialization, tree=tree, names=share.whole, threads=threads, progress=progress)
    found = hash_shards(artifact, serialization.algorithm, share.shards, threads=threads, progress=progress)
    files = hash_model(artifact, names=share.whole, threads=threads, progress=progress)
    whole = dict(files.whole)
    if tree:
        whole |= _of_only_shards(serialization, found.sizes, found.listed)
    return Digests(serialization, found.listed, whole, {**found.sizes, **files.sizes})


def _of_only_shards(
    serialization: Serialization, sizes: Mapping[str, int | None], listed: Mapping[str, str]
) -> dict[str, str]:
    """Return name → SHA-256 of the files that are one shard, whose digest is that of the file."""
    found = {}
    for name, size in sizes.items():
        if size is not None and _implied(serialization, size):
            digest = listed.get(shard_name(name, 0, size))
            if digest is not None:
                found[name] = digest
    return found


def largest_unsplit(found: DigestList) -> str | None:
    """Return the largest file that is more than one share's part of the bytes and is not split; None if there is none.

    Whole files are not split, be it because the manifest lists them or because the tree digest is made of them.
    """
    if found.complete or (found.serialization.shard_size is not None and not found.tree):
        return None
    sizes = {name: size or 0 for name, size in found.sizes.items()}
    name = max(sizes, key=lambda name: (sizes[name], name))
    return name if sizes[name] * found.part[1] > sum(sizes.values()) else None


def join(parts: Sequence[DigestList]) -> DigestList:
    """Join the shares of one division into the digests of the whole model; their order does not matter.

    Raises:
        ModelsignError: ``DIGESTS_OF_ANOTHER_MODEL``, ``DIGESTS_INCOMPLETE`` or ``DIGESTS_DISAGREE``.

    """
    if not parts:
        raise error("DIGESTS_INCOMPLETE", "no share was given")
    first = parts[0]
    numbered: dict[int, DigestList] = {}
    for part in parts:
        if _subject(part) != _subject(first):
            raise error("DIGESTS_OF_ANOTHER_MODEL", _difference(first, part))
        number = part.part[0]
        known = numbered.setdefault(number, part)
        if (known.listed, known.whole) != (part.listed, part.whole):
            raise error("DIGESTS_DISAGREE", f"share {number} was given twice, with different digests")
    missing = [str(number) for number in range(1, first.part[1] + 1) if number not in numbered]
    if missing:
        raise error("DIGESTS_INCOMPLETE", f"of {first.part[1]} shares these are not there: {', '.join(missing[:20])}")
    listed: dict[str, str] = {}
    whole: dict[str, str] = {}
    for part in _measured(numbered):
        listed |= part.listed
        whole |= part.whole
    return first._replace(listed=listed, whole=whole, part=(1, 1))


def _measured(numbered: Mapping[int, DigestList]) -> Sequence[DigestList]:
    """Return the shares after checking that each holds what the division gave it: no gap, no overlap.

    Raises:
        ModelsignError: ``DIGESTS_INCOMPLETE`` or ``DIGESTS_DISAGREE``.

    """
    parts = [numbered[number] for number in sorted(numbered)]
    first = parts[0]
    sizes = {name: size for name, size in first.sizes.items() if size is not None}
    if len(sizes) != len(first.sizes):
        raise error("DIGESTS_INCOMPLETE", "not every size is known, so that the shares cannot be measured")
    if first.resources > sum(len(part.listed) for part in parts):
        raise error("DIGESTS_INCOMPLETE", f"the model has {first.resources} resources, the shares have less")
    for part, share in zip(parts, divide(sizes, first.serialization, len(parts), tree=first.tree), strict=True):
        listed = {shard_name(name, *span) for name, spans in share.shards.items() for span in spans}
        whole = set(share.whole) if first.tree else set()
        if first.serialization.shard_size is None:
            listed = set(share.whole)
        elif first.tree:
            whole |= _of_only_shards(first.serialization, sizes, dict.fromkeys(listed, "")).keys()
        _check_share(part, "resources", part.listed.keys(), listed)
        _check_share(part, "whole files", part.whole.keys(), whole)
    return parts


def _check_share(part: DigestList, what: str, found: AbstractSet[str], wanted: AbstractSet[str]) -> None:
    number, of = part.part
    if lacking := wanted - found:
        raise error("DIGESTS_INCOMPLETE", f"share {number} of {of} lacks {what} it was given: {min(lacking)}")
    if surplus := found - wanted:
        raise error("DIGESTS_DISAGREE", f"share {number} of {of} has {what} of another share: {min(surplus)}")


def _subject(part: DigestList) -> DigestList:
    """Return everything that the shares of one division have in common."""
    return part._replace(listed={}, whole={}, part=(1, part.part[1]))


def _difference(first: DigestList, other: DigestList) -> str:
    for field in DigestList._fields:
        if getattr(_subject(first), field) != getattr(_subject(other), field):
            what = {"sizes": "the names and sizes of files", "part": "the number of shares"}.get(field, field)
            return f"the shares are not of one model: {what} differ"
    return "the shares are not of one model"
