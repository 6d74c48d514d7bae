"""Arrow's arrays in pickles: clean where all that is followed lies in the buffers, as the project checks itself.

The pickles are written opcode by opcode, as pyarrow 26 does, and never loaded.
"""

from __future__ import annotations

import struct

import picklebytes as p
import pytest

from modelsign.artifact.reading import BytesReading
from modelsign.scan.pickles import scan_pickle
from modelsign.verdict import Outcome

RESTORE = p.stack_name("pyarrow.lib", "_restore_array")
CHUNKS = p.stack_name("pyarrow.lib", "chunked_array")
NOTHING = b"N"


def number(value: int) -> bytes:
    data = value.to_bytes(8, "little", signed=True)
    return b"\x8a" + bytes([len(data)]) + data


def kind(name: str) -> bytes:
    return p.stack_name("pyarrow.lib", "type_for_alias") + p.short(name) + b"\x85R"


def timestamp(unit: str, zone: bytes = NOTHING) -> bytes:
    return p.stack_name("pyarrow.lib", "timestamp") + p.short(unit) + zone + b"\x86R"


def dictionary(index: str, value: str) -> bytes:
    return p.stack_name("pyarrow.lib", "dictionary") + kind(index) + kind(value) + b"\x89\x87R"


def buffer(data: bytes) -> bytes:
    return p.stack_name("pyarrow.lib", "py_buffer") + p.binary(data) + b"\x85R"


def listed(items: tuple[bytes, ...]) -> bytes:
    return b"]" + (b"(" + b"".join(items) + b"e" if items else b"")


def taken_apart(of: bytes, length: int, buffers: tuple[bytes | None, ...], **more) -> bytes:
    """Return the seven parts of an array as a tuple."""
    written = tuple(NOTHING if one is None else one if one[:1] == b"\x8c" else buffer(one) for one in buffers)
    numbers = number(length) + number(more.get("nulls", 0)) + number(more.get("offset", 0))
    rest = listed(more.get("children", ())) + more.get("dictionary", NOTHING)
    return b"(" + of + numbers + listed(written) + rest + b"t"


def array(of: bytes, length: int, buffers: tuple[bytes | None, ...], **more) -> bytes:
    return RESTORE + taken_apart(of, length, buffers, **more) + b"\x85R"


def text(*offsets: int, data: bytes = b"abc", **more) -> bytes:
    return array(
        kind("large_string"), len(offsets) - 1, (None, struct.pack(f"<{len(offsets)}q", *offsets), data), **more
    )


def found(body: bytes):
    return scan_pickle(BytesReading(p.PROTO4 + body + b".")).findings


def outcomes(body: bytes) -> set[Outcome]:
    return {one.outcome for one in found(body)}


