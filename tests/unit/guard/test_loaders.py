"""Each loader gives what its library would give, and takes nothing the scan has not accepted."""

from __future__ import annotations

import collections
import io
import pickle
import subprocess
import sys
import zipfile

import pytest

from modelsign.errors import ModelsignError
from modelsign.guard.loaders import _index
from modelsign.guard.loaders.joblib import LOADER as JOBLIB
from modelsign.guard.loaders.numpy import LOADER as NUMPY
from modelsign.guard.loaders.pickle import LOADER as PICKLE
from modelsign.guard.loaders.safetensors import LOADER as SAFETENSORS
from modelsign.guard.loaders.torch import LOADER as TORCH

joblib = pytest.importorskip("joblib")
np = pytest.importorskip("numpy")
torch = pytest.importorskip("torch")
save_arrays = pytest.importorskip("safetensors.numpy").save
save_tensors = pytest.importorskip("safetensors.torch").save
load_iris = pytest.importorskip("sklearn.datasets").load_iris
LogisticRegression = pytest.importorskip("sklearn.linear_model").LogisticRegression

JOBLIB_NAMES = (
    "joblib.numpy_pickle.NumpyArrayWrapper",
    "numpy.ndarray",
    "numpy.dtype",
    "collections.OrderedDict",
    "numpy._core.multiarray._reconstruct",
    "numpy.core.multiarray._reconstruct",
    "numpy._core.numeric._frombuffer",
    "_codecs.encode",
)


def dumped(value: object, **options: object) -> bytes:
    stream = io.BytesIO()
    joblib.dump(value, stream, **options)
    return stream.getvalue()


def saved(value: object, **options: object) -> bytes:
    stream = io.BytesIO()
    torch.save(value, stream, **options)
    return stream.getvalue()


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


# --- every loader ------------------------------------------------------------------------


@pytest.mark.parametrize("member", _index.IDS)
def test_the_index_gives_each_loader_by_its_id(member):
    loader = _index.load(member)
    assert loader.id == member
    assert loader.formats
    assert loader.description.endswith(".")


def test_the_index_knows_no_other_loader():
    with pytest.raises(KeyError):
        _index.load("eval")


