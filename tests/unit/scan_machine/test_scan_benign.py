"""Ordinary objects of ordinary libraries are clean, by every protocol. Made here, read here, never loaded."""

from __future__ import annotations

import collections
import datetime as dt
import decimal
import fractions
import io
import pathlib
import pickle
import uuid
import zipfile

import pytest

from modelsign.artifact.reading import BytesReading
from modelsign.scan.pickles import analyse, scan_pickle, scan_torch_stream

np = pytest.importorskip("numpy", reason="numpy is not installed")
PROTOCOLS = range(6)


def library(name: str):
    return pytest.importorskip(name, reason=f"{name} is not installed")


def findings(data: bytes, **options: object):
    inspection = scan_pickle(BytesReading(data), **options)
    assert inspection.readable
    assert inspection.end == len(data)
    return inspection.findings


def ordinary() -> dict[str, object]:
    return {
        "collections": [
            collections.OrderedDict(a=1), collections.defaultdict(list, a=[1]), collections.Counter("aab"),
            collections.deque([1, 2], 3), {1, 2}, frozenset([1]), (), ((),), [None, True, -(2**70), 1.5, 1j],
        ],
        "time": [
            dt.datetime(2020, 1, 1, tzinfo=dt.UTC), dt.date(2020, 1, 1), dt.time(1),
            dt.timedelta(1),
        ],
        "numbers": [decimal.Decimal("1.5"), fractions.Fraction(1, 2), uuid.UUID(int=1), range(3), slice(1, 2)],
        "paths": [pathlib.PurePosixPath("a/b"), pathlib.PureWindowsPath("c:/x")],
        "text that looks like code": {"os.system": "cos\nsystem\n(S'true'\ntR.", "b": b"cos\nsystem\n(S'true'\ntR."},
        "bytes": [b"x" * 10, b"\xff" * 300, bytearray(b"y"), "ä" * 300],
        "constants": [Ellipsis, NotImplemented, type(None), int, dict],
        "shared": [[1]] * 3,
    }  # fmt: skip


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", ordinary())
def test_plain_python_objects_are_clean(kind, protocol):
    assert findings(pickle.dumps(ordinary()[kind], protocol)) == ()


def arrays() -> dict[str, object]:
    generators = [np.random.MT19937, np.random.PCG64, np.random.PCG64DXSM, np.random.Philox, np.random.SFC64]
    return {
        "plain": [np.arange(3), np.asfortranarray(np.ones((2, 3))), np.zeros((0, 3)), np.array(1.5)],
        "objects": np.array([1, "a", None, {"b": 2}], dtype=object),
        "structured": np.zeros(2, dtype=[("a", "f4"), ("b", "i8"), ("c", "O")]),
        "text and dates": [np.array(["a", "bb"]), np.array(["2020"], dtype="M8[D]"), np.array([b"x"])],
        "scalars": [np.float64(1), np.int32(2), np.str_("a"), np.bool_(1), np.datetime64("2020")],
        "masked": np.ma.array([1, 2], mask=[0, 1]),
        "record": np.rec.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
        "random": [np.random.Generator(kind(1)) for kind in generators] + [np.random.RandomState(1)],
        "polynomial": [np.polynomial.Polynomial([1, 2]), np.poly1d([1, 2])],
        "functions by name": [np.log1p, np.mean],
    }


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", arrays())
def test_numpy_objects_are_clean(kind, protocol):
    assert findings(pickle.dumps(arrays()[kind], protocol)) == ()


@pytest.fixture(scope="module")
def frame():
    pd = pytest.importorskip("pandas", reason="pandas is not installed")
    return pd.DataFrame(
        {
            "int": [1, 2],
            "text": ["x", "y"],
            "category": pd.Categorical(["u", "v"]),
            "time": pd.date_range("2020", periods=2),
            "zone": pd.date_range("2020", periods=2, tz="UTC"),
            "nullable": pd.array([1, None], dtype="Int64"),
            "object": pd.Series(["p", None], dtype=object),
        }
    )


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_pandas_frame_is_clean(frame, protocol):
    assert findings(pickle.dumps(frame, protocol)) == ()
    assert findings(pickle.dumps(frame.set_index(["int", "text"]), protocol)) == ()
    assert findings(pickle.dumps(frame["int"], protocol)) == ()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_pandas_indexes_and_scalars_are_clean(protocol):
    pd = pytest.importorskip("pandas", reason="pandas is not installed")
    values = [
        pd.period_range("2020", periods=3), pd.interval_range(0, 3), pd.timedelta_range("1D", periods=2),
        pd.Timestamp("2020", tz="UTC"), pd.Timedelta("1D"), pd.NaT, pd.NA, pd.Period("2020"),
    ]  # fmt: skip
    assert findings(pickle.dumps(values, protocol)) == ()


