"""Lets others confirm a signature: timestamp authorities say when it existed, transparency logs keep it for ever.

Timestamps come first, all of them; only then is a log written to, because that cannot be taken back. A signature by a
key or certificate stays what it is: the bundle names the key by its hint as ever (Sigstore's managed-key form) and
holds what was added.
"""

# ruff: noqa: PLC0415
# cryptography costs more to import than everything else on the way to a verdict.

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING, NamedTuple, cast

from modelsign import limits, strictjson
from modelsign.errors import error
from modelsign.signing.bundle import parse_bundle
from modelsign.signing.content import Content
from modelsign.signing.sigstore.log_entries import Verifier, check_entry
from modelsign.signing.sigstore.services.rekor import check_loggable, write_entry
from modelsign.signing.sigstore.services.timestamp_authority import request_timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.signing.bundle import Bundle
    from modelsign.signing.dsse import Envelope
    from modelsign.signing.keys import VerifyKey
    from modelsign.signing.sealer import Sealed, Sealer
    from modelsign.signing.sigstore.services.rekor import Log
    from modelsign.transport import Transport

__all__ = ["WitnessedSealer", "Witnesses"]


class Witnesses(NamedTuple):
    """Who confirms a signature: URLs of timestamp authorities, and logs."""

    transport: Transport
    timestamp_authorities: tuple[str, ...] = ()
    logs: tuple[Log, ...] = ()

    def check_key(self, key: VerifyKey) -> None:
        """Refuse a key whose signatures one of the logs does not take.

        Raises:
            ModelsignError: ``LOG_KEY_UNSUPPORTED``.

        """
        for log in self.logs:
            check_loggable(log, key)

    def stamp(self, signature: bytes) -> tuple[bytes, ...]:
        """Return a timestamp of each authority over a signature: RFC 3161 responses, DER.

        Raises:
            ModelsignError: see :func:`~modelsign.signing.sigstore.services.timestamp_authority.request_timestamp`.

        """
        return tuple(request_timestamp(self.transport, url, signature) for url in self.timestamp_authorities)

    def log(self, envelope: Envelope, verifier: Verifier) -> tuple[Mapping[str, object], ...]:
        """Write an envelope into each log and return the entries in the JSON form of bundles; this is for ever.

        Raises:
            ModelsignError: see :func:`~modelsign.signing.sigstore.services.rekor.write_entry`.

        """
        return tuple(write_entry(self.transport, log, Content.of_envelope(envelope), verifier) for log in self.logs)


class WitnessedSealer(NamedTuple):
    """Signs as another sealer does, and adds what the witnesses say.

    ``key`` is the public key of a sealer whose bundles name it by a hint only. Whether timestamps and logs are trusted
    is for whoever verifies; that an entry is about this signature is checked.
    """

    inner: Sealer
    witnesses: Witnesses
    key: VerifyKey | None = None

    @property
    def method(self) -> str:
        """The id of the signing method."""
        return self.inner.method

    @property
    def key_digest(self) -> str | None:
        """The digest of the key that will sign."""
        return self.inner.key_digest

    def seal(self, payload_type: str, payload: bytes) -> Sealed:
        """Sign a payload of a type, let it be confirmed, and return the bundle.

        Raises:
            ModelsignError: ``LOG_KEY_UNSUPPORTED``, ``LOG_ENTRY_MISMATCH``, or a reason of the sealer or a witness.

        """
        if self.key is not None:
            self.witnesses.check_key(self.key)
        sealed = self.inner.seal(payload_type, payload)
        bundle = parse_bundle(sealed.bundle)
        verifier = self._verifier(bundle)
        self.witnesses.check_key(verifier.key)
        stamps = self.witnesses.stamp(bundle.signature)
        entries = self.witnesses.log(bundle.envelope, verifier)
        data = _with_confirmations(sealed.bundle, stamps, entries)
        for entry in parse_bundle(data).material.tlog_entries:
            check_entry(entry, Content.of_envelope(bundle.envelope), verifier)
        return sealed._replace(bundle=data)

    def _verifier(self, bundle: Bundle) -> Verifier:
        from cryptography import x509

        from modelsign.signing.keys import VerifyKey

        if bundle.material.certificates:
            leaf = bundle.material.certificates[0]
            return Verifier(leaf, VerifyKey(x509.load_der_x509_certificate(leaf).public_key()), certificate=True)
        if self.key is None:
            raise error("LOG_KEY_UNSUPPORTED", "the key that signed is not known, and a log asks for it")
        return Verifier(self.key.der, self.key, certificate=False)


def _with_confirmations(data: bytes, stamps: tuple[bytes, ...], entries: tuple[Mapping[str, object], ...]) -> bytes:
    """Return a bundle of our own with timestamps and log entries in the places that are for them."""
    document = strictjson.loads(data, most_bytes=limits.BUNDLE_BYTES, what="bundle", code="BUNDLE_MALFORMED")
    material = cast("dict[str, dict[str, object]]", document)["verificationMaterial"]
    material["tlogEntries"] = list(entries)
    if stamps:
        encoded = [binascii.b2a_base64(stamp, newline=False).decode("ascii") for stamp in stamps]
        material["timestampVerificationData"] = {"rfc3161Timestamps": [{"signedTimestamp": stamp} for stamp in encoded]}
    return strictjson.canonical(document)
