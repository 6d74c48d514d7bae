"""Reasons that come from signing through Sigstore: tokens, services, trust updates."""

from __future__ import annotations

from modelsign.reasons._reason import ExitStatus, Reason

REASONS: tuple[Reason, ...] = (
    Reason(
        "PUBLICATION_NOT_AGREED",
        ExitStatus.USAGE,
        "signing would publish something for ever, and nobody agreed",
        "Pass --yes if that is what you want, or sign with a key and without --log.",
        "A keyless signature puts the signer's identity, the time and a digest into public logs that are never erased.",
    ),
    Reason(
        "TOKEN_MISSING",
        ExitStatus.USAGE,
        "nothing says who signs",
        "Pass --identity-token FILE, run where there is an ambient one, or log in on a terminal.",
        "Ambient tokens are taken from GitHub Actions, GitLab, Buildkite, CircleCI and Google Cloud.",
    ),
    Reason(
        "TOKEN_MALFORMED",
        ExitStatus.UNDECIDED,
        "the identity token cannot be read",
        "Pass an OpenID Connect ID token (three parts with dots between them), not an access token.",
    ),
    Reason(
        "TOKEN_NOT_FOR_SIGSTORE",
        ExitStatus.UNDECIDED,
        "the identity token is meant for somebody else",
        "Ask the identity provider for a token with the audience sigstore.",
    ),
    Reason(
        "TOKEN_EXPIRED",
        ExitStatus.UNDECIDED,
        "the identity token has expired",
        "Fetch a new one right before signing; they live for minutes.",
    ),
    Reason(
        "TOKEN_NOT_YET_VALID",
        ExitStatus.UNDECIDED,
        "the identity token is not good yet",
        "Check this machine's clock.",
    ),
    Reason(
        "TOKEN_UNAVAILABLE",
        ExitStatus.UNDECIDED,
        "no identity token could be had",
        "The words of whoever was asked say why.",
    ),
    Reason(
        "CERTIFICATE_NOT_ISSUED",
        ExitStatus.UNDECIDED,
        "the certificate authority refused",
        "Its own words say why: most often the token's issuer is not known there, or the token expired.",
    ),
    Reason(
        "CERTIFICATE_NOT_ASKED_FOR",
        ExitStatus.UNDECIDED,
        "another certificate was issued than was asked for",
        "Do not use this certificate authority before you know why.",
    ),
    Reason(
        "TIMESTAMP_REFUSED",
        ExitStatus.UNDECIDED,
        "the timestamp authority refused",
        "Try again, or take another authority.",
    ),
    Reason(
        "TIMESTAMP_ANSWER_WRONG",
        ExitStatus.UNDECIDED,
        "the timestamp does not answer what was asked",
        "Try again, or take another authority; nothing was written to a log.",
        "The answer must be an RFC 3161 response with the digest and the nonce that were sent.",
    ),
    Reason(
        "LOG_ANSWER_WRONG",
        ExitStatus.UNDECIDED,
        "the transparency log answered with something else",
        "Try again; the log may have taken an entry that you did not get.",
    ),
    Reason(
        "LOG_KEY_UNSUPPORTED",
        ExitStatus.USAGE,
        "transparency logs take no signatures by this kind of key",
        "Sign with an ECDSA key, or without a log.",
    ),
    Reason(
        "SEALED_NOT_VERIFIED",
        ExitStatus.UNDECIDED,
        "the signature that was made does not verify",
        "Check that the trust root and the signing configuration belong to the same Sigstore.",
        "Every signature made through Sigstore is verified before it is handed out. This one may stand in a log, and "
        "is good for nothing.",
    ),
    Reason(
        "SIGNING_CONFIG_MALFORMED",
        ExitStatus.UNDECIDED,
        "the signing configuration cannot be read",
        "Fetch signing_config.v0.2.json again from whoever runs that Sigstore.",
    ),
    Reason(
        "SIGNING_CONFIG_NO_SERVICE",
        ExitStatus.UNDECIDED,
        "the signing configuration lists no service that can be used now",
        "Fetch a current signing configuration; services end and begin.",
    ),
    Reason(
        "TRUST_ROOT_LACKS_SERVICE",
        ExitStatus.UNDECIDED,
        "the trust root could not verify what would be signed",
        "Check that the trust root and the signing configuration are current and belong to the same Sigstore.",
    ),
    Reason(
        "TRUST_UPDATE_REFUSED",
        ExitStatus.UNDECIDED,
        "the repository of trust roots answers wrongly",
        "Do not go on with what it says; try again later, and ask who runs it if that does not help.",
        "Its metadata is not signed as it must be, has expired, or went back to an older version (TUF).",
    ),
    Reason(
        "TRUST_ROOT_UNKNOWN",
        ExitStatus.USAGE,
        "there is no trust root to use",
        "Pass --trusted-root or --trust-config; for an instance of your own, --tuf-root once, with a network.",
    ),
)
