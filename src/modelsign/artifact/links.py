"""Symbolic links inside a model: where they lead, and whether that is allowed.

By default no link is followed. With ``allow_symlinks`` a link may lead to a regular file inside the
model, and with ``link_roots`` to one inside a folder the caller named (the Hugging Face cache keeps
its blobs so). A link to a folder is never followed, because what is added there later would be in
no manifest. The target is resolved once; later opens go to the resolved place part by part without
following anything, so exchanging a link afterwards cannot redirect a read.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from modelsign.errors import error

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["LinkTarget", "resolve_link"]


class LinkTarget(NamedTuple):
    """A regular file a link leads to: ``path`` relative to the folder number ``base``.

    Base 0 is the model, the others are the link roots in the caller's order.
    """

    base: int
    path: str


def resolve_link(name: str, bases: Sequence[str], *, allow_symlinks: bool) -> LinkTarget:
    """Find the file behind the link ``name`` of the model at ``bases[0]``.

    ``bases`` are real paths: the model, then the link roots.

    Raises:
        ModelsignError: ``LINK_CYCLE``, ``LINK_DANGLING``, ``LINK_LEAVES_MODEL``, ``LINK_TO_DIRECTORY``,
            ``LINK_NOT_ALLOWED`` or ``SPECIAL_FILE``.

    """
    path = os.path.join(bases[0], name)
    try:
        target = os.path.realpath(path, strict=True)
        mode = os.stat(target, follow_symlinks=False).st_mode
    except OSError as fault:
        if fault.errno == errno.ELOOP:
            raise error("LINK_CYCLE", f"the link {name} leads back to itself") from None
        raise error("LINK_DANGLING", f"the link {name} leads nowhere: {fault.strerror}") from None
    base = next((number for number, root in enumerate(bases) if _inside(target, root)), None)
    if base is None:
        raise error("LINK_LEAVES_MODEL", f"the link {name} leads out of the model, to {target}")
    if stat.S_ISDIR(mode):
        raise error("LINK_TO_DIRECTORY", f"the link {name} leads to a folder")
    if not stat.S_ISREG(mode):
        raise error("SPECIAL_FILE", f"the link {name} leads to something that is not a regular file")
    if base == 0 and not allow_symlinks:
        raise error("LINK_NOT_ALLOWED", f"{name} is a symbolic link")
    return LinkTarget(base, os.path.relpath(target, bases[base]))


def _inside(target: str, root: str) -> bool:
    return target == root or target.startswith(root if root.endswith("/") else root + "/")
