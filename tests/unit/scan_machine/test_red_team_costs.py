"""Calls that would take a loader hours or gigabytes for a few bytes are not clean; getters and enums are judged fairly.

Nothing here is loaded.
"""

from __future__ import annotations

import fractions
import http
import operator
import pickle
import re
import signal

import picklebytes as p
import pytest

from modelsign.artifact.reading import BytesReading
from modelsign.scan.pickles import scan_pickle

PROTOCOLS = range(6)
UNREVIEWED = {"pickle-unreviewed-use"}


def rules(data: bytes) -> set[str]:
    return {finding.rule for finding in scan_pickle(BytesReading(data)).findings}


def call(name: str, *arguments: bytes) -> bytes:
    return p.PROTO4 + p.stack_name(*name.rsplit(".", 1)) + b"(" + b"".join(arguments) + b"tR."


def long(size: int) -> bytes:
    return b"\x8b" + size.to_bytes(4, "little") + b"\x01" * size


SHARED = p.short("a") + b"2\x86" * 40
"""A tuple of 41 objects that is written out as 2 ** 40 letters."""


@pytest.mark.parametrize(
    "data",
    [
        call("fractions.Fraction", p.short("1e999999999")),
        call("fractions.Fraction", p.short("1E9")),
        call("fractions.Fraction", p.short("1" * 5000)),
        call("fractions.Fraction", long(100_000), long(100_000)),
        call("decimal.Decimal", long(100_000)),
        call("re._compile", p.short("(?i)" + "[\\U00000000-\\U0010ffff]" * 1000), b"K\x00"),
        call("re._compile", p.binary(b"a" * 5000), b"K\x00"),
        call("builtins.str", SHARED),
        call("builtins.str", b"]"),
        call("builtins.str", b"C\x02ab", p.short("punycode")),
        call("numpy.void", long(5)),
        call("numpy.bytes_", long(5)),
        call("numpy._core.multiarray._reconstruct", p.stack_name("numpy", "ndarray"), long(5) + b"\x85", b"C\x01b"),
        call(
            "numpy._core.multiarray._reconstruct",
            p.stack_name("numpy", "ndarray"),
            b"K\xff" * 3 + b"\x87",
            b"C\x01b",
        ),
        call("numpy._core.multiarray.scalar", p.stack_name("numpy", "dtype") + p.short("V2000000000") + b"\x85R"),
    ],
)
def test_a_call_that_costs_far_more_than_its_bytes_is_not_clean(data):
    assert rules(data) == UNREVIEWED


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_ordinary_numbers_and_patterns_are_clean(protocol):
    values = [fractions.Fraction(-22, 7), re.compile(r"(?u)\b\w\w+\b"), re.compile("a+", re.DOTALL), 1j]
    assert rules(pickle.dumps(values, protocol)) == set()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_members_of_enums_are_clean(protocol):
    values = [http.HTTPStatus.OK, http.HTTPMethod.GET, re.RegexFlag.A, signal.Signals.SIGINT]
    assert rules(pickle.dumps(values, protocol)) == set()


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "getter", [operator.attrgetter("name"), operator.itemgetter(1), operator.itemgetter("a", 2)], ids=repr
)
def test_getters_are_neither_clean_nor_unsafe(getter, protocol):
    assert rules(pickle.dumps(getter, protocol)) == UNREVIEWED


@pytest.mark.parametrize("module", ["operator", "_operator"])
@pytest.mark.parametrize("name", ["attrgetter", "itemgetter"])
def test_a_getter_that_is_passed_on_or_called_is_unsafe(module, name):
    getter = p.stack_name(module, name)
    assert rules(p.PROTO4 + getter + b".") == {"pickle-attribute-access"}
    assert rules(p.PROTO4 + getter + b"]\x85R.") == {"pickle-attribute-access"}
    assert "pickle-computed-call" in rules(p.PROTO4 + getter + p.short("a") + b"\x85R" + b"]\x85R.")


@pytest.mark.parametrize("path", ["__class__", "system.__globals__", "a.b", "_x", ""])
def test_a_getter_of_more_than_a_plain_attribute_is_unsafe(path):
    assert rules(call("operator.attrgetter", p.short(path))) == {"pickle-attribute-access"}


def test_only_members_of_enums_are_got_by_name():
    owner = p.stack_name("http", "HTTPStatus")
    assert rules(call("builtins.getattr", owner, p.short("OK"))) == set()
    assert rules(call("builtins.getattr", owner, p.short("from_bytes"))) != set()
    assert rules(call("builtins.getattr", owner, p.short("__CLASS__"))) != set()
    assert rules(call("http.HTTPStatus", b"]")) != set()


def test_a_partial_is_as_good_as_its_function():
    def kept(module: str, name: str) -> set[str]:
        made = p.stack_name("functools", "partial") + p.stack_name(module, name) + b"\x85R"
        return rules(p.PROTO4 + made + b"(" + p.stack_name(module, name) + b")}Ntb.")

    assert kept("sklearn.utils.validation", "check_array") == set()
    assert kept("mine", "prepare") == {"pickle-unknown-global", "pickle-unreviewed-use"}
    assert "pickle-execute" in kept("os", "system")
