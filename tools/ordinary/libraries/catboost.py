"""CatBoost: models of each loss, with categories and text, pools; its own binary, JSON."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import catboost
from boosted import TABLE, kinds_of_labels, wrapped
from picklings import joblibs, pickles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MODULES = ("catboost", "sklearn", "numpy", "joblib")
_FEW = {"iterations": 3, "max_depth": 2, "verbose": False, "allow_writing_files": False, "thread_count": 1}


def _subjects() -> Iterator[tuple[str, Callable[[], Any]]]:
    labels = kinds_of_labels()
    for kind in ("two-classes", "classes", "words"):
        yield f"Classifier-{kind}", lambda kind=kind: catboost.CatBoostClassifier(**_FEW).fit(TABLE, labels[kind])
    for loss in ("RMSE", "MAE", "Quantile", "Poisson", "Huber:delta=1"):
        yield (
            f"Regressor-{loss.partition(':')[0]}",
            lambda loss=loss: catboost.CatBoostRegressor(loss_function=loss, **_FEW).fit(TABLE, labels["numbers"]),
        )
    yield "CatBoost", lambda: catboost.CatBoost(_FEW).fit(TABLE, labels["numbers"])
    yield "CatBoost-not-fitted", lambda: catboost.CatBoostClassifier(**_FEW)
    yield (
        "Ranker",
        lambda: catboost.CatBoostRanker(loss_function="YetiRank", **_FEW).fit(
            TABLE, labels["classes"], group_id=[0] * 40 + [1] * 40
        ),
    )
    yield "Classifier-categories", _categories
    yield (
        "Classifier-evaluated",
        lambda: catboost.CatBoostClassifier(early_stopping_rounds=2, **_FEW).fit(
            TABLE, labels["two-classes"], eval_set=(TABLE, labels["two-classes"])
        ),
    )
    for name in ("pipeline", "search"):
        yield name, lambda name=name: wrapped(catboost.CatBoostClassifier(**_FEW), labels["two-classes"])[name]


def _categories() -> Any:
    import pandas as pd  # noqa: PLC0415 - of the environment that makes the files

    table = pd.DataFrame({"a": ["x", "y", "z", "x"] * 20, "b": TABLE[:, 0]})
    return catboost.CatBoostClassifier(cat_features=["a"], **_FEW).fit(table, kinds_of_labels()["two-classes"])


def _saved(made: Any, name: str) -> Iterator[tuple[str, bytes | str]]:
    with tempfile.TemporaryDirectory() as folder:
        for form in ("cbm", "json"):
            path = Path(folder) / f"model.{form}"
            try:
                made.save_model(str(path), format=form)
            except (catboost.CatBoostError, ValueError) as fault:
                yield f"{name}.{form}", f"cannot be saved: {fault}"
                continue
            yield f"{name}.{form}", path.read_bytes()


def files(chosen: Callable[[str], bool]) -> Iterator[tuple[str, bytes | str]]:
    """Yield each subject pickled, dumped by joblib, and saved by CatBoost itself."""
    for name, make in _subjects():
        if not chosen(name):
            continue
        try:
            made = make()
        except (catboost.CatBoostError, ImportError, AttributeError, TypeError, ValueError) as fault:
            yield name, f"{type(fault).__name__}: {fault}"
            continue
        yield from pickles(name, made)
        yield from joblibs(name, made)
        if hasattr(made, "save_model"):
            yield from _saved(made, name)