def test_no_library_is_imported_before_it_is_needed():
    heavy = "{'numpy', 'torch', 'joblib', 'safetensors'}"
    code = (
        "import sys; from modelsign.guard.loaders import _index; "
        f"[_index.load(i) for i in _index.IDS]; sys.exit(len({heavy} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- safetensors -------------------------------------------------------------------------


def test_safetensors_become_arrays(judged):
    arrays = {"w": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.zeros(2)}
    loaded = SAFETENSORS.load(judged(save_arrays(arrays), "m.safetensors"))
    assert {name: array.tolist() for name, array in loaded.items()} == {k: v.tolist() for k, v in arrays.items()}


def test_safetensors_become_tensors_if_asked(judged):
    tensors = {"w": torch.arange(4, dtype=torch.bfloat16)}
    loaded = SAFETENSORS.load(judged(save_tensors(tensors), "m.safetensors", framework="torch"))
    assert torch.equal(loaded["w"], tensors["w"])


def test_a_type_that_numpy_lacks_points_to_torch(judged):
    data = save_tensors({"w": torch.zeros(2, dtype=torch.float8_e4m3fn)})
    with pytest.raises(ModelsignError) as caught:
        SAFETENSORS.load(judged(data, "m.safetensors"))
    assert caught.value.code == "LOAD_FAILED"
    assert "framework='torch'" in caught.value.message


def test_broken_safetensors_fail_with_a_reason(judged):
    with pytest.raises(ModelsignError) as caught:
        SAFETENSORS.load(judged(b"\xff" * 20, "m.safetensors"))
    assert caught.value.code == "LOAD_FAILED"


# --- torch -------------------------------------------------------------------------------


@pytest.mark.parametrize("zipped", [True, False])
def test_torch_loads_a_state_dict_with_weights_only(judged, zipped):
    state = collections.OrderedDict(w=torch.arange(5.0))
    loaded = TORCH.load(judged(saved(state, _use_new_zipfile_serialization=zipped), "m.pt"))
    assert torch.equal(loaded["w"], state["w"])


@pytest.mark.parametrize("zipped", [True, False])
def test_torch_without_weights_only_is_still_held_to_the_scan(judged, zipped):
    data = saved({"w": torch.ones(2), "c": collections.Counter("ab")}, _use_new_zipfile_serialization=zipped)
    names = ("torch._utils._rebuild_tensor_v2", "torch.FloatStorage", "collections.OrderedDict")
    with pytest.raises(ModelsignError) as caught:
        TORCH.load(judged(data, "m.pt", accepted=names, weights_only=False))
    assert caught.value.code == "LOAD_GLOBAL_REFUSED"
    loaded = TORCH.load(judged(data, "m.pt", accepted=(*names, "collections.Counter"), weights_only=False))
    assert loaded["c"] == {"a": 1, "b": 1}
    assert torch.equal(loaded["w"], torch.ones(2))


def test_torch_with_weights_only_refuses_what_torch_refuses(judged):
    with pytest.raises(pickle.UnpicklingError):
        TORCH.load(judged(saved({"f": Unlisted()}), "m.pt", accepted=(f"{__name__}.Unlisted",)))


def test_torch_looks_at_the_bytes_and_not_at_the_name(judged):
    state = {"w": torch.ones(1)}
    assert torch.equal(TORCH.load(judged(saved(state), "m.safetensors"))["w"], state["w"])


def test_torchscript_is_refused(judged):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("m/constants.pkl", b"\x80\x02).")
        archive.writestr("m/data.pkl", b"\x80\x02}.")
        archive.writestr("m/version", b"3\n")
        archive.writestr("m/byteorder", b"little")
    for weights_only in (True, False):
        with pytest.raises(ModelsignError) as caught:
            TORCH.load(judged(stream.getvalue(), "m.pt", weights_only=weights_only))
        assert caught.value.code == "LOAD_NO_LOADER"


class Unlisted:
    """Stands for a class of an application."""


# --- pickle ------------------------------------------------------------------------------


def test_a_pickle_is_read_with_the_accepted_names(judged):
    value = {"c": collections.Counter("aab")}
    assert PICKLE.load(judged(pickle.dumps(value), accepted=("collections.Counter",))) == value


def test_a_pickle_that_would_run_a_command_runs_nothing(judged, payload):
    with pytest.raises(ModelsignError) as caught:
        PICKLE.load(judged(payload))
    assert caught.value.code == "LOAD_GLOBAL_REFUSED"
    assert caught.value.details["global"] == "os.system"


# --- joblib ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12.0).reshape(3, 4),
        np.asfortranarray(np.arange(12, dtype=np.int16).reshape(3, 4)),
        np.arange(4, dtype=">i4"),
        np.zeros((0, 3)),
        np.array(7.5),
    ],
    ids=["plain", "fortran", "big-endian", "empty", "scalar"],
)
def test_joblib_arrays_come_back_in_native_order(judged, array):
    loaded = JOBLIB.load(judged(dumped({"a": array, "n": [1, "x"]}), accepted=JOBLIB_NAMES))
    assert loaded["n"] == [1, "x"]
    assert loaded["a"].shape == array.shape
    assert loaded["a"].dtype.isnative
    assert np.array_equal(loaded["a"], array)


def test_joblib_arrays_of_objects_are_read_restricted(judged):
    array = np.array(["a", None, collections.Counter("b")], dtype=object)
    data = dumped([array, 5])
    with pytest.raises(ModelsignError) as caught:
        JOBLIB.load(judged(data, accepted=JOBLIB_NAMES))
    assert caught.value.code == "LOAD_GLOBAL_REFUSED"
    assert caught.value.details["global"] == "collections.Counter"
    loaded = JOBLIB.load(judged(data, accepted=(*JOBLIB_NAMES, "collections.Counter")))
    assert loaded[0].tolist() == array.tolist()
    assert loaded[1] == 5


def test_joblib_arrays_in_companion_files_are_refused(judged):
    names = ("joblib.numpy_pickle.NDArrayWrapper", "copyreg._reconstructor", "builtins.object", "numpy.ndarray")
    wrapper = joblib.numpy_pickle.NDArrayWrapper("secret.npy", np.ndarray)
    wrapper.__class__.__module__, kept = "joblib.numpy_pickle", wrapper.__class__.__module__
    try:
        data = pickle.dumps(wrapper, protocol=2)
    finally:
        wrapper.__class__.__module__ = kept
    with pytest.raises(ModelsignError) as caught:
        JOBLIB.load(judged(data, accepted=names))
    assert caught.value.code == "LOAD_FAILED"


def test_joblib_refuses_a_name_the_scan_has_not_listed(judged, payload):
    with pytest.raises(ModelsignError) as caught:
        JOBLIB.load(judged(payload, accepted=JOBLIB_NAMES))
    assert caught.value.code == "LOAD_GLOBAL_REFUSED"