@pytest.fixture(scope="module")
def estimators():
    ensemble = library("sklearn.ensemble")
    linear = library("sklearn.linear_model")
    pipe = library("sklearn.pipeline").make_pipeline(
        library("sklearn.preprocessing").StandardScaler(), library("sklearn.neighbors").KNeighborsClassifier()
    )
    x, y = np.random.RandomState(0).rand(40, 4), np.arange(40) % 2
    makers = [
        linear.LogisticRegression(), linear.SGDClassifier(), ensemble.RandomForestClassifier(3),
        ensemble.GradientBoostingClassifier(n_estimators=2), ensemble.HistGradientBoostingClassifier(max_iter=2), pipe,
    ]  # fmt: skip
    return [maker.fit(x, y) for maker in makers]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_fitted_estimators_are_clean(estimators, protocol):
    for estimator in estimators:
        assert findings(pickle.dumps(estimator, protocol)) == (), type(estimator)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_joblib_dumps_is_clean_arrays_between_the_opcodes_included(estimators, protocol, tmp_path):
    joblib = pytest.importorskip("joblib", reason="joblib is not installed")
    for value in [*estimators, arrays()]:
        path = tmp_path / "model.joblib"
        joblib.dump(value, path, protocol=protocol)
        assert findings(path.read_bytes()) == (), type(value)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_object_arrays_that_share_module_names_are_clean_in_joblib_files(frame, protocol, tmp_path):
    joblib = pytest.importorskip("joblib", reason="joblib is not installed")
    mixed = np.array(
        [dt.date(2020, 1, 1), dt.datetime(2020, 1, 1, tzinfo=dt.UTC), dt.timedelta(1), decimal.Decimal(1)], dtype=object
    )
    for value in (mixed, [mixed, mixed], frame):
        path = tmp_path / "model.joblib"
        joblib.dump(value, path, protocol=protocol)
        assert findings(path.read_bytes()) == ()


def torch_objects() -> dict[str, object]:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(2, 2)).sum().backward()
    optimizer.step()
    names = ["float32", "float16", "bfloat16", "int8", "int64", "bool", "complex64", "uint8", "float8_e4m3fn", "uint16"]
    return {
        "state dict": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "types": {name: torch.zeros(2, dtype=getattr(torch, name)) for name in names},
        "parameter": model[0].weight,
        "sparse": [torch.eye(2).to_sparse(), torch.eye(2).to_sparse_csr()],
        "size and device": [torch.Size([1]), torch.device("cpu"), torch.float32],
    }


@pytest.mark.filterwarnings("ignore")
def test_the_pickle_of_a_pytorch_archive_is_clean_with_its_persistent_ids():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    for kind, value in torch_objects().items():
        saved = io.BytesIO()
        torch.save(value, saved)
        with zipfile.ZipFile(saved) as archive:
            data = archive.read(next(name for name in archive.namelist() if name.endswith("data.pkl")))
        assert findings(data, persistent="torch") == (), kind


@pytest.mark.filterwarnings("ignore")
def test_the_storages_of_a_pytorch_archive_are_told_with_their_sizes():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    saved = io.BytesIO()
    torch.save({"w": torch.zeros(3, dtype=torch.float64)}, saved)
    with zipfile.ZipFile(saved) as archive:
        data = archive.read(next(name for name in archive.namelist() if name.endswith("data.pkl")))
    assert analyse(BytesReading(data), persistent="torch").storages == {"0": ("torch.DoubleStorage", 24)}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_pickled_tensors_are_clean_their_inner_streams_included(protocol):
    for kind, value in torch_objects().items():
        assert findings(pickle.dumps(value, protocol)) == (), kind


@pytest.mark.filterwarnings("ignore")
def test_an_older_pytorch_file_is_clean_to_its_last_number():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    for kind, value in torch_objects().items():
        saved = io.BytesIO()
        torch.save(value, saved, _use_new_zipfile_serialization=False)
        inspection = scan_torch_stream(BytesReading(saved.getvalue()))
        assert inspection.readable, kind
        assert inspection.findings == (), kind


def test_globals_are_the_exact_names_after_mapping():
    data = pickle.dumps(collections.OrderedDict(a={1}), 2)
    assert b"__builtin__" in data
    inspection = scan_pickle(BytesReading(data))
    assert inspection.globals == {"collections.OrderedDict", "builtins.set"}
