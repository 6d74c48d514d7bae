"""``modelsign policy``: start, lint, test and explain trust policies, and print their schema.

None of these looks at a model; ``modelsign check`` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from modelsign.cli.command import DATA_FORMATS, define, group
from modelsign.errors import ExitStatus, error
from modelsign.verdict import Answer, Report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsign.cli.session import Session

__all__ = ["command"]

command = group("policy", "Start, lint, test and explain trust policies.")


@define(
    "policy init",
    examples=(
        "modelsign policy init policy.yaml",
        "modelsign policy init policy.yaml --from strict",
    ),
    formats=DATA_FORMATS,
    within=command,
)
@click.argument("file")
@click.option(
    "--from", "base", default="baseline", show_default=True, metavar="NAME", help="baseline, hybrid, keyless or strict."
)
def init(session: Session, *, file: str, base: str) -> Report:
    """Write a policy to start from; never over an existing file unless --force."""
    from modelsign.policy.document import SHIPPED, shipped_policy

    if base not in SHIPPED:
        raise click.BadParameter(f"{base!r} is none of {', '.join(SHIPPED)}", param_hint="--from")
    session.write(file, shipped_policy(base))
    text = f"wrote {file}\nnext: modelsign policy explain {file}\n"
    return Report(session.command, ExitStatus.OK, body={"file": file, "from": base}, text=text)


@define(
    "policy lint",
    examples=("modelsign policy lint policy.yaml", "modelsign policy lint strict --format json"),
    formats=DATA_FORMATS,
    within=command,
)
@click.argument("policy")
def lint(session: Session, *, policy: str) -> Report:
    """Read a policy strictly and say what is doubtful about it."""
    from modelsign.policy import lint as linter
    from modelsign.policy.document import load_policy
    from modelsign.verdict import plain

    read = load_policy(policy)
    doubts = linter.lint(read, now=session.now())
    fatal = [error("POLICY_DOUBTFUL", f"{doubt.where}: {doubt.message}") for doubt in doubts if doubt.fatal]
    return Report(
        session.command,
        ExitStatus.NEGATIVE if fatal else ExitStatus.OK,
        body={"policy": read.name, "doubts": plain(doubts)},
        reasons=tuple(map(Answer.of, fatal)),
        warnings=tuple(f"{doubt.where}: {doubt.message}" for doubt in doubts if not doubt.fatal),
        text=f"{read.name}: {'well formed' if doubts else 'in order'}\n",
    )


@define(
    "policy test",
    examples=("modelsign policy test cases.yaml", "modelsign policy test policies/tests"),
    formats=DATA_FORMATS,
    within=command,
)
@click.argument("paths", nargs=-1, required=True, metavar="FILE|DIR…")
def test(session: Session, *, paths: tuple[str, ...]) -> Report:
    """Run the test cases of policies; a folder stands for every .yaml and .json in it."""
    from modelsign.policy.cases import run_cases
    from modelsign.verdict import plain

    results = [result for path in paths for file in _case_files(path) for result in run_cases(file)]
    if not results:
        raise error("POLICY_CASES_MALFORMED", f"there are no test cases in {', '.join(paths)}")
    failed = [result for result in results if result.problems]
    lines = [f"{'FAIL' if result.problems else 'ok  '} {result.policy}: {result.name}" for result in results]
    reasons = tuple(
        Answer.of(error("POLICY_CASE_FAILED", f"{result.policy}: {result.name}: {'; '.join(result.problems)}"))
        for result in failed
    )
    return Report(
        session.command,
        ExitStatus.NEGATIVE if failed else ExitStatus.OK,
        body={"passed": len(results) - len(failed), "failed": len(failed), "cases": plain(results)},
        reasons=reasons,
        text="\n".join([*lines, f"{len(results) - len(failed)} passed, {len(failed)} failed"]) + "\n",
    )


def _case_files(path: str) -> Iterator[str]:
    from pathlib import Path

    folder = Path(path)
    if not folder.is_dir():
        yield path
        return
    yield from sorted(str(file) for file in folder.rglob("*") if file.suffix in (".yaml", ".json") and file.is_file())


@define(
    "policy explain",
    examples=("modelsign policy explain baseline", "modelsign policy explain policy.yaml --format json"),
    formats=DATA_FORMATS,
    within=command,
)
@click.argument("policy")
def explain(session: Session, *, policy: str) -> Report:
    """Say in words what a policy asks for, and what the caller must give it."""
    from modelsign.policy import explain as explainer
    from modelsign.policy.document import load_policy

    read = load_policy(policy)
    return Report(
        session.command, ExitStatus.OK, body={"policy": explainer.explain(read)}, text=explainer.explain_text(read)
    )


@define(
    "policy schema",
    examples=("modelsign policy schema", "modelsign policy schema --format json"),
    formats=DATA_FORMATS,
    within=command,
)
def schema(session: Session) -> Report:
    """Print the JSON Schema of policies; as text it is the schema itself, ready for an editor."""
    import json

    from modelsign.policy.schema import json_schema

    found = json_schema()
    return Report(
        session.command, ExitStatus.OK, body={"policy_schema": found}, text=json.dumps(found, indent=2) + "\n"
    )
