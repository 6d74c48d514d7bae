"""``with modelsign.verified(path, policy=…) as model:`` gives a private, sealed, judged copy of a model.

The bytes are copied into sealed memory first, then the copy is checked against the policy, and the block runs only
on ALLOW. Everything inside the block (``model.path``, ``model.open``, ``model.load``) reaches the copy and nothing
else, so whoever writes to the original, renames it or adds files to it changes nothing (DESIGN, security rule 6).

``model.path`` holds the manifest's resources alone: no evidence files, no ignored files, nothing added later.
It leads to this process's own descriptors through ``/proc``, so it works in this process, in children it forks and in
programs it starts, for as long as the block runs. It is a folder of links in the temporary folder, which another
process of the same user could exchange; ``model.open`` and ``model.load`` do without it. It is removed when the block
is left, also by an exception. A signal that ends the process at once (SIGKILL, SIGTERM without a handler) leaves it
behind: dead links, and no byte of the model. A server that wants it gone turns SIGTERM into ``SystemExit``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, Final

from modelsign import limits
from modelsign.artifact.model import open_artifact
from modelsign.artifact.snapshot import take_snapshot
from modelsign.check import check_model, collect_evidence, one_or_many
from modelsign.confined.scanning import is_inert
from modelsign.errors import error
from modelsign.guard.denial import denial
from modelsign.guard.handover import hand_over
from modelsign.guard.loader import LoadOptions
from modelsign.policy.document import Policy, load_policy
from modelsign.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Literal

    from modelsign.artifact.model import FileEntry
    from modelsign.artifact.snapshot import Snapshot
    from modelsign.policy.parameters import Value
    from modelsign.verdict import CheckResult

__all__ = ["Stage", "VerifiedModel", "verified"]

_FRAMEWORKS: Final = ("numpy", "torch")


class Stage(StrEnum):
    """How far the gate is; what ``progress`` is called with."""

    OPENED = "opened"
    """The model's files are known; no byte is copied yet."""
    COPIED = "copied"
    """The sealed copy is complete; from here on the original does not matter."""
    JUDGED = "judged"
    """The policy said ALLOW."""


class VerifiedModel:
    """A sealed copy of a model that a policy allowed; made by :func:`verified` alone."""

    def __init__(
        self, snapshot: Snapshot, verdict: CheckResult, *, weights_only: bool = True, sandbox: bool = True
    ) -> None:
        """Take the copy, the verdict about it, what the policy says of ``weights_only``, and how to scan further."""
        self._snapshot: Snapshot | None = snapshot
        self._verdict = verdict
        self._weights_only = weights_only
        self._sandbox = sandbox
        self._farm: str | None = None

    @property
    def verdict(self) -> CheckResult:
        """The verdict, rule by rule, with the evidence it rests on."""
        return self._verdict

    @property
    def files(self) -> tuple[FileEntry, ...]:
        """The files of the manifest: name and size."""
        return self._alive().files

    @property
    def path(self) -> str:
        """A private folder with the manifest's files, or for a single file its path; gone after the block.

        Raises:
            ModelsignError: ``SNAPSHOT_CLOSED``.

        """
        snapshot = self._alive()
        if self._farm is None:
            self._farm = snapshot.link_farm()
        return f"{self._farm}/{snapshot.files[0].name}" if snapshot.single_file else self._farm

    def open(self, name: str | None = None) -> BinaryIO:
        """Open one file of the sealed copy for reading; the only file if none is named.

        Raises:
            ModelsignError: ``LOAD_NO_SUCH_FILE``, ``LOAD_FILE_NOT_NAMED`` or ``SNAPSHOT_CLOSED``.

        """
        snapshot = self._alive()
        names = [entry.name for entry in snapshot.files]
        if name is None and len(names) != 1:
            raise error("LOAD_FILE_NOT_NAMED", f"the model has {len(names)} files; name the one to open")
        wanted = names[0] if name is None else name
        if wanted not in names:
            raise error("LOAD_NO_SUCH_FILE", f"the manifest holds no file {wanted}")
        return os.fdopen(snapshot.descriptor(wanted), "rb")

    def load(
        self,
        file: str | None = None,
        *,
        framework: Literal["numpy", "torch"] = "numpy",
        device: str = "cpu",
        insecure_unverified: bool = False,
    ) -> object:
        """Load one file of the sealed copy with the loader its scan picks; the only loadable one if none is named.

        Raises:
            ModelsignError: ``ARGUMENT_INVALID``, ``LOAD_NOT_CLEAN``, ``LOAD_AMBIGUOUS``, ``LOAD_FILE_NOT_NAMED``,
                ``LOAD_NO_SUCH_FILE``, ``LOAD_NOTHING``, ``LOAD_NO_LOADER``, ``LOAD_LIBRARY_MISSING``,
                ``LOAD_GLOBAL_REFUSED``, ``LOAD_FAILED`` or ``SNAPSHOT_CLOSED``.

        """
        if framework not in _FRAMEWORKS:
            raise error("ARGUMENT_INVALID", f"framework is {framework!r}, not one of {', '.join(_FRAMEWORKS)}")
        options = LoadOptions(framework=framework, device=device, weights_only=self._weights_only)
        return hand_over(
            self._alive(),
            self._verdict,
            file=file,
            options=options,
            insecure_unverified=insecure_unverified,
            sandbox=self._sandbox,
        )

    def _alive(self) -> Snapshot:
        if self._snapshot is None:
            raise error("SNAPSHOT_CLOSED", "the sealed copy was given back when the block ended")
        return self._snapshot

    def close(self) -> None:
        """Forget the copy; every later use is refused. Safe to call twice."""
        self._snapshot = None
        self._farm = None


