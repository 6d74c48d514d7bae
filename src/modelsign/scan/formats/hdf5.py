"""HDF5 files: what ``h5py``, Keras, PyTables and pandas write.

Every object that can be reached is looked at: links that lead into other files, numbers that lie in other files,
filters that are plugins, and what PyTables would unpickle. The numbers themselves are not read. A file with the
configuration of a Keras model is read as one. Follows the HDF5 File Format Specification 3.0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsign.scan.format import Format, Inspection, Magic
from modelsign.scan.hdf5.headers import SIGNATURE, find_superblock
from modelsign.scan.hdf5.rules import RULES
from modelsign.scan.hdf5.walk import hdf5_of

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["FORMAT"]


def _recognise(reading: Reading, name: str) -> bool:
    del name
    return find_superblock(reading) is not None


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    found = hdf5_of(reading)
    if found is None:
        return Inspection(readable=False)
    return Inspection(readable=True, findings=found.findings, globals=found.globals)


FORMAT = Format(
    id="hdf5",
    title="HDF5",
    description="Groups, attributes and arrays, as far as links, files and filters would lead a loader.",
    recognise=_recognise,
    scan=_scan,
    magic=(Magic(0, SIGNATURE),),
    extensions=(".h5", ".hdf5"),
    rules=RULES,
)
