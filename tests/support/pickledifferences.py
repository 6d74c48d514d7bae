"""Compares what CPython's unpicklers do with a program and what the machine says of it.

``compare`` raises ``Disagreement`` for whatever is not explained, and returns what was explained, by the names in
``EXPLAINED``; docs/fuzzing.md says of each why it is harmless.
"""

from __future__ import annotations

import pickletools
import warnings
from contextlib import nullcontext
from functools import cache
from typing import TYPE_CHECKING, Any

from picklewitness import account_of, as_files, looking

from modelsign.artifact.reading import BytesReading
from modelsign.scan import knowledge
from modelsign.scan.pickles import scan_pickle
from modelsign.scan.trace import tracing
from modelsign.verdict import Outcome, worst

if TYPE_CHECKING:
    from picklewitness import Account

    from modelsign.scan.format import Inspection
    from modelsign.verdict import Trace

WINDOWS = (None, 40, 64, 100, 333)
"""How much of the program the machine looks at at a time."""


class Disagreement(AssertionError):
    """The machine and an unpickler differ in a way that nothing explains."""


def agrees(ours: Any, theirs: Any) -> bool:
    """Say whether a value or event of ours stands for theirs."""
    if ours == theirs or ["?"] in (ours, theirs):
        return True
    if not isinstance(ours, list) or not isinstance(theirs, list):
        return False
    kinds = ours[0] + theirs[0]
    if kinds in {"gg", "Gg"}:
        return canonical(*ours[1:]) == canonical(*theirs[1:])
    if kinds in {"ii", "ss", "aa"}:
        return len(ours) == 1  # one too long to be read, or bytes that were changed
    return kinds == "Go" or (ours[0] == theirs[0] and _ALIKE.get(ours[0], _parts_alike)(ours, theirs))


def _parts_alike(ours: list, theirs: list) -> bool:
    return len(ours) == len(theirs) and all(map(agrees, ours, theirs))


def _imports_alike(ours: list, theirs: list) -> bool:
    return ours[1:3] == theirs[1:3] and theirs[3] in (None, ours[3])


def _calls_alike(ours: list, theirs: list) -> bool:
    """Compare functions, and arguments if they are a tuple: pure Python takes anything that can be gone through."""
    return agrees(ours[1], theirs[1]) and (ours[2][0] != "t" or agrees(ours[2], theirs[2]))


def _tuples_alike(ours: list, theirs: list) -> bool:
    deep = (ours[1] is None, theirs[1] is None)
    return ours[2] == theirs[2] and deep[0] == deep[1] and all(map(agrees, ours[1] or (), theirs[1] or ()))


def _stops_alike(ours: list, theirs: list) -> bool:
    return agrees(ours[1], theirs[1]) and (ours[2] is None or theirs[2] in (None, ours[2]))


_ALIKE = {"import": _imports_alike, "call": _calls_alike, "t": _tuples_alike, "stop": _stops_alike}


@cache
def canonical(module: str, name: str) -> tuple[str, str]:
    """Return a name as Python 3 calls it, whether or not it was written in Python 2's way."""
    found = knowledge.mapped(module, name)
    return (module, name) if found == (module, name) else canonical(*found)


def difference(account: Account, answer: list) -> str:
    """Return how an unpickler's events are no beginning of ours; empty where they are."""
    events, ending = answer
    seen = iter(account.events)
    for number, theirs in enumerate(events):
        ours = next(seen, None)
        while ours is not None and _may_be_nothing(ours, account) and not agrees(ours, theirs):
            ours = next(seen, None)
        if ours is None:
            if account.ending == "Exhausted":
                return ""
            return f"{theirs} is not seen: {account.ending} at {account.place}, {ending}"
        if not agrees(ours, theirs):
            return f"event {number} is {theirs}, seen as {ours}"
    return ""


def _may_be_nothing(ours: list, account: Account) -> bool:
    """Say whether an event is what pure Python does nothing for: empty state or items of an out-of-band buffer."""
    return ours[0] in {"state", "items"} and ours[1] in (["?"], ["o"]) and account.buffers