@contextmanager
def verified(  # noqa: PLR0913 - every choice has a name at the call
    path: str | os.PathLike[str],
    *,
    policy: str | os.PathLike[str] | Policy | None = None,
    parameters: Mapping[str, Value | Sequence[Value]] | None = None,
    bundles: Sequence[str | os.PathLike[str]] = (),
    attestations: Sequence[str | os.PathLike[str]] = (),
    opinions: Sequence[str] = (),
    ignore_paths: Sequence[str] = (),
    allow_symlinks: bool = False,
    link_roots: Sequence[str] = (),
    now: datetime | None = None,
    most_bytes: int = limits.SNAPSHOT_BYTES,
    progress: Callable[[Stage], None] | None = None,
    sandbox: bool = True,
) -> Iterator[VerifiedModel]:
    """Judge a private copy of a model by a policy; the block runs only on ALLOW.

    ``parameters`` are the policy's (``{"signers": "pub.pem"}``). ``bundles`` and ``attestations`` name evidence that
    does not lie at its default place. ``opinions`` are other scanners to ask. ``ignore_paths``, ``allow_symlinks``
    and ``link_roots`` are as for ``verify``; what is ignored is not in the copy. ``now`` is the time of the verdict,
    the present if none is given. ``most_bytes`` bounds the copy, which lies in memory. ``progress`` is called at each
    :class:`Stage`. The scan runs in a confined process unless ``sandbox`` is False.

    Raises:
        ModelsignError: ``LOAD_DENIED`` (a ``LoadDenied``) or ``LOAD_UNDECIDED`` (a ``LoadUndecided``), both with the
            whole verdict as ``result``; ``POLICY_MISSING``; ``ARGUMENT_INVALID``; ``SNAPSHOT_TOO_LARGE``; or whatever
            reading the model or the policy raises.

    """
    loaded = _policy(policy, parameters)
    bundles, attestations = one_or_many(bundles), one_or_many(attestations)
    ignore_paths, link_roots = one_or_many(ignore_paths), one_or_many(link_roots)
    with open_artifact(
        path,
        ignore_paths=ignore_paths,
        allow_symlinks=allow_symlinks,
        link_roots=link_roots,
        bundles=[*bundles, *attestations],
        is_inert=partial(is_inert, sandbox=sandbox),
    ) as artifact:
        (report := progress or _silent)(Stage.OPENED)
        with take_snapshot(artifact, most_bytes=most_bytes) as snapshot:
            report(Stage.COPIED)
            verdict = check_model(
                snapshot,
                loaded,
                parameters or {},
                now=now or datetime.now(UTC),
                evidence=collect_evidence(path, bundles=bundles, attestations=attestations),
                opinions=opinions,
                ignore_paths=ignore_paths,
                sandbox=sandbox,
            )
            if verdict.verdict is not Verdict.ALLOW:
                raise denial(verdict)
            report(Stage.JUDGED)
            weights_only = loaded.load.torch_weights_only
            with closing(VerifiedModel(snapshot, verdict, weights_only=weights_only, sandbox=sandbox)) as model:
                yield model


def _policy(policy: object, parameters: object) -> Policy:
    """Return the policy that was named or handed in; without one there is no verdict, so nothing is opened."""
    if policy is None:
        advice = "Name one: policy='baseline', parameters={'signers': 'signer.pub'}, or a policy file."
        raise error("POLICY_MISSING", "a model is loaded only by a trust policy, and none was named", advice=advice)
    loaded = load_policy(policy) if isinstance(policy, (str, os.PathLike)) else policy
    if not isinstance(loaded, Policy):
        raise error("ARGUMENT_INVALID", f"policy is a name, a path or a policy that was read, not {_kind(policy)}")
    if not isinstance(parameters, Mapping | None):
        raise error("ARGUMENT_INVALID", f"parameters map names to values; they are not {_kind(parameters)}")
    return loaded


def _kind(value: object) -> str:
    return type(value).__name__


def _silent(stage: Stage) -> None:
    """Take a stage and say nothing."""
