"""PyTorch checkpoints (``torch.save``), zip and legacy, with ``weights_only=True`` unless the caller's policy differs.

Without ``weights_only`` torch would take any global; here its unpickler is still held to the scan's names.
TorchScript archives are refused: torch would hand them to its compiler.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Final

from modelsign.errors import error
from modelsign.guard.loader import Loader
from modelsign.guard.restricted import AcceptedGlobals, RestrictedUnpickler

if TYPE_CHECKING:
    from typing import Any, BinaryIO

    from modelsign.guard.loader import Judged

__all__ = ["LOADER"]

_ZIP_START: Final = b"PK\x03\x04"
_TORCHSCRIPT_MARK: Final = "constants.pkl"


def _restricted_module(accepted: AcceptedGlobals) -> SimpleNamespace:
    """Return what torch wants as ``pickle_module``: an ``Unpickler`` to subclass, and ``load``."""

    class Unpickler(RestrictedUnpickler):
        def __init__(self, file: BinaryIO, *, encoding: str = "ASCII") -> None:
            super().__init__(file, accepted, encoding=encoding)

    def load(file: BinaryIO, *, encoding: str = "ASCII") -> Any:
        return Unpickler(file, encoding=encoding).load()

    return SimpleNamespace(Unpickler=Unpickler, load=load, __name__="modelsign.guard.restricted")


def _refuse_torchscript(stream: BinaryIO, name: str) -> None:
    """Refuse what torch itself would take for TorchScript; asked of torch's own reader of zip files."""
    import torch  # noqa: PLC0415 - heavy, and optional

    if stream.read(len(_ZIP_START)) == _ZIP_START:
        stream.seek(0)
        records = torch._C.PyTorchFileReader(stream).get_all_records()  # noqa: SLF001 - torch decides by it too
        if _TORCHSCRIPT_MARK in records:
            raise error("LOAD_NO_LOADER", f"{name} is a TorchScript archive, which no loader takes")
    stream.seek(0)


def _load(judged: Judged) -> object:
    import torch  # noqa: PLC0415 - heavy, and optional

    with judged.stream() as stream:
        _refuse_torchscript(stream, judged.name)
        if judged.options.weights_only:
            return torch.load(stream, map_location=judged.options.device, weights_only=True)
        module = _restricted_module(AcceptedGlobals(judged.scan.globals, judged.name))
        return torch.load(stream, map_location=judged.options.device, weights_only=False, pickle_module=module)


LOADER: Final = Loader(
    id="torch",
    title="PyTorch checkpoint",
    description="Whatever torch.load gives: usually a state dict of tensors.",
    formats=("pytorch", "pytorch-legacy"),
    load=_load,
    libraries=("torch",),
    extra="torch",
)
