"""Compares a model's bytes with one signed statement, file by file.

Every file of the model must be in the statement and every resource in the model; what the signer left out must
be what the caller accepts. Decides nothing about keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign.artifact.hashing import hash_artifact, hash_model
from modelsign.artifact.inert import is_plainly_inert
from modelsign.artifact.manifest import FILES, Serialization, root_digest, shard_name, tree_digest
from modelsign.artifact.model import Artifact
from modelsign.errors import error
from modelsign.signing.oms import WHOLE_MODEL
from modelsign.verdict import FileLedger

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from modelsign.artifact.reading import FileReading
    from modelsign.artifact.snapshot import Snapshot
    from modelsign.errors import ModelsignError
    from modelsign.signing.oms import Statement
    from modelsign.signing.selection import Selection

__all__ = ["Comparison", "Hashes", "check_given", "compare"]

_SHOWN: Final = 5
_EMPTY: Final = tree_digest({})
"""SHA-256 of nothing, which the tree of no files is too."""


class Comparison(NamedTuple):
    """How a model compares with a statement; ``faults`` is empty exactly when it meets it in full.

    ``root_digest`` is computed from the model's bytes, in the signed order where the names are the signed ones; None
    where only some files were looked at, or the digests at hand do not give it.
    """

    ledger: FileLedger
    root_digest: str | None
    faults: tuple[ModelsignError, ...]
    warnings: tuple[str, ...] = ()


class Hashes:
    """The digests of one model, computed at most once per serialization and only when asked for.

    Every pass over the bytes computes SHA-256 of the whole files too, for the tree digest; a second pass must find
    the same. Without ``tree`` that is left out where the manifest does not ask for it.
    """

    def __init__(
        self,
        artifact: Artifact | Snapshot,
        given: Mapping[str, str] | None,
        progress: Callable[[int], None] | None = None,
        *,
        tree: bool = True,
        only: Selection | None = None,
    ) -> None:
        """Take the model, its SHA-256 digests where they are known already, and which of its files matter.

        Raises:
            ModelsignError: ``USAGE`` where a file of the model has no digest: it would pass without being looked at.

        """
        self.only = only
        self.names = artifact.names if only is None else tuple(filter(only.chooses, artifact.names))
        if given is not None:
            check_given(given, self.names)
        self.artifact = artifact
        self.given = given
        self._tree = tree and only is None
        self._progress = progress
        self._whole: Mapping[str, str] | None = None
        self._passes: dict[object, Mapping[str, str]] = {}

    def of(self, algorithm: str, aside: Collection[str] = ()) -> Mapping[str, str]:
        """Return name → hex digest for the model's files and for the files aside that are named.

        Raises:
            ModelsignError: a fault of reading, or ``HASH_UNSUPPORTED`` where the bytes would have to be read a second
                time to get another digest than the one given.

        """
        digests = self._pass(Serialization(algorithm))
        if not aside:
            return digests
        if algorithm == "sha256" and self.given is not None:
            return {**digests, **self._given(aside)}
        self._may_read_again(algorithm)
        return {**digests, **hash_artifact(self.artifact, algorithm=algorithm, names=aside)}

    def shards(
        self, serialization: Serialization, sizes: Mapping[str, int], aside: Collection[str] = ()
    ) -> Mapping[str, str]:
        """Return shard name → hex digest for the files that have the signed ``sizes``, those aside that are named too.

        Raises:
            ModelsignError: as :meth:`of`.

        """
        listed = self._pass(serialization, sizes)
        if not aside:
            return listed
        more = hash_model(self.artifact, serialization, tree=False, names=aside, expected=sizes)
        return {**listed, **more.listed}

    @property
    def whole(self) -> Mapping[str, str] | None:
        """Name → SHA-256 hex of whole files, as far as some pass gave them."""
        return self._given(self.names) if self.given is not None else self._whole

    def root_digest(self) -> str | None:
        """Return OMS's root digest over the model's files, in the order of OMS; None where it was not computed."""
        digests = self._needed()
        return None if digests is None else root_digest(digests[name] for name in sorted(digests))

    def tree_digest(self, aside: Collection[str] = ()) -> str | None:
        """Return the tree digest of the model's files, with those aside; None where it was not wanted."""
        digests = self._needed()
        if digests is not None and aside:
            digests = {**digests, **(self._given(aside) if self.given else hash_artifact(self.artifact, names=aside))}
        return None if digests is None else tree_digest(digests)

    def _needed(self) -> Mapping[str, str] | None:
        if self.only is not None:
            return None
        if self.whole is None and self._tree:
            self._pass(FILES)
        return self.whole

    def _pass(self, serialization: Serialization, sizes: Mapping[str, int] | None = None) -> Mapping[str, str]:
        if serialization == FILES and self.given is not None:
            return self._given(self.names)
        key = (serialization, tuple(sizes.items()) if sizes else None)
        if key in self._passes:
            return self._passes[key]
        self._may_read_again(f"a manifest of {serialization.method} under {serialization.algorithm}")
        names = None if self.only is None else self.names
        if serialization == FILES:
            listed: Mapping[str, str] = hash_artifact(self.artifact, names=names, progress=self._progress)
            whole = listed
        else:
            tree = self._tree or self._whole is not None
            found = hash_model(
                self.artifact, serialization, tree=tree, names=names, expected=sizes, progress=self._progress
            )
            listed, whole = found.listed, found.whole
        if whole and self.whole not in (None, whole):
            raise error("FILE_CHANGED_WHILE_READ", "a file was written to between two readings of the model")
        self._whole = self._whole or whole or None
        self._passes[key] = listed
        return listed

    def _given(self, names: Iterable[str]) -> dict[str, str]:
        given, wanted = self.given or {}, tuple(names)
        check_given(given, wanted)
        return {name: given[name] for name in wanted}

    def _may_read_again(self, what: str) -> None:
        if self.given is not None and isinstance(self.artifact, Artifact):
            raise error("HASH_UNSUPPORTED", f"{what} would need a second reading of the model, which is not judged")


