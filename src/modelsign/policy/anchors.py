"""What the caller gives to anchor trust: public keys, Sigstore trust roots, certificate roots, revocation lists.

Each is read once, when the policy is bound, and known by its digest from then on. Trust in keys and identities is made
of them for one time, the check's own; nothing here looks at a clock, an environment or a network.
"""

# ruff: noqa: PLC0415
# cryptography and each signing method are imported only where a policy uses them.

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from modelsign import files, limits
from modelsign.errors import ModelsignError, error
from modelsign.policy.identities import from_value
from modelsign.policy.screening import CertificateScreen, KeylessScreen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from modelsign.policy.rule import ParameterType
    from modelsign.policy.signers import Claimant
    from modelsign.signing.bundle import Bundle
    from modelsign.signing.keys import VerifyKey
    from modelsign.signing.sigstore.proofs import ProofPolicy
    from modelsign.signing.sigstore.trust_root import TrustRoot
    from modelsign.signing.trust import Trust, Vouch
    from modelsign.signing.x509.certificates import Certificate
    from modelsign.signing.x509.status import RevocationSources

__all__ = ["ABSENT", "Anchors", "BoundTrust", "make_trust", "read_anchor"]

ABSENT: Final = "absent"
"""The value of a revocation list, or of what says whether certificates stand, that is not where the caller said."""
_MAY_BE_ABSENT: Final = frozenset({"certificate-status", "revocation-list"})


class Anchors(NamedTuple):
    """Everything that was read, by digest: what :data:`~modelsign.policy.rule.ParameterType` says of each type."""

    keys: Mapping[str, VerifyKey] = {}
    trust_roots: Mapping[str, TrustRoot] = {}
    certificates: Mapping[str, Certificate] = {}
    statuses: Mapping[str, RevocationSources | None] = {}
    lists: Mapping[str, bytes | None] = {}


def read_anchor(name: str, kind: ParameterType, item: object) -> Mapping[str, Any]:
    """Read one value of the parameter ``name``: a path, bytes, or what was read already. Return it by its digest.

    Raises:
        ModelsignError: ``PARAMETER_INVALID``, and what reading a file raises.

    """
    what, most, read = _READERS[kind]
    if kind in _MAY_BE_ABSENT and isinstance(item, (str, os.PathLike)) and not os.path.lexists(item):
        return {ABSENT: None}
    if isinstance(item, (str, os.PathLike)):
        item = files.read_bounded(item, most, what=f"{what} for parameter {name}")
    try:
        found = read(item)
    except ModelsignError as fault:
        raise error("PARAMETER_INVALID", f"the parameter {name}: {fault.message}", advice=fault.advice) from None
    if not found:
        message = f"the parameter {name} takes a {what}: a path or its bytes, not {type(item).__name__}"
        raise error("PARAMETER_INVALID", message)
    return found


def _keys(item: object) -> dict[str, VerifyKey]:
    from modelsign.signing import keys

    key = keys.load_public_key(item) if isinstance(item, bytes) else item
    return {key.digest: key} if isinstance(key, keys.VerifyKey) else {}


def _trust_roots(item: object) -> dict[str, TrustRoot]:
    from modelsign.signing.sigstore.trust_root import TrustRoot, parse_trust_root

    root = parse_trust_root(item) if isinstance(item, bytes) else item
    return {root.digest: root} if isinstance(root, TrustRoot) else {}


def _certificates(item: object) -> dict[str, Certificate]:
    from modelsign.signing.x509.certificates import Certificate, load_certificates
    from modelsign.signing.x509.chain import check_roots

    found = load_certificates(item) if isinstance(item, bytes) else (item,)
    roots = tuple(certificate for certificate in found if isinstance(certificate, Certificate))
    if roots:
        check_roots(roots)
    return {certificate.digest: certificate for certificate in roots}


def _statuses(item: object) -> dict[str, RevocationSources]:
    """Read a file of certificate revocation lists, or an OCSP response."""
    from modelsign.signing.x509.crl import load_revocation_lists
    from modelsign.signing.x509.ocsp import load_ocsp_response
    from modelsign.signing.x509.status import RevocationSources

    if not isinstance(item, bytes):
        return {}
    digest = hashlib.sha256(item).hexdigest()
    try:
        return {digest: RevocationSources(lists=load_revocation_lists(item))}
    except ModelsignError as fault:
        try:
            return {digest: RevocationSources(answers=(load_ocsp_response(item),))}
        except ModelsignError:
            raise fault from None


def _lists(item: object) -> dict[str, bytes]:
    return {hashlib.sha256(item).hexdigest(): item} if isinstance(item, bytes) else {}


