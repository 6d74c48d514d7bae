"""XGBoost: boosters of each kind and objective, estimators, data that they hold; JSON, UBJSON and the older binary."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xgboost
from boosted import TABLE, kinds_of_labels, wrapped
from picklings import joblibs, pickles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MODULES = ("xgboost", "sklearn", "numpy", "joblib")
_SUFFIXES = ("json", "ubj", "deprecated", "bin")
_OBJECTIVES = (
    "reg:squarederror",
    "reg:absoluteerror",
    "reg:quantileerror",
    "count:poisson",
    "reg:tweedie",
    "reg:gamma",
)
_MORE: dict[str, dict[str, Any]] = {
    "quantile": {"objective": "reg:quantileerror", "quantile_alpha": 0.5},
    "dart": {"booster": "dart"},
    "linear": {"booster": "gblinear"},
    "histogram": {"tree_method": "hist", "max_bin": 16},
    "monotone": {"monotone_constraints": (1, 0, 0, 0)},
    "early": {"early_stopping_rounds": 2, "eval_metric": "rmse"},
    "callback": {"callbacks": None, "importance_type": "gain"},
}


def _boosters() -> Iterator[tuple[str, Callable[[], Any]]]:
    labels = kinds_of_labels()
    for booster in ("gbtree", "gblinear", "dart"):
        yield (
            f"booster-{booster}",
            lambda booster=booster: xgboost.train(
                {"booster": booster}, xgboost.DMatrix(TABLE, label=labels["numbers"]), 3
            ),
        )
    for objective in _OBJECTIVES:
        yield (
            f"booster-{objective.replace(':', '-')}",
            lambda objective=objective: xgboost.train(
                {"objective": objective, "quantile_alpha": 0.5}, xgboost.DMatrix(TABLE, label=labels["numbers"]), 3
            ),
        )
    pruned = {"gamma": 0.05, "max_depth": 8, "updater": "grow_colmaker,prune", "eval_metric": ["rmse", "mae"]}
    yield "booster-pruned", lambda: xgboost.train(pruned, xgboost.DMatrix(TABLE, label=labels["numbers"]), 20)
    several = {"objective": "multi:softprob", "num_class": 3, "booster": "dart", "num_parallel_tree": 2}
    yield "booster-classes", lambda: xgboost.train(several, xgboost.DMatrix(TABLE, label=labels["classes"]), 3)
    named = {"feature_names": list("abcd"), "feature_types": ["q"] * 4}
    yield "booster-named", lambda: xgboost.train({}, xgboost.DMatrix(TABLE, label=labels["numbers"], **named), 3)


def _estimators() -> Iterator[tuple[str, Callable[[], Any]]]:
    labels = kinds_of_labels()
    few = {"n_estimators": 3, "max_depth": 2}
    for name in ("XGBClassifier", "XGBRFClassifier"):
        for kind in ("two-classes", "classes"):
            yield f"{name}-{kind}", lambda name=name, kind=kind: getattr(xgboost, name)(**few).fit(TABLE, labels[kind])
    for name in ("XGBRegressor", "XGBRFRegressor"):
        yield name, lambda name=name: getattr(xgboost, name)(**few).fit(TABLE, labels["numbers"])
    yield "XGBRanker", lambda: xgboost.XGBRanker(**few).fit(TABLE, labels["classes"], group=[40, 40])
    for name, extra in _MORE.items():
        held = {"eval_set": [(TABLE, labels["numbers"])], "verbose": False} if name == "early" else {}
        yield (
            f"XGBRegressor-{name}",
            lambda extra=extra, held=held: xgboost.XGBRegressor(**dict(few, **extra)).fit(
                TABLE, labels["numbers"], **held
            ),
        )
    for name in ("pipeline", "search"):
        yield name, lambda name=name: wrapped(xgboost.XGBClassifier(**few), labels["two-classes"])[name]


def _saved(made: Any, name: str) -> Iterator[tuple[str, bytes | str]]:
    with tempfile.TemporaryDirectory() as folder:
        for suffix in _SUFFIXES:
            path = Path(folder) / f"model.{suffix}"
            try:
                made.save_model(str(path))
            except (xgboost.core.XGBoostError, ValueError, TypeError) as fault:
                yield f"{name}.{suffix}", f"cannot be saved: {fault}"
                continue
            yield f"{name}.{suffix}", path.read_bytes()


def files(chosen: Callable[[str], bool]) -> Iterator[tuple[str, bytes | str]]:
    """Yield each subject pickled, dumped by joblib, and saved by XGBoost itself."""
    for name, make in [*_boosters(), *_estimators()]:
        if not chosen(name):
            continue
        try:
            made = make()
        except (xgboost.core.XGBoostError, AttributeError, TypeError, ValueError) as fault:
            yield name, f"{type(fault).__name__}: {fault}"
            continue
        yield from pickles(name, made)
        yield from joblibs(name, made)
        if hasattr(made, "save_model"):
            yield from _saved(made, name)
