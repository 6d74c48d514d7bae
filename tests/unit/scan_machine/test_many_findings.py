"""What a pickle does late is not drowned by what it does often."""

from __future__ import annotations

import picklebytes as p

from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file
from modelsign.scan.pickles import scan_pickle

EVIL = p.name("posix", "system") + p.short("true") + b"\x85R0"
MANY = b"".join(p.name(f"m{number:05}", "f") + b")R0" for number in range(3000))


def test_a_payload_behind_thousands_of_other_findings_is_found():
    seen = scan_pickle(BytesReading(p.PROTO4 + MANY + EVIL + b"N."))
    assert "pickle-execute" in {finding.rule for finding in seen.findings}


def test_a_file_with_a_payload_behind_thousands_of_other_findings_is_unsafe():
    result = scan_file(BytesReading(p.PROTO4 + MANY + EVIL + b"N."), "a.pkl")
    assert result.outcome == "unsafe"
    assert any(finding.rule == "findings-omitted" or "more findings" in finding.message for finding in result.findings)


def test_a_long_chain_of_attributes_is_attribute_access():
    steps = b"".join(p.short("c") + b"\x86R" for _ in range(1200))
    getters = p.stack_name("builtins", "getattr") * 1200
    result = scan_file(BytesReading(p.PROTO4 + getters + p.name("a", "b") + steps + b"."), "a.pkl")
    assert result.outcome == "unsafe"
    assert "pickle-attribute-access" in {finding.rule for finding in result.findings}
