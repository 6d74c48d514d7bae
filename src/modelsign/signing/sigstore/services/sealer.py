"""Signs with an identity: a key of the moment, a certificate for it, timestamps, a log entry, one bundle.

Whatever can fail is done before anything is public that need not be: token and configuration are looked at before
Fulcio is asked, certificate, its publication and timestamps are verified before the log is written to, and the finished
bundle is verified as anybody would before it is handed out. The key is never written down.
"""

# ruff: noqa: PLC0415
# cryptography costs more to import than everything else on the way to a verdict.

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from modelsign.errors import ModelsignError, error
from modelsign.signing.bundle import parse_bundle, write_bundle
from modelsign.signing.dsse import Envelope, pae
from modelsign.signing.methods.keyless import KeylessTrust
from modelsign.signing.sealer import Sealed
from modelsign.signing.sigstore.fulcio_certificate import find_issuer, read_signing_certificate
from modelsign.signing.sigstore.identities import exactly
from modelsign.signing.sigstore.log_entries import Verifier
from modelsign.signing.sigstore.proofs import ProofPolicy
from modelsign.signing.sigstore.sct import verify_sct
from modelsign.signing.sigstore.services.fulcio import request_certificate
from modelsign.signing.sigstore.services.witnesses import Witnesses
from modelsign.signing.sigstore.timestamps import verify_timestamps

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from modelsign.signing.sigstore.fulcio_certificate import SigningCertificate
    from modelsign.signing.sigstore.services.signing_config import Services
    from modelsign.signing.sigstore.services.tokens import Token
    from modelsign.signing.sigstore.trust_root import TrustRoot
    from modelsign.signing.trust import Vouch
    from modelsign.transport import Transport

__all__ = ["KeylessSealer"]


class KeylessSealer(NamedTuple):
    """Signs with the identity of a token, by the services of one Sigstore.

    ``token`` is asked for when a payload is there to sign, because tokens live for minutes. ``clock`` says what time it
    is, in UTC.
    """

    root: TrustRoot
    services: Services
    transport: Transport
    token: Callable[[], Token]
    clock: Callable[[], datetime]
    method: str = "keyless"

    @property
    def key_digest(self) -> None:
        """None: each signature has a key of its own."""
        return

    def seal(self, payload_type: str, payload: bytes) -> Sealed:
        """Sign a payload, publish the signature, and return the bundle.

        Raises:
            ModelsignError: ``SEALED_NOT_VERIFIED``, ``TRUST_ROOT_LACKS_SERVICE``, or a reason of the token, the
                services or the verification.

        """
        from cryptography.hazmat.primitives.asymmetric import ec

        from modelsign.signing.keys import SigningKey

        self._check_root()
        token = self.token()
        token.check_time(self.clock())
        private = ec.generate_private_key(ec.SECP256R1())
        key = SigningKey(private)
        issued = request_certificate(self.transport, self.services.authority, token.raw, private)
        leaf = self._checked(issued.certificate)
        envelope = Envelope(payload_type, payload, key.sign(pae(payload_type, payload)))
        witnesses = Witnesses(self.transport, self.services.timestamp_authorities, self.services.logs)
        stamps = witnesses.stamp(envelope.signature)
        verify_timestamps(stamps, envelope.signature, self.root.timestamp_authorities)
        entries = witnesses.log(envelope, Verifier(issued.certificate, key.public, certificate=True))
        data = write_bundle(envelope, certificate=issued.certificate, tlog_entries=entries, timestamps=stamps)
        vouch = self._verified(data, leaf)
        return Sealed(data, vouch.signer, vouch.oms)

    def _check_root(self) -> None:
        """Refuse, before anything is sent, services whose work the trust root cannot verify now."""
        now = self.clock()
        for what, members, wanted in (
            ("transparency log", self.root.tlogs, True),
            ("certificate log", self.root.ctlogs, True),
            ("certificate authority", self.root.authorities, True),
            ("timestamp authority", self.root.timestamp_authorities, bool(self.services.timestamp_authorities)),
        ):
            if wanted and not any(member.window.holds(now) for member in members):
                raise error("TRUST_ROOT_LACKS_SERVICE", f"the trust root has no {what} that is trusted now")

    def _checked(self, der: bytes) -> SigningCertificate:
        leaf = read_signing_certificate(der)
        begins = leaf.certificate.not_valid_before_utc
        issuer = find_issuer(leaf.certificate, self.root.authorities, [max(begins, self.clock())])
        verify_sct(leaf.certificate, issuer, self.root.ctlogs)
        return leaf

    def _verified(self, data: bytes, leaf: SigningCertificate) -> Vouch:
        policy = ProofPolicy(logs=len(self.services.logs), timestamps=len(self.services.timestamp_authorities))
        try:
            trust = KeylessTrust(self.root, exactly(leaf.name), exactly(leaf.issuer or ""), {}, policy)
            return trust.vouch(parse_bundle(data))
        except ModelsignError as fault:
            raise error(
                "SEALED_NOT_VERIFIED",
                f"the bundle that was made does not verify: {fault.message}",
                details={"reason": fault.code},
            ) from None
