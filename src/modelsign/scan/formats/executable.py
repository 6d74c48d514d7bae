"""Machine code and compiled programs among weights: ELF, PE, Mach-O, Java classes, WebAssembly, Python bytecode.

No model format needs them. A library beside a model is loaded by whoever is told its name (``torch.ops.load_library``,
``tf.load_op_library``, plugins), and nothing in this scanner can say what machine code does. Headers are looked at, so
that numbers that begin by chance with a mark are not taken for a program. Formats: System V ABI chapter 4; Microsoft
PE; Apple mach-o/loader.h and fat.h; JVM Specification 4.1; WebAssembly 5.5.16; PEP 552.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign.scan.format import Format, Inspection, Magic
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["FORMAT"]

NATIVE: Final = Rule(
    "native-code",
    "the file is a program or library of machine code",
    Severity.HIGH,
    Outcome.UNSAFE,
    "The file is an ELF, PE or Mach-O program or library. Loading it gives it the whole process, and no reader of "
    "models can say what machine code does. Weights are never machine code.",
    "Do not load or run the file. Ask for the weights alone, and build native operators from their source.",
)
COMPILED: Final = Rule(
    "compiled-code",
    "the file is a compiled program",
    Severity.MEDIUM,
    Outcome.UNSUPPORTED,
    "The file is a Java class, a WebAssembly module or Python bytecode: a program for a virtual machine. There is no "
    "reader for it, so nothing is known about what it does when it is loaded or imported.",
    "Ask for the source, or for the weights alone.",
)
_HEAD: Final = 4096
_PE_POINTER: Final = 0x3C
_MACHO: Final = {b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe", b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf"}
_LITTLE: Final = 0xFA
_MACHINES: Final = {1, 6, 7, 8, 10, 12, 13, 14, 18}
"""Families of processors in mach/machine.h, without the bit for 64-bit ones."""
_FAT: Final = {b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf"}
_FIRST_JAVA: Final = 45
"""The major version of the first Java class files; universal binaries have fewer parts."""
_LAST_JAVA: Final = 100
_PYTHON_MAGIC: Final = range(3000, 4000)
"""Magic numbers of CPython 3 (Lib/importlib/_bootstrap_external.py), followed by CR LF."""
_CODE_OBJECT: Final = {b"\xe3", b"c"}
"""How marshal marks a code object, with and without a reference to it."""
_WASM: Final = b"\0asm\x01\0\0\0"
_ELF: Final = b"\x7fELF"


def _native(reading: Reading, head: bytes) -> str | None:
    """Name the kind of machine code that a file holds by its header."""
    if head.startswith(_ELF):
        return "an ELF program or library"
    if head[:4] in _MACHO and len(head) >= 8:  # noqa: PLR2004 - magic and cputype
        machine = int.from_bytes(head[4:8], "little" if head[1] == _LITTLE else "big") & 0xFFFFFF
        return "a Mach-O program or library" if machine in _MACHINES else None
    if head[:4] in _FAT and 0 < int.from_bytes(head[4:8], "big") < _FIRST_JAVA:
        return "a Mach-O universal binary"
    if head.startswith(b"MZ") and not head.startswith(b"MZqFpD"):
        place = int.from_bytes(head[_PE_POINTER : _PE_POINTER + 4], "little")
        if reading.read_at(place, 4) == b"PE\0\0":
            return "a Windows program or library"
    return None


def _compiled(head: bytes) -> str | None:
    """Name the kind of bytecode that a file holds by its header."""
    if head[:4] == b"\xca\xfe\xba\xbe" and _FIRST_JAVA <= int.from_bytes(head[6:8], "big") < _LAST_JAVA:
        return "a Java class"
    if head.startswith(_WASM):
        return "a WebAssembly module"
    magic = int.from_bytes(head[:2], "little")
    if head[2:4] == b"\r\n" and magic in _PYTHON_MAGIC and head[16:17] in _CODE_OBJECT:
        return "Python bytecode"
    return None


def _recognise(reading: Reading, name: str) -> bool:
    del name
    head = reading.read_at(0, _HEAD)
    return _native(reading, head) is not None or _compiled(head) is not None


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    head = reading.read_at(0, _HEAD)
    native = _native(reading, head)
    if native is not None:
        return Inspection(readable=True, findings=(NATIVE.finding(f"the file is {native}"),))
    compiled = _compiled(head)
    if compiled is not None:
        return Inspection(readable=True, findings=(COMPILED.finding(f"the file is {compiled}"),))
    return Inspection(readable=False)


FORMAT = Format(
    id="executable",
    title="Program or library",
    description="Machine code (ELF, PE, Mach-O) and compiled programs (Java, WebAssembly, Python bytecode).",
    recognise=_recognise,
    scan=_scan,
    magic=(Magic(0, _ELF), Magic(0, b"MZ"), Magic(0, _WASM)),
    extensions=(".so", ".dll", ".dylib", ".exe", ".pyd", ".pyc", ".class", ".wasm"),
    rules=(NATIVE, COMPILED),
)
