"""Plain pickles, importing exactly the names the scan accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign.guard.loader import Loader
from modelsign.guard.restricted import AcceptedGlobals, unpickle

if TYPE_CHECKING:
    from modelsign.guard.loader import Judged
    from modelsign.verdict import FileScan

__all__ = ["LOADER"]


def _load(judged: Judged) -> object:
    with judged.stream() as stream:
        return unpickle(stream, AcceptedGlobals(judged.scan.globals, judged.name))


def _suits(scan: FileScan) -> bool:
    return not any(name.startswith("joblib.") for name in scan.globals)


LOADER: Final = Loader(
    id="pickle",
    title="pickle",
    description="The first object of a pickle stream, with imports restricted to the names the scan accepted.",
    formats=("pickle",),
    load=_load,
    suits=_suits,
)
