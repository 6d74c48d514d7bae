"""Reads the expressions of a template, by the grammar of ``jinja2/parser.py`` 3.1, and judges them as it goes.

Nothing is evaluated but constants. Operators are read by precedence, chains in a loop, so that only brackets nest,
and those to a limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign import limits
from modelsign.scan.jinja.calls import Calls
from modelsign.scan.jinja.lexer import MalformedTemplateError, unescaped
from modelsign.scan.jinja.names import hides, pattern_escapes
from modelsign.scan.jinja.rules import COMPUTED, ESCAPE
from modelsign.scan.jinja.values import ANYTHING, NUMBER, Value, container, either, texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from modelsign.scan.jinja.lexer import Token

__all__ = ["Expressions"]

_BINARY: Final = {
    "or": 1, "and": 2, "in": 4, "not": 4, "==": 4, "!=": 4, "<": 4, ">": 4, "<=": 4, ">=": 4,
    "+": 5, "-": 5, "~": 6, "*": 7, "/": 7, "//": 7, "%": 7, "**": 8,
}  # fmt: skip
"""How tightly each operator binds."""
_NOT: Final = 3
_COMPARISON: Final = 4
_CONSTANTS: Final = frozenset({"true", "false", "none", "True", "False", "None"})
_ARGUMENT: Final = frozenset({"name", "string", "integer", "float"})
_NO_ARGUMENT: Final = frozenset({"else", "or", "and", "if", "is", "in", "not"})
_MOST_FIELDS: Final = 64


def _number(token: Token) -> float:
    """Return a number's value; one that is longer than Python reads at once is larger than anything sensible."""
    digits = token.text.replace("_", "")
    try:
        return float(digits) if token.kind == "float" else float(int(digits, 0 if digits[1:2].isalpha() else 10))
    except (ValueError, OverflowError):
        return float("inf")


