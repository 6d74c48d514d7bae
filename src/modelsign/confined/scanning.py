"""The scan as everybody calls it: in a confined child where that can be, in this process where not, and it says which.

One child scans the files of one model, one after the other, each through a descriptor that was opened here. A child
that dies, stays silent or answers nonsense costs the file it was reading: that is ``incomplete``, and the next file
gets a new child. Nothing that was said of earlier files is kept from a child for another model.

The digest is the child's, of the very bytes it judged (``artifact/reading.py``); of a sealed private copy it has to be
the one this process took itself.
"""

from __future__ import annotations

import functools
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from modelsign import limits
from modelsign.artifact.model import Artifact
from modelsign.artifact.reading import BytesReading, FileReading
from modelsign.confined.wire import read_file, read_traces
from modelsign.errors import ModelsignError
from modelsign.sandbox.confine import LAYERS, Fences
from modelsign.sandbox.zygote import shared
from modelsign.scan import engine
from modelsign.scan.rules import CRASHED, OVERRAN
from modelsign.scan.trace import tracing
from modelsign.scan.watching import watcher
from modelsign.verdict import Confinement, FileScan, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from modelsign.artifact.snapshot import Snapshot
    from modelsign.sandbox.zygote import Child
    from modelsign.verdict import ScanResult

__all__ = ["PROGRAM", "Scanner", "is_inert", "scan_artifact", "scan_bytes"]

PROGRAM: Final = str(Path(__file__).with_name("_program.py"))
"""The source of the zygote that scans."""
ANSWER_BYTES: Final = 256 * limits.MIB
"""What may be said of one file: a thousand findings, a hundred thousand names, and disassemblies."""
_ATTEMPTS: Final = 2
_SLOWEST: Final = limits.MIB
"""Bytes that are scanned in a second of processor time at the very least; a thousandth of what is usual."""
_UNKNOWN: Final = "unknown"
_TEMPORARY: Final = ("TMPDIR", "TEMP", "TMP")
_ENDED: Final = frozenset({"SIGXCPU"})


