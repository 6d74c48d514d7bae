"""Pickles: depth, the memo, frames, names, counts, and whatever an opcode can be repeated for."""

from __future__ import annotations

import picklebytes as p

from bombs.bomb import Bomb, filled, numbered, u32, u64

HEAD = p.PROTO4
INSTANCE = p.stack_name("collections", "OrderedDict") + b")R"
TENSOR = p.stack_name("torch._utils", "_rebuild_tensor_v2")


def _framed(size: int) -> bytes:
    """One frame for every opcode."""
    return HEAD + p.frame(b"N0") * (size // 11) + b"N."


def _frames_in_frames(size: int) -> bytes:
    """Frames that open inside of each other."""
    return HEAD + b"".join(p.frame(b"", size) for _ in range(size // 9)) + b"N."


def _streams_in_strings(size: int) -> bytes:
    """A PyTorch stream inside a PyTorch stream, as bytes, at most so deep as fits."""
    inner = HEAD + b"N."
    while len(inner) < size:
        loaded = p.stack_name("torch.storage", "_load_from_bytes") + p.binary(inner) + b"\x85R"
        inner = HEAD + loaded * max(1, min(8, (size - len(inner)) // len(loaded))) + b"."
    return inner


def _memo(size: int) -> bytes:
    """A memo that is filled, and then asked for each entry."""
    count = size // 8
    puts = b"".join(b"K\x00r" + u32(number) + b"0" for number in range(count // 2))
    return HEAD + puts + b"".join(b"j" + u32(number) + b"0" for number in range(count // 2)) + b"N."


def _gaps(size: int) -> bytes:
    """A memo in which every entry is far from the one before."""
    return HEAD + b"N" + b"".join(b"r" + u32(number * 7919 + 1) for number in range(size // 5)) + b"."


def _arrow(size: int) -> bytes:
    """One buffer of Arrow's, for array after array: each is followed to its end."""
    half = size // 16 * 8
    buffer = p.stack_name("pyarrow.lib", "py_buffer") + p.binary(bytes(half)) + b"\x85R\x940"
    kind = p.stack_name("pyarrow.lib", "type_for_alias") + p.short("large_string") + b"\x85R\x940"
    restore = p.stack_name("pyarrow.lib", "_restore_array") + b"\x940"
    one = b"h\x02(h\x01J" + u32(half // 8 - 1) + b"K\x00K\x00](Nh\x00h\x00e]Nt\x85R0"
    return HEAD + buffer + kind + restore + one * (half // len(one)) + b"N."


def _doubling(size: int) -> bytes:
    """Tuples of the same tuple twice: written out it would have a length of two to the depth."""
    return HEAD + b")" + b"\x94h\x00\x86" * 3 + b"2\x86" * (size // 2) + b"."


def _names_out_of_memo(size: int) -> bytes:
    """Names put together from long strings in the memo, each with each."""
    count = max(2, int((size / 16000) ** 0.5) * 2)
    words = b"".join(p.short(f"m{number:04}" + "x" * 2000) + b"\x940" for number in range(min(count, 250)))
    pairs = [(one, two) for one in range(min(count, 250)) for two in range(min(count, 250))]
    room = max(1, (size - len(words)) // 6)
    return (
        HEAD
        + words
        + b"".join(b"h" + bytes([one]) + b"h" + bytes([two]) + b"\x930" for one, two in pairs[:room])
        + b"N."
    )


def _names_of_one_letter(size: int) -> bytes:
    return HEAD + b"(" + b"".join(p.name(f"m{number:06x}", "f") for number in range(size // 12)) + b"t."


BOMBS: tuple[Bomb, ...] = tuple(
    Bomb("pickle", name, "model.pkl", make)
    for name, make in {
        "nothing pushed and popped": filled(HEAD, b"N0", b"N."),
        "stack": filled(HEAD, b"N", b"."),
        "marks": filled(HEAD, b"(", b"."),
        "tuples in tuples": filled(HEAD + b")", b"\x85", b"."),
        "tuples in tuples, memoized": filled(HEAD + b")", b"\x85\x94", b"."),
        "doubling tuples": _doubling,
        "doubling tuples as arguments": filled(HEAD + p.name("a", "b") + b")", b"2\x86", b"\x85R."),
        "lists in lists": filled(HEAD + b"]", b"]a", b"."),
        "lists": filled(HEAD, b"](K\x01e0", b"N."),
        "dicts in dicts": filled(HEAD, b"}K\x00}s0", b"N."),
        "one long tuple again and again": lambda size: (
            HEAD + b"(" + b"N" * (size // 2) + b"t\x94" + b"h\x002\x860" * (size // 10) + b"."
        ),
        "one long tuple as arguments": lambda size: (
            HEAD + b"(" + b"N" * (size // 2) + b"t\x940" + (p.name("a", "b") + b"h\x00R0") * (size // 16) + b"N."
        ),
        "one long string as arguments": lambda size: (
            HEAD + p.short("x" * (size // 2)) + b"\x940" + (p.name("a", "b") + b"h\x00\x85R0") * (size // 18) + b"N."
        ),
        "names out of a memo": _names_out_of_memo,
        "one long string as name": lambda size: (
            HEAD + p.short("x" * (size // 2)) + b"\x940" + b"h\x00h\x00\x930" * (size // 12) + b"N."
        ),
        "memo": _memo,
        "one buffer for array after array": _arrow,
        "memo with gaps": _gaps,
        "memo of calls": filled(HEAD, INSTANCE + b"\x940", b"N."),
        "frames": _framed,
        "frames in frames": _frames_in_frames,
        "huge frame": filled(HEAD + b"\x95" + u64(1 << 62), b"N0", b"N."),
        "names": numbered(HEAD, b"cm%06d\nf\n0", b"N."),
        "names on the stack": _names_of_one_letter,
        "one unknown name": filled(HEAD, b"ca\nb\n0", b"N."),
        "calls of unknown names": numbered(HEAD, b"cm%06d\nf\n)R0", b"N."),
        "calls of one unknown name": filled(HEAD, b"ca\nb\n)R0", b"N."),
        "calls of a dangerous name": numbered(HEAD, b"cos\nsystem\n(\x8c\x06%06dtR0", b"N."),
        "calls of what calls return": filled(HEAD + b"ca\nb\n", b")R", b"."),
        "unknown arguments": numbered(HEAD, b"ccodecs\nencode\n(I%06d\ntR0", b"N."),
        "state again": filled(HEAD + INSTANCE, b"}b", b"."),
        "state of an unknown class": filled(HEAD + b"ca\nb\n)\x81", b"}b", b"."),
        "instances with state": filled(HEAD, b"ca\nb\n)\x81}(K\x01K\x02ub0", b"N."),
        "persistent ids": numbered(HEAD, b"I%06d\nQ0", b"N."),
        "extension codes": filled(HEAD, b"\x82\x010", b"N."),
        "buffers": filled(HEAD, b"\x970", b"N."),
        "streams": filled(b"", b"N."),
        "streams with protocols": filled(b"", b"\x80\x04N."),
        "streams with a memo": filled(b"", b"N\x94."),
        "a stream and an endless one": filled(b"N.", b"N0"),
        "nested streams": _streams_in_strings,
        "many nested streams": filled(
            HEAD, p.stack_name("torch.storage", "_load_from_bytes") + p.binary(HEAD + b"N.") + b"\x85R0", b"N."
        ),
        "huge count": filled(HEAD + b"\x8e" + u64(1 << 40), b"x"),
        "huge memo index": filled(HEAD + b"N", b"r\xff\xff\xff\xff", b"."),
        "huge memo indexes as text": numbered(b"N", b"p1%07d99999\n", b"."),
        "digits": filled(b"I", b"9", b"\n."),
        "many long numbers": filled(b"", b"L" + b"9" * 3000 + b"L\n0", b"N."),
        "short numbers": filled(b"", b"I1\n0", b"N."),
        "floats": filled(b"", b"F1\n0", b"N."),
        "line without an end": filled(b"c", b"a"),
        "lines of escapes": filled(b"S'", b"\\x41", b"'\n."),
        "unicode escapes": filled(b"V", b"\\u0041", b"\n."),
        "short strings": filled(b"", b"S'a'\n0", b"N."),
        "strings to join": filled(HEAD + p.short("a"), p.short("b") + b"\x86", b"."),
        "dotted name": filled(HEAD + b"\x8c\x02osX" + u32(1 << 20), b"a."),
        "INST": filled(b"", b"(ia\nb\n0", b"N."),
        "OBJ": filled(HEAD, b"(ca\nb\no0", b"N."),
        "many items for a stub": lambda size: HEAD + b"ca\nb\n)\x81(" + b"N" * size + b"e.",
        "items for stubs": filled(HEAD + b"ca\nb\n)\x81", b"(NNe", b"."),
        "joblib wrappers": filled(
            HEAD, p.stack_name("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81}(\x8c\x05shape)ub0", b"N."
        ),
        "joblib wrapper that waits": filled(
            HEAD + p.stack_name("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81", b"}(K\x01K\x02u0", b"N."
        ),
        "one dict while a wrapper waits": filled(
            HEAD + p.stack_name("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81}", b"(K\x01K\x02u", b"b."
        ),
        "dtypes": filled(HEAD, p.stack_name("numpy", "dtype") + p.short("f4") + b"\x89\x88\x87R0", b"N."),
        "tensors": filled(HEAD, TENSOR + b"(NK\x00))\x89NtR0", b"N."),
        "duplicates": filled(HEAD + b"N", b"2", b"."),
        "partials": filled(
            HEAD, p.stack_name("functools", "partial") + p.stack_name("builtins", "len") + b"\x85R0", b"N."
        ),
        "getattr": filled(
            HEAD, p.stack_name("builtins", "getattr") + p.name("a", "b") + p.short("c") + b"\x86R0", b"N."
        ),
        "getattr of getattr": lambda size: (
            HEAD
            + (p.stack_name("builtins", "getattr") * (size // 40))
            + p.name("a", "b")
            + (p.short("c") + b"\x86R") * (size // 40)
            + b"."
        ),
    }.items()
)
