"""Signing with an identity: Sigstore's authority certifies a key for minutes, and logs and clocks remember it.

Verification trusts a Sigstore trust root, one identity and one issuer that the caller names; what stands in the bundle
is only compared. The order: the signature over the raw bytes, the proofs of time and publication, the certificate at
every proven time, its own publication, and then who it names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from modelsign import limits, timestamp
from modelsign.errors import error
from modelsign.signing.content import Content
from modelsign.signing.method import Method
from modelsign.signing.sigstore.fulcio_certificate import find_issuer, read_signing_certificate
from modelsign.signing.sigstore.log_entries import Verifier
from modelsign.signing.sigstore.proofs import ProofPolicy, Subject, prove
from modelsign.signing.sigstore.sct import verify_sct
from modelsign.signing.trust import BY_KEY, Vouch, refuse_legacy
from modelsign.signing.x509.certificates import Certificate
from modelsign.verdict import Signer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.signing.bundle import Bundle, Material
    from modelsign.signing.sigstore.fulcio_certificate import SigningCertificate
    from modelsign.signing.sigstore.identities import Matcher
    from modelsign.signing.sigstore.proofs import Proofs
    from modelsign.signing.sigstore.trust_root import TrustRoot

__all__ = ["METHOD", "KeylessTrust"]

_KINDS = ("certificate", "certificate_chain")
_OF_THE_SOURCE = frozenset(
    {
        "github_workflow_repository",
        "github_workflow_sha",
        "source_repository_digest",
        "source_repository_identifier",
        "source_repository_owner_identifier",
        "source_repository_owner_uri",
        "source_repository_uri",
    }
)
"""Claims that say which repository, or whose, called a workflow."""


class KeylessTrust(NamedTuple):
    """Trusts one identity, or those that match, confirmed by one issuer, by the services of one trust root.

    ``claims`` are demanded exactly, by their names in :mod:`~modelsign.signing.sigstore.fulcio_claims`. ``notes`` are
    what has to be said of the trust root with every answer, such as its age.
    """

    root: TrustRoot
    identity: Matcher
    issuer: Matcher
    claims: Mapping[str, str]
    policy: ProofPolicy = ProofPolicy()
    notes: tuple[str, ...] = ()
    method: str = "keyless"

    @property
    def id(self) -> str:
        """Everything that the identity is asked to be, and the trust root's digest."""
        claims = "\n".join(f"{name}={value}" for name, value in sorted(self.claims.items()))
        return f"keyless\n{self.root.digest}\n{self.identity}\n{self.issuer}\n{claims}\n{self.policy}"

    @property
    def label(self) -> str:
        """What messages call it."""
        return f"{self.identity} of {self.issuer}"

    @property
    def single(self) -> bool:
        """Whether at most one signer can meet it."""
        return self.identity.exact and self.issuer.exact

    def vouch(self, bundle: Bundle, *, allow_legacy: bool = False) -> Vouch:
        """Say who signed an envelope, if it is who is trusted.

        Raises:
            ModelsignError: ``SIGNATURE_WRONG_KEY`` for a bundle that no certificate signed, ``SIGNATURE_INVALID``,
                ``CERTIFICATE_IDENTITY_MISMATCH``, ``CLAIM_WRONG``, or a reason of certificate, log or timestamp.

        """
        vouch = self.confirm(bundle, Content.of_envelope(bundle.envelope))
        refuse_legacy(bundle, allow_legacy=allow_legacy)
        return vouch

    def confirm(self, bundle: Bundle, content: Content) -> Vouch:
        """Say who signed any content, as :meth:`vouch` does."""
        material = bundle.material
        _check_shape(material, bundle.version)
        leaf = read_signing_certificate(material.certificates[0])
        if not content.signed_by(leaf.key):
            raise error("SIGNATURE_INVALID", "the signature was not made with the certificate's key")
        verifier = Verifier(material.certificates[0], leaf.key, certificate=True)
        proofs = prove(Subject(material, bundle.version, content, verifier), self.root, self.policy)
        moments = [moment.time for moment in proofs.moments]
        verify_sct(leaf.certificate, find_issuer(leaf.certificate, self.root.authorities, moments), self.root.ctlogs)
        self._check_identity(leaf)
        warnings = (*self.notes, *proofs.warnings, *self._borrowed(leaf))
        return Vouch(_signer(leaf, proofs, self.root.digest), oms=leaf.key.oms, warnings=warnings)

    def _borrowed(self, leaf: SigningCertificate) -> tuple[str, ...]:
        """Warn of a workflow that another repository called, where nothing says whose repository it must be.

        The name of such a certificate is the workflow's, and whoever may call it signs by that name.
        """
        source = leaf.claims.get("source_repository_uri")
        if (
            source is None
            or leaf.kind != "uri"
            or leaf.name.startswith(f"{source}/")
            or not _OF_THE_SOURCE.isdisjoint(self.claims)
        ):
            return ()
        who = f"the identity is a workflow that {source[:300]} called, and any repository might have"
        return (f"{who}: demand the claim source_repository_uri too",)

    def _check_identity(self, leaf: SigningCertificate) -> None:
        if not self.identity.matches(leaf.name):
            raise error("CERTIFICATE_IDENTITY_MISMATCH", f"the signer is {leaf.name[:300]}, not {self.identity}")
        if leaf.issuer is None or not self.issuer.matches(leaf.issuer):
            raise error(
                "CERTIFICATE_IDENTITY_MISMATCH",
                f"the signer was confirmed by {str(leaf.issuer)[:300]}, not {self.issuer}",
            )
        for name, value in self.claims.items():
            if leaf.claims.get(name) != value:
                said = leaf.claims.get(name)
                found = f"confirms no {name}" if said is None else f"confirms the {name} {said[:300]}"
                raise error("CLAIM_WRONG", f"the certificate {found}; asked for was {value[:300]}")


def _check_shape(material: Material, version: str) -> None:
    """Hold a bundle to its version (``sigstore_bundle.proto``): a chain without a root, since 0.3 one certificate."""
    if material.kind not in _KINDS:
        raise error(
            "SIGNATURE_WRONG_KEY",
            "the bundle was signed with a bare key, not with an identity's certificate",
            advice=BY_KEY,
        )
    if material.kind != ("certificate" if version == "0.3" else "certificate_chain"):
        raise error(
            "SIGNATURE_WRONG_KEY", f"a Sigstore bundle of version {version} holds its certificate in another form"
        )
    if len(material.certificates) > limits.CHAIN_CERTIFICATES:
        raise error("CERTIFICATE_LIMIT", f"the bundle has more than {limits.CHAIN_CERTIFICATES} certificates")
    if any(Certificate(der).self_issued for der in material.certificates):
        raise error("BUNDLE_HOLDS_ANCHOR", "the bundle holds a certificate that is its own issuer")


def _signer(leaf: SigningCertificate, proofs: Proofs, root: str) -> Signer:
    return proofs.told_of(
        Signer(
            method=METHOD.id,
            algorithm=leaf.key.algorithm,
            key_digest=leaf.key.digest,
            identity=leaf.name,
            issuer=leaf.issuer,
            subject=leaf.certificate.subject.rfc4514_string() or None,
            names=(f"{leaf.kind}:{leaf.name}",),
            claims={name: value for name, value in leaf.claims.items() if name not in {"issuer", "issuer_v1"}},
            root=root,
            not_before=timestamp.write(leaf.certificate.not_valid_before_utc),
        )
    )


METHOD = Method(
    id="keyless",
    title="Identity",
    description="An identity signs with a certificate that lives for minutes; whoever verifies names the identity.",
    kinds=_KINDS,
)
