"""What programs sign and verify with besides key pairs: from the contents of files to trusts and sealers.

The command line has flags for all of it, and its own modules. These few functions are the same for a program, with the
settings that most need; every default is the strict one. Nothing here looks at a clock or an environment, and nothing
but a keyless sealer that is asked to sign opens a connection.
"""

# ruff: noqa: PLC0415
# cryptography costs more to import than everything else on the way to a verdict.

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsign.errors import error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime, timedelta

    from modelsign.signing.keys import SigningKey, VerifyKey
    from modelsign.signing.revocation import Revocations
    from modelsign.signing.sealer import Sealer
    from modelsign.signing.trust import Trust

__all__ = ["certificate_sealer", "certificate_trust", "keyless_sealer", "keyless_trust", "open_revocations"]


def certificate_sealer(key: SigningKey, certificate: bytes, *, now: datetime, chain: bytes = b"") -> Sealer:
    """Return what signs by a certificate, for :func:`modelsign.sign_model`.

    ``certificate`` is the signer's and ``chain`` holds those between it and a root, both in PEM or DER.

    Raises:
        ModelsignError: ``CERTIFICATE_KEY_MISMATCH`` where it is another key's, or another reason of a certificate.

    """
    from modelsign.signing.methods.certificate import CertificateSealer
    from modelsign.signing.x509.certificates import load_certificates

    leaf, *others = load_certificates(certificate)
    between = load_certificates(chain) if chain else ()
    return CertificateSealer(key, leaf, [*others, *between], now=_aware(now))


def certificate_trust(  # noqa: PLR0913 - the settings of one trust
    roots: bytes,
    identity: str,
    *,
    now: datetime,
    intermediates: bytes = b"",
    organization: str | None = None,
    crls: Sequence[bytes] = (),
    ocsp: Sequence[bytes] = (),
    require_status: bool = False,
    timestamp_roots: bytes = b"",
) -> Trust:
    """Trust whom certificate authorities certify to be ``identity``; for :func:`modelsign.verify_model`.

    ``roots`` are self-signed certificates and ``intermediates`` others, in PEM (any number) or DER. ``identity`` is a
    URI, mail address, DNS name or subject, exactly. ``crls`` and ``ocsp`` are lists and responses, which
    ``require_status`` demands. With ``timestamp_roots`` a timestamp by one of those authorities says when the
    certificate had to be valid; else that is ``now``.

    Raises:
        ModelsignError: ``CERTIFICATE_ROOT_UNUSABLE``, ``CERTIFICATE_IDENTITY_REQUIRED``, or a reason of what was
            handed over.

    """
    from modelsign.signing.methods.certificate import CertificateTrust
    from modelsign.signing.x509.certificates import load_certificates
    from modelsign.signing.x509.crl import load_revocation_lists
    from modelsign.signing.x509.identity import exact_identity
    from modelsign.signing.x509.ocsp import load_ocsp_response
    from modelsign.signing.x509.status import RevocationSources
    from modelsign.signing.x509.times import StampTrust

    clocks = load_certificates(timestamp_roots) if timestamp_roots else ()
    return CertificateTrust(
        roots=load_certificates(roots),
        identity=exact_identity(identity, organization=organization),
        now=_aware(now),
        intermediates=load_certificates(intermediates) if intermediates else (),
        revocation=RevocationSources(
            tuple(entry for data in crls for entry in load_revocation_lists(data)),
            tuple(load_ocsp_response(data) for data in ocsp),
            required=require_status,
        ),
        timestamps=StampTrust(clocks),
    )


def keyless_sealer(trust_config: bytes, token: bytes, *, clock: Callable[[], datetime]) -> Sealer:
    """Return what signs with the identity of a token, by Sigstore; for :func:`modelsign.sign_model`.

    The identity, the time and a digest of what is signed become public for ever when it signs; a program that calls
    this agrees to that. ``trust_config`` is a ``ClientTrustConfig`` in JSON, ``token`` an identity token for the
    audience ``sigstore``, ``clock`` returns the time in UTC.

    Raises:
        ModelsignError: a reason of the token or the configuration.

    """
    from modelsign.signing.sigstore.services.sealer import KeylessSealer
    from modelsign.signing.sigstore.services.signing_config import choose_services
    from modelsign.signing.sigstore.services.tokens import read_token
    from modelsign.signing.sigstore.trust_root import parse_trust_config
    from modelsign.transport import Transport

    now = _aware(clock())
    root, config = parse_trust_config(trust_config)
    read = read_token(token, now=now)
    return KeylessSealer(root, choose_services(config, now=now), Transport(), lambda: read, clock)


def keyless_trust(  # noqa: PLR0913 - the settings of one trust
    trusted_root: bytes,
    identity: str,
    issuer: str,
    *,
    claims: Mapping[str, str] | None = None,
    logs: int = 1,
    timestamps: int = 0,
) -> Trust:
    """Trust an identity that an issuer confirmed, by the services of one Sigstore; for :func:`modelsign.verify_model`.

    ``trusted_root`` is a ``trusted_root.json``; it is used as it is, and nothing is fetched. Identity and issuer are
    exact, and so is each of ``claims``, by the names of Fulcio's extensions (``source_repository_uri``, …). ``logs``
    different transparency logs and ``timestamps`` different authorities must confirm the signature.

    Raises:
        ModelsignError: ``TRUST_ROOT_MALFORMED``, ``TRUST_ROOT_UNSUPPORTED``, ``IDENTITY_PATTERN_INVALID`` for an empty
            name, or ``ARGUMENT_INVALID`` for a claim that does not exist or a negative number.

    """
    from modelsign.signing.methods.keyless import KeylessTrust
    from modelsign.signing.sigstore.fulcio_claims import CLAIMS
    from modelsign.signing.sigstore.identities import exactly
    from modelsign.signing.sigstore.proofs import ProofPolicy
    from modelsign.signing.sigstore.trust_root import parse_trust_root

    if min(logs, timestamps) < 0:
        raise error("ARGUMENT_INVALID", f"{logs} logs and {timestamps} timestamps cannot be demanded")
    wanted = dict(claims or {})
    unknown = sorted(set(wanted) - set(CLAIMS))
    if unknown:
        raise error("ARGUMENT_INVALID", f"there is no claim {unknown[0]}; there are {', '.join(CLAIMS)}")
    root = parse_trust_root(trusted_root)
    policy = ProofPolicy(logs=logs, timestamps=timestamps)
    return KeylessTrust(root, exactly(identity), exactly(issuer), wanted, policy, root.warnings)


def open_revocations(
    data: bytes,
    keys: Sequence[VerifyKey | Trust],
    *,
    now: datetime,
    max_age: timedelta | None = None,
    least_version: int | None = None,
) -> Revocations:
    """Open a signed revocation list and check that it is fresh; for ``VerifyOptions(revocations=…)``.

    ``keys`` are those that may sign it.

    Raises:
        ModelsignError: ``REVOCATION_LIST_UNTRUSTED``, ``REVOCATION_LIST_EXPIRED`` or another reason of the list.

    """
    from modelsign.signing.freshness import check_freshness
    from modelsign.signing.revocation import Revocations
    from modelsign.signing.revocation_list import open_list

    opened = open_list(data, keys)
    check_freshness(opened, now=_aware(now), max_age=max_age, least_version=least_version)
    return Revocations([opened])


def _aware(now: datetime) -> datetime:
    if now.utcoffset() is None:
        raise error("ARGUMENT_INVALID", "the time has no time zone", advice="Pass datetime.now(UTC).")
    return now
