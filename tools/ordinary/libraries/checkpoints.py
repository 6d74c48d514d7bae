"""What training scripts keep beside weights: arguments, counters, dates, generators, results, functions by name.

Left out are lambdas and hooks, which cannot be pickled or are a script's own, and modules that ``torch.compile`` made.
"""

from __future__ import annotations

import argparse
import collections
import datetime as dt
import decimal
import functools
import io
import pathlib
import pickle
import random
import types
import uuid
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MODULES = ("torch", "numpy")
_FUNCTIONS = (
    "relu", "tanh", "sigmoid", "softmax", "sin", "exp", "matmul", "cat", "mean", "abs", "nn.functional.gelu",
    "nn.functional.silu", "nn.functional.leaky_relu", "nn.functional.cross_entropy", "nn.init.xavier_uniform_",
    "nn.init.kaiming_normal_", "nn.ReLU", "nn.GELU", "nn.LayerNorm", "nn.BatchNorm2d", "nn.Identity", "optim.Adam",
    "optim.lr_scheduler.StepLR",
)  # fmt: skip


def _trained() -> tuple[Any, Any]:
    layer = torch.nn.Linear(2, 2)
    optimizer = torch.optim.AdamW(layer.parameters())
    layer(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    return layer, optimizer


def _named() -> dict[str, Any]:
    found = {}
    for name in _FUNCTIONS:
        one: Any = torch
        for part in name.split("."):
            one = getattr(one, part)
        found[f"function-{name}"] = {"activation": one}
    return found


def _results() -> dict[str, Any]:
    square = torch.eye(3)
    return {
        "maxima": torch.max(square, 0),
        "sorted": torch.sort(square),
        "top": torch.topk(square, 2),
        "decomposed": torch.linalg.svd(square),
        "storage": [torch.ones(2).storage(), square],
        "numpy": {"loss": np.float64(0.1), "step": np.int64(3), "flag": np.bool_(1), "names": np.array(["a"])},
        "arrays": {"model": {"weight": np.ones((2, 2), np.float32)}, "__author__": "x", "matching_heuristics": True},
    }


def _kept() -> dict[str, Any]:
    layer, optimizer = _trained()
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=5)
    factors = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _: 1.0)
    arguments = argparse.Namespace(lr=0.1, out=pathlib.Path("x"), device=torch.device("cuda:0"), milestones=[1, 2])
    scaler = torch.cuda.amp.GradScaler(enabled=False)
    whole = {
        "epoch": 3,
        "state_dict": layer.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scheduler": schedule.state_dict(),
        "lambda": factors.state_dict(),
        "scaler": scaler.state_dict(),
        "args": arguments,
    }
    averaged = torch.optim.swa_utils.AveragedModel(layer)
    return {
        "imagenet": {**whole, "arch": "resnet18", "best_acc1": torch.tensor(3.0)},
        "fairseq": {
            "args": arguments,
            "model": layer.state_dict(),
            "extra_state": {"epoch": 1},
            "optimizer_history": [],
        },
        "detectron": {"model": layer.state_dict(), "iteration": 9, "__author__": "x"},
        "mmcv": {"meta": {"CLASSES": ("a", "b"), "time": "x", "env_info": "y"}, "state_dict": layer.state_dict()},
        "random": {
            "python": random.getstate(),
            "numpy": np.random.get_state(),  # noqa: NPY002 - as is kept
            "cpu": torch.random.get_rng_state(),
            "generators": [np.random.default_rng(0), np.random.RandomState(0), random.Random(3)],  # noqa: S311
        },
        "dates": [dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc), dt.timedelta(1)],  # noqa: UP017
        "values": [
            decimal.Decimal("1.5"),
            uuid.uuid4(),
            1 + 2j,
            ...,
            range(3),
            slice(1, 2),
            b"x",
            bytearray(b"y"),
            int,
        ],
        "containers": {
            "ordered": collections.OrderedDict(a=1),
            "lists": collections.defaultdict(list, {1: [2]}),
            "counts": [collections.Counter("aab"), collections.defaultdict(int), collections.deque([1], 3)],
            "sets": [{1}, frozenset([1])],
            "names": types.SimpleNamespace(a=1),
        },
        "averaged": {"ema": averaged.state_dict(), "shadow": layer.state_dict()},
        "averaged-whole": averaged,
        "scaler-whole": scaler,
        "loader": torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.ones(4)), 2, shuffle=True),
        "splits": torch.utils.data.random_split(torch.utils.data.TensorDataset(torch.ones(4)), [2, 2]),
        "partials": [functools.partial(torch.nn.LayerNorm, eps=1e-6), functools.partial(torch.nn.functional.elu)],
        "parameters": [torch.nn.Parameter(torch.ones(1)), torch.nn.ParameterList([torch.nn.Parameter(torch.ones(1))])],
        "errors": [ValueError("x"), UserWarning("y")],
    }


def files(chosen: Callable[[str], bool]) -> Iterator[tuple[str, bytes | str]]:
    """Yield everything as torch.save writes it, and pickled."""
    torch.manual_seed(0)
    for name, value in {**_kept(), **_results(), **_named()}.items():
        if not chosen(name):
            continue
        for protocol in (2, 4):
            file = io.BytesIO()
            try:
                torch.save(value, file, pickle_protocol=protocol)
                yield f"{name}.p{protocol}.pt", file.getvalue()
                yield f"{name}.p{protocol}.pkl", pickle.dumps(value, protocol)
            except (RuntimeError, TypeError, AttributeError, pickle.PicklingError) as fault:
                yield f"{name}.p{protocol}.pt", f"{type(fault).__name__}: {str(fault)[:100]}"
