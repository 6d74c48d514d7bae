"""NumPy: arrays of every kind of type, scalars, masks, records, generators, polynomials; npy and npz files."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from picklings import joblibs, pickles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MODULES = ("numpy", "joblib")


def _subjects() -> dict[str, Any]:
    numbers = "bBhHiIlLqQefdgFDG?"
    made = {f"array-{np.dtype(code).name}-{code}": np.ones((3, 2), dtype=code) for code in numbers if code != "?"}
    made["array-bool"] = np.array([True, False])
    made["big-endian"] = np.arange(5, dtype=">f8")
    made["fortran"] = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    made["strided"] = np.arange(10)[::2]
    made["empty"] = np.zeros((0, 3))
    made["zero-dimensional"] = np.array(1.5)
    made["text"] = np.array(["a", "bb", "ä"])
    made["bytes"] = np.array([b"a", b"bb"])
    made["dates"] = np.array(["2020-01-01", "NaT"], dtype="M8[ns]")
    made["durations"] = np.array([1, 2], dtype="m8[s]")
    made["objects"] = np.array([1, "a", None, {"b": [2]}, np.float32(3)], dtype=object)
    made["array-of-arrays"] = np.array([np.ones(2), np.ones(3)], dtype=object)
    made["structured"] = np.zeros(2, dtype=[("a", "f4"), ("b", "i8", (2,)), ("c", "O"), ("d", "U5")])
    made["aligned"] = np.zeros(2, dtype=np.dtype([("a", "i1"), ("b", "f8")], align=True))
    made["nested-dtype"] = np.zeros(1, dtype=[("p", [("x", "f8"), ("y", "f8")])])
    made["record"] = np.rec.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")])
    made["matrix"] = np.asmatrix(np.ones((2, 2)))
    made["masked"] = np.ma.array([1.0, 2.0], mask=[0, 1])
    made["masked-structured"] = np.ma.array([(1, 2.0)], mask=[(0, 1)], dtype=[("a", "i4"), ("b", "f8")])
    made["masked-constant"] = [np.ma.masked]
    made["scalars"] = [np.float64(1), np.int8(2), np.str_("a"), np.bool_(1), np.complex64(1j), np.datetime64("2020")]
    made["void-scalar"] = np.zeros(1, dtype=[("a", "i4")])[0]
    made["dtypes"] = [np.dtype("f4"), np.dtype("M8[ms]"), np.dtype([("a", "i4")]), np.dtype("O"), np.float32, np.int64]
    made["random-state"] = np.random.RandomState(1)
    made["polynomials"] = [np.polynomial.Polynomial([1, 2]), np.polynomial.Chebyshev([1, 2]), np.poly1d([1, 2])]
    made["functions"] = [np.log1p, np.exp, np.mean, np.add, np.linalg.norm]
    made["state-dict"] = {"layer.weight": np.ones((4, 4), dtype="f4"), "layer.bias": np.zeros(4), "step": np.int64(3)}
    if hasattr(np.random, "Generator"):
        kinds = ["MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"]
        made["generators"] = [
            np.random.Generator(getattr(np.random, kind)(1)) for kind in kinds if hasattr(np.random, kind)
        ]
        made["seed-sequence"] = np.random.SeedSequence(1)
    if hasattr(np, "dtypes") and hasattr(np.dtypes, "StringDType"):
        made["strings-of-any-length"] = np.array(["a", "b" * 100], dtype=np.dtypes.StringDType())
    return made


def _npy(value: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, value, allow_pickle=True)
    return file.getvalue()


def files(chosen: Callable[[str], bool]) -> Iterator[tuple[str, bytes | str]]:
    """Yield each subject pickled, dumped by joblib, and as npy where it is an array; and archives of all of them."""
    subjects = {name: made for name, made in _subjects().items() if chosen(name)}
    for name, made in subjects.items():
        yield from pickles(name, made)
        yield from joblibs(name, made)
        if type(made) is np.ndarray and made.dtype.kind != "T":
            yield f"{name}.npy", _npy(made)
    arrays = {name: made for name, made in subjects.items() if type(made) is np.ndarray and made.dtype.kind not in "TO"}
    for name, save in (("all.npz", np.savez), ("all-compressed.npz", np.savez_compressed)):
        file = io.BytesIO()
        save(file, **arrays)
        yield name, file.getvalue()
