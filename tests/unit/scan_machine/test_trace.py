"""The disassembly of pickles: every opcode, findings at theirs, bounded, escaped, also inside containers."""

from __future__ import annotations

import pickle
import pickletools
import random

import model_files
import pytest
from commandline import modelsign

from modelsign import limits
from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file
from modelsign.scan.trace import tracing

SAMPLES = [
    {"a": [1, 2.5, -7, 300, 70000, 2**80], "b": ("x" * 300, b"y" * 300, None, True), 3: {4, 5}},
    [float("inf"), "two\nlines", "é", bytearray(b"z"), frozenset({1})],
    ["same"] * 3,
]


def traced(data, name="x.pkl"):
    with tracing() as trace:
        scan = scan_file(BytesReading(data), name)
    assert scan == scan_file(BytesReading(data), name)
    return trace.found


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("value", SAMPLES)
def test_the_opcodes_and_their_places_are_those_of_pickletools(value, protocol):
    data = pickle.dumps(value, protocol)
    (trace,) = traced(data)
    wanted = [(place, opcode.name) for opcode, _, place in pickletools.genops(data)]
    assert [(line.offset, line.opcode) for line in trace.lines] == wanted
    assert (trace.opcodes, trace.omitted, trace.note) == (len(wanted), 0, "")


def test_a_finding_stands_at_its_opcode():
    (trace,) = traced(model_files.EVIL)
    (marked,) = (line for line in trace.lines if line.findings)
    assert marked.opcode == "REDUCE"
    assert marked.findings[0].startswith("pickle-execute: calls ")
    assert trace.elsewhere == ()


def test_a_pickle_inside_a_container_is_named_by_its_member():
    data = model_files.pytorch(model_files.EVIL)
    found = traced(data, "m.pt")
    assert ("m.pt", "archive/data.pkl") in {(trace.path, trace.member) for trace in found}
    assert any(line.findings for trace in found for line in trace.lines)


def test_of_a_long_pickle_the_beginning_and_what_surrounds_a_finding_is_shown():
    data = b"(" + b"K\x01" * 5000 + model_files.EVIL.removesuffix(b".") + b"K\x02" * 5000 + b"l."
    (trace,) = traced(data)
    assert len(trace.lines) < 300
    (marked,) = (line for line in trace.lines if line.findings)
    shown = sum(line.omitted + 1 for line in trace.lines) + trace.omitted
    assert shown == trace.opcodes > 10_000
    assert any(line.omitted > 4000 for line in trace.lines)
    assert marked.offset > 10_000


@pytest.mark.parametrize("bound", ["TRACE_OPCODES", "TRACE_LINES"])
def test_a_disassembly_is_bounded(monkeypatch, bound):
    monkeypatch.setattr(limits, bound, 50)
    (trace,) = traced(b"(" + b"K\x01" * 5000 + b"l.")
    assert len(trace.lines) == 50
    assert "more than 50" in trace.note


def test_broken_bytes_end_it_where_they_break():
    (trace,) = traced(b"cos\nsystem\n(\xff.")
    assert [line.opcode for line in trace.lines] == ["GLOBAL", "MARK", "(0xff)"]
    assert trace.note == "here stands no opcode"


def test_it_is_total():
    source = random.Random(7)
    for _ in range(300):
        data = bytearray(model_files.EVIL * 2)
        for _ in range(3):
            data[source.randrange(len(data))] = source.randrange(256)
        for trace in traced(bytes(data)):
            assert len(trace.lines) <= limits.TRACE_LINES


def test_the_command_shows_it_as_text_and_as_json(tmp_path):
    path = tmp_path / "evil.pkl"
    path.write_bytes(b"cposix\nsystem\n(S'\\x1b[31m\x1b'\ntR.")
    done = modelsign("scan", "--trace", path)
    assert done.exit_code == 1
    assert "\x1b" not in done.stdout
    lines = done.stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if "^^^" in line)
    assert lines[at - 1].split()[1] == "REDUCE"
    (trace,) = modelsign("scan", "--trace", path, "--format", "json").document["traces"]
    assert [line["opcode"] for line in trace["lines"]] == ["GLOBAL", "MARK", "STRING", "TUPLE", "REDUCE", "STOP"]
    assert modelsign("scan", path, "--format", "json").document["traces"] == []
