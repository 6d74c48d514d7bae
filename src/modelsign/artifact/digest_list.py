"""The digests of a model, or of a share of it, in a document: ``digest`` writes it, ``digest merge`` and ``sign`` read.

The form is the JSON answer of ``modelsign digest`` (docs/reference/schemas/digest-v1.json); what computes digests
elsewhere may leave out what it does not know. The other form that is read is the output of ``sha256sum``.

What a document says is nobody's proof of anything. It is read strictly, so that it says one thing only.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from modelsign import limits, strictjson
from modelsign.artifact.algorithms import ALGORITHMS
from modelsign.artifact.manifest import FILES, Digests, Serialization, parse_shard_name
from modelsign.artifact.names import check_collisions, check_name
from modelsign.errors import error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.errors import ModelsignError

__all__ = ["SCHEMA", "DigestList", "parse_digests", "parse_sha256sum"]

SCHEMA: Final = "https://modelsign.dev/schema/digest/v1"
_ENVELOPE: Final = {"tool", "command", "exit_code", "reasons", "warnings"}
_REQUIRED: Final = {"schema", "model", "serialization", "files"}
_OPTIONAL: Final = {
    "single_file", "tree", "part", "root_digest", "tree_digest", "resources", "ignored", "ignores_git", "follows_links",
}  # fmt: skip
_LINE: Final = re.compile(r"(\\?)([0-9a-f]{64}) [ *](.+)", re.DOTALL)
_ESCAPES: Final = {"\\\\": "\\", "\\n": "\n", "\\r": "\r"}


class DigestList(NamedTuple):
    """The digests of a model or of a share of it, lowercase hex.

    ``model`` is its base name, None where nobody said. ``sizes`` names every file of the model, also those of other
    shares; None is a size that nobody said. ``listed`` and ``whole`` are as in ``Digests``, as far as the share goes;
    ``tree`` says whether whole files belong to the division. ``part`` is the share's number and how many there are.
    ``ignored`` are paths that were there and left out.
    """

    model: str | None
    sizes: Mapping[str, int | None]
    listed: Mapping[str, str]
    whole: Mapping[str, str]
    serialization: Serialization = FILES
    single_file: bool = False
    tree: bool = True
    part: tuple[int, int] = (1, 1)
    ignored: tuple[str, ...] = ()
    ignores_git: bool = True
    follows_links: bool = False

    @property
    def complete(self) -> bool:
        """Whether it is the whole model's, not a share's."""
        return self.part == (1, 1)

    @property
    def resources(self) -> int:
        """How many resources the manifest of the whole model has."""
        step = self.serialization.shard_size
        return len(self.sizes) if step is None else sum(-(-(size or 0) // step) for size in self.sizes.values())

    @property
    def digests(self) -> Digests:
        """The digests alone, to be signed; sizes nobody said are 0."""
        sizes = {name: size or 0 for name, size in self.sizes.items()}
        return Digests(self.serialization, self.listed, self.whole if self.tree else {}, sizes)

    def body(self) -> dict[str, object]:
        """Return the document's own keys, in the order of OMS."""
        found = self.digests
        return {
            "model": self.model,
            "single_file": self.single_file,
            "serialization": {
                "method": self.serialization.method,
                "hash_type": self.serialization.algorithm,
                "shard_size": self.serialization.shard_size,
            },
            "tree": self.tree,
            "part": {"number": self.part[0], "of": self.part[1]},
            "root_digest": found.root_digest if self.complete else None,
            "tree_digest": found.tree_digest if self.complete else None,
            "files": [
                {"name": name, "size": self.sizes[name], "sha256": self.whole.get(name)} for name in sorted(self.sizes)
            ],
            "resources": [
                {"name": name, "algorithm": self.serialization.algorithm, "digest": self.listed[name]}
                for name in sorted(self.listed)
            ],
            "ignored": list(self.ignored),
            "ignores_git": self.ignores_git,
            "follows_links": self.follows_links,
        }


