"""Signing again a model of which a few files changed: the rest of the digests comes from the previous signature.

The signer says which files changed; those and new ones are hashed, the digests of the others are taken over from a
bundle that must first verify. Nothing is inferred from times: a process that has a file mapped can change it without
touching them. So the signer vouches for what was taken over without it being read, and the answer lists it.

Verification never takes this way: it has no use for an earlier bundle and reads every byte.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from modelsign.artifact.hashing import hash_model
from modelsign.artifact.manifest import FILES, Digests, Serialization, shard_name
from modelsign.artifact.names import covers
from modelsign.errors import error
from modelsign.signing.dsse import pae
from modelsign.signing.trust import Vouch, refuse_legacy
from modelsign.signing.verify import VerifyOptions, recognise
from modelsign.verdict import Signer

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from modelsign.artifact.model import Artifact
    from modelsign.signing.bundle import Bundle
    from modelsign.signing.keys import VerifyKey
    from modelsign.signing.oms import Statement
    from modelsign.signing.trust import Trust

__all__ = ["OwnKey", "TakenOver", "take_over"]

_SHOWN = 5


class OwnKey(NamedTuple):
    """Trusts what the key that signs now signed before, under a bare key or a certificate: nobody else could have."""

    key: VerifyKey
    method: str = "key"

    @property
    def id(self) -> str:
        """The digest of the canonical key."""
        return self.key.digest

    @property
    def label(self) -> str:
        """What messages call it."""
        return self.key.digest

    @property
    def single(self) -> bool:
        """True: a key is one signer."""
        return True

    def vouch(self, bundle: Bundle, *, allow_legacy: bool = False) -> Vouch:
        """Say whether the key made the bundle's signature.

        Raises:
            ModelsignError: ``SIGNATURE_WRONG_KEY`` or ``LEGACY_NOT_ALLOWED``.

        """
        if not self.key.accepts(pae(bundle.payload_type, bundle.payload), bundle.signature):
            raise error(
                "SIGNATURE_WRONG_KEY",
                f"the previous bundle was not signed with the key {self.key.digest}",
                advice="Name the public key that made it with --previous-key, if its digests are to be believed.",
            )
        refuse_legacy(bundle, allow_legacy=allow_legacy)
        signer = Signer(method=self.method, algorithm=self.key.algorithm, key_digest=self.key.digest)
        return Vouch(signer, self.key.oms)


class TakenOver(NamedTuple):
    """All digests of a model, and the files whose digests were taken over without reading them, sorted."""

    digests: Digests
    unread: tuple[str, ...]


def take_over(  # noqa: PLR0913 - the settings of one signature
    artifact: Artifact,
    previous: bytes,
    trusted: Sequence[Trust],
    changed: Iterable[str],
    *,
    serialization: Serialization | None = None,
    tree: bool = True,
    now: datetime | None = None,
    strict_names: bool = True,
    progress: Callable[[int], None] | None = None,
) -> TakenOver:
    """Hash the named and the new files of a model, and take the other digests over from a previous bundle.

    ``changed`` are files and folders relative to the model, exact. The previous bundle must verify against one of
    those ``trusted``, at the time ``now``; ``serialization`` must be its own, and is by default.

    Raises:
        ModelsignError: a reason of the bundle or its signature, ``PREVIOUS_UNSUITABLE``, ``CHANGED_MATCHES_NOTHING``,
            ``FILE_MISSING`` for a file that is gone and was not named, ``FILE_CHANGED`` for one whose size shows that
            it should have been, or a fault of reading.

    """
    if artifact.single_file:
        raise _unsuitable("the model is one file, of which nothing could be taken over")
    said = recognise(previous, trusted, VerifyOptions(strict_names=strict_names, now=now))
    signed = _Signed(said.statement)
    if serialization not in (None, signed.serialization):
        raise _unsuitable(f"it lists {signed.serialization.method} under {signed.serialization.algorithm}")
    named = [os.path.normpath(path) for path in changed]
    there = {entry.name: entry.size for entry in artifact.files}
    _check_named(named, {*there, *signed.names})
    gone = sorted(name for name in signed.names - there.keys() if not _covered(name, named))
    if gone:
        raise error(
            "FILE_MISSING",
            f"{_some(gone)}: in the previous signature, not there, and not named as changed",
            advice="Name what was removed with --changed too, or sign all of the model anew.",
        )
    unread = {name for name in there if name in signed.names and not _covered(name, named)}
    signed.check_sizes({name: there[name] for name in unread})
    if tree and not signed.tells_whole(unread):
        raise _unsuitable(
            "its manifest does not tell the SHA-256 of whole files, which the tree digest is made of",
            advice="Sign all of the model anew, or pass --no-tree-digest.",
        )
    fresh = hash_model(artifact, signed.serialization, tree=tree, names=there.keys() - unread, progress=progress)
    digests = Digests(
        signed.serialization,
        {**fresh.listed, **signed.listed(unread)},
        {**fresh.whole, **signed.whole(unread)} if tree or signed.serialization == FILES else {},
        there,
    )
    return TakenOver(digests, tuple(sorted(unread)))


class _Signed:
    """What the previous statement says, by file."""

    def __init__(self, statement: Statement) -> None:
        if statement.format != "oms-v1.0":
            raise _unsuitable("it is of another format than OMS v1.0")
        self.serialization = Serialization(statement.algorithm, statement.shard_size)
        self._of: dict[str, dict[str, str]] = {}
        self._sizes: dict[str, int] = {}
        shards = statement.shards or ((0, 0),) * len(statement.names)
        for name, (start, end), digest in zip(statement.names, shards, statement.digests, strict=True):
            listed = name if statement.shards is None else shard_name(name, start, end)
            self._of.setdefault(name, {})[listed] = digest
            self._sizes[name] = max(end, self._sizes.get(name, 0))
        self.names = self._of.keys()
        self.sharded = statement.shards is not None

    def check_sizes(self, sizes: Mapping[str, int]) -> None:
        """Refuse a file that has another size than it was signed with; only shards tell."""
        other = sorted(name for name, size in sizes.items() if self.sharded and size != self._sizes[name])
        if other:
            raise error(
                "FILE_CHANGED",
                f"{_some(other)}: another size than in the previous signature, and not named as changed",
                advice="Name every file that changed with --changed, or sign all of the model anew.",
            )

    def tells_whole(self, names: Collection[str]) -> bool:
        """Say whether the SHA-256 of these files follows from what is listed."""
        if not names:
            return True
        return self.serialization.algorithm == "sha256" and all(len(self._of[name]) == 1 for name in names)

    def listed(self, names: Iterable[str]) -> dict[str, str]:
        return {listed: digest for name in names for listed, digest in self._of[name].items()}

    def whole(self, names: Iterable[str]) -> dict[str, str]:
        return {name: next(iter(self._of[name].values())) for name in names}


def _check_named(named: Iterable[str], known: Iterable[str]) -> None:
    names = tuple(known)
    for path in named:
        if not any(covers(path, name) for name in names):
            raise error("CHANGED_MATCHES_NOTHING", f"neither the model nor the previous signature has {path}")


def _covered(name: str, named: Iterable[str]) -> bool:
    return any(covers(path, name) for path in named)


def _unsuitable(why: str, *, advice: str | None = None) -> Exception:
    return error("PREVIOUS_UNSUITABLE", f"the previous signature cannot be built on: {why}", advice=advice)


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"
