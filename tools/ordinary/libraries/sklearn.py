"""scikit-learn: every estimator of ``all_estimators``, fitted, and the settings that put other objects into them.

What an estimator needs to be made and fitted is tried, not looked up, so that one file serves every version.
"""

from __future__ import annotations

import importlib
import inspect
from typing import TYPE_CHECKING, Any

import numpy as np
import sklearn
from picklings import joblibs, pickles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MODULES = ("sklearn", "numpy", "scipy", "joblib")
_SMALLER = {"n_estimators": 5, "max_iter": 50, "n_init": 1, "n_components": 2, "cv": 3, "n_jobs": None, "n_iter": 3}
_EXPERIMENTAL = ("enable_hist_gradient_boosting", "enable_iterative_imputer", "enable_halving_search_cv")
for _name in _EXPERIMENTAL:
    try:
        importlib.import_module(f"sklearn.experimental.{_name}")
    except ImportError:
        continue


def _import(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def _parts(*, regression: bool = False) -> dict[str, Any]:
    """Return what constructors ask for, by the name of the parameter."""
    kind = "Regressor" if regression else "Classifier"
    tree = _import(f"sklearn.tree.DecisionTree{kind}")(max_depth=2).fit(*_data()[0])
    other = _import(f"sklearn.neighbors.KNeighbors{kind}")()
    scaler = _import("sklearn.preprocessing.StandardScaler")()
    return {
        "estimator": tree,
        "base_estimator": tree,
        "estimators": [("a", other), ("b", tree)],
        "transformers": [("a", scaler, [0, 1])],
        "transformer_list": [("a", scaler)],
        "steps": [("a", scaler), ("b", tree)],
        "param_grid": {"max_depth": [1, 2]},
        "param_distributions": {"max_depth": [1, 2, 3]},
        "dictionary": np.eye(4),
        "regressor": _import("sklearn.linear_model.Ridge")(),
    }


def _data() -> list[tuple[Any, ...]]:
    """Return what fit may be given: the first that an estimator takes is taken."""
    random = np.random.RandomState(0)
    table, numbers = random.rand(60, 4), random.rand(60)
    labels = np.arange(60) % 3
    classes = np.stack([labels == 1, labels != 1], 1).astype(int)
    return [
        (table, labels),
        (table, labels % 2),
        (table, numbers),
        (table,),
        (table, table[:, :2]),
        (table, np.stack([labels, labels % 2], 1)),
        (table, classes),
        (labels,),
        (table[:4],),
        ([[1, 2], [1]],),
        (["good film", "bad film", "good book"] * 20,),
        ([{"a": 1.0, "b": "x"}] * 10,),
        (numbers, labels),
        (table.astype(bool), labels),
    ]


def _construct(cls: Any, extra: dict[str, Any], *, attempt: int) -> Any:
    """Make an estimator: cheap settings first, then its own; then parts for regression, and where they may be None."""
    parameters = inspect.signature(cls.__init__).parameters
    parts = _parts(regression=attempt > 1)
    without = (inspect.Parameter.empty, None) if attempt > 1 else (inspect.Parameter.empty,)
    needed = {name: parts[name] for name, one in parameters.items() if name in parts and one.default in without}
    cheap = {name: value for name, value in _SMALLER.items() if name in parameters and not attempt}
    return cls(**dict(cheap, **needed, **extra)) if not set(cheap) & set(extra) else cls(**dict(needed, **extra))


def _fitted(cls: Any, extra: dict[str, Any]) -> Any:
    """Return an estimator fitted to the first data it takes; in words why not, if it takes none."""
    why = None
    for attempt in range(3):
        for data in _data():
            try:
                return _construct(cls, extra, attempt=attempt).fit(*data)
            except (TypeError, ValueError, AttributeError, IndexError, NotImplementedError) as fault:
                why = why or fault
    return f"cannot be fitted: {why}"


_EACH = {
    "linear_model.SGDClassifier": (
        "loss",
        "hinge log_loss log modified_huber squared_hinge perceptron huber squared_error epsilon_insensitive",
    ),
    "linear_model.SGDRegressor": (
        "loss",
        "squared_error squared_loss huber epsilon_insensitive squared_epsilon_insensitive",
    ),
    "linear_model.LogisticRegression": ("solver", "liblinear lbfgs saga newton-cg"),
    "ensemble.GradientBoostingClassifier": ("loss", "log_loss deviance exponential"),
    "ensemble.GradientBoostingRegressor": ("loss", "squared_error ls absolute_error lad huber quantile"),
    "ensemble.HistGradientBoostingRegressor": ("loss", "squared_error least_squares absolute_error poisson gamma"),
    "neighbors.KernelDensity": ("kernel", "gaussian tophat linear"),
    "cluster.KMeans": ("algorithm", "lloyd elkan full auto"),
    "svm.SVC": ("kernel", "rbf linear poly sigmoid"),
    "neural_network.MLPClassifier": ("solver", "adam sgd lbfgs"),
    "preprocessing.KBinsDiscretizer": ("encode", "onehot ordinal onehot-dense"),
    "decomposition.PCA": ("svd_solver", "full randomized arpack"),
}
"""One parameter, and the values it is tried with."""
_SETTINGS: dict[str, list[dict[str, Any]]] = {
    "ensemble.GradientBoostingClassifier": [{"init": "zero"}, {"n_iter_no_change": 2}],
    "ensemble.HistGradientBoostingClassifier": [{"early_stopping": True}],
    "ensemble.HistGradientBoostingRegressor": [{"loss": "quantile", "quantile": 0.5}, {"early_stopping": True}],
    "ensemble.BaggingClassifier": [{"oob_score": True, "bootstrap": True}],
    "ensemble.RandomForestClassifier": [{"criterion": "entropy", "oob_score": True}, {"warm_start": True}],
    "neighbors.NearestNeighbors": [
        {"algorithm": one, "metric": metric}
        for one in ("ball_tree", "kd_tree", "brute")
        for metric in ("euclidean", "manhattan", "chebyshev", "minkowski", "canberra", "hamming", "jaccard", "cosine")
    ],
    "neighbors.KNeighborsClassifier": [
        {"weights": "distance", "algorithm": "kd_tree"},
        {"algorithm": "ball_tree", "p": 3},
    ],
    "svm.SVC": [{"probability": True}],
    "neural_network.MLPClassifier": [{"early_stopping": True}],
    "preprocessing.FunctionTransformer": [{"func": np.log1p, "inverse_func": np.expm1}],
    "preprocessing.OneHotEncoder": [{"handle_unknown": "ignore", "dtype": np.float32}],
    "compose.TransformedTargetRegressor": [{"func": np.log1p, "inverse_func": np.expm1}],
    "feature_selection.SelectKBest": [{"k": 2}],
    "manifold.Isomap": [{"metric": "manhattan"}],
}


def _settings() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, (parameter, values) in _EACH.items():
        yield from ((path, {parameter: value}) for value in values.split())
    for path, settings in _SETTINGS.items():
        yield from ((path, extra) for extra in settings)


def _pipeline() -> Any:
    scaler, ridge = _import("sklearn.preprocessing.StandardScaler"), _import("sklearn.linear_model.Ridge")
    return _import("sklearn.pipeline.make_pipeline")(scaler(), ridge()).fit(*_data()[2])


def _of_a_frame() -> Any:
    pandas = importlib.import_module("pandas")
    table = pandas.DataFrame({"a": [1.0, 2, 3, 4] * 5, "b": ["x", "y"] * 10})
    onehot = _import("sklearn.preprocessing.OneHotEncoder")(handle_unknown="ignore")
    columns = [("n", _import("sklearn.impute.SimpleImputer")(), ["a"]), ("c", onehot, ["b"])]
    before = _import("sklearn.compose.ColumnTransformer")(columns, remainder="passthrough")
    after = _import("sklearn.ensemble.RandomForestClassifier")(n_estimators=3)
    return _import("sklearn.pipeline.Pipeline")([("before", before), ("after", after)]).fit(table, [0, 1] * 10)


def _of_selected_columns() -> Any:
    table = importlib.import_module("pandas").DataFrame({"a": [1.0, 2], "b": [2.0, 3]})
    numbers = _import("sklearn.compose.make_column_selector")(dtype_include=np.number)
    before = _import("sklearn.compose.ColumnTransformer")([("n", "passthrough", numbers)])
    after = _import("sklearn.tree.DecisionTreeRegressor")()
    return _import("sklearn.pipeline.Pipeline")([("before", before), ("after", after)]).fit(table, [0, 1])


def _search() -> Any:
    scorer = _import("sklearn.metrics.make_scorer")(_import("sklearn.metrics.f1_score"), average="macro")
    tree, folds = _import("sklearn.tree.DecisionTreeClassifier")(), _import("sklearn.model_selection.StratifiedKFold")
    grid = _import("sklearn.model_selection.GridSearchCV")
    return grid(tree, {"max_depth": [1, 2]}, scoring=scorer, cv=folds(3, shuffle=True, random_state=0)).fit(*_data()[0])


def _search_by_named_scorer() -> Any:
    grid = _import("sklearn.model_selection.GridSearchCV")
    return grid(_import("sklearn.linear_model.Ridge")(), {"alpha": [1, 2]}, scoring="r2", cv=3).fit(*_data()[2])


def _randomized_search() -> Any:
    search = _import("sklearn.model_selection.RandomizedSearchCV")
    spread = {"alpha": _import("scipy.stats.uniform")(0.1, 1), "max_iter": _import("scipy.stats.randint")(50, 99)}
    return search(_import("sklearn.linear_model.Lasso")(), spread, n_iter=3, cv=3, random_state=0).fit(*_data()[2])


def _kernels() -> Any:
    kinds = importlib.import_module("sklearn.gaussian_process.kernels")
    smooth = kinds.ConstantKernel(1.0) * kinds.RBF(1.0) + kinds.WhiteKernel()
    kernel = smooth + kinds.Matern() * kinds.RationalQuadratic()
    return _import("sklearn.gaussian_process.GaussianProcessRegressor")(kernel, optimizer=None).fit(*_data()[2])


def _text_model() -> Any:
    words = _import("sklearn.feature_extraction.text.TfidfVectorizer")(stop_words="english", ngram_range=(1, 2))
    bayes = _import("sklearn.naive_bayes.MultinomialNB")()
    return _import("sklearn.pipeline.make_pipeline")(words, bayes).fit(["good film", "bad film"] * 5, [1, 0] * 5)


def _self_training() -> Any:
    base = _import("sklearn.linear_model.LogisticRegression")()
    table, labels = _data()[0]
    unlabelled = np.where(np.arange(60) < 40, labels, -1)  # noqa: PLR2004 - the first 40 have labels
    return _import("sklearn.semi_supervised.SelfTrainingClassifier")(base).fit(table, unlabelled)


def _splitters() -> Any:
    module = importlib.import_module("sklearn.model_selection")
    names = ("KFold", "ShuffleSplit", "GroupKFold", "TimeSeriesSplit", "RepeatedKFold", "StratifiedShuffleSplit")
    return [getattr(module, name)() for name in names]


_OTHERS: dict[str, Callable[[], Any]] = {
    "pipeline": _pipeline,
    "pipeline-of-a-frame": _of_a_frame,
    "pipeline-of-selected-columns": _of_selected_columns,
    "search": _search,
    "search-by-named-scorer": _search_by_named_scorer,
    "search-randomized": _randomized_search,
    "kernels": _kernels,
    "text-model": _text_model,
    "self-training": _self_training,
    "splitters": _splitters,
    **{f"dataset-{name}": _import(f"sklearn.datasets.load_{name}") for name in ("iris", "diabetes", "wine")},
}
"""What is not one fitted class: pipelines, searches, data sets."""


def _subjects() -> Iterator[tuple[str, Callable[[], Any]]]:
    try:
        every = _import("sklearn.utils.all_estimators")
    except AttributeError:
        every = _import("sklearn.utils.testing.all_estimators")
    for name, cls in every():
        yield name, lambda cls=cls: _fitted(cls, {})
    for path, extra in _settings():
        words = "-".join(str(getattr(value, "__name__", value)) for value in extra.values())
        try:
            cls = _import(f"sklearn.{path}")
        except (ImportError, AttributeError):
            continue
        yield f"{path.rpartition('.')[2]}-{words}", lambda cls=cls, extra=extra: _fitted(cls, extra)
    yield from _OTHERS.items()


def files(chosen: Callable[[str], bool]) -> Iterator[tuple[str, bytes | str]]:
    """Yield each subject pickled and dumped by joblib."""
    assert sklearn.__version__  # noqa: S101 - the library must be there, whichever part is asked for
    for name, make in _subjects():
        if not chosen(name):
            continue
        try:
            made = make()
        except (ImportError, AttributeError, TypeError, ValueError) as fault:
            made = f"{type(fault).__name__}: {fault}"
        if isinstance(made, str):
            yield name, made
            continue
        yield from pickles(name, made)
        yield from joblibs(name, made)
