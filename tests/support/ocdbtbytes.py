"""Writes OCDBT stores by hand; nothing here needs tensorstore. Two files that tensorstore 0.1.86 wrote stand beside."""

from __future__ import annotations

import base64

from protobytes import varint

MANIFEST, BTREE, VERSIONS = b"\x0c\xdb\x3a\x2a", b"\x0c\xdb\x20\xde", b"\x0c\xdb\x12\x34"
EVIL = b"\x80\x02cposix\nsystem\nX\x04\x00\x00\x00true\x85R."
NAME = "d/0123456789abcdef0123456789abcdef"
REAL_MANIFEST = base64.b85decode(
    "4BI*?aR2}S0000000AhqFa01^u>t@qD>f0io)8fk;F-^EXY)+}fCzxX*DnMC000000U`ioFJ(9}G-72nF=b*fV>3B4Vl_EtVlZSm"
    "H8Ex|H90tCVF3XE005%`2BQK1xY2tobG7Rj062Sj=K"
)
"""The manifest of a checkpoint of three arrays by Orbax 0.12.8."""
REAL_NODE = base64.b85decode(
    "4BH^yBLM&a0000000AhqFa2O|0X+x+LXI>vaBI>5{Qv*|kB|(|`v3WTEde#M?Li1(q>U1p{Z2?#81+#p;_KhY8a~CYZz1P_Q5&}m"
    "yDQmEm`oE2EF{|&v9Vj(Wsr@FcX97E0Ejqj+okMIAXG*y9||1?_!=o{Nm0!7-6alBSyHPh*Ez8Yp0OD<(VUZX_lpE^c)qeK?+(3k"
    "N0l{o#ndG4It%cVH9YSwYi|xOr*q(`)y?#xEX<w7Lj`<iR9FUc&K5L|gXUq-IxepLAdQzrO5+ByU_ebp8m~qmc^V~PpMghUHxdAP"
    "s|Le)7&H_dEe@e2b661sJ);GjnY%0?VGi)hR+*Gn^FFE_zy~|H)@AB~7Uc=^-4oa"
)
"""Its root, which refers to files of another store and holds two arrays."""
REAL_NAME = "d/e814be51eb0c394b59fb0d951f0598ea"


def crc32c(data: bytes) -> int:
    """The checksum at the end of a node, bit by bit."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def frame(data: bytes) -> bytes:
    """A Zstandard frame of one block that is stored as it is (RFC 8878)."""
    block = (len(data) << 3 | 1).to_bytes(3, "little")
    return b"\x28\xb5\x2f\xfd" + b"\xa0" + len(data).to_bytes(4, "little") + block + data


def node(magic: bytes, body: bytes, *, packed: bool = False, checksum: int = 0) -> bytes:
    """A manifest or node around a body."""
    body = frame(body) if packed else body
    whole = magic + (len(body) + 18).to_bytes(8, "little") + bytes([0, packed]) + body
    return whole + (crc32c(whole) ^ checksum).to_bytes(4, "little")


def files(*paths: str | tuple[str, str]) -> bytes:
    """A table of files, without shared prefixes; a pair is a base and what comes behind it."""
    pairs = [("", path) if isinstance(path, str) else path for path in paths]
    whole = [(base + rest).encode() for base, rest in pairs]
    out = varint(len(pairs)) + b"".join(varint(0) for _ in whole[1:])
    out += b"".join(varint(len(path)) for path in whole)
    return out + b"".join(varint(len(base)) for base, _ in pairs) + b"".join(whole)


def numbers(*values: int) -> bytes:
    """A column."""
    return b"".join(map(varint, values))


def keys(*names: bytes) -> bytes:
    """The keys of a leaf, without shared prefixes."""
    return numbers(*(0 for _ in names[1:])) + numbers(*map(len, names)) + b"".join(names)


def leaf(*values: bytes | tuple[int, int], table: bytes | None = None, **more: object) -> bytes:
    """A leaf whose values stand in it, or lie at an offset (with a length) of the first file."""
    count = len(values)
    outside = [value for value in values if isinstance(value, tuple)]
    body = b"\0" + (files(NAME) if table is None else table) + varint(count)
    body += keys(*(b"k%04d" % number for number in range(count)))
    body += numbers(*(value[1] if isinstance(value, tuple) else len(value) for value in values))
    body += numbers(*(isinstance(value, tuple) for value in values))
    body += numbers(*(0 for _ in outside)) + numbers(*(offset for offset, _ in outside))
    return node(BTREE, body + b"".join(value for value in values if isinstance(value, bytes)), **more)


def inner(*places: tuple[int, int, int], table: bytes | None = None, **more: object) -> bytes:
    """A node above leaves, which lie in a file at an offset with a length."""
    names = [b"k%04d" % number for number in range(len(places))]
    body = b"\1" + (files(NAME) if table is None else table) + varint(len(places))
    body += numbers(*(0 for _ in names[1:])) + numbers(*map(len, names)) + numbers(*(0 for _ in names))
    body += b"".join(names) + b"".join(numbers(*(place[part] for place in places)) for part in range(3))
    return node(BTREE, body + numbers(*[9] * 3 * len(places)), **more)


def roots(*places: tuple[int, int, int]) -> bytes:
    """References to roots, as a manifest and the leaves of the tree of versions have them."""
    count = len(places)
    out = varint(count) + numbers(*range(1, count + 1)) + bytes(count)
    out += b"".join(numbers(*(place[part] for place in places)) for part in range(3))
    return out + numbers(*[1] * 3 * count) + bytes(8 * count)


def manifest(*places: tuple[int, int, int], table: bytes | None = None, kind: int = 0, **more: object) -> bytes:
    """A manifest with some roots, and none of older versions."""
    body = bytes(16) + bytes([kind]) + numbers(100, 8 << 20) + b"\4" + varint(1) + bytes(4)
    if not kind:
        body += (files(NAME) if table is None else table) + roots(*places) + varint(0)
    return node(MANIFEST, body, **more)


def versions(height: int = 0) -> bytes:
    """A node of the tree of versions."""
    body = bytes([4, height]) + files(NAME)
    if height:
        return node(VERSIONS, body + varint(1) + numbers(1, 0, 0, 20, 3) + bytes(8))
    return node(VERSIONS, body + roots((0, 0, 20)))


DESCRIPTION = b'{"zarr_format":2,"shape":[4],"chunks":[4],"dtype":"<f4","compressor":{"id":"zstd","level":1}}'
LOG = frame(b"\1\0" * 40) + DESCRIPTION + frame(b"\0\2" * 40) + leaf(DESCRIPTION, (0, 10), frame(bytes(9)))
"""A data file: two values that are packed, a description between them, and the leaf behind."""
GOOD = {
    "ocdbt": {
        "manifest.ocdbt": manifest((0, 0, 20)),
        NAME: LOG,
        "x/" + NAME: DESCRIPTION + LOG,
        "real/manifest.ocdbt": REAL_MANIFEST,
        REAL_NAME: REAL_NODE,
        "node.bin": inner((0, 0, 9), (0, 9, 9), packed=True),
    }
}
BAD = {
    "ocdbt": {
        "manifest.ocdbt": manifest((0, 0, 20), table=files(("../../", "etc/passwd"))),
        NAME: frame(EVIL) + LOG,
        "checksum.bin": leaf(b"x", checksum=1),
    }
}
