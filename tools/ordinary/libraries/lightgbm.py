"""LightGBM: boosters of each kind, estimators, and the text that it saves."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lightgbm
from boosted import TABLE, kinds_of_labels, wrapped
from picklings import joblibs, pickles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MODULES = ("lightgbm", "sklearn", "numpy", "joblib")
_QUIET = {"verbosity": -1, "num_threads": 1, "min_data_in_leaf": 5}
_FEW = {"n_estimators": 3, "min_child_samples": 5, "verbosity": -1, "n_jobs": 1}


def _subjects() -> Iterator[tuple[str, Callable[[], Any]]]:
    labels = kinds_of_labels()
    for boosting in ("gbdt", "dart", "rf"):
        sampled = {"bagging_freq": 1, "bagging_fraction": 0.5} if boosting == "rf" else {}
        yield (
            f"booster-{boosting}",
            lambda boosting=boosting, sampled=sampled: lightgbm.train(
                dict(_QUIET, boosting=boosting, **sampled), lightgbm.Dataset(TABLE, labels["numbers"]), 3
            ),
        )
    for objective in ("regression", "regression_l1", "huber", "poisson", "quantile", "tweedie", "gamma"):
        yield (
            f"booster-{objective}",
            lambda objective=objective: lightgbm.train(
                dict(_QUIET, objective=objective), lightgbm.Dataset(TABLE, labels["numbers"]), 3
            ),
        )
    for kind in ("two-classes", "classes", "words"):
        yield f"LGBMClassifier-{kind}", lambda kind=kind: lightgbm.LGBMClassifier(**_FEW).fit(TABLE, labels[kind])
    yield "LGBMRegressor", lambda: lightgbm.LGBMRegressor(**_FEW).fit(TABLE, labels["numbers"])
    yield "LGBMRanker", lambda: lightgbm.LGBMRanker(**_FEW).fit(TABLE, labels["classes"], group=[40, 40])
    for extra in ("goss", "dart", "rf"):
        sampled = {"subsample_freq": 1, "subsample": 0.5} if extra == "rf" else {}
        yield (
            f"LGBMRegressor-{extra}",
            lambda extra=extra, sampled=sampled: lightgbm.LGBMRegressor(
                boosting_type=extra, **dict(_FEW, **sampled)
            ).fit(TABLE, labels["numbers"]),
        )
    yield (
        "LGBMRegressor-evaluated",
        lambda: lightgbm.LGBMRegressor(**_FEW).fit(TABLE, labels["numbers"], eval_set=[(TABLE, labels["numbers"])]),
    )
    yield "LGBMClassifier-categories", _categories
    for name in ("pipeline", "search"):
        yield name, lambda name=name: wrapped(lightgbm.LGBMClassifier(**_FEW), labels["two-classes"])[name]


def _categories() -> Any:
    import pandas as pd  # noqa: PLC0415 - of the environment that makes the files

    table = pd.DataFrame({"a": pd.Categorical(["x", "y"] * 40), "b": TABLE[:, 0]})
    return lightgbm.LGBMClassifier(**_FEW).fit(table, kinds_of_labels()["two-classes"])


def files(chosen: Callable[[str], bool]) -> Iterator[tuple[str, bytes | str]]:
    """Yield each subject pickled, dumped by joblib, and as LightGBM's own text."""
    for name, make in _subjects():
        if not chosen(name):
            continue
        try:
            made = make()
        except (lightgbm.basic.LightGBMError, AttributeError, ImportError, TypeError, ValueError) as fault:
            yield name, f"{type(fault).__name__}: {fault}"
            continue
        yield from pickles(name, made)
        yield from joblibs(name, made)
        booster = made if isinstance(made, lightgbm.Booster) else getattr(made, "booster_", None)
        if booster is not None:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "model.txt"
                booster.save_model(str(path))
                yield f"{name}.txt", path.read_bytes()
