"""The signed payload of OpenSSF Model Signing: an in-toto statement over a model's manifest.

Written: OMS v1.0 with whole files or shards under one of its three algorithms, resources in the order of code points,
the tree digest as second digest of the subject, and one fixed JSON form, so that one model gives one payload. Read: OMS
v1.0 in exactly that order or in the reference implementation's (parts of the path, then numbers), with its spellings of
algorithms and of ``shard_size``, and the statement of model-signing 0.2.0.

Reading comes after the signature was verified; what is read is still checked as if it came from anybody.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from modelsign import limits, strictjson
from modelsign.artifact.algorithms import ALGORITHMS
from modelsign.artifact.manifest import FILES, Serialization, parse_shard_name, root_digest, tree_digest
from modelsign.artifact.model import DEFAULT_IGNORED
from modelsign.artifact.names import check_collisions, check_name, path_part_order
from modelsign.errors import error
from modelsign.signing.describe.foreign import not_of_a_model
from modelsign.signing.validity import read_validity, subject_annotations

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from modelsign.errors import ModelsignError
    from modelsign.signing.validity import Validity

__all__ = ["PREDICATE_TYPE", "Statement", "parse_statement", "write_statement"]

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "https://model_signing/signature/v1.0"
PREDICATE_TYPE_V0_2: Final = "https://model_signing/Digests/v0.1"
TREE_DIGEST: Final = "dirHash1"
WHOLE_MODEL: Final = "."
"""What the reference implementation calls the one file of a single-file model."""
PATTERN_CHARACTERS: Final = frozenset("*?[")
"""What OMS v1.0 (section 6.2.1) keeps out of the paths to ignore, so that no reader takes one for a pattern."""
_ALIASES: Final = {"blake2": "blake2b"}
"""What the reference implementation's own settings call an algorithm."""


class Statement(NamedTuple):
    """What a signer signed about a model.

    ``names`` and ``digests`` (lowercase hex) run together, in the signed order. ``shards`` are the byte ranges
    (start, end) of ``names`` where the manifest lists shards of ``shard_size`` bytes, else both are None; the shards of
    each file are all there and follow from its size. ``algorithm`` is one of ``ALGORITHMS``. ``format`` is ``oms-v1.0``
    or ``oms-v0.2``. ``oms`` says whether every part follows OMS v1.0. ``validity`` is what the signer says of times.
    """

    subject: str
    names: tuple[str, ...]
    digests: tuple[str, ...]
    signed_root: str | None
    signed_tree: str | None
    algorithm: str
    shards: tuple[tuple[int, int], ...] | None
    allow_symlinks: bool
    ignore_paths: tuple[str, ...]
    format: str
    oms: bool
    validity: Validity | None = None
    shard_size: int | None = None

    @property
    def tree_digest(self) -> str | None:
        """The tree digest of the model that was signed; None where the statement does not tell it."""
        if self.signed_tree is not None or self.algorithm != "sha256" or self.shards is not None:
            return self.signed_tree
        return None if WHOLE_MODEL in self.names else tree_digest(dict(zip(self.names, self.digests, strict=True)))

    @property
    def whole_files(self) -> dict[str, str]:
        """Name → SHA-256 of the files, where the manifest lists them whole and under SHA-256; else nothing."""
        whole = self.shards is None and self.algorithm == "sha256"
        return dict(zip(self.names, self.digests, strict=True)) if whole else {}

    @property
    def extra_ignores(self) -> tuple[str, ...]:
        """The paths the signer left out beyond the default names, sorted."""
        return tuple(sorted(set(self.ignore_paths) - DEFAULT_IGNORED))


