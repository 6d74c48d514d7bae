"""Where signatures lie, and what may lie there.

``model.sig``, ``model.sig.d/*.sig`` and ``model.intoto.jsonl`` in a model's folder (``<file>.sig`` and so on
beside a single file) are in no manifest, so nothing but strict bundles is admitted in them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from modelsign import files, limits
from modelsign.errors import ModelsignError, error
from modelsign.signing.bundle import parse_any_bundle

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from modelsign.artifact.model import Artifact
    from modelsign.artifact.snapshot import Snapshot

__all__ = ["bundle_place", "check_bundles", "check_evidence", "find_bundles", "read_bundle", "read_bundles"]

_STORE: Final = ".jsonl"
_SHOWN: Final = 300
"""Characters kept of what a stranger's bytes say of themselves."""


def bundle_place(model: str | os.PathLike[str]) -> str:
    """Return where the signature of a model goes unless the caller says otherwise."""
    location = os.fspath(model)
    return os.path.join(location, "model.sig") if os.path.isdir(location) else f"{location}.sig"  # noqa: PTH112,PTH118 - strings, as in artifact


def find_bundles(model: str | os.PathLike[str]) -> list[str]:
    """Return the signatures at the default places that exist: the main one first, then the others by name."""
    main = bundle_place(model)
    found = [main] if os.path.lexists(main) else []  # a broken link is something in that place too
    folder = f"{main}.d"
    try:
        others = sorted(entry.name for entry in os.scandir(folder) if entry.name.endswith(".sig"))
    except OSError:
        others = []
    return found + [os.path.join(folder, name) for name in others]  # noqa: PTH118 - strings, as in artifact


def read_bundles(places: Sequence[str | os.PathLike[str]]) -> list[bytes]:
    """Read signature files as :func:`read_bundle` does, bounded all together in number and in bytes.

    Raises:
        ModelsignError: as :func:`read_bundle`; ``INPUT_TOO_LARGE`` for the sum too.

    """
    _check_count(len(places))
    found: list[bytes] = []
    left = limits.EVIDENCE_BYTES
    for place in places:
        found.append(read_bundle(place, most_bytes=left))
        left -= len(found[-1])
    return found


def read_bundle(path: str | os.PathLike[str], *, most_bytes: int | None = None) -> bytes:
    """Read a signature file the caller named or that lies at a default place; it is not parsed.

    ``most_bytes`` is what is left of a budget over several.

    Raises:
        ModelsignError: ``SIGNATURE_MISSING``, ``SIGNATURE_NOT_A_FILE``, ``INPUT_UNREADABLE`` or
            ``INPUT_TOO_LARGE``.

    """
    place = os.fspath(path)
    if not os.path.lexists(place):
        raise error("SIGNATURE_MISSING", f"there is no signature at {place}")
    if os.path.exists(place) and not os.path.isfile(place):  # noqa: PTH110,PTH113 - strings, as in artifact
        raise error("SIGNATURE_NOT_A_FILE", f"{place} is not a file, so it is no signature")
    most = limits.BUNDLE_BYTES if most_bytes is None else min(limits.BUNDLE_BYTES, most_bytes)
    return files.read_bounded(place, most, what="bundle")


def check_evidence(
    artifact: Artifact | Snapshot, *, known: Collection[bytes] = (), skip: Collection[str] = ()
) -> list[ModelsignError]:
    """Return a refusal for each evidence file in the model that holds anything but strict bundles.

    ``known`` are bundles that were parsed already; a file with the same bytes is not parsed again. ``skip`` are
    names that are about to be overwritten. Files and bytes are bounded, all evidence together.
    """
    try:
        _check_count(len(artifact.evidence) + len(artifact.leftovers))
    except ModelsignError as fault:
        return [error("EVIDENCE_NOT_A_BUNDLE", fault.message)]
    faults: list[ModelsignError] = []
    left = limits.EVIDENCE_BYTES
    for name in (*artifact.evidence, *artifact.leftovers):
        if name in skip:
            continue
        try:
            data = _read(artifact, name, left)
            left -= len(data)
            check_bundles(name, data, by_line=name.endswith(_STORE) or name in artifact.leftovers, known=known)
        except ModelsignError as fault:
            if name in artifact.leftovers and fault.code == "FILE_CHANGED_WHILE_READ":
                continue  # whoever was writing it has finished
            faults.append(_no_bundle(name, fault))
    return faults


def check_bundles(name: str, data: bytes, *, by_line: bool, known: Collection[bytes] = ()) -> None:
    """Refuse a piece of evidence that holds anything but one strict bundle, or one a line.

    Blank lines are no bundle of anybody's, so they are not passed over. ``known`` were parsed already.

    Raises:
        ModelsignError: ``BUNDLE_MALFORMED`` or ``BUNDLE_UNSUPPORTED``; ``EVIDENCE_NOT_A_BUNDLE`` for too many lines.

    """
    lines = data.removesuffix(b"\n").split(b"\n") if by_line else [data]
    if len(lines) > limits.STORE_LINES:
        raise error("EVIDENCE_NOT_A_BUNDLE", f"{name} has more than {limits.STORE_LINES} lines")
    for line in lines if data else ():
        if line not in known:
            parse_any_bundle(line)


def _no_bundle(name: str, fault: ModelsignError) -> ModelsignError:
    return error("EVIDENCE_NOT_A_BUNDLE", f"{name} is not a signature bundle: {fault.message[:_SHOWN]}")


def _check_count(count: int) -> None:
    if count > limits.EVIDENCE_FILES:
        raise error(
            "INPUT_TOO_LARGE", f"the model has {count} signature files; at most {limits.EVIDENCE_FILES} are read"
        )


def _read(artifact: Artifact | Snapshot, name: str, left: int) -> bytes:
    with artifact.open(name) as reading:
        if reading.size > limits.BUNDLE_BYTES:
            raise error("EVIDENCE_NOT_A_BUNDLE", f"{name} has more than {limits.BUNDLE_BYTES} bytes")
        if reading.size > left:
            raise error(
                "EVIDENCE_NOT_A_BUNDLE", f"with {name}, the evidence has more than {limits.EVIDENCE_BYTES} bytes"
            )
        return reading.read_at(0, reading.size)
