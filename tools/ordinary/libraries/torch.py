"""PyTorch: state dicts, checkpoints, modules, optimizers and schedulers saved whole, in both forms; TorchScript.

Left out are modules that torch.fx traced, because what is saved of them is Python source.
"""

from __future__ import annotations

import argparse
import collections
import importlib
import inspect
import io
import pickle
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MODULES = ("torch",)
_ARGUMENTS: list[tuple[Any, ...]] = [
    (), (3,), (3, 3), (4, 2), (3, 3, 3), (4, 2, 1), (2, 2, 2, 2), (8, 20, [4, 10]), ((2, 2),), ((2, 2), (1, 1)),
]  # fmt: skip
_SCHEDULERS: dict[str, dict[str, Any]] = {
    "StepLR": {"step_size": 2},
    "MultiStepLR": {"milestones": [1, 2]},
    "ConstantLR": {},
    "LinearLR": {},
    "ExponentialLR": {"gamma": 0.9},
    "CosineAnnealingLR": {"T_max": 3},
    "PolynomialLR": {},
    "CyclicLR": {"base_lr": 0.1, "max_lr": 0.2},
    "CosineAnnealingWarmRestarts": {"T_0": 2},
    "OneCycleLR": {"max_lr": 0.1, "total_steps": 5},
    "ReduceLROnPlateau": {},
}


def _forms(name: str, value: Any) -> Iterator[tuple[str, bytes | str]]:
    """Yield a value as ``torch.save`` writes it, as an archive and as the stream before."""
    for form, as_archive in (("zip", True), ("legacy", False)):
        file = io.BytesIO()
        try:
            torch.save(value, file, _use_new_zipfile_serialization=as_archive)
        except (RuntimeError, TypeError, AttributeError, KeyError, pickle.PicklingError, NotImplementedError) as fault:
            yield f"{name}.{form}.pt", f"{type(fault).__name__}: {fault}"
        else:
            yield f"{name}.{form}.pt", file.getvalue()


def _constructed() -> Iterator[tuple[str, Any]]:
    """Yield every module that takes simple arguments."""
    for name, cls in sorted(vars(torch.nn).items()):
        if not (inspect.isclass(cls) and issubclass(cls, torch.nn.Module)):
            continue
        for arguments in _ARGUMENTS:
            try:
                yield name, cls(*arguments)
            except (TypeError, ValueError, AssertionError, NotImplementedError, IndexError, RuntimeError):
                continue
            break


def _composed() -> dict[str, Any]:
    nn = torch.nn
    layer = nn.TransformerEncoderLayer(4, 2, activation=nn.functional.gelu)
    pruned = nn.Linear(4, 4)
    importlib.import_module("torch.nn.utils.prune").l1_unstructured(pruned, "weight", 0.5)
    normed = nn.utils.parametrizations
    return {
        "FractionalMaxPool2d": nn.FractionalMaxPool2d(3, output_size=2),
        "TransformerEncoder": nn.TransformerEncoder(layer, 2),
        "Transformer": nn.Transformer(4, 2, 1, 1, 8),
        "mlp": nn.Sequential(nn.Linear(4, 4), nn.GELU(), nn.LayerNorm(4), nn.Dropout(0.1)),
        "cnn": nn.Sequential(nn.Conv2d(1, 2, 3, padding_mode="reflect"), nn.BatchNorm2d(2), nn.ReLU(inplace=True)),
        "lstm": nn.LSTM(3, 3, 2, bidirectional=True, dropout=0.1),
        "weight-norm-before": nn.utils.weight_norm(nn.Linear(4, 4)),
        "spectral-norm-before": nn.utils.spectral_norm(nn.Linear(4, 4)),
        "spectral-norm": normed.spectral_norm(nn.Linear(4, 4)),
        "orthogonal": normed.orthogonal(nn.Linear(4, 4)),
        "pruned": pruned,
        "DataParallel": nn.DataParallel(nn.Linear(2, 2)),
        "bfloat16": nn.Linear(2, 2).bfloat16(),
        "averaged": torch.optim.swa_utils.AveragedModel(nn.Linear(2, 2)),
    }


def _modules(chosen: Callable[[str], bool]) -> Iterator[tuple[str, bytes | str]]:
    for name, module in [*_constructed(), *_composed().items()]:
        if not chosen(name):
            continue
        yield from _forms(f"module-{name}", module)
        yield from _forms(f"state-{name}", module.state_dict())
        file = io.BytesIO()
        try:
            torch.jit.save(torch.jit.script(module), file)
        except Exception as fault:  # noqa: BLE001 - the compiler raises whatever it likes; it is told
            yield f"script-{name}.pt", f"{type(fault).__name__}: {str(fault)[:100]}"
        else:
            yield f"script-{name}.pt", file.getvalue()


