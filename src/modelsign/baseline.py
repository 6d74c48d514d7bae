"""Findings that somebody accepts, for a time and with a reason: baselines, and acceptances given in place.

An acceptance changes no outcome: files stay what the scan says they are. It decides whether a finding still counts for
the exit status, and is itself part of the result, used or not. ``incomplete`` is never accepted, ``unsafe`` only where
the caller says so and the acceptance names the very bytes. No clock is read here: the caller says what time it is.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any, Final

from modelsign import limits, strictjson, timestamp
from modelsign.errors import error
from modelsign.verdict import Acceptance, AcceptanceStatus, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from modelsign.verdict import Finding, ScanResult

__all__ = ["apply", "in_place", "make", "read"]

_VERSION: Final = 1
_KEYS: Final = frozenset({"rule", "path", "member", "sha256", "expires", "reason"})
_SHA256: Final = re.compile(r"[0-9a-f]{64}\Z")
_IN_PLACE: Final = re.compile(r"([a-z0-9-]+):(.+):([0-9]{4}-[0-9]{2}-[0-9]{2}):(.*\S.*)\Z", re.DOTALL)
_REASON: Final = 1000


def read(data: bytes) -> tuple[Acceptance, ...]:
    """Read a baseline.

    Raises:
        ModelsignError: ``BASELINE_INVALID``.

    """
    document = strictjson.loads(data, most_bytes=limits.BASELINE_BYTES, what="baseline", code="BASELINE_INVALID")
    if not isinstance(document, dict) or document.keys() != {"version", "accepted"}:
        raise error("BASELINE_INVALID", "it is no object with exactly the keys version and accepted")
    if document["version"] != _VERSION or not isinstance(document["accepted"], list):
        raise error("BASELINE_INVALID", f"its version is not {_VERSION}, or accepted is no list")
    return tuple(_entry(number, entry) for number, entry in enumerate(document["accepted"]))


def _entry(number: int, entry: Any) -> Acceptance:
    if not isinstance(entry, dict) or entry.keys() != _KEYS:
        raise error("BASELINE_INVALID", f"entry {number} does not have exactly the keys {', '.join(sorted(_KEYS))}")
    member = entry["member"]
    texts = [value for key, value in entry.items() if key != "member"] + ([] if member is None else [member])
    if not all(isinstance(text, str) and text.strip() for text in texts) or len(entry["reason"]) > _REASON:
        raise error("BASELINE_INVALID", f"entry {number} holds something that is no text, or an empty or too long one")
    if not _SHA256.match(entry["sha256"]):
        raise error("BASELINE_INVALID", f"entry {number} has a sha256 that is not 64 lowercase hex digits")
    try:
        timestamp.read(entry["expires"])
    except ValueError as fault:
        raise error("BASELINE_INVALID", f"entry {number} does not say when it expires: {fault}") from None
    return Acceptance(entry["rule"], entry["path"], member, entry["sha256"], entry["expires"], entry["reason"])


def in_place(text: str) -> Acceptance:
    """Read ``RULE:PATH:DATE:REASON``: a rule for any place in one file, until that date begins in UTC.

    Raises:
        ValueError: the text is not like that.

    """
    found = _IN_PLACE.match(text)
    if found is None:
        message = f"{text!r} is not RULE:PATH:YYYY-MM-DD:REASON"
        raise ValueError(message)
    expires = f"{found[3]}T00:00:00Z"
    timestamp.read(expires)
    return Acceptance(found[1], found[2], None, None, expires, found[4].strip())


def apply(
    result: ScanResult, acceptances: Sequence[Acceptance], *, now: datetime, accept_unsafe: bool = False
) -> ScanResult:
    """Say of each acceptance what it does to this result, and keep them with it."""
    if now.tzinfo is None:
        raise error("ARGUMENT_INVALID", "now is a time without a zone", advice="Pass datetime.now(UTC).")
    found: list[Acceptance] = []
    for one in acceptances:
        matching = [finding for file in result.files for finding in file.findings if one.concerns(file, finding)]
        found.append(replace(one, status=_status(one, matching, now, accept_unsafe=accept_unsafe)))
    return replace(result, acceptances=tuple(found))


def _status(one: Acceptance, matching: Sequence[Finding], now: datetime, *, accept_unsafe: bool) -> AcceptanceStatus:
    if timestamp.read(one.expires) <= now:
        return AcceptanceStatus.EXPIRED
    if not matching:
        return AcceptanceStatus.UNKNOWN
    outcomes = {finding.outcome for finding in matching}
    unsafe = Outcome.UNSAFE in outcomes and not (accept_unsafe and one.sha256)
    return AcceptanceStatus.REFUSED if unsafe or Outcome.INCOMPLETE in outcomes else AcceptanceStatus.USED


def make(
    result: ScanResult, *, now: datetime, days: int, reason: str, accept_unsafe: bool = False
) -> tuple[bytes, list[str]]:
    """Write a baseline of all findings that can be accepted; also tell which files hold others."""
    expires = timestamp.write(now.astimezone(UTC) + timedelta(days=days))
    entries: dict[tuple[str, str, str | None], dict[str, object]] = {}
    left: list[str] = []
    for file in result.files:
        for finding in file.findings:
            if finding.outcome is Outcome.CLEAN:
                continue
            unsafe = finding.outcome is Outcome.UNSAFE and not accept_unsafe
            if unsafe or finding.outcome is Outcome.INCOMPLETE or file.sha256 is None:
                left.append(f"{file.path}: {finding.rule} is {finding.outcome} and was not accepted")
                continue
            entries[finding.rule, file.path, finding.member] = {
                "rule": finding.rule,
                "path": file.path,
                "member": finding.member,
                "sha256": file.sha256,
                "expires": expires,
                "reason": reason,
            }
    document = {"version": _VERSION, "accepted": list(entries.values())}
    text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False)
    return text.encode() + b"\n", list(dict.fromkeys(left))
