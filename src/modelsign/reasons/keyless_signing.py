"""Reasons that come from signing through Sigstore: tokens, services, trust updates."""

from __future__ import annotations

from modelsign.reasons._reason import ExitStatus, Reason

REASONS: tuple[Reason, ...] = (
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
)