def write_statement(  # noqa: PLR0913 - the parts of a statement
    subject: str,
    digests: Mapping[str, str],
    *,
    tree: str | None,
    serialization: Serialization = FILES,
    ignore_paths: Iterable[str] = (),
    allow_symlinks: bool = False,
    validity: Validity | None = None,
) -> bytes:
    """Write the statement over resource name → hex digest; one model gives one sequence of bytes.

    The names and digests are those of the ``serialization``: of files, or of shards as ``path:start:end``. ``tree`` is
    the tree digest, None where it was not computed; ``ignore_paths`` are recorded as they are. ``validity`` is written
    as an annotation of the subject.
    """
    names = sorted(digests)
    root = {"sha256": root_digest(digests[name] for name in names)}
    algorithm, size = serialization
    stated = {} if validity is None else {"annotations": subject_annotations(validity)}
    settings: dict[str, object] = {
        "method": serialization.method,
        "hash_type": algorithm,
        "allow_symlinks": allow_symlinks,
        "ignore_paths": sorted(ignore_paths),
    }
    if size is not None:
        settings["shard_size"] = size
    return strictjson.canonical(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": subject, "digest": root if tree is None else {**root, TREE_DIGEST: tree}, **stated}],
            "predicateType": PREDICATE_TYPE,
            "predicate": {
                "serialization": settings,
                "resources": [{"name": name, "algorithm": algorithm, "digest": digests[name]} for name in names],
            },
        }
    )


def parse_statement(payload: bytes, *, strict_names: bool = True) -> Statement:
    """Read a verified payload.

    Raises:
        ModelsignError: ``NOT_A_MODEL_SIGNATURE``, ``MANIFEST_MALFORMED``, ``MANIFEST_DUPLICATE_NAME``,
            ``MANIFEST_UNSORTED``, ``MANIFEST_INCONSISTENT``, ``HASH_UNSUPPORTED``, ``EMPTY_MODEL`` or a reason
            of the names.

    """
    value = strictjson.loads(payload, most_bytes=limits.BUNDLE_BYTES, what="manifest", code="MANIFEST_MALFORMED")
    statement = _object(value, "the statement")
    kind = statement.get("predicateType")
    if statement.get("_type") != STATEMENT_TYPE:
        if isinstance(kind, str) and kind not in (PREDICATE_TYPE, PREDICATE_TYPE_V0_2):
            raise not_of_a_model(statement)
        raise error("NOT_A_MODEL_SIGNATURE", "the payload is not an in-toto statement v1")
    subjects = _list(statement.get("subject"), "subject")
    if kind == PREDICATE_TYPE_V0_2:
        parsed = _of_v0_2(subjects)
    elif kind == PREDICATE_TYPE:
        parsed = _of_v1(statement, subjects, _object(statement.get("predicate"), "predicate"))
    else:
        raise not_of_a_model(statement)
    _check_names(parsed, strict_names=strict_names)
    _check_digests(parsed)
    return parsed


def _of_v1(statement: Mapping[str, object], subjects: list[object], predicate: Mapping[str, object]) -> Statement:
    if len(subjects) != 1:
        raise _malformed(f"it has {len(subjects)} subjects; OMS has exactly one")
    subject = _object(subjects[0], "subject")
    digest = _object(subject.get("digest"), "digest")
    settings = _object(predicate.get("serialization"), "serialization")
    algorithm = _algorithm(settings)
    resources = _list(predicate.get("resources"), "resources")
    try:
        names = [resource["name"] for resource in resources]  # type: ignore[index] # TypeError is answered below
        digests = [resource["digest"] for resource in resources]  # type: ignore[index] # same
        algorithms = {resource["algorithm"] for resource in resources}  # type: ignore[index] # same
    except (KeyError, TypeError):
        raise _malformed("a resource lacks its name, algorithm or digest") from None
    names = _strings(names, "name")
    size = _shard_size(settings)
    shards, shard_names = _shards(names, size) if size is not None else (None, names)
    spelled = {settings["hash_type"]}
    if not algorithms <= _spellings(algorithm, size):
        raise _malformed("a resource has another algorithm than the manifest")
    ignored = _strings(_list(settings.get("ignore_paths", []), "ignore_paths"), "ignore_paths")
    ordered = _check_order(names, shards, shard_names)
    if not isinstance(settings.get("allow_symlinks"), bool):
        raise _malformed("allow_symlinks is not true or false")
    plain = (
        _has_no_more(statement, predicate, settings) and subject.get("name") != "" and not any(map(_is_odd, ignored))
    )
    signed_tree = digest.get(TREE_DIGEST)
    return Statement(
        subject=_string(subject.get("name"), "subject name"),
        names=tuple(shard_names),
        digests=tuple(_strings(digests, "digest")),
        signed_root=_string(digest.get("sha256"), "root digest"),
        signed_tree=None if signed_tree is None else _string(signed_tree, "tree digest"),
        algorithm=algorithm,
        shards=shards,
        allow_symlinks=settings.get("allow_symlinks") is True,
        ignore_paths=tuple(entry.removeprefix("./").rstrip("/") for entry in ignored),
        format="oms-v1.0",
        oms=plain and ordered and WHOLE_MODEL not in shard_names and algorithms == spelled == {algorithm},
        validity=read_validity(subject),
        shard_size=size,
    )


