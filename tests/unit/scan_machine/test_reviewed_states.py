"""States that loading does more with than keep them: judged by what is in them. Payloads are inert and never loaded."""

from __future__ import annotations

import pickle

import picklebytes as p
import pytest

from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file
from modelsign.scan.machine import opcodes as op
from modelsign.scan.machine.judge import Judge
from modelsign.scan.machine.source import Source
from modelsign.scan.pickles import scan_pickle
from modelsign.verdict import Outcome

TEMPLATE = """
def _parse_args(self, low, high,  loc=0):
    return (low, high, ), loc, 1

def _parse_args_rvs(self, low, high,  loc=0, size=None):
    return self._argcheck_rvs(low, high,  loc, 1, size=size)

def _parse_args_stats(self, low, high,  loc=0, moments='mv'):
    return (low, high, ), loc, 1, moments
"""
DISTRIBUTION = p.PROTO4 + p.stack_name("scipy.stats._discrete_distns", "randint_gen")
KEY = p.short("_parse_arg_template")


def text(value: str) -> bytes:
    data = value.encode()
    return b"X" + len(data).to_bytes(4, "little") + data


def found(data: bytes):
    return scan_pickle(BytesReading(data)).findings


def outcomes(data: bytes) -> set[Outcome]:
    return {one.outcome for one in found(data)}


def test_the_text_that_scipy_writes_itself_is_clean():
    assert found(DISTRIBUTION + b")\x81}" + KEY + text(TEMPLATE) + b"sb.") == ()
    assert found(DISTRIBUTION + b")\x81}(" + KEY + text(TEMPLATE) + p.short("a") + b"K\x01ub.") == ()


@pytest.mark.parametrize(
    "template",
    [
        "import os",
        TEMPLATE + "import os",
        "import os" + TEMPLATE,
        TEMPLATE.replace("low", "low=print()"),
        TEMPLATE.replace("return (low, high, )", "return (low(), high, )"),
        TEMPLATE.replace("(low, high, ), loc, 1, moments", "(exec, high, ), loc, 1, moments"),
    ],
)
def test_any_other_text_that_scipy_would_run_is_not_clean(template):
    (finding,) = found(DISTRIBUTION + b")\x81}" + KEY + text(template) + b"sb.")
    assert finding.rule == "pickle-unreviewed-use"
    assert "_parse_arg_template is run as Python" in finding.message


@pytest.mark.parametrize(
    "data",
    [
        DISTRIBUTION + b")\x81}(" + KEY + text(TEMPLATE) + KEY + text("import os") + b"ub.",
        DISTRIBUTION + b")\x81}" + KEY + text(TEMPLATE) + b"s" + KEY + text("import os") + b"sb.",
        p.PROTO4 + b"}\x94" + KEY + text("import os") + b"s0" + DISTRIBUTION[2:] + b")\x81h\x00b.",
        DISTRIBUTION + b")\x81(" + KEY + text("import os") + b"db.",
        DISTRIBUTION + b")\x81(" + KEY + text("import os") + b"\x86N\x86b.",
        DISTRIBUTION + b")\x81}(" + KEY + b"K\x00" + p.short("import os") + b"K\x00uN\x86b.",
        DISTRIBUTION + b")\x81}" + p.short("_attach_methods") + p.stack_name("sklearn.pipeline", "Pipeline") + b"sb.",
        DISTRIBUTION + b")\x81}K\x01" + text("import os") + b"sb.",
    ],
)
def test_a_text_for_scipy_cannot_be_slipped_past_the_review(data):
    assert outcomes(data) == {Outcome.UNVERIFIED}


@pytest.mark.parametrize("protocol", range(2, 6))
@pytest.mark.parametrize("name", ["uniform", "randint", "loguniform", "poisson"])
def test_distributions_that_searches_draw_from_are_clean(name, protocol):
    stats = pytest.importorskip("scipy.stats", reason="scipy is not installed")
    shapes = {"loguniform": (0.1, 1), "poisson": (2,)}.get(name, (1, 9))
    assert found(pickle.dumps(getattr(stats, name)(*shapes), protocol)) == ()
    assert found(pickle.dumps(getattr(stats, name), protocol)) == ()


