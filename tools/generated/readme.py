"""The marked blocks of README.md and ARCHITECTURE.md: ``<!-- generated: NAME -->`` up to ``<!-- end -->``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from generated.commands import help_text, walk
from generated.families import FAMILIES, members
from generated.pages import exit_status_table

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["files"]

BLOCK = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def files(root: Path) -> dict[Path, str]:
    """Return the files with their blocks filled."""
    result = {}
    for name in ("README.md", "ARCHITECTURE.md"):
        path = root / name
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            result[path] = BLOCK.sub(lambda found: f"{found[1]}{_block(found[2], root)}\n{found[3]}", text)
    return result


def _block(name: str, root: Path) -> str:
    if name == "help":
        _, command, context = next(walk())
        return f"```text\n{help_text(command, context)}\n```"
    if name == "exit-codes":
        return exit_status_table()
    if name == "families":
        rows = [
            f"| `{family.folder}/` | {', '.join(f'`{member}`' for member in members(family, root))} |"
            for family in FAMILIES
        ]
        return "\n".join(["| folder | members |", "| --- | --- |", *rows])
    message = f"no generated block is called {name!r}"
    raise SystemExit(message)
