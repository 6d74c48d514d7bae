"""The reference pages: commands, exit statuses, reasons, scan rules, and the members of every family."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from generated.commands import help_text, walk
from generated.families import FAMILIES, members
from modelsign.opinions.opinion import RULES as OPINION_RULES
from modelsign.reasons import CATALOG, ExitStatus
from modelsign.scan.rules import ENGINE_RULES

if TYPE_CHECKING:
    from pathlib import Path

    from modelsign.verdict import Rule

__all__ = ["EXIT_STATUSES", "files"]

NOTE = "<!-- Written by tools/generate.py from the sources; never edited. -->\n"

EXIT_STATUSES = {
    ExitStatus.OK: "done; the verdict is positive",
    ExitStatus.NEGATIVE: "the verdict is negative: unsigned, changed, missing or extra file, wrong key, unsafe, denied",
    ExitStatus.USAGE: "usage error, no such model, no trust source or policy named",
    ExitStatus.UNDECIDED: "cannot decide: malformed, unreadable, unsupported, a limit hit, an internal error. "
    "Treat it as a refusal",
    ExitStatus.NOTHING: "nothing to check: an empty model, nothing scanned",
    ExitStatus.INTERRUPTED: "interrupted",
}


def files(root: Path) -> dict[Path, str]:
    """Return every page of the reference and what it should hold."""
    reference = root / "docs/reference"
    return {
        reference / "cli.md": _commands(),
        reference / "exit-codes.md": _exit_statuses(),
        reference / "reasons.md": _reasons(),
        reference / "rules.md": _rules(root),
        reference / "families.md": _families(root),
        root / "docs/decisions/README.md": _decisions(root),
    }


def exit_status_table() -> str:
    """Return the table of exit statuses."""
    rows = [f"| {int(status)} | {meaning} |" for status, meaning in EXIT_STATUSES.items()]
    return "\n".join(["| exit | meaning |", "| ---: | --- |", *rows])


def _commands() -> str:
    parts = [f"{NOTE}\n# Command line\n"]
    for name, command, context in walk():
        parts.append(f"## `{name}`\n\n```text\n{help_text(command, context)}\n```\n")
    parts.append(_variables())
    return "\n".join(parts)


def _variables() -> str:
    return (
        "## Environment\n\n"
        "Every flag of every command has a variable: `MODELSIGN_`, the command's words, the flag's name, all upper "
        "case and joined by underscores, such as `MODELSIGN_VERIFY_IGNORE_PATHS`. The common flags also have a "
        "general one, such as `MODELSIGN_FORMAT`. A flag that can be repeated takes one value a line, or several "
        "separated by `:` as in `PATH`. A flag on the command line is stronger than its variable, the "
        "variable is stronger than a configuration file. `NO_COLOR`, `FORCE_COLOR` and `TERM=dumb` are obeyed.\n"
    )


def _exit_statuses() -> str:
    parts = [f"{NOTE}\n# Exit statuses\n", exit_status_table(), ""]
    parts.append(
        "An unexpected exception is 3 with the reason `INTERNAL`, never 1. A closed pipe is silent. "
        "The reasons that lead to each status:\n"
    )
    for status, meaning in EXIT_STATUSES.items():
        codes = sorted(reason.code for reason in CATALOG.values() if reason.exit_status is status)
        if codes:
            listed = ", ".join(f"[`{code}`](reasons.md#{code.lower()})" for code in codes)
            parts.append(f"**{int(status)}** ({meaning.partition(':')[0]}): {listed}\n")
    return "\n".join(parts)


def _reasons() -> str:
    parts = [
        f"{NOTE}\n# Reasons\n\nEvery refusal carries one of these codes; `modelsign explain CODE` shows the same.\n"
    ]
    for reason in sorted(CATALOG.values(), key=lambda reason: reason.code):
        explanation = f"{reason.explanation}\n\n" if reason.explanation else ""
        parts.append(
            f"## {reason.code}\n\n{_capital(reason.title)}. Exit status {int(reason.exit_status)}.\n\n"
            f"{explanation}What to do: {reason.advice}\n"
        )
    return "\n".join(parts)


def _rules(root: Path) -> str:
    about = "What the scanner can observe. A rule's outcome is what a file becomes when it fires; the worst one counts."
    parts = [f"{NOTE}\n# Scan rules\n\n{about}\n"]
    seen: dict[str, tuple[Rule, list[str]]] = {}
    for member, descriptor in _descriptors(root, "scan/formats").items():
        for rule in descriptor.rules:
            seen.setdefault(rule.id, (rule, []))[1].append(member)
    for readers, shared in (("the engine", ENGINE_RULES), ("second opinions", OPINION_RULES)):
        for rule in shared:
            seen.setdefault(rule.id, (rule, []))[1].append(readers)
    for rule, readers in (seen[name] for name in sorted(seen)):
        references = "".join(f"- {reference}\n" for reference in rule.references)
        parts.append(
            f"## {rule.id}\n\n{_capital(rule.title)}. Severity {rule.severity.value}; the file becomes "
            f"`{rule.outcome.value}`. Seen by: {', '.join(readers)}.\n\n{rule.description}\n\n"
            f"What to do: {rule.advice}\n" + (f"\n{references}" if references else "")
        )
    return "\n".join(parts)


def _families(root: Path) -> str:
    parts = [f"{NOTE}\n# Members of the families\n\nOne file each; `tools/new.py` starts another.\n"]
    for family in FAMILIES:
        rows = [
            f"| `{member}` | {descriptor.title} | {_first_sentence(descriptor.description)} |"
            for member, descriptor in _descriptors(root, family.folder).items()
        ]
        title = {"scan/formats": "File formats", "opinions": "Second opinions"}.get(family.folder)
        heading = title or f"{_capital(family.noun)}s".replace("kind of rules", "kinds of rule")
        heading = "Kinds of policy rule" if family.folder == "policy/rules" else heading
        parts.append(f"## {heading}\n\n`src/modelsign/{family.folder}/`\n")
        parts.append("\n".join(["| id | title | |", "| --- | --- | --- |", *rows]) + "\n" if rows else "None yet.\n")
    return "\n".join(parts)


def _decisions(root: Path) -> str:
    """List the pages of decisions by their headings."""
    pages = sorted(path for path in (root / "docs/decisions").glob("*.md") if path.name != "README.md")
    rows = [f"- [{path.read_text(encoding='utf-8').splitlines()[0].lstrip('# ')}]({path.name})" for path in pages]
    about = "Choices that could have gone another way: the context, the choice, what follows from it."
    return f"{NOTE}\n# Decisions\n\n{about}\n\n" + "\n".join(rows) + "\n"


def _descriptors(root: Path, folder: str) -> dict[str, Any]:
    (family,) = (family for family in FAMILIES if family.folder == folder)
    return {member: descriptor for member, (_, descriptor) in members(family, root).items()}


def _first_sentence(text: str) -> str:
    return " ".join(text.split()).partition(". ")[0].rstrip(".") + "."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
