"""The command tree, walked once for every page that shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from modelsign.cli.main import root

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["WIDTH", "help_text", "walk"]

WIDTH = 100


def walk() -> Iterator[tuple[str, click.Command, click.Context]]:
    """Yield every command with its full name and context, the top first, in the order of the help."""
    top = root()
    yield from _walk(top, click.Context(top, info_name="modelsign", **_settings(top)))


def _walk(command: click.Command, context: click.Context) -> Iterator[tuple[str, click.Command, click.Context]]:
    yield context.command_path, command, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            member = command.get_command(context, name)
            if member is not None:
                inner = click.Context(member, parent=context, info_name=name, **_settings(member))
                yield from _walk(member, inner)


def _settings(command: click.Command) -> dict[str, object]:
    kept = ("help_option_names", "token_normalize_func", "auto_envvar_prefix")
    settings: dict[str, object] = {name: value for name, value in command.context_settings.items() if name in kept}
    return {**settings, "terminal_width": WIDTH, "max_content_width": WIDTH, "color": False}


def help_text(command: click.Command, context: click.Context) -> str:
    """Return what ``--help`` prints on a terminal of fixed width."""
    return "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