def _has_no_more(
    statement: Mapping[str, object], predicate: Mapping[str, object], settings: Mapping[str, object]
) -> bool:
    """Say whether there are no fields beyond those of OMS's schemas, which further fields of resources are not."""
    return (
        set(statement) == {"_type", "subject", "predicateType", "predicate"}
        and set(predicate) == {"serialization", "resources"}
        and set(settings) <= {"method", "hash_type", "shard_size", "allow_symlinks", "ignore_paths"}
    )


def _is_odd(ignored: str) -> bool:
    """Say whether a path to ignore is not one as OMS v1.0 (section 6.2.1) has them; it is taken literally still."""
    return not ignored or ignored[0] == "/" or "../" in f"{ignored}/" or not PATTERN_CHARACTERS.isdisjoint(ignored)


def _of_v0_2(subjects: list[object]) -> Statement:
    entries = [_object(subject, "subject") for subject in subjects]
    digests = [_object(entry.get("digest"), "digest").get("sha256") for entry in entries]
    return Statement(
        subject="",
        names=tuple(_strings([entry.get("name") for entry in entries], "name")),
        digests=tuple(_strings(digests, "digest")),
        signed_root=None,
        signed_tree=None,
        algorithm="sha256",
        shards=None,
        allow_symlinks=False,
        ignore_paths=(),
        format="oms-v0.2",
        oms=False,
    )


def _algorithm(settings: Mapping[str, object]) -> str:
    method, hash_type = settings.get("method"), settings.get("hash_type")
    if method not in ("files", "shards"):
        raise error("HASH_UNSUPPORTED", f"the manifest's method is {method}; known are files and shards")
    if not isinstance(hash_type, str) or _ALIASES.get(hash_type, hash_type) not in ALGORITHMS:
        raise error("HASH_UNSUPPORTED", f"the manifest's hash is {hash_type}; known are {', '.join(ALGORITHMS)}")
    return _ALIASES.get(hash_type, hash_type)


def _shard_size(settings: Mapping[str, object]) -> int | None:
    size = settings.get("shard_size")
    if settings["method"] == "files":
        if "shard_size" in settings:
            raise _malformed("shard_size stands in a manifest of whole files")
        return None
    # The reference writes the number through a protobuf Struct, as 4.0.
    if isinstance(size, bool) or not isinstance(size, (int, float)) or size < 1 or size != int(size):
        raise _malformed("shard_size is not a whole number of bytes")
    return int(size)


def _spellings(algorithm: str, size: int | None) -> set[str]:
    """Return what a resource may call the algorithm; the reference adds the size to it where it lists shards."""
    known = {algorithm, *(alias for alias, meant in _ALIASES.items() if meant == algorithm)}
    return known if size is None else known.union(f"{name}-sharded-{size}" for name in known)


