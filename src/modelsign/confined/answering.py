"""What the children do: scan the file behind a descriptor, and say what was found.

Runs in the zygote (:func:`prepare`) and in its children (:func:`begin`); knows no path of any model.
"""

from __future__ import annotations

import codecs
import os
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Any, Final

from modelsign.artifact.containers.frames import Lz4Frame, ZstdFrame
from modelsign.artifact.containers.stream import spool_file
from modelsign.artifact.reading import BLOCK, FileReading
from modelsign.confined.spool import SharedFile
from modelsign.confined.wire import write_file, write_traces
from modelsign.scan import knowledge, tables
from modelsign.scan.engine import known_rules, scan_file
from modelsign.scan.syntax.xml import CODECS
from modelsign.scan.trace import tracing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from modelsign.confined.spool import Share
    from modelsign.sandbox.serving import Answer, Tell

__all__ = ["LATE_MODULES", "begin", "prepare"]

LATE_MODULES: Final = (
    "backports",
    "compression",
    "lz4.frame",
    "yaml.error",
    "yaml.parser",
    "yaml.reader",
    "yaml.scanner",
)
"""What readers import only when they need it; a child could not any more (tests/contract/test_confined.py)."""
_STEP: Final = 32 * BLOCK
"""Bytes between two words about progress."""
_UNICODE: Final = ("utf-8-sig", *(f"utf-{width}{order}" for width in (16, 32) for order in ("", "-le", "-be")))
_CODECS: Final = (*_UNICODE, "cp437", "latin-1", "raw-unicode-escape", "unicode-escape", *sorted(CODECS))
"""Codecs that readers ask for by a name of their own; Python imports each when it is first asked for."""


def prepare() -> None:
    """Import, read and look up all that a scan may need, once for all children."""
    with suppress(ImportError):  # then a file that needs it costs its child
        import yaml.error  # noqa: PLC0415 - this function is here to import
        import yaml.parser  # noqa: PLC0415 - same
        import yaml.reader  # noqa: PLC0415 - same
        import yaml.scanner  # noqa: F401, PLC0415 - same
    with suppress(ImportError):
        Lz4Frame()
    with suppress(ImportError):
        ZstdFrame()
    known_rules()
    tables.load_all()
    knowledge.load_all()
    for name in _CODECS:
        codecs.lookup(name)


def begin(configuration: Mapping[str, Any]) -> Answer:
    """Return what answers requests; the last moment at which a file can be opened."""
    trusted = frozenset(configuration["trust_globals"])
    spool = _unnamed_file(configuration["folders"])
    spool_file.set(_no_file if spool is None else SharedFile(spool).share)

    def answer(request: Mapping[str, Any], descriptors: list[int], tell: Tell) -> dict[str, Any]:
        name: str = request["name"]
        with FileReading(descriptors[0], name) as reading, tracing() if request["trace"] else nullcontext() as traced:
            if request["progress"]:
                reading.progress = _now_and_then(tell)
            file = scan_file(reading, name, trust_globals=trusted)
        return {"file": write_file(file), "traces": [] if traced is None else write_traces(traced.found)}

    return answer


def _now_and_then(tell: Tell) -> Callable[[int], None]:
    """Return what tells of progress, but not of every block."""

    def tell_of(done: int) -> None:
        if done % _STEP == 0:
            tell(done)

    return tell_of


def _no_file() -> Share:
    raise OSError(0, "no temporary file could be made")


def _unnamed_file(folders: list[str]) -> int | None:
    """Open a file without a name in the first folder that takes one."""
    for folder in folders:
        with suppress(OSError, AttributeError):
            return os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    return _named_and_removed()


def _named_and_removed() -> int | None:
    """Open one where the file system only knows files with names."""
    import tempfile  # noqa: PLC0415 - the way of old systems

    try:
        descriptor, path = tempfile.mkstemp(prefix="modelsign-")
        os.unlink(path)  # noqa: PTH108 - no pathlib where nothing else needs it
    except OSError:
        return None
    return descriptor
