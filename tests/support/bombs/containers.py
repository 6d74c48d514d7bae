"""Containers: what unpacks to much more, archives in archives, and directories that lead to the same bytes again."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import struct
import sys
import zipfile
import zlib
from typing import TYPE_CHECKING

import keras_files
import lz4.frame
import model_files
import packed_files
import skops_files

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

from bombs import documents
from bombs.bomb import Bomb, filled

if TYPE_CHECKING:
    from collections.abc import Callable

RATIO = 1000
CODECS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "z": zlib.compress,
    "bz2": bz2.compress,
    "xz": lambda data: lzma.compress(data, preset=1),
    "lzma": lambda data: lzma.compress(data, format=lzma.FORMAT_ALONE, preset=1),
    "lz4": lz4.frame.compress,
    "zst": zstd.compress,
}
ONE_AFTER_THE_OTHER = frozenset({"bz2", "xz", "lz4", "zst"})
BLOCK = 1 << 20


def packed(part: bytes, kind: str) -> Callable[[int], bytes]:
    """A stream that unpacks to a thousand times its size; of most kinds several that follow each other."""
    pack = CODECS[kind]
    block = pack(part * (BLOCK // len(part)))
    if kind in ONE_AFTER_THE_OTHER:
        return lambda size: block * max(1, min(size // len(block), size * RATIO // BLOCK))
    return lambda size: pack(part * (size * RATIO // len(part)))


def wide_dictionary(size: int) -> bytes:
    """An LZMA stream that says it needs 120 MiB of what came before."""
    packed = bytearray(CODECS["lzma"](bytes(size * RATIO)))
    struct.pack_into("<I", packed, 1, 120 << 20)
    return bytes(packed)


def wide_window(size: int) -> bytes:
    """A Zstandard frame that needs the widest window there may be."""
    options = {zstd.CompressionParameter.window_log: 27, zstd.CompressionParameter.checksum_flag: 1}
    packer = zstd.ZstdCompressor(options=options)
    return b"".join(packer.compress(bytes(BLOCK)) for _ in range(size * RATIO // BLOCK)) + packer.flush()


_CENTRAL = struct.Struct("<4s6H3I5H2I")
_LOCAL = struct.Struct("<4s5H3I2H")
_END = struct.Struct("<4s4H2IH")


def archive(members: list[tuple[bytes, bytes, int, int]], entries: list[tuple[bytes, int, int, int, int]]) -> bytes:
    """Put an archive together: members (name, bytes, method, size), entries (name, member, method, packed, size)."""
    out, places = bytearray(), []
    for name, data, method, size in members:
        places.append(len(out))
        out += _LOCAL.pack(b"PK\x03\x04", 20, 0, method, 0, 33, 0, len(data), size, len(name), 0) + name + data
    start = len(out)
    for name, number, method, packed, size in entries:
        place = places[number]
        out += _CENTRAL.pack(b"PK\x01\x02", 20, 20, 0, method, 0, 33, 0, packed, size, len(name), 0, 0, 0, 0, 0, place)
        out += name
    count = min(len(entries), 0xFFFF)
    return bytes(out) + _END.pack(b"PK\x05\x06", 0, 0, count, count, len(out) - start, start, 0)


def plain(members: list[tuple[str, bytes]], *, packed: bool = False) -> bytes:
    """An ordinary archive."""
    method = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    return model_files.archive(members, method=method)


def _overlapping(size: int) -> bytes:
    """Half of the file is one member, the other half are entries that all lead to it."""
    data = b"N0" * (size // 4) + b"N."
    entries = [(b"%06d" % number, 0, 0, len(data), len(data)) for number in range(size // 2 // 52)]
    return archive([(b"x", data, 0, len(data))], entries)


def _overlapping_packed(size: int) -> bytes:
    """As before, with a member that unpacks to a thousand times its size."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    plain_size = size // 2 * RATIO
    data = packer.compress(b"N0" * (plain_size // 2)) + packer.flush()
    entries = [(b"%06d" % number, 0, 8, len(data), plain_size) for number in range(size // 2 // 52)]
    return archive([(b"x", data, 8, plain_size)], entries)


def _nested_zip(size: int) -> bytes:
    """Archives that hold ten copies of an archive each, down to one that is full."""
    inner = plain([("a.pkl", b"N0" * 2_000_000 + b"N.")], packed=True)
    while len(inner) * 10 < size:
        inner = plain([(f"{number}.zip", inner) for number in range(10)])
    return plain([(f"{number}.zip", inner) for number in range(max(1, size // len(inner)))])


def _packed_again(size: int) -> bytes:
    """A stream in a stream in a stream, each a thousand times smaller."""
    inner = gzip.compress(b"N0" * (size * RATIO // 2))
    return gzip.compress(gzip.compress(inner) * 3)


def _names_in_names(size: int) -> bytes:
    """Members whose names share long folders."""
    folder = "a/" * 1000
    return plain([(f"{folder}{number:06}", b"") for number in range(size // 4100)])


def _tar_long_names(size: int) -> bytes:
    return packed_files.tar(*[("f/" * 400 + f"{number:06}.json", b"{}") for number in range(size // 2600)])


def _pax(size: int) -> bytes:
    """One pax header with many records."""
    records = b"".join(b"%d k%06d=v\n" % (14, number) for number in range(size // 14))
    return (
        packed_files.header(b"p", size=len(records), kind=b"x")
        + packed_files.padded(records)
        + packed_files.header(b"a.json", size=0)
        + packed_files.END
    )


def _links(size: int) -> bytes:
    entries = [packed_files.special(f"l{number:06}", b"2", f"l{number + 1:06}") for number in range(size // 512)]
    return packed_files.tar(*entries)


def _folder_of_links(size: int) -> bytes:
    """Links in folders that are links."""
    entries = [
        packed_files.special("a/" * (number % 40) + f"{number:05}", b"2", "../" * 3) for number in range(size // 512)
    ]
    return packed_files.tar(*entries)


def _tar_of_tars(size: int) -> bytes:
    inner = b"N0" * (size // 3) + b"N."
    for _ in range(12):
        inner = packed_files.tar(("inner.tar", inner))
    return inner


def _torchscript(part: bytes, head: bytes = b"", tail: bytes = b"") -> Callable[[int], bytes]:
    make = filled(head, part, tail)
    return lambda size: model_files.pytorch(extra={"archive/code/__torch__/m.py": make(size)})


def _torchscript_members(size: int) -> bytes:
    return model_files.pytorch(
        extra={f"archive/code/__torch__/m{number:06}.py": b"a=torch.add\n" for number in range(size // 150)}
    )


def _skops(size: int) -> bytes:
    nodes = {f"k{number:06}": skops_files.node("ObjectNode", "mine", f"C{number}") for number in range(size // 100)}
    return skops_files.skops(skops_files.mapping(**nodes))


def _skops_deep(size: int) -> bytes:
    root = skops_files.text(1)
    for _ in range(min(size // 150, 200)):
        root = skops_files.mapping(a=root)
    return skops_files.skops(root)


def _npz(size: int) -> bytes:
    return plain([(f"a{number:06}.npy", model_files.npy("|u1", (1,), b"a")) for number in range(size // 230)])


def _served(size: int) -> bytes:
    return packed_files.served("h.py", {f"m{number:06}.py": b"import os\n" for number in range(size // 110)})


BOMBS: tuple[Bomb, ...] = (
    *(
        Bomb("compressed", f"{kind}: {name}", f"a.{kind}", packed(part, kind))
        for kind in CODECS
        for name, part in {"zeros": b"\0", "opcodes": b"N0", "brackets": b"["}.items()
    ),
    *(
        Bomb(
            "compressed",
            f"gz: {name}",
            f"a.{name}.gz",
            lambda size, make=make: gzip.compress(make(size * 50)),
        )
        for name, make in (
            ("py", documents.PYTHON["assignments"]),
            ("yaml", documents.YAML["items"]),
        )
    ),
    Bomb("compressed", "lzma: a wide dictionary", "a.lzma", wide_dictionary),
    Bomb("compressed", "zst: a wide window", "a.zst", wide_window),
    Bomb("compressed", "many gzip streams", "a.gz", filled(b"", gzip.compress(b"N"))),
    Bomb("compressed", "many empty gzip streams", "a.gz", filled(b"", gzip.compress(b""))),
    Bomb("compressed", "many bz2 streams", "a.bz2", filled(b"", bz2.compress(b""))),
    Bomb("compressed", "many xz streams", "a.xz", filled(b"", lzma.compress(b""))),
    Bomb("compressed", "packed again and again", "a.gz", _packed_again),
    Bomb("compressed", "zeros behind", "a.gz", filled(gzip.compress(b"N."), b"\0")),
    Bomb("zip", "overlapping members", "a.zip", _overlapping),
    Bomb("zip", "overlapping packed members", "a.zip", _overlapping_packed),
    Bomb("zip", "archives in archives", "a.zip", _nested_zip),
    Bomb(
        "zip", "small members", "a.zip", lambda size: plain([(f"{number:06}", b"N.") for number in range(size // 112)])
    ),
    Bomb("zip", "empty members", "a.zip", lambda size: plain([(f"{number:06}", b"") for number in range(size // 110)])),
    Bomb("zip", "one name", "a.zip", lambda size: plain([("same", b"N.") for _ in range(size // 108)])),
    Bomb("zip", "long names", "a.zip", _names_in_names),
    Bomb("zip", "zeros", "a.zip", lambda size: plain([("a.pkl", bytes(size * RATIO))], packed=True)),
    Bomb("zip", "opcodes", "a.zip", lambda size: plain([("a.pkl", b"N0" * (size * RATIO // 2))], packed=True)),
    Bomb(
        "zip",
        "many packed members",
        "a.zip",
        lambda size: plain([(f"{number:06}", b"N0" * 50_000) for number in range(size // 320)], packed=True),
    ),
    Bomb("zip", "end records", "a.zip", filled(b"PK\x03\x04", _END.pack(b"PK\x05\x06", 0, 0, 1, 1, 46, 0, 0))),
    Bomb("zip", "local headers", "a.zip", filled(b"", _LOCAL.pack(b"PK\x03\x04", 20, 0, 0, 0, 33, 0, 0, 0, 0, 0))),
    Bomb(
        "zip",
        "python members",
        "a.zip",
        lambda size: plain(
            [(f"{number:05}.py", documents.PYTHON["assignments"](100_000)) for number in range(size // 20_000 + 1)],
            packed=True,
        ),
    ),
    Bomb(
        "zip",
        "yaml members",
        "a.zip",
        lambda size: plain(
            [(f"{number:05}.yaml", documents.YAML["items"](100_000)) for number in range(size // 500 + 1)], packed=True
        ),
    ),
    Bomb(
        "zip",
        "json members",
        "a.zip",
        lambda size: plain(
            [(f"{number:05}.json", documents.JSON["empty lists"](1_000_000)) for number in range(size // 1500 + 1)],
            packed=True,
        ),
    ),
    Bomb("tar", "empty members", "a.tar", filled(b"", packed_files.header(b"a"), packed_files.END)),
    Bomb("tar", "headers without end", "a.tar", filled(b"", packed_files.header(b"a"))),
    Bomb("tar", "long names", "a.tar", _tar_long_names),
    Bomb("tar", "pax records", "a.tar", _pax),
    Bomb("tar", "links", "a.tar", _links),
    Bomb("tar", "links in folders", "a.tar", _folder_of_links),
    Bomb("tar", "archives in archives", "a.tar", _tar_of_tars),
    Bomb("tar", "huge sizes", "a.tar", filled(b"", packed_files.header(b"a", size=1 << 32))),
    Bomb(
        "tar",
        "members inside members",
        "a.tar",
        lambda size: b"".join(packed_files.header(b"a%06d" % number, size=size) for number in range(size // 512)),
    ),
    Bomb("tar", "ends", "a.tar", filled(packed_files.header(b"a"), b"\0" * 512)),
    Bomb("numpy", "arrays", "a.npz", _npz),
    Bomb("numpy", "arrays in a row", "a.npy", filled(b"", model_files.npy("|u1", (1,), b"a"))),
    Bomb("numpy", "header of brackets", "a.npy", lambda size: model_files.npy(header="(" * min(size, 60_000))),
    Bomb(
        "numpy",
        "header of a list",
        "a.npy",
        lambda size: model_files.npy(
            header="{'descr': [" + "('a','<f4')," * min(size // 12, 5000) + "], 'fortran_order': False, 'shape': (1,)}"
        ),
    ),
    Bomb(
        "numpy", "objects", "a.npy", lambda size: model_files.npy("|O", (1,), b"\x80\x04" + b"N0" * (size // 2) + b"N.")
    ),
    Bomb("torchscript", "names", "model.pt", _torchscript(b"a ")),
    Bomb("torchscript", "signs", "model.pt", _torchscript(b",")),
    Bomb("torchscript", "operators", "model.pt", _torchscript(b"torch.add(a)\n")),
    Bomb("torchscript", "chain", "model.pt", _torchscript(b".a", b"a")),
    Bomb("torchscript", "dots", "model.pt", _torchscript(b". ", b"a")),
    Bomb("torchscript", "strings", "model.pt", _torchscript(b",'a'")),
    Bomb("torchscript", "strings that open", "model.pt", _torchscript(b"'''", b"")),
    Bomb("torchscript", "quotes", "model.pt", _torchscript(b'"')),
    Bomb("torchscript", "one string", "model.pt", _torchscript(b"a", b"'''", b"'''")),
    Bomb("torchscript", "escapes", "model.pt", _torchscript(b"\\n", b"'", b"'")),
    Bomb("torchscript", "comments", "model.pt", _torchscript(b"#\n")),
    Bomb("torchscript", "blanks", "model.pt", _torchscript(b" ")),
    Bomb("torchscript", "digits", "model.pt", _torchscript(b"9")),
    Bomb("torchscript", "one name", "model.pt", _torchscript(b"a")),
    Bomb("torchscript", "classes", "model.pt", _torchscript(b"class A:\n")),
    Bomb(
        "torchscript",
        "unknown operators",
        "model.pt",
        lambda size: model_files.pytorch(
            extra={"archive/code/__torch__/m.py": b"".join(b"ops.m.f%06d\n" % number for number in range(size // 14))}
        ),
    ),
    Bomb("torchscript", "members", "model.pt", _torchscript_members),
    Bomb(
        "torchscript",
        "bytecode",
        "model.pt",
        lambda size: model_files.pytorch(extra={"archive/bytecode.pkl": b"a::b" * (size // 4)}),
    ),
    Bomb(
        "torchscript",
        "bytecode names",
        "model.pt",
        lambda size: model_files.pytorch(extra={"archive/bytecode.pkl": b"a" * size}),
    ),
    Bomb("pytorch", "opcodes", "model.pt", lambda size: model_files.pytorch(b"\x80\x02" + b"N0" * (size // 2) + b"N.")),
    Bomb(
        "pytorch",
        "records",
        "model.pt",
        lambda size: model_files.pytorch(extra={f"archive/data/{number:06}": b"a" for number in range(1, size // 130)}),
    ),
    Bomb("skops", "unknown nodes", "model.skops", _skops),
    Bomb("skops", "nodes in nodes", "model.skops", _skops_deep),
    Bomb("keras", "archive", "model.keras", lambda size: keras_files.keras(json.loads(documents._keras_unknown(size)))),
    Bomb("torchserve", "packages", "model.mar", _served),
)