def _tensors() -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, kind in sorted(vars(torch).items()):
        if isinstance(kind, torch.dtype):
            try:
                made[f"dtype-{name}"] = torch.empty(2, 3, dtype=kind)
            except (RuntimeError, TypeError, NotImplementedError):
                continue
    noted = torch.ones(2)
    noted.note = {"shard": 1}  # type: ignore[attr-defined] # as training code does
    eye = torch.eye(4)
    made |= {
        "sparse": [eye.to_sparse(), eye.to_sparse_csr()],
        "quantised": torch.quantize_per_tensor(eye, 0.1, 0, torch.qint8),
        "view": torch.arange(10)[2:5],
        "transposed": eye.t(),
        "conjugate": torch.ones(2, dtype=torch.complex64).conj(),
        "gradient": torch.ones(2, requires_grad=True),
        "channels-last": torch.ones(1, 2, 3, 3).to(memory_format=torch.channels_last),
        "parameter": torch.nn.Parameter(eye),
        "with-attributes": noted,
        "names": [torch.Size([1]), torch.device("cpu"), torch.float32, torch.strided],
        "random-state": torch.random.get_rng_state(),
        "packed": torch.nn.utils.rnn.pack_sequence([torch.ones(3), torch.ones(2)]),
        "numpy": {"a": np.ones(3), "b": np.float32(3.0), "state": np.random.get_state()},  # noqa: NPY002 - as is kept
        "tree": {"args": argparse.Namespace(lr=0.1), "order": collections.OrderedDict(a=1), "path": Path("a")},
        "dataset": torch.utils.data.Subset(torch.utils.data.TensorDataset(torch.ones(4)), [0]),
        "distribution": torch.distributions.Normal(torch.zeros(1), torch.ones(1)),
    }
    return made


def _training(chosen: Callable[[str], bool]) -> Iterator[tuple[str, bytes | str]]:
    """Yield optimizers after a step and schedulers: whole, their state, and checkpoints with them."""
    for name, cls in sorted(vars(torch.optim).items()):
        if name == "Optimizer" or not (inspect.isclass(cls) and issubclass(cls, torch.optim.Optimizer)):
            continue
        if chosen(name):
            layer: Any = torch.nn.Linear(4, 4, bias=name != "Muon")
            sample = torch.ones(3, 4)
            if name == "SparseAdam":
                layer, sample = torch.nn.Embedding(4, 4, sparse=True), torch.tensor([1])
            optimizer = cls(list(layer.parameters()), **({"lr": 0.1} if name == "SGD" else {}))
            layer(sample).sum().backward()
            optimizer.step(lambda layer=layer, sample=sample: layer(sample).sum())
            state = {"epoch": 3, "model": layer.state_dict(), "optimizer": optimizer.state_dict()}
            yield from _forms(f"optimizer-{name}", optimizer)
            yield from _forms(f"checkpoint-{name}", state | {"args": argparse.Namespace(lr=0.1), "best": float("inf")})
    for name, arguments in _SCHEDULERS.items():
        if chosen(name) and hasattr(torch.optim.lr_scheduler, name):
            layer = torch.nn.Linear(4, 4)
            optimizer = torch.optim.SGD(layer.parameters(), lr=0.1, momentum=0.9)
            scheduler = getattr(torch.optim.lr_scheduler, name)(optimizer, **arguments)
            yield from _forms(f"scheduler-{name}", scheduler)
            yield from _forms(f"scheduler-state-{name}", {"model": layer, "scheduler": scheduler.state_dict()})


def _traced() -> Iterator[tuple[str, bytes]]:
    nn = torch.nn
    subjects = {
        "mlp": (nn.Sequential(nn.Linear(4, 4), nn.GELU(), nn.LayerNorm(4), nn.Softmax(-1)), torch.ones(1, 4)),
        "cnn": (nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten()), torch.ones(1, 1, 5, 5)),
        "lstm": (nn.LSTM(4, 4), torch.ones(3, 1, 4)),
        "encoder": (nn.TransformerEncoderLayer(4, 2), torch.ones(3, 1, 4)),
    }
    for name, (module, sample) in subjects.items():
        traced = torch.jit.trace(module.eval(), sample, check_trace=False)
        for form, made in (("traced", traced), ("frozen", torch.jit.freeze(traced))):
            file = io.BytesIO()
            torch.jit.save(made, file)
            yield f"{form}-{name}.pt", file.getvalue()


def files(chosen: Callable[[str], bool]) -> Iterator[tuple[str, bytes | Path | str]]:
    """Yield everything, and what a distributed checkpoint says of itself."""
    torch.manual_seed(0)
    yield from _modules(chosen)
    for name, value in _tensors().items():
        if chosen(name):
            yield from _forms(f"value-{name}", value)
            try:
                yield f"value-{name}.pkl", pickle.dumps(value)
            except (TypeError, KeyError, RuntimeError, NotImplementedError) as fault:
                yield f"value-{name}.pkl", f"{type(fault).__name__}: {fault}"
    yield from _training(chosen)
    yield from _traced()
    try:
        save = importlib.import_module("torch.distributed.checkpoint").save
    except (ImportError, AttributeError) as fault:
        yield "distributed.metadata", f"{type(fault).__name__}: {fault}"
        return
    with tempfile.TemporaryDirectory() as scratch:
        save({"model": torch.nn.Linear(2, 2).state_dict()}, checkpoint_id=scratch)
        yield "distributed.metadata", (Path(scratch) / ".metadata").read_bytes()