def _shards(names: Iterable[str], size: int) -> tuple[tuple[tuple[int, int], ...], list[str]]:
    """Split ``path:start:end`` at its last two colons, and check that each file's ranges are what its size gives."""
    ranges, files = [], []
    spans: dict[str, list[tuple[int, int]]] = {}
    for name in names:
        file, span = parse_shard_name(name)
        if span is None:
            raise _malformed(f"the shard {name} is not `path:start:end`")
        files.append(file)
        ranges.append(span)
        spans.setdefault(file, []).append(span)
    for name, listed in spans.items():
        end = max(last for _, last in listed)
        count = -(-end // size)
        if len(listed) < count or set(listed) != set(Serialization(shard_size=size).spans(end)):
            raise _malformed(f"the shards of {name} are not what a file divides into at every {size} bytes")
    return tuple(ranges), files


def _check_order(names: list[str], shards: tuple[tuple[int, int], ...] | None, files: list[str]) -> bool:
    """Return True for the order of OMS and False for the reference's; refuse any other and duplicates."""
    if len(set(names)) != len(names):
        seen: set[str] = set()
        twice = next(name for name in names if name in seen or seen.add(name))  # type: ignore[func-returns-value] # add returns None on purpose
        raise error("MANIFEST_DUPLICATE_NAME", f"the manifest lists {twice} twice")
    if names == sorted(names):
        return True
    keys: list[object] = [path_part_order(name) for name in files]
    if shards is not None:
        keys = list(zip(keys, shards, strict=True))
    if keys != sorted(keys):  # type: ignore[type-var] # lists of one kind, compared element by element
        raise error("MANIFEST_UNSORTED", "the manifest's resources are in neither known order")
    return False


def _check_names(statement: Statement, *, strict_names: bool) -> None:
    if not statement.names:
        raise error("EMPTY_MODEL", "the signed manifest is empty")
    if set(statement.names) == {WHOLE_MODEL}:
        check_name(statement.subject, strict=strict_names)
        return
    for name in statement.names:
        check_name(name, strict=strict_names)
    if statement.format == "oms-v0.2" and len(set(statement.names)) != len(statement.names):
        raise error("MANIFEST_DUPLICATE_NAME", "the manifest lists a name twice")
    if strict_names:
        check_collisions(sorted(set(statement.names)))


def _check_digests(statement: Statement) -> None:
    joined = "".join(statement.digests)
    length = ALGORITHMS[statement.algorithm]
    if not re.fullmatch("[0-9a-f]*", joined) or any(len(digest) != length for digest in statement.digests):
        raise _malformed(f"a digest is not {length} lowercase hex digits")
    if statement.signed_root is not None and statement.signed_root != root_digest(statement.digests):
        raise error("MANIFEST_INCONSISTENT", "the signed root digest does not follow from the signed resources")
    whole = statement.algorithm == "sha256" and statement.shards is None and WHOLE_MODEL not in statement.names
    if whole and statement.signed_tree is not None:
        computed = tree_digest(dict(zip(statement.names, statement.digests, strict=True)))
        if statement.signed_tree != computed:
            raise error("MANIFEST_INCONSISTENT", "the signed tree digest does not follow from the signed resources")


def _object(value: object, where: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise _malformed(f"{where} is not an object")
    return value


def _list(value: object, where: str) -> list[object]:
    if not isinstance(value, list):
        raise _malformed(f"{where} is not a list")
    return value


def _string(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise _malformed(f"the {where} is not a string")
    return value


def _strings(values: list[object], where: str) -> list[str]:
    if set(map(type, values)) - {str}:
        raise _malformed(f"a {where} is not a string")
    return cast("list[str]", values)


def _malformed(what: str) -> ModelsignError:
    return error("MANIFEST_MALFORMED", f"the signed manifest is refused: {what}")