GOOD = {
    "text": text(0, 1, 3),
    "no text": text(0, 0, data=b""),
    "text with room behind": text(0, 1, 2, data=b"abcdef"),
    "text from the middle": text(1, 3),
    "short offsets": array(kind("string"), 2, (None, struct.pack("<3i", 0, 1, 3), b"abc")),
    "bytes": array(kind("binary"), 1, (None, struct.pack("<2i", 0, 1), b"\xff")),
    "nothing": array(kind("large_string"), 0, (None, b"", b"")),
    "nothing without offsets": array(kind("large_string"), 0, (None, None, b"")),
    "a slice": array(kind("string"), 1, (b"\x02", struct.pack("<4i", 0, 1, 2, 3), b"abc"), offset=1),
    "nulls": array(kind("int64"), 3, (b"\x05", bytes(24)), nulls=1),
    "nulls nobody counted": array(kind("int64"), 3, (b"\x05", bytes(24)), nulls=-1),
    "nulls of a slice": array(kind("int8"), 3, (b"\x50\x01", bytes(9)), nulls=1, offset=6),
    "bits": array(kind("bool"), 9, (None, b"\x01\x01")),
    "numbers": array(kind("double"), 2, (None, bytes(16))),
    "numbers of no type but null": array(kind("null"), 5, (None,)),
    "times": array(timestamp("ns"), 1, (None, bytes(8))),
    "times of a zone": array(timestamp("us", p.short("Europe/Paris")), 1, (None, bytes(8))),
    "fixed": array(p.stack_name("pyarrow.lib", "binary") + b"K\x03\x85R", 2, (None, bytes(6))),
    "dictionary": array(
        dictionary("int8", "large_string"),
        3,
        (b"\x05", b"\x00\xff\x01"),
        nulls=1,
        dictionary=taken_apart(kind("large_string"), 2, (None, struct.pack("<3q", 0, 1, 2), b"ab")),
    ),
    "chunks": CHUNKS + b"](" + text(0, 1) + text(0, 2) + b"e" + kind("large_string") + b"\x86R",
    "one chunk": CHUNKS + b"]" + text(0, 1) + b"a" + kind("large_string") + b"\x86R",
    "no chunks": CHUNKS + b"]" + kind("int64") + b"\x86R",
    "bytes of protocol 2": array(
        kind("int8"),
        2,
        (
            None,
            p.stack_name("pyarrow.lib", "py_buffer")
            + p.stack_name("_codecs", "encode") + p.short("\xff\x01") + p.short("latin1") + b"\x86R\x85R",
        ),
    ),
    "no bytes of protocol 2": array(
        kind("large_string"),
        0,
        (None, b"", p.stack_name("pyarrow.lib", "py_buffer") + p.stack_name("builtins", "bytes") + b")R\x85R"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_an_array_within_its_buffers_is_clean(name):
    assert found(GOOD[name]) == ()


LIES = {
    "an offset beyond the text": text(0, 1, 4),
    "offsets that go down": text(0, 3, 1),
    "offsets that go down and up again": text(0, 100, 1, 3),
    "a negative offset": text(-1, 1, 3),
    "fewer offsets than texts": array(kind("large_string"), 3, (None, struct.pack("<3q", 0, 1, 3), b"abc")),
    "no offsets": array(kind("large_string"), 1, (None, None, b"abc")),
    "no text": array(kind("large_string"), 1, (None, struct.pack("<2q", 0, 1), None)),
    "a slice beyond its offsets": text(0, 1, offset=1),
    "numbers beyond their buffer": array(kind("int64"), 3, (None, bytes(23))),
    "a slice of numbers beyond its buffer": array(kind("int64"), 2, (None, bytes(16)), offset=1),
    "numbers without a buffer": array(kind("int64"), 1, (None, None)),
    "bits beyond their buffer": array(kind("bool"), 9, (None, b"\x01")),
    "marks of nulls that are too few": array(kind("int8"), 9, (b"\x01", bytes(9)), nulls=8),
    "no text for texts that are empty": array(kind("string"), 1, (None, bytes(8), None)),
    "more nulls than there are": array(kind("int8"), 3, (b"\x05", bytes(3)), nulls=2),
    "fewer nulls than there are": array(kind("int8"), 3, (b"\x04", bytes(3)), nulls=1),
    "nulls without marks": array(kind("int8"), 3, (None, bytes(3)), nulls=1),
    "more nulls than values": array(kind("int8"), 3, (b"\x00", bytes(3)), nulls=4),
    "a negative length": array(kind("int8"), -1, (None, bytes(3))),
    "a negative offset of a slice": array(kind("int8"), 1, (None, bytes(3)), offset=-1),
    "a length that overflows": array(kind("int64"), 1 << 61, (None, bytes(8))),
    "too few buffers": array(kind("large_string"), 0, (None, None)),
    "no buffers": array(kind("null"), 0, ()),
    "an index beyond the dictionary": array(
        dictionary("int8", "int64"), 2, (None, b"\x00\x02"), dictionary=taken_apart(kind("int64"), 2, (None, bytes(16)))
    ),
    "an index below the dictionary": array(
        dictionary("int8", "int64"), 2, (None, b"\x00\xff"), dictionary=taken_apart(kind("int64"), 2, (None, bytes(16)))
    ),
    "a wrong index that is not null": array(
        dictionary("int8", "int64"),
        2,
        (b"\x02", b"\x09\x09"),
        nulls=1,
        dictionary=taken_apart(kind("int64"), 2, (None, bytes(16))),
    ),
    "a dictionary of numbers for one of texts": array(
        dictionary("int8", "large_string"),
        1,
        (None, b"\x00"),
        dictionary=taken_apart(kind("int64"), 1, (None, bytes(8))),
    ),
    "a dictionary that is beyond its own buffer": array(
        dictionary("int8", "int64"), 1, (None, b"\x00"), dictionary=taken_apart(kind("int64"), 9, (None, bytes(8)))
    ),
}


@pytest.mark.parametrize("name", LIES)
def test_an_array_that_lies_about_memory_is_unsafe(name):
    (finding,) = found(LIES[name])
    assert (finding.rule, finding.outcome) == ("pickle-native-code", Outcome.UNSAFE)
    assert "_restore_array" in finding.message


BEGUN = RESTORE + b"(" + kind("int8") + 3 * number(0)
UNFOLLOWED = {
    "a type nobody reviewed": array(kind("string_view"), 0, (None, b"")),
    "an alias that pyarrow does not write": array(kind("INT8"), 0, (None, b"")),
    "a type that is data": array(p.short("int8"), 0, (None, b"")),
    "a zone that is an object": array(timestamp("ns", p.stack_name("datetime", "timezone")), 0, (None, b"")),
    "a buffer of an array": array(
        kind("int8"), 0, (None, p.stack_name("pyarrow.lib", "py_buffer") + p.short("text") + b"\x85R")
    ),
    "a buffer that is text": array(kind("int8"), 0, (None, p.short("text"))),
    "marks of nulls that are not counted": array(kind("int8"), 3, (b"\x04", bytes(3))),
    "nothing without text": array(kind("large_string"), 0, (None, None, None)),
    "children": array(kind("int8"), 0, (None, b""), children=(taken_apart(kind("int8"), 0, (None, b"")),)),
    "a dictionary nobody asked for": array(
        kind("int8"), 0, (None, b""), dictionary=taken_apart(kind("int8"), 0, (None, b""))
    ),
    "a text that ends in the middle of a character": text(0, 3, data=b"ab\xe2"),
    "no tuple": RESTORE + b"N\x85R",
    "too few parts": RESTORE + kind("int8") + b"K\x00\x86\x85R",
    "a list from before": b"]\x94" + buffer(b"") + b"a0" + BEGUN + b"h\x00]Nt\x85R",
    "a list that is changed by index": BEGUN + b"](NNeK\x01" + buffer(b"") + b"s]Nt\x85R",
    "a tuple for a list": BEGUN + b"NN\x86]Nt\x85R",
    "chunks that are no arrays": CHUNKS + b"](" + text(0, 1) + b"Ne" + kind("large_string") + b"\x86R",
    "chunks of another type": CHUNKS + b"](" + text(0, 1) + b"e" + kind("string") + b"\x86R",
    "chunks of an unknown type": CHUNKS + b"]N\x86R",
    "a function that is stored": p.stack_name("pyarrow.lib", "py_buffer"),
    "state for an array": text(0, 1) + b"}b",
    "items for an array": text(0, 1) + b"K\x00a",
    "a buffer that is changed": p.stack_name("builtins", "bytearray") + p.binary(b"abc") + b"\x85RK\x00K\x01s",
}  # fmt: skip


@pytest.mark.parametrize("name", UNFOLLOWED)
def test_what_nobody_can_follow_is_not_clean(name):
    assert outcomes(UNFOLLOWED[name]) <= {Outcome.UNVERIFIED, Outcome.UNSAFE}
    assert outcomes(UNFOLLOWED[name])


def test_a_list_of_buffers_that_grows_between_is_read_as_it_is_when_the_array_is_made():
    begin = RESTORE + b"(" + kind("int8") + number(2) + 2 * number(0) + b"]\x94N"
    assert found(begin + b"a" + buffer(b"ab") + b"a]Nt\x85R") == ()
    assert outcomes(begin + b"a" + buffer(b"a") + b"a]Nt\x85R") == {Outcome.UNSAFE}
    assert outcomes(begin + b"a" + buffer(b"ab") + b"ah\x00" + buffer(b"") + b"a0]Nt\x85R") == {Outcome.UNSAFE}


def test_offsets_are_followed_over_many_blocks():
    count = 200_000
    good = struct.pack(f"<{count}q", *range(count))
    last = struct.pack("<q", 1)
    many = kind("large_string")
    assert found(array(many, count - 1, (None, good, bytes(count)))) == ()
    assert outcomes(array(many, count, (None, good + last, bytes(count)))) == {Outcome.UNSAFE}
    assert outcomes(array(many, count - 1, (None, good, bytes(count - 2)))) == {Outcome.UNSAFE}
    marks = b"\xff" * (count // 8)
    assert found(array(kind("int8"), count - 9, (marks, bytes(count)), nulls=0, offset=9)) == ()
    assert outcomes(array(kind("int8"), count - 9, (marks, bytes(count)), nulls=1, offset=9)) == {Outcome.UNSAFE}


FRAME = p.stack_name("pandas.arrays", "ArrowExtensionArray")


def test_what_pandas_hands_to_arrow_is_an_array_that_was_looked_into():
    begin = FRAME + b")\x81}" + p.short("_pa_array")
    assert found(begin + text(0, 1) + b"sb") == ()
    assert outcomes(begin + text(0, 9) + b"sb") >= {Outcome.UNSAFE}
    assert outcomes(begin + p.stack_name("pandas", "DataFrame") + b")\x81}bsb") == {Outcome.UNVERIFIED}
    assert outcomes(begin + text(0, 1) + b"s" + p.short("_data") + b"Nsb") == {Outcome.UNVERIFIED}
    assert outcomes(FRAME + b")\x81Nb") == {Outcome.UNVERIFIED}
