"""Secrets that were left in a small text file: keys and tokens by the form their issuers give them.

The forms are data (``knowledge/secrets.json``). What was found is told by its kind and line alone; no part of a secret
that is secret ever leaves this module. A leak harms whoever published the model, not whoever loads it, so it does not
move the outcome (docs/decisions/secrets-do-not-move-the-outcome.md).
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final

from modelsign import limits
from modelsign.scan.rules import SECRET
from modelsign.scan.sniff import is_text
from modelsign.scan.tables import table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsign.artifact.reading import Reading
    from modelsign.verdict import Finding

__all__ = ["secrets_in"]

_DIFFERENT: Final = 8
"""Characters that differ from each other in a real token; placeholders repeat one."""
_PLACEHOLDER: Final = re.compile(rb"example|placeholder|your|dummy|x{6}|0{6}|1234567", re.IGNORECASE)


@functools.cache
def _forms() -> tuple[tuple[str, bytes, re.Pattern[bytes]], ...]:
    """Return kind, the plain text every match begins with, and the whole form."""
    rows = table("secrets")["forms"]
    return tuple((row["kind"], row["begins"].encode(), re.compile(row["form"].encode(), re.ASCII)) for row in rows)


def secrets_in(reading: Reading) -> Iterator[Finding]:
    """Report each kind of secret of a small text once, by the line it first stands on."""
    if not 0 < reading.size <= limits.SECRETS_BYTES or not is_text(reading):
        return
    data = reading.read_at(0, reading.size)
    for kind, begins, form in _forms():
        place = _find(data, begins, form)
        if place >= 0:
            line = data.count(b"\n", 0, place) + 1
            yield SECRET.finding(f"line {line} has the form of {kind}", offset=place)


def _find(data: bytes, begins: bytes, form: re.Pattern[bytes]) -> int:
    """Return where the first match stands that is no placeholder, or -1."""
    place = data.find(begins)
    while place >= 0:
        found = form.match(data, place)
        joined = place > 0 and (data[place - 1 : place].isalnum() or data[place - 1] in b"_-")
        if found is not None and not (joined and begins[:1] != b"-"):
            rest = found[0][len(begins) :]
            if len(set(rest)) >= _DIFFERENT and not _PLACEHOLDER.search(rest):
                return place
        place = data.find(begins, place + 1)
    return -1
