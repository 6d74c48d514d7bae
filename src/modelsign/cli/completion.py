"""``modelsign completion``: the script that teaches a shell this command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from modelsign.cli.command import define
from modelsign.reasons import ExitStatus
from modelsign.verdict import Report

if TYPE_CHECKING:
    from modelsign.cli.command import Session

__all__ = ["command"]


@define(
    "completion",
    examples=('eval "$(modelsign completion bash)"', "modelsign completion fish -o modelsign.fish"),
    formats=("text", "json"),
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(session: Session, *, shell: str) -> Report:
    """Print shell completion."""
    from click.shell_completion import get_completion_class

    from modelsign.cli.main import root

    made = get_completion_class(shell)
    if made is None:
        raise click.BadParameter(shell)
    script = made(root(), {}, "modelsign", "_MODELSIGN_COMPLETE").source()
    return Report(session.command, ExitStatus.OK, body={"shell": shell, "script": script}, text=script)
