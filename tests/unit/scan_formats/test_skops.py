"""skops: every name in the schema counts, whatever its loader; nodes that hide what they call are unsafe."""

from __future__ import annotations

import json

import model_files
import pytest
import skops_files as made

from modelsign import limits
from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file
from modelsign.scan.formats.skops import _LOADERS

node, text, estimator, skops = made.node, made.text, made.estimator, made.skops
INNER = estimator()


def method(func, module="sklearn.linear_model._logistic", name="LogisticRegression", inner=INNER):
    return node("MethodNode", module, name, content={"obj": inner, "func": func})


UNSAFE = {
    "CVE-2024-37065 function that runs commands": (node("FunctionNode", "os", "system"), "skops-dangerous-type"),
    "function under its other name": (node("FunctionNode", "posix", "system"), "skops-dangerous-type"),
    "function of protocol 0": (
        node("FunctionNode", "builtins", "function", content={"module_path": "os", "function": "system"}),
        "skops-dangerous-type",
    ),
    "constructor that runs commands": (
        node("ConstructorFromReduceNode", "subprocess", "Popen", content=text("true")),
        "skops-dangerous-type",
    ),
    "container of another class": (node("DictNode", "os", "system", content={}), "skops-dangerous-type"),
    "type behind a dotted name": (node("TypeNode", "sklearn", "os.system"), "skops-dangerous-type"),
    "partial of eval": (
        node("PartialNode", "functools", "partial", content={"func": node("TypeNode", "builtins", "eval")}),
        "skops-dangerous-type",
    ),
    "CVE-2025-54413 method of another class": (method("fit", "builtins", "dict"), "skops-disguised-node"),
    "CVE-2025-54413 attribute that leads to code": (method("__globals__"), "skops-dangerous-type"),
    "CVE-2025-54413 method without an object": (node("MethodNode", "a", "b", content=None), "skops-disguised-node"),
    "CVE-2025-54412 operator under another module": (
        node("OperatorFuncNode", "builtins", "methodcaller", attrs=text([])),
        "skops-disguised-node",
    ),
    "CVE-2025-54412 operator that calls": (
        node("OperatorFuncNode", "operator", "call", attrs=text([])),
        "skops-disguised-node",
    ),
    "node without a name": (node("ObjectNode", None, None), "skops-disguised-node"),
    "name that is no text": (node("ObjectNode", ["os"], "x"), "skops-disguised-node"),
}
UNVERIFIED = {
    "own class": estimator("mine.Model"),
    "own function": node("FunctionNode", "mine", "function"),
    "method": method("predict"),
    "attribute getter": node("OperatorFuncNode", "operator", "attrgetter", attrs=text([])),
    "unknown loader": node("NewNode", "builtins", "dict"),
}


def scan(data, name="model.skops", **options):
    return scan_file(BytesReading(data), name, **options)


def rules(result):
    return {finding.rule for finding in result.findings}


@pytest.mark.parametrize("case", UNSAFE)
def test_dangerous_and_hidden_names_are_unsafe_wherever_they_hang(case):
    inner, rule = UNSAFE[case]
    for root in (inner, estimator(x=inner), node("ListNode", "builtins", "list", content=[estimator(y=inner)])):
        result = scan(skops(root), "any.zip")
        assert (result.outcome, result.format) == ("unsafe", "skops")
        assert rule in rules(result)


@pytest.mark.parametrize("case", UNVERIFIED)
def test_names_nobody_reviewed_are_unverified(case):
    result = scan(skops(estimator(x=UNVERIFIED[case])))
    assert (result.outcome, rules(result)) == ("unverified", {"skops-untrusted-type"})


def test_names_of_scikit_learn_are_clean():
    root = estimator(
        "sklearn.pipeline.Pipeline", steps=node("ListNode", "builtins", "list", content=[INNER, text([1])])
    )
    result = scan(skops(root, {"a.npy": model_files.npy()}))
    assert (result.outcome, result.findings, result.format) == ("clean", (), "skops")


def test_an_own_class_can_be_trusted_by_its_name():
    trusted = frozenset({"mine.Model", "os.system"})
    assert scan(skops(estimator("mine.Model")), trust_globals=trusted).outcome == "clean"
    assert scan(skops(UNSAFE["function under its other name"][0]), trust_globals=trusted).outcome == "unsafe"


def test_cve_2025_54886_a_pickle_under_the_name_of_a_skops_model_is_a_pickle():
    assert scan(model_files.EVIL, "model.skops").outcome == "unsafe"


def test_arrays_beside_the_schema_are_judged_as_arrays():
    assert scan(skops(INNER, {"a.npy": model_files.npy("|O", (1,), model_files.EVIL)})).outcome == "unsafe"
    assert scan(skops(INNER, {"a.bin": b"\x00\x01"})).outcome == "clean"


@pytest.mark.parametrize("protocol", [None, True, -1, 99, "2", 1.5])
def test_a_protocol_that_no_version_writes_is_unsafe(protocol):
    assert "skops-disguised-node" in rules(scan(skops(INNER, protocol=protocol)))


def test_a_schema_behind_other_bytes_is_ambiguous():
    assert {"ambiguous-format"} <= rules(scan(model_files.npy() + skops(INNER, {"a.npy": model_files.npy()})))


def test_a_schema_that_cannot_be_read_is_incomplete(monkeypatch):
    for schema in (b"[1]", b"{", b'{"a": 1, "a": 2}', b"[" * 100_000):
        assert scan(model_files.archive({"schema.json": schema})).outcome == "incomplete"
    monkeypatch.setattr(limits, "SCAN_JSON_BYTES", 30)
    assert "budget-exceeded" in rules(scan(skops(INNER)))


def test_deep_trees_are_read():
    root = INNER
    for _ in range(60):
        root = estimator("sklearn.pipeline.Pipeline", step=root)
    assert scan(skops(root)).outcome == "clean"
    assert scan(skops(estimator(x=UNSAFE["partial of eval"][0]))).outcome == "unsafe"


@pytest.mark.parametrize("loader", sorted(_LOADERS - {"JsonNode", "CachedNode"}))
def test_no_loader_lets_a_dangerous_name_through(loader):
    assert scan(skops(node(loader, "os", "system", content={}))).outcome == "unsafe"


@pytest.mark.parametrize("value", [None, 1, "x", [], {}, [None], {"__loader__": 1}])
def test_odd_values_have_an_answer(value):
    for key in ("content", "__module__", "__class__", "__loader__", "file", "attrs", "key_types"):
        scan(skops(INNER | {key: value}))
        scan(skops(method("fit") | {key: value}))
        scan(model_files.archive({"schema.json": json.dumps({key: value}).encode()}))
