"""Whatever CPython's own unpickler would import, the machine has seen too: on generated programs, with inert stubs."""

from __future__ import annotations

import os
import struct

import picklebytes as p
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from unpickleoracle import READINGS, Oracle

from modelsign.artifact.reading import BytesReading
from modelsign.errors import ModelsignError
from modelsign.scan import knowledge
from modelsign.scan.pickles import scan_pickle
from modelsign.verdict import Outcome, worst

EXAMPLES = 20_000 if os.environ.get("HYPOTHESIS_PROFILE") == "fuzz" else 400
NAMES = st.sampled_from(["os", "system", "a.b", "collections", "OrderedDict", "__builtin__", "eval", "x", "ä"])
COUNT = st.integers(0, 6)


def one(*codes: bytes) -> st.SearchStrategy[bytes]:
    return st.sampled_from(codes)


TEXTS = st.one_of(
    NAMES.map(p.short),
    NAMES.map(lambda text: b"X" + struct.pack("<I", len(text.encode())) + text.encode()),
    NAMES.map(lambda text: b"V" + text.encode("raw-unicode-escape") + b"\n"),
    NAMES.map(lambda text: b"\x8d" + struct.pack("<Q", len(text.encode())) + text.encode()),
    NAMES.map(lambda text: b"S'" + text.encode("unicode-escape") + b"'\n"),
    NAMES.map(lambda text: b"U" + bytes([len(text.encode())]) + text.encode()),
)
NUMBERS = st.one_of(
    one(b"N", b"\x88", b"\x89", b"I00\n", b"I01\n", b"I010\n", b"I0x10\n", b"I5\0\n", b"L7L\n", b"L0x7L\n", b"F1.5\n"),
    st.integers(0, 255).map(lambda number: b"K" + bytes([number])),
    st.binary(min_size=2, max_size=2).map(lambda data: b"M" + data),
    st.binary(min_size=4, max_size=4).map(lambda data: b"J" + data),
    st.binary(min_size=8, max_size=8).map(lambda data: b"G" + data),
    st.binary(max_size=9).map(lambda data: b"\x8a" + bytes([len(data)]) + data),
    st.binary(max_size=9).map(lambda data: b"C" + bytes([len(data)]) + data),
    st.binary(max_size=9).map(p.binary),
)
STRUCTURE = one(
    b"(", b")", b"}", b"]", b"\x8f", b"t", b"\x85", b"\x86", b"\x87", b"l", b"d", b"\x91", b"a", b"e", b"s", b"u",
    b"\x90", b"0", b"1", b"2",
)  # fmt: skip
MEMO = st.one_of(
    one(b"\x94"),
    COUNT.map(lambda index: b"q" + bytes([index])),
    COUNT.map(lambda index: b"r" + struct.pack("<I", index)),
    COUNT.map(lambda index: b"p%d\n" % index),
    COUNT.map(lambda index: b"h" + bytes([index])),
    COUNT.map(lambda index: b"j" + struct.pack("<I", index)),
    COUNT.map(lambda index: b"g%d\n" % index),
    one(b"g 1\n", b"g1\0junk\n", b"g1_0\n", b"p-1\n", b"p+2\n"),
)
CODE = st.one_of(
    st.tuples(NAMES, NAMES).map(lambda pair: p.name(*pair)),
    st.tuples(NAMES, NAMES).map(lambda pair: p.stack_name(*pair)),
    st.tuples(NAMES, NAMES).map(lambda pair: b"(i" + f"{pair[0]}\n{pair[1]}\n".encode()),
    one(b"\x93", b"R", b"o", b"\x81", b"\x92", b"b", b"P1\n", b"Q", b"\x98"),
)
PROTOCOL = st.integers(0, 6).map(lambda number: b"\x80" + bytes([number]))
OPCODE = st.one_of(TEXTS, NUMBERS, STRUCTURE, MEMO, CODE, PROTOCOL)
BODY = st.lists(OPCODE, max_size=40).map(b"".join)
FRAMES = st.tuples(BODY, st.integers(-3, 12), BODY).map(
    lambda parts: p.frame(parts[0], max(0, len(parts[0]) + parts[1])) + parts[2]
)
PROGRAMS = st.lists(st.one_of(BODY, FRAMES), min_size=1, max_size=3).map(b"".join).map(lambda body: body + b".")


@pytest.fixture(scope="module")
def oracle():
    process = Oracle()
    yield process
    process.close()


def seen_by_us(data: bytes) -> frozenset[str]:
    return scan_pickle(BytesReading(data)).globals


def names(answers: dict[str, list], reading: str) -> list[tuple[str, str]]:
    return [(event[1], event[2]) for event in answers[reading][0] if event[0] == "import"]


def missed(oracle: Oracle, data: bytes) -> set[str]:
    answers = oracle.ask(data)
    if answers is None:
        return set()
    ours = seen_by_us(data)
    wanted = {pair for reading in answers for pair in names(answers, reading)}
    return {
        ".".join(pair)
        for pair in wanted
        if ".".join(pair) not in ours and ".".join(knowledge.mapped(*pair)) not in ours
    }


@settings(max_examples=EXAMPLES, deadline=None)
@example(b"\x80\x04" + p.stack_name("os", "system") + b")R.")
@example(p.behind_frame(p.stack_name("os", "system") + b")R."))
@given(PROGRAMS)
def test_every_name_cpython_imports_was_seen(oracle, data):
    assert missed(oracle, data) == set()


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_an_inspection_or_a_named_error(data):
    try:
        inspection = scan_pickle(BytesReading(data))
    except ModelsignError:
        return
    assert inspection.readable or inspection.findings


@settings(max_examples=300, deadline=None)
@given(PROGRAMS, st.data())
def test_a_cut_program_is_never_clean(data, draw):
    cut = draw.draw(st.integers(0, len(data) - 1))
    try:
        stop = data.index(b".") < cut
    except ValueError:
        stop = False
    if not stop:
        findings = scan_pickle(BytesReading(data[:cut])).findings
        assert worst(finding.outcome for finding in findings) is not Outcome.CLEAN


@settings(max_examples=200, deadline=None)
@given(BODY, st.sampled_from(p.GADGETS))
def test_what_stands_behind_a_gadget_never_makes_it_harmless(tail, gadget):
    data = p.reduce_stack(*gadget)[:-1] + tail + b"."
    assert worst(finding.outcome for finding in scan_pickle(BytesReading(data)).findings) is Outcome.UNSAFE


def test_the_oracle_is_not_blind(oracle):
    for route in (p.reduce_global, p.reduce_stack, p.stack_by_memo, p.memo_by_count, p.inst, p.obj, p.newobj):
        answers = oracle.ask(route("os", "system"))
        for reading in READINGS:
            assert ("os", "system") in names(answers, reading), (route, reading)


def test_a_reader_that_drops_the_rest_of_a_frame_is_followed_too(oracle):
    data = p.behind_frame(p.stack_name("os", "system") + b")R.")
    answers = oracle.ask(data)
    assert names(answers, "whole") == []
    assert "os.system" in seen_by_us(data)
    assert names(answers, "file") in ([("os", "system")], []), "later CPython refuses the frame"
