"""Routes that differ in spelling, in framing, and in what stands around the call. Nothing here is ever loaded."""

from __future__ import annotations

import _compat_pickle
import pickle
from typing import TYPE_CHECKING

import picklebytes as p

from recall.parts import CALL, whole

if TYPE_CHECKING:
    from collections.abc import Callable


def python2(module: str, qualname: str) -> bytes:
    """The name as Python 2 called it, which protocols below 3 map."""
    old, name = _compat_pickle.REVERSE_NAME_MAPPING.get((module, qualname), (module, qualname))
    old = _compat_pickle.REVERSE_IMPORT_MAPPING.get(old, old)
    return p.PROTO2 + p.name(old, name) + CALL + b"."


def dotted_without_protocol(module: str, qualname: str) -> bytes:
    """A dotted name where the protocol says that there are none."""
    return p.name("functools", f"{module}.{qualname}") + CALL + b"."


def frame_too_long(module: str, qualname: str) -> bytes:
    """A frame that says it goes on behind the file."""
    return p.PROTO4 + p.frame(p.stack_name(module, qualname) + CALL + b".", 1 << 40)


def frame_in_frame(module: str, qualname: str) -> bytes:
    """A frame inside of a frame."""
    return p.PROTO4 + p.frame(p.frame(p.stack_name(module, qualname) + CALL) + b".")


def frame_cut(module: str, qualname: str) -> bytes:
    """The frame ends in the middle of the name."""
    body = p.stack_name(module, qualname)
    return p.PROTO4 + p.frame(body[:3]) + body[3:] + CALL + b"."


def frame_dropped(module: str, qualname: str) -> bytes:
    """Read straight on there is nothing; a file reader of older Pythons drops the frame's rest and finds the call."""
    return p.behind_frame(p.stack_name(module, qualname) + CALL + b".")


def late_protocol(module: str, qualname: str) -> bytes:
    """The protocol is said in the middle, twice, and lower than what is used."""
    return p.PROTO4 + b"N0\x80\x01" + p.stack_name(module, qualname) + b"\x80\x05" + CALL + b"."


def after_junk(module: str, qualname: str) -> bytes:
    """Thousands of values come first and are thrown away."""
    junk = b"K\x010" * 3000 + b"(" + b"N" * 2000 + b"1" + p.binary(bytes(70_000)) + b"0"
    return whole(junk + p.stack_name(module, qualname) + CALL)


def after_text_junk(module: str, qualname: str) -> bytes:
    """Numbers as Python alone writes them, which other parsers refuse, come first."""
    return b"I0x10\n0I010\n0L0b1L\n0F1e5\n0I5\0\n0" + p.name(module, qualname) + CALL + b"."


def many_streams(module: str, qualname: str) -> bytes:
    """Two hundred harmless pickles come first."""
    return (p.PROTO4 + b"}.") * 200 + p.reduce_stack(module, qualname)


def between_streams(module: str, qualname: str) -> bytes:
    """A harmless pickle comes before and behind."""
    return p.PROTO2 + b"]." + p.reduce_stack(module, qualname) + p.PROTO2 + b"]."


def before_garbage(module: str, qualname: str) -> bytes:
    """Bytes that are no pickle follow STOP."""
    return p.reduce_stack(module, qualname) + b"\xff\xfe\0garbage"


def before_underflow(module: str, qualname: str) -> bytes:
    """Behind the call more is taken from the stack than there is."""
    return p.PROTO4 + p.stack_name(module, qualname) + CALL + b"000000."


def before_missing_memo(module: str, qualname: str) -> bytes:
    """Behind the call the memo is asked for what it does not hold."""
    return p.PROTO4 + p.stack_name(module, qualname) + CALL + b"h\xff."


def after_joblib_array(module: str, qualname: str) -> bytes:
    """Behind the numbers that joblib writes between two opcodes."""
    items = {
        "subclass": p.stack_name("numpy", "ndarray"),
        "shape": b"K\x08\x85",
        "order": p.short("C"),
        "dtype": p.stack_name("numpy", "dtype") + p.short("u1") + b"\x89\x88\x87R",
        "allow_mmap": b"\x88",
        "numpy_array_alignment_bytes": b"K\x10",
    }
    state = b"}(" + b"".join(p.short(key) + value for key, value in items.items()) + b"ub"
    head = p.PROTO4 + p.stack_name("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81" + state
    padding = 16 - (len(head) + 1) % 16
    return head + bytes([padding]) + b"\xff" * padding + bytes(8) + b"0" + p.stack_name(module, qualname) + CALL + b"."


def after_object_array(module: str, qualname: str) -> bytes:
    """Behind an array of objects that CPython's pickler wrote."""
    return (
        p.PROTO4
        + pickle.dumps({"a": [1, (2.5, "x")], "b": {b"y"}}, 4)[2:-1]
        + b"0"
        + p.stack_name(module, qualname)
        + CALL
        + b"."
    )


def with_buffer(module: str, qualname: str) -> bytes:
    """The argument is a buffer from outside of the file."""
    return b"\x80\x05" + p.stack_name(module, qualname) + b"\x97\x98\x85R."


SURROUNDED: tuple[Callable[[str, str], bytes], ...] = (
    python2,
    dotted_without_protocol,
    frame_too_long,
    frame_in_frame,
    frame_cut,
    frame_dropped,
    late_protocol,
    after_junk,
    after_text_junk,
    many_streams,
    between_streams,
    before_garbage,
    before_underflow,
    before_missing_memo,
    after_joblib_array,
    after_object_array,
    with_buffer,
)
