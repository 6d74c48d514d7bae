"""What a pickle would do when loaded, decided without loading it.

The entry points for every format that carries pickles: plain pickle files, PyTorch archives, NumPy object
arrays, joblib. Nothing here imports or calls what a pickle names; the bytes are walked by an abstract machine
that follows CPython's ``Modules/_pickle.c`` (not ``pickletools``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from modelsign import limits
from modelsign.errors import ModelsignError
from modelsign.scan.format import Inspection
from modelsign.scan.machine import rules
from modelsign.scan.machine.faults import Broken, Exhausted
from modelsign.scan.machine.frames import file_readings
from modelsign.scan.machine.judge import Judge
from modelsign.scan.machine.memo import Memo
from modelsign.scan.machine.rules import RULES
from modelsign.scan.machine.source import Source
from modelsign.scan.machine.torch import MAGIC, element_size, storage_sizes
from modelsign.scan.machine.walk import Walk
from modelsign.scan.watching import watcher
from modelsign.verdict import Confidence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.artifact.reading import Reading
    from modelsign.verdict import Finding

__all__ = ["RULES", "Analysis", "analyse", "scan_pickle", "scan_torch_record", "scan_torch_stream"]

_ENDS_DIFFER: Final = frozenset({rules.BROKEN.id, rules.TRAILING.id})
_READINGS_DIFFER: Final = _ENDS_DIFFER | {rules.FRAME_CROSSED.id}
"""What a second reading says of its own end adds nothing: the first has said it."""
_ARRAY_AS_OPCODES: Final = _READINGS_DIFFER | {
    rules.EXTENSION_CODE.id,
    rules.PERSISTENT_ID.id,
    rules.OUT_OF_BAND.id,
    rules.UNREVIEWED_USE.id,
    rules.COMPUTED_CALL.id,
}
"""In numbers read as opcodes, only what is imported counts: anything else turns up by chance."""
_TORCH_START: Final = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""The magic number as PyTorch has always pickled it."""
_INNER_BY_OUTER_MEMO: Final = _ARRAY_AS_OPCODES | {rules.UNKNOWN_GLOBAL.id, rules.UNDERIVABLE.id}
"""A plain unpickler that reads on in an object array's pickle finds other strings in its memo, so it asks for names
that do not exist and stops. Of that reading only dangerous names count; its names are not accepted for loading."""
_BY_CHANCE: Final = _INNER_BY_OUTER_MEMO
"""Of a reading that loses its place and breaks off, only dangerous names count."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """All that was seen of the pickles in one reading.

    ``complete`` says that the first pickle reached its STOP, ``end`` is the offset behind the last STOP (and behind
    the numbers of an older PyTorch stream), ``streams`` how many pickles follow each other. ``calls`` are calls that
    have a finding, as pseudo-Python. ``storages`` maps PyTorch storage keys to their class and number of bytes.
    """

    findings: tuple[Finding, ...]
    globals: frozenset[str]
    calls: tuple[str, ...]
    complete: bool
    end: int
    streams: int
    storages: dict[str, tuple[str, int]]


def scan_pickle(  # noqa: PLR0913 - what a scan of pickles must be told, all by name
    reading: Reading,
    *,
    member: str | None = None,
    start: int = 0,
    persistent: str | None = None,
    records: Mapping[str, int] | None = None,
    takes_members: bool = True,
) -> Inspection:
    """Say what the pickle (or the pickles one after the other) from ``start`` to the end would do.

    ``member`` is the path inside a container, put into every finding. ``persistent`` names the shape of
    persistent ids the caller's loader resolves: ``"torch"`` for PyTorch storages; None makes any a finding.
    ``records`` are the bytes that lie beside the pickle for each storage, by its key. ``takes_members`` says that the
    caller has the engine scan the models inside; if not, one is a finding.
    It is total: any bytes give an inspection. Only a reading that fails raises a ``ModelsignError``.
    """
    marked = reading.read_at(start, 2)
    judge, end, streams = _walk_every_reading(reading, member, start, persistent, keeps_storages=bool(records))
    sizes = records or {}
    for key, (_, size) in storage_sizes(judge).items():
        if size > sizes.get(key, size):
            judge.note(rules.STORAGE_SIZE, f"storage {key[:60]} has {sizes[key]} bytes, and is declared with {size}")
    if judge.members and not takes_members:
        judge.note(rules.UNREVIEWED_USE, "holds a model in a format of its own, which is not scanned here")
    marked_as_such = marked[:1] == b"\x80" and marked[1:] <= b"\x05"
    gave_up = any(finding.rule == rules.BUDGET.id for finding in judge.findings)
    readable = streams > 0 or bool(judge.names) or marked_as_such or gave_up
    return Inspection(
        readable=readable,
        findings=judge.findings,
        globals=frozenset(judge.names),
        members=tuple(judge.members),
        end=end,
    )


def analyse(reading: Reading, *, member: str | None = None, start: int = 0, persistent: str | None = None) -> Analysis:
    """Walk every pickle from ``start`` to the end of the bytes, and return all that was seen."""
    judge, end, streams = _walk_every_reading(reading, member, start, persistent, keeps_storages=True)
    return Analysis(
        judge.findings,
        frozenset(judge.names),
        tuple(judge.calls),
        complete=streams > 0,
        end=end,
        streams=streams,
        storages=storage_sizes(judge),
    )


def _walk_every_reading(
    reading: Reading, member: str | None, start: int, persistent: str | None, *, keeps_storages: bool = False
) -> tuple[Judge, int, int]:
    """Walk every pickle in every way readers would; return the judge, the offset behind the last STOP, how many.

    Readers differ over frames that do not fit, over a memo kept from one pickle to the next, over joblib's arrays
    between opcodes and over the padding before them; each reading that the bytes give reason for is walked, and all
    findings count.
    """
    source = Source(reading)
    judge, end, streams, own = _every_reading(source, member, start, persistent, keeps_storages=keeps_storages)
    if streams or judge.names:
        _tell(judge, start, end if streams else source.size, own)
    return judge, end, streams


def _every_reading(
    source: Source, member: str | None, start: int, persistent: str | None, *, keeps_storages: bool = False
) -> tuple[Judge, int, int, tuple[Finding, ...]]:
    """Do so without telling anybody; the findings of the first reading come last."""
    judge = _judge(source, member, persistent, raw_arrays=persistent is None)
    judge.keeps_storages = keeps_storages
    judge.skips = None if watcher.get() is None else {}
    end, streams = _walk_all(judge, start)
    own = judge.findings
    try:
        _walk_again(judge, start, streams, end, persistent)
    except ModelsignError as fault:
        _note_budget(judge, fault)
    return judge, end, streams, own


def _walk_again(judge: Judge, start: int, streams: int, end: int, persistent: str | None) -> None:
    """Walk in every other way that the bytes give reason for."""
    source, member = judge.source, judge.member
    if streams and (streams > 1 or end < source.size):
        second = _judge(source, member, persistent, raw_arrays=persistent is None)
        _walk_all(second, start, memo=Memo())
        judge.absorb(second, _ENDS_DIFFER, confidence=Confidence.MEDIUM)
        judge.frames_differ |= second.frames_differ
    if judge.frames_differ:
        _walk_as_file(judge, start, member, persistent)
    if judge.unaligned_arrays or judge.inner_pickles:
        second = _judge(source, member, persistent, raw_arrays=False)
        second.guesses = True
        _walk_all(second, start)
        without = _INNER_BY_OUTER_MEMO if judge.inner_pickles else _ARRAY_AS_OPCODES
        if not judge.inner_pickles and not second.names <= judge.names:  # numbers do not spell names by chance
            without -= {rules.UNREVIEWED_USE.id}
        judge.absorb(second, without, confidence=Confidence.MEDIUM)
    if judge.aligned_arrays:
        second = _judge(source, member, persistent)
        second.ignores_alignment = True
        _, whole = _walk_all(second, start)
        judge.absorb(second, _ARRAY_AS_OPCODES if whole else _BY_CHANCE, confidence=Confidence.MEDIUM)


def _note_budget(judge: Judge, fault: ModelsignError) -> None:
    """Record that the work spent on the file ran out, so that what was found before is kept; raise anything else."""
    if fault.code != "SCAN_BUDGET":
        raise fault
    judge.note(rules.BUDGET, fault.message)


def _walk_as_file(judge: Judge, start: int, member: str | None, persistent: str | None) -> None:
    """Walk the bytes in the orders in which readers that lose the rest of a frame take them, with either memo."""
    others, more = file_readings(judge.source, start)
    for other in others:
        for memo in (None, Memo()):
            second = _judge(Source(other), member, persistent, raw_arrays=persistent is None)
            _walk_all(second, 0, memo=memo)
            judge.absorb(second, _READINGS_DIFFER, confidence=Confidence.MEDIUM)
    if more:
        judge.note(rules.BUDGET, "the pickle can be read in more ways than are followed, because its frames do not fit")


def _judge(
    source: Source, member: str | None, persistent: str | None, *, raw_arrays: bool = True, depth: int = 0
) -> Judge:
    return Judge(
        source,
        member=member,
        persistent=persistent,
        raw_arrays=raw_arrays,
        nested=_nested,
        inline=_inline,
        depth=depth,
    )


def _walk_all(judge: Judge, start: int, memo: Memo | None = None) -> tuple[int, int]:
    """Walk pickle after pickle; return the offset behind the last whole one, and how many there were."""
    position, streams, size = start, 0, judge.source.size
    if position >= size:
        judge.note(rules.BROKEN, "is empty", position)
    while position < size:
        walk = Walk(judge, start=position, memo=memo)
        if not _step(judge, walk, first=streams == 0):
            break
        position = walk.end
        streams += 1
    return position, streams


def _step(judge: Judge, walk: Walk, *, first: bool) -> bool:
    """Walk one pickle; say whether it was whole. What it did before it broke is judged in any case."""
    try:
        walk.run()
    except Broken as halt:
        judge.frames_differ |= walk.in_frame
        if first:
            judge.note(rules.BROKEN, f"the pickle {halt.message}", halt.offset)
        else:
            count = judge.source.size - walk.start
            judge.note(rules.TRAILING, f"{count} bytes that are no pickle follow the last one", walk.start)
    except Exhausted as halt:
        judge.note(rules.BUDGET, f"the pickle {halt.message}", halt.offset)
    except ModelsignError as fault:
        _note_budget(judge, fault)
    judge.finish()
    return walk.done


def _inline(judge: Judge, offset: int) -> int:
    """Walk the pickle of an object array, which joblib reads from the same stream with a plain unpickler."""
    walk = Walk(judge, start=offset, raw_arrays=False)
    walk.run()
    return walk.end


def _nested(judge: Judge, kind: str, reading: Reading) -> bool:
    """Scan bytes that a deserialiser is handed: an older PyTorch stream. Say whether they could be followed."""
    if kind != "torch" or judge.depth >= limits.PICKLE_DEPTH:
        return False
    inner = _judge(Source(reading), judge.member, "torch", depth=judge.depth + 1)
    followed = _walk_torch_stream(inner, 0)
    judge.absorb(inner)
    return followed


def _walk_torch_stream(judge: Judge, start: int) -> bool:
    """Walk an older PyTorch stream: magic number, protocol, system, objects, keys, then the numbers."""
    judge.keeps_storages = True
    position = start
    for number in range(5):
        walk = Walk(judge, start=position, raw_arrays=False)
        if not _step(judge, walk, first=True):
            return False
        if number == 0 and not _is_magic(judge.source, walk):
            return False
        position = walk.end
    wanted = sum(8 + size for _, size in storage_sizes(judge).values())
    if judge.source.size - position != wanted:
        judge.note(
            rules.TRAILING, f"its storages have {judge.source.size - position} bytes instead of {wanted}", position
        )
        _walk_rest(judge, position)
        _walk_rest(judge, position + wanted)
    return True


def _walk_rest(judge: Judge, position: int) -> None:
    """Walk bytes that PyTorch would not take for pickles, as a reader of pickle after pickle does."""
    if position < judge.source.size:
        other = _every_reading(judge.source, judge.member, position, judge.persistent_shape)[0]
        judge.absorb(other, _BY_CHANCE, confidence=Confidence.MEDIUM)


def _tell(judge: Judge, start: int, end: int, own: tuple[Finding, ...]) -> None:
    """Tell whoever watches of pickles that were walked; findings of other readings have no opcode of this one."""
    watching = watcher.get()
    if watching is None:
        return
    apart = [replace(finding, offset=None) for finding in judge.findings[len(own) :]]
    watching.pickles(judge.source.reading, start, end, [*own, *apart], judge.skips or {})


def _is_magic(source: Source, walk: Walk) -> bool:
    top = walk.stack[-1]
    return isinstance(top, int) and top >= 0 and source.integer(top) == MAGIC


def scan_torch_stream(reading: Reading, *, member: str | None = None) -> Inspection:
    """Say what an older PyTorch file (before 1.6, no ZIP archive) would do; not readable if it is none.

    Its five pickles are followed by the numbers of its storages, which the file's own persistent ids measure.
    """
    judge = _judge(Source(reading), member, "torch")
    if reading.read_at(0, len(_TORCH_START)) != _TORCH_START or not _walk_torch_stream(judge, 0):
        return Inspection(readable=False)
    _tell(judge, 0, reading.size, judge.findings)
    return _inspection(judge, reading.size)


def scan_torch_record(reading: Reading, record: str) -> Inspection:
    """Say what loading one member of the oldest PyTorch form would do: ``storages``, ``tensors`` or ``pickle``.

    A count comes first; each storage's description is followed by a length and the numbers, each tensor's by its
    dimensions. Where the bytes depart from that, PyTorch stops.
    """
    if record == "pickle":
        return scan_pickle(reading, persistent="torch-tar")
    judge = _judge(Source(reading), None, "torch-tar")
    end = _walk_record(judge, record)
    if end != reading.size:
        judge.note(rules.TRAILING, f"the {record} are not laid out as PyTorch writes them", end)
        _walk_rest(judge, 0)
    return _inspection(judge, end)


def _inspection(judge: Judge, end: int) -> Inspection:
    names, members = frozenset(judge.names), tuple(judge.members)
    return Inspection(readable=True, findings=judge.findings, globals=names, members=members, end=end)


def _walk_record(judge: Judge, record: str) -> int:
    """Walk the pickles of a record and skip what lies between; return the offset behind the last part understood."""
    source = judge.source
    walk = Walk(judge, start=0, raw_arrays=False)
    if not _step(judge, walk, first=True):
        return 0
    position, top = walk.end, walk.stack[-1]
    count = source.integer(top) or 0 if isinstance(top, int) and top >= 0 else 0
    while count > 0 and position < source.size:
        count -= 1
        walk = Walk(judge, start=position, raw_arrays=False)
        if not _step(judge, walk, first=True):
            return position
        position = walk.end + _between(source, walk, record)
    if record == "storages" and position < source.size:
        walk = Walk(judge, start=position, raw_arrays=False)
        return walk.end if _step(judge, walk, first=True) else position
    return position


def _between(source: Source, walk: Walk, record: str) -> int:
    """Return how many bytes lie behind a description: the numbers of a storage, or the dimensions of a tensor."""
    top, start = walk.stack[-1], walk.end
    if record == "tensors":
        dimensions = int.from_bytes(source.reading.read_at(start, 4), "little")
        return 16 + 16 * dimensions
    kind = top[2] if isinstance(top, tuple) and len(top) > 2 else None  # noqa: PLR2004 - key, location, class
    numbers = int.from_bytes(source.reading.read_at(start, 8), "little")
    return 8 + numbers * element_size(kind)