class Scanner:
    """Scans the files of one model; a context manager that ends its child.

    ``total`` and ``largest`` are the bytes of all files and of the largest; the fences are as wide as they call for.
    ``sandbox=False`` scans in this process. ``layers`` are those wanted around a child.
    """

    def __init__(  # noqa: PLR0913 - the settings of one scan
        self,
        *,
        total: int,
        largest: int,
        trust_globals: frozenset[str] = frozenset(),
        sandbox: bool = True,
        fences: Fences | None = None,
        layers: Iterable[str] = LAYERS,
    ) -> None:
        """Take the settings; no process is asked for before the first file."""
        self._trusted = trust_globals
        self._fences = fences or _fences(total, largest)
        self._layers = tuple(layers)
        self._child: Child | None = None
        self._why_not = "" if sandbox else "it was not asked for"
        self._held: Confinement | None = None

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the child."""
        self._end()

    @property
    def confinement(self) -> Confinement:
        """What holds the scan, at its weakest so far."""
        return self._held or Confinement(missing=(f"process: {self._why_not or 'nothing was scanned'}",))

    @property
    def process(self) -> int | None:
        """The process id of the child that scans next, where there is one."""
        return self._child.process if self._child else None

    def scan(self, reading: FileReading, name: str) -> FileScan:
        """Scan one file; whatever becomes of a child is a finding."""
        child = self._ready()
        if child is None:
            return engine.scan_file(reading, name, trust_globals=self._trusted)
        watching = watcher.get()
        request = {"name": name, "trace": isinstance(watching, tracing), "progress": reading.progress is not None}
        try:
            said = child.ask(
                request,
                [reading.fileno()],
                most_bytes=ANSWER_BYTES,
                seconds=float(self._fences.wait_seconds),
                told=functools.partial(_tell, reading),
            )
            file = read_file(_member(said, "file"), name)
            traces = read_traces(said.get("traces"), name)
        except ModelsignError as fault:
            return _lost(name, reading.size, fault, self._end())
        except BaseException:
            self._end()
            raise
        if isinstance(watching, tracing):
            watching.take(traces)
        return file

    def _ready(self) -> Child | None:
        """Return the child, after starting one if need be; None where there cannot be one."""
        for _ in range(_ATTEMPTS):
            if self._child is not None or self._why_not:
                break
            try:
                zygote = shared(PROGRAM, _environment())
                configuration = {"trust_globals": sorted(self._trusted), "folders": _temporary_folders()}
                self._child = zygote.fork(configuration, self._fences, self._layers)
            except ModelsignError as fault:
                why = fault.message
            else:
                self._told(Confinement(("process", *self._child.confined.in_force), self._child.confined.missing))
        else:
            self._why_not = why
        if self._child is None:
            self._told(Confinement(missing=(f"process: {self._why_not}",)))
        return self._child

    def _told(self, held: Confinement) -> None:
        """Remember the weakest confinement that any file was scanned under."""
        if self._held is None or len(held.in_force) < len(self._held.in_force):
            self._held = held

    def _end(self) -> str:
        """End the child, if there is one, and say how it ended."""
        child, self._child = self._child, None
        return "" if child is None else child.end()


def scan_artifact(
    artifact: Artifact | Snapshot,
    *,
    progress: Callable[[str, int, int], None] | None = None,
    trust_globals: frozenset[str] = frozenset(),
    sandbox: bool = True,
    fences: Fences | None = None,
) -> ScanResult:
    """Scan every file of a model, in a confined process unless ``sandbox`` is False; one result per file.

    ``progress`` is called with a file's name, the bytes done before it and the bytes in all. ``trust_globals`` are
    names (``module.qualname``) the caller takes for safe, beyond those known to be. ``fences`` are the last bounds on
    the process. Where no such process can be started the scan runs in this one; ``confinement`` of the result tells.
    """
    sizes = [entry.size for entry in artifact.files]
    with Scanner(
        total=sum(sizes),
        largest=max(sizes, default=0),
        trust_globals=trust_globals,
        sandbox=sandbox,
        fences=fences,
    ) as scanner:

        def scan(reading: FileReading, name: str) -> FileScan:
            return _of_the_copy(scanner.scan(reading, name), artifact)

        result = engine.scan_artifact(artifact, progress=progress, scan=scan)
        return replace(result, confinement=scanner.confinement)


def scan_bytes(
    data: bytes, name: str, *, trust_globals: frozenset[str] = frozenset(), sandbox: bool = True
) -> ScanResult:
    """Scan bytes in memory as one file, as :func:`scan_artifact` does with files."""
    with Scanner(total=len(data), largest=len(data), trust_globals=trust_globals, sandbox=sandbox) as scanner:
        descriptor = _file_of(data) if sandbox else None
        if descriptor is None:
            file = engine.scan_file(BytesReading(data), name, trust_globals=trust_globals)
        else:
            with FileReading(descriptor, name) as reading:
                file = scanner.scan(reading, name)
        return replace(engine.scan_result([file]), confinement=scanner.confinement)


def is_inert(reading: FileReading, name: str, *, sandbox: bool = True) -> bool:
    """Say whether no loader takes code from a file: every reader was asked, in a confined process where that can be."""
    with Scanner(total=reading.size, largest=reading.size, sandbox=sandbox) as scanner:
        return not scanner.scan(reading, name).loadable


def _tell(reading: FileReading, done: object) -> None:
    """Hand on how far the child says it is."""
    if reading.progress is not None and isinstance(done, int) and 0 <= done <= reading.size:
        reading.progress(done)


def _of_the_copy(file: FileScan, artifact: Artifact | Snapshot) -> FileScan:
    """Hold a digest against the one that was taken here while the copy was made; nobody can write to that copy."""
    if isinstance(artifact, Artifact) or not artifact.sealed or file.sha256 in (None, artifact.digests[file.path]):
        return file
    finding = CRASHED.finding("the process that scanned it tells another digest than that of the private copy")
    return FileScan(file.path, None, file.size, _UNKNOWN, Outcome.INCOMPLETE, (finding,))


def _lost(name: str, size: int, fault: ModelsignError, end: str) -> FileScan:
    """Return what is to be said of a file that cost its child."""
    late = fault.code == "SANDBOX_SILENT" or end in _ENDED
    how = f" ({end})" if end and fault.code == "SANDBOX_ENDED" else ""
    finding = (OVERRAN if late else CRASHED).finding(f"{fault.message}{how}")
    return FileScan(name, None, size, _UNKNOWN, Outcome.INCOMPLETE, (finding,))


def _member(said: dict[str, Any], key: str) -> dict[str, Any]:
    value = said.get(key)
    return value if isinstance(value, dict) else {}


def _fences(total: int, largest: int) -> Fences:
    """Return fences that no scan within its budgets comes near."""
    base = Fences()
    return replace(
        base,
        cpu_seconds=base.cpu_seconds + total // _SLOWEST,
        wait_seconds=base.wait_seconds + largest // (_SLOWEST // 4),
        file_bytes=2 * (limits.SCAN_UNPACKED_BYTES + limits.SCAN_DEPTH * largest),
    )


def _environment() -> dict[str, str]:
    return {"LC_ALL": "C.UTF-8"}


def _temporary_folders() -> list[str]:
    """Return where unnamed files may go, as the ``tempfile`` module would look for it."""
    return [*(os.environ[name] for name in _TEMPORARY if os.environ.get(name)), "/tmp", "/var/tmp"]  # noqa: S108 - same


def _file_of(data: bytes) -> int | None:
    """Return a descriptor of an unnamed file in memory that holds the bytes; None where there are no such files."""
    with suppress(AttributeError, OSError):
        descriptor = os.memfd_create("modelsign", os.MFD_CLOEXEC)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        return descriptor
    return None