def test_joblib_refuses_extension_codes(judged):
    with pytest.raises(ModelsignError) as caught:
        JOBLIB.load(judged(b"\x80\x02\x82\x7d.", accepted=JOBLIB_NAMES))
    assert caught.value.code == "LOAD_GLOBAL_REFUSED"


def test_a_cut_joblib_dump_fails(judged):
    data = dumped(np.arange(100.0))
    with pytest.raises((ValueError, EOFError)):
        JOBLIB.load(judged(data[:-50], accepted=JOBLIB_NAMES))


def test_joblib_and_pickle_share_a_format_and_never_a_file(judged):
    plain, arrays = judged(b"N.").scan, judged(b"N.", accepted=JOBLIB_NAMES).scan
    assert (PICKLE.suits(plain), JOBLIB.suits(plain)) == (True, False)
    assert (PICKLE.suits(arrays), JOBLIB.suits(arrays)) == (False, True)


def test_a_scikit_learn_model_predicts_the_same(judged):
    features, labels = load_iris(return_X_y=True)
    model = LogisticRegression(max_iter=500).fit(features, labels)
    names = (*JOBLIB_NAMES, "sklearn.linear_model._logistic.LogisticRegression")
    loaded = JOBLIB.load(judged(dumped(model), accepted=names))
    assert loaded.predict(features).tolist() == model.predict(features).tolist()


# --- numpy -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "array",
    [
        np.arange(10),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.zeros(3, dtype=[("x", "<i4"), ("y", "<f8")]),
        np.zeros(3, dtype=[("ü", "<i4")]),
    ],
    ids=["ints", "fortran", "fields", "unicode-fields"],
)
@pytest.mark.filterwarnings("ignore:Stored array in format:UserWarning")
def test_numpy_arrays_come_back(judged, array):
    loaded = NUMPY.load(judged(npy(array), "a.npy"))
    assert loaded.dtype == array.dtype
    assert np.array_equal(loaded, array)


def test_numpy_objects_are_read_restricted(judged):
    array = np.asfortranarray(np.array([[1, "b", None], [collections.Counter("a"), 3, 4]], dtype=object))
    names = (*JOBLIB_NAMES, "numpy._core.multiarray.scalar")
    with pytest.raises(ModelsignError) as caught:
        NUMPY.load(judged(npy(array), "a.npy", accepted=names))
    assert caught.value.code == "LOAD_GLOBAL_REFUSED"
    loaded = NUMPY.load(judged(npy(array), "a.npy", accepted=(*names, "collections.Counter")))
    assert loaded.tolist() == array.tolist()


def test_a_numpy_pickle_must_be_the_array_that_was_announced(judged):
    data = npy(np.array([None, None], dtype=object))
    header_end = data.index(b"\n") + 1
    for inner in (pickle.dumps([None, None]), pickle.dumps(np.zeros(2)), pickle.dumps(np.empty(3, dtype=object))):
        with pytest.raises(ModelsignError) as caught:
            NUMPY.load(judged(data[:header_end] + inner, "a.npy", accepted=JOBLIB_NAMES))
        assert caught.value.code == "LOAD_FAILED"


def test_numpy_archives_are_read_whole(judged):
    stream = io.BytesIO()
    np.savez_compressed(stream, a=np.arange(3), b=np.array([None, "x"], dtype=object))
    loaded = NUMPY.load(judged(stream.getvalue(), "a.npz", accepted=JOBLIB_NAMES))
    assert sorted(loaded) == ["a", "b"]
    assert loaded["a"].tolist() == [0, 1, 2]
    assert loaded["b"].tolist() == [None, "x"]


def test_numpy_archives_cannot_run_a_command(judged, payload):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        header = npy(np.array([None], dtype=object))
        archive.writestr("a.npy", header[: header.index(b"\n") + 1] + payload)
    with pytest.raises(ModelsignError) as caught:
        NUMPY.load(judged(stream.getvalue(), "a.npz", accepted=JOBLIB_NAMES))
    assert caught.value.code == "LOAD_GLOBAL_REFUSED"


@pytest.mark.parametrize("data", [b"", b"\x93NUMPY", b"\x93NUMPY\x09\x00", b"PK", b"PK\x03\x04rest"])
def test_broken_numpy_files_fail(judged, data):
    with pytest.raises((ValueError, zipfile.BadZipFile)):
        NUMPY.load(judged(data, "a.npy"))
