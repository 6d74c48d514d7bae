"""The rule that says which file formats a model may have.

The format is what the local scan recognised by content; a name never decides. ``inert`` stands for every file
that no loader takes code from, whatever its format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsign.policy.rule import INERT, Context, FilePatterns, FormatNames, Judgement, PolicyRule, RuleKind
from modelsign.policy.scanned import check_files, listed, scanned, where
from modelsign.verdict import RuleMode, RuleOutcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.verdict import FileScan

__all__ = ["RULE_KIND", "FormatsRule"]


class FormatsRule(PolicyRule, tag="formats", frozen=True, kw_only=True):
    """Every file concerned has a format in ``allow`` (if given) and none in ``deny``.

    A rule with ``files`` that concerns no file fails, unless it says ``if_present``.
    """

    allow: FormatNames | None = None
    deny: FormatNames | None = None
    files: FilePatterns | None = None
    if_present: bool = False

    def __post_init__(self) -> None:
        """Refuse a rule that asks for nothing."""
        if self.allow is None and self.deny is None:
            message = "a formats rule has allow, deny, or both"
            raise ValueError(message)
        check_files(self.files, if_present=self.if_present)


def judge(rule: FormatsRule, context: Context) -> Judgement:
    """Compare the format of every file concerned."""
    found = scanned(rule.files, context)
    if isinstance(found, Judgement):
        return found
    files = found[1]
    wrong = [f"{file.path} is {_format(file)}" for file in files if not _allowed(rule, file)]
    if wrong:
        return Judgement(RuleOutcome.FAIL, listed(wrong), (), "POLICY_FORMAT_DENIED")
    if rule.files and not files and not rule.if_present:
        return Judgement(RuleOutcome.FAIL, "no file of the model matches", (), "POLICY_NO_FILE")
    formats = ", ".join(sorted({_format(file) for file in files}))
    return Judgement(RuleOutcome.PASS, f"{len(files)} files: {formats or 'none concerned'}")


def _allowed(rule: FormatsRule, file: FileScan) -> bool:
    """Decide on one file; what two readers accept (``pickle+zip``) must be allowed as each of them."""
    names = set(file.format.split("+"))
    inert = not file.loadable
    if rule.deny is not None and not (names | ({INERT} if inert else set())).isdisjoint(rule.deny):
        return False
    return rule.allow is None or names <= set(rule.allow) or (inert and INERT in rule.allow)


def _format(file: FileScan) -> str:
    return file.format if file.loadable or file.format == INERT else f"{file.format} ({INERT})"


def expected(rule: FormatsRule, parameters: Mapping[str, tuple[str, ...]]) -> str:
    """Say what the rule asks for."""
    del parameters
    parts = []
    if rule.allow is not None:
        parts.append(f"is one of {', '.join(rule.allow)}")
    if rule.deny is not None:
        parts.append(f"is none of {', '.join(rule.deny)}")
    return f"{where(rule.files, if_present=rule.if_present)} {' and '.join(parts)}"


def doubts(rule: FormatsRule) -> tuple[str, ...]:
    """Warn of a denial that a new format would slip past."""
    if rule.allow is None and rule.mode is RuleMode.ENFORCE:
        return ("deny without allow lets every other format in, also those not known yet",)
    return ()


RULE_KIND = RuleKind(
    id="formats",
    title="File formats",
    description="Every file the rule concerns has an allowed format, as the local scan recognised it by content.",
    rule=FormatsRule,
    judge=judge,
    expected=expected,
    authenticates_all_bytes=False,
    parameters=lambda _: (),
    doubts=doubts,
    format_names=lambda rule: (*(rule.allow or ()), *(rule.deny or ())),
)