def check_given(given: Mapping[str, str], names: Iterable[str]) -> None:
    """Refuse digests that were handed in and do not name every file they are to stand for.

    Raises:
        ModelsignError: ``USAGE``.

    """
    lacking = [name for name in names if name not in given]
    if lacking:
        raise error(
            "USAGE",
            f"digests were handed in, and there is none for {_some_of(lacking)}",
            advice="Hand in the SHA-256 of every file of the model, or none at all: then the files are read.",
        )


def compare(  # noqa: PLR0913 - the relaxations are the caller's, one by one
    artifact: Artifact | Snapshot,
    statement: Statement,
    hashes: Hashes,
    *,
    accepted_ignores: Collection[str],
    ignore_unsigned_files: bool = False,
    unsigned_loadable: bool = False,
    is_inert: Callable[[FileReading, str], bool] = is_plainly_inert,
) -> Comparison:
    """Compare a model with a statement, or only the files that ``hashes`` was made for.

    Raises:
        ModelsignError: a fault of reading the model, or ``HASH_UNSUPPORTED``.

    """
    every = set(_names(artifact, statement))
    signed, unchecked = _chosen(artifact, every, hashes.only)
    if statement.shard_size is None:
        changed, root = _compare_files(artifact, statement, hashes, signed)
        unlisted: set[str] = set()
    else:
        changed, root = _compare_shards(artifact, statement, hashes, signed)
        unlisted = _empty_files(statement, hashes, every)
    present = set(artifact.names).union(artifact.aside)
    missing = [] if signed <= present else sorted(signed - present)
    unsigned = sorted(set(hashes.names) - signed - unlisted)
    faults = [
        *_too_many_ignored(statement, accepted_ignores),
        *_named("FILE_CHANGED", "changed since it was signed", changed),
        *_renamed(artifact, statement, missing, unsigned),
        *_named("FILE_MISSING", "is signed and not there", missing),
    ]
    warnings: tuple[str, ...] = ()
    if unsigned and ignore_unsigned_files:
        loadable = [] if unsigned_loadable else [name for name in unsigned if not _ask(is_inert, artifact, name)]
        faults += _named("UNSIGNED_LOADABLE", "is not signed and could be loaded", loadable)
        warnings = (f"{_some_of(unsigned)} not signed",)
    else:
        faults += _named("FILE_UNSIGNED", "is there and not signed", unsigned)
    if not faults and not unsigned:
        other, notes = _other_tree(artifact, statement, hashes)
        faults += other
        warnings += notes
    ledger = FileLedger(
        signed=len(every) + len(unlisted),
        checked=len(signed) + len(unlisted) - len(missing),
        unsigned=tuple(unsigned),
        missing=tuple(missing),
        changed=tuple(changed),
        ignored=artifact.ignored,
        unchecked=tuple(unchecked),
    )
    return Comparison(ledger, root, tuple(faults), warnings)


def _names(artifact: Artifact | Snapshot, statement: Statement) -> tuple[str, ...]:
    """Return the signed names; a single file may be signed under the reference implementation's name for it."""
    if artifact.single_file and set(statement.names) == {WHOLE_MODEL}:
        return (statement.subject,) * len(statement.names)
    return statement.names


def _chosen(artifact: Artifact | Snapshot, every: set[str], only: Selection | None) -> tuple[set[str], list[str]]:
    """Return the signed names to look at, and every other name there is.

    Raises:
        ModelsignError: ``ONLY_MATCHES_NOTHING``.

    """
    if only is None:
        return every, []
    known = every.union(artifact.names)
    only.check(known)
    chosen = set(filter(only.chooses, known))
    return every & chosen, sorted(known - chosen)


