"""Builds tar archives and executables by hand, good and bad. Payloads name `os.system("true")` and are never run."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile

EVIL = b"\x80\x02cposix\nsystem\nX\x04\x00\x00\x00true\x85R."
BLOCK = 512


def tar(*entries: tuple[str, bytes] | tarfile.TarInfo, form: int = tarfile.GNU_FORMAT) -> bytes:
    """A tar archive as tarfile writes it, of pairs (name, bytes) and of headers without data."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as target:
        for entry in entries:
            info = entry if isinstance(entry, tarfile.TarInfo) else tarfile.TarInfo(entry[0])
            data = b"" if isinstance(entry, tarfile.TarInfo) else entry[1]
            info.size = len(data)
            target.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def special(name: str, kind: bytes, link: str = "", mode: int = 0o644) -> tarfile.TarInfo:
    """The header of a link, a device or a pipe."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, link, mode
    return info


def header(name: bytes, *, size: int = 0, kind: bytes = b"0", changes: dict[int, bytes] | None = None) -> bytes:
    """One header with its checksum; ``changes`` are laid over it before."""
    block = bytearray(BLOCK)
    block[: len(name)] = name
    block[100:108] = b"0000644\0"
    block[124:136] = b"%011o\0" % size
    block[156:157] = kind
    block[257:265] = b"ustar\x0000"
    for offset, value in (changes or {}).items():
        block[offset : offset + len(value)] = value
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def padded(data: bytes) -> bytes:
    """Data filled up to whole blocks."""
    return data + bytes(-len(data) % BLOCK)


END = bytes(2 * BLOCK)
ELF = b"\x7fELF\x02\x01\x01" + bytes(57)
JAVA = b"\xca\xfe\xba\xbe\x00\x00\x00\x41" + bytes(8)
TENSOR = (
    b"\x80\x02(X\x01\x00\x00\x000X\x01\x00\x00\x001ctorch\nFloatTensor\nt." + b"\x01" + bytes(7)
    + (3).to_bytes(8, "little") + (1).to_bytes(8, "little") + bytes(8)
)  # fmt: skip
"""A description of one tensor of three numbers in the oldest PyTorch form."""


def pytorch_tar(objects: bytes = b"\x80\x02}X\x01\x00\x00\x00aX\x01\x00\x00\x000Qs.", **records: bytes) -> bytes:
    """A file of the oldest PyTorch form with one tensor of three numbers."""
    storage = b"\x80\x02(X\x01\x00\x00\x001X\x03\x00\x00\x00cpuctorch\nFloatStorage\nt."
    storages = b"\x80\x02K\x01." + storage + (3).to_bytes(8, "little") + bytes(12) + b"\x80\x02]."
    members = {
        "sys_info": b"\x80\x02}X\x10\x00\x00\x00protocol_versionM\xe8\x03s.",
        "pickle": objects,
        "tensors": b"\x80\x02K\x01." + TENSOR,
        "storages": storages,
    }
    return tar(*{**members, **records}.items())


def served(handler: str = "image_classifier", extra: dict[str, bytes] | None = None, **model: str) -> bytes:
    """A TorchServe archive whose weights are a JSON document."""
    manifest = {"runtime": "python", "model": {"modelName": "m", "handler": handler, **model}}
    buffer = io.BytesIO()
    members = {"config.json": b"{}", "MAR-INF/MANIFEST.json": json.dumps(manifest).encode(), **(extra or {})}
    with zipfile.ZipFile(buffer, "w") as target:
        for name, data in members.items():
            target.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()


GOOD: dict[str, dict[str, bytes]] = {
    "tar": {
        "plain.tar": tar(("config.json", b"{}"), ("README.md", b"hello")),
        "folders.tar": tar(
            special("./", tarfile.DIRTYPE, mode=0o2775),
            ("./a/config.json", b"{}"),
            special("./a/link.json", tarfile.SYMTYPE, "config.json"),
            special("./hard.json", tarfile.LNKTYPE, "./a/config.json"),
        ),
        "long.tar": tar(("f/" * 100 + "config.json", b"{}"), form=tarfile.GNU_FORMAT),
        "pax.tar": tar(("f/" * 100 + "config.json", b"{}"), ("grüße.json", b"[]"), form=tarfile.PAX_FORMAT),
        "ustar.tar": tar(("f/" * 60 + "config.json", b"{}"), form=tarfile.USTAR_FORMAT),
        "empty-member.tar": tar(("config.json", b"{}"), ("nothing.txt", b"")),
    },
    "torchserve": {"model.mar": served()},
    "pytorch-tar": {"oldest.pt": pytorch_tar()},
    "executable": {},
}
"""Files that must be clean, by the format they must be read as."""

BAD: dict[str, dict[str, bytes]] = {
    "tar": {
        "evil.tar": tar(("inner.dat", EVIL)),
        "climbs.tar": tar(("../../x.json", b"{}")),
        "link.tar": tar(special("weights.json", tarfile.SYMTYPE, "/etc/passwd")),
        "cut.tar": tar(("config.json", b"{}"))[: 2 * BLOCK],
    },
    "torchserve": {"model.mar": served("handler.py", {"handler.py": b"x = 1"})},
    "pytorch-tar": {"evil.pt": pytorch_tar(EVIL), "storages.pt": pytorch_tar(storages=EVIL)},
    "executable": {"op.so": ELF, "a.class": JAVA},
}
"""Files that must not be clean, by the format whose reader finds it."""