class Expressions(Calls):
    """The tokens of one template, and what its expressions come to."""

    def __init__(self, read: Sequence[Token], fault: MalformedTemplateError | None) -> None:
        """Take the template's tokens, and what is wrong behind them."""
        super().__init__()
        self._next = iter(read).__next__
        self._fault = fault
        self._depth = 0

    def advance(self) -> Token:
        """Return the token and go on to the next; the last one stays.

        Raises:
            MalformedTemplateError: the tokens end in a fault.

        """
        token = self.token
        try:
            self.token = self._next()
        except StopIteration:
            if self._fault is not None:
                raise self._fault from None
        return token

    def is_op(self, *words: str) -> bool:
        """Whether the token is one of these operators."""
        return self.token.kind == "op" and self.token.text in words

    def is_name(self, *words: str) -> bool:
        """Whether the token is one of these words, or any name."""
        return self.token.kind == "name" and (not words or self.token.text in words)

    def take(self, *words: str) -> bool:
        """Skip an operator or word, if it is the token."""
        if self.token.text in words and self.token.kind in {"op", "name"}:
            self.advance()
            return True
        return False

    def expect(self, kind: str, text: str = "") -> str:
        """Return the text of a token that must come now.

        Raises:
            MalformedTemplateError: something else comes.

        """
        if self.token.kind != kind or (text and self.token.text != text):
            wanted, found = text or kind, self.token.text[:40] or self.token.kind
            raise MalformedTemplateError(f"{wanted} is expected where {found} stands", self.token.line)
        return self.advance().text

    def values(self, *, condition: bool = True) -> Value:
        """Read one expression, or several with commas between them."""
        first = self.expression(condition=condition)
        if not self.is_op(","):
            return first
        parts = [first]
        while self.take(","):
            if self.token.kind == "end" or self.is_op(")", "=") or self.is_name("if", "recursive"):
                break
            parts.append(self.expression(condition=condition))
        return container(parts)

    def expression(self, *, condition: bool = True) -> Value:
        """Read one expression; without ``condition``, ``if`` ends it."""
        self._depth += 1
        if self._depth > limits.TEMPLATE_DEPTH:
            raise MalformedTemplateError("expressions are nested too deeply", self.token.line)
        value = self._binary(1)
        while condition and self.is_name("if"):
            self.advance()
            self._binary(1)
            value = either([value, self.expression()]) if self.take("else") else value
        self._depth -= 1
        return value

    def _binary(self, tightness: int) -> Value:
        """Read operators that bind at least so tightly."""
        self._depth += 1
        if self._depth > limits.TEMPLATE_DEPTH:
            raise MalformedTemplateError("expressions are nested too deeply", self.token.line)
        if tightness <= _NOT and self.is_name("not"):
            self.advance()
            self._binary(_NOT)
            left = NUMBER
        else:
            left = self._unary()
        while self.token.kind in {"op", "name"}:
            word = self.token.text
            binds = _BINARY.get(word, 0)
            if binds < tightness:
                break
            self.advance()
            if word == "not":
                self.expect("name", "in")
            right = self._binary(binds + 1)
            left = self.combined(word, left, right) if binds >= _COMPARISON else either([left, right])
        self._depth -= 1
        return left

    def _unary(self, *, filters: bool = True) -> Value:
        signs = False
        while self.token.kind == "op" and self.token.text in {"-", "+"}:
            signs = True
            self.advance()
        value = self._postfix(self._primary())
        value = NUMBER if signs else value
        return self._filtered(value) if filters else value

    def _primary(self) -> Value:
        token = self.token
        if token.kind == "string":
            return self._string()
        if token.kind in {"integer", "float"}:
            self.advance()
            number = _number(token)
            return Value(number=number, numeric=True, other=False)
        if token.kind == "name":
            self.advance()
            return NUMBER if token.text in _CONSTANTS else self.looked_up(token.text)
        if self.take("("):
            value = container([]) if self.is_op(")") else self.values()
            self.expect("op", ")")
            return value
        if self.take("["):
            return container(self._listed("]"))
        if self.take("{"):
            return self._dictionary()
        raise MalformedTemplateError(f"no expression begins with {token.text[:40] or token.kind}", token.line)

    def _string(self) -> Value:
        parts = []
        while self.token.kind == "string":
            token = self.advance()
            parts.append(unescaped(token))
        word = "".join(parts)
        if hides(word):
            self.report(COMPUTED, f"the name {word} is a text in an expression")
        if pattern_escapes(word):
            self.report(ESCAPE, "a pattern for str.format follows an internal attribute")
        return texts(word)

    def _listed(self, closing: str) -> Iterable[Value]:
        parts = []
        while not self.is_op(closing):
            parts.append(self.expression())
            if not self.take(","):
                break
        self.expect("op", closing)
        return parts

    def _dictionary(self) -> Value:
        fields: list[tuple[str, Value]] = []
        inside: list[Value] = []
        while not self.is_op("}"):
            key = self.expression()
            self.expect("op", ":")
            value = self.expression()
            inside += [key, value]
            fields += [(word, value) for word in key.texts]
            if not self.take(","):
                break
        self.expect("op", "}")
        return container(inside, tuple(fields[:_MOST_FIELDS]))

    def _postfix(self, value: Value) -> Value:
        while True:
            if self.token.kind != "op":
                return value
            if self.take("."):
                if self.token.kind == "integer":
                    self.advance()
                    value = value.items or ANYTHING
                else:
                    value = self.attribute(value, self.expect("name"), called=self.is_op("("))
            elif self.take("["):
                value = self._subscript(value)
            elif self.is_op("("):
                value = self.called(value, *self.arguments())
            else:
                return value

    def _subscript(self, value: Value) -> Value:
        keys, sliced = [], False
        while not self.is_op("]"):
            if self.take(":"):
                sliced = True
            elif not self.take(","):
                keys.append(self.expression())
        self.expect("op", "]")
        if not keys and not sliced:
            raise MalformedTemplateError("a subscript is empty", self.token.line)
        return self.sliced(value) if sliced else self.item(value, either(keys), called=self.is_op("("))

    def arguments(self) -> tuple[list[Value], dict[str, Value]]:
        """Read the arguments of a call, brackets included."""
        self.expect("op", "(")
        given: list[Value] = []
        named: dict[str, Value] = {}
        while not self.is_op(")"):
            starred = self.take("*", "**")
            value, word = self._argument() if not starred else (self.expression(), "")
            if word:
                named[word] = value
            else:
                given.append(value.items or ANYTHING if starred else value)
            if not self.take(","):
                break
        self.expect("op", ")")
        return given, named

    def _argument(self) -> tuple[Value, str]:
        """Read one argument and its name; that a name is followed by ``=`` shows after it was read as a value."""
        name = self.token.text if self.is_name() else ""
        value = self.expression()
        if name and value.name == name and self.is_op("="):
            self.advance()
            return self.expression(), name
        return value, ""

    def _filtered(self, value: Value) -> Value:
        while True:
            if self.token.kind not in {"op", "name"}:
                return value
            if self.take("|"):
                name = self.dotted()
                given, named = self.arguments() if self.is_op("(") else ([], {})
                value = self.filtered(value, name, given, named)
            elif self.is_name("is"):
                self.advance()
                self.take("not")
                self._test()
                value = NUMBER
            elif self.is_op("("):
                value = self.called(value, *self.arguments())
            else:
                return value

    def _test(self) -> None:
        self.tested(self.dotted())
        if self.is_op("("):
            self.arguments()
        elif (self.token.kind in _ARGUMENT and self.token.text not in _NO_ARGUMENT) or self.is_op("[", "{"):
            self._postfix(self._primary())

    def dotted(self) -> str:
        """Read a name with dots in it."""
        name = self.expect("name")
        while self.take("."):
            name += f".{self.expect('name')}"
        return name