def _compare_files(
    artifact: Artifact | Snapshot, statement: Statement, hashes: Hashes, signed: set[str]
) -> tuple[list[str], str | None]:
    names = _names(artifact, statement)
    aside = signed.intersection(artifact.aside)
    actual = hashes.of(statement.algorithm, aside)
    expected = dict(zip(names, statement.digests, strict=True))
    if actual == expected:
        return [], root_digest(statement.digests)
    present = aside.union(hashes.names)
    changed = sorted(name for name in signed & present if actual.get(name) != expected[name])
    if hashes.only is not None:
        return changed, None
    order = names if expected.keys() == actual.keys() else sorted(actual)
    return changed, root_digest(actual[name] for name in order)


def _compare_shards(
    artifact: Artifact | Snapshot, statement: Statement, hashes: Hashes, signed: set[str]
) -> tuple[list[str], str | None]:
    sizes: dict[str, int] = {}
    names = _names(artifact, statement)
    for name, (_, end) in zip(names, statement.shards or (), strict=True):
        sizes[name] = max(end, sizes.get(name, 0))
    aside = signed.intersection(artifact.aside)
    actual = _whole_files_that_are_shards(artifact, statement, hashes, sizes)
    if actual is None:
        actual = hashes.shards(Serialization(statement.algorithm, statement.shard_size), sizes, aside)
    present = aside.union(hashes.names)
    shards = zip(names, statement.shards or (), statement.digests, strict=True)
    differ = {name for name, span, digest in shards if actual.get(shard_name(name, *span)) != digest}
    changed = sorted(differ & signed & present)
    if hashes.only is not None:
        return changed, None
    whole = not differ and sizes.keys() <= present
    return changed, root_digest(statement.digests) if whole else hashes.root_digest()


def _whole_files_that_are_shards(
    artifact: Artifact | Snapshot, statement: Statement, hashes: Hashes, sizes: Mapping[str, int]
) -> Mapping[str, str] | None:
    """Return the digests of shards from given ones of whole files, where each file is one shard; else None."""
    if hashes.given is None or statement.algorithm != "sha256" or len(sizes) != len(statement.names):
        return None
    whole = hashes.whole or {}
    there = {entry.name: entry.size for entry in artifact.files if entry.name in whole}
    return {shard_name(name, 0, size): whole[name] for name, size in sizes.items() if size == there.get(name)}


def _empty_files(statement: Statement, hashes: Hashes, every: set[str]) -> set[str]:
    """Return the empty files, which no manifest of shards lists, where a signed tree digest can tell about them."""
    if statement.signed_tree is None or hashes.only is not None or hashes.tree_digest() is None:
        return set()
    digests = hashes.whole or {}
    return {name for name in hashes.names if name not in every and digests.get(name) == _EMPTY}


def _other_tree(
    artifact: Artifact | Snapshot, statement: Statement, hashes: Hashes
) -> tuple[list[ModelsignError], tuple[str, ...]]:
    """Compare the tree digests where all that is listed agrees; whole files under SHA-256 are the tree themselves."""
    listed_is_tree = bool(statement.whole_files) and WHOLE_MODEL not in statement.names
    if statement.signed_tree is None or listed_is_tree or hashes.only is not None:
        return [], ()
    computed = hashes.tree_digest(set(statement.names).intersection(artifact.aside))
    if computed is None:
        return [], ("the signed tree digest was not compared: empty files may have been removed",)
    if computed == statement.signed_tree:
        return [], ()
    what = "an empty file was added, removed or renamed, or the signer's tree digest is of other files"
    return [error("TREE_DIGEST_DIFFERS", f"all listed resources are as signed, and the tree is not: {what}")], ()


def _ask(is_inert: Callable[[FileReading, str], bool], artifact: Artifact | Snapshot, name: str) -> bool:
    with artifact.open(name) as reading:
        return is_inert(reading, name)


def _too_many_ignored(statement: Statement, accepted: Collection[str]) -> list[ModelsignError]:
    extra = [path for path in statement.extra_ignores if path not in accepted]
    return _named("SIGNER_IGNORES_MORE", "was left out by the signer", extra)


def _renamed(
    artifact: Artifact | Snapshot, statement: Statement, missing: list[str], unsigned: list[str]
) -> list[ModelsignError]:
    """Say in one word what happened to a single file under another name."""
    if artifact.single_file and len(missing) == len(unsigned) == 1 and len(statement.names) == 1:
        return [error("MODEL_RENAMED", f"the signed name is {missing[0]}, this file's is {unsigned[0]}")]
    return []


def _named(code: str, what: str, names: list[str]) -> list[ModelsignError]:
    if not names:
        return []
    subject = f"{names[0]} {what}" if len(names) == 1 else f"{_some_of(names)}: each {what}"
    return [error(code, subject, details={"names": names})]


def _some_of(names: list[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"
