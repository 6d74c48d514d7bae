"""Pickles by which the machine once saw something else than an unpickler, or looked away: each stays found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from picklebytes import PROTO4, short, stack_name

from modelsign import limits
from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file
from modelsign.scan.machine.frames import Segments
from modelsign.scan.pickles import scan_pickle
from modelsign.verdict import Outcome

if TYPE_CHECKING:
    from modelsign.verdict import FileScan

PAYLOAD = b"cos\nsystem\n(S'true'\ntR."


def scan(data: bytes, name: str = "model.pkl") -> FileScan:
    return scan_file(BytesReading(data), name)


def rules(result: FileScan) -> set[str]:
    return {finding.rule for finding in result.findings}


def mapping(**items: bytes) -> bytes:
    return b"}(" + b"".join(short(key) + value for key, value in items.items()) + b"u"


@pytest.mark.parametrize("padding", [b" " * 8191, b"0" * 5000, b"\t\n"[:1] * 20_000, b" " * 100_000 + b"+00"])
def test_a_memo_index_behind_padding_is_read_whole(padding: bytes) -> None:
    names = b"Vos\np12345\n0Vsystem\np12346\n0Vmath\np1\n0Vsqrt\np2\n0"
    data = PROTO4 + names + b"g" + padding + b"12345\ng12346\n\x93(S'true'\ntR."
    result = scan(data)
    assert result.outcome is Outcome.UNSAFE
    assert "os.system" in result.globals


@pytest.mark.parametrize("name", ["README.md", "vocab.txt", "model.pkl"])
@pytest.mark.parametrize(
    "opening", [b"Np" + b" " * 9000 + b"0\n", b"F" + b"0" * 8190 + b"e5\n", b"F1.5\0\n", b"I" + b"1" * 5000 + b"\n"]
)
def test_what_cpython_reads_is_not_taken_for_broken(opening: bytes, name: str) -> None:
    assert scan(opening + PAYLOAD, name).outcome is Outcome.UNSAFE


@pytest.mark.parametrize("name", ["README.md", "vocab.txt", "model.bin"])
def test_a_budget_that_runs_out_is_never_clean(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PICKLE_STACK", 1000)
    result = scan(b"N" * 3_000_000 + PAYLOAD, name)
    assert result.outcome is Outcome.INCOMPLETE
    assert "pickle-budget" in rules(result)


def test_a_line_beyond_every_measure_ends_the_walk_without_a_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PICKLE_LINE", 100)
    assert scan(b"Ng" + b" " * 101 + b"0\n" + PAYLOAD, "README.md").outcome is Outcome.INCOMPLETE


def test_a_wrapper_whose_state_was_begun_before_it_is_not_followed() -> None:
    array = stack_name("numpy", "dtype") + short("u1") + b"\x89\x88\x87R"
    rest = short("subclass") + stack_name("numpy", "ndarray") + short("shape") + b"K\x10\x85"
    rest += short("order") + short("C") + short("dtype") + array + short("allow_mmap") + b"\x88"
    wrapper = stack_name("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81"
    head = PROTO4 + mapping(numpy_array_alignment_bytes=b"K\x10") + b"q\x00" + wrapper + b"h\x00(" + rest + b"ub"
    data = head + b"\x03" + b"." * 15 + b"0C" + bytes([1 + len(PAYLOAD)]) + b"\0" + PAYLOAD + b"."
    assert scan(data, "model.joblib").outcome is not Outcome.CLEAN


def test_a_second_state_is_handed_to_whatever_the_first_put_there() -> None:
    partial = stack_name("functools", "partial") + stack_name("types", "SimpleNamespace") + b"\x85R"
    first = mapping(__setstate__=partial)
    data = PROTO4 + stack_name("collections", "OrderedDict") + b")R" + first + b"b}b."
    result = scan(data)
    assert result.outcome is Outcome.UNSAFE
    assert "pickle-state-again" in rules(result)
    remembered = PROTO4 + stack_name("collections", "OrderedDict") + b")Rq\x07" + first + b"b0h\x07}b."
    assert "pickle-state-again" in rules(scan(remembered))


def test_items_after_the_state_are_handed_to_what_the_state_put_there() -> None:
    data = PROTO4 + stack_name("collections", "OrderedDict") + b")R" + mapping(a=b"N") + b"b" + short("k") + b"Ns."
    assert "pickle-state-again" in rules(scan(data))
    before = PROTO4 + stack_name("collections", "OrderedDict") + b")R" + short("k") + b"Ns" + mapping(a=b"N") + b"b."
    assert "pickle-state-again" not in rules(scan(before))


def test_a_partial_of_an_object_is_not_clean() -> None:
    inner = stack_name("collections", "OrderedDict") + b")R"
    state = b"(" + inner + b")}Nt"
    data = PROTO4 + stack_name("functools", "partial") + stack_name("numpy", "add") + b"\x85R" + state + b"b."
    assert scan(data).outcome is not Outcome.CLEAN


@pytest.mark.parametrize("name", ["README.md", "model.pkl"])
def test_a_pickle_that_asks_its_loader_for_an_object_is_not_clean(name: str) -> None:
    assert scan(b"Pabc\n0cmymod\nevil\n(tR.", name).outcome is not Outcome.CLEAN
    assert scan(b"Pabc\n.", name).outcome is not Outcome.CLEAN


def test_a_class_of_an_older_torch_stream_is_judged_as_its_name() -> None:
    identifier = b"(" + short("module") + b"cacme\nNet\n" + short("net.py") + short("class Net: pass") + b"t"
    inspection = scan_pickle(BytesReading(PROTO4 + identifier + b"Q)\x81}b."), persistent="torch")
    assert inspection.globals == {"acme.Net"}
    assert {finding.outcome for finding in inspection.findings} == {Outcome.UNVERIFIED}


def test_tuples_that_share_their_parts_are_looked_at_once() -> None:
    """Each level doubled the work: at 200 levels the scan would never end."""
    data = PROTO4 + stack_name("builtins", "ValueError") + short("a") + b"2\x86" * 200 + b"\x85R."
    assert scan(data).outcome is Outcome.UNVERIFIED


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40))), st.binary(max_size=20))
def test_a_reading_of_parts_has_as_many_bytes_as_it_says(parts: list[tuple[int, int]], data: bytes) -> None:
    segments = Segments(BytesReading(data), parts)
    assert len(segments.read_at(0, 10_000)) == segments.size


def test_old_joblib_reads_on_where_the_padding_was() -> None:
    size, padding = 40, 16
    state = mapping(
        subclass=stack_name("numpy", "ndarray"),
        shape=b"K" + bytes([size]) + b"\x85",
        order=short("C"),
        dtype=stack_name("numpy", "dtype") + short("u1") + b"\x89\x88\x87R",
        allow_mmap=b"\x88",
        numpy_array_alignment_bytes=b"K\x10",
    )
    head = PROTO4 + stack_name("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81" + state + b"b"

    def numbers(end: bytes) -> bytes:
        return bytes([padding]) + b"\xff" * padding + b"\0" * (size - padding - 1) + end.ljust(padding + 1, b"\0")

    assert scan(head + numbers(b"") + b".", "model.joblib").outcome is Outcome.CLEAN
    result = scan(head + numbers(b"cos\nabort\n)R.") + b".", "model.joblib")
    assert result.outcome is Outcome.UNSAFE
