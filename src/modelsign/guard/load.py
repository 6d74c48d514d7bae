"""``modelsign.load(path, policy=…)``: judge a private copy of a model, then load the very bytes that were judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsign import limits
from modelsign.guard.verified import verified

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from typing import Literal

    from modelsign.guard.verified import Stage
    from modelsign.policy.document import Policy
    from modelsign.policy.parameters import Value

__all__ = ["load"]


def load(  # noqa: PLR0913 - every choice has a name at the call
    path: str | os.PathLike[str],
    *,
    policy: str | os.PathLike[str] | Policy | None = None,
    parameters: Mapping[str, Value | Sequence[Value]] | None = None,
    file: str | None = None,
    framework: Literal["numpy", "torch"] = "numpy",
    device: str = "cpu",
    insecure_unverified: bool = False,
    bundles: Sequence[str | os.PathLike[str]] = (),
    attestations: Sequence[str | os.PathLike[str]] = (),
    opinions: Sequence[str] = (),
    ignore_paths: Sequence[str] = (),
    allow_symlinks: bool = False,
    link_roots: Sequence[str] = (),
    now: datetime | None = None,
    most_bytes: int = limits.SNAPSHOT_BYTES,
    progress: Callable[[Stage], None] | None = None,
    sandbox: bool = True,
) -> object:
    """Load a model if a trust policy allows it, from the very bytes that were judged.

    The scan's reading picks the loader: safetensors (arrays, or tensors with ``framework="torch"``), PyTorch
    checkpoints (``weights_only``, unless the policy's ``load`` section says otherwise), joblib and pickle (importing
    exactly the names the scan accepted), NumPy.
    ``file`` names the file to load where the model holds several. Nothing is loaded on DENY or UNDECIDED.

    ``most_bytes`` bounds the private copy, which lies in memory. ``sandbox=False`` scans in this process.
    ``insecure_unverified`` also hands over a file that the policy accepts and the scan calls ``unverified``.

    Raises:
        ModelsignError: see :func:`modelsign.guard.verified.verified` and ``VerifiedModel.load``.

    """
    with verified(
        path,
        policy=policy,
        parameters=parameters,
        bundles=bundles,
        attestations=attestations,
        opinions=opinions,
        ignore_paths=ignore_paths,
        allow_symlinks=allow_symlinks,
        link_roots=link_roots,
        now=now,
        most_bytes=most_bytes,
        progress=progress,
        sandbox=sandbox,
    ) as model:
        return model.load(
            file,
            framework=framework,
            device=device,
            insecure_unverified=insecure_unverified,
        )
