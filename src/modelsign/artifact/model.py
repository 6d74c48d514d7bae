"""A model as an ordered set of named byte streams.

A model is a folder or a single file. Opening it lists it once and decides what its manifest covers;
bytes are read later, each file through one descriptor opened relative to the model's folder, without
following links. Signatures and attestations that lie in the model (``model.sig``, ``model.sig.d/``,
``model.intoto.jsonl``) are evidence and never part of the manifest; ``.git`` is left out.

Never writes, never maps a file, never decides about trust.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from modelsign.artifact.inert import is_plainly_inert
from modelsign.artifact.links import LinkTarget, resolve_link
from modelsign.artifact.names import check_collisions, check_name
from modelsign.artifact.reading import FileReading
from modelsign.artifact.walk import FILE_FLAGS, FOLDER_FLAGS, Listing, open_folder, walk
from modelsign.errors import ModelsignError, error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import TracebackType

__all__ = ["DEFAULT_IGNORED", "EVIDENCE_NAMES", "GIT_NAMES", "Artifact", "FileEntry", "open_artifact"]

SIGNATURE: Final = "model.sig"
SIGNATURE_FOLDER: Final = "model.sig.d"
STORE: Final = "model.intoto.jsonl"
EVIDENCE_NAMES: Final = (STORE, SIGNATURE, SIGNATURE_FOLDER)
"""Where signatures and attestations lie in a model's folder, sorted."""
GIT_FOLDER: Final = ".git"
GIT_NAMES: Final = (GIT_FOLDER, ".gitattributes", ".github", ".gitignore")
"""What the reference implementation leaves out of every manifest, sorted."""
DEFAULT_IGNORED: Final = frozenset(EVIDENCE_NAMES + GIT_NAMES)
"""The names a signer may leave out without being asked about it."""


class FileEntry(NamedTuple):
    """One file of a model: its name relative to the model, and its size in bytes when it was listed."""

    name: str
    size: int


