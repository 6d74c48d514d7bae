"""Templates that other documents carry: JSON configurations, YAML, the metadata of GGUF."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from modelsign import limits
from modelsign.scan.jinja.judge import judged
from modelsign.scan.rules import BUDGET

if TYPE_CHECKING:
    from collections.abc import Iterable

    from modelsign.verdict import Finding

__all__ = ["judged_together", "texts_below"]


def judged_together(templates: Iterable[tuple[str, str]]) -> tuple[Finding, ...]:
    """Judge templates, each under the name of the place where it stands; equal ones once, all within one budget."""
    findings: list[Finding] = []
    left = limits.TEMPLATES_CHARACTERS
    for where, text in dict.fromkeys(templates):
        left -= len(text)
        if left < 0:
            findings.append(BUDGET.finding("the templates are longer than a scan reads", member=where))
            break
        findings += [replace(finding, member=where) for finding in judged(text)]
    return tuple(findings)


def texts_below(value: object) -> Iterable[str]:
    """Yield every text in a value of JSON, such as a list of named templates, without recursion."""
    waiting = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, str):
            yield node
        elif isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            waiting += node.values()