def compare(data: bytes, answers: dict[str, list] | None) -> set[str]:
    """Hold the machine's account of a program against every unpickler's; return what is to be counted.

    Raises:
        Disagreement: something was not.

    """
    number, reading = sum(data), BytesReading(data)
    with looking(WINDOWS[number // 2 % len(WINDOWS)], tight=number // 3 % 16 == 0):
        fresh = account_of(reading)
        several = fresh.stops and fresh.stops[0] < len(data)
        shared = account_of(reading, shared_memo=True) if several else fresh
        with tracing() if number % 4 == 0 else nullcontext() as trace:
            inspection = scan_pickle(reading)
        as_file, more = as_files(data) if _are_frames_odd(data, inspection, fresh, shared) else ([], False)
    explained = {f"machine: {fresh.ending}", f"outcome: {worst(found.outcome for found in inspection.findings)}"}
    if answers is None:
        return explained | {"the oracle gave up"}
    explained |= {f"{name}: {answer[1]}" for name, answer in answers.items() if name in ("whole", "python")}
    for name, answer in answers.items():
        last = answer[0][-1] if answer[0] else [""]
        if (
            name.startswith("python")
            and _has(inspection, "pickle-frame-crossed")
            and last[0] == "stop"
            and last[2] == len(data)
        ):
            last[2] = None  # it lets go of all that is left of a frame, even of one longer than the file
        straight = shared if name.endswith("again") else fresh
        possible = [straight, *([] if name.startswith("whole") else as_file)]
        faults = [difference(account, answer) for account in possible]
        if all(faults) and more:
            explained.add("explained: more readings than are followed")
        elif all(faults) and name.startswith("python") and _is_text(fresh, answer[0]):
            explained.add("explained: a text whose first word pure Python imports")
        elif all(faults):
            raise Disagreement(f"{name}: {' / '.join(dict.fromkeys(faults))}")
        else:
            _check_scan(name, answer, inspection, fresh)
    _check_opcodes(data, fresh, trace.found if trace else [])
    return explained


def _is_text(account: Account, events: list) -> bool:
    """Say whether pure Python begins by importing a harmless word that no other unpickler and no machine sees."""
    first = events[0]
    broken = account.ending == "Broken" and not account.events
    return broken and first[0] == "import" and knowledge.capability(first[1], first[2]) is None


def _are_frames_odd(data: bytes, inspection: Inspection, *accounts: Account) -> bool:
    """Say whether file readers may take the bytes in another order; a scan that ran out of a budget may not tell."""
    cut_short = any(account.ending != "end" for account in accounts) or _has(inspection, "pickle-budget")
    return _has(inspection, "pickle-frame-crossed") or (cut_short and b"\x95" in data)


def _has(inspection: Inspection, rule: str) -> bool:
    return any(finding.rule == rule for finding in inspection.findings)


def _check_scan(name: str, answer: list, inspection: Inspection, account: Account) -> None:
    """Every name is listed, and nothing that is not allowed leaves the outcome clean."""
    outcome = worst(finding.outcome for finding in inspection.findings)
    spent = _has(inspection, "pickle-budget")
    if (spent or account.ending == "Exhausted") and outcome not in {Outcome.INCOMPLETE, Outcome.UNSAFE}:
        raise Disagreement(f"{outcome}, and a budget ran out")
    for event in answer[0]:
        if event[0] == "import":
            raw, new = ".".join(event[1:3]), ".".join(knowledge.mapped(event[1], event[2]))
            if not spent and not {raw, new} & inspection.globals:
                raise Disagreement(f"{name}: {raw} is imported and not listed")
            strange = knowledge.allowed(raw) is None and knowledge.allowed(new) is None
        else:
            strange = event[0] in {"persistent", "extension", "buffer"} or (event[0] == "call" and event[1] == ["o"])
        if strange and outcome is Outcome.CLEAN:
            raise Disagreement(f"{name}: clean, and does {event}")
    if account.ending != "end" and outcome is Outcome.CLEAN:
        raise Disagreement(f"clean, and {account.ending}")


def _check_opcodes(data: bytes, account: Account, traces: list[Trace]) -> None:
    """Where pickletools accepts the first pickle, opcodes and positions are the same."""
    try:
        with warnings.catch_warnings(action="ignore"):  # escapes in strings that will be errors one day
            theirs = [(place, opcode.name) for opcode, _, place in pickletools.genops(data)]
    except ValueError:
        return
    if traces:
        lines = traces[0].lines
        ours = [(line.offset, line.opcode) for line in lines if line.omitted == 0][:150]
        if ours != theirs[: len(ours)] and theirs[: len(ours)] != ours[: len(theirs)]:
            raise Disagreement(f"the trace has other opcodes: {ours} {theirs}")
    places = {place for place, _ in theirs}
    last = theirs[-1][0]
    wrong = [place for place in account.offsets if place <= last and place not in places]
    if wrong:
        raise Disagreement(f"events at {wrong}, where pickletools has no opcode")
    if account.stops and account.stops[0] != last + 1:
        raise Disagreement(f"the pickle ends at {account.stops[0]}, for pickletools at {last + 1}")
