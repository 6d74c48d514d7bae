"""An unpickler that imports exactly the names the scan found in the same bytes, and no other.

The scan decides what a pickle may do; this holds the loader to it. It does not judge names itself, never maps
Python 2 names behind the scan's back, and never answers persistent ids.

CPython's unpickler asks ``find_class`` for every GLOBAL, STACK_GLOBAL and INST. Extension codes
(``copyreg.add_extension``) may be answered from a cache instead, so the scan never calls them clean.
"""

from __future__ import annotations

import _compat_pickle
import pickle
from typing import TYPE_CHECKING

from modelsign.errors import error

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, BinaryIO

    from modelsign.errors import ModelsignError

__all__ = ["AcceptedGlobals", "RestrictedUnpickler", "python3_name", "unpickle"]


def python3_name(module: str, name: str) -> tuple[str, str]:
    """Return the Python 3 name of what a Python 2 pickle calls ``module.name``, as CPython maps it."""
    if (module, name) in _compat_pickle.NAME_MAPPING:
        return _compat_pickle.NAME_MAPPING[(module, name)]
    return _compat_pickle.IMPORT_MAPPING.get(module, module), name


class AcceptedGlobals:
    """The names one pickle may import, as ``module.qualname``."""

    def __init__(self, accepted: Iterable[str], file: str) -> None:
        """Take the scan's names, and the file's name for messages."""
        self._accepted = frozenset(accepted)
        self._file = file

    def resolve(self, module: str, name: str) -> tuple[str, str]:
        """Return the module and name to import.

        The scan lists Python 3 names, so a Python 2 name is mapped here, once, and the mapped name must be listed.

        Raises:
            ModelsignError: ``LOAD_GLOBAL_REFUSED``.

        """
        for candidate in ((module, name), python3_name(module, name)):
            if ".".join(candidate) in self._accepted:
                return candidate
        raise self.refusal(f"{module}.{name}")

    def refusal(self, what: str) -> ModelsignError:
        """Return the refusal of one name."""
        return error(
            "LOAD_GLOBAL_REFUSED",
            f"{self._file} asked for {what}, which the scan had not listed",
            details={"file": self._file, "global": what},
        )


class RestrictedUnpickler(pickle.Unpickler):
    """CPython's own unpickler, held to the accepted names.

    ``fix_imports`` is off, so nothing is renamed after the check.
    """

    def __init__(self, file: BinaryIO, accepted: AcceptedGlobals, *, encoding: str = "ASCII") -> None:
        """Take the stream and the names; ``encoding`` is for strings that Python 2 wrote."""
        super().__init__(file, fix_imports=False, encoding=encoding)
        self._accepted_globals = accepted

    def find_class(self, module: str, name: str) -> Any:
        """Import one accepted name.

        Raises:
            ModelsignError: ``LOAD_GLOBAL_REFUSED``.

        """
        return super().find_class(*self._accepted_globals.resolve(module, name))


def unpickle(file: BinaryIO, accepted: AcceptedGlobals) -> object:
    """Read one pickle from a stream, importing accepted names alone.

    Raises:
        ModelsignError: ``LOAD_GLOBAL_REFUSED``.

    """
    return RestrictedUnpickler(file, accepted).load()
