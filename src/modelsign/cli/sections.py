"""Sections of a command's help: flags that belong together stand together, under a title."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import click

__all__ = ["REST", "by_section", "section"]

REST: Final = "Options"
"""The title of flags that belong to no section."""


def section(title: str, options: Sequence[Callable[[Any], Any]]) -> list[Callable[[Any], Any]]:
    """Put flags, as decorators, under a title."""
    return [functools.partial(_titled, title, option) for option in options]


def by_section(options: Sequence[click.Option]) -> dict[str, list[click.Option]]:
    """Return the flags by the title of their section, in the order in which they come; those without one first."""
    found: dict[str, list[click.Option]] = {REST: []}
    for option in options:
        found.setdefault(getattr(option, "section", REST), []).append(option)
    return {title: group for title, group in found.items() if group}


def _titled(title: str, option: Callable[[Any], Any], function: Any) -> Any:
    made = option(function)
    made.__click_params__[-1].section = title
    return made
