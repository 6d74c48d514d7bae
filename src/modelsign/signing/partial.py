"""Verification as files are needed: the signatures first, then single files, byte ranges, tensors.

For whoever has only a part of a model, or fetches it piece by piece: the signed statements are verified once, and each
read returns bytes that were compared with them. A manifest of shards needs the shards that a range touches; one of
whole files needs the whole file, whatever range is asked for. What was not looked at stays listed, and no answer of
this module is VERIFIED: the model as a whole was not seen, so files that nobody signed were not either.

Never returns a byte before its digest was compared, and never trusts a size that is not signed.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from modelsign.artifact.algorithms import hasher_of
from modelsign.artifact.model import unreadable
from modelsign.artifact.tensors import read_tensor_places
from modelsign.errors import ModelsignError, error
from modelsign.signing.envelope import trusts_of
from modelsign.signing.oms import WHOLE_MODEL
from modelsign.signing.selection import not_looked_at
from modelsign.signing.verify import VerifyOptions, check_threshold, lacking_of, recognise
from modelsign.verdict import FileLedger, VerifyResult, VerifyVerdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from modelsign.artifact.model import Artifact
    from modelsign.artifact.snapshot import Snapshot
    from modelsign.artifact.tensors import TensorPlace
    from modelsign.signing.keys import VerifyKey
    from modelsign.signing.oms import Statement
    from modelsign.signing.trust import Trust
    from modelsign.signing.verify import Recognised
    from modelsign.verdict import Signer

__all__ = ["ByteSource", "LocalBytes", "SignedFiles", "Tensor", "open_signed"]

_BLOCK: Final = 1024 * 1024
_KEPT: Final = 64 * 1024 * 1024
"""Bytes that are kept before they are verified on the word of a source alone; more need a size that is known."""


class ByteSource(Protocol):
    """Where bytes come from: a folder, or a server that is asked for ranges. Nothing it says is believed."""

    def size(self, name: str) -> int:
        """Return the size of a file in bytes."""
        ...

    def read(self, name: str, start: int, end: int) -> bytes:
        """Return the bytes of a file from ``start`` to ``end``, fewer only where the file ends."""
        ...


class LocalBytes:
    """The files of an opened model, or of its private copy."""

    def __init__(self, artifact: Artifact | Snapshot) -> None:
        """Take the model; it stays the caller's to close."""
        self._artifact = artifact

    def size(self, name: str) -> int:
        """Return the size of a file.

        Raises:
            ModelsignError: ``FILE_MISSING``, ``FILE_UNREADABLE`` or ``FILE_CHANGED_WHILE_READ``.

        """
        descriptor = self._open(name)
        try:
            return os.fstat(descriptor).st_size
        finally:
            os.close(descriptor)

    def read(self, name: str, start: int, end: int) -> bytes:
        """Return bytes of a file.

        Raises:
            ModelsignError: as :meth:`size`.

        """
        descriptor = self._open(name)
        try:
            return os.pread(descriptor, end - start, start)
        except OSError as fault:
            raise unreadable(name, fault) from None
        finally:
            os.close(descriptor)

    def _open(self, name: str) -> int:
        try:
            return self._artifact.descriptor(name)
        except KeyError:
            raise error("FILE_MISSING", f"{name} is not there") from None


