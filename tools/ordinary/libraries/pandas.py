"""pandas: frames, series and indexes of every kind of type, offsets, scalars, groupings."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from picklings import joblibs, pickles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MODULES = ("pandas", "numpy", "joblib")
_NULLABLE = (
    "Int8",
    "Int16",
    "Int32",
    "Int64",
    "UInt8",
    "UInt16",
    "UInt32",
    "UInt64",
    "Float32",
    "Float64",
    "boolean",
    "string",
)
_OFFSETS = (
    "Day", "Hour", "Minute", "Second", "Milli", "Micro", "Nano", "BDay", "MonthEnd", "MonthBegin", "BMonthEnd",
    "BMonthBegin", "QuarterEnd", "QuarterBegin", "BQuarterEnd", "BQuarterBegin", "YearEnd", "YearBegin", "BYearEnd",
    "BYearBegin", "Week", "SemiMonthEnd", "SemiMonthBegin", "WeekOfMonth", "LastWeekOfMonth", "BusinessHour", "Easter",
    "FY5253", "CustomBusinessDay", "CustomBusinessMonthEnd", "CustomBusinessHour", "DateOffset",
)  # fmt: skip


def _frame() -> Any:
    return pd.DataFrame({
        "int": [1, 2, 3], "float": [1.5, np.nan, 2], "text": ["x", "y", None], "bool": [True, False, True],
        "category": pd.Categorical(["u", "v", "u"]), "time": pd.date_range("2020", periods=3),
        "zone": pd.date_range("2020", periods=3, tz="Europe/Paris"), "delta": pd.timedelta_range("1D", periods=3),
        "object": pd.Series(["p", None, 3], dtype=object),
    })  # fmt: skip


def _makers() -> dict[str, Callable[[], Any]]:
    """Return what makes each subject; a version that has not got one of them raises."""
    made: dict[str, Callable[[], Any]] = {
        "frame": _frame,
        "frame-empty": pd.DataFrame,
        "frame-numbers": lambda: pd.DataFrame(np.ones((5, 3)), columns=list("abc")),
        "frame-indexed": lambda: _frame().set_index(["int", "text"]),
        "frame-time-index": lambda: _frame().set_index("time"),
        "frame-columns-of-levels": lambda: pd.DataFrame(
            np.ones((2, 2)), columns=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)])
        ),
        "frame-described": lambda: _frame().describe(),
        "frame-with-attributes": lambda: _frame().assign(a=1),
        "frame-dtypes": lambda: _frame().dtypes,
        "frame-filtered": lambda: _frame()[_frame()["int"] > 1],
        "series": lambda: pd.Series([1.0, 2], name="s"),
        "series-text": lambda: pd.Series(["a", "b"]),
        "series-objects": lambda: pd.Series([{"a": 1}, [2], None]),
        "series-period": lambda: pd.Series(pd.period_range("2020", periods=3, freq="D")),
        "series-interval": lambda: pd.Series(pd.interval_range(0, 3)),
        "series-sparse": lambda: pd.Series(pd.arrays.SparseArray([0, 0, 1])),
        "frame-sparse": lambda: pd.DataFrame({"a": pd.arrays.SparseArray([0.0, 1])}),
        "series-cut": lambda: pd.cut(pd.Series([1, 2, 3]), 2),
        "series-qcut": lambda: pd.qcut(pd.Series(range(10)), 3, retbins=True),
        "series-ordered": lambda: pd.Series(pd.Categorical(["a"], categories=["a", "b"], ordered=True)),
        "series-datetimes-fixed-offset": lambda: pd.Series(pd.to_datetime(["2020-01-01T00:00+02:00"])),
        "series-utc": lambda: pd.Series(pd.date_range("2020", periods=2, tz="UTC")),
        "indexes": lambda: [
            pd.Index([1, 2]), pd.Index([1.5]), pd.Index(["a"]), pd.RangeIndex(3), pd.date_range("2020", periods=3),
            pd.timedelta_range("1D", periods=2), pd.period_range("2020", periods=3, freq="M"), pd.interval_range(0, 3),
            pd.CategoricalIndex(["a"]), pd.MultiIndex.from_product([[1, 2], ["a"]]), pd.Index([1, "a", None]),
            pd.Index(np.array([1], dtype="u8")),
        ],
        "scalars": lambda: [
            pd.Timestamp("2020", tz="UTC"), pd.Timestamp("2020", tz="Europe/Paris"), pd.Timedelta("1D"), pd.NaT,
            pd.Period("2020"), pd.Interval(0, 1), pd.Timestamp("2020-02-03 04:05:06.789"),
        ],
        "NA": lambda: [pd.NA],
        "dtypes": lambda: [
            pd.CategoricalDtype(["a"]), pd.DatetimeTZDtype(tz="UTC"), pd.PeriodDtype("D"), pd.IntervalDtype("int64"),
            pd.SparseDtype("float64"),
        ],
        "arrow-types": lambda: pd.Series([1, 2], dtype="int64[pyarrow]"),
        "arrow-frame": lambda: _frame()[["int", "text"]].convert_dtypes(dtype_backend="pyarrow"),
        "arrow-text": lambda: pd.Series(["a"], dtype="string[pyarrow]"),
        "column-names-and-types": lambda: {"columns": list(_frame().columns), "index": _frame().columns},
        "medians-and-modes": lambda: [_frame()[["int", "float"]].median(), _frame()["text"].mode()],
        "NamedAgg": lambda: _frame().groupby("text").agg({"int": ["mean", "max"]}),
        "pivoted": lambda: _frame().pivot_table(index="text", columns="category", values="int", observed=False),
        "rolling": lambda: _frame()["float"].rolling(2).mean(),
        "options": lambda: pd.Series(pd.array([True, None], dtype="boolean")),
    }  # fmt: skip
    for name in _NULLABLE:
        values = ["a", None] if name == "string" else [1, None]
        made[f"nullable-{name}"] = lambda name=name, values=values: pd.Series(values, dtype=name)
    for name in _OFFSETS:
        made[f"offset-{name}"] = lambda name=name: getattr(pd.offsets, name)()
    for freq in ("D", "h", "min", "s", "MS", "B", "W-MON"):
        made[f"frequency-{freq}"] = lambda freq=freq: pd.date_range("2020", periods=3, freq=freq)
    return made


def _written(made: Any) -> bytes | str:
    """Return what ``to_pickle`` writes with its own default, compressed by gzip."""
    file = io.BytesIO()
    try:
        made.to_pickle(file, compression="gzip")
    except (OSError, TypeError, ValueError, AttributeError) as fault:
        return f"{type(fault).__name__}: {fault}"
    return file.getvalue()


def files(chosen: Callable[[str], bool]) -> Iterator[tuple[str, bytes | str]]:
    """Yield each subject pickled, dumped by joblib, and as ``to_pickle`` writes it."""
    for name, make in _makers().items():
        if not chosen(name):
            continue
        try:
            made = make()
        except (ImportError, AttributeError, NameError, TypeError, ValueError) as fault:
            yield name, f"{type(fault).__name__}: {fault}"
            continue
        yield from pickles(name, made)
        yield from joblibs(name, made)
        if hasattr(made, "to_pickle"):
            yield f"{name}.pkl.gz", _written(made)
