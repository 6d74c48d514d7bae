"""Signing with an X.509 certificate: an authority says whose key it is, and the caller says whose it must be.

The bundle carries the signer's certificate and those between it and a root (OMS v1.0, section 4.1:
``x509CertificateChain``, leaf first). Whoever verifies names the roots and an identity; nothing in the bundle is
trusted beyond filling the gap. A certificate must have been valid, and not revoked, at a time by which the signature is
proven to have existed: that of a timestamp, or else now.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from modelsign import limits, timestamp
from modelsign.errors import ModelsignError, error
from modelsign.signing.bundle import write_bundle
from modelsign.signing.content import Content
from modelsign.signing.dsse import IN_TOTO, Envelope, pae, pae_of_v0_2
from modelsign.signing.keys import VerifyKey
from modelsign.signing.method import Method
from modelsign.signing.sealer import Sealed
from modelsign.signing.sigstore.log_entries import Verifier
from modelsign.signing.sigstore.proofs import Proofs, Subject, prove
from modelsign.signing.trust import BY_KEY, Vouch, refuse_legacy
from modelsign.signing.x509.certificates import Certificate
from modelsign.signing.x509.chain import check_chain, check_roots, check_usage, find_chains
from modelsign.signing.x509.identity import names_of
from modelsign.signing.x509.status import RevocationSources, check_revocation
from modelsign.signing.x509.times import StampTrust, verified_stamps
from modelsign.verdict import Signer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from modelsign.signing.bundle import Bundle
    from modelsign.signing.sealer import RawSigner
    from modelsign.signing.sigstore.proofs import ProofPolicy
    from modelsign.signing.sigstore.trust_root import TrustRoot
    from modelsign.signing.x509.chain import Chain
    from modelsign.signing.x509.identity import Identity
    from modelsign.signing.x509.times import Stamp

__all__ = ["METHOD", "CertificateSealer", "CertificateTrust"]

_KINDS: Final = ("certificate_chain", "certificate")
_NO_SOURCES: Final = RevocationSources()
_NO_STAMPS: Final = StampTrust()


class _Moment(NamedTuple):
    """A time by which the signature existed; ``proof`` None for the present and for what the caller says."""

    at: datetime
    proof: Literal["rfc3161", "transparency-log"] | None


@dataclass(frozen=True, slots=True)
class CertificateTrust:
    """Trusts whoever the roots certify to be the identity that was asked for.

    ``intermediates`` fill gaps and are not trusted themselves. ``assumed_time`` is a time at which the caller knows
    by other means that the signature existed; ``"issuance"`` takes the beginning of the certificate's own validity, as
    model-signing up to 1.1.1 did, so that certificates never expire. Both make the result insecure.

    ``root`` and ``proofs`` ask for entries in transparency logs and for timestamps by a Sigstore trust root as well,
    and ``timestamps_needed`` for so many different authorities of ``timestamps``. ``notes`` on that root belong to
    every answer.
    """

    roots: tuple[Certificate, ...]
    identity: Identity
    now: datetime
    intermediates: tuple[Certificate, ...] = ()
    revocation: RevocationSources = _NO_SOURCES
    timestamps: StampTrust = _NO_STAMPS
    timestamps_needed: int = 0
    assumed_time: datetime | Literal["issuance"] | None = None
    root: TrustRoot | None = None
    proofs: ProofPolicy | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse roots that are none.

        Raises:
            ModelsignError: ``NO_TRUST_SOURCE`` or ``CERTIFICATE_ROOT_UNUSABLE``.

        """
        check_roots(self.roots)

    @property
    def method(self) -> str:
        """The id of the signing method."""
        return "certificate"

    @property
    def id(self) -> str:
        """Everything that the certificate was asked to be, and all that was asked besides."""
        roots, clocks = (sorted(root.digest for root in roots) for roots in (self.roots, self.timestamps.roots))
        asked = (self.assumed_time, self.timestamps_needed, self.root and self.root.digest, self.proofs)
        whole = (self.identity, roots, clocks, asked, self.revocation.id)
        return hashlib.sha256(repr(whole).encode()).hexdigest()

    @property
    def label(self) -> str:
        """What messages call it."""
        return self.identity.label

    @property
    def single(self) -> bool:
        """Whether at most one identity can meet it."""
        return self.identity.exact

    def vouch(self, bundle: Bundle, *, allow_legacy: bool = False) -> Vouch:
        """Say whether somebody of that identity made the bundle's signature.

        Raises:
            ModelsignError: ``SIGNATURE_WRONG_KEY`` for a bundle without certificates, ``SIGNATURE_INVALID``,
                ``LEGACY_NOT_ALLOWED``, or ``CERTIFICATE_…``, ``CRL_…``, ``OCSP_…`` and ``REVOCATION_…``.

        """
        material = bundle.material
        pool, chains, name = self._recognised(bundle)
        leaf = chains[0][0]
        key = _leaf_key(leaf)
        v0_2 = _signed_as_v0_2(bundle, key, allow_legacy=allow_legacy)
        if not v0_2 and not key.accepts(pae(bundle.payload_type, bundle.payload), bundle.signature):
            raise error("SIGNATURE_INVALID", "the signature was not made by the key of the bundle's certificate")
        refuse_legacy(bundle, allow_legacy=allow_legacy)
        stamps, warnings = self._stamps(bundle)
        proven, notes = self._proven(bundle, leaf, key)
        moments = self._moments(leaf, stamps, proven)
        chain, more = self._standing(chains, moments, pool)
        first = moments[0] if moments[0].proof else None
        signer = replace(
            signer_of(leaf, key),
            identity=name.partition(":")[2],
            time=timestamp.write(first.at) if first else None,
            time_proof=first.proof if first else None,
            root=chain[-1].digest,
            logs=proven.logs,
            timestamps=(*(timestamp.write(stamp.time) for stamp in stamps), *proven.timestamps),
            insecure=self._insecure(),
        )
        oms = key.oms and material.kind == "certificate_chain"
        return Vouch(signer, oms, (*warnings, *notes, *more), v0_2=v0_2)

    def chains(self, bundle: Bundle) -> tuple[Chain, ...]:
        """Return the chains from a bundle's certificate to the roots, if it is one of the identity's; not yet judged.

        Raises:
            ModelsignError: ``SIGNATURE_WRONG_KEY`` or ``CERTIFICATE_…``.

        """
        return self._recognised(bundle)[1]

    def _recognised(self, bundle: Bundle) -> tuple[tuple[Certificate, ...], tuple[Chain, ...], str]:
        """Return the certificates between, the chains, and the name that was asked for."""
        material = bundle.material
        if material.kind not in _KINDS:
            raise error(
                "SIGNATURE_WRONG_KEY",
                "the bundle was signed with a bare key, not with a certificate",
                advice=BY_KEY,
            )
        if len(material.certificates) > limits.CHAIN_CERTIFICATES:
            raise error("CERTIFICATE_LIMIT", f"the bundle has more than {limits.CHAIN_CERTIFICATES} certificates")
        leaf, *others = map(Certificate, material.certificates)
        pool = (*self.intermediates, *others)
        chains = find_chains(leaf, roots=self.roots, intermediates=pool)
        return pool, chains, self.identity.match(leaf)

    def _stamps(self, bundle: Bundle) -> tuple[tuple[Stamp, ...], tuple[str, ...]]:
        """Return the timestamps by authorities whose roots were named."""
        if self.proofs is not None and not (self.timestamps.roots or self.timestamps_needed):
            return (), ()  # those of the trust root are asked for instead
        trusted = self.timestamps._replace(revocation=self.revocation)
        stamps, warnings = verified_stamps(bundle.material.timestamps, bundle.signature, trusted, self.now)
        found = len({stamp.authority for stamp in stamps})
        if found < self.timestamps_needed:
            raise error(
                "PROOFS_TOO_FEW",
                f"{found} different timestamp authorities confirm the signature; "
                f"{self.timestamps_needed} must: {'; '.join(warnings) or 'the bundle has no timestamp'}",
            )
        return stamps, warnings

    def _proven(self, bundle: Bundle, leaf: Certificate, key: VerifyKey) -> tuple[Proofs, tuple[str, ...]]:
        """Return what the services of a Sigstore trust root prove, where the caller asks for it."""
        if self.root is None or self.proofs is None:
            unused = ("the bundle's log entries were not looked at",) if bundle.material.tlog_entries else ()
            return Proofs(), unused
        content = Content.of_envelope(bundle.envelope)
        verifier = Verifier(leaf.der, key, certificate=True)
        material = bundle.material
        if self.timestamps.roots:  # these were verified already, by other roots
            material = material._replace(timestamps=())
        found = prove(Subject(material, bundle.version, content, verifier), self.root, self.proofs)
        return found, (*self.notes, *found.warnings)

    def _moments(self, leaf: Certificate, stamps: Sequence[Stamp], proven: Proofs) -> list[_Moment]:
        """Return the times at which the certificate may be judged, the best for the signer first.

        Each is one by which the signature existed, so that one is enough; more proof never makes it worse.
        """
        moments = [_Moment(stamp.time, "rfc3161") for stamp in stamps]
        moments += [_Moment(moment.time, moment.proof) for moment in proven.moments if moment.time <= self.now]
        moments.sort()
        if self.assumed_time is not None:
            at = leaf.not_before if self.assumed_time == "issuance" else self.assumed_time
            moments.append(_Moment(min(at, self.now), None))
        return [*moments, _Moment(self.now, None)]

    def _standing(
        self, chains: Sequence[Chain], moments: Sequence[_Moment], pool: Sequence[Certificate]
    ) -> tuple[Chain, tuple[str, ...]]:
        """Return the first chain that is good at the first possible moment; raise the first fault if there is none."""
        faults: list[ModelsignError] = []
        for moment in moments:
            # That the certificate was issued says nothing of when it was used: then only the present counts.
            guessed = moment.proof is None and self.assumed_time == "issuance"
            at = self.now if guessed else moment.at
            for chain in chains:
                try:
                    check_chain(chain, moment.at)
                    notes = check_revocation(chain, self.revocation, at=at, now=self.now, intermediates=pool)
                except ModelsignError as fault:
                    faults.append(fault)
                else:
                    return chain, notes
        raise faults[0]

    def _insecure(self) -> tuple[str, ...]:
        found = ["insecure_any_identity"] if self.identity.kind is None else []
        if self.assumed_time is not None:
            found.append("insecure_certificate_time")
        return tuple(found)


