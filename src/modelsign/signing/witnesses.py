"""Lets others confirm a signature: timestamp authorities say when it existed, transparency logs keep it for ever.

Timestamps come first, all of them; only then is a log written to, because that cannot be taken back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from modelsign.signing.rekor import check_loggable, write_entry
from modelsign.signing.timestamp_authority import request_timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.signing.dsse import Envelope
    from modelsign.signing.keys import VerifyKey
    from modelsign.signing.rekor import Log, Verifier
    from modelsign.transport import Transport

__all__ = ["Confirmed", "Witnesses"]


class Confirmed(NamedTuple):
    """What the witnesses said: RFC 3161 responses (DER), and log entries in the JSON form of bundles."""

    timestamps: tuple[bytes, ...] = ()
    tlog_entries: tuple[Mapping[str, object], ...] = ()


class Witnesses(NamedTuple):
    """Who confirms a signature: URLs of timestamp authorities, and logs."""

    transport: Transport
    timestamp_authorities: tuple[str, ...] = ()
    logs: tuple[Log, ...] = ()

    def check_key(self, key: VerifyKey) -> None:
        """Refuse, before anything is signed, a key whose signatures one of the logs does not take.

        Raises:
            ModelsignError: ``LOG_KEY_UNSUPPORTED``.

        """
        for log in self.logs:
            check_loggable(log, key)

    def stamp(self, signature: bytes) -> tuple[bytes, ...]:
        """Return a timestamp of each authority over a signature.

        Raises:
            ModelsignError: see :func:`~modelsign.signing.timestamp_authority.request_timestamp`.

        """
        return tuple(request_timestamp(self.transport, url, signature) for url in self.timestamp_authorities)

    def confirm(self, envelope: Envelope, verifier: Verifier) -> Confirmed:
        """Return every confirmation of an envelope's signature.

        Raises:
            ModelsignError: see :meth:`stamp` and :func:`~modelsign.signing.rekor.write_entry`.

        """
        self.check_key(verifier.key)
        stamps = self.stamp(envelope.signature)
        return Confirmed(stamps, tuple(write_entry(self.transport, log, envelope, verifier) for log in self.logs))
