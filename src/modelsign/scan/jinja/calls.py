"""Judges what a template reaches for: attributes, items, functions, filters, tests, and operations of constant size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign.scan.jinja.lexer import Token
from modelsign.scan.jinja.names import escapes, known, pattern_escapes, pattern_reaches
from modelsign.scan.jinja.rules import COMPUTED, DANGEROUS, ESCAPE, EXHAUSTS, FORMAT, UNKNOWN
from modelsign.scan.jinja.values import (
    ANYTHING,
    MADE,
    NUMBER,
    Value,
    added,
    concatenated,
    container,
    either,
    reached,
    repeated,
    transformed,
    widened,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from modelsign.verdict import Finding, Rule

__all__ = ["LARGEST", "Calls"]

LARGEST: Final = 1_000_000
"""Steps, or characters, that no ordinary template asks for; Jinja's own sandbox refuses ranges beyond 100,000."""
_LARGEST_ARGUMENT: Final = 10_000_000
_LARGEST_POWER: Final = 1e300
_SHOWN: Final = 80
_NUMBERS: Final = frozenset({"length", "count", "int", "float", "round", "abs", "sum", "wordcount"})
_NUMBER_METHODS: Final = frozenset({"find", "index", "count", "rfind", "rindex", "startswith", "endswith"})
_SAME: Final = frozenset(
    {
        "list", "first", "last", "sort", "reverse", "unique", "select", "reject", "random", "min", "max", "dictsort",
        "selectattr", "rejectattr", "safe", "items", "trim", "string", "strip",
    }
)  # fmt: skip
"""Filters that hand on what they are given, or a part of it."""
_ASSEMBLERS: Final = frozenset({"join", "replace", "format"})
_BY_ATTRIBUTE: Final = frozenset(
    {"attr", "groupby", "join", "map", "max", "min", "rejectattr", "selectattr", "sort", "sum", "unique"}
)
_SIZED: Final = frozenset({"batch", "center", "indent", "ljust", "rjust", "slice", "truncate", "wordwrap", "zfill"})
_PARTS: Final = frozenset({"items", "keys", "values", "get", "pop", "copy"})
_TESTED: Final = frozenset({"select", "reject"})
_FIELDS: Final = 64
_TAKEN_UP: Final = 2
"""Rounds in which names take up new texts, such as grow in loops."""
_LONGEST_NAME: Final = 256