class CertificateSealer:
    """Signs with a private key, wherever it is kept, in the name of its certificate."""

    method = "certificate"

    def __init__(
        self,
        key: RawSigner,
        certificate: Certificate,
        chain: Sequence[Certificate] = (),
        *,
        now: datetime,
    ) -> None:
        """Take the key, its certificate, and the authorities between it and a root.

        What no verifier would accept is not signed with.

        Raises:
            ModelsignError: ``CERTIFICATE_KEY_MISMATCH``, ``CERTIFICATE_CHAIN_UNRELATED``, or a reason why nobody would
                accept the certificate.

        """
        leaf_key = _leaf_key(certificate)
        if leaf_key.digest != key.public.digest:
            raise error("CERTIFICATE_KEY_MISMATCH", f"the certificate of {certificate.subject_text} is for another key")
        check_usage(certificate)
        ordered = _in_order(certificate, chain)
        if not certificate.not_before <= now <= certificate.not_after:
            raise error(
                "CERTIFICATE_EXPIRED" if now > certificate.not_after else "CERTIFICATE_NOT_YET_VALID",
                f"the certificate of {certificate.subject_text} is valid from {certificate.not_before.isoformat()} "
                f"to {certificate.not_after.isoformat()}",
                advice="Get a new certificate before you sign.",
            )
        self._key = key
        self._leaf = certificate
        self._chain = ordered

    @property
    def public(self) -> VerifyKey:
        """The other half of the key that will sign."""
        return self._key.public

    @property
    def key_digest(self) -> str:
        """The digest of the key that will sign."""
        return self.public.digest

    def seal(self, payload_type: str, payload: bytes) -> Sealed:
        """Sign a payload and return the bundle.

        Raises:
            ModelsignError: a reason of wherever the key is kept.

        """
        signature = self._key.sign(pae(payload_type, payload))
        chain = tuple(entry.der for entry in (self._leaf, *self._chain))
        bundle = write_bundle(Envelope(payload_type, payload, signature), chain=chain)
        return Sealed(bundle, signer_of(self._leaf, self._key.public), self._key.public.oms)


