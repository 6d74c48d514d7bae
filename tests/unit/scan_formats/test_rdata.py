"""R: values are clean, what is evaluated when it is looked at is unsafe, functions and calls are unverified."""

from __future__ import annotations

import gzip
import random

import pytest
import r_files as made

from modelsign import limits
from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file

FUNCTION = [3 | made.TAG, *made.GLOBAL, *made.NIL, 6, *made.symbol("system"), 2, *made.texts("true"), *made.NIL]
MODEL = made.named(
    made.vector(made.reals(1, 2.5), made.texts("a b", "", "é"), made.integers(1, -(2**31)), made.NIL), *"abcd"
)
ENVIRONMENT = [4, 0, *made.NIL, *made.pairs(("x", made.integers(1))), *made.NIL, *made.NIL]
ENCODINGS = [(encoding, version, workspace) for encoding in "XAB" for version in (2, 3) for workspace in (False, True)]

UNSAFE = {
    "CVE-2024-27322 promise": (made.promise(made.UNBOUND), "rds-promise"),
    "CVE-2024-27322 promise in a list": (made.vector(made.reals(1), made.promise(made.UNBOUND)), "rds-promise"),
    "CVE-2024-27322 promise in an attribute": (
        [13 | made.ATTRIBUTES, 1, 5, *made.pairs(("x", made.promise(made.UNBOUND)))],
        "rds-promise",
    ),
    "CVE-2024-27322 promise in an environment": (
        [4, 0, *made.NIL, *made.pairs(("x", made.promise(made.UNBOUND))), *made.NIL, *made.NIL],
        "rds-promise",
    ),
    "active binding": (
        [4, 0, *made.NIL, *made.pairs(("x", FUNCTION), flags=made.ACTIVE), *made.NIL, *made.NIL],
        "rds-promise",
    ),
    "mapped file": (
        made.alternative("mmap_integer", "base", made.vector(made.texts("/etc/passwd"))),
        "rds-mapped-file",
    ),
}
UNVERIFIED = {
    "closure": (FUNCTION, "rds-code"),
    "call": ([6, *made.symbol("system"), 2, *made.texts("true"), *made.NIL], "rds-code"),
    "environment": (ENVIRONMENT, "rds-code"),
    "internal function": ([8, b"sum"], "rds-code"),
    "expression": ([20, 1, *made.integers(1)], "rds-code"),
    "evaluated promise": (made.promise(made.integers(3)), "rds-code"),
    "pointer": ([22, *made.NIL, *made.NIL], "rds-code"),
    "bytecode": (
        [21, 1, *made.integers(1, 2), 3, 13, 13, 1, 7, 6, *made.NIL, 14, 14, 1, 2.5, 254, 254, 243, 1],
        "rds-code",
    ),
    "namespace": ([249, 0, 2, *made.text("mine"), *made.text("1.0")], "rds-namespace"),
    "package": ([248, 0, 1, *made.text("package:mine")], "rds-namespace"),
    "object of a hook": ([247, 0, 1, *made.text("key")], "rds-namespace"),
    "class of a package": (made.alternative("mine", "own", made.NIL), "rds-namespace"),
}
CLEAN = {
    "model": MODEL,
    "compact sequence": made.alternative("compact_intseq", "base", made.reals(10, 1, 1)),
    "wrapped": made.alternative("wrap_real", "base", made.vector(made.reals(1), made.integers(0, 0))),
    "symbols again": made.vector(made.symbol("a"), [255 | 1 << 8], [255, 1]),
    "raw, logical, complex": made.vector([10, 1, 1], [15, 1, 1.0, 2.0], made.NIL),
    "object of S4": [25 | made.ATTRIBUTES, *made.pairs(("class", made.texts("mine")))],
    "namespace of R": [249, 0, 2, *made.text("base"), *made.text("4.5")],
    "workspace": made.pairs(("model", MODEL), ("x", made.integers(1))),
}


