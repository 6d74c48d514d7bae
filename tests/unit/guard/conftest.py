"""Builders shared by the tests of the guard."""

from __future__ import annotations

import hashlib
import os
import pickle
import pickletools
from typing import TYPE_CHECKING

import pytest

from modelsign.guard.loader import Judged, LoadOptions
from modelsign.verdict import CheckResult, FileScan, Outcome, PolicyName, ScanResult, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def judged(tmp_path: Path) -> Callable[..., Judged]:
    """Return a maker of judged files: bytes, a name, and the names the scan is said to have accepted."""

    def make(data: bytes, name: str = "model.bin", *, accepted: tuple[str, ...] = (), **options: object) -> Judged:
        path = tmp_path / name
        path.write_bytes(data)
        return Judged(
            name=name,
            path=str(path),
            scan=file_scan(name, data, accepted=accepted),
            descriptor=lambda: os.open(path, os.O_RDONLY | os.O_CLOEXEC),
            options=LoadOptions(**options),
        )

    return make


@pytest.fixture
def imported_names() -> Callable[[bytes], tuple[str, ...]]:
    """Return a reader of the names that a benign pickle made by CPython itself imports."""
    return _imported_names


def _imported_names(data: bytes) -> tuple[str, ...]:
    names: set[str] = set()
    texts: list[str] = []
    memo: dict[int, str] = {}
    for opcode, argument, _ in pickletools.genops(data):
        if opcode.name == "GLOBAL":
            names.add(str(argument).replace(" ", "."))
        elif opcode.name == "STACK_GLOBAL":
            names.add(".".join(texts[-2:]))
        elif opcode.name == "MEMOIZE":
            memo[len(memo)] = texts[-1] if texts else ""
        elif opcode.name in {"BINGET", "LONG_BINGET"}:
            texts.append(memo[int(str(argument))])
            continue
        if isinstance(argument, str):
            texts.append(argument)
        elif opcode.name not in {"MEMOIZE", "PROTO", "FRAME"}:
            texts.append("")
    return tuple(sorted(names))


def file_scan(
    name: str,
    data: bytes,
    *,
    accepted: tuple[str, ...] = (),
    outcome: Outcome = Outcome.CLEAN,
    reading: str = "pickle",
    loadable: bool = True,
) -> FileScan:
    """Return what a scan would say of some bytes."""
    digest = hashlib.sha256(data).hexdigest()
    return FileScan(name, digest, len(data), reading, outcome, loadable=loadable, globals=accepted)


@pytest.fixture
def allowed() -> Callable[..., CheckResult]:
    """Return a maker of verdicts about scanned files."""

    def make(*files: FileScan, verdict: Verdict = Verdict.ALLOW, **fields: object) -> CheckResult:
        outcome = max((file.outcome for file in files), default=Outcome.CLEAN)
        scan = ScanResult(outcome, "0" * 64, files)
        return CheckResult(verdict, PolicyName("test", "0" * 64), (), scan=scan, **fields)

    return make


class Tripped(Exception):
    """Raised by nothing: a class that no scan lists."""


@pytest.fixture
def payload() -> bytes:
    """Return a pickle that would run a (harmless) command if anything ever unpickled it."""
    return b"cos\nsystem\n(S'true'\ntR."


@pytest.fixture
def pickled() -> Callable[[object], bytes]:
    """Return the pickler; the tests read back only what they wrote themselves."""
    return pickle.dumps