class Tensor(NamedTuple):
    """A tensor's type as safetensors writes it, its shape, and its verified bytes."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes


class SignedFiles:
    """What enough trusted signers signed about a model's files; each read is verified against all of them."""

    def __init__(self, recognised: Sequence[Recognised], faults: Sequence[ModelsignError]) -> None:
        """Take the statements that count; :func:`open_signed` finds them."""
        self._statements = [_Listing(entry) for entry in recognised]
        self.signers: tuple[Signer, ...] = tuple(
            {vouch.signer: None for entry in recognised for vouch in entry.vouches.values()}
        )
        self.names: tuple[str, ...] = tuple(sorted(set.intersection(*(set(each.files) for each in self._statements))))
        """The files that every statement names, sorted."""
        self._recognised = recognised
        self._notes = tuple(f"a bundle was not counted: {fault.message}" for fault in faults)
        self._checked: set[str] = set()
        self._changed: set[str] = set()
        self._tensors: dict[str, Mapping[str, TensorPlace]] = {}

    @property
    def unchecked(self) -> tuple[str, ...]:
        """The files that were not looked at from end to end, sorted."""
        return tuple(name for name in self.names if name not in self._checked)

    def check(self, source: ByteSource, name: str) -> None:
        """Verify a whole file, in constant memory.

        Raises:
            ModelsignError: ``FILE_UNSIGNED``, ``FILE_CHANGED``, ``HASH_UNSUPPORTED``, or whatever the source raises.

        """
        for statement in self._of(name):
            size = statement.size(name, source)
            if source.size(name) != size:
                raise self._refused(name)
            for _ in self._verified(statement, source, name, 0, size, keep=False):
                pass
        self._checked.add(name)
        self._changed.discard(name)

    def read(self, source: ByteSource, name: str, start: int = 0, end: int | None = None) -> bytes:
        """Return verified bytes of a file from ``start`` to ``end`` (by default all), as many as there are.

        Memory is at most twice the bytes returned, and 64 MiB. Where the manifest does not tell a file's size, a longer
        range is read once to verify the size that the source claims, and again to be kept.

        Raises:
            ModelsignError: ``ARGUMENT_INVALID`` for a range that is none, or as :meth:`check`.

        """
        if start < 0 or (end is not None and end < start):
            raise error("ARGUMENT_INVALID", f"from {start} to {end} is no range of bytes")
        data: bytes | None = None
        for statement in self._of(name):
            known = _Measured(source, statement.size(name, source))
            stop = known.size(name) if end is None else min(end, known.size(name))
            if not statement.tells_size(name) and stop - min(start, stop) > _KEPT:
                for _ in self._verified(statement, known, name, 0, known.size(name), keep=False):
                    pass
            blocks = self._verified(statement, known, name, min(start, stop), stop)
            if data is None:
                data = b"".join(blocks)
            elif not _same(data, blocks):
                raise error("FILE_CHANGED_WHILE_READ", f"{name} was written to between two readings")
        return data or b""

    def tensors(self, source: ByteSource, name: str) -> Mapping[str, TensorPlace]:
        """Return tensor name → type, shape and place in a safetensors file, from its verified header.

        Raises:
            ModelsignError: ``TENSORS_MALFORMED``, or as :meth:`read`.

        """
        if name not in self._tensors:
            size = min(statement.size(name, source) for statement in self._of(name))
            self._tensors[name] = read_tensor_places(name, size, lambda start, end: self.read(source, name, start, end))
        return self._tensors[name]

    def tensor(self, source: ByteSource, name: str, tensor: str) -> Tensor:
        """Return one tensor of a safetensors file, verified.

        Raises:
            KeyError: the file has no such tensor.
            ModelsignError: as :meth:`tensors`.

        """
        place = self.tensors(source, name)[tensor]
        return Tensor(place.dtype, place.shape, self.read(source, name, place.start, place.end))

    def result(self) -> VerifyResult:
        """Say what was verified so far: PARTIAL at best, with every file that was not looked at."""
        ledger = FileLedger(
            signed=len(self.names),
            checked=len(self._checked),
            changed=tuple(sorted(self._changed)),
            unchecked=self.unchecked,
        )
        reasons = tuple(error("FILE_CHANGED", f"{name} changed since it was signed") for name in ledger.changed)
        shown = self._recognised[0]
        return VerifyResult(
            VerifyVerdict.REFUSED if reasons else VerifyVerdict.PARTIAL,
            None,
            None,
            shown.statement.signed_root,
            oms=shown.statement.oms and not shown.legacy and all(vouch.oms for vouch in shown.vouches.values()),
            format=shown.statement.format,
            signers=self.signers,
            files=ledger,
            reasons=reasons,
            warnings=(not_looked_at(ledger), *self._notes),
        )

    def _of(self, name: str) -> list[_Listing]:
        if name not in self.names:
            raise error("FILE_UNSIGNED", f"{name} is not in what was signed")
        return self._statements

    def _verified(  # noqa: PLR0913 - the range, and where it comes from
        self, statement: _Listing, source: ByteSource, name: str, start: int, end: int, *, keep: bool = True
    ) -> Iterator[bytes]:
        """Yield the bytes of a range, or nothing, after each piece of it was compared; hold no more than that."""
        for first, last, digest in statement.pieces(name, source, start, end):
            hasher, kept, at = hasher_of(statement.algorithm)(), [], first
            while at < last:
                block = source.read(name, at, min(at + _BLOCK, last))[: last - at]
                if not block:
                    raise self._refused(name)
                hasher.update(block)
                if keep and at < end and at + len(block) > start:
                    kept.append(block[max(0, start - at) : max(0, end - at)])
                at += len(block)
            if hasher.hexdigest() != digest:
                raise self._refused(name)
            yield from kept

    def _refused(self, name: str) -> ModelsignError:
        self._changed.add(name)
        return error("FILE_CHANGED", f"{name} changed since it was signed", details={"names": [name]})


