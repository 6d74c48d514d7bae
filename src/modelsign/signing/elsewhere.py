"""Signing over digests that were computed elsewhere: by a hub, a registry, a training job, or shares of this program.

Whoever signs them vouches for bytes that were not read here, and every answer says so. Nothing else is taken on trust:
names are checked as in any model, and where the model is at hand its names, and sizes as far as they are known, must be
exactly those of the list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsign.artifact.manifest import parse_shard_name
from modelsign.artifact.model import EVIDENCE_NAMES, GIT_NAMES
from modelsign.artifact.names import check_name, covers
from modelsign.errors import error
from modelsign.signing.sign import prepare_model, write_down

if TYPE_CHECKING:
    from collections.abc import Iterable

    from modelsign.artifact.digest_list import DigestList
    from modelsign.artifact.model import Artifact
    from modelsign.signing.sign import Prepared
    from modelsign.signing.validity import Validity

__all__ = ["left_out", "prepare_absent", "prepare_listed"]

_SHOWN = 5


def prepare_listed(
    artifact: Artifact,
    found: DigestList,
    *,
    whole_model_name: bool = False,
    replaced: Iterable[str] = (),
    validity: Validity | None = None,
) -> Prepared:
    """Write down a list of digests of a model that is at hand and whose bytes are not read.

    Names of the list that the manifest leaves out (evidence, git's names, paths to ignore) may be in it or not.

    Raises:
        ModelsignError: ``DIGESTS_INCOMPLETE`` for a share, ``DIGESTS_OF_ANOTHER_MODEL``, or as ``prepare_model``.

    """
    _want_whole(found)
    kept = _without(found, {*artifact.ignored, *artifact.evidence, *artifact.aside, *artifact.leftovers})
    there = {entry.name: entry.size for entry in artifact.files}
    lacking, surplus = sorted(there.keys() - kept.sizes.keys()), sorted(kept.sizes.keys() - there.keys())
    if lacking or surplus:
        raise _other(
            [f"it has none of {_some(lacking)}"] * bool(lacking) + [f"{_some(surplus)} not there"] * bool(surplus)
        )
    other = [name for name, size in kept.sizes.items() if size not in (None, there[name])]
    if other:
        raise _other([f"{_some(sorted(other))} of another size"])
    return prepare_model(
        artifact,
        digests=kept.digests,
        unread=artifact.names,
        whole_model_name=whole_model_name,
        replaced=replaced,
        validity=validity,
    )


def prepare_absent(
    found: DigestList,
    name: str | None = None,
    *,
    strict_names: bool = True,
    whole_model_name: bool = False,
    validity: Validity | None = None,
) -> Prepared:
    """Write down a list of digests of a model that is not at hand; ``name`` is the model's where the list has none.

    Raises:
        ModelsignError: ``DIGESTS_INCOMPLETE`` for a share, ``USAGE`` where no or another name is known, ``EMPTY_MODEL``
            where all that is listed would be left out of a manifest, or a reason of the names.

    """
    _want_whole(found)
    if name is None and found.model is None:
        raise error("USAGE", "the list of digests does not name the model", advice="Name it with --name.")
    if found.single_file and name not in (None, found.model):
        raise error("USAGE", f"the model is the one file {found.model}, and --name calls it {name}")
    called = name or found.model or ""
    check_name(called, strict=strict_names)
    if "/" in called:
        raise error("USAGE", f"the model's name {called} is a path", advice="Name its last part alone.")
    ignored: set[str] = set()
    if not found.single_file:
        ignored = {*EVIDENCE_NAMES, *(GIT_NAMES if found.ignores_git else ()), *found.ignored}
    kept = _without(found, ignored)
    return write_down(
        called,
        kept.digests,
        ignore_paths=ignored,
        allow_symlinks=found.follows_links,
        whole_model_name=found.single_file and whole_model_name,
        unread=kept.sizes,
        validity=validity,
    )


def left_out(found: DigestList, ignored: Iterable[str]) -> tuple[str, ...]:
    """Return the names of a list that a manifest leaves out, sorted."""
    paths = tuple(ignored)
    return tuple(sorted(name for name in found.sizes if any(covers(path, name) for path in paths)))


def _without(found: DigestList, ignored: Iterable[str]) -> DigestList:
    gone = set(left_out(found, ignored))
    if not gone:
        return found
    sharded = found.serialization.shard_size is not None
    return found._replace(
        sizes={name: size for name, size in found.sizes.items() if name not in gone},
        whole={name: digest for name, digest in found.whole.items() if name not in gone},
        listed={
            name: digest
            for name, digest in found.listed.items()
            if (parse_shard_name(name)[0] if sharded else name) not in gone
        },
    )


def _want_whole(found: DigestList) -> None:
    if not found.complete:
        number, of = found.part
        raise error("DIGESTS_INCOMPLETE", f"the list of digests is share {number} of {of}")


def _other(words: list[str]) -> Exception:
    return error("DIGESTS_OF_ANOTHER_MODEL", f"the list of digests is not of this model: {'; '.join(words)}")


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{shown}{more}"
