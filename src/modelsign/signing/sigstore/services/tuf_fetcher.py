"""Lets python-tuf fetch over this project's transport.

Imported only where an update is wanted, for python-tuf comes with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tuf.api.exceptions import DownloadError, DownloadHTTPError
from tuf.ngclient.fetcher import FetcherInterface

from modelsign import limits
from modelsign.errors import ModelsignError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsign.transport import Transport

__all__ = ["TransportFetcher"]

_ABSENT: Final = frozenset({403, 404})
"""How repositories say that there is no such file; the next root metadata is looked for so."""


class TransportFetcher(FetcherInterface):
    """Fetches files, and keeps the transport's refusal in ``fault``, which python-tuf would lose."""

    def __init__(self, transport: Transport) -> None:
        """Take the way to the network."""
        super().__init__()
        self.fault: ModelsignError | None = None
        self._transport = transport

    def _fetch(self, url: str) -> Iterator[bytes]:
        try:
            answer = self._transport.send(
                "GET", url, what="TUF repository", most_bytes=limits.TRUST_ROOT_BYTES, expected=_ABSENT
            )
        except ModelsignError as fault:
            self.fault = fault
            raise DownloadError(fault.message) from None
        if answer.status in _ABSENT:
            message = f"the repository has no {url}"
            raise DownloadHTTPError(message, answer.status)
        return iter((answer.body,))
