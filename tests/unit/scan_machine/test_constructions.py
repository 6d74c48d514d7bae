"""NEWOBJ_EX as protocols 2 and 3 write it, by a partial of ``__new__``: clean for what is known, nothing near it."""

from __future__ import annotations

import pickle

import picklebytes as p
import pytest

from modelsign.artifact.reading import BytesReading
from modelsign.scan.pickles import scan_pickle
from modelsign.verdict import Outcome

STATS = "scipy.stats._stats_py"
PARTIAL = p.stack_name("functools", "partial")
CLASS = p.stack_name(STATS, "LinregressResult")
GETATTR = p.stack_name("builtins", "getattr")
NEW = GETATTR + CLASS + p.short("__new__") + b"\x86R"
MADE = PARTIAL + NEW + b"\x85R"
"""``partial(LinregressResult.__new__)``"""
OTHER = p.stack_name(STATS, "KstestResult.__new__")
OF_MINE = GETATTR + p.stack_name("mine", "Model") + p.short("__new__") + b"\x86R"
FIVE = b"K\x01K\x02K\x03K\x04K\x05"
GIVEN = b"(" + CLASS + FIVE + b"t"


def state(function: bytes = NEW, arguments: bytes = GIVEN, keywords: bytes = b"}", rest: bytes = b"N") -> bytes:
    return b"(" + function + arguments + keywords + rest + b"t"


def outcomes(data: bytes) -> set[Outcome]:
    return {one.outcome for one in scan_pickle(BytesReading(p.PROTO4 + data)).findings}


def test_a_call_of_new_with_keywords_is_clean_as_a_partial_and_as_an_opcode():
    keywords = b"}" + p.short("intercept_stderr") + b"K\x06s"
    plain = b"}" + p.short("intercept_stderr") + b"K\x06sb."
    assert outcomes(MADE + state(keywords=keywords) + b"b)R" + plain) == set()
    assert outcomes(MADE + state(keywords=b"N") + b"b)R.") == set()
    assert outcomes(b"(" + MADE + state() + b"bo.") == set()
    assert outcomes(CLASS + b"(" + FIVE + b"t" + keywords + b"\x92" + plain) == set()
    assert outcomes(p.stack_name(STATS, "LinregressResult.__new__") + b"0" + b"N.") == {Outcome.UNSAFE}


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(NEW + b".", id="kept"),
        pytest.param(NEW + GIVEN + b"R.", id="called"),
        pytest.param(NEW + GIVEN + b"\x81.", id="as a class"),
        pytest.param(MADE + b".", id="a partial without state"),
        pytest.param(MADE + state() + b"b.", id="a partial kept"),
        pytest.param(MADE + b")R.", id="called without state"),
        pytest.param(MADE + state() + b"b" + state() + b"b)R.", id="given state twice"),
        pytest.param(MADE + b"Nb" + state() + b"b)R.", id="given another state before"),
        pytest.param(MADE + state() + b"bK\x01\x85R.", id="called with more arguments"),
        pytest.param(MADE + state() + b"b\x94)Rh\x00)R.", id="called twice"),
        pytest.param(MADE + state() + b"b)\x81.", id="as a class of NEWOBJ"),
        pytest.param(PARTIAL + NEW + CLASS + b"\x86R" + state() + b"b)R.", id="made with an argument"),
        pytest.param(MADE + state(p.stack_name("builtins", "int")) + b"b)R.", id="given a known function"),
        pytest.param(MADE + state(p.stack_name("os", "system")) + b"b)R.", id="given a dangerous function"),
        pytest.param(
            MADE + state(p.stack_name(STATS, "KstestResult.__new__")) + b"b)R.", id="given another constructor"
        ),
        pytest.param(PARTIAL + p.stack_name("builtins", "int") + b"\x85R" + state() + b"b)R.", id="of a function"),
        pytest.param(MADE + state(rest=b"}") + b"b)R.", id="with attributes"),
        pytest.param(MADE + state(keywords=b"K\x01") + b"b)R.", id="with keywords that are none"),
        pytest.param(MADE + state(arguments=b")") + b"b)R.", id="without a class"),
        pytest.param(MADE + state(arguments=b"]") + b"b)R.", id="with arguments that may change"),
        pytest.param(MADE + state(arguments=b"K\x01\x85") + b"b)R.", id="with a number for a class"),
        pytest.param(
            MADE + state(arguments=b"(" + p.stack_name("numpy", "ndarray") + FIVE + b"t") + b"b)R.", id="another class"
        ),
        pytest.param(
            MADE + state(arguments=b"(" + p.stack_name("mine", "Model") + FIVE + b"t") + b"b)R.", id="unknown class"
        ),
        pytest.param(
            MADE + state(arguments=b"(" + CLASS + p.stack_name("os", "system") + b"t") + b"b)R.", id="a danger inside"
        ),
        pytest.param(GETATTR + NEW + p.short("__globals__") + b"\x86R.", id="its globals"),
        pytest.param(
            PARTIAL + GETATTR + p.stack_name("mine", "Model") + p.short("__new__") + b"\x86R\x85R.", id="of mine"
        ),
    ],
)
def test_whatever_else_is_done_with_a_constructor_is_unsafe(data):
    assert Outcome.UNSAFE in outcomes(data)