class Artifact:
    """An opened model; a context manager that owns the descriptors of its folders.

    ``name`` is the base name of the model. ``names`` are what the manifest covers, sorted by code points.
    ``aside`` are names under git's names: not covered unless a signature says so, and inert. ``evidence``
    are the names of signatures and attestations found, ``leftovers`` those of writes of this project that were cut
    short (``files.is_scratch``): in no manifest, and evidence or refused like it. ``ignored`` are paths left out
    that are there; ``unmatched_ignores`` are paths to ignore that are not. ``warnings`` are sentences for the user.
    """

    def __init__(self, name: str, bases: Sequence[int], *, single_file: bool) -> None:
        """Take ownership of the open folders: the model's own (or its parent's, for one file), then link roots."""
        self.name = name
        self.single_file = single_file
        self.names: tuple[str, ...] = ()
        self.aside: tuple[str, ...] = ()
        self.evidence: tuple[str, ...] = ()
        self.leftovers: tuple[str, ...] = ()
        self.ignored: tuple[str, ...] = ()
        self.unmatched_ignores: tuple[str, ...] = ()
        self.warnings: tuple[str, ...] = ()
        self.named_evidence: tuple[str, ...] = ()
        """The bundles the caller named that have their place in the model, there or not."""
        self.ignores_git = False
        """Whether git's names are left out of the manifest."""
        self.follows_links = False
        """Whether a file of the manifest was reached through a symbolic link."""
        self.spans: tuple[tuple[str, list[str]], ...] = ()
        """The names that are no links, folder by folder."""
        self.bases = list(bases)
        """Descriptors of the model's folder and of the link roots; for the layer below only."""
        self.links: dict[str, LinkTarget] = {}
        self.known: set[str] = set()
        """Every name that may be opened."""
        self._files: tuple[FileEntry, ...] | None = None

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the folders."""
        self.close()

    def close(self) -> None:
        """Close the folders; safe to call twice. Descriptors handed out stay open."""
        while self.bases:
            os.close(self.bases.pop())

    def open(self, name: str) -> FileReading:
        """Open one of the model's files (or of its evidence) for random access.

        Raises:
            KeyError: the model has no such file.
            ModelsignError: ``FILE_UNREADABLE`` or ``FILE_CHANGED_WHILE_READ``.

        """
        return FileReading(self.descriptor(name), name)

    def descriptor(self, name: str) -> int:
        """Return a fresh read-only descriptor of one of the model's files; the caller closes it.

        Raises:
            KeyError: the model has no such file.
            ModelsignError: ``FILE_UNREADABLE``, ``FILE_CHANGED_WHILE_READ``, or ``USAGE`` once it is closed.

        """
        if name not in self.known:
            raise KeyError(name)
        if not self.bases:
            raise error("USAGE", "the model was closed already", advice="Use it inside its `with` block.")
        base, path = self.links.get(name, (0, name))
        folder, _, last = path.rpartition("/")
        try:
            parent = open_folder(self.bases[base], folder)
            try:
                descriptor = os.open(last, FILE_FLAGS, dir_fd=parent)
            finally:
                os.close(parent)
        except OSError as fault:
            raise unreadable(name, fault) from None
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise error("FILE_CHANGED_WHILE_READ", f"{name} was replaced while the model was read")
        return descriptor

    def open_folder(self, path: str) -> int:
        """Return a descriptor of one of the model's folders; the caller closes it.

        Raises:
            ModelsignError: ``FILE_UNREADABLE`` or ``FILE_CHANGED_WHILE_READ``.

        """
        try:
            return open_folder(self.bases[0], path)
        except OSError as fault:
            raise unreadable(path or ".", fault) from None

    @property
    def files(self) -> tuple[FileEntry, ...]:
        """What the manifest covers, with sizes, sorted by code points; the sizes are asked for once.

        Raises:
            ModelsignError: ``FILE_UNREADABLE`` or ``FILE_CHANGED_WHILE_READ``.

        """
        if self._files is None:
            sizes: dict[str, int] = {}
            for folder, names in self.spans:
                sizes.update(self._sizes(folder, names))
            for name in self.linked:
                descriptor = self.descriptor(name)
                sizes[name] = os.fstat(descriptor).st_size
                os.close(descriptor)
            self._files = tuple(FileEntry(name, sizes[name]) for name in self.names)
        return self._files

    def _sizes(self, folder: str, names: Iterable[str]) -> dict[str, int]:
        skip = len(folder) + 1 if folder else 0
        name = folder
        parent = self.open_folder(folder)
        try:
            sizes: dict[str, int] = {}
            for name in names:
                sizes[name] = os.stat(name[skip:], dir_fd=parent, follow_symlinks=False).st_size
        except OSError as fault:
            raise unreadable(name, fault) from None
        finally:
            os.close(parent)
        return sizes

    @property
    def linked(self) -> tuple[str, ...]:
        """The names of the manifest that were reached through a link."""
        return tuple(name for name in self.names if name in self.links) if self.links else ()


def unreadable(name: str, fault: OSError) -> ModelsignError:
    """Turn an operating system error on a listed file into this project's."""
    if fault.errno in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO}:
        return error("FILE_CHANGED_WHILE_READ", f"{name} was replaced while the model was read")
    return error("FILE_UNREADABLE", f"{name}: {fault.strerror}")


