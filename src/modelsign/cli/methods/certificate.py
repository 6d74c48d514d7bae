"""Flags for signing and verifying with X.509 certificates."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from modelsign import limits
from modelsign.errors import error

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from modelsign.cli.methods.trust_root_options import FoundRoot
    from modelsign.cli.session import Session
    from modelsign.signing.methods.certificate import CertificateTrust
    from modelsign.signing.sealer import RawSigner, Sealer
    from modelsign.signing.sigstore.proofs import ProofPolicy
    from modelsign.signing.trust import Trust
    from modelsign.signing.x509.certificates import Certificate
    from modelsign.signing.x509.chain import Chain
    from modelsign.signing.x509.identity import Identity
    from modelsign.signing.x509.status import RevocationSources

__all__ = ["SIGN_OPTIONS", "VERIFY_OPTIONS", "fetched", "sealers", "trusts"]

SIGN_OPTIONS = (
    click.option(
        "--certificate",
        "--signing-certificate",
        "certificate",
        metavar="FILE",
        help="The certificate of the key that signs.",
    ),
    click.option(
        "--certificate-chain",
        "certificate_chain",
        multiple=True,
        metavar="FILE",
        help="Certificates between that one and a root, to go into the signature.",
    ),
)
VERIFY_OPTIONS = (
    click.option(
        "--ca-roots", "ca_roots", multiple=True, metavar="FILE", help="Root certificates that may vouch for a signer."
    ),
    click.option(
        "--ca-intermediates",
        "ca_intermediates",
        multiple=True,
        metavar="FILE",
        help="Certificates that may stand between a signer's and a root; not trusted themselves.",
    ),
    click.option(
        "--certificate-chain",
        "certificate_chain",
        multiple=True,
        metavar="FILE",
        help="Both in one file: self-signed certificates are roots, others stand between.",
    ),
    click.option(
        "--certificate-organization",
        "certificate_organization",
        metavar="NAME",
        help="The organization that the certificate's subject must name.",
    ),
    click.option(
        "--insecure-any-identity", is_flag=True, help="Accept everybody to whom those roots gave a certificate."
    ),
    click.option("--crl", "crls", multiple=True, metavar="FILE", help="A certificate revocation list."),
    click.option("--ocsp", "ocsps", multiple=True, metavar="FILE", help="An OCSP response."),
    click.option(
        "--require-revocation-status",
        is_flag=True,
        help="Refuse certificates of which no current list or response says that they are good.",
    ),
    click.option(
        "--fetch-revocation", is_flag=True, help="Fetch lists and responses from the places that certificates name."
    ),
    click.option(
        "--timestamp-roots",
        "timestamp_roots",
        multiple=True,
        metavar="FILE",
        help="Root certificates of timestamp authorities; their time decides whether a certificate was valid.",
    ),
    click.option(
        "--insecure-certificate-time",
        "insecure_certificate_time",
        metavar="TIME",
        help="Judge certificates at this time, or 'issuance' for the beginning of their own validity.",
    ),
)
_NEED_ROOTS = (
    "ca_intermediates",
    "certificate_organization",
    "insecure_any_identity",
    "crls",
    "ocsps",
    "require_revocation_status",
    "fetch_revocation",
)
_ISSUANCE = "issuance"


def sealers(session: Session, values: Mapping[str, Any], keys: Sequence[RawSigner]) -> list[Sealer]:
    """Return a sealer for the certificate, if one is named; ``keys`` are all those that the flags name."""
    if not values["certificate"]:
        if values["certificate_chain"]:
            raise click.UsageError("--certificate-chain is of no use without --certificate.")
        return []
    from modelsign.signing.methods.certificate import CertificateSealer
    from modelsign.signing.x509.certificates import load_certificates

    if len(keys) != 1:
        raise click.UsageError(f"--certificate takes one key, the one it was issued for; {len(keys)} are named.")
    data = _read(session, values["certificate"])
    with session.naming(values["certificate"]):
        leaf, *others = load_certificates(data)
    chain = [*others, *_certificates(session, values["certificate_chain"])]
    return [CertificateSealer(keys[0], leaf, chain, now=session.now())]


def trusts(session: Session, values: Mapping[str, Any], now: datetime) -> list[Trust]:
    """Return a trust for each identity, by the roots that are named.

    Raises:
        ModelsignError: ``NO_TRUST_SOURCE``, ``CERTIFICATE_IDENTITY_REQUIRED``, or a reason of a certificate, a
            revocation list, an OCSP response or the trust root.

    """
    roots, others = _split(_certificates(session, values["certificate_chain"]))
    roots = [*_certificates(session, values["ca_roots"]), *roots]
    if not roots:
        if others or any(values[name] for name in _NEED_ROOTS):
            raise error("NO_TRUST_SOURCE", "no root certificate was named", advice="Name one with --ca-roots.")
        return []
    if values["issuers"] or values["issuer_globs"] or values["issuer_regexps"]:
        raise click.UsageError("--ca-roots names authorities, and --certificate-oidc-issuer an identity of Sigstore.")
    from modelsign.signing.methods.certificate import CertificateTrust
    from modelsign.signing.x509.times import StampTrust

    stamp_roots, stamp_others = _split(_certificates(session, values["timestamp_roots"]))
    if stamp_others and not stamp_roots:  # else nobody would be asked for the timestamps that are wanted
        raise error(
            "CERTIFICATE_ROOT_UNUSABLE", "of the certificates that --timestamp-roots names, none is self-signed"
        )
    found, policy = _proofs(session, values, now)
    return [
        CertificateTrust(
            roots=tuple(roots),
            identity=identity,
            now=now,
            intermediates=(*_certificates(session, values["ca_intermediates"]), *others),
            revocation=_revocation(session, values),
            timestamps=StampTrust(tuple(stamp_roots), tuple(stamp_others)),
            timestamps_needed=(values["timestamp_threshold"] or 0) if stamp_roots else 0,
            assumed_time=_assumed_time(values["insecure_certificate_time"]),
            root=found.root if found else None,
            proofs=policy,
            notes=found.notes if found else (),
        )
        for identity in _identities(values)
    ]


def fetched(
    session: Session, values: Mapping[str, Any], trusted: Sequence[Trust], bundles: Sequence[bytes]
) -> list[Trust]:
    """Return the trusts, with what authorities say about revocation added where the flags want it fetched.

    Raises:
        ModelsignError: a reason of the transport, or of what was fetched.

    """
    if not values["fetch_revocation"]:
        return list(trusted)
    from modelsign.cli.methods.network import transport_of
    from modelsign.signing.methods.certificate import CertificateTrust
    from modelsign.signing.x509.fetch import fetch_revocation

    transport = transport_of(session, values)
    found: list[Trust] = []
    for trust in trusted:
        if not isinstance(trust, CertificateTrust):
            found.append(trust)
            continue
        fresh = fetch_revocation(transport, _chains(trust, bundles))
        known = trust.revocation
        merged = known._replace(lists=known.lists + fresh.lists, answers=known.answers + fresh.answers)
        found.append(replace(trust, revocation=merged))
    return found


def _chains(trust: CertificateTrust, bundles: Sequence[bytes]) -> list[Chain]:
    """Return the chains of those bundles that the identity may have signed; the others have their reasons later."""
    from modelsign.errors import ModelsignError
    from modelsign.signing.bundle import parse_bundle

    chains: list[Chain] = []
    for data in bundles:
        try:
            chains += trust.chains(parse_bundle(data))
        except ModelsignError:
            continue
    return chains


def _proofs(session: Session, values: Mapping[str, Any], now: datetime) -> tuple[FoundRoot | None, ProofPolicy | None]:
    """Return the trust root and how many of its logs and clocks are wanted, where their number was given."""
    logs = values["log_threshold"] or 0
    timestamps = 0 if values["timestamp_roots"] else values["timestamp_threshold"] or 0
    if not logs + timestamps:
        return None, None
    from modelsign.cli.methods.trust_root_options import find_root
    from modelsign.signing.sigstore.proofs import ProofPolicy

    return find_root(session, values, now), ProofPolicy(logs=logs, timestamps=timestamps, times=0)


def _identities(values: Mapping[str, Any]) -> list[Identity]:
    from modelsign.cli.methods.identity_options import identities
    from modelsign.signing.x509 import identity as names

    organization = values["certificate_organization"]
    make = {"exact": names.exact_identity, "glob": names.glob_identity, "regexp": names.regexp_identity}
    found = [make[named.kind](named.text, organization=organization) for named in identities(values)]
    if values["insecure_any_identity"]:
        if found:
            raise click.UsageError("--insecure-any-identity stands beside a --certificate-identity.")
        return [names.any_identity(organization=organization)]
    if not found:
        raise error("CERTIFICATE_IDENTITY_REQUIRED", "roots are named, but not whom they must vouch for")
    return found


def _revocation(session: Session, values: Mapping[str, Any]) -> RevocationSources:
    from modelsign.signing.x509.crl import load_revocation_lists
    from modelsign.signing.x509.ocsp import load_ocsp_response
    from modelsign.signing.x509.status import RevocationSources

    sources = RevocationSources(required=values["require_revocation_status"])
    for path in values["crls"]:
        data = session.read(path, limits.CRL_BYTES, what="revocation list")
        with session.naming(path):
            sources = sources._replace(lists=(*sources.lists, *load_revocation_lists(data)))
    for path in values["ocsps"]:
        data = session.read(path, limits.OCSP_BYTES, what="OCSP response")
        with session.naming(path):
            sources = sources._replace(answers=(*sources.answers, load_ocsp_response(data)))
    return sources


def _assumed_time(text: str | None) -> Any:
    from modelsign import timestamp

    if text is None or text == _ISSUANCE:
        return text
    try:
        return timestamp.read(text)
    except ValueError as fault:
        raise click.BadParameter(str(fault), param_hint="--insecure-certificate-time") from None


def _certificates(session: Session, paths: Sequence[str]) -> list[Certificate]:
    if not paths:
        return []
    from modelsign.signing.x509.certificates import load_certificates

    found: list[Certificate] = []
    for path in paths:
        data = _read(session, path)
        with session.naming(path):
            found += load_certificates(data)
    return found


def _split(found: Sequence[Certificate]) -> tuple[list[Certificate], list[Certificate]]:
    """Return self-signed certificates, and the others."""
    roots = [entry for entry in found if entry.self_signed()]
    return roots, [entry for entry in found if entry not in roots]


def _read(session: Session, path: str) -> bytes:
    return session.read(path, limits.CERTIFICATE_FILE_BYTES, what="certificate")
