"""Arrays that joblib writes between opcodes are measured, not parsed; what stands behind them is not missed."""

from __future__ import annotations

import picklebytes as p
import pytest

from modelsign.artifact.reading import BytesReading
from modelsign.scan.machine import walk
from modelsign.scan.pickles import scan_pickle, scan_torch_stream

PAYLOAD = p.stack_name("os", "system") + p.ARGUMENT + b"R"
F8_STATE = b"(K\x03" + p.short("<") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00t"


def dtype(text: str, state: bytes = F8_STATE) -> bytes:
    return p.stack_name("numpy", "dtype") + p.short(text) + b"\x89\x88\x87R" + state + b"b"


def wrapper(
    *, count: bytes = b"K\x02\x85", kind: bytes | None = None, subclass: bytes | None = None, extra: bytes = b"",
    padding: bytes = p.short("numpy_array_alignment_bytes") + b"K\x10",
) -> bytes:  # fmt: skip
    return (
        p.stack_name("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81}("
        + p.short("subclass") + (subclass or p.stack_name("numpy", "ndarray"))
        + p.short("shape") + count + p.short("order") + p.short("C")
        + p.short("dtype") + (kind or dtype("f8")) + p.short("allow_mmap") + b"\x88" + padding + extra + b"ub"
    )  # fmt: skip


def rules(data: bytes) -> set[str]:
    return {finding.rule for finding in scan_pickle(BytesReading(data)).findings}


def test_an_array_is_stepped_over_whatever_its_numbers_look_like():
    numbers = (PAYLOAD + b".").ljust(80, b"\0")
    data = p.PROTO4 + wrapper(count=b"K\x0a\x85") + b"\x02\xff\xff" + numbers + b"."
    assert rules(data) == set()


def test_a_payload_behind_an_array_is_found():
    data = p.PROTO4 + wrapper() + b"\x00" + bytes(16) + b"0" + PAYLOAD + b"."
    assert rules(data) == {"pickle-execute"}


def test_old_arrays_without_padding_are_read_as_opcodes_too_because_pickle_would():
    numbers = (b"0" + PAYLOAD + b".").ljust(80, b"\0")
    data = p.PROTO4 + wrapper(count=b"K\x0a\x85", padding=b"") + numbers + b"."
    assert rules(data) == {"pickle-execute"}
    plain = p.PROTO4 + wrapper(count=b"K\x0a\x85", padding=b"") + bytes(80) + b"."
    assert rules(plain) == set()
    none = p.PROTO4 + wrapper(count=b"K\x0a\x85", padding=p.short("numpy_array_alignment_bytes") + b"N")
    assert rules(none + bytes(80) + b".") == set()


def test_an_array_of_objects_is_a_pickle_in_the_same_stream():
    objects = b"(K\x03" + p.short("|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x3ft"
    head = p.PROTO4 + wrapper(kind=dtype("O8", objects))
    assert rules(head + p.PROTO4 + b"].0N.") == set()
    assert rules(head + p.PROTO4 + PAYLOAD + b".0N.") == {"pickle-execute"}
    assert rules(head + p.PROTO4 + b"].0" + PAYLOAD + b".") == {"pickle-execute"}
    assert rules(head + b"\xff") == {"pickle-broken"}


@pytest.mark.parametrize(
    "broken",
    [
        wrapper(count=b"K\x02"),
        wrapper(count=p.short("x") + b"\x85"),
        wrapper(count=b"J\xff\xff\xff\xff\x85"),
        wrapper(count=b"J\xff\xff\xff\x7f\x85"),
        wrapper(kind=b"N"),
        wrapper(kind=dtype("f")),
        wrapper(kind=dtype("i99x")),
        wrapper(kind=dtype("f8", b"(K\x03" + p.short("<") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x3ft")),
        wrapper(kind=dtype("V8", b"(K\x03" + p.short("|") + b"NNNK\x64K\x01K\x00t")),
        wrapper(kind=dtype("f8", b"N")),
        wrapper(subclass=p.stack_name("mine", "Array")),
        wrapper(padding=p.short("numpy_array_alignment_bytes") + p.short("16")),
        wrapper(padding=p.short("numpy_array_alignment_bytes") + b"]"),
        wrapper(extra=p.short("shape") + b"K\x01\x85"),
        wrapper(extra=b"K\x01K\x01"),
        p.stack_name("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81}b",
        p.stack_name("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81Nb",
    ],
)
def test_a_wrapper_whose_array_cannot_be_measured_is_never_clean(broken):
    assert "pickle-unreviewed-use" in rules(p.PROTO4 + broken + b"\x00" + bytes(16) + b".")


def test_padding_that_is_an_opcode_is_never_taken_for_padding():
    assert "pickle-unreviewed-use" in rules(p.PROTO4 + wrapper() + b"N" + bytes(100) + b".")


def test_state_is_followed_through_the_memo_and_several_batches():
    data = (
        p.PROTO4 + p.stack_name("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81}\x94"
        + b"(" + p.short("subclass") + p.stack_name("numpy", "ndarray") + p.short("order") + p.short("C") + b"u"
        + b"h\x00" + p.short("shape") + b"K\x02\x85s0"
        + b"(" + p.short("dtype") + dtype("f8") + b"u" + p.short("numpy_array_alignment_bytes") + b"K\x10s"
        + b"b\x00" + bytes(16) + b"."
    )  # fmt: skip
    assert rules(data) == set()


def test_a_wrapper_that_waits_for_ever_runs_out_of_budget(monkeypatch):
    monkeypatch.setattr(walk, "_REMEMBERED", 100)
    data = p.PROTO4 + p.stack_name("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81]" + b"(K\x01K\x01e" * 99 + b"."
    assert "pickle-budget" in rules(data)
    made = p.PROTO4 + p.stack_name("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81(K\x01l."
    assert "pickle-budget" not in rules(made)


def test_a_frame_around_an_array_is_a_finding():
    body = wrapper()
    assert "pickle-frame-crossed" in rules(p.PROTO4 + p.frame(body + b"\x00") + bytes(16) + b".")
    assert rules(p.PROTO4 + p.frame(body) + b"\x00" + bytes(16) + p.frame(b".")) == set()


def test_wrappers_that_open_files_by_name_are_unsafe():
    for name in ("NDArrayWrapper", "ZNDArrayWrapper"):
        assert rules(p.PROTO4 + p.stack_name("joblib.numpy_pickle", name) + b")\x81}b.") == {"pickle-read"}


def test_the_pickle_of_an_object_array_is_read_as_a_plain_unpickler_would_too():
    objects = b"(K\x03" + p.short("|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x3ft"
    outer = p.PROTO4 + p.short("os") + b"\x94" + p.short("system") + b"\x9400" + wrapper(kind=dtype("O8", objects))
    inner = p.short("collections") + b"\x94" + p.short("OrderedDict") + b"\x9400" + b"h\x00h\x01\x93)R."
    assert rules(outer + inner + b"0N.") == {"pickle-execute"}


def test_numbers_that_happen_to_be_calls_are_no_finding_in_old_arrays():
    data = p.PROTO4 + wrapper(count=b"K\x0a\x85", padding=b"") + b"R" * 80 + b"."
    assert rules(data) == set()


def test_names_computed_in_old_arrays_are_a_finding():
    made = p.stack_name("builtins", "str") + p.short("os") + b"\x85R" + p.short("system") + b"\x93)R."
    data = p.PROTO4 + wrapper(count=b"K\x0a\x85", padding=b"") + made.ljust(80, b"\0") + b"."
    assert rules(data) == {"pickle-underivable"}


def test_pytorch_never_reads_joblib_arrays():
    numbers = (b"0" + PAYLOAD + b".").ljust(80, b"\0")
    data = p.PROTO4 + wrapper(count=b"K\x0a\x85", padding=b"") + numbers + b"."
    assert "pickle-execute" in {
        finding.rule for finding in scan_pickle(BytesReading(data), persistent="torch").findings
    }
    magic = p.PROTO2 + b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
    stream = magic + b"N.}." + data[: -len(numbers) - 1] + b"0" + PAYLOAD + b"." + b"]."
    assert "pickle-execute" in {finding.rule for finding in scan_torch_stream(BytesReading(stream)).findings}
