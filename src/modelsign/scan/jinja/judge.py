"""Judges one Jinja template: reads its tags and says what it could do when it is rendered.

Names are followed without regard to the order of the tags: a name stands for everything that is ever assigned to it,
so the template is read again until that no longer grows, a few times at most.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign import limits
from modelsign.scan.jinja.calls import LARGEST
from modelsign.scan.jinja.expressions import Expressions
from modelsign.scan.jinja.lexer import MalformedTemplateError, tokens
from modelsign.scan.jinja.rules import COMPUTED, EXHAUSTS, LOADS, SYNTAX, UNKNOWN
from modelsign.scan.jinja.values import ANYTHING, MADE, Value
from modelsign.scan.rules import BUDGET

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelsign.scan.jinja.lexer import Token
    from modelsign.verdict import Finding

__all__ = ["judged"]

_ROUNDS: Final = 10
_SHOWN: Final = 80
_ENDED: Final = frozenset({"if", "macro", "call", "filter", "block", "with", "autoescape", "generation"})
"""Tags that open a block; `for` and `set` see to theirs themselves."""
_IGNORED: Final = frozenset({"break", "continue"})
_IMPORTING: Final = frozenset({"as", "with", "without", "context", "ignore", "missing"})
_LOADING: Final = frozenset({"include", "import", "from", "extends"})


def judged(text: str) -> tuple[Finding, ...]:
    """Return what a template could do beyond writing out what it is given; nothing for ordinary chat templates."""
    if len(text) > limits.TEMPLATE_CHARACTERS:
        return (BUDGET.finding(f"a template of {len(text)} characters; the limit is {limits.TEMPLATE_CHARACTERS}"),)
    bound: Mapping[str, Value] = {}
    macros: Mapping[str, list[str]] = {}
    read, fault = tokens(text)
    for number in range(_ROUNDS):
        template = _Template(read, fault)
        template.round = number
        template.bound.update(bound)
        template.macros.update(macros)
        try:
            template.read()
        except MalformedTemplateError as broken:
            return (*template.findings, SYNTAX.finding(str(broken)))
        if not template.changed:
            break
        bound, macros = template.bound, template.macros
    else:
        template.report(COMPUTED, "names are handed on in ways that do not come to an end")
    return tuple(template.findings)


class _Template(Expressions):
    """The tags of one template, from the first to the last."""

    def __init__(self, read: Sequence[Token], fault: MalformedTemplateError | None) -> None:
        super().__init__(read, fault)
        self._open: list[tuple[str, float]] = []
        """The blocks that are open, and how often each is gone through at least."""

    def read(self) -> None:
        """Read all tags.

        Raises:
            MalformedTemplateError: the template breaks the grammar.

        """
        self.advance()
        while self.token.kind != "eof":
            mark = self.expect("begin")
            if mark == "{{":
                self.values()
            else:
                self._tag(self.expect("name"))
            self.expect("end")
        if self._open:
            raise MalformedTemplateError(f"{self._open[-1][0]} is not closed", self.token.line)

    def _tag(self, word: str) -> None:
        if word.startswith("end"):
            self._close(word)
        elif word in {"else", "elif"}:
            if not self._open or self._open[-1][0] not in {"if", "for"}:
                raise MalformedTemplateError(f"{word} belongs to nothing", self.token.line)
            if word == "elif":
                self.values()
        elif word in _LOADING:
            self._load(word)
        elif word not in _IGNORED:
            self._other(word)

    def _other(self, word: str) -> None:
        if word in {"for", "set"}:
            self._for() if word == "for" else self._set()
        elif word in {"macro", "call"}:
            self._macro(word)
        elif word == "with":
            self._with()
        elif word == "filter":
            self._chain()
        elif word == "block":
            self.expect("name")
            while self.take("scoped", "required"):
                pass
        elif word in {"if", "do", "print", "autoescape"}:
            self.values()
        elif word != "generation":
            self.report(UNKNOWN, f"the tag {word[:_SHOWN]}")
            self._skip()
        if word in _ENDED:
            self._push(word, 1.0)

    def _push(self, word: str, times: float) -> None:
        if len(self._open) >= limits.TEMPLATE_DEPTH:
            raise MalformedTemplateError("blocks are nested too deeply", self.token.line)
        before = self._open[-1][1] if self._open else 1.0
        if before <= LARGEST < before * times:
            self.report(EXHAUSTS, f"loops of {before * times:.0f} steps in all")
        self._open.append((word, before * times))

    def _close(self, word: str) -> None:
        if not self._open or word != f"end{self._open[-1][0]}":
            raise MalformedTemplateError(f"{word[:_SHOWN]} closes nothing", self.token.line)
        self._open.pop()
        if word == "endblock" and self.is_name():
            self.advance()

    def _targets(self) -> list[str]:
        """Read what is assigned to: names, attributes of namespaces, with commas and brackets."""
        names = []
        while (self.token.kind == "name" and self.token.text != "in") or self.is_op("(", ")", ",", "[", "]"):
            if self.token.kind == "op":
                self.advance()
            else:
                names.append(self.dotted())
        if not names:
            raise MalformedTemplateError("nothing is assigned to", self.token.line)
        return names

    def _assign(self, names: list[str], value: Value) -> None:
        if len(names) == 1:
            self.bind(names[0], value)
        else:
            for name in names:
                self.bind(name, value.items or value)

    def _for(self) -> None:
        names = self._targets()
        self.expect("name", "in")
        values = self.values(condition=False)
        self._assign(names, values.items or Value(made=values.made))
        self._push("for", max(1.0, values.number or 1.0) if values.items is not None else 1.0)
        if self.take("if"):
            self.values()
        self.take("recursive")

    def _set(self) -> None:
        names = self._targets()
        if self.take("="):
            self._assign(names, self.values())
            return
        while self.is_op("|"):
            self.advance()
            self._filter_once(MADE)
        self._assign(names, MADE)
        self._push("set", 1.0)

    def _filter_once(self, value: Value) -> Value:
        name = self.dotted()
        given, named = self.arguments() if self.is_op("(") else ([], {})
        return self.filtered(value, name, given, named)

    def _chain(self) -> None:
        self._filter_once(MADE)
        while self.take("|"):
            self._filter_once(MADE)

    def _macro(self, word: str) -> None:
        name = self.expect("name") if word == "macro" else "caller"
        parameters = []
        if self.take("("):
            while not self.is_op(")"):
                parameters.append(self.expect("name"))
                self.bind(parameters[-1], self.expression() if self.take("=") else ANYTHING)
                if not self.take(","):
                    break
            self.expect("op", ")")
        if self.macros.get(name, parameters) != parameters:
            parameters = [*self.macros[name], *parameters]
        self.macros[name] = parameters[: limits.TEMPLATE_DEPTH]
        self.bind(name, MADE)
        if word == "call":
            self.expression()

    def _with(self) -> None:
        while self.token.kind == "name":
            names = self._targets()
            self.expect("op", "=")
            self._assign(names, self.expression())
            if not self.take(","):
                break

    def _load(self, word: str) -> None:
        self.report(LOADS, f"{word} opens another template")
        if self.token.kind != "end":
            self.expression()
        if word == "from":
            self.expect("name", "import")
        while self.token.kind != "end":
            if self.token.kind == "name" and self.token.text not in {
                "as",
                "with",
                "without",
                "context",
                "ignore",
                "missing",
            }:
                self.bind(self.token.text, MADE)
            self.advance()

    def _skip(self) -> None:
        while self.token.kind not in {"end", "eof"}:
            self.advance()