def parse_digests(data: bytes, *, strict_names: bool = True) -> DigestList:
    """Read a document in this project's form, of a whole model or of a share.

    Raises:
        ModelsignError: ``DIGESTS_MALFORMED``, ``HASH_UNSUPPORTED``, ``EMPTY_MODEL`` or a reason of the names.

    """
    value = strictjson.loads(data, most_bytes=limits.DIGESTS_BYTES, what="list of digests", code="DIGESTS_MALFORMED")
    if not isinstance(value, dict) or value.get("schema") != SCHEMA:
        raise _malformed(f"its schema is not {SCHEMA}")
    if unknown := set(value) - _ENVELOPE - _REQUIRED - _OPTIONAL:
        raise _malformed(f"it has the unknown key {min(unknown)[:100]}")
    if missing := _REQUIRED - set(value):
        raise _malformed(f"it lacks the key {min(missing)}")
    if value.get("exit_code", 0) != 0 or value.get("reasons", []) != []:
        raise _malformed("it is the answer of a command that failed")
    read = _Reading(value)
    found = DigestList(
        model=_name(value["model"]),
        sizes=read.sizes,
        listed=read.listed,
        whole=read.whole,
        serialization=read.serialization,
        single_file=read.flag("single_file", default=False),
        tree=read.flag("tree", default=read.whole.keys() == read.sizes.keys()) or read.serialization == FILES,
        part=read.part(),
        ignored=read.ignored(),
        ignores_git=read.flag("ignores_git", default=True),
        follows_links=read.flag("follows_links", default=False),
    )
    _check(found, strict_names=strict_names)
    for key, computed in (("root_digest", found.digests.root_digest), ("tree_digest", found.digests.tree_digest)):
        if value.get(key) not in (None, computed if found.complete else None):
            raise _malformed(f"its {key} does not follow from its digests")
    return found


class _Reading:
    """The members of one document, each in its type."""

    def __init__(self, value: Mapping[str, object]) -> None:
        self.value = value
        self.serialization = _serialization(value["serialization"])
        files = _objects(value["files"], "files", {"name", "size", "sha256"})
        names = [entry.get("name") for entry in files]
        if not all(isinstance(name, str) for name in names) or len(set(names)) != len(names):
            raise _malformed("its files do not have one name each")
        self.sizes = {cast("str", entry["name"]): _size(entry.get("size")) for entry in files}
        self.whole = {
            cast("str", entry["name"]): _digest(entry["sha256"], "sha256")
            for entry in files
            if entry.get("sha256") is not None
        }
        self.listed = self._listed()
        if self.serialization == FILES:
            self.whole = {**self.listed, **self.whole}

    def _listed(self) -> dict[str, str]:
        algorithm = self.serialization.algorithm
        if "resources" not in self.value:
            if self.serialization != FILES:
                raise _malformed("it lacks the key resources")
            return dict(self.whole)
        listed: dict[str, str] = {}
        for entry in _objects(self.value["resources"], "resources", {"name", "algorithm", "digest"}):
            name = entry.get("name")
            if not isinstance(name, str) or name in listed or entry.get("algorithm") != algorithm:
                raise _malformed(f"a resource has no name, no name of its own, or another algorithm than {algorithm}")
            listed[name] = _digest(entry.get("digest"), algorithm)
        return listed

    def flag(self, key: str, *, default: bool) -> bool:
        found = self.value.get(key, default)
        if not isinstance(found, bool):
            raise _malformed(f"{key} is neither true nor false")
        return found

    def part(self) -> tuple[int, int]:
        found = self.value.get("part", {"number": 1, "of": 1})
        if isinstance(found, dict) and found.keys() == {"number", "of"}:
            number, of = found["number"], found["of"]
            if type(number) is int and type(of) is int and 1 <= number <= of <= limits.DIGEST_PARTS:
                return number, of
        raise _malformed("part is not a number and how many there are")

    def ignored(self) -> tuple[str, ...]:
        found = self.value.get("ignored", [])
        if not isinstance(found, list) or not all(isinstance(path, str) for path in found):
            raise _malformed("ignored is not a list of paths")
        return tuple(sorted(set(found)))


def _check(found: DigestList, *, strict_names: bool) -> None:
    """Check names, and that a whole model's digests are all there; a share is measured by the division."""
    if not found.sizes:
        raise error("EMPTY_MODEL", "the list of digests names no file")
    for name in (*found.sizes, *found.ignored):
        check_name(name, strict=strict_names)
    if found.model is not None:
        check_name(found.model, strict=strict_names)
        if "/" in found.model:
            raise error("NAME_LEAVES_MODEL", f"the model's name {found.model} is a path")
    if strict_names:
        check_collisions(list(found.sizes))
    if found.single_file and set(found.sizes) != {found.model}:
        raise _malformed("the model is one file, and the name of its only file is not the model's")
    _check_resources(found)
    if found.complete and len(found.listed) != found.resources:
        raise _malformed(f"it has {len(found.listed)} resources, and its files make {found.resources}")
    if found.complete and found.tree and len(found.whole) != len(found.sizes):
        raise _malformed(f"it has SHA-256 digests of {len(found.whole)} files, and {len(found.sizes)} files")


