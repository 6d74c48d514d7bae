"""What differential fuzzing found: programs of which an unpickler of CPython once did more than the machine saw."""

from __future__ import annotations

import struct

import pytest
from picklebytes import PROTO2, PROTO4, frame, reduce_stack, short, stack_name
from pickledifferences import compare
from unpickleoracle import Oracle

from modelsign.artifact.reading import BytesReading
from modelsign.scan.pickles import scan_pickle
from modelsign.verdict import Outcome, worst

PAYLOAD = b"cos\nsystem\n(S'true'\ntR"
SWALLOW = b"U\x40"
"""SHORT_BINSTRING that takes the next 64 bytes: what a reader swallows that starts here."""


@pytest.fixture(scope="module")
def oracle():
    process = Oracle()
    yield process
    process.close()


def names(data: bytes) -> frozenset[str]:
    return scan_pickle(BytesReading(data)).globals


def rules(data: bytes) -> set[str]:
    return {finding.rule for finding in scan_pickle(BytesReading(data)).findings}


def outcome(data: bytes) -> Outcome:
    return worst(finding.outcome for finding in scan_pickle(BytesReading(data)).findings)


def imported(oracle: Oracle, data: bytes, reading: str) -> list[str]:
    """Return what one of CPython's unpicklers imports, having checked that the machine sees what each of them does."""
    answers = oracle.ask(data)
    compare(data, answers)
    return [f"{event[1]}.{event[2]}" for event in answers[reading][0] if event[0] == "import"]


def test_a_second_pickle_that_needs_the_memo_of_the_first_is_followed(oracle):
    data = PROTO4 + short("os") + b"\x94." + PROTO4 + b"h\x00" + short("system") + b"\x93)R."
    assert imported(oracle, data, "whole") == []
    assert imported(oracle, data, "whole again") == ["os.system"]
    assert "os.system" in names(data)
    assert outcome(data) is Outcome.UNSAFE


def test_what_stands_behind_the_frame_of_a_pickle_that_stops_within_it_is_the_next_pickle(oracle):
    hidden = b"U\x40"
    data = PROTO4 + frame(b"N." + hidden) + PAYLOAD + b"." + bytes(64) + b"."
    assert imported(oracle, data, "whole") == []
    assert imported(oracle, data, "file") == ["os.system"]
    assert imported(oracle, data, "python") == ["os.system"]
    assert outcome(data) is Outcome.UNSAFE


def crossing(behind: bytes) -> bytes:
    """A string that crosses its frame's end: read straight on it is ``abc``; else ``cN.`` are read behind the frame."""
    return frame(b"X" + struct.pack("<I", 3) + b"ab") + b"c" + behind


def test_frames_may_be_dropped_or_not_each_by_itself(oracle):
    kept = frame(b"X" + struct.pack("<I", 2) + b"a") + b"b0"  # dropped, this ends the pickle: there is no such opcode
    lost = crossing(b"N.0" + PAYLOAD + b".")
    data = PROTO4 + kept + b"N" * 20 + lost
    assert imported(oracle, data, "whole") == []
    assert imported(oracle, data, "buffered") in (["os.system"], [])
    assert "os.system" in names(data)
    assert outcome(data) is Outcome.UNSAFE


def test_more_ways_to_read_frames_than_are_followed_are_incomplete():
    data = PROTO4 + (frame(b"N" + b"X" + struct.pack("<I", 2) + b"a") + b"N0") * 6 + b"."
    assert "pickle-budget" in rules(data)
    assert outcome(data) is Outcome.INCOMPLETE


def test_frames_that_only_a_reader_with_the_first_memo_comes_to_are_followed(oracle):
    data = PROTO4 + b"N\x94." + PROTO4 + b"h\x000" + crossing(b"N.0" + PAYLOAD + b".")
    assert "os.system" in names(data)
    assert "pickle-frame-crossed" in rules(data)
    assert imported(oracle, data, "whole") == []


def test_a_frame_that_the_last_opcode_crosses_is_dropped_too(oracle):
    data = b"(" + frame(b"cs") + b"os\nsystem\n"
    assert imported(oracle, data, "whole") == ["sos.system"]
    assert imported(oracle, data, "file") in (["os.system"], [])
    assert names(data) == {"sos.system", "os.system"}
    assert outcome(data) is Outcome.UNSAFE


