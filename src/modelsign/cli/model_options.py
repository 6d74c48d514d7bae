"""What ``sign``, ``verify`` and ``digest`` have in common: which files of MODEL count, keys, progress.

Not a command. Turns flags into calls of the artifact layer and decides nothing.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeVar

import click

from modelsign import limits
from modelsign.cli.sections import section

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelsign.artifact.model import Artifact
    from modelsign.artifact.reading import FileReading
    from modelsign.cli.session import Session
    from modelsign.signing.keys import SigningKey, VerifyKey

__all__ = [
    "ModelOptions",
    "insecure_notes",
    "is_inert",
    "keep_report_outside",
    "model_options",
    "open_model",
    "place_of",
    "progress_of",
    "read_private_key",
    "read_public_key",
]

_Function = TypeVar("_Function", bound="Callable[..., Any]")

ModelOptions = dict[str, Any]
"""The values of :func:`model_options`, by the names :func:`modelsign.artifact.model.open_artifact` has for them."""


def model_options(function: _Function) -> _Function:
    """Add the flags that say which files of MODEL count."""
    for option in reversed(section("Files that count", _OPTIONS)):
        function = option(function)
    return function


_OPTIONS = (
    click.option(
        "--ignore-paths", multiple=True, metavar="PATH", help="Leave out this path, relative to MODEL and exact."
    ),
    click.option(
        "--ignore-git-paths/--no-ignore-git-paths",
        default=True,
        show_default=True,
        help="Leave out .git, .gitattributes, .github and .gitignore at the top.",
    ),
    click.option("--allow-symlinks", is_flag=True, help="Follow links to files inside MODEL."),
    click.option(
        "--link-root", "link_roots", multiple=True, metavar="DIR", help="Follow links to files in this folder too."
    ),
    click.option(
        "--insecure-unsigned-loadable", is_flag=True, help="Admit files that could be loaded and nobody signed."
    ),
    click.option("--insecure-names", is_flag=True, help="Admit names with control characters, or alike but for case."),
)


def open_model(model: str, values: ModelOptions, bundles: Sequence[str] = ()) -> Artifact:
    """Open MODEL as the flags say."""
    from modelsign.artifact.model import open_artifact

    return open_artifact(
        model,
        ignore_paths=values["ignore_paths"],
        ignore_git_paths=values["ignore_git_paths"],
        allow_symlinks=values["allow_symlinks"],
        link_roots=values["link_roots"],
        bundles=[bundle for bundle in bundles if bundle != "-"],
        strict_names=not values["insecure_names"],
        unsigned_loadable=values["insecure_unsigned_loadable"],
        is_inert=is_inert,
    )


def keep_report_outside(session: Session, model: str, *, nobody: str = "signed") -> None:
    """Refuse ``-o`` into the model, where the report would be a file that ``nobody`` signed, or take the place of one.

    Raises:
        ModelsignError: ``USAGE``; the answer then goes to stdout.

    """
    import dataclasses

    from modelsign.errors import error

    report = session.presentation.output
    if report is None:
        return
    folder = os.path.realpath(os.path.dirname(report))  # noqa: PTH120 - strings, as in artifact
    whole = os.path.realpath(model)
    place = os.path.join(folder, os.path.basename(report))  # noqa: PTH118,PTH119 - same
    if os.path.isdir(model) and f"{folder}/".startswith(f"{whole}/"):  # noqa: PTH112 - same
        message = f"the report {report} would be a file in the model that nobody {nobody}"
    elif os.path.isfile(model) and whole in (place, os.path.realpath(report)):  # noqa: PTH113 - same
        message = f"the report {report} would take the place of the model"
    else:
        return
    session.presentation = dataclasses.replace(session.presentation, output=None)
    raise error("USAGE", message, advice="Choose a place outside the model with -o.")


def place_of(session: Session, model: str) -> str | None:
    """Return what leads from the working directory to where the model's paths begin: empty, or ending in a slash.

    None where the model does not lie below the working directory, as code scanning services show no such file.
    """
    folder = model if os.path.isdir(model) else os.path.dirname(model)  # noqa: PTH112,PTH120 - strings, as in artifact
    wholes = [os.path.join(session.cwd, folder)]  # noqa: PTH118 - same
    wholes.append(os.path.realpath(wholes[0]))
    for whole, start in zip(wholes, (session.cwd, os.path.realpath(session.cwd)), strict=True):
        found = os.path.relpath(whole, start)
        if found.partition(os.sep)[0] != os.pardir:
            return "" if found == os.curdir else f"{found}/"
    return None


def is_inert(reading: FileReading, name: str, *, sandbox: bool = True) -> bool:
    """Ask the scanner, which is imported only when a file nobody signed makes it necessary."""
    from modelsign.confined import scanning

    return scanning.is_inert(reading, name, sandbox=sandbox)


def insecure_notes(values: ModelOptions) -> tuple[str, ...]:
    """Return a warning for each dangerous switch that was used."""
    return tuple(
        f"--{name.replace('_', '-')} was given"
        for name in sorted(values)
        if name.startswith("insecure_") and values[name]
    )


def progress_of(session: Session, artifact: Artifact, what: str) -> Callable[[int], None] | None:
    """Return a callback for hashing that draws on a terminal; None elsewhere."""
    draw = session.progress
    if draw is None:
        return None
    total, done = sum(entry.size for entry in artifact.files), 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        draw(what, done, total)

    return advance


def read_public_key(session: Session, path: str) -> VerifyKey:
    """Read a public key from a file or stdin."""
    from modelsign.signing.keys import load_public_key

    data = session.read(path, limits.KEY_BYTES, what="public key")
    with session.naming(path):
        return load_public_key(data)


def read_private_key(session: Session, path: str, password_source: str | None) -> SigningKey:
    """Read a private key; ask for its password where it needs one and none was given."""
    from modelsign.errors import ModelsignError
    from modelsign.signing.keys import load_private_key

    data = session.read(path, limits.KEY_BYTES, what="private key")
    given = None if password_source is None else session.secret(password_source, prompt="password")
    with session.naming(path):
        if password_source is not None:
            return load_private_key(data, given)
        try:
            return load_private_key(data)
        except ModelsignError as fault:
            asked = fault.code == "KEY_PASSWORD_NEEDED"
            password = session.secret(None, prompt=f"password of {path}") if asked else None
            if password is None:
                raise
        return load_private_key(data, password)
