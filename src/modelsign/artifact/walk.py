"""The walk over a model's folder: every entry is looked at once, relative to an open folder.

The walk is iterative and bounded, never follows a link by itself, and refuses what is neither a
file, a folder nor a link. It reads names alone: asking for sizes would double its cost.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Final

from modelsign import limits
from modelsign.artifact.names import check_name
from modelsign.errors import error
from modelsign.files import is_scratch

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from modelsign.errors import ModelsignError

__all__ = ["FILE_FLAGS", "FOLDER_FLAGS", "Listing", "open_folder", "walk"]

FOLDER_FLAGS: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
"""How a folder inside a model is opened."""
FILE_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
"""How a file inside a model is opened."""


class Listing:
    """What a walk found; parallel lists, because a model can hold millions of files.

    ``names`` are the regular files in the order of the walk, ``spans`` the folders as (path, first index,
    end index); ``links``, ``folders``, ``left_out`` and ``scratch`` (what a write that was cut short left behind)
    are names; all relative to the model.
    """

    __slots__ = ("folders", "left_out", "links", "names", "scratch", "spans")

    def __init__(self) -> None:
        """Start empty."""
        self.names: list[str] = []
        self.spans: list[tuple[str, int, int]] = []
        self.links: list[str] = []
        self.folders: list[str] = []
        self.left_out: list[str] = []
        self.scratch: list[str] = []


def open_folder(root: int, path: str) -> int:
    """Open the folder ``path`` below the open folder ``root``, part by part, following no link.

    The caller closes the descriptor.

    Raises:
        OSError: a part is missing, unreadable, a link or not a folder.

    """
    descriptor = os.open(".", FOLDER_FLAGS, dir_fd=root)
    for part in path.split("/") if path else ():
        try:
            deeper = os.open(part, FOLDER_FLAGS, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        descriptor = deeper
    return descriptor


def walk(root: int, leave_out: AbstractSet[str], *, strict_names: bool, start: str = "") -> Listing:
    """List the files below the open folder ``root``, without the names in ``leave_out``.

    What lies below a folder that is left out is not looked at. ``start`` is the folder to begin with.

    Raises:
        ModelsignError: ``SPECIAL_FILE``, ``FILE_UNREADABLE``, ``MODEL_TOO_DEEP``, ``MODEL_TOO_LARGE`` or a
            reason of :func:`modelsign.artifact.names.check_name`.

    """
    listing = Listing()
    waiting = [start]
    while waiting:
        folder = waiting.pop()
        try:
            descriptor = open_folder(root, folder)
        except OSError as fault:
            raise _unreadable(folder or ".", fault) from None
        try:
            deeper = _list_folder(descriptor, folder, listing, leave_out, strict_names=strict_names)
        except OSError as fault:
            raise _unreadable(folder or ".", fault) from None
        finally:
            os.close(descriptor)
        if deeper and folder.count("/") + 2 > limits.MODEL_DEPTH:
            raise error("MODEL_TOO_DEEP", f"the model has more than {limits.MODEL_DEPTH} levels of folders")
        if len(listing.names) + len(listing.folders) > limits.MODEL_FILES:
            raise error("MODEL_TOO_LARGE", f"the model has more than {limits.MODEL_FILES} files")
        listing.folders += deeper
        waiting += deeper
    return listing


def _list_folder(
    descriptor: int, folder: str, listing: Listing, leave_out: AbstractSet[str], *, strict_names: bool
) -> list[str]:
    prefix = folder + "/" if folder else ""
    names = listing.names
    deeper: list[str] = []
    first = len(names)
    with os.scandir(descriptor) as entries:
        for entry in entries:
            base = entry.name
            name = prefix + base
            if name in leave_out:
                listing.left_out.append(name)
                continue
            if base[0] == "." and is_scratch(base) and not (entry.is_symlink() or entry.is_dir()):
                listing.scratch.append(name)  # gone already, perhaps: it is about to take another name
                continue
            check_name(name, strict=strict_names)
            if entry.is_file(follow_symlinks=False):
                names.append(name)
            elif entry.is_dir(follow_symlinks=False):
                deeper.append(name)
            elif entry.is_symlink():
                listing.links.append(name)
            else:
                raise error("SPECIAL_FILE", f"{name} is a FIFO, a socket or a device")
    listing.spans.append((folder, first, len(names)))
    return deeper


def _unreadable(name: str, fault: OSError) -> ModelsignError:
    if fault.errno in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}:
        return error("FILE_CHANGED_WHILE_READ", f"{name} was replaced while the model was listed")
    return error("FILE_UNREADABLE", f"{name}: {fault.strerror}")
