"""Reasons that come from X.509 certificates and from what is known of their revocation."""

from __future__ import annotations

from modelsign.reasons._reason import ExitStatus, Reason

REASONS: tuple[Reason, ...] = (
    Reason(
        "CERTIFICATE_MALFORMED",
        ExitStatus.UNDECIDED,
        "a certificate cannot be read",
        "Pass certificates in PEM or DER.",
    ),
    Reason(
        "CERTIFICATE_UNSUPPORTED",
        ExitStatus.UNDECIDED,
        "a certificate has a kind of key or signature that is not known",
        "Use certificates with ECDSA, RSA, Ed25519 or ML-DSA keys.",
    ),
    Reason(
        "CERTIFICATE_EXTENSION_UNKNOWN",
        ExitStatus.UNDECIDED,
        "a certificate has a critical extension that this program does not know",
        "Ask the authority for a certificate without it.",
        "RFC 5280, section 4.2: what is marked critical and not understood must make the certificate be refused, "
        "because it may restrict what the certificate is good for.",
    ),
    Reason(
        "CERTIFICATE_LIMIT",
        ExitStatus.UNDECIDED,
        "the certificates are too many, or can be put together in too many ways",
        "Pass only the certificates between the signer's and the root.",
        "Certificates that name each other can span a number of paths that no computer can walk; the search stops "
        "after a fixed number of signatures.",
    ),
    Reason(
        "CERTIFICATE_UNTRUSTED",
        ExitStatus.NEGATIVE,
        "no chain leads from the signer's certificate to a root you named",
        "Check --ca-roots; name missing authorities between them with --ca-intermediates.",
        "Only roots the caller names are trusted: never those of the operating system, and never one inside a bundle. "
        "Certificates in a bundle may only fill the gap between the signer's certificate and such a root.",
    ),
    Reason(
        "CERTIFICATE_EXPIRED",
        ExitStatus.NEGATIVE,
        "a certificate of the chain has expired",
        "Ask the signer to sign again, or for a bundle with a timestamp and name the authority with --timestamp-roots.",
        "A signature counts only if it is proven to have been there while every certificate of the chain was valid: by "
        "an RFC 3161 timestamp of an authority you trust, or else by the present time. What a bundle says of its own "
        "age is no proof.",
    ),
    Reason(
        "CERTIFICATE_NOT_YET_VALID",
        ExitStatus.NEGATIVE,
        "a certificate of the chain is not valid yet",
        "Check the clock of this machine.",
    ),
    Reason(
        "CERTIFICATE_WRONG_USAGE",
        ExitStatus.NEGATIVE,
        "the certificate is not one for signing code",
        "Ask the authority for a certificate with key usage digitalSignature and extended key usage codeSigning.",
        "A certificate for a web server or for e-mail says nothing about models, even if a trusted authority issued "
        "it. Authorities whose extended key usage leaves code signing out are refused as well, and so is a certificate "
        "that may itself issue others.",
    ),
    Reason(
        "CERTIFICATE_NOT_AN_AUTHORITY",
        ExitStatus.NEGATIVE,
        "a certificate of the chain may not issue certificates",
        "Do not use this model: somebody used a certificate to issue others that was not made for it.",
    ),
    Reason(
        "CERTIFICATE_PATH_TOO_LONG",
        ExitStatus.NEGATIVE,
        "the chain has more authorities than one of them allows",
        "Ask the signer's authority for a certificate issued nearer to the root.",
    ),
    Reason(
        "CERTIFICATE_NAME_NOT_PERMITTED",
        ExitStatus.NEGATIVE,
        "an authority issued a certificate for a name it may not speak for",
        "Do not use this model; tell the owner of the root.",
        "Name constraints (RFC 5280, section 4.2.1.10) are honoured for DNS names, e-mail, URIs, IP addresses "
        "and directory names. A name of any other kind is refused where a constraint is set on that kind.",
    ),
    Reason(
        "CERTIFICATE_WEAK",
        ExitStatus.NEGATIVE,
        "a certificate of the chain uses an algorithm or key that is too weak",
        "Ask the authority for certificates signed with SHA-256 or better, RSA of at least 2048 bits (3072 for the "
        "signer), or ECDSA on P-256, P-384 or P-521.",
    ),
    Reason(
        "CERTIFICATE_IDENTITY_MISMATCH",
        ExitStatus.NEGATIVE,
        "the certificate belongs to somebody else",
        "Check --certificate-identity and --certificate-oidc-issuer. If they are right, do not use this model.",
        "An authority vouches for many; the identity says which of them must have signed.",
    ),
    Reason(
        "CERTIFICATE_IDENTITY_REQUIRED",
        ExitStatus.USAGE,
        "nothing says whose certificate it must be",
        "Name the signer with --certificate-identity or --certificate-identity-glob.",
        "Without an identity, everybody to whom the authority ever issued a certificate could sign. "
        "--insecure-any-identity accepts just that, and the result says so.",
    ),
    Reason(
        "CERTIFICATE_IDENTITY_MALFORMED",
        ExitStatus.USAGE,
        "the identity is not written in a way that could match",
        "Write a URI, an e-mail address, a DNS name or a subject (CN=…,O=…), or put uri:, email:, dns:, ip:, other: or "
        "subject: before it.",
    ),
    Reason(
        "CERTIFICATE_ROOT_UNUSABLE",
        ExitStatus.USAGE,
        "what was named as a root is none",
        "Name self-signed certificates with --ca-roots, and others with --ca-intermediates.",
    ),
    Reason(
        "CERTIFICATE_KEY_MISMATCH",
        ExitStatus.USAGE,
        "the private key and the certificate do not belong together",
        "Name the key for which the certificate was issued.",
    ),
    Reason(
        "CERTIFICATE_CHAIN_UNRELATED",
        ExitStatus.USAGE,
        "a certificate of the chain has nothing to do with the signer's",
        "Pass only the authorities above the signer's certificate with --certificate-chain.",
    ),
    Reason(
        "CERTIFICATE_REVOKED",
        ExitStatus.NEGATIVE,
        "a certificate of the chain was revoked",
        "Do not use this model; ask the signer for a new signature.",
        "A signature that is proven (by a timestamp) to be older than the revocation still counts: the date that "
        "matters is the date of revocation or the date from which the key is thought lost, whichever is earlier.",
    ),
    Reason(
        "REVOCATION_STATUS_MISSING",
        ExitStatus.NEGATIVE,
        "nothing says whether a certificate of the chain was revoked",
        "Pass a current list or answer with --crl or --ocsp, or leave out --require-revocation-status.",
    ),
    Reason(
        "CRL_MALFORMED",
        ExitStatus.UNDECIDED,
        "a certificate revocation list cannot be read",
        "Fetch the list again; it is read in PEM or DER.",
    ),
    Reason(
        "CRL_UNSUPPORTED",
        ExitStatus.UNDECIDED,
        "a certificate revocation list has a form that is not known",
        "Pass a complete list of the authority itself: neither a delta, nor an indirect one, nor one for some reasons "
        "only.",
    ),
    Reason(
        "CRL_STALE",
        ExitStatus.NEGATIVE,
        "a certificate revocation list is out of date",
        "Fetch the current list.",
    ),
    Reason(
        "CRL_UNTRUSTED",
        ExitStatus.NEGATIVE,
        "a certificate revocation list is not signed by the authority it speaks for",
        "Fetch the list from the authority.",
    ),
    Reason(
        "OCSP_MALFORMED",
        ExitStatus.UNDECIDED,
        "an OCSP response cannot be read",
        "Fetch the response again.",
    ),
    Reason(
        "OCSP_UNSUPPORTED",
        ExitStatus.UNDECIDED,
        "an OCSP response has a form that is not known",
        "Ask the responder for a basic response (RFC 6960).",
    ),
    Reason(
        "OCSP_NO_ANSWER",
        ExitStatus.UNDECIDED,
        "the OCSP responder did not answer the question",
        "Ask again; the response holds an error.",
    ),
    Reason(
        "OCSP_UNKNOWN_CERTIFICATE",
        ExitStatus.NEGATIVE,
        "the authority's responder does not know the certificate",
        "Do not use this model: the authority may never have issued the certificate.",
    ),
    Reason(
        "OCSP_STALE",
        ExitStatus.NEGATIVE,
        "an OCSP response is out of date",
        "Fetch a current response.",
    ),
    Reason(
        "OCSP_UNTRUSTED",
        ExitStatus.NEGATIVE,
        "an OCSP response is not signed by somebody who may answer for the authority",
        "Fetch the response from the responder that the certificate names.",
        "RFC 6960, section 4.2.2.2: the authority itself, or a certificate it issued with the extended key usage "
        "OCSPSigning.",
    ),
)
