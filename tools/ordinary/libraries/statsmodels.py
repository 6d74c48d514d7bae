"""statsmodels: results of models made from arrays, frames and formulas; as pickles and as ``save`` writes them."""

from __future__ import annotations

import importlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from picklings import joblibs, pickles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MODULES = ("statsmodels", "pandas", "numpy", "scipy", "joblib")
_RANDOM = np.random.RandomState(0)
_TABLE = np.column_stack([np.ones(60), _RANDOM.rand(60, 2)])
_NUMBERS = _TABLE @ np.array([1.0, 2.0, 3.0]) + _RANDOM.rand(60)
_COUNTS = _RANDOM.poisson(2, 60)
_LABELS = (_RANDOM.rand(60) > 0.5).astype(int)  # noqa: PLR2004 - about half of them
_SERIES = np.cumsum(_RANDOM.rand(80))


def _frame() -> Any:
    pandas = importlib.import_module("pandas")
    return pandas.DataFrame({"y": _NUMBERS, "a": _TABLE[:, 1], "b": _TABLE[:, 2], "c": ["u", "v", "w"] * 20})


def _makers() -> dict[str, Callable[[], Any]]:
    """Return what makes each subject; a version that has not got one of them raises."""
    api, tsa = importlib.import_module("statsmodels.api"), importlib.import_module("statsmodels.tsa.api")
    formula = importlib.import_module("statsmodels.formula.api")
    families = importlib.import_module("statsmodels.genmod.families")
    made: dict[str, Callable[[], Any]] = {
        "OLS": lambda: api.OLS(_NUMBERS, _TABLE).fit(),
        "OLS-frame": lambda: api.OLS(_frame()["y"], _frame()[["a", "b"]]).fit(),
        "OLS-robust": lambda: api.OLS(_NUMBERS, _TABLE).fit(cov_type="HC3"),
        "OLS-model": lambda: api.OLS(_NUMBERS, _TABLE),
        "WLS": lambda: api.WLS(_NUMBERS, _TABLE, np.ones(60)).fit(),
        "GLS": lambda: api.GLS(_NUMBERS, _TABLE).fit(),
        "RLM": lambda: api.RLM(_NUMBERS, _TABLE).fit(),
        "QuantReg": lambda: api.QuantReg(_NUMBERS, _TABLE).fit(),
        "Logit": lambda: api.Logit(_LABELS, _TABLE).fit(disp=0),
        "Probit": lambda: api.Probit(_LABELS, _TABLE).fit(disp=0),
        "MNLogit": lambda: api.MNLogit(_COUNTS.clip(0, 2), _TABLE).fit(disp=0),
        "Poisson": lambda: api.Poisson(_COUNTS, _TABLE).fit(disp=0),
        "NegativeBinomial": lambda: api.NegativeBinomial(_COUNTS, _TABLE).fit(disp=0),
        "MixedLM": lambda: api.MixedLM(_NUMBERS, _TABLE, np.arange(60) % 5).fit(),
        "GEE": lambda: api.GEE(_NUMBERS, _TABLE, np.arange(60) % 5).fit(),
        "KDE": lambda: _after(api.nonparametric.KDEUnivariate(_NUMBERS)),
        "PHReg": lambda: api.PHReg(np.abs(_NUMBERS), _TABLE[:, 1:]).fit(),
        "ARIMA": lambda: importlib.import_module("statsmodels.tsa.arima.model").ARIMA(_SERIES, order=(1, 1, 0)).fit(),
        "SARIMAX": lambda: tsa.SARIMAX(_SERIES, order=(1, 0, 0)).fit(disp=0),
        "AutoReg": lambda: tsa.AutoReg(_SERIES, 2).fit(),
        "ExponentialSmoothing": lambda: tsa.ExponentialSmoothing(_SERIES, trend="add").fit(),
        "SimpleExpSmoothing": lambda: tsa.SimpleExpSmoothing(_SERIES).fit(),
        "Holt": lambda: tsa.Holt(_SERIES).fit(),
        "UnobservedComponents": lambda: tsa.UnobservedComponents(_SERIES, "local level").fit(disp=0),
        "VAR": lambda: tsa.VAR(_RANDOM.rand(60, 2)).fit(2),
        "STL": lambda: tsa.STL(_SERIES, period=7).fit(),
        "DecomposeResult": lambda: tsa.seasonal_decompose(_SERIES, period=7),
        "PCA": lambda: importlib.import_module("statsmodels.multivariate.pca").PCA(_TABLE[:, 1:]),
        "formula-ols": lambda: formula.ols("y ~ a + np.log(b)", _frame()).fit(),
        "formula-categories": lambda: formula.ols("y ~ C(c) + a:b", _frame()).fit(),
        "formula-glm": lambda: formula.glm("y ~ a", _frame(), family=families.Gaussian()).fit(),
    }
    for name in ("Gaussian", "Poisson", "Binomial", "Gamma", "Tweedie", "NegativeBinomial", "InverseGaussian"):
        labels = _LABELS if name == "Binomial" else _COUNTS + 1
        made[f"GLM-{name}"] = lambda name=name, labels=labels: api.GLM(
            labels, _TABLE, family=getattr(families, name)()
        ).fit()
    return made


def _after(made: Any) -> Any:
    made.fit()
    return made


def _saved(made: Any, name: str, **options: bool) -> tuple[str, bytes | str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.pickle"
        try:
            made.save(str(path), **options)
        except (AttributeError, TypeError, ValueError, NotImplementedError, RecursionError) as fault:
            return name, f"cannot be saved: {fault}"
        return name, path.read_bytes()


def files(chosen: Callable[[str], bool]) -> Iterator[tuple[str, bytes | str]]:
    """Yield each subject pickled, dumped by joblib, and saved by statsmodels with and without its data."""
    for name, make in _makers().items():
        if not chosen(name):
            continue
        try:
            made = make()
        except (ImportError, AttributeError, NotImplementedError, TypeError, ValueError) as fault:
            yield name, f"{type(fault).__name__}: {fault}"
            continue
        yield from pickles(name, made)
        yield from joblibs(name, made)
        if hasattr(made, "save"):
            yield _saved(made, f"{name}.saved.pickle")
            yield _saved(made, f"{name}.without-data.pickle", remove_data=True)
