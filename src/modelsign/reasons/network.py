"""Reasons that come from the way to a network."""

from __future__ import annotations

from modelsign.reasons._reason import ExitStatus, Reason

REASONS: tuple[Reason, ...] = (
    Reason(
        "NETWORK_OFFLINE",
        ExitStatus.USAGE,
        "a network is needed, and --offline forbids it",
        "Leave out --offline, or hand over as a file what would be fetched.",
    ),
    Reason(
        "NETWORK_URL_REFUSED",
        ExitStatus.USAGE,
        "the URL is not one that is asked",
        "Give an https URL; http is for servers on this machine, and for timestamp authorities.",
        "Over http anyone on the way could read a token or change an answer. Timestamps are signed and name the digest "
        "they were asked for, so their servers may speak http.",
    ),
    Reason(
        "NETWORK_UNREACHABLE",
        ExitStatus.UNDECIDED,
        "the server could not be reached",
        "Check the URL and the connection, and try again.",
    ),
    Reason(
        "NETWORK_TIMEOUT",
        ExitStatus.UNDECIDED,
        "the server did not answer in time",
        "Try again later.",
    ),
    Reason(
        "NETWORK_TLS_REFUSED",
        ExitStatus.UNDECIDED,
        "the server's certificate is not accepted",
        "Check the URL. SSL_CERT_FILE names the root certificates of a private server.",
    ),
    Reason(
        "NETWORK_BUSY",
        ExitStatus.UNDECIDED,
        "the server is asked too often",
        "Wait as long as the server asks for, and try again.",
        "The request was repeated a few times, with growing pauses or those the server asked for by Retry-After. A "
        "server that asks for more than half a minute is not waited for.",
    ),
    Reason(
        "NETWORK_SERVER_FAILED",
        ExitStatus.UNDECIDED,
        "the server failed",
        "Try again later; the request was repeated already.",
    ),
    Reason(
        "NETWORK_REQUEST_REFUSED",
        ExitStatus.UNDECIDED,
        "the server refused the request",
        "The server's own words say why.",
    ),
    Reason(
        "NETWORK_REDIRECTED",
        ExitStatus.UNDECIDED,
        "the server sends on to another place",
        "If you trust the new place, give its URL.",
        "A redirect would send a token or a request to a server that nobody named, so none is followed.",
    ),
    Reason(
        "NETWORK_ANSWER_TOO_LARGE",
        ExitStatus.UNDECIDED,
        "the server's answer is too large",
        "Check the URL: this is not what such a server answers.",
    ),
    Reason(
        "NETWORK_ANSWER_MALFORMED",
        ExitStatus.UNDECIDED,
        "the server's answer cannot be read",
        "Check the URL: this is not what such a server answers.",
    ),
)
