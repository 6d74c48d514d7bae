"""OmegaConf: configurations as they stand in checkpoints, pickled and as YAML."""

from __future__ import annotations

import pathlib
import pickle
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MODULES = ("omegaconf",)


def _kinds() -> dict[str, Any]:
    plain = {"a": 1, "b": [1, 2.5, "x"], "c": {"d": None, "e": "${a}", "f": "???", "h": True}}
    held = OmegaConf.create(plain)
    OmegaConf.set_readonly(held, True)  # noqa: FBT003 - its signature
    OmegaConf.set_struct(held, True)  # noqa: FBT003 - its signature
    merged = OmegaConf.merge(OmegaConf.create(plain), OmegaConf.from_dotlist(["c.d=3", "x.y=[1,2]"]))
    return {
        "plain": OmegaConf.create(plain),
        "list": OmegaConf.create([1, {"a": 2}]),
        "held": held,
        "merged": merged,
        "path": OmegaConf.create({"path": pathlib.Path("a"), "bytes": b"x"}),
        "checkpoint": {"hyper_parameters": {"cfg": OmegaConf.create(plain), "lr": 0.1}, "epoch": 3},
    }


def files(chosen: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """Yield everything."""
    for name, made in _kinds().items():
        if not chosen(name):
            continue
        for protocol in (2, 3, 4, 5):
            yield f"{name}.p{protocol}.pkl", pickle.dumps(made, protocol)
        if OmegaConf.is_config(made) and name != "path":
            yield f"{name}.yaml", OmegaConf.to_yaml(made).encode()
