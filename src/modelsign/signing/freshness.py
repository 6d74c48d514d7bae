"""Whether a revocation list is the present one, as far as that can be told without asking anybody.

Never asks a clock.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from modelsign import timestamp
from modelsign.errors import error

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["CLOCK_SKEW", "Dated", "check_freshness"]

CLOCK_SKEW: Final = timedelta(minutes=5)
"""What clocks may differ by before a time counts as one of the future."""


class Dated(Protocol):
    """A list that was verified."""

    @property
    def version(self) -> int:
        """A number that only grows."""
        ...

    @property
    def issued(self) -> datetime:
        """When it was made."""
        ...

    @property
    def expires(self) -> datetime:
        """From when on it counts for nothing."""
        ...


def check_freshness(
    revocations: Dated, *, now: datetime, max_age: timedelta | None = None, least_version: int | None = None
) -> None:
    """Refuse a list that is not the present one, as far as that can be told.

    Raises:
        ModelsignError: ``REVOCATION_LIST_ROLLED_BACK``, ``REVOCATION_LIST_FROM_THE_FUTURE``,
            ``REVOCATION_LIST_EXPIRED`` or ``REVOCATION_LIST_STALE``.

    """
    issued, expires = timestamp.write(revocations.issued), timestamp.write(revocations.expires)
    if least_version is not None and revocations.version < least_version:
        raise error(
            "REVOCATION_LIST_ROLLED_BACK",
            f"the revocation list has version {revocations.version}, and version {least_version} is known",
        )
    if revocations.issued - now > CLOCK_SKEW:
        raise error("REVOCATION_LIST_FROM_THE_FUTURE", f"the revocation list was issued at {issued}")
    if now >= revocations.expires:
        raise error("REVOCATION_LIST_EXPIRED", f"the revocation list expired at {expires}")
    if max_age is not None and now - revocations.issued > max_age:
        raise error("REVOCATION_LIST_STALE", f"the revocation list was issued at {issued}, longer ago than is accepted")