def open_artifact(  # noqa: PLR0913 - each switch is one documented relaxation of the defaults
    path: str | os.PathLike[str],
    *,
    ignore_paths: Iterable[str | os.PathLike[str]] = (),
    ignore_git_paths: bool = True,
    allow_symlinks: bool = False,
    link_roots: Iterable[str | os.PathLike[str]] = (),
    bundles: Iterable[str | os.PathLike[str]] = (),
    strict_names: bool = True,
    unsigned_loadable: bool = False,
    is_inert: Callable[[FileReading, str], bool] = is_plainly_inert,
) -> Artifact:
    """List a model and decide what its manifest covers.

    ``ignore_paths`` are relative to the model and exact. ``bundles`` are signature files the caller names;
    those that lie in the model count as evidence. ``strict_names=False`` admits names with control
    characters and names that collide. ``unsigned_loadable=True`` admits loadable files under git's names;
    ``is_inert`` says which are not (callers above the scanner ask it: ``scan.engine.is_inert``).

    Raises:
        ModelsignError: ``NO_SUCH_MODEL``, ``EMPTY_MODEL``, ``FILE_UNREADABLE``, ``SPECIAL_FILE``,
            ``SIGNATURE_NOT_A_FILE``, ``LOADABLE_UNDER_GIT_PATH``, ``IGNORE_PATH_OUTSIDE``, or a reason of the
            walk, the links or the names.

    """
    location = os.fspath(path)
    for several, what in ((ignore_paths, "ignore_paths"), (link_roots, "link_roots"), (bundles, "bundles")):
        if isinstance(several, (str, bytes)):
            raise error("USAGE", f"{what} is one text, and a list of them is wanted", advice=f"Pass [{several!r}].")
    try:
        mode = os.stat(location).st_mode
        bases = [os.path.realpath(location), *(os.path.realpath(root, strict=True) for root in link_roots)]
    except (OSError, ValueError) as fault:
        raise _no_such_model(location, fault) from None
    if stat.S_ISREG(mode):
        return _open_file(location, bases[0], strict_names=strict_names)
    if not stat.S_ISDIR(mode):
        raise error("SPECIAL_FILE", f"the model {location} is neither a file nor a folder")
    ignored = {_relative(os.fspath(entry)) for entry in ignore_paths}
    artifact = Artifact(os.path.basename(os.path.abspath(location)) or "root", [], single_file=False)
    try:
        _open_bases(artifact, bases)
        artifact.named_evidence = tuple(_inside(bases[0], bundles))
        opening = _Opening(
            artifact,
            bases,
            ignored=ignored,
            git_names=GIT_NAMES if ignore_git_paths else (),
            evidence=EVIDENCE_NAMES + artifact.named_evidence,
            allow_symlinks=allow_symlinks,
            strict_names=strict_names,
        )
        opening.list_files()
        opening.list_aside(None if unsigned_loadable else is_inert)
        opening.list_evidence()
    except BaseException:
        artifact.close()
        raise
    return artifact


def _open_file(location: str, real: str, *, strict_names: bool) -> Artifact:
    name = os.path.basename(location)
    check_name(name, strict=strict_names)
    parent, last = os.path.split(real)
    artifact = Artifact(name, [], single_file=True)
    _open_bases(artifact, [parent])
    artifact.known.add(name)
    if last != name:
        artifact.links[name] = LinkTarget(0, last)
    else:
        artifact.spans = (("", [name]),)
    artifact.names = (name,)
    return artifact


