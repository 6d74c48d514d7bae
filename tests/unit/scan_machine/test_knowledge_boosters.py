"""Pickled XGBoost and LightGBM models: by hand as picklers write them, and by the libraries where installed."""

from __future__ import annotations

import pickle

import picklebytes as p
import pytest

from modelsign.artifact.reading import BytesReading
from modelsign.scan.pickles import scan_pickle
from modelsign.verdict import Outcome

BOOSTERS = [("xgboost.core", "Booster"), ("lightgbm.basic", "Booster")]


def outcomes(data: bytes) -> set[Outcome]:
    return {one.outcome for one in scan_pickle(BytesReading(data)).findings}


@pytest.mark.parametrize(("module", "name"), [*BOOSTERS, ("xgboost.sklearn", "XGBClassifier")])
def test_a_booster_takes_state_alone(module, name):
    head = p.PROTO4 + p.stack_name(module, name)
    assert outcomes(head + b")\x81}" + p.short("best_iteration") + b"K\x01sb.") == set()
    assert outcomes(head + p.short("/a/path") + b"\x85R.") == {Outcome.UNVERIFIED}
    assert outcomes(head + p.short("/a/path") + b"\x85\x81.") == {Outcome.UNVERIFIED}
    assert outcomes(head + b")\x81N}" + p.short("handle") + b"K\x01s\x86b.") == {Outcome.UNVERIFIED}
    assert outcomes(head + b")\x81}b}b.") - {Outcome.UNVERIFIED} <= {Outcome.UNSAFE}
    assert outcomes(head + b")\x81}b}b.")


def test_a_method_that_a_lightgbm_booster_calls_cannot_be_hidden_by_a_class():
    hidden = p.short("free_network") + p.stack_name("sklearn.pipeline", "Pipeline") + b"s"
    assert outcomes(p.PROTO4 + p.stack_name("lightgbm.basic", "Booster") + b")\x81}" + hidden + b"b.") == {
        Outcome.UNVERIFIED
    }


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("library", "name"), [("xgboost", "XGBClassifier"), ("lightgbm", "LGBMRegressor")])
def test_fitted_estimators_are_clean(library, name):
    np = pytest.importorskip("numpy", reason="numpy is not installed")
    made = getattr(pytest.importorskip(library, reason=f"{library} is not installed"), name)(n_estimators=2)
    made.fit(np.random.RandomState(0).rand(60, 3), np.arange(60) % 2)
    for protocol in range(2, 6):
        assert outcomes(pickle.dumps(made, protocol)) == set()
