"""The use case *sign*: a model and whoever signs it become a bundle.

Reads every byte once for the manifest, unless digests were handed in. Writes nothing: where the bundle goes is the
caller's business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from modelsign.artifact.hashing import hash_artifact, hash_model
from modelsign.artifact.manifest import FILES, Digests
from modelsign.artifact.model import EVIDENCE_NAMES, GIT_NAMES
from modelsign.artifact.names import check_name
from modelsign.errors import error
from modelsign.signing.compare import check_given
from modelsign.signing.dsse import IN_TOTO
from modelsign.signing.envelope import sealer_of
from modelsign.signing.evidence import check_evidence
from modelsign.signing.oms import PATTERN_CHARACTERS, WHOLE_MODEL, write_statement
from modelsign.signing.private_keys import refuse_private_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from modelsign.artifact.manifest import Serialization
    from modelsign.artifact.model import Artifact
    from modelsign.artifact.snapshot import Snapshot
    from modelsign.signing.keys import SigningKey
    from modelsign.signing.sealer import Sealer
    from modelsign.signing.validity import Validity
    from modelsign.verdict import Signer

__all__ = ["Prepared", "SignResult", "prepare_model", "sign_model", "write_down"]


class Prepared(NamedTuple):
    """A model's statement, ready to be signed, both digests, and how many files they cover.

    ``tree_digest`` is None where the whole files were not hashed. ``unread`` are the files whose bytes were not read
    for this: their digests were handed in.
    """

    payload: bytes
    root_digest: str
    tree_digest: str | None
    files: int
    oms: bool
    unread: tuple[str, ...] = ()

    def sign(self, sealer: Sealer) -> SignResult:
        """Sign the statement.

        Raises:
            ModelsignError: a reason of the signing method.

        """
        sealed = sealer.seal(IN_TOTO, self.payload)
        return SignResult(
            bundle=sealed.bundle,
            payload=self.payload,
            root_digest=self.root_digest,
            tree_digest=self.tree_digest,
            files=self.files,
            oms=self.oms and sealed.oms,
            signer=sealed.signer,
            unread=self.unread,
        )


class SignResult(NamedTuple):
    """What was signed and by whom: the bundle, its payload, both digests, and how many files they cover."""

    bundle: bytes
    payload: bytes
    root_digest: str
    tree_digest: str | None
    files: int
    oms: bool
    signer: Signer
    unread: tuple[str, ...] = ()


def sign_model(  # noqa: PLR0913 - the settings of one signature
    artifact: Artifact | Snapshot,
    key: SigningKey | Sealer,
    *,
    digests: Mapping[str, str] | Digests | None = None,
    serialization: Serialization = FILES,
    tree: bool = True,
    whole_model_name: bool = False,
    replaced: Iterable[str] = (),
    validity: Validity | None = None,
    progress: Callable[[int], None] | None = None,
) -> SignResult:
    """Sign a model's manifest with a private key or any other way to sign; :func:`prepare_model` says the rest.

    Raises:
        ModelsignError: as :func:`prepare_model`, or a reason of the signing method.

    """
    prepared = prepare_model(
        artifact,
        digests=digests,
        serialization=serialization,
        tree=tree,
        whole_model_name=whole_model_name,
        replaced=replaced,
        validity=validity,
        progress=progress,
    )
    return prepared.sign(sealer_of(key))


def prepare_model(  # noqa: PLR0913 - the settings of one statement
    artifact: Artifact | Snapshot,
    *,
    digests: Mapping[str, str] | Digests | None = None,
    serialization: Serialization = FILES,
    tree: bool = True,
    unread: Iterable[str] = (),
    whole_model_name: bool = False,
    replaced: Iterable[str] = (),
    validity: Validity | None = None,
    progress: Callable[[int], None] | None = None,
) -> Prepared:
    """Read a model and write down its manifest, once for any number of signatures.

    ``serialization`` is how the manifest lists the model. Without ``tree`` whole files are not hashed beside shards or
    another algorithm, and the statement has no tree digest. ``digests`` are name → SHA-256 hex, or all digests of a
    serialization, where the bytes were read already; ``unread`` are the files of which they were not read here.
    ``whole_model_name`` names a single file ``.``, as the reference implementation does, instead of by its own name as
    OMS says. ``replaced`` are evidence files that will be overwritten and need not be sound. ``validity`` says in what
    is signed until when it is good; without it one model gives one statement.

    Raises:
        ModelsignError: ``PRIVATE_KEY_IN_MODEL``, ``EVIDENCE_NOT_A_BUNDLE``, ``IGNORE_MATCHES_NOTHING``,
            ``IGNORE_PATH_IS_PATTERN``, a reason of the names if the model's own cannot be written down, or a fault of
            reading.

    """
    if artifact.unmatched_ignores:
        missing = ", ".join(artifact.unmatched_ignores)
        raise error("IGNORE_MATCHES_NOTHING", f"there is nothing at the path to ignore {missing}")
    ignored = _ignored(artifact)
    check_name(artifact.name, strict=False)
    refuse_private_keys(artifact)
    for fault in check_evidence(artifact, skip=set(replaced)):
        raise fault
    if digests is None and serialization != FILES:
        digests = hash_model(artifact, serialization, tree=tree, progress=progress)
    elif digests is None:
        digests = hash_artifact(artifact, progress=progress)
    if not isinstance(digests, Digests):
        check_given(digests, artifact.names)
        digests = {name: digests[name] for name in artifact.names}
        digests = Digests(FILES, digests, digests, dict.fromkeys(digests, 0))
    return write_down(
        artifact.name,
        digests,
        ignore_paths=ignored,
        allow_symlinks=artifact.follows_links,
        whole_model_name=artifact.single_file and whole_model_name,
        unread=unread,
        validity=validity,
    )


def write_down(  # noqa: PLR0913 - the parts of a statement
    name: str,
    digests: Digests,
    *,
    ignore_paths: Iterable[str],
    allow_symlinks: bool = False,
    whole_model_name: bool = False,
    unread: Iterable[str] = (),
    validity: Validity | None = None,
) -> Prepared:
    """Write the statement over digests that were computed, wherever that was.

    ``digests.sizes`` names every file; the rest is as in :func:`prepare_model`.

    Raises:
        ModelsignError: ``NAME_CONTROL_CHARACTER`` for a newline in a name, ``EMPTY_MODEL`` where nothing is listed.

    """
    listed = digests.listed
    if not listed:
        raise error("EMPTY_MODEL", f"the model {name} has nothing that a manifest of this kind could list")
    if whole_model_name:
        (file,) = digests.sizes
        listed = {WHOLE_MODEL + resource.removeprefix(file): digest for resource, digest in listed.items()}
    payload = write_statement(
        name,
        listed,
        tree=digests.tree_digest,
        serialization=digests.serialization,
        ignore_paths=ignore_paths,
        allow_symlinks=allow_symlinks,
        validity=validity,
    )
    return Prepared(
        payload=payload,
        root_digest=digests.root_digest,
        tree_digest=digests.tree_digest,
        files=len(digests.sizes),
        oms=not whole_model_name,
        unread=tuple(sorted(unread)),
    )


def _ignored(artifact: Artifact | Snapshot) -> set[str]:
    """Return what is recorded as left out; the default names present or not, as the reference implementation does."""
    if artifact.single_file:
        return set()
    named = {name for name in artifact.named_evidence if name.partition("/")[0] not in EVIDENCE_NAMES}
    ignored = named.union(EVIDENCE_NAMES, GIT_NAMES if artifact.ignores_git else (), artifact.ignored)
    patterns = sorted(path for path in ignored if not PATTERN_CHARACTERS.isdisjoint(path))
    if patterns:
        raise error("IGNORE_PATH_IS_PATTERN", f"the path to leave out {patterns[0]} holds one of the characters * ? [")
    return ignored
