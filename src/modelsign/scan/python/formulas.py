"""Formulas of models (``y ~ a + np.log(b)``) that patsy or formulaic may evaluate: a grammar of what is harmless.

Both take the terms of a formula for Python and evaluate them. Accepted here are names, numbers, the operators
between terms, and calls of functions that were reviewed in patsy 1.0, formulaic 1.2 and NumPy 2.4, with arguments that
are again names, numbers, arithmetic and such calls. Attributes, subscripts, other calls, keywords of Python and text
outside of a few arguments are not: ``C(x, f)`` calls ``f``, and ``"%s" % x`` formats. Nothing is evaluated; text in,
an answer out.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["FormulaError", "numpy_functions_of"]

_TOKEN: Final = re.compile(
    r"[ \t\n]*(?:(?P<number>(?:[0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})(?:[eE][+-]?[0-9]{1,3})?)(?![\w.])"
    r"|(?P<name>[A-Za-z_]\w{0,200})(?!\w)"
    r"|(?P<text>'[A-Za-z0-9_ .:/-]*'|\"[A-Za-z0-9_ .:/-]*\")"
    r"|(?P<mark>\*\*|//|<=|>=|==|!=|[-+*/:~()\[\],=.<>&|])"
    r"|(?P<end>\Z))",
    re.ASCII,
)
_LONGEST: Final = 2000
_DEPTH: Final = 20
_MOST_CROSSED: Final = 8
"""Terms that may be crossed with each other: their number doubles each time."""
_HIGHEST_POWER: Final = 16
_MOST_POWERS: Final = 4
_LARGEST_COUNT: Final = 1000
"""Of the degrees of freedom that a spline may have."""
_RESERVED: Final = frozenset({
    "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else", "except",
    "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass",
    "raise", "return", "try", "while", "with", "yield", "match", "case", "type", "print", "exec",
})  # fmt: skip
_CONSTANTS: Final = frozenset({"None", "True", "False"})
_CONTRASTS: Final = frozenset({"Treatment", "Poly", "Sum", "Helmert", "Diff"})
_PLAIN: Final = frozenset({"I", "log", "log10", "log2", "exp", "exp2", "exp10"})
"""Functions of one number."""
_CONFIGURED: Final = frozenset({"center", "standardize", "scale", "bs", "cr", "cc", "cs", "poly"})
"""Functions of one number, and constants that say how."""
_SPLINES: Final = frozenset({"bs", "cr", "cc", "cs"})
_NUMPY: Final = frozenset({
    "abs", "absolute", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "cbrt", "ceil",
    "clip", "cos", "cosh", "exp", "exp2", "expm1", "fabs", "floor", "hypot", "isfinite", "isinf", "isnan", "log",
    "log10", "log1p", "log2", "logical_not", "maximum", "minimum", "power", "reciprocal", "rint", "round", "sign",
    "sin", "sinh", "sqrt", "square", "tan", "tanh", "trunc", "where",
})  # fmt: skip
_TERMS: Final = frozenset({"+", "-", "*", "/", ":", "**"})
_ARITHMETIC: Final = frozenset({"+", "-", "*", "/", "//", "**", "<", ">", "<=", ">=", "==", "!=", "&", "|"})
_BEHIND_TEXT: Final = frozenset({")", ",", "&", "|"})


class FormulaError(ValueError):
    """The formula is not known to be harmless."""


def numpy_functions_of(text: str) -> frozenset[str]:
    """Return the functions that a formula asks ``np`` for.

    Raises:
        FormulaError: it holds anything that is not known to be harmless.

    """
    if len(text) > _LONGEST:
        raise FormulaError("longer than a formula is read")
    parser = _Parser(text)
    parser.formula()
    return frozenset(parser.numpy)


class _Parser:
    """One pass over the text, with one token ahead."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0
        self._depth = 0
        self._crossed = 0
        self._powers = 0
        self.numpy: set[str] = set()
        self.kind = ""
        self.value = ""
        self._advance()

    def _advance(self) -> str:
        """Move on to the next token; return the one before."""
        before = self.value
        match = _TOKEN.match(self._text, self._place)
        if match is None or match.lastgroup is None:
            raise FormulaError(f"character {self._place} is of no formula")
        self.kind, self.value, self._place = match.lastgroup, match[match.lastgroup], match.end()
        if self.kind == "name" and (self.value in _RESERVED or "__" in self.value):
            raise FormulaError(f"the name {self.value}")
        return before

    def _is(self, mark: str) -> bool:
        return self.kind == "mark" and self.value == mark

    def _expect(self, mark: str) -> None:
        if not self._is(mark):
            raise FormulaError(f"{mark!r} expected before character {self._place}")
        self._advance()

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > _DEPTH:
            raise FormulaError("nested too deeply")

    # --- terms ---------------------------------------------------------------------------

    def formula(self) -> None:
        """Read both sides."""
        if not self._is("~"):
            self._terms()
        if self._is("~"):
            self._advance()
            self._terms()
        if self.kind != "end":
            raise FormulaError(f"unexpected {self.value!r}")

    def _terms(self) -> None:
        self._deeper()
        if self._is("+") or self._is("-"):
            self._advance()
        self._term()
        while self.kind == "mark" and self.value in _TERMS:
            mark = self._advance()
            if mark == "**":
                self._power()
                continue
            self._crossed += mark == "*"
            if self._crossed > _MOST_CROSSED:
                raise FormulaError("too many terms are crossed")
            self._term()
        self._depth -= 1

    def _term(self) -> None:
        if self._is("("):
            self._advance()
            self._terms()
            self._expect(")")
        elif self.kind == "number":
            self._advance()
        else:
            self._name()

    def _power(self) -> None:
        """Read an exponent, which is a small number: powers of powers would take for ever."""
        if self._is("-"):
            self._advance()
        self._powers += 1
        if self.kind != "number" or float(self.value) > _HIGHEST_POWER or self._powers > _MOST_POWERS:
            raise FormulaError("a power that is no small number")
        self._advance()
        if self._is("**"):  # of the second power, not of the first
            raise FormulaError("a power of a power")

    # --- Python --------------------------------------------------------------------------

    def _name(self) -> None:
        """Read a name, or a call of a reviewed function."""
        if self.kind != "name":
            raise FormulaError(f"unexpected {self.value!r}")
        name = self._advance()
        if name == "np" and self._is("."):
            self._advance()
            self._numpy_call()
        elif self._is("("):
            self._call(name)
        elif self._is(".") or self._is("["):
            raise FormulaError(f"a part of {name}")

    def _numpy_call(self) -> None:
        if self.kind != "name" or self.value not in _NUMPY:
            raise FormulaError(f"np.{self.value}")
        self.numpy.add(self._advance())
        self._expect("(")
        self._arithmetic()
        while self._is(","):
            self._advance()
            self._arithmetic()
        self._expect(")")

    def _call(self, name: str) -> None:
        self._deeper()
        self._expect("(")
        if name == "Q":
            if self.kind != "text" or "__" in self.value:
                raise FormulaError("Q of something else than a text")
            self._advance()
        elif name == "te":
            self._tensor()
        elif name in _PLAIN | _CONFIGURED | {"C"}:
            self._arithmetic()
            if name not in _PLAIN:
                self._options(contrasts=name == "C")
        else:
            raise FormulaError(f"calls {name}")
        self._expect(")")
        self._depth -= 1

    def _tensor(self) -> None:
        """Read the splines of ``te(cr(a, df=3), cr(b, df=3))``."""
        while self.kind == "name" and self.value in _SPLINES:
            self._name()
            if not self._is(","):
                return
            self._advance()
        self._option(contrasts=False)

    def _options(self, *, contrasts: bool) -> None:
        while self._is(","):
            self._advance()
            self._option(contrasts=contrasts)

    def _option(self, *, contrasts: bool) -> None:
        """Read ``df=3``, ``levels=['a']``, ``Treatment('a')``: what is given may be called, so it is no name."""
        keyword = ""
        if self.kind == "name" and self.value not in _CONSTANTS | _CONTRASTS:
            keyword = self._advance()
            if keyword.startswith("_"):
                raise FormulaError(f"the keyword {keyword}")
            self._expect("=")
        if contrasts and self.kind == "name" and self.value in _CONTRASTS:
            self._contrast()
        else:
            self._constant(keyword)

    def _contrast(self) -> None:
        self._advance()
        if self._is("("):
            self._advance()
            while not self._is(")"):
                self._option(contrasts=False)
                if self._is(","):
                    self._advance()
            self._advance()

    def _constant(self, keyword: str = "") -> None:
        if self._is("["):
            self._advance()
            while not self._is("]"):
                self._constant("levels")
                if not self._is("]"):
                    self._expect(",")
            self._advance()
            return
        if self._is("-"):
            self._advance()
            if self.kind != "number":
                raise FormulaError("a sign before something else than a number")
        if self.kind == "number" and keyword in {"", "df", "degree"} and float(self.value) > _LARGEST_COUNT:
            raise FormulaError("a number of degrees that is too high")
        if self.kind not in {"number", "text"} and not (self.kind == "name" and self.value in _CONSTANTS):
            raise FormulaError(f"{self.value!r} where a constant should stand")
        self._advance()

    def _arithmetic(self) -> None:
        """Read numbers, names, calls, and what stands between them; text only behind ``==`` and ``!=``."""
        self._deeper()
        self._operand()
        while self.kind == "mark" and self.value in _ARITHMETIC:
            mark = self._advance()
            if mark == "**":
                self._power()
            elif mark in {"==", "!="} and self.kind == "text":
                self._advance()
                if self.kind != "mark" or self.value not in _BEHIND_TEXT:
                    raise FormulaError("text that is computed with")
            else:
                self._operand()
        self._depth -= 1

    def _operand(self) -> None:
        if self._is("+") or self._is("-"):
            self._advance()
        if self._is("("):
            self._advance()
            self._arithmetic()
            self._expect(")")
        elif self.kind == "number":
            self._advance()
        else:
            self._name()
