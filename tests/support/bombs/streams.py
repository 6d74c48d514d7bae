"""Streams of small fields and headers with counts: MessagePack, UBJSON, GGUF, safetensors, R, Torch7, HDF5."""

from __future__ import annotations

import struct

import ggufbytes as g
import hdf5_files as h
import keras_files
import model_files
import r_files as r
import streamed_files as s
from older_files import Torch7

from bombs.bomb import Bomb, filled

MAP = b"\xdf\x00\x00\x00\x01\xa1a"
EXTENSION = s.packed(s.array([1], "float32", bytes(4)))
OBJECTS = s.packed({"nd": True, "kind": "O", "data": b"N."})


def _shared_pickle(size: int) -> bytes:
    """Maps of msgpack-numpy in which the pickle is long."""
    return s.packed({"x": {"nd": True, "kind": "O", "data": b"N0" * (size // 2) + b"N."}})


def _map_of_data(size: int) -> bytes:
    """One map that names its pickle again and again."""
    pairs = b"".join(s.packed("data") + s.packed(b"N.") for _ in range(size // 12))
    return (
        b"\xdf"
        + struct.pack(">I", size // 12 + 2)
        + s.packed("nd")
        + b"\xc3"
        + s.packed("kind")
        + s.packed("O")
        + pairs
    )


def _entries(size: int) -> bytes:
    return g.gguf([(f"k{number:06}", g.UINT8, 1) for number in range(size // 20)], (), data=b"")


def _texts(size: int) -> bytes:
    return g.gguf([("tokens", g.ARRAY, (g.STRING, ["a"] * (size // 9)))], (), data=b"")


def _lists(size: int) -> bytes:
    return g.gguf([("lists", g.ARRAY, (g.ARRAY, [(g.UINT8, [])] * (size // 12)))], (), data=b"")


def _deep_lists(size: int) -> bytes:
    value = (g.UINT8, [1])
    for _ in range(min(size // 12, 300)):
        value = (g.ARRAY, [value])
    return g.gguf([("deep", g.ARRAY, value)], (), data=b"")


def _tensors(size: int) -> bytes:
    return g.gguf((), [(f"t{number:06}", (1,), g.F32, 0) for number in range(size // 40)], data=b"")


def _one_key_again(size: int) -> bytes:
    return g.gguf([("k", g.UINT8, 1)] * (size // 14), (), data=b"")


def _templates(size: int) -> bytes:
    return g.gguf(
        [(f"tokenizer.chat_template.{number:05}", g.STRING, "{{ a.b }}") for number in range(size // 60)], (), data=b""
    )


def _names(size: int) -> bytes:
    header = {f"t{number:06}": {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]} for number in range(size // 60)}
    return model_files.safetensors(header)


def _shape(size: int) -> bytes:
    return model_files.safetensors({"t": {"dtype": "U8", "shape": [1] * (size // 3), "data_offsets": [0, 1]}}, b"a")


def _metadata(size: int) -> bytes:
    return model_files.safetensors({"__metadata__": {f"k{number:06}": "v" for number in range(size // 16)}})


def _large_shape(size: int) -> bytes:
    shape = [2**60] * (size // 22)
    return model_files.safetensors({"t": {"dtype": "U8", "shape": shape, "data_offsets": [0, 1]}}, b"a")


def _r_deep(size: int) -> bytes:
    value: list[object] = r.integers(1)
    head: list[object] = []
    for _ in range(size // 8):
        head += [19, 1]
    return r.write(head + value)


def _r_attributes(size: int) -> bytes:
    return r.write([13 | r.ATTRIBUTES, 1, 1, *r.pairs(*[("names", r.integers(1))] * (size // 40))])


def _h5_cycle(size: int) -> bytes:
    """Groups that all link to each other's header, by many names."""
    links = [h.hard(f"l{number:06}", 48) for number in range(size // 24)]
    return h.hdf5(*links[:2000], objects=(h.first(*(h.hard(f"m{n:06}", 48) for n in range(min(size // 24, 2000))))[1],))


def _h5_attributes(size: int) -> bytes:
    return h.hdf5(*[h.text(f"a{number:06}", b"plain.") for number in range(min(size, 60_000) // 50)])


def _h5_groups(size: int) -> bytes:
    objects, links, at = [], [], 48
    for number in range(size // 40):
        one = h.header([h.GROUP_INFO])
        objects.append(one)
        links.append(h.hard(f"{number:05}", at))
        at += len(one)
    return h.hdf5(*links, objects=tuple(objects))


def _h5_chain(size: int) -> bytes:
    """A group in a group in a group: each links to the one before."""
    objects: list[bytes] = []
    at, before = 48, None
    for _ in range(size // 48):
        one = h.header([h.GROUP_INFO, *([h.hard("a", before)] if before is not None else [])])
        objects.append(one)
        before, at = at, at + len(one)
    return h.hdf5(h.hard("a", before or 48), objects=tuple(objects))


def _h5_pickles(size: int) -> bytes:
    return h.hdf5(*[h.text(f"a{number:04}", b"N0" * 500 + b"N.") for number in range(min(size, 60_000) // 1050)])


def _h5_config(size: int) -> bytes:
    return keras_files.old(keras_files.sequential(*[keras_files.dense()] * (min(size, 60_000) // 1000)))


def _torch7_tensors(size: int) -> bytes:
    made = Torch7()
    return struct.pack("<3i", 3, 0, size) + b"".join(made.tensor() for _ in range(size // 110))


BOMBS: tuple[Bomb, ...] = (
    *(
        Bomb("msgpack", name, "a.msgpack", make)
        for name, make in {
            "lists in lists": filled(b"", b"\x91", b"\x90"),
            "maps in maps": filled(b"", b"\x81\xa1a", b"\xc0"),
            "long maps in maps": filled(b"", MAP, b"\xc0"),
            "numbers": lambda size: b"\xdd" + struct.pack(">I", size) + b"\x01" * size,
            "huge count": filled(b"\xdd\xff\xff\xff\xff", b"\x01"),
            "huge counts": filled(b"", b"\xdf\xff\xff\xff\xff\xa1a"),
            "texts": lambda size: b"\xdd" + struct.pack(">I", size // 2) + b"\xa1a" * (size // 2),
            "arrays": lambda size: (
                b"\xdd" + struct.pack(">I", size // len(EXTENSION)) + EXTENSION * (size // len(EXTENSION))
            ),
            "extensions": lambda size: b"\xdd" + struct.pack(">I", size // 3) + b"\xd4\x2aa" * (size // 3),
            "pickles": lambda size: (
                b"\xdd" + struct.pack(">I", size // len(OBJECTS)) + OBJECTS * (size // len(OBJECTS))
            ),
            "one pickle": _shared_pickle,
            "one pickle named again": _map_of_data,
            "empty maps": lambda size: b"\xdd" + struct.pack(">I", size) + b"\x80" * size,
        }.items()
    ),
    *(
        Bomb("ubjson", name, "a.ubj", make)
        for name, make in {
            "lists in lists": filled(b"{i\x01a", b"["),
            "objects in objects": filled(b"", b"{i\x01a"),
            "empty objects": filled(b"{i\x01a[", b"{}", b"]}"),
            "numbers": filled(b"{i\x01a[", b"U\x01", b"]}"),
            "nothing": filled(b"{i\x01a[", b"Z", b"]}"),
            "huge count": filled(b"{i\x01a[#L" + struct.pack(">q", 1 << 60), b"Z"),
            "huge count of nothing": filled(b"{i\x01a[$Z#L" + struct.pack(">q", 1 << 60), b"]"),
            "empty typed lists": filled(b"{i\x01a[", b"[$Z#U\xff", b"]}"),
            "keys": filled(b"{", b"i\x01aZ", b"}"),
            "long keys": filled(b"{", b"I\x0f\xff" + b"a" * 4095 + b"Z", b"}"),
        }.items()
    ),
    *(
        Bomb("gguf", name, "a.gguf", make)
        for name, make in {
            "entries": _entries,
            "one key again": _one_key_again,
            "texts": _texts,
            "lists": _lists,
            "lists in lists": _deep_lists,
            "tensors": _tensors,
            "templates": _templates,
            "huge count of texts": lambda size: (
                g.gguf([("a", g.ARRAY, (g.STRING, []))], (), data=b"", counts=(0, 1))[:-8][:57]
                + struct.pack("<Q", 1 << 60)
                + bytes(size)
            ),
            "one template": lambda size: g.gguf((), (), data=b"", template="{{ a }}" * (size // 7)),
        }.items()
    ),
    *(
        Bomb("safetensors", name, "a.safetensors", make)
        for name, make in {
            "tensors": _names,
            "shape": _shape,
            "metadata": _metadata,
            "large shape": _large_shape,
            "blanks": lambda size: model_files.safetensors(raw=b"{" + b" " * size + b"}"),
            "lists in lists": lambda size: model_files.safetensors(
                raw=b'{"a":' + b"[" * (size // 2) + b"]" * (size // 2) + b"}"
            ),
            "empty lists": lambda size: model_files.safetensors(raw=b'{"a":[' + b"[]," * (size // 3) + b"1]}"),
        }.items()
    ),
    *(
        Bomb("rdata", name, "a.rds", make)
        for name, make in {
            "lists in lists": _r_deep,
            "attributes": _r_attributes,
            "texts": lambda size: r.write(r.texts(*["a"] * (size // 9))),
            "text words": lambda size: r.write(r.integers(*[1] * (size // 2)), encoding="A"),
            "text blanks": lambda size: r.write(r.integers(1), encoding="A") + b" " * size,
            "text escapes": lambda size: (
                b"A\n2\n263424\n131840\n16\n1\n262153\n%d\n" % (size // 4) + b"\\101" * (size // 4)
            ),
            "symbols": lambda size: r.write(
                r.pairs(*[(f"s{number:06}", r.integers(1)) for number in range(size // 36)])
            ),
            "references": lambda size: r.write([19, size // 4 + 1, *r.symbol("a"), *[0x1FF] * (size // 4)]),
            "huge vector": lambda size: r.write([14, -1, 1 << 20, 0]) + bytes(size),
            "huge list": lambda size: r.write([19, 2**31 - 1]) + b"\0\0\0\xfe" * (size // 4),
            "promises": lambda size: r.write(r.vector(*[r.promise(r.UNBOUND)] * (size // 60))),
            "languages": lambda size: r.write([6] * (size // 4)),
            "environments": lambda size: r.write([4, 0] * (size // 8)),
        }.items()
    ),
    *(
        Bomb("torch7", name, "a.t7", make)
        for name, make in {
            "tables in tables": lambda size: b"".join(struct.pack("<3i", 3, number, 1) for number in range(size // 12)),
            "table": lambda size: struct.pack("<3i", 3, 1, size // 16) + struct.pack("<id", 1, 1.0) * (size // 12),
            "huge table": lambda size: struct.pack("<3i", 3, 1, 2**31 - 1) + bytes(size),
            "references": lambda size: struct.pack("<3i", 3, 1, size // 8) + struct.pack("<2i", 3, 1) * (size // 8),
            "functions": lambda size: (
                struct.pack("<3i", 3, 1, size)
                + b"".join(struct.pack("<3i", 8, number, 0) for number in range(2, size // 12))
            ),
            "classes": lambda size: (
                struct.pack("<3i", 3, 0, size)
                + b"".join(struct.pack("<3i", 4, number, 7) + b"m%06d" % number for number in range(1, size // 20))
            ),
            "tensors": _torch7_tensors,
        }.items()
    ),
    *(
        Bomb("hdf5", name, "a.h5", make)
        for name, make in {
            "links in a circle": _h5_cycle,
            "attributes": _h5_attributes,
            "groups": _h5_groups,
            "groups in groups": _h5_chain,
            "pickles": _h5_pickles,
            "configuration": _h5_config,
            "signatures": filled(b"", h.SIGNATURE),
            "user block": lambda size: bytes(1 << max(9, size.bit_length() - 1)) + h.hdf5(),
            "messages": lambda size: h.hdf5(*[(0, b"")] * (size // 4)),
        }.items()
    ),
    Bomb("executable", "ELF", "a.so", filled(b"\x7fELF\x02\x01\x01", b"\0")),
    Bomb("unknown", "zeros", "a.bin", filled(b"", b"\0")),
    Bomb("unknown", "letters", "a.bin", filled(b"", b"A")),
    Bomb("unknown", "PK", "a.bin", filled(b"", b"PK\x05\x06")),
    Bomb("unknown", "numbers", "a.bin", lambda size: bytes(range(256)) * (size // 256)),
)
