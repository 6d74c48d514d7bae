"""Files that ordinary repositories hold beside models, written by hand, and their dangerous neighbours."""

from __future__ import annotations

import base64
import json
import struct
import zlib

import flatbytes
from protobytes import message

__all__ = ["BAD", "GOOD", "LINES", "arrow", "parquet", "png", "record", "spm"]

LINES = b'{"step": 1, "loss": NaN}\n\n{"step": 2, "loss": 0.5}\n'
PICKLED_TYPE = b"ARROW:extension:name arrow.py_extension_type cos\nsystem\n(S'true'\ntR."


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png() -> bytes:
    """One pixel, with a text beside it."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)) + chunk(b"tEXt", b"Software\0by hand")
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(4))) + chunk(b"IEND", b"")


def segment(kind: int, data: bytes) -> bytes:
    return bytes([0xFF, kind]) + struct.pack(">H", len(data) + 2) + data


def jpeg() -> bytes:
    """Segments and coded data with a stuffed byte, a restart and a fill byte."""
    coded = b"\x12\xff\x00\x34\xff\xd0\x56"
    return b"\xff\xd8" + segment(0xE0, b"JFIF\0") + segment(0xDA, b"\1\1\0\0\x3f\0") + coded + b"\xff\xff\xd9"


def gif() -> bytes:
    """A screen with a table, a comment and an image."""
    screen = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes(6)
    image = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02" + b"\x02\x44\x01" + b"\0"
    return screen + b"\x21\xfe\x05hello\0" + image + b"\x3b"


def riff(form: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    body = form + b"".join(kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2) for kind, data in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def box(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", 8 + len(data)) + kind + data


def page(data: bytes) -> bytes:
    return b"OggS\0\2" + bytes(20) + bytes([1, len(data)]) + data


def parquet(description: bytes = b"\x15\x02\x19\x2c schema and rows") -> bytes:
    return b"PAR1" + b"values" * 9 + description + struct.pack("<I", len(description)) + b"PAR1"


def _message(kind: int, header: dict, body: bytes = b"") -> bytes:
    data = flatbytes.build({0: (2, 4), 1: (1, kind), 2: header, 3: (8, len(body))}, mark=b"\0\0\0\0")
    data += bytes(-len(data) % 8)
    return b"\xff\xff\xff\xff" + struct.pack("<I", len(data)) + data + body


def arrow(name: str = "a", *, as_file: bool = False) -> bytes:
    """A schema of one column called ``name`` and two batches."""
    schema = _message(1, {1: [{0: name}]})
    stream = schema + _message(3, {0: (8, 1)}, bytes(16)) * 2 + b"\xff\xff\xff\xff\0\0\0\0"
    if not as_file:
        return stream
    footer = flatbytes.build({1: {1: [{0: name}]}}, mark=b"\0\0\0\0")
    return b"ARROW1\0\0" + stream + footer + struct.pack("<I", len(footer)) + b"ARROW1"


def spm() -> bytes:
    """Three pieces, the trainer's and the normaliser's settings."""
    pieces = [(1, message((1, piece), (2, -1.5), (3, 2))) for piece in ("<unk>", "\u2581the", "a")]
    return message(*pieces, (2, message((3, 1), (4, 8000))), (3, message((1, "nmt_nfkc"), (2, b"\0\1\2"))))


def record(data: bytes) -> bytes:
    """A record whose checksums are right (CRC-32C, masked)."""
    size = struct.pack("<Q", len(data))
    return size + struct.pack("<I", _masked(size)) + data + struct.pack("<I", _masked(data))


def _masked(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><g fill="url(#a)"><path d="M0 0"/><use href="#p"/></g></svg>'
OLD_TYPE = (
    b'<?xml version="1.0"?>\n<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" '
    b'"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">\n'
)
MP3 = (b"\xff\xfb\x90\x00" + bytes(413)) * 4

GOOD: dict[str, dict[str, bytes]] = {
    "jsonl": {"log.jsonl": LINES, "data.json": b'[1]\r\n{"a": "b"}\r\n'},
    "png": {"a.png": png(), "any.bin": png() + bytes(100)},
    "jpeg": {"a.jpg": jpeg(), "two.jpg": jpeg() + jpeg()},
    "gif": {"a.gif": gif()},
    "riff": {
        "a.webp": riff(b"WEBP", (b"VP8 ", b"pixel"), (b"EXIF", b"ab")),
        "a.wav": riff(b"WAVE", (b"fmt ", bytes(16)), (b"data", bytes(99))),
    },
    "isobmff": {
        "a.mp4": box(b"ftyp", b"isom") + box(b"moov", box(b"mvhd")) + b"\0\0\0\1mdat" + struct.pack(">Q", 20) + b"abcd",
        "a.avif": box(b"ftyp", b"avif") + b"\0\0\0\0mdat" + b"to the end",
    },
    "ogg": {"a.ogg": page(b"\x01vorbis") + page(b"sound" * 20)},
    "media": {"a.mp3": MP3, "b.mp3": b"ID3\3\0\0\0\0\0\0", ".DS_Store": b"\0\0\0\1Bud1" + bytes(50)},
    "parquet": {"a.parquet": parquet(), "b.parquet": parquet(base64.b64encode(arrow()) + b"\0")},
    "arrow": {"a.arrow": arrow(), "a.feather": arrow(as_file=True)},
    "svg": {"a.svg": SVG, "old.svg": OLD_TYPE + SVG},
    "sentencepiece": {"tokenizer.model": spm(), "source.spm": spm()},
    "tfrecord": {"events.out.tfevents.1.host": record(b"\x09event") * 3},
}
BAD: dict[str, dict[str, bytes]] = {
    "jsonl": {
        "log.jsonl": LINES + json.dumps({"auto_map": {"AutoModel": "m.X"}}).encode(),
        "evil.json": LINES + json.dumps({"_target_": "os.system"}).encode(),
    },
    "png": {"behind.png": png() + b"more", "cut.png": png()[:-9]},
    "jpeg": {"behind.jpg": jpeg() + b"more", "cut.jpg": jpeg()[:-2]},
    "gif": {"behind.gif": gif() + b"more", "cut.gif": gif()[:-1]},
    "riff": {"behind.wav": GOOD["riff"]["a.wav"] + b"more", "cut.wav": GOOD["riff"]["a.wav"][:-9]},
    "isobmff": {"cut.mp4": GOOD["isobmff"]["a.mp4"][:-1], "bad.mp4": box(b"ftyp") + b"\0\0\0\2moov"},
    "ogg": {"behind.ogg": GOOD["ogg"]["a.ogg"] + b"more", "cut.ogg": GOOD["ogg"]["a.ogg"][:-1]},
    "media": {"cut.mp3": MP3[:-420]},
    "parquet": {
        "evil.parquet": parquet(PICKLED_TYPE),
        "hidden.parquet": parquet(b"ARROW:schema\0" + base64.b64encode(arrow(PICKLED_TYPE.decode())) + b"\0"),
        "cut.parquet": parquet()[:-1],
    },
    "arrow": {
        "evil.arrow": arrow(PICKLED_TYPE.decode()),
        "evil.feather": arrow(PICKLED_TYPE.decode(), as_file=True),
        "cut.feather": arrow(as_file=True)[:-1],
        "behind.arrow": arrow() + b"more",
    },
    "svg": {
        "script.svg": SVG.replace(b"<g", b"<script>alert(1)</script><g"),
        "handler.svg": SVG.replace(b"<g", b'<g onload="alert(1)"'),
        "address.svg": SVG.replace(b"<g", b'<a href=" java&#10;script:alert(1)"/><g'),
        "fetch.svg": SVG.replace(b"#p", b"https://example.org/x.svg#p"),
        "entity.svg": b'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + SVG,
    },
    "sentencepiece": {"other.model": spm() + message((7, b"what"))},
    "tfrecord": {"cut.tfrecord": record(b"event")[:-1]},
}
