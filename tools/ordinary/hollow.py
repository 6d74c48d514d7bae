"""Makes models of any size that take no room: each weight is one number, seen in the shape of the whole.

Used by the generators of ``libraries``, which run in whatever Python has PyTorch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["hollow"]


def hollow(make: Callable[[], Any]) -> Any:
    """Return the module that ``make`` makes, without the room for its weights."""
    try:
        with torch.device("meta"):
            whole = make()
    except (NotImplementedError, RuntimeError):  # it looks into its weights as it is made
        whole = make()
    for module in whole.modules():
        for holder in (vars(module)["_parameters"], vars(module)["_buffers"]):
            for name, kept in holder.items():
                if kept is not None:
                    holder[name] = _seen(kept)
    return whole


def _seen(kept: Any) -> Any:
    seen = torch.zeros((), dtype=kept.dtype).expand(kept.shape)
    return torch.nn.Parameter(seen, kept.requires_grad) if isinstance(kept, torch.nn.Parameter) else seen