def test_a_frame_in_which_reading_straight_on_breaks_off_is_dropped_too(oracle):
    data = frame(b"F1.5x") + PAYLOAD + b"."
    hidden = frame(b"I1x") + b"2\n0" + PAYLOAD + b"."
    assert imported(oracle, data, "whole") == []
    assert imported(oracle, hidden, "whole") == []
    assert imported(oracle, hidden, "file") in (["os.system"], [])
    assert "os.system" in names(hidden)


def test_inst_without_a_mark_imports_in_pure_python(oracle):
    data = b"ios\nsystem\n."
    assert imported(oracle, data, "python") == ["os.system"]
    assert imported(oracle, data, "whole") == []
    assert names(data) == {"os.system"}
    assert outcome(data) is Outcome.UNSAFE


@pytest.mark.parametrize("opcode", [b"c", b"(i"])
def test_a_name_whose_line_does_not_end_is_imported_in_pure_python(oracle, opcode):
    data = opcode + b"os\nsystem!"
    assert imported(oracle, data, "python") == ["os.system"]
    assert names(data) == {"os.system"}
    assert outcome(data) is Outcome.UNSAFE


def test_inst_whose_line_does_not_end_calls_in_pure_python(oracle):
    data = b"(Vtrue\nios\nsystem!"
    compare(data, oracle.ask(data))
    assert oracle.ask(data)["python"][0][-1] == ["call", ["g", "os", "system"], ["t", [["s", "true", 4]], 1]]
    assert "calls os.system('true')" in {finding.message for finding in scan_pickle(BytesReading(data)).findings}


def test_a_persistent_id_whose_line_does_not_end_is_asked_for_in_pure_python(oracle):
    data = b"Pname!"
    compare(data, oracle.ask(data))
    assert oracle.ask(data)["python"][0] == [["persistent", ["s", "name", 4]]]
    assert {"pickle-persistent-id", "pickle-broken"} <= rules(data)


@pytest.mark.parametrize("data", [b"cwebbrowser\n\n.", b"(iwebbrowser\n\n.", b"cwebbrowser\n", b"cwebbrowser!"])
def test_a_module_without_a_name_is_imported_in_pure_python(oracle, data):
    assert imported(oracle, data, "python") == ["webbrowser."]
    assert names(data) == {"webbrowser."}
    assert outcome(data) is Outcome.UNSAFE


@pytest.mark.parametrize("line", [b"\0", b"\0junk", b"\0\0\0f2"])
def test_a_number_that_begins_with_nul_is_zero_in_c(oracle, line):
    data = b"I" + line + b"\n" + PAYLOAD + b"."
    assert imported(oracle, data, "whole") == ["os.system"]
    assert outcome(data) is Outcome.UNSAFE


def test_a_memo_index_of_any_length_is_kept_in_pure_python(oracle):
    long, other = b"7" * 41, b"8" * 41
    data = b"Vos\np" + long + b"\n0Vmath\np" + other + b"\n0g" + long + b"\nVsystem\n\x93)R."
    assert imported(oracle, data, "python") == ["os.system"]
    assert names(data) == {"os.system"}


def test_bytes_that_can_be_changed_are_not_taken_for_the_stream_they_were():
    inner = reduce_stack("os", "system")
    literal = b"\x96" + struct.pack("<Q", 1) + b"X"
    grown = literal + b"(" + b"".join(b"K" + bytes([byte]) for byte in inner) + b"e"
    data = PROTO4 + stack_name("torch.storage", "_load_from_bytes") + grown + b"\x85R."
    assert "pickle-nested-unread" in rules(data)
    assert outcome(data) is Outcome.UNSAFE


@pytest.mark.parametrize("tail", [b"i", b"c", b"P", b"ios", b"cos\n", b"cos\nx", b"P\xff", b"i\n", b"c\n\n", b"(i\nx!"])
@pytest.mark.parametrize("head", [b"", PROTO2 + b"N", b"("])
def test_every_ending_in_the_middle_of_a_line_is_incomplete_at_least(oracle, head, tail):
    data = head + tail
    compare(data, oracle.ask(data))
    assert outcome(data) in {Outcome.INCOMPLETE, Outcome.UNSAFE}