def test_keywords_are_for_the_classes_that_are_known_to_drop_them():
    cls = p.stack_name("scipy.stats._stats_py", "DescribeResult")
    assert outcomes(cls + b")\x81.") == set()
    assert outcomes(cls + b")}\x92.") == {Outcome.UNVERIFIED}
    assert outcomes(CLASS + b")K\x01\x92.") == {Outcome.UNVERIFIED}


@pytest.mark.parametrize("protocol", range(2, 6))
@pytest.mark.parametrize("test", ["linregress", "pearsonr", "kendalltau"])
@pytest.mark.parametrize("dumps", [pickle.dumps, pickle._dumps], ids=["C", "Python"])
def test_results_of_tests_are_clean_as_scipy_writes_them(dumps, test, protocol):
    stats = pytest.importorskip("scipy.stats", reason="scipy is not installed")
    result = getattr(stats, test)([1.0, 2.0, 3.0, 5.0], [2.0, 1.0, 4.0, 7.0])
    assert scan_pickle(BytesReading(dumps(result, protocol))).findings == ()


BLOCK = p.stack_name("pandas.core.internals.blocks", "new_block") + b"\x94"
ARRAY = p.stack_name("pandas", "Series") + b")\x81}b"
DIMENSIONS = p.short("ndim") + b"K\x02"


def block(
    keywords: bytes = b"}(" + DIMENSIONS + b"u", given: bytes = b")", behind: bytes = b"N", function: bytes = BLOCK
) -> bytes:
    """Return ``partial(new_block, ndim=2)(values, places)`` as pandas 1.3 pickles it."""
    made = p.stack_name("functools", "partial") + function + b"\x85R"
    return made + b"(h\x00" + given + keywords + behind + b"tb" + ARRAY + ARRAY + b"\x86R"


def test_a_block_of_pandas_1_3_is_made_by_a_partial_with_one_number():
    assert scan_pickle(BytesReading(p.PROTO4 + block() + b".")).findings == ()
    assert scan_pickle(BytesReading(p.PROTO4 + block() + b"0" + block(function=b"h\x00") + b".")).findings == ()


@pytest.mark.parametrize(
    "body",
    [
        block(b"}(" + p.short("klass") + p.stack_name("numpy", "ndarray") + b"u"),
        block(b"}(" + DIMENSIONS + p.short("klass") + p.stack_name("numpy", "ndarray") + b"u"),
        block(b"}(" + DIMENSIONS + DIMENSIONS + b"u"),
        block(b"}(" + p.short("ndim") + p.stack_name("numpy", "ndarray") + b"u"),
        block(b"N"),
        block(given=b"K\x01\x85"),
        block(behind=b"}"),
        b"}\x94(" + DIMENSIONS + b"u0" + block(b"h\x00", function=BLOCK + b"\x94").replace(b"(h\x00", b"(h\x01", 1),
        block() + b"0h\x00",
        block()[:-2] + b"\x87R",
        p.stack_name("functools", "partial") + BLOCK + b"\x85R" + ARRAY + ARRAY + b"\x86R",
    ],
    ids=[
        "another keyword", "a second keyword", "a keyword twice", "no number", "no keywords", "an argument",
        "attributes", "a dict from before", "the function kept", "another number of values", "no state",
    ],
)  # fmt: skip
def test_any_other_partial_of_such_a_function_is_not_clean(body):
    assert scan_pickle(BytesReading(p.PROTO4 + body + b".")).findings


def test_the_number_of_a_partial_cannot_be_joined_by_a_function_once_it_was_looked_at():
    """The partial shares its keywords with the file's dict, which the file may still reach through its memo."""
    made = p.stack_name("functools", "partial") + BLOCK + b"\x85R"
    kept = made + b"(h\x00)}q\x63(" + DIMENSIONS + b"uNtb"
    call = ARRAY + ARRAY + b"\x86R."
    assert outcomes(kept + b"h\x630" + call) == set()
    changed = b"h\x63" + p.short("klass") + p.stack_name("numpy", "add") + b"s0"
    assert Outcome.UNSAFE in outcomes(kept + changed + call)
