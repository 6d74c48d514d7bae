"""Tables and labels for the gradient boosting libraries, and the searches and pipelines their models are kept in."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["TABLE", "kinds_of_labels", "wrapped"]

_RANDOM = np.random.RandomState(0)
TABLE = _RANDOM.rand(80, 4)


def kinds_of_labels() -> dict[str, Any]:
    """Return labels by what they are for."""
    count = len(TABLE)
    return {
        "two-classes": np.arange(count) % 2,
        "classes": np.arange(count) % 3,
        "words": np.array(["yes", "no"] * (count // 2)),
        "numbers": TABLE[:, 0] * 2 + 1,
    }


def wrapped(model: Any, labels: Any) -> dict[str, Any]:
    """Return a pipeline and a search around a model of scikit-learn's shape, fitted."""
    from sklearn.model_selection import GridSearchCV  # noqa: PLC0415 - of the environment that makes the files
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415 - same
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415 - same

    return {
        "pipeline": make_pipeline(StandardScaler(), model).fit(TABLE, labels),
        "search": GridSearchCV(model, {"max_depth": [2, 3]}, cv=2).fit(TABLE, labels),
    }
