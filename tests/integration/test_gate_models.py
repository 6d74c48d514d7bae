"""Real models of every kind go through the whole gate and come out as their libraries would have loaded them.

This also holds the scan to its promise: the names it lists are exactly the names the loaders need.
"""

from __future__ import annotations

import collections
import io
import pickle

import pytest
import signedmodels

from modelsign.guard.load import load
from modelsign.guard.verified import verified

joblib = pytest.importorskip("joblib")
np = pytest.importorskip("numpy")
pd = pytest.importorskip("pandas")
torch = pytest.importorskip("torch")
LogisticRegression = pytest.importorskip("sklearn.linear_model").LogisticRegression
RandomForestClassifier = pytest.importorskip("sklearn.ensemble").RandomForestClassifier
StandardScaler = pytest.importorskip("sklearn.preprocessing").StandardScaler
make_pipeline = pytest.importorskip("sklearn.pipeline").make_pipeline

FEATURES, LABELS = pytest.importorskip("sklearn.datasets").load_iris(return_X_y=True)
FRAME = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", None], "c": [0.5, float("nan"), 2.0]})


def through_the_gate(tmp_path, name: str, data: bytes, **options: object):
    model = signedmodels.make(tmp_path, {name: data}, single=True)
    return load(model.path, **model.arguments, **options)


def dumped(value, **options) -> bytes:
    stream = io.BytesIO()
    joblib.dump(value, stream, **options)
    return stream.getvalue()


def saved(value, **options) -> bytes:
    stream = io.BytesIO()
    torch.save(value, stream, **options)
    return stream.getvalue()


@pytest.mark.parametrize("protocol", range(2, 6))
@pytest.mark.parametrize(
    "value",
    [
        collections.OrderedDict(a=1, b=(2, 3)),
        {"numbers": [1, 2.5, 10**40, True, None], "text": "ü" * 300, "bytes": b"\x00\xff", "set": {1, 2}},
    ],
    ids=["ordered", "plain"],
)
def test_plain_pickles(tmp_path, value, protocol):
    assert through_the_gate(tmp_path, "m.pkl", pickle.dumps(value, protocol)) == value


@pytest.mark.parametrize("protocol", range(2, 6))
def test_array_pickles(tmp_path, protocol):
    array = np.arange(12.0).reshape(3, 4)
    assert np.array_equal(through_the_gate(tmp_path, "m.pkl", pickle.dumps(array, protocol)), array)


@pytest.mark.parametrize("protocol", [4, 5])
def test_data_frames(tmp_path, protocol):
    loaded = through_the_gate(tmp_path, "frame.pkl", pickle.dumps(FRAME, protocol))
    pd.testing.assert_frame_equal(loaded, FRAME)


@pytest.mark.parametrize("compress", [0, 3, ("gzip", 3), ("xz", 1)], ids=str)
@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression(max_iter=500),
        RandomForestClassifier(n_estimators=5, random_state=0),
        make_pipeline(StandardScaler(), LogisticRegression()),
    ],
    ids=["logistic", "forest", "pipeline"],
)
def test_estimators(tmp_path, estimator, compress):
    fitted = estimator.fit(FEATURES, LABELS)
    loaded = through_the_gate(tmp_path, "m.joblib", dumped(fitted, compress=compress))
    assert loaded.predict_proba(FEATURES).tolist() == fitted.predict_proba(FEATURES).tolist()


def test_estimators_in_plain_pickles(tmp_path):
    fitted = LogisticRegression(max_iter=500).fit(FEATURES, LABELS)
    loaded = through_the_gate(tmp_path, "m.pkl", pickle.dumps(fitted))
    assert loaded.predict(FEATURES).tolist() == fitted.predict(FEATURES).tolist()


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_state_dicts(tmp_path, zipped):
    layer = torch.nn.Linear(4, 3)
    data = saved(layer.state_dict(), _use_new_zipfile_serialization=zipped)
    loaded = through_the_gate(tmp_path, "m.pt", data)
    assert all(torch.equal(loaded[name], tensor) for name, tensor in layer.state_dict().items())


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_state_dicts_when_the_policy_lifts_weights_only(tmp_path, zipped):
    tensors = {"w": torch.arange(6.0).reshape(2, 3), "h": torch.ones(2, dtype=torch.bfloat16)}
    data = saved(tensors, _use_new_zipfile_serialization=zipped)
    model = signedmodels.make(tmp_path, {"m.pt": data}, single=True)
    model.policy.write_text(f"{model.policy.read_text()}load: {{torch_weights_only: false}}\n")
    loaded = load(model.path, **model.arguments)
    assert all(torch.equal(loaded[name], tensor) for name, tensor in tensors.items())


def test_numpy_files(tmp_path):
    stream = io.BytesIO()
    objects = np.array([1, "x", None], dtype=object)
    np.savez_compressed(stream, numbers=np.arange(5), objects=objects)
    loaded = through_the_gate(tmp_path, "m.npz", stream.getvalue())
    assert loaded["numbers"].tolist() == [0, 1, 2, 3, 4]
    assert loaded["objects"].tolist() == objects.tolist()


def test_a_folder_gives_a_path_that_libraries_can_open(tmp_path):
    files = {
        "weights.safetensors": signedmodels.weights(3.0),
        "array.npy": signedmodels.npy([0, 1, 2, 3]),
        "model.joblib": dumped({"w": np.arange(3.0)}),
        "model.pt": saved({"w": torch.ones(2)}),
    }
    model = signedmodels.make(tmp_path, files)
    with verified(model.path, **model.arguments) as judged:
        assert np.load(f"{judged.path}/array.npy").tolist() == [0, 1, 2, 3]
        assert np.load(f"{judged.path}/array.npy", mmap_mode="r").tolist() == [0, 1, 2, 3]
        assert joblib.load(f"{judged.path}/model.joblib")["w"].tolist() == [0, 1, 2]
        assert torch.load(f"{judged.path}/model.pt", weights_only=True, mmap=True)["w"].tolist() == [1, 1]
        assert {name: bool(judged.load(name) is not None) for name in files} == dict.fromkeys(files, True)
