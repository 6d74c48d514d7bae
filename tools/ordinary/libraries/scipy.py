"""SciPy: sparse matrices of every kind, interpolators, splines, spatial trees, distributions, results of optimizers."""

from __future__ import annotations

import importlib
import io
from typing import TYPE_CHECKING, Any

import numpy as np
from picklings import joblibs, pickles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MODULES = ("scipy", "numpy", "joblib")
_SPARSE = ("bsr", "coo", "csc", "csr", "dia", "dok", "lil")
_X = np.linspace(0, 3, 8)
_Y = _X**2
_INTERPOLATORS: dict[str, tuple[Any, ...]] = {
    "interp1d": (_X, _Y), "CubicSpline": (_X, _Y), "PchipInterpolator": (_X, _Y), "Akima1DInterpolator": (_X, _Y),
    "BarycentricInterpolator": (_X, _Y), "KroghInterpolator": (_X, _Y), "make_interp_spline": (_X, _Y),
    "UnivariateSpline": (_X, _Y), "InterpolatedUnivariateSpline": (_X, _Y), "RBFInterpolator": (_X[:, None], _Y),
    "RegularGridInterpolator": ((_X, _X), np.ones((8, 8))), "RectBivariateSpline": (_X, _X, np.ones((8, 8))),
    "NearestNDInterpolator": (np.stack([_X, _Y], 1), _Y), "CubicHermiteSpline": (_X, _Y, _Y),
    "LinearNDInterpolator": (np.random.RandomState(0).rand(9, 2), np.ones(9)), "splrep": (_X, _Y),
    "CloughTocher2DInterpolator": (np.random.RandomState(0).rand(9, 2), np.ones(9)),
    "PPoly": (np.ones((2, 3)), np.arange(4.0)), "BPoly": (np.ones((2, 3)), np.arange(4.0)),
}  # fmt: skip
_DISTRIBUTIONS: dict[str, tuple[float, ...]] = {
    "norm": (0, 1), "uniform": (0, 1), "expon": (), "gamma": (2,), "beta": (1, 2), "lognorm": (1,), "t": (3,),
    "chi2": (2,), "loguniform": (0.1, 10), "randint": (1, 9), "poisson": (2,), "binom": (5, 0.5), "geom": (0.5,),
    "truncnorm": (0, 1), "weibull_min": (1,), "pareto": (2,), "bernoulli": (0.5,), "nbinom": (5, 0.5), "laplace": (),
}  # fmt: skip


def _makers() -> dict[str, Callable[[], Any]]:
    """Return what makes each subject; a version that has not got one of them raises."""
    sparse, stats = importlib.import_module("scipy.sparse"), importlib.import_module("scipy.stats")
    interpolate, spatial = importlib.import_module("scipy.interpolate"), importlib.import_module("scipy.spatial")
    optimize, signal = importlib.import_module("scipy.optimize"), importlib.import_module("scipy.signal")
    special = importlib.import_module("scipy.special")
    points = np.random.RandomState(0).rand(20, 2)
    made: dict[str, Callable[[], Any]] = {}
    for kind in _SPARSE:
        for form in ("matrix", "array"):
            made[f"{kind}_{form}"] = lambda kind=kind, form=form: getattr(sparse, f"{kind}_{form}")(np.eye(4))
    made["random-sparse"] = lambda: sparse.random(20, 20, 0.1, format="csr", random_state=0)
    for name, given in _INTERPOLATORS.items():
        made[name] = lambda name=name, given=given: getattr(interpolate, name)(*given)
    for name, given in _DISTRIBUTIONS.items():
        made[f"frozen-{name}"] = lambda name=name, given=given: getattr(stats, name)(*given)
        made[f"distribution-{name}"] = lambda name=name: getattr(stats, name)
    return dict(
        made,
        multivariate_normal=lambda: stats.multivariate_normal([0, 0], np.eye(2)),
        gaussian_kde=lambda: stats.gaussian_kde(_Y),
        rv_histogram=lambda: stats.rv_histogram(np.histogram(_Y, 3)),
        kdtree=lambda: spatial.cKDTree(points),
        KDTree=lambda: spatial.KDTree(points),
        ConvexHull=lambda: {"points": points, "vertices": spatial.ConvexHull(points).vertices},
        Delaunay=lambda: spatial.Delaunay(points),
        turned=lambda: importlib.import_module("scipy.spatial.transform").Rotation.from_euler("zx", [[1.0, 2], [3, 4]]),
        Rotation=lambda: importlib.import_module("scipy.spatial.transform").Rotation.from_euler("z", 1.0),
        minimized=lambda: optimize.minimize(np.linalg.norm, [1.0, 2.0], method="Nelder-Mead"),
        minimized_bfgs=lambda: optimize.minimize(lambda x: (x**2).sum(), [1.0, 2.0], method="BFGS"),
        least_squares=lambda: optimize.least_squares(lambda x: x - 1, [0.0]),
        root=lambda: optimize.root_scalar(lambda x: x - 1, bracket=(0, 3)),
        bounds=lambda: [optimize.Bounds([0], [1]), optimize.LinearConstraint(np.eye(2), 0, 1)],
        ttest=lambda: stats.ttest_ind(_X, _Y),
        linregress=lambda: stats.linregress(_X, _Y),
        described=lambda: stats.describe(_X),
        pearsonr=lambda: stats.pearsonr(_X, _Y),
        ranks=lambda: [
            stats.kendalltau(_X, _Y),
            stats.spearmanr(_X, _Y),
            stats.wilcoxon(_X, _Y),
            stats.kstest(_X, "norm"),
        ],
        tables=lambda: stats.chi2_contingency([[3, 4], [5, 6]]),
        filters=lambda: [signal.butter(3, 0.1), signal.lti([1.0], [1.0, 1.0]), signal.dlti([1.0], [1.0, 0.5])],
        functions=lambda: [special.expit, special.logit, special.softmax, special.erf, special.logsumexp],
        linear_operator=lambda: importlib.import_module("scipy.sparse.linalg").aslinearoperator(np.eye(3)),
        solved=lambda: importlib.import_module("scipy.integrate").solve_ivp(lambda _, y: -y, (0, 1), [1.0]),
    )


def _npz() -> bytes:
    sparse = importlib.import_module("scipy.sparse")
    file = io.BytesIO()
    sparse.save_npz(file, sparse.csr_matrix(np.eye(4)))
    return file.getvalue()


def files(chosen: Callable[[str], bool]) -> Iterator[tuple[str, bytes | str]]:
    """Yield each subject pickled and dumped by joblib, and what ``save_npz`` writes."""
    for name, make in _makers().items():
        if not chosen(name):
            continue
        try:
            made = make()
        except (ImportError, AttributeError, TypeError, ValueError) as fault:
            yield name, f"{type(fault).__name__}: {fault}"
            continue
        yield from pickles(name, made)
        yield from joblibs(name, made)
    yield "sparse.npz", _npz()
