"""Flax: variables and training states in MessagePack, with every type of number of JAX."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax import serialization

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MODULES = ("flax", "jax")


class _Model(nn.Module):
    @nn.compact
    def __call__(self, images: Any) -> Any:
        kept = nn.relu(nn.Conv(4, (3, 3))(images))
        return nn.Dense(3)(nn.BatchNorm(use_running_average=True)(kept.reshape((kept.shape[0], -1))))


def files(chosen: Callable[[str], bool]) -> Iterator[tuple[str, bytes | str]]:
    """Yield everything."""
    variables = _Model().init(jax.random.key(0), jnp.ones((1, 8, 8, 1)))
    yield "flax_model.msgpack", serialization.to_bytes(variables)
    state = {"params": variables, "step": 3, "other": [1, 2.5, None, True, "s", b"b", 1 + 2j]}
    yield "state.msgpack", serialization.msgpack_serialize(serialization.to_state_dict(state))
    names = "float32 float16 bfloat16 float8_e4m3fn float8_e5m2 int8 int16 int32 uint8 uint16 uint32 bool complex64"
    for name in filter(chosen, names.split()):
        try:
            yield f"{name}.msgpack", serialization.to_bytes({"a": jnp.zeros((2, 2), name)})
        except (TypeError, ValueError) as fault:
            yield f"{name}.msgpack", f"{type(fault).__name__}: {fault}"
