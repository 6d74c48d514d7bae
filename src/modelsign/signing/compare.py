"""Compares a model's bytes with one signed statement, file by file.

Every file of the model must be in the statement and every resource in the model; what the signer left out must
be what the caller accepts. Decides nothing about keys.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, NamedTuple

from modelsign.artifact.hashing import hash_artifact, hash_descriptor, hash_ranges
from modelsign.artifact.inert import is_plainly_inert
from modelsign.artifact.manifest import root_digest, tree_digest
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

__all__ = ["Comparison", "Hashes", "check_given", "compare"]

_SHOWN = 5


class Comparison(NamedTuple):
    """How a model compares with a statement; ``faults`` is empty exactly when it meets it in full.

    ``root_digest`` is computed from the model's bytes, in the signed order where the names are the signed ones.
    """

    ledger: FileLedger
    root_digest: str
    faults: tuple[ModelsignError, ...]
    warnings: tuple[str, ...] = ()


class Hashes:
    """The digests of one model, computed at most once per algorithm and only when asked for."""

    def __init__(
        self,
        artifact: Artifact | Snapshot,
        given: Mapping[str, str] | None,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """Take the model, and its SHA-256 digests where they are known already.

        Raises:
            ModelsignError: ``USAGE`` where a file of the model has no digest: it would pass without being looked at.

        """
        if given is not None:
            check_given(given, artifact.names)
        self.artifact = artifact
        self.given = given
        self._progress = progress
        self._computed: dict[str, dict[str, str]] = {}

    def of(self, algorithm: str, aside: Collection[str] = ()) -> dict[str, str]:
        """Return name → hex digest for the model's files and for the files aside that are named.

        Raises:
            ModelsignError: a fault of reading, or ``HASH_UNSUPPORTED`` where the bytes would have to be read a second
                time to get another digest than the one given.

        """
        if algorithm not in self._computed:
            self._computed[algorithm] = self._compute(algorithm)
        digests = self._computed[algorithm]
        return digests | self._some(algorithm, aside) if aside else digests

    def root_digest(self) -> str:
        """Return OMS's root digest over the model's files, in the order of OMS."""
        digests = self.of("sha256")
        return root_digest(digests[name] for name in sorted(digests))

    def tree_digest(self) -> str:
        """Return the tree digest of the model's files."""
        return tree_digest(self.of("sha256"))

    def ranges(self, name: str, ranges: list[tuple[int, int]], algorithm: str) -> list[str] | None:
        """Return the digests of byte ranges that must cover the file end to end; None where they do not.

        Raises:
            ModelsignError: as :meth:`of`.

        """
        self._may_read_again("sharded manifests")
        return hash_ranges(self.artifact.descriptor(name), name, ranges, algorithm=algorithm)

    def _compute(self, algorithm: str) -> dict[str, str]:
        if algorithm == "sha256" and self.given is not None:
            return self._given(self.artifact.names)
        if algorithm == "sha256" or isinstance(self.artifact, Artifact):
            self._may_read_again(algorithm)
            return hash_artifact(self.artifact, algorithm=algorithm, progress=self._progress)
        return self._some(algorithm, self.artifact.names)

    def _some(self, algorithm: str, names: Iterable[str]) -> dict[str, str]:
        if algorithm == "sha256" and self.given is not None:
            return self._given(names)
        self._may_read_again(algorithm)
        if isinstance(self.artifact, Artifact):
            return hash_artifact(self.artifact, algorithm=algorithm, names=names)
        found = {}
        for name in names:
            descriptor = self.artifact.descriptor(name)
            try:
                found[name] = hash_descriptor(descriptor, name, new=getattr(hashlib, algorithm))
            finally:
                os.close(descriptor)
        return found

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
    """Compare a model with a statement.

    Raises:
        ModelsignError: a fault of reading the model, or ``HASH_UNSUPPORTED``.

    """
    if statement.shards is None:
        signed, changed, root = _compare_files(artifact, statement, hashes)
    else:
        signed, changed, root = _compare_shards(artifact, statement, hashes)
    present = set(artifact.names).union(artifact.aside)
    missing = [] if signed <= present else sorted(signed - present)
    unsigned = sorted(set(artifact.names) - signed)
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
    ledger = FileLedger(
        signed=len(signed),
        checked=len(signed) - len(missing),
        unsigned=tuple(unsigned),
        missing=tuple(missing),
        changed=tuple(changed),
        ignored=artifact.ignored,
    )
    return Comparison(ledger, root, tuple(faults), warnings)


def _compare_files(
    artifact: Artifact | Snapshot, statement: Statement, hashes: Hashes
) -> tuple[set[str], list[str], str]:
    names: tuple[str, ...] = statement.names
    if names == (WHOLE_MODEL,) and artifact.single_file:
        names = (statement.subject,)
    signed = set(names)
    aside = signed.intersection(artifact.aside)
    actual = hashes.of(statement.algorithm, aside)
    expected = dict(zip(names, statement.digests, strict=True))
    if actual == expected:
        return signed, [], root_digest(statement.digests)
    present = aside.union(artifact.names)
    changed = sorted(name for name in signed & present if actual.get(name) != expected[name])
    order = names if signed == set(actual) else sorted(actual)
    return signed, changed, root_digest(actual[name] for name in order)


def _compare_shards(
    artifact: Artifact | Snapshot, statement: Statement, hashes: Hashes
) -> tuple[set[str], list[str], str]:
    shards: dict[str, list[tuple[tuple[int, int], str]]] = {}
    for name, span, digest in zip(statement.names, statement.shards or (), statement.digests, strict=True):
        shards.setdefault(name, []).append((span, digest))
    present = set(artifact.names).union(artifact.aside)
    changed = []
    for name in sorted(shards.keys() & present):
        parts = sorted(shards[name])
        actual = hashes.ranges(name, [span for span, _ in parts], statement.algorithm)
        if actual != [digest for _, digest in parts]:
            changed.append(name)
    whole = not changed and set(shards) == set(artifact.names)
    return set(shards), changed, root_digest(statement.digests) if whole else hashes.root_digest()


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