class _Measured:
    """A source whose file has one size, whatever it says the next time."""

    def __init__(self, source: ByteSource, size: int) -> None:
        self._source = source
        self._size = size

    def size(self, name: str) -> int:
        del name
        return self._size

    def read(self, name: str, start: int, end: int) -> bytes:
        return self._source.read(name, start, end)


def _same(data: bytes, blocks: Iterator[bytes]) -> bool:
    """Whether blocks join to the same bytes."""
    at, view = 0, memoryview(data)
    for block in blocks:
        if view[at : at + len(block)] != block:
            return False
        at += len(block)
    return at == len(data)


class _Listing:
    """One statement by file: the pieces (start, end, digest) that were signed; end is None for a whole file."""

    def __init__(self, entry: Recognised) -> None:
        statement = entry.statement
        self.algorithm = statement.algorithm
        self.step = statement.shard_size
        self.files: dict[str, list[tuple[int, int | None, str]]] = {}
        spans: Sequence[tuple[int, int | None]] = statement.shards or [(0, None)] * len(statement.names)
        for name, (start, end), digest in zip(statement.names, spans, statement.digests, strict=True):
            known = statement.subject if name == WHOLE_MODEL else name
            self.files.setdefault(known, []).append((start, end, digest))
        for pieces in self.files.values():
            pieces.sort(key=lambda piece: piece[0])

    def size(self, name: str, source: ByteSource) -> int:
        """Return a file's size: the signed one where the manifest tells it, else the source's, bound by the digest."""
        end = self.files[name][-1][1]
        return source.size(name) if end is None else end

    def tells_size(self, name: str) -> bool:
        """Whether the file's size was signed, as the end of its last piece."""
        return self.files[name][-1][1] is not None

    def pieces(self, name: str, source: ByteSource, start: int, end: int) -> Iterator[tuple[int, int, str]]:
        """Return the signed pieces that a range touches; an empty range touches none, unless it is the whole file."""
        for first, last, digest in self.files[name]:
            stop = source.size(name) if last is None else last
            if last is None or (first < end and stop > start):
                yield first, stop, digest


def open_signed(
    bundles: bytes | Sequence[bytes], keys: Sequence[VerifyKey | Trust], *, options: VerifyOptions | None = None
) -> SignedFiles:
    """Verify signatures over a model, and return what was signed, to verify its files one at a time.

    Every key that is named must have signed, unless ``options.threshold`` says less.

    Raises:
        ModelsignError: ``NO_TRUST_SOURCE``, ``THRESHOLD_IMPOSSIBLE``, ``SIGNATURE_MISSING``, ``SIGNATURES_TOO_FEW``,
            ``MODEL_REVOKED``, or the reason why the only bundle does not count.

    """
    options = options or VerifyOptions()
    trusted = trusts_of(keys)
    check_threshold(trusted, options.threshold)
    found: list[Recognised] = []
    faults: list[ModelsignError] = []
    for data in [bundles] if isinstance(bundles, bytes) else list(dict.fromkeys(bundles)):
        try:
            found.append(recognise(data, trusted, options))
        except ModelsignError as fault:
            faults.append(fault)
    if not found:
        raise faults[0] if faults else error("SIGNATURE_MISSING", "the model has no signature")
    lacking = lacking_of(trusted, found, options)
    if lacking:
        raise lacking
    for entry in found:
        _refuse_revoked(entry.statement, options)
    return SignedFiles(found, faults)


def _refuse_revoked(statement: Statement, options: VerifyOptions) -> None:
    if options.revocations is None:
        return
    whole = statement.algorithm == "sha256" and statement.shards is None
    digests = dict(zip(statement.names, statement.digests, strict=True)) if whole else {}
    revoked = options.revocations.against_model(statement.tree_digest, digests)
    if revoked:
        raise revoked[0]
