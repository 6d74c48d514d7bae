"""A finding about a call shows the calls that led to it, as pseudo-Python, and how sure it is."""

from __future__ import annotations

from modelsign.artifact.reading import BytesReading
from modelsign.scan.pickles import analyse
from modelsign.verdict import Confidence

STEPS = b"cimportlib\nimport_module\n(S'os'\ntRp0\n0cbuiltins\ngetattr\n(g0\nS'system'\ntR(S'id'\ntR."
"""``getattr(import_module('os'), 'system')('id')``, in steps; inert, for nothing here runs it."""


def chains(data):
    return [(finding.rule, finding.calls) for finding in analyse(BytesReading(data)).findings]


def test_a_call_of_a_computed_function_names_every_step():
    assert chains(STEPS)[-1] == (
        "pickle-computed-call",
        ("v1 = importlib.import_module('os')", "v2 = builtins.getattr(v1, 'system')", "v2('id')"),
    )


def test_calls_that_have_nothing_to_do_with_it_are_left_out():
    data = b"cacme\nThing\n(S'x'\ntR0cposix\nsystem\n(S'id'\ntR."
    assert chains(data) == [
        ("pickle-unknown-global", ("acme.Thing('x')",)),
        ("pickle-execute", ("posix.system('id')",)),
    ]


def test_an_import_without_a_call_has_no_chain():
    assert chains(b"cposix\nsystem\n.") == [("pickle-execute", ())]


def test_a_chain_is_as_long_as_its_bound_and_no_longer():
    nested = b"cacme\nF\n(S'x'\ntR" + b"p0\n0cposix\nsystem\n(g0\ntR" * 3000 + b"."
    found = analyse(BytesReading(nested)).findings
    assert max(len(finding.calls) for finding in found) <= 20
    assert found[-1].rule == "pickle-execute"


def test_a_name_that_looks_like_a_result_is_quoted_as_the_text_it_is():
    assert chains(b"cposix\nsystem\n(S'v1'\ntR.") == [("pickle-execute", ("posix.system('v1')",))]


def test_a_finding_carries_what_its_rule_says_to_do_and_to_read():
    (finding,) = analyse(BytesReading(b"cposix\nsystem\n(S'id'\ntR.")).findings
    assert "Do not load" in finding.advice
    assert "CWE-502" in finding.references
    assert finding.confidence is Confidence.HIGH


def test_what_only_one_way_of_reading_shows_is_less_sure():
    """A reader that keeps its memo from one pickle to the next calls what the first has put there."""
    data = b"(cacme\nThing\np1\n0l." + b"N." + b"g1\n(S'id'\ntR."
    found = {finding.message: finding.confidence for finding in analyse(BytesReading(data)).findings}
    assert found["imports acme.Thing, which is not known to be safe"] is Confidence.HIGH
    assert found["calls acme.Thing('id'), which is not known to be safe"] is Confidence.MEDIUM