class Calls:
    """What one template was found to reach for, and what its names are bound to."""

    def __init__(self) -> None:
        """Begin without findings and bindings."""
        self.findings: dict[Finding, None] = {}
        self.bound: dict[str, Value] = {}
        self.macros: dict[str, list[str]] = {}
        self.token = Token("begin", "", 1)
        """What is read just now."""
        self.changed = False
        self.round = 0

    def report(self, rule: Rule, message: str) -> None:
        """Record a finding at the line that is read."""
        self.findings[rule.finding(f"line {self.token.line}: {message}")] = None

    def bind(self, name: str, value: Value) -> None:
        """Let a name stand for a value besides those it stands for already."""
        for field, inside in value.fields:
            self._bind(f"{name}.{field}", inside)
        self._bind(name, value)

    def _bind(self, name: str, value: Value) -> None:
        value = Value(value.texts, value.other, value.made, None, value.numeric, value.items)
        before = self.bound.get(name)
        after = value if before is None else either([before, value])
        if before is not None and self.round > _TAKEN_UP:
            after = widened(before, after)
        if after != before:
            self.bound[name] = after
            self.changed = True

    def looked_up(self, name: str) -> Value:
        """Return what a name stands for."""
        if escapes(name):
            self.report(ESCAPE, f"the variable {name[:_SHOWN]}")
        return reached(self.bound.get(name, ANYTHING), name)

    def attribute(self, value: Value, name: str, *, called: bool) -> Value:
        """Judge ``value.name``."""
        self._judge_key(name)
        if not escapes(name) and name.startswith("_"):
            self.report(COMPUTED, f"the private attribute {name[:_SHOWN]}")
        if name in {"format", "format_map"} and not called:
            self.report(FORMAT, "the method str.format is handed on")
        return self._inside(value, name)

    def item(self, value: Value, key: Value, *, called: bool) -> Value:
        """Judge ``value[key]``, which Jinja takes for an attribute where there is no such item."""
        self._judge_keys(key)
        if not called and key.texts & {"format", "format_map"}:
            self.report(FORMAT, "the method str.format is handed on")
        words = sorted(key.texts)
        if len(words) == 1 and not key.other:
            return self._inside(value, words[0])
        inside = value.items or ANYTHING
        path = f"{value.name[:_LONGEST_NAME] or '?'}.{words[0]}" if words else "?"
        return reached(inside, path, value, other=True)

    def _inside(self, value: Value, name: str) -> Value:
        path = f"{value.name if 0 < len(value.name) < _LONGEST_NAME else '?'}.{name}"
        known_here = self.bound.get(path) or (dict(value.fields).get(name) if value.fields else None)
        inside = known_here if known_here is not None else (value.items or ANYTHING)
        return reached(inside, path, value, other=known_here is None)

    def _judge_key(self, name: str) -> None:
        if escapes(name):
            self.report(ESCAPE, f"the attribute {name[:_SHOWN]}")

    def _judge_keys(self, key: Value) -> None:
        for word in sorted(key.texts):
            for part in word.split("."):
                self._judge_key(part)
        if key.made and not key.numeric:
            self.report(COMPUTED, "an item or attribute is asked for by a name that is put together")

    def sliced(self, value: Value) -> Value:
        """Return a part of text or of a list."""
        return transformed(value)._replace(items=value.items)

    def called(self, value: Value, given: Sequence[Value], named: Mapping[str, Value]) -> Value:
        """Judge a call."""
        root, _, rest = value.name.partition(".")
        method = value.name.rpartition(".")[2] if rest else ""
        for word in named:
            self._judge_key(word)
        if value.name in self.macros:
            self._bind_arguments(value.name, given, named)
            return MADE
        if not value.name or value.name == "?" or (root == "?" and not method):
            return transformed(value, *given, *named.values())
        if not method:
            return self._function(root, given, named)
        return self._method(value, root, method, [*given, *named.values()])

    def _function(self, name: str, given: Sequence[Value], named: Mapping[str, Value]) -> Value:
        if name in {"namespace", "dict"}:
            inside = [*(part.items or ANYTHING for part in given), *named.values()]
            fields = [field for part in given for field in part.fields]
            return container(inside, (*fields, *named.items())[:_FIELDS])
        if name == "range":
            return self._range([part.number for part in given])
        if name in self.bound or name in known("functions"):
            return transformed(ANYTHING, *given)
        if name in known("dangerous"):
            self.report(DANGEROUS, f"{name} is called")
        else:
            self.report(UNKNOWN, f"the function {name[:_SHOWN]} is called")
        return MADE

    def _range(self, numbers: Sequence[float | None]) -> Value:
        known_numbers = [number for number in numbers if number is not None]
        steps = None
        if len(known_numbers) == len(numbers) and numbers:
            first, last = (0.0, known_numbers[0]) if len(numbers) == 1 else known_numbers[:2]
            stride = abs(known_numbers[2]) if len(numbers) > 2 else 1.0  # noqa: PLR2004 - start, stop, step
            steps = abs(last - first) / (stride or 1.0)
        elif any(abs(number) > LARGEST for number in known_numbers):
            steps = max(abs(number) for number in known_numbers)
        if steps is not None and steps > LARGEST:
            self.report(EXHAUSTS, f"a range of {steps:.0f} steps")
        return Value(items=NUMBER, number=steps)

    def _method(self, value: Value, root: str, method: str, given: Sequence[Value]) -> Value:
        base = value.base or ANYTHING
        if method in {"format", "format_map"}:
            return self._formatted(base, given)
        self._judge_size(method, given)
        if root not in self.bound and root in known("dangerous") and value.name.count(".") > 0 and root != "?":
            self.report(DANGEROUS, f"{value.name[:_SHOWN]} is called")
        elif method not in known("methods"):
            self.report(UNKNOWN, f"the method {method[:_SHOWN]} is called")
        if method in _NUMBER_METHODS:
            return NUMBER
        if method in _PARTS:
            return either([base.items or ANYTHING, *given])._replace(items=base.items, other=True)
        return transformed(base, *given) if method not in _ASSEMBLERS else MADE

    def _formatted(self, pattern: Value, given: Sequence[Value]) -> Value:
        if any(map(pattern_escapes, pattern.texts)):
            self.report(ESCAPE, "a pattern for str.format follows an internal attribute")
        elif pattern.other or pattern.made or any(map(pattern_reaches, pattern.texts)):
            self.report(FORMAT, "str.format is called with a pattern that may follow attributes")
        del given
        return MADE

    def _judge_size(self, name: str, given: Iterable[Value]) -> None:
        for part in given if name in _SIZED else ():
            if part.number is not None and abs(part.number) >= _LARGEST_ARGUMENT:
                self.report(EXHAUSTS, f"{name} is given the size {part.number:.0f}")

    def _bind_arguments(self, name: str, given: Sequence[Value], named: Mapping[str, Value]) -> None:
        parameters = self.macros[name]
        for parameter, value in zip(parameters, given, strict=False):
            self.bind(parameter, value)
        for value in given[len(parameters) :]:
            self.bind("varargs", container([value]))
        for word, value in named.items():
            self.bind(word if word in parameters else "kwargs", value if word in parameters else container([value]))

    def filtered(self, value: Value, name: str, given: Sequence[Value], named: Mapping[str, Value]) -> Value:
        """Judge ``value|name(…)``."""
        if name not in known("filters"):
            self.report(UNKNOWN, f"the filter {name[:_SHOWN]}")
        arguments = [*given, *named.values()]
        for word in named:
            self._judge_key(word)
        if name in _BY_ATTRIBUTE:
            self._judge_attributes(name, given, named)
        if name in _TESTED and given:
            self._judge_named(given[0], "tests", "test")
        self._judge_size(name, arguments)
        if name in _NUMBERS:
            return NUMBER
        if name in {"default", "d"}:
            return either([value, *given[:1]])
        if name in _SAME:
            parts = [transformed(value._replace(items=None))] if value.texts else []
            parts += [value.items] if value.items is not None else []
            return either(parts, value)._replace(items=value.items, name="", number=None)
        return MADE if name in _ASSEMBLERS else transformed(value, *arguments)

    def _judge_attributes(self, name: str, given: Sequence[Value], named: Mapping[str, Value]) -> None:
        """Judge the names of attributes that a filter is given."""
        keys = [*given] if name != "join" else [*given[1:]]
        if name == "map" and given:
            inner = given[0].texts
            self._judge_named(given[0], "filters", "filter")
            keys = [*given[1:]] if inner & {"attr"} else []
        for key in (*keys, *(named[word] for word in named if word == "attribute")):
            self._judge_keys(key)
            if name == "attr" and key.other and not key.texts and not key.made:
                self.report(COMPUTED, "the filter attr is given a name that is not constant")

    def _judge_named(self, value: Value, kind: str, what: str) -> None:
        if value.other:
            self.report(COMPUTED, f"the name of a {what} is not constant")
        for word in sorted(value.texts - known(kind)):
            self.report(UNKNOWN, f"the {what} {word[:_SHOWN]}")

    def tested(self, name: str) -> None:
        """Judge ``… is name``."""
        if name not in known("tests"):
            self.report(UNKNOWN, f"the test {name[:_SHOWN]}")

    def combined(self, word: str, left: Value, right: Value) -> Value:
        """Return what an operator makes of two values."""
        if word == "+":
            return added(left, right)
        if word == "~":
            return concatenated(left, right)
        if word == "%":
            return MADE if left.texts else NUMBER
        if word == "*":
            return self._multiplied(left, right)
        if word == "**":
            return self._power(left, right)
        return NUMBER

    def _multiplied(self, left: Value, right: Value) -> Value:
        for value, times in ((left, right), (right, left)):
            if value.texts or value.items is not None:
                if times.number is not None and times.number > LARGEST:
                    self.report(EXHAUSTS, f"text or a list is repeated {times.number:.0f} times")
                if value.items is not None:
                    return value._replace(number=None)
                return repeated(value, times.number) if times.number is not None else transformed(value)
        if left.number is not None and right.number is not None:
            return NUMBER._replace(number=left.number * right.number)
        return NUMBER

    def _power(self, left: Value, right: Value) -> Value:
        if left.number is None or right.number is None:
            return NUMBER
        try:
            power = left.number**right.number
        except (OverflowError, ZeroDivisionError):
            power = float("inf")
        if isinstance(power, complex) or abs(power) > _LARGEST_POWER:
            self.report(EXHAUSTS, "a power of immense size")
            return NUMBER
        return NUMBER._replace(number=power)
