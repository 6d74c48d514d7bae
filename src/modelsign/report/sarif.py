"""SARIF 2.1.0 (OASIS Standard, 2020): findings for code scanning services.

Fingerprints are made of rule, path, member and message without the numbers in it (counts, lines, offsets), and of
how many alike came before, so that a finding keeps its identity when a file is written again or its neighbours move.
They are made of the path within the model, so that a fingerprint is the same on every machine.

A location is relative to the working directory where the model lies below it (``%SRCROOT%``, which services take for
the root of the repository), else to the model (``MODEL``). No absolute path of the machine is told.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from modelsign._version import __version__
from modelsign.report.document import dumps
from modelsign.report.observation import observations
from modelsign.report.output import Output
from modelsign.verdict import CheckResult, ScanResult, Severity

if TYPE_CHECKING:
    from modelsign.report.observation import Observation
    from modelsign.verdict import Report, Rule

__all__ = ["OUTPUT", "render"]

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_BASES: Final = {
    "%SRCROOT%": "The directory in which modelsign was started.",
    "MODEL": "The folder of the model, or of the file that is the model.",
}
_NUMBER: Final = re.compile(r"(?<![\w.])[0-9]+(?![\w.]*[A-Za-z_])")
"""A number that stands alone: not a part of a name, nor of a version."""
_LEVELS: Final = {
    Severity.INFO: "note",
    Severity.LOW: "note",
    Severity.MEDIUM: "warning",
    Severity.HIGH: "error",
    Severity.CRITICAL: "error",
}
_SCORES: Final = {
    Severity.INFO: "0.0",
    Severity.LOW: "3.0",
    Severity.MEDIUM: "5.5",
    Severity.HIGH: "8.0",
    Severity.CRITICAL: "9.5",
}


def render(report: Report, *, colour: bool = False) -> str:
    """Write a SARIF log with one run; colour is never used."""
    del colour
    found = observations(report)
    ids = sorted({one.rule for one in found})
    scan = _scan_of(report.result)
    known = {} if scan is None else {rule.id: rule for rule in scan.rules}
    alike: Counter[str] = Counter()
    results = []
    for one in found:
        identity = json.dumps([one.rule, one.path, one.member, _NUMBER.sub("0", one.message)])
        results.append(_result(one, ids.index(one.rule), f"{identity}{alike[identity] or ''}", report.place))
        alike[identity] += 1
    run = {
        "tool": {
            "driver": {
                "name": "modelsign",
                "semanticVersion": __version__,
                "informationUri": "https://modelsign.dev/",
                "rules": [_rule(rule, found, known.get(rule)) for rule in ids],
            }
        },
        "invocations": [_invocation(report)],
        **_bases(report),
        "columnKind": "unicodeCodePoints",
        "results": results,
        "properties": {
            "command": report.command,
            **({"confinement": str(scan.confinement)} if scan and scan.confinement else {}),
        },
    }
    return dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _bases(report: Report) -> dict[str, object]:
    """Say what locations are relative to; its own place on this machine is nobody's business (3.14.14)."""
    if _scan_of(report.result) is None:
        return {}
    base = _base(report.place)
    return {"originalUriBaseIds": {base: {"description": {"text": _BASES[base]}}}}


def _base(place: str | None) -> str:
    return "MODEL" if place is None else "%SRCROOT%"


def _invocation(report: Report) -> dict[str, object]:
    """Say how the run ended; warnings are notifications about it (3.20.21)."""
    status = int(report.exit_status)
    told = [{"level": "warning", "message": {"text": warning}} for warning in report.warnings]
    ended: dict[str, object] = {"executionSuccessful": status in (0, 1), "exitCode": status}
    return {**ended, "toolExecutionNotifications": told} if told else ended


def _scan_of(result: object) -> ScanResult | None:
    """Return the scan that a result is or rests on."""
    scan = result.scan if isinstance(result, CheckResult) else result
    return scan if isinstance(scan, ScanResult) else None


def _rule(rule: str, found: list[Observation], known: Rule | None) -> dict[str, object]:
    first = max((one for one in found if one.rule == rule), key=lambda one: float(_SCORES[one.severity]))
    described: dict[str, object] = {
        "id": rule,
        "helpUri": f"https://modelsign.dev/rules/#{quote(rule.lower())}",
        "defaultConfiguration": {"level": _LEVELS[first.severity]},
        "properties": {"security-severity": _SCORES[first.severity], "tags": ["security"]},
    }
    if known is not None:
        described["shortDescription"] = {"text": known.title}
        described["fullDescription"] = {"text": known.description}
    advice = first.advice or (known.advice if known is not None else "")
    if advice:
        described["help"] = {"text": " ".join([advice, *(f"See {reference}." for reference in first.references)])}
    return described


def _result(one: Observation, index: int, identity: str, place: str | None) -> dict[str, object]:
    result: dict[str, object] = {
        "ruleId": one.rule,
        "ruleIndex": index,
        "level": _LEVELS[one.severity],
        "message": {"text": one.message or one.rule},
        "partialFingerprints": {"modelsign/v2": hashlib.sha256(identity.encode()).hexdigest()},
    }
    if one.path is not None:
        result["locations"] = [_location(one, one.path, place)]
    if one.accepted:
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": one.accepted}]
    facts = {
        "confidence": one.confidence,
        "offset": one.offset,
        "calls": list(one.calls),
        "references": list(one.references),
        "sha256": one.sha256,
    }
    known = {key: value for key, value in facts.items() if value not in (None, "", [])}
    if known:
        result["properties"] = known
    return result


def _location(one: Observation, path: str, place: str | None) -> dict[str, object]:
    uri = quote(f"{place or ''}{path}".encode("utf-8", "surrogateescape"))
    physical: dict[str, object] = {"artifactLocation": {"uri": uri, "uriBaseId": _base(place)}}
    if one.offset is not None and one.member is None:
        physical["region"] = {"byteOffset": one.offset}
    location: dict[str, object] = {"physicalLocation": physical}
    if one.member is not None:
        name = one.member if one.offset is None else f"{one.member} at byte {one.offset}"
        location["logicalLocations"] = [{"name": name, "fullyQualifiedName": f"{path}/{one.member}", "kind": "member"}]
    return location


OUTPUT = Output("sarif", "SARIF 2.1.0", "Findings for code scanning services.", "application/sarif+json", render)
