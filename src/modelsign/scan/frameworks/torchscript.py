"""TorchScript: the program in a PyTorch archive, judged by the operators it names.

``torch.jit.load`` compiles the members below ``code/`` and may run ``__setstate__`` of their classes at once. The
source is taken apart into the very tokens that PyTorch's own lexer sees (torch/csrc/jit/frontend/lexer.h), which is
not quite Python, and every name that leads to an operator is looked up: ``torch.x`` and methods are ``aten::x``,
``ops.ns.x`` is ``ns::x`` (script_type_parser, import_source.cpp: SourceImporterImpl). Names that the archive's own
code defines are its own. Nothing is compiled, and control flow does not matter: what is named counts.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from modelsign import limits
from modelsign.artifact.reading import BLOCK
from modelsign.scan.frameworks.operators import dangerous
from modelsign.scan.tables import table
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsign.artifact.reading import Reading
    from modelsign.verdict import Finding

__all__ = ["TORCHSCRIPT_RULES", "Program", "bytecode_findings", "torch_classes"]

_REFERENCES: Final = ("CVE-2025-32434", "CVE-2024-48063", "CVE-2022-45907")
REACHES_OUT: Final = Rule(
    "torchscript-reaches-out",
    "the program calls an operator that reaches outside of it",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "The archive's program names an operator that writes or reads files, runs Python, or calls other machines. "
    "`torch.jit.load` compiles the program, which then does so when the model is used, or while it is loaded.",
    "Do not load the file. Ask for the weights as safetensors.",
    _REFERENCES,
)
UNKNOWN: Final = Rule(
    "torchscript-unknown-operator",
    "the program names an operator that is not known to be harmless",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "The operator or class is none of PyTorch's own that only compute. It comes from a library that the loading "
    "process must have, and nothing is known about what it does.",
    "Find out which library registers it, or ask for the weights as safetensors.",
    _REFERENCES,
)
UNREADABLE: Final = Rule(
    "torchscript-unreadable",
    "the program's source cannot be read",
    Severity.MEDIUM,
    Outcome.INCOMPLETE,
    "A member below `code/` is not the plain ASCII source that PyTorch writes, or is beyond the budget, so that "
    "nothing can be said of what it calls.",
    "Save the model again with a current PyTorch.",
)
TORCHSCRIPT_RULES: Final = (REACHES_OUT, UNKNOWN, UNREADABLE)

_SKIP: Final = r"(?:[ \t\n]++|\\\n|\#(?![ \t]*+type:)[^\n]*+|\#[ \t]*+type:)*+"
_NAME: Final = r"[A-Za-z_][A-Za-z0-9_]*+"
_STEP: Final = re.compile(
    rf"""{_SKIP}(?:
      (?P<before>[.,])?+{_SKIP}(?:
        (?P<chain>{_NAME}(?:{_SKIP}\.{_SKIP}{_NAME})*+)(?:{_SKIP}(?P<colon>:))?+
        |(?P<string>\"\"\"(?:[^\"\\]++|\\[\s\S]|\"(?!\"\"))*+\"\"\"|\'\'\'(?:[^\'\\]++|\\[\s\S]|\'(?!\'\'))*+\'\'\'
          |\"(?!\"\")(?:[^\"\\\n]++|\\[\s\S])*+\"|\'(?!\'\')(?:[^\'\\\n]++|\\[\s\S])*+\'))
      |(?P<rest>(?:[0-9]++(?:\.[0-9]*+)?+(?:[eE][+-]?[0-9]++)?+j?+|\\(?!\n)|[!$-&(-+\-/:->?@\[\]^`{{-~])++|[.,])
      |(?P<end>\Z))""",
    re.VERBOSE | re.ASCII,
)
"""The names that dots join, a string, or what stands between them, with the sign before it.

A string of three quotation marks that does not end is an error to PyTorch's lexer, too. Nothing is gone back for, so
that any source is read in one pass.
"""
_SKIPPED: Final = re.compile(_SKIP, re.ASCII)
_PLAIN: Final = re.compile(r"[\t\n -~]*", re.ASCII)
_OPERATOR: Final = re.compile(
    rb"(?P<size>X[\x00-\xff]{4})?(?P<name>[A-Za-z_][A-Za-z0-9_]{0,99}::[A-Za-z_][A-Za-z0-9_]{0,99})", re.ASCII
)
_DEFINING: Final = frozenset({"class", "def"})
_MOST_USES: Final = 10_000
"""Different names that are kept; of more of them only the dangerous ones are."""
_REMOTE: Final = frozenset({"rpc_sync", "rpc_async", "rpc_remote"})
_CLASSES: Final = "__torch__.torch.classes."
_LONGEST: Final = 256


@functools.cache
def _known() -> frozenset[str]:
    groups = table("operators/torchscript")["groups"]
    return frozenset(f"{group['domain']}::{name}" for group in groups for name in group["names"])


@functools.cache
def _classes() -> frozenset[str]:
    return frozenset(name for group in table("operators/torchscript")["classes"] for name in group["names"])


@functools.cache
def _dangerous_methods() -> frozenset[str]:
    return frozenset(name.removeprefix("aten::") for name in dangerous("torchscript") if name.startswith("aten::"))


def torch_classes() -> frozenset[str]:
    """Return PyTorch's own classes that programs keep packed weights in, as pickles name them."""
    return frozenset(_CLASSES + name for name in _classes())


@dataclass(slots=True)
class Program:
    """All source of one archive, taken in member by member and judged at the end.

    ``uses`` maps what was named to the first member that names it. ``own`` are the classes defined, as pickles name
    them; ``words`` the methods and attributes.
    """

    uses: dict[str, str] = field(default_factory=dict)
    methods: dict[str, str] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)
    broken: dict[str, str] = field(default_factory=dict)
    characters: int = 0

    def take(self, text: bytes, name: str, module: str) -> None:
        """Take in one member's source; ``module`` is the dotted name of its place below ``code/``."""
        self.characters += len(text)
        if self.characters > limits.TORCHSCRIPT_BYTES:
            self.broken[name] = f"the program has more than {limits.TORCHSCRIPT_BYTES} bytes"
            return
        source = text.decode("latin-1")
        if not _PLAIN.fullmatch(source):
            self.broken[name] = "the source holds bytes that are no printable ASCII"
            return
        self._read(source, name, module)

    def _read(self, source: str, name: str, module: str) -> None:
        """Take the source apart: ``word`` is the name before, if nothing but blanks follows it."""
        word, position = "", 0
        while True:
            step = _STEP.match(source, position)
            if step is None:
                skipped = _SKIPPED.match(source, position)
                place = skipped.end() if skipped else position
                self.broken[name] = f"a string or a sign at character {place} cannot be read"
                return
            position = step.end()
            kind = step.lastgroup
            if kind == "end":
                return
            chain = step["chain"]
            if chain is None:
                if kind == "string" and step["before"] == ",":
                    self._loose([_unquoted(step["string"])], name)
                word = ""
                continue
            parts = _parts(chain)
            if word in _DEFINING and step["before"] is None:
                self.words.add(parts[0])
                if word == "class":
                    self.own.add(f"{module}.{parts[0]}")
            elif step["before"] == ".":
                self._loose(parts, name)
            else:
                self._chain(parts, name)
            word = parts[0] if len(parts) == 1 else ""
            if word and step["colon"]:
                self.words.add(word)
                word = ""

    def _chain(self, parts: list[str], name: str) -> None:
        root, rest = parts[0], parts[1:]
        if root == "torch":
            while rest[:1] == ["autograd"]:
                rest = rest[1:]
            space = "aten"
            if rest[:1] == ["cuda"]:
                space, rest = "cuda", rest[1:]
            self._use(f"{space}::{rest[0]}" if rest else "torch", name)
            self._loose(rest[1:], name)
        elif root == "ops":
            self._use("::".join(rest[:2]) if len(rest) > 1 else "ops", name)
            self._loose(rest[2:], name)
        elif root == "__torch__" and rest[:2] == ["torch", "classes"] and len(rest) > 2:  # noqa: PLR2004 - and a name
            self._use(".".join(parts[:5]), name)
        elif root in _REMOTE:
            self._use(f"prim::{root}", name)
        else:
            self._loose(rest, name)

    def _use(self, what: str, name: str) -> None:
        if len(self.uses) >= _MOST_USES and what.casefold() not in dangerous("torchscript"):
            what = "and others"
        self.uses.setdefault(what, name)

    def _loose(self, words: list[str], name: str) -> None:
        """Take what is got from a value: a method or attribute of the archive's own, or an operator ``aten::x``."""
        for word in words:
            if word.casefold() in _dangerous_methods():
                self.methods.setdefault(word, name)

    def findings(self) -> Iterator[Finding]:
        """Judge what the program names."""
        for name, message in self.broken.items():
            yield UNREADABLE.finding(message, member=name)
        for what, name in self.uses.items():
            found = _judged(what, name)
            if found is not None:
                yield found
        for word, name in self.methods.items():
            if word in self.words:
                yield UNKNOWN.finding(f"names {word}, its own or the operator aten::{word}", member=name)
            else:
                yield _reaches(f"aten::{word}", name)


def _parts(chain: str) -> list[str]:
    """Return the names of a chain, without what may stand around its dots."""
    parts = chain.split(".")
    return parts if all(map(str.isidentifier, parts)) else _SKIPPED.sub("", chain).split(".")


def _unquoted(text: str) -> str:
    """Return a short string's characters; escapes are undone as far as they stand for letters."""
    if len(text) > _LONGEST:
        return ""
    inner = text.strip("\"'")
    return re.sub(r"\\(?:x([0-9A-Fa-f]{2})|([0-7]{1,3}))", lambda found: _character(found[1], found[2]), inner)


def _character(hexadecimal: str | None, octal: str | None) -> str:
    return chr(int(hexadecimal, 16) if hexadecimal else int(octal or "0", 8) % 256)


def _judged(what: str, name: str | None) -> Finding | None:
    if what.casefold() in dangerous("torchscript"):
        return _reaches(what, name)
    if what in _known() or what.removeprefix(_CLASSES) in _classes():
        return None
    return UNKNOWN.finding(f"names {what[:_LONGEST]}", member=name)


def _reaches(what: str, name: str | None) -> Finding:
    danger = dangerous("torchscript")[what.casefold()]
    rule = REACHES_OUT if danger.certain else UNKNOWN
    return rule.finding(f"names {what}, which {danger.capability}", member=name)


def bytecode_findings(reading: Reading) -> tuple[Finding, ...]:
    """Judge the operators of a program for PyTorch's interpreter on mobile devices (``bytecode.pkl``).

    It is a pickle of tuples that names them as plain strings (torch/csrc/jit/mobile/import.cpp), and no opcode can put
    a string together, so every such string in the bytes is looked at.
    """
    uses: dict[str, str] = {}
    position, tail = 0, b""
    while data := reading.read_at(position, BLOCK):
        position += len(data)
        for found in _OPERATOR.finditer(tail + data):
            if len(uses) < limits.SCAN_FINDINGS:
                uses.setdefault(_operator(found), "")
        tail = (tail + data)[-2 * _LONGEST :]
    judged = (_judged(what, None) for what in uses)
    return tuple(finding for finding in judged if finding is not None)


def _operator(found: re.Match[bytes]) -> str:
    """Return the string that was found: as long as its opcode says, else up to the shortest dangerous name in it."""
    name = found["name"].decode("ascii")
    size = int.from_bytes(found["size"][1:], "little") if found["size"] else 0
    if 0 < size <= len(name):
        return name[:size]
    begins = [known for known in dangerous("torchscript") if name.casefold().startswith(known)]
    return min(begins, key=len, default=name)
