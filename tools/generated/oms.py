"""The table of OMS's rules: each with the tests that hold it, our default, and the switch to the specification's."""

from __future__ import annotations

import ast
import tomllib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["files", "marked", "rules"]

_FOLDER = "tests/oms_spec"
_KINDS = {True: "stricter", "looser": "reads more", False: ""}


def files(root: Path) -> dict[Path, str]:
    """Return the page and what it should hold."""
    return {root / "docs/oms.md": _page(root)}


def rules(root: Path) -> list[dict[str, Any]]:
    """Return the rules in the order of the specification."""
    found: list[dict[str, Any]] = tomllib.loads((root / _FOLDER / "rules.toml").read_text(encoding="utf-8"))["rule"]
    return found


def marked(root: Path) -> dict[str, list[tuple[str, str]]]:
    """Return (file, test) of every test that is marked with a rule, by the rule's id."""
    found: dict[str, list[tuple[str, str]]] = {}
    for path in sorted((root / _FOLDER).glob("test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                for rule in _marks(node):
                    found.setdefault(rule, []).append((path.name, node.name))
    return found


def _marks(function: ast.FunctionDef) -> list[str]:
    return [
        argument.value
        for decorator in function.decorator_list
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.oms"
        for argument in decorator.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]


def _page(root: Path) -> str:
    held = marked(root)
    listed = rules(root)
    deviations = [rule for rule in listed if rule.get("stricter")]
    about = (
        f"{len(listed)} demands of the specification (MUST, MUST NOT, REQUIRED, SHALL; "
        "[ossf/model-signing-spec](https://github.com/ossf/model-signing-spec), `spec/v1.0.md` and its registry of "
        f"algorithms), and what this project does by default. {len(deviations)} defaults differ: *stricter* ones "
        "refuse more, and the switch gives the specification's behaviour "
        "([some have none](decisions/rules-without-a-switch.md)); *reads more* ones accept more, and "
        "`oms: false` in the result says so. `tools/conformance/oms` runs with all the switches.\n"
    )
    lines = [
        "<!-- Written by tools/generate.py from tests/oms_spec; never edited. -->\n",
        "# OpenSSF Model Signing v1.0, rule by rule\n",
        about,
        "| section | the specification says | here | differs | switch | tests |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for rule in listed:
        kind = _KINDS[rule.get("stricter", False)]
        why = f"[{kind}](decisions/{rule['decision']}.md)" if kind and "decision" in rule else kind
        switch = f"`{rule['switch']}`" if "switch" in rule else ""
        lines.append(
            f"| {rule['section']} | {rule['says']} | {rule['here']} | {why} | {switch} | {_tests(held[rule['id']])} |"
        )
    return "\n".join(lines) + "\n"


def _tests(found: list[tuple[str, str]]) -> str:
    first, name = found[0]
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    shown = name.removeprefix("test_").replace("_", " ")
    return f"[{shown}](../{_FOLDER}/{first}){more}"