def test_a_vectorised_function_is_as_good_as_the_function():
    head = p.PROTO4 + p.stack_name("numpy", "vectorize")
    key = p.short("pyfunc")
    assert found(head + b")\x81}" + key + p.stack_name("numpy", "log1p") + b"sb.") == ()
    assert outcomes(head + b")\x81}" + key + p.stack_name("os", "system") + b"sb.") == {
        Outcome.UNSAFE,
        Outcome.UNVERIFIED,
    }
    assert outcomes(head + b")\x81}" + key + p.stack_name("mine", "f") + b"sb.") == {Outcome.UNVERIFIED}
    assert Outcome.UNSAFE in outcomes(head + p.stack_name("numpy", "log1p") + b"\x85R.")
    assert Outcome.UNSAFE in outcomes(head + b".")


DATA = p.PROTO4 + p.stack_name("statsmodels.base.data", "PandasData")


def test_what_statsmodels_keeps_of_arrays_is_clean_and_a_formula_is_told():
    assert found(DATA + b")\x81}" + p.short("formula") + text("y ~ a") + b"sb.") == ()
    for key in ("restore_design_info", "restore_model_spec"):
        (finding,) = found(DATA + b")\x81}(" + p.short("formula") + text("y ~ f(a)") + p.short(key) + b"\x88ub.")
        assert finding.outcome is Outcome.UNVERIFIED
        assert "formula is evaluated as Python when it is loaded: 'y ~ f(a)'" in finding.message


def model(path: str, key: str, value: bytes) -> bytes:
    module, _, name = path.rpartition(".")
    return p.PROTO4 + p.stack_name(module, name) + b")\x81}" + p.short(key) + value + b"sb."


def octets(data: bytes) -> bytes:
    return b"B" + len(data).to_bytes(4, "little") + data


CATBOOST = "catboost.core.CatBoostClassifier"
XGBOOST = "xgboost.core.Booster"
LIGHTGBM = "lightgbm.basic.Booster"


@pytest.mark.parametrize(
    ("data", "member"),
    [
        (model(CATBOOST, "__model", octets(b"CBM1\xff\xff\xff\x00short")), "model"),
        (model(CATBOOST, "__model", octets(pickle.dumps(len))), "model"),
        (model(XGBOOST, "handle", octets(b"\x96\x01\x02 nothing known")), "handle"),
        (model(LIGHTGBM, "_handle", text("tree\nversion=v4\nbroken")), "handle"),
        (model(LIGHTGBM, "handle", text("tree\nversion=v3\nbroken")), "handle"),
    ],
)
def test_a_model_in_a_format_of_its_own_is_scanned_too(data, member):
    scan = scan_file(BytesReading(data), "model.pkl")
    assert scan.outcome is not Outcome.CLEAN
    assert all(finding.member == member for finding in scan.findings)


@pytest.mark.parametrize("path", [CATBOOST, XGBOOST])
def test_a_model_that_is_no_bytes_of_the_file_is_not_clean(path):
    key = "__model" if path == CATBOOST else "handle"
    for value in (b"K\x01", p.short("text"), b"}", b")"):
        (finding,) = found(model(path, key, value))
        assert f"whose {key} is a model that could not be scanned" in finding.message
    assert found(model(path, key, b"N")) == ()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("protocol", range(2, 6))
@pytest.mark.parametrize("library", ["xgboost", "lightgbm"])
def test_models_of_the_installed_libraries_are_found_and_clean(library, protocol):
    np = pytest.importorskip("numpy", reason="numpy is not installed")
    kind = {"xgboost": "XGBClassifier", "lightgbm": "LGBMClassifier"}[library]
    made = getattr(pytest.importorskip(library, reason=f"{library} is not installed"), kind)(n_estimators=2)
    made.fit(np.random.RandomState(0).rand(60, 3), np.arange(60) % 2)
    inspection = scan_pickle(BytesReading(pickle.dumps(made, protocol)))
    assert [member.name for member in inspection.members] == ["handle"]
    assert scan_file(BytesReading(pickle.dumps(made, protocol)), "m.pkl").outcome is Outcome.CLEAN


@pytest.mark.parametrize(("path", "told"), [("pandas.core.indexes.base._new_Index", False), ("os.environ", True)])
def test_items_for_a_known_function_count_only_where_the_memo_is_the_readers_own(path, told):
    module, _, name = path.rpartition(".")
    for guesses in (False, True):
        judge = Judge(Source(BytesReading(b"K\x00")))
        judge.guesses = guesses
        judge.add_items(judge.named(module, name, 0), [0, 0], op.SETITEMS, 0)
        assert any(one.rule == "pickle-state-on-name" for one in judge.findings) is (told or not guesses)