class _Opening:
    """The steps of listing a folder, and what they share."""

    def __init__(  # noqa: PLR0913 - the settings of one opening
        self,
        artifact: Artifact,
        roots: Sequence[str],
        *,
        ignored: set[str],
        git_names: tuple[str, ...],
        evidence: tuple[str, ...],
        allow_symlinks: bool,
        strict_names: bool,
    ) -> None:
        self.artifact = artifact
        self.root = artifact.bases[0]
        self.roots = roots
        self.ignored = ignored
        self.git_names = git_names
        self.evidence = evidence
        self.allow_symlinks = allow_symlinks
        self.strict_names = strict_names
        self.scratch: list[str] = []

    def list_files(self) -> None:
        artifact = self.artifact
        leave_out = self.ignored.union(self.git_names, self.evidence)
        listing = walk(self.root, leave_out, strict_names=self.strict_names)
        self._admit(listing)
        if self.strict_names:
            check_collisions([*listing.names, *listing.links, *listing.folders])
        artifact.spans = tuple(
            (folder, listing.names[first:end]) for folder, first, end in listing.spans if end > first
        )
        if not listing.names and not listing.links:
            raise error("EMPTY_MODEL", f"the model {artifact.name} holds no file to sign or check")
        artifact.names = tuple(sorted(listing.names + listing.links))
        artifact.ignores_git = bool(self.git_names)
        artifact.follows_links = bool(listing.links)
        found = set(listing.left_out)
        artifact.ignored = tuple(sorted(found - set(self.evidence) | (found & self.ignored)))
        artifact.unmatched_ignores = tuple(sorted(self.ignored - found))
        if GIT_FOLDER in found and GIT_FOLDER not in self.ignored:
            artifact.warnings += (".git is left out: what lies in it is neither signed nor checked",)

    def list_aside(self, is_inert: Callable[[FileReading, str], bool] | None) -> None:
        aside: list[str] = []
        for name in self.git_names:
            if name != GIT_FOLDER and name in self.artifact.ignored and name not in self.ignored:
                aside += self._one(name)
        self.artifact.aside = tuple(sorted(aside))
        if is_inert is None:
            return
        for name in self.artifact.aside:
            with self.artifact.open(name) as reading:
                if not is_inert(reading, name):
                    raise error("LOADABLE_UNDER_GIT_PATH", f"{name} is in no manifest and is not inert")

    def list_evidence(self) -> None:
        found: list[str] = []
        for name in self.evidence:
            try:
                mode = os.stat(name, dir_fd=self.root, follow_symlinks=False).st_mode
            except FileNotFoundError:
                continue
            except OSError as fault:
                raise unreadable(name, fault) from None
            if name == SIGNATURE_FOLDER and stat.S_ISDIR(mode):
                found += self._signature_folder()
            elif stat.S_ISREG(mode):
                found.append(name)
            else:
                raise _not_a_file(name)
        self.artifact.evidence = tuple(sorted(set(found)))
        self.artifact.known.update(found)
        self._list_leftovers()

    def _list_leftovers(self) -> None:
        there = []
        for name in sorted(set(self.scratch).difference(self.evidence)):
            try:
                mode = os.stat(name, dir_fd=self.root, follow_symlinks=False).st_mode
            except OSError:  # it has taken the name it was meant for
                continue
            if not stat.S_ISREG(mode):
                raise _not_a_file(name)
            there.append(name)
        self.artifact.leftovers = tuple(there)
        self.artifact.known.update(there)
        self.artifact.warnings += tuple(
            f"{name} is left out: a write was cut short (or is under way), delete it" for name in there
        )

    def _signature_folder(self) -> list[str]:
        try:
            listing = walk(self.root, frozenset(), strict_names=True, start=SIGNATURE_FOLDER)
        except ModelsignError as fault:
            if fault.code != "SPECIAL_FILE":
                raise
            raise _not_a_file(SIGNATURE_FOLDER) from None
        self.scratch += listing.scratch
        odd = [*listing.links, *listing.folders, *(name for name in listing.names if not name.endswith(".sig"))]
        if odd:
            raise _not_a_file(min(odd))
        return listing.names

    def _one(self, name: str) -> list[str]:
        try:
            found = os.stat(name, dir_fd=self.root, follow_symlinks=False)
        except OSError as fault:
            raise unreadable(name, fault) from None
        listing = Listing()
        if stat.S_ISDIR(found.st_mode):
            listing = walk(self.root, self.ignored, strict_names=self.strict_names, start=name)
        elif stat.S_ISREG(found.st_mode):
            listing.names.append(name)
        elif stat.S_ISLNK(found.st_mode):
            listing.links.append(name)
        else:
            raise error("SPECIAL_FILE", f"{name} is a FIFO, a socket or a device")
        self._admit(listing)
        return listing.names + listing.links

    def _admit(self, listing: Listing) -> None:
        self.scratch += listing.scratch
        self.artifact.known.update(listing.names)
        for name in listing.links:
            self.artifact.links[name] = resolve_link(name, self.roots, allow_symlinks=self.allow_symlinks)
            self.artifact.known.add(name)
        outside = sum(self.artifact.links[name].base > 0 for name in listing.links)
        if outside:
            self.artifact.warnings += (
                f"{outside} link{'' if outside == 1 else 's'} out of the model lead to folders that were named",
            )


def _open_bases(artifact: Artifact, bases: Iterable[str]) -> None:
    for base in bases:
        try:
            artifact.bases.append(os.open(base, FOLDER_FLAGS))
        except OSError as fault:
            artifact.close()
            raise unreadable(base, fault) from None


def _relative(entry: str) -> str:
    name = os.path.normpath(entry) if entry else "."
    if name == "." or name.startswith(("/", "../")) or name == "..":
        raise error("IGNORE_PATH_OUTSIDE", f"the path to ignore {entry} is not a path inside the model")
    return name


def _inside(root: str, bundles: Iterable[str | os.PathLike[str]]) -> list[str]:
    inside = []
    for bundle in bundles:
        folder, last = os.path.split(os.fspath(bundle))
        place = os.path.join(os.path.realpath(folder), last)
        if place.startswith(root + "/"):
            inside.append(os.path.relpath(place, root))
    return inside


def _not_a_file(name: str) -> ModelsignError:
    return error("SIGNATURE_NOT_A_FILE", f"{name} stands in the place of a signature and is not a signature file")


def _no_such_model(location: str, fault: OSError | ValueError) -> ModelsignError:
    if isinstance(fault, OSError) and fault.errno not in {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG}:
        return error("FILE_UNREADABLE", f"the model {location}: {fault.strerror}")
    return error("NO_SUCH_MODEL", f"there is no model at {location}")