def scan(data, name="model.rds"):
    return scan_file(BytesReading(data), name)


def rules(result):
    return {finding.rule for finding in result.findings}


@pytest.mark.parametrize(("encoding", "version", "workspace"), ENCODINGS)
@pytest.mark.parametrize("case", UNSAFE)
def test_what_r_evaluates_or_opens_by_itself_is_unsafe(case, encoding, version, workspace):
    value, rule = UNSAFE[case]
    result = scan(made.write(value, encoding=encoding, version=version, workspace=workspace), "weights.bin")
    assert (result.outcome, rule in rules(result), result.format) == ("unsafe", True, "rdata")


@pytest.mark.parametrize(("encoding", "version", "workspace"), ENCODINGS)
@pytest.mark.parametrize("case", UNVERIFIED)
def test_functions_calls_and_packages_are_unverified(case, encoding, version, workspace):
    value, rule = UNVERIFIED[case]
    result = scan(made.write(value, encoding=encoding, version=version, workspace=workspace))
    assert (result.outcome, rules(result)) == ("unverified", {rule})


@pytest.mark.parametrize(("encoding", "version", "workspace"), ENCODINGS)
@pytest.mark.parametrize("case", CLEAN)
def test_values_are_clean(case, encoding, version, workspace):
    result = scan(made.write(CLEAN[case], encoding=encoding, version=version, workspace=workspace))
    assert (result.outcome, result.findings) == ("clean", ())


def test_a_compressed_file_is_unpacked_first():
    assert scan(gzip.compress(made.write(MODEL))).outcome == "clean"
    assert scan(gzip.compress(made.write(UNSAFE["CVE-2024-27322 promise"][0]))).outcome == "unsafe"


def test_what_follows_code_is_read_all_the_same():
    values = [UNVERIFIED[case][0] for case in UNVERIFIED]
    found = rules(scan(made.write(made.vector(*values, made.promise(made.UNBOUND)))))
    assert found == {"rds-code", "rds-namespace", "rds-promise"}


@pytest.mark.parametrize("encoding", "XAB")
def test_every_cut_is_incomplete(encoding):
    data = made.write(MODEL, encoding=encoding, version=3)
    for cut in range(12, len(data) - 4):
        assert scan(data[:cut]).outcome == "incomplete"


@pytest.mark.parametrize(
    "value",
    [
        [99],
        [13, -2],
        [13, -1, 1, 0],
        [255 | 5 << 8],
        [1, 13, 0],
        [16, 2**30],
        [9, -5],
        [249, 0, -3],
        [238, 254, 254, 254],
    ],
    ids=str,
)
def test_what_r_never_writes_is_not_clean(value):
    assert scan(made.write(value)).outcome in {"incomplete", "unverified"}
    assert scan(made.write(value, encoding="A")).outcome in {"incomplete", "unverified"}


def test_bytes_behind_the_value_are_not_clean():
    assert scan(made.write(MODEL) + b"more").outcome == "incomplete"
    assert scan(b"RDX2\nnothing").outcome == "incomplete"


def test_depth_and_counts_are_bounded(monkeypatch):
    assert scan(made.write([19, 1] * 20_000 + made.NIL)).outcome == "clean"
    assert scan(made.write([2] * 50_000)).outcome == "incomplete"
    monkeypatch.setattr(limits, "R_TASKS", 50)
    assert rules(scan(made.write([19, 2] * 200 + made.NIL * 201))) == {"budget-exceeded"}


def test_any_damage_has_an_answer():
    chance = random.Random(6)
    for value in (MODEL, *(value for value, _ in (*UNSAFE.values(), *UNVERIFIED.values()))):
        for encoding in "XA":
            data = made.write(value, encoding=encoding)
            for _ in range(60):
                changed = bytearray(data)
                changed[chance.randrange(6, len(changed))] = chance.randrange(256)
                scan(bytes(changed))
