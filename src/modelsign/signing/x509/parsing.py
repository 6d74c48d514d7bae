"""How X.509 structures are parsed: strictly, and with every complaint of the parser turned into one reason.

``cryptography`` still reads some of what RFC 5280 forbids (serial numbers that are not positive, names too long) and
only warns. Here a warning is a refusal. Filters of warnings belong to the whole process, hence the lock. A panic of
the Rust below (rfc3161-client unwraps what OpenSSL may refuse) is no ``Exception``, and is answered here too.
"""

# ruff: noqa: PLC0415
# cryptography costs more to import than everything else on the way to a verdict.

from __future__ import annotations

import contextlib
import threading
import warnings
from typing import TYPE_CHECKING, Final

from modelsign.errors import error

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["check_whole", "parsing"]

_FILTERS: Final = threading.RLock()
_SHOWN: Final = 200


@contextlib.contextmanager
def parsing(what: str, code: str) -> Iterator[None]:
    """Raise the reason ``code`` for anything that parsing in this context complains of.

    Raises:
        ModelsignError: ``code``, or what was raised within.

    """
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        with _Panics(what, code), _FILTERS, warnings.catch_warnings():
            warnings.simplefilter("error")
            yield
    except (
        ValueError,
        TypeError,
        OverflowError,
        Warning,
        UnsupportedAlgorithm,
        x509.InvalidVersion,
        x509.DuplicateExtension,
        x509.UnsupportedGeneralNameType,
    ) as fault:
        raise error(code, f"{what} cannot be read: {str(fault)[:_SHOWN]}") from None


def check_whole(rest: bytes, signature: bytes) -> None:
    """Refuse a signature that says that bits of its last byte are unused: one document would have two encodings.

    ``rest`` is the DER of the signed document from somewhere before the BIT STRING of the signature on. Its count of
    unused bits (X.690, section 8.6.2.2) is the byte before ``signature``, and the parsers pass over it.

    Raises:
        ValueError: some bits are unused.

    """
    if rest[rest.find(signature) - 1]:
        message = "its signature is no whole number of bytes"
        raise ValueError(message)


class _Panics:
    """Turns a panic of a Rust extension (PyO3) into a reason; its class is private to each extension."""

    def __init__(self, what: str, code: str) -> None:
        self._what, self._code = what, code

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: object) -> None:
        if kind is not None and kind.__module__ == "pyo3_runtime":
            raise error(self._code, f"{self._what} cannot be read: {str(fault)[:_SHOWN]}") from None
