"""The rules of HDF5 files, for every format that lies in one."""

from __future__ import annotations

from typing import Final

from modelsign.scan import pickles
from modelsign.scan.rules import BROKEN, BUDGET
from modelsign.verdict import Outcome, Rule, Severity

__all__ = ["RULES"]

_SPECIFICATION: Final = "https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html"
EXTERNAL: Final = Rule(
    "hdf5-external-file",
    "the HDF5 file takes data from other files",
    Severity.HIGH,
    Outcome.UNSAFE,
    "An external link, a list of external data files or a virtual dataset names another file, which the library opens "
    "when the object is read: any file the loading process may read ends up among the weights.",
    "Do not load the file. Ask its author for one that holds all its data.",
    ("CVE-2026-1669", _SPECIFICATION),
)
USER_LINK: Final = Rule(
    "hdf5-user-link",
    "the HDF5 file has links of a class of its own",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "What such a link leads to is decided by a function that the loading program registers for its class.",
    "Find out which program wrote the file, and ask for one without such links.",
    (_SPECIFICATION,),
)
FILTER: Final = Rule(
    "hdf5-filter-plugin",
    "the HDF5 file needs a filter that the library does not have",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "The library looks for a plugin with the filter's number on the loading machine and loads it as native code.",
    "Write the file again with gzip, lzf or no compression.",
    ("https://support.hdfgroup.org/documentation/hdf5/latest/_h5_p_l__u_g.html",),
)
HIDDEN: Final = Rule(
    "hdf5-unusual-metadata",
    "the HDF5 file keeps metadata where a scan does not follow",
    Severity.MEDIUM,
    Outcome.INCOMPLETE,
    "A metadata cache image, a file driver's block or a table of shared messages holds what objects are, or replaces "
    "it. Files of models have none of these.",
    "Ask for a file that was written with the library's defaults.",
    (_SPECIFICATION,),
)
PICKLED: Final = Rule(
    "hdf5-pickled-objects",
    "a dataset holds pickled objects",
    Severity.HIGH,
    Outcome.UNVERIFIED,
    "PyTables and pandas store objects in such datasets as pickles and load them with `pickle.loads`. The numbers of "
    "datasets are not read, so these pickles were not judged.",
    "Store the table without object columns.",
    ("https://www.pytables.org/usersguide/libref/declarative_classes.html", "CWE-502"),
)
_OWN: Final = (EXTERNAL, USER_LINK, FILTER, HIDDEN, PICKLED)
RULES: Final = (*_OWN, BROKEN, BUDGET, *pickles.RULES)
"""All that reading an HDF5 file can report; attributes that PyTables would unpickle bring the rules of pickles."""
