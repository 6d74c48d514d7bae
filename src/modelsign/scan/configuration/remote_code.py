"""What the Python does that a model's configurations name: a look at the files of a model together.

A configuration says which class a loader imports from which file of the model (``auto_map`` and others); every file is
scanned by itself. Here the two meet: for each name, whether its file is there and defines it, which files importing it
runs, by relative imports, and what was found in them to happen at once. A function of what was found in the files, and
so of their names and bytes; it adds findings and takes none away.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign import limits
from modelsign.scan.configuration.code_keys import CODE
from modelsign.scan.python.rules import IMPORT, SOURCE, SYNTAX
from modelsign.verdict import Outcome, Rule, Severity, worst

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from modelsign.verdict import FileScan, Finding

__all__ = ["REMOTE_RULES", "linked"]

_REFERENCES: Final = ("https://huggingface.co/docs/transformers/custom_models",)
CHAIN: Final = Rule(
    "remote-code",
    "loading the model imports Python that lies beside it",
    Severity.HIGH,
    Outcome.UNVERIFIED,
    "A configuration names a class in a Python file of the model. A loader that trusts remote code imports that file, "
    "and with it every file that it imports in turn, and then runs what the class does.",
    "Read the files that are listed before you load the model with `trust_remote_code`, or load it without.",
    _REFERENCES,
)
RUNS: Final = Rule(
    "remote-code-runs",
    "loading the model imports Python that does something dangerous at once",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "A configuration names a class in a Python file of the model, and importing that file, or one that it imports, "
    "starts a program, runs text as code, loads native code or pickles, writes files or talks to the network.",
    "Do not load the model with `trust_remote_code`; report it to where it is published.",
    _REFERENCES,
)
ABSENT: Final = Rule(
    "remote-code-absent",
    "a configuration names Python that is not in the model",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "The file that a configuration names, or one that its source imports, does not lie beside it. The loader fails, or "
    "takes it from what is installed or from where the model was published, and nobody judged that.",
    "Ask the author for the file, or load the model without remote code.",
    _REFERENCES,
)
REMOTE_RULES: Final = (CHAIN, RUNS, ABSENT)
_IMPORT: Final = re.compile(r"from (\.*)([\w.]*) import (.+)")
_MOST_FILES: Final = 200
"""Files followed from one name."""
_MOST_NAMES: Final = 20
"""Names followed from one file."""
_SHOWN: Final = 3


class _Unit(NamedTuple):
    """One Python file, in the model or in an archive of it."""

    outline: tuple[str, ...]
    at_once: tuple[str, ...]
    unread: bool


def linked(files: Sequence[FileScan]) -> list[FileScan]:
    """Return the scans of a model's files, with what the Python that they name does."""
    if not any(finding.rule == CODE.id and finding.calls for file in files for finding in file.findings):
        return list(files)
    units = _units(files)
    return [_with(file, list(_followed(file, units))) for file in files]


def _units(files: Sequence[FileScan]) -> dict[str, _Unit]:
    """Return the Python files, by their paths; of those in an archive with the archive's before it."""
    units: dict[str, _Unit] = {}
    for file in files:
        for finding in file.findings:
            if finding.rule == SOURCE.id:
                place = _place(file.path, finding.member)
                about = [one for one in file.findings if one.member == finding.member]
                at_once = tuple(one.message for one in about if one.rule == IMPORT.id)
                units[place] = _Unit(finding.calls, at_once, any(one.rule == SYNTAX.id for one in about))
    return units


def _place(path: str, member: str | None) -> str:
    return path if member is None else f"{path}!{member}"


def _with(file: FileScan, fresh: list[Finding]) -> FileScan:
    room = limits.SCAN_FINDINGS - len(file.findings)
    fresh = sorted(fresh, key=lambda finding: finding.rule != RUNS.id)[: max(room, 1)]
    if not fresh:
        return file
    outcome = worst([file.outcome, *(finding.outcome for finding in fresh)])
    return replace(file, outcome=outcome, findings=(*file.findings, *fresh), loadable=True)


def _followed(file: FileScan, units: Mapping[str, _Unit]) -> Iterator[Finding]:
    named = [finding for finding in file.findings if finding.rule == CODE.id and finding.calls]
    for finding in dict.fromkeys(named[:_MOST_NAMES]):
        found = _IMPORT.fullmatch(finding.calls[0])
        if found is not None:
            folder = re.sub(r"[^/!]*\Z", "", _place(file.path, finding.member))
            yield from _chain(folder, found[2], found[3], finding.member, units)


def _chain(folder: str, module: str, thing: str, member: str | None, units: Mapping[str, _Unit]) -> Iterator[Finding]:
    """Say of one name where it leads to."""
    top = folder[: folder.rfind("!") + 1]  # a configuration in a folder may name code at the top
    first = _file_of(folder, module, units) or _file_of(top, module, units)
    steps = (f"from {module} import {thing}",)
    if first is None:
        text = f"{folder}{module.replace('.', '/')}.py, which should have {thing}, is not in the model"
        yield ABSENT.finding(text, member=member, calls=steps)
        return
    followed, absent = _imports(first, units)
    names = [place.removeprefix(folder) for place in followed]
    runs = [f"{place.removeprefix(folder)}: {act}" for place in followed for act in units[place].at_once]
    text = f"{names[0]} {_defines(units[first], thing)}; importing it runs {_listed(names)}"
    unread = [place.removeprefix(folder) for place in followed if units[place].unread]
    if unread:
        text += f"; {_listed(unread)} cannot be read"
    rule = RUNS if runs else CHAIN
    if runs:
        text += f"; at once {_listed(runs)}"
    yield rule.finding(text, member=member, calls=(*steps, *names[1:_SHOWN], *runs[:_SHOWN]))
    for line in absent[:_SHOWN]:
        yield ABSENT.finding(f"{names[0]} leads to {line}, which is not in the model", member=member, calls=steps)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _defines(unit: _Unit, thing: str) -> str:
    if f"class {thing}" in unit.outline:
        return f"defines {thing}"
    taken = [line for line in unit.outline if (found := _IMPORT.fullmatch(line)) and thing in found[3].split(", ")]
    if taken:
        return f"takes {thing} by `{taken[0]}`"
    whole = "…" not in unit.outline and not any(line.endswith("import *") for line in unit.outline)
    return f"defines no class {thing}" if whole and not unit.unread else f"may define {thing}"


def _file_of(folder: str, module: str, units: Mapping[str, _Unit]) -> str | None:
    stem = folder + module.replace(".", "/")
    return next((place for place in (f"{stem}.py", f"{stem}/__init__.py") if place in units), None)


def _imports(first: str, units: Mapping[str, _Unit]) -> tuple[list[str], list[str]]:
    """Return the files that importing one runs, nearest first, and the imports that lead to no file."""
    followed = {first: None}
    absent: dict[str, None] = {}
    waiting = [first]
    while waiting and len(followed) < _MOST_FILES:
        place = waiting.pop(0)
        for line in units[place].outline:
            found = _IMPORT.fullmatch(line)
            if found is None:
                continue
            folder = re.sub(r"[^/!]*\Z", "", place)
            for _ in range(len(found[1]) - 1):
                folder = re.sub(r"[^/!]+/\Z", "", folder)
            wanted = [found[2]] if found[2] else found[3].split(", ")
            for module in wanted:
                target = _file_of(folder, module, units)
                if target is None:
                    if module != "*" and (found[2] or f"{folder}__init__.py" not in units):
                        absent[f"`{line}`"] = None
                elif target not in followed:
                    followed[target] = None
                    waiting.append(target)
    return list(followed), list(absent)
