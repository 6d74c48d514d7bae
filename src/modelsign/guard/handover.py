"""Hands one judged file to the loader that the scan's reading picks.

Never lets a name pick the loader, never passes a file on that is not clean, and never lets bytes pass other than
those whose digest the scan recorded.
"""

from __future__ import annotations

import pickle
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING, Final

from modelsign.confined.scanning import scan_artifact
from modelsign.errors import error
from modelsign.guard.loader import Judged
from modelsign.guard.loaders import _index
from modelsign.guard.unpacked import COMPRESSED, unpacked
from modelsign.verdict import Outcome

if TYPE_CHECKING:
    from modelsign.artifact.snapshot import Snapshot
    from modelsign.guard.loader import Loader, LoadOptions
    from modelsign.verdict import CheckResult, FileScan, ScanResult

__all__ = ["hand_over", "pick_file", "pick_loader"]

_SHOWN_NAMES: Final = 5
_LIBRARY_FAULTS: Final = (
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    ArithmeticError,
    AssertionError,
    AttributeError,
    BufferError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What the libraries raise over bytes they cannot read; anything else is not theirs and passes through."""


def hand_over(  # noqa: PLR0913 - what is loaded, and how
    snapshot: Snapshot,
    verdict: CheckResult,
    *,
    file: str | None,
    options: LoadOptions,
    insecure_unverified: bool = False,
    sandbox: bool = True,
) -> object:
    """Load one file of a judged snapshot, through its sealed descriptor alone.

    A library that wants a path gets that of the descriptor: a link to it in a shared folder could be exchanged by
    another process of the same user between verdict and load.

    Raises:
        ModelsignError: ``LOAD_NOT_CLEAN``, ``LOAD_AMBIGUOUS``, ``LOAD_FILE_NOT_NAMED``, ``LOAD_NO_SUCH_FILE``,
            ``LOAD_NOTHING``, ``LOAD_NO_LOADER``, ``LOAD_LIBRARY_MISSING``, ``LOAD_GLOBAL_REFUSED`` or ``LOAD_FAILED``.

    """
    scan = verdict.scan or scan_artifact(snapshot, sandbox=sandbox)
    chosen = pick_file(scan, file)
    _demand_clean(chosen, snapshot.digests.get(chosen.path), accept_unverified=insecure_unverified)
    judged = Judged(
        name=chosen.path,
        path=f"/proc/self/fd/{snapshot.descriptors[chosen.path]}",
        scan=chosen,
        descriptor=lambda: snapshot.descriptor(chosen.path),
        options=options,
    )
    if chosen.format != COMPRESSED:
        return _run(judged)
    with unpacked(judged, sandbox=sandbox) as inner:
        _demand_clean(inner.scan, inner.scan.sha256, accept_unverified=insecure_unverified)
        return _run(inner)


def pick_file(scan: ScanResult, wanted: str | None) -> FileScan:
    """Return the file to load: the one named, or the only one that is not inert.

    Raises:
        ModelsignError: ``LOAD_NO_SUCH_FILE``, ``LOAD_FILE_NOT_NAMED`` or ``LOAD_NOTHING``.

    """
    if wanted is not None:
        for file in scan.files:
            if file.path == wanted:
                return file
        raise error("LOAD_NO_SUCH_FILE", f"the manifest holds no file {wanted}")
    loadable = [file for file in scan.files if file.loadable]
    if len(loadable) == 1:
        return loadable[0]
    if not loadable:
        raise error("LOAD_NOTHING", "every file of the model is inert")
    names = [file.path for file in loadable]
    shown = ", ".join(names[:_SHOWN_NAMES]) + (", …" if len(names) > _SHOWN_NAMES else "")
    raise error("LOAD_FILE_NOT_NAMED", f"the model holds {shown}", details={"files": names})


def _demand_clean(file: FileScan, digest: str | None, *, accept_unverified: bool) -> None:
    if file.sha256 is None or file.sha256 != digest:
        raise error("LOAD_NOT_CLEAN", f"{file.path}: the scan did not read the bytes that would be loaded")
    accepted = {Outcome.CLEAN, Outcome.UNVERIFIED} if accept_unverified else {Outcome.CLEAN}
    if file.outcome not in accepted:
        first = f": {file.findings[0].message}" if file.findings else ""
        message = f"{file.path} is {file.outcome.value}{first}"
        raise error("LOAD_NOT_CLEAN", message, details={"file": file.path, "outcome": file.outcome.value})


def pick_loader(file: FileScan) -> Loader:
    """Return the one loader for the format that the scan read.

    Raises:
        ModelsignError: ``LOAD_AMBIGUOUS`` or ``LOAD_NO_LOADER``.

    """
    if "+" in file.format:
        raise error("LOAD_AMBIGUOUS", f"{file.path} can be read as {file.format.replace('+', ' and ')}")
    suitable = [
        loader for loader in map(_index.load, _index.IDS) if file.format in loader.formats and loader.suits(file)
    ]
    if len(suitable) > 1:
        names = " and ".join(loader.id for loader in suitable)
        raise error("LOAD_AMBIGUOUS", f"{file.path} could be loaded by {names}")
    if not suitable:
        raise error("LOAD_NO_LOADER", f"{file.path} is {file.format}, which no loader takes")
    return suitable[0]


def _run(judged: Judged) -> object:
    loader = pick_loader(judged.scan)
    try:
        return loader.load(judged)
    except ModuleNotFoundError as fault:
        if (fault.name or "").partition(".")[0] in loader.libraries:
            advice = f"pip install 'modelsign[{loader.extra}]'"
            message = f"{judged.name} needs {fault.name}, which is not installed"
            raise error("LOAD_LIBRARY_MISSING", message, advice=advice) from fault
        raise error("LOAD_FAILED", f"{judged.name}: {fault}") from fault
    except _LIBRARY_FAULTS as fault:
        raise error("LOAD_FAILED", f"{judged.name}: {type(fault).__name__}: {fault}") from fault
