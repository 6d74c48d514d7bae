"""Large model files of the kinds people have, made on the fly, each in a process of its own.

A child's peak memory starts at its parent's, so whatever makes the inputs must not live in the process that measures.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

MIB = 1 << 20


def frame(path: Path) -> None:
    """A DataFrame of 1 M rows with object columns."""
    import pandas as pd  # noqa: PLC0415 - heavy, and only to make the input

    rows = range(1_000_000)
    data = pd.DataFrame(
        {
            "name": pd.Series([f"row {number}" for number in rows], dtype=object),
            "group": pd.Series([f"group {number % 1000}" for number in rows], dtype=object),
            "number": pd.Series(list(rows), dtype=object),
            "value": [number / 7 for number in rows],
        }
    )
    path.write_bytes(pickle.dumps(data, protocol=4))


def objects(path: Path) -> None:
    """A list of 2 M small objects."""
    makers = (
        lambda number: {"id": number, "name": f"n{number}"},
        lambda number: (number, f"t{number}", number / 3),
        lambda number: f"text {number}",
        lambda number: [number, None, True],
    )
    path.write_bytes(pickle.dumps([makers[number % 4](number) for number in range(2_000_000)], protocol=4))


def tensors(path: Path) -> None:
    """The ``data.pkl`` of a state dict with 20,000 tensors."""
    import torch  # noqa: PLC0415 - heavy, and only to make the input

    archive = path.with_suffix(".archive")
    torch.save({f"layer.{number}.weight": torch.zeros(2, 2) for number in range(20_000)}, archive)
    with zipfile.ZipFile(archive) as opened:
        name = next(name for name in opened.namelist() if name.endswith("data.pkl"))
        path.write_bytes(opened.read(name))
    archive.unlink()


def many_tensors(path: Path) -> None:
    """A PyTorch archive of 20,000 small tensors: as many members."""
    import torch  # noqa: PLC0415 - heavy, and only to make the input

    torch.save({f"layer.{number}.weight": torch.zeros(2, 2) for number in range(20_000)}, path)


def torch_archive(path: Path) -> None:
    """A PyTorch archive of 300 MB."""
    import torch  # noqa: PLC0415 - heavy, and only to make the input

    torch.save({f"layer.{number}.weight": torch.rand(1024, 1024) for number in range(75)}, path)


def arrays(path: Path) -> None:
    """128 arrays of 8 MB in one pickle, 1 GB together."""
    import numpy as np  # noqa: PLC0415 - heavy, and only to make the input

    made = np.random.default_rng(1)
    path.write_bytes(pickle.dumps([made.random(MIB) for _ in range(128)], protocol=4))


def joblib_arrays(path: Path) -> None:
    """128 arrays of 8 MB as joblib writes them, 1 GB together."""
    import joblib  # noqa: PLC0415 - only to make the input
    import numpy as np  # noqa: PLC0415 - heavy, and only to make the input

    made = np.random.default_rng(1)
    joblib.dump([made.random(MIB) for _ in range(128)], path)


def forest(path: Path) -> None:
    """A fitted random forest of 300 trees."""
    from sklearn.datasets import make_classification  # noqa: PLC0415 - heavy, and only to make the input
    from sklearn.ensemble import RandomForestClassifier  # noqa: PLC0415

    x, y = make_classification(n_samples=1000, n_features=20, random_state=1)
    path.write_bytes(pickle.dumps(RandomForestClassifier(n_estimators=300, random_state=1).fit(x, y), protocol=4))


def keras(path: Path) -> None:
    """A Keras archive with 100 MB of weights in HDF5; Keras itself is not needed."""
    import h5py  # noqa: PLC0415 - only to make the input
    import keras_files  # noqa: PLC0415 - found beside the tests
    import numpy as np  # noqa: PLC0415 - heavy, and only to make the input

    weights = path.with_suffix(".weights")
    with h5py.File(weights, "w") as file:
        for number in range(50):
            file[f"layers/dense_{number}/vars/0"] = np.random.default_rng(number).random((512, 512))
    layers = keras_files.sequential(*[keras_files.dense()] * 50)
    path.write_bytes(keras_files.keras(layers, {"model.weights.h5": weights.read_bytes()}))
    weights.unlink()


def onnx(path: Path) -> None:
    """An ONNX graph of 1,000 nodes with 100 MB of tensors."""
    import numpy as np  # noqa: PLC0415 - heavy, and only to make the input
    from onnx import TensorProto, helper, numpy_helper, save  # noqa: PLC0415 - only to make the input

    kept = [numpy_helper.from_array(np.zeros((1024, 256), np.float32), f"w{number}") for number in range(100)]
    nodes = [helper.make_node("Relu", [f"x{number}"], [f"x{number + 1}"]) for number in range(1000)]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x0", "x1000")]
    save(helper.make_model(helper.make_graph(nodes, "g", ends[:1], ends[1:], kept)), path)


def safetensors(path: Path) -> None:
    """A safetensors file of 300 MB with 1,000 tensors."""
    import numpy as np  # noqa: PLC0415 - heavy, and only to make the input
    from safetensors.numpy import save_file  # noqa: PLC0415 - only to make the input

    save_file({f"layer.{number}": np.zeros((300, 256), np.float32) for number in range(1000)}, path)


def tiny(path: Path) -> None:
    """Nothing to speak of: what a scanner needs for it is its start."""
    path.write_bytes(pickle.dumps([1], protocol=4))


def make(name: str, path: Path) -> None:
    """Make an input in a process of its own."""
    support = Path(__file__).resolve().parents[2] / "tests/support"
    code = f"import sys, pathlib; sys.path.append(sys.argv[2]); import inputs; inputs.{name}(pathlib.Path(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", code, str(path), str(support)], check=True, cwd=Path(__file__).parent)