def _check_resources(found: DigestList) -> None:
    step = found.serialization.shard_size
    if step is not None and None in found.sizes.values():
        raise _malformed("it lists shards, and not every size is known")
    for name in found.listed:
        file, span = (name, (0, 0)) if step is None else parse_shard_name(name)
        fits = file in found.sizes and (step is None or (span is not None and _is_shard(span, step, found.sizes[file])))
        if not fits:
            raise _malformed(f"the resource {name} is of no file that is listed")
    if found.serialization == FILES and found.whole != found.listed:
        raise _malformed("a file has two different digests")
    if found.whole and not found.tree:
        raise _malformed("it holds digests of whole files, and says that it has no tree")


def _is_shard(span: tuple[int, int], step: int, size: int | None) -> bool:
    start, end = span
    return start % step == 0 and start < end == min(start + step, size or 0)


def parse_sha256sum(data: bytes, *, strict_names: bool = True) -> DigestList:
    r"""Read what ``sha256sum`` writes: ``<digest>  <name>`` a line, text or binary (``*``), ``\`` before escaped names.

    A leading ``./`` is dropped, as ``find . -type f -exec sha256sum {} +`` writes it.

    Raises:
        ModelsignError: ``DIGESTS_MALFORMED``, ``EMPTY_MODEL`` or a reason of the names.

    """
    if len(data) > limits.DIGESTS_BYTES:
        raise _malformed(f"it has {len(data)} bytes; the limit is {limits.DIGESTS_BYTES}")
    try:
        lines = data.decode("utf-8").removesuffix("\n").split("\n") if data else []
    except UnicodeDecodeError as fault:
        raise _malformed(f"it is not UTF-8 (byte {fault.start})") from None
    whole: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        found = _LINE.fullmatch(line)
        name = None if found is None else _unescaped(found[3]) if found[1] else found[3]
        if found is None or name is None:
            raise _malformed(f"line {number} is not `<SHA-256>  <name>`")
        name = name.removeprefix("./")
        if name in whole:
            raise _malformed(f"line {number} names {name} again")
        whole[name] = found[2]
    listing = DigestList(None, dict.fromkeys(whole), whole, whole)
    _check(listing, strict_names=strict_names)
    return listing


def _unescaped(name: str) -> str | None:
    r"""Undo coreutils' escapes; None for a backslash that begins none of ``\\``, ``\n``, ``\r``."""
    parts = re.split(r"(\\.?)", name, flags=re.DOTALL)
    escapes = parts[1::2]
    if not all(escape in _ESCAPES for escape in escapes):
        return None
    return "".join(_ESCAPES.get(part, part) for part in parts)


def _serialization(value: object) -> Serialization:
    keys = {"method", "hash_type"}
    if not isinstance(value, dict) or not keys <= value.keys() <= keys | {"shard_size"}:
        raise _malformed("serialization does not have method and hash_type")
    method, algorithm, size = value["method"], value["hash_type"], value.get("shard_size")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS or method not in ("files", "shards"):
        raise error("HASH_UNSUPPORTED", f"the list of digests has the method {method} under {algorithm}")
    if (size is not None) != (method == "shards") or (size is not None and (type(size) is not int or size < 1)):
        raise _malformed("shard_size is not a whole number for shards, or there for whole files")
    return Serialization(algorithm, size)


def _objects(value: object, where: str, keys: set[str]) -> list[dict[str, object]]:
    if not isinstance(value, list) or not all(isinstance(entry, dict) and entry.keys() <= keys for entry in value):
        raise _malformed(f"{where} is not a list of objects with {', '.join(sorted(keys))}")
    return value


def _size(value: object) -> int | None:
    if value is None or (type(value) is int and 0 <= value < limits.LARGEST_FILE):
        return value
    raise _malformed("a size is not a number of bytes")


def _digest(value: object, algorithm: str) -> str:
    if isinstance(value, str) and len(value) == ALGORITHMS[algorithm] and re.fullmatch("[0-9a-f]+", value):
        return value
    raise _malformed(f"a digest is not {ALGORITHMS[algorithm]} lowercase hex digits")


def _name(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise _malformed("model is no name")


def _malformed(what: str) -> ModelsignError:
    return error("DIGESTS_MALFORMED", f"the list of digests is refused: {what}")
