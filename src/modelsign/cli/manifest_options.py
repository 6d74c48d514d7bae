"""What ``sign`` and ``digest`` have in common: how the manifest lists the model.

Not a command. Turns flags into a serialization and decides nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from modelsign.cli.sections import section

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from modelsign.artifact.manifest import Serialization

__all__ = ["LIST_ADVICE", "manifest_options", "serialization_of", "tree_digest_option"]

_Function = TypeVar("_Function", bound="Callable[..., Any]")

LIST_ADVICE: Final = {
    "EMPTY_MODEL": "Name a list that has the model's files in it.",
    "NAME_LEAVES_MODEL": "Write the names relative to the model's folder: run `sha256sum` there.",
}
tree_digest_option = click.option(
    "--tree-digest/--no-tree-digest",
    default=True,
    show_default=True,
    help="Hash whole files under SHA-256 too. Leaving it out lets the shards of one file be hashed on all cores; "
    "attestations cannot name such a signature's model.",
)
_OPTIONS = (
    click.option(
        "--serialization",
        type=click.Choice(["files", "shards"]),
        help="List whole files (default), or byte ranges of one size.",
    ),
    click.option(
        "--shard-size",
        type=click.IntRange(min=1),
        metavar="BYTES",
        help="The size of a shard; by default 1000000000.",
    ),
    click.option(
        "--hash",
        "algorithm",
        type=click.Choice(["sha256", "blake2b", "blake3"]),
        help="The hash of the manifest's digests; by default sha256, which every reader has.",
    ),
    tree_digest_option,
)


def manifest_options(function: _Function) -> _Function:
    """Add the flags that say how the manifest lists the model."""
    for option in reversed(section("Digests", _OPTIONS)):
        function = option(function)
    return function


def serialization_of(values: Mapping[str, Any]) -> Serialization:
    """Return what the flags ask for."""
    from modelsign.artifact.manifest import SHARD_SIZE, Serialization

    sharded = values["serialization"] == "shards"
    if values["shard_size"] is not None and not sharded:
        raise click.UsageError("--shard-size needs --serialization shards.")
    size = (values["shard_size"] or SHARD_SIZE) if sharded else None
    return Serialization(values["algorithm"] or "sha256", size)