def signer_of(leaf: Certificate, key: VerifyKey) -> Signer:
    """Describe the owner of a certificate, by the first of its names."""
    names = names_of(leaf)
    return Signer(
        method="certificate",
        algorithm=key.algorithm,
        key_digest=key.digest,
        identity=names[0].partition(":")[2] if names else leaf.subject_text,
        issuer=leaf.issuer_text,
        subject=leaf.subject_text,
        names=names,
        not_before=timestamp.write(leaf.not_before),
    )


def _leaf_key(leaf: Certificate) -> VerifyKey:
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415 - as everywhere

    try:
        return VerifyKey(leaf.public_key)
    except ModelsignError as fault:
        weak = isinstance(leaf.public_key, rsa.RSAPublicKey)
        raise error(
            "CERTIFICATE_WEAK" if weak else "CERTIFICATE_UNSUPPORTED",
            f"the certificate of {leaf.subject_text}: {fault.message}",
        ) from None


def _in_order(leaf: Certificate, chain: Sequence[Certificate]) -> tuple[Certificate, ...]:
    """Return the authorities from the leaf upward, roots left out: nobody trusts one that comes with a signature."""
    left = [entry for entry in dict.fromkeys(chain) if entry != leaf]
    ordered = [leaf]
    while True:
        above = next((entry for entry in left if _issued(ordered[-1], entry)), None)
        if above is None:
            break
        left.remove(above)
        ordered.append(above)
    if left:
        raise error(
            "CERTIFICATE_CHAIN_UNRELATED",
            f"the certificate of {left[0].subject_text} is not above that of {leaf.subject_text}",
        )
    return tuple(entry for entry in ordered[1:] if not entry.self_signed())


def _issued(subject: Certificate, issuer: Certificate) -> bool:
    return subject.may_be_issued_by(issuer) and subject.check_issued_by(issuer)


def _signed_as_v0_2(bundle: Bundle, key: VerifyKey, *, allow_legacy: bool) -> bool:
    """Say whether the signature is over the encoding of model-signing 0.2.0, by SHA-256 as it always was there."""
    return (
        allow_legacy
        and bundle.legacy
        and bundle.material.kind == "certificate_chain"
        and bundle.payload_type == IN_TOTO
        and key.accepts(pae_of_v0_2(bundle.payload), bundle.signature, hash_name="sha256")
    )


METHOD = Method(
    id="certificate",
    title="X.509 certificate",
    description="A private key signs in the name of its certificate; whoever verifies names roots and an identity.",
    kinds=_KINDS,
)