_READERS: Final[Mapping[ParameterType, tuple[str, int, Callable[[object], Mapping[str, object]]]]] = {
    "keys": ("public key", limits.KEY_BYTES, _keys),
    "trust-root": ("Sigstore trust root", limits.TRUST_ROOT_BYTES, _trust_roots),
    "certificate-roots": ("file of root certificates", limits.CERTIFICATE_FILE_BYTES, _certificates),
    "certificate-status": ("CRL or OCSP response", limits.CRL_BYTES, _statuses),
    "revocation-list": ("revocation list", limits.REVOCATION_BYTES, _lists),
}


class BoundTrust(NamedTuple):
    """A trust under the id by which the policy's rules know it; ``screen`` looks at what a bundle claims first."""

    id: str
    trust: Trust
    screen: KeylessScreen | CertificateScreen | None = None

    @property
    def method(self) -> str:
        """The id of the signing method."""
        return self.trust.method

    @property
    def label(self) -> str:
        """What messages call it."""
        return self.trust.label

    @property
    def single(self) -> bool:
        """Whether at most one distinct signer can meet it."""
        return self.trust.single

    def vouch(self, bundle: Bundle, *, allow_legacy: bool = False) -> Vouch:
        """Say who of those trusted made the bundle's signature.

        Raises:
            ModelsignError: whatever the trust raises, or ``CERTIFICATE_IDENTITY_MISMATCH``.

        """
        if self.screen is not None:
            self.screen.check(bundle)
        return self.trust.vouch(bundle, allow_legacy=allow_legacy)


def make_trust(claimant: Claimant, anchors: Anchors, now: datetime, *, any_hint: bool) -> BoundTrust:
    """Make the trust that a rule means; ``any_hint`` as for :class:`~modelsign.signing.methods.key.KeyTrust`."""
    make = {"key": _key_trust, "keyless": _keyless_trust, "certificate": _certificate_trust}[claimant.kind]
    screen: KeylessScreen | CertificateScreen | None = None
    if claimant.kind != "key":
        identity = from_value(claimant.value)
        screen = KeylessScreen(identity) if claimant.kind == "keyless" else CertificateScreen(identity)
    return BoundTrust(claimant.id, make(claimant, anchors, now, any_hint=any_hint), screen)


def _key_trust(claimant: Claimant, anchors: Anchors, now: datetime, *, any_hint: bool) -> Trust:
    from modelsign.signing.methods.key import KeyTrust

    del now  # a bare key has no time
    key = anchors.keys[claimant.value]
    if claimant.trust_root is None:
        return KeyTrust(key, any_hint)
    return KeyTrust(key, any_hint, anchors.trust_roots[claimant.trust_root], _proofs(claimant))


def _keyless_trust(claimant: Claimant, anchors: Anchors, now: datetime, *, any_hint: bool) -> Trust:
    from modelsign.signing.methods.keyless import KeylessTrust

    del now, any_hint  # the times are those that were proven, and a certificate is no hint
    root = anchors.trust_roots[claimant.trust_root or ""]
    identity = from_value(claimant.value)
    claims = dict(identity.claims or {})
    return KeylessTrust(root, identity.name_matcher, identity.issuer_matcher, claims, _proofs(claimant))


def _certificate_trust(claimant: Claimant, anchors: Anchors, now: datetime, *, any_hint: bool) -> Trust:
    from modelsign.signing.methods.certificate import CertificateTrust
    from modelsign.signing.x509.times import StampTrust

    del any_hint  # a certificate is no hint
    root = None if claimant.trust_root is None else anchors.trust_roots[claimant.trust_root]
    stamps = tuple(anchors.certificates[digest] for digest in claimant.timestamp_roots)
    return CertificateTrust(
        tuple(anchors.certificates[digest] for digest in claimant.roots),
        from_value(claimant.value).certificate_identity,
        now,
        revocation=_sources(claimant, anchors),
        timestamps=StampTrust(stamps),
        timestamps_needed=claimant.timestamps if stamps else 0,
        root=root,
        proofs=_proofs(claimant)._replace(times=0, timestamps=0 if stamps else claimant.timestamps) if root else None,
    )


def _sources(claimant: Claimant, anchors: Anchors) -> RevocationSources:
    """Put together what says whether certificates stand; where a rule asks for it, silence is a refusal."""
    from modelsign.signing.x509.status import RevocationSources

    if claimant.status is None:
        return RevocationSources()
    found = [source for digest in claimant.status if (source := anchors.statuses.get(digest)) is not None]
    lists = tuple(entry for source in found for entry in source.lists)
    return RevocationSources(lists, tuple(answer for source in found for answer in source.answers), required=True)


def _proofs(claimant: Claimant) -> ProofPolicy:
    from modelsign.signing.sigstore.proofs import ProofPolicy

    return ProofPolicy(logs=claimant.logs, timestamps=claimant.timestamps, times=claimant.times)
