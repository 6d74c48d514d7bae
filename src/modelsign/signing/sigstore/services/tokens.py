"""Identity tokens for keyless signing (OpenID Connect ID tokens, RFC 7519), and where they come from.

A token is a secret until it expires: who holds it can sign as its owner. It is read here without checking its
signature, which is the certificate authority's part; what is checked, before anything is sent, is that it is a token,
for Sigstore, and good at this time. Nothing here prints a token or puts it into a message.
"""

# ruff: noqa: PLC0415
# sigstore and id are imported when a token is asked for.

from __future__ import annotations

import binascii
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, cast

from modelsign import limits, strictjson
from modelsign.errors import error
from modelsign.transport import check_url, server_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.errors import ModelsignError

__all__ = ["AUDIENCE", "Token", "ambient_token", "interactive_token", "read_token"]

AUDIENCE: Final = "sigstore"
"""What a token must be meant for (its ``aud``)."""
_SKEW: Final = timedelta(seconds=5)
"""By how much two clocks may differ."""
_PARTS: Final = 3
_LATEST: Final = 253_402_300_799
"""The last second of the year 9999."""
_BY_EMAIL: Final = frozenset(
    {"https://accounts.google.com", "https://oauth2.sigstore.dev/auth", "https://oauth2.sigstage.dev/auth"}
)
"""Issuers whose users Fulcio names by their e-mail address; others by their subject."""
_GITHUB: Final = "https://token.actions.githubusercontent.com"


@dataclass(frozen=True, slots=True)
class Token:
    """A token and what it says of its owner, unverified.

    ``identity`` is what a certificate will most likely say: Fulcio decides that.
    """

    raw: str = field(repr=False)
    issuer: str
    subject: str
    identity: str
    expires: datetime

    def check_time(self, now: datetime) -> None:
        """Refuse a token that is no longer good.

        Raises:
            ModelsignError: ``TOKEN_EXPIRED``.

        """
        if now >= self.expires:
            raise error("TOKEN_EXPIRED", f"the identity token expired at {self.expires.isoformat()}")


def read_token(data: bytes, *, now: datetime) -> Token:
    """Read a token; one line end, or blanks, around it do not belong to it.

    Raises:
        ModelsignError: ``TOKEN_MALFORMED``, ``TOKEN_NOT_FOR_SIGSTORE``, ``TOKEN_EXPIRED`` or ``TOKEN_NOT_YET_VALID``.

    """
    if len(data) > limits.TOKEN_BYTES:
        raise _malformed(f"it has more than {limits.TOKEN_BYTES} bytes")
    try:
        raw = data.strip().decode("ascii")
    except UnicodeDecodeError:
        raise _malformed("it is not ASCII") from None
    claims = _claims(raw)
    issuer, subject = _text(claims, "iss"), _text(claims, "sub")
    audience = claims.get("aud")
    if AUDIENCE not in (audience if isinstance(audience, list) else [audience]):
        shown = server_words(str(audience).encode("utf-8", "replace"))
        raise error("TOKEN_NOT_FOR_SIGSTORE", f"the identity token is meant for {shown}, not for {AUDIENCE}")
    expires = _time(claims, "exp")
    if expires is None:
        raise _malformed("it says no time when it expires")
    token = Token(raw, issuer, subject, _identity(claims, issuer, subject), expires)
    token.check_time(now)
    begins = _time(claims, "nbf")
    if begins is not None and now + _SKEW < begins:
        raise error("TOKEN_NOT_YET_VALID", f"the identity token is good from {begins.isoformat()} on")
    return token


def ambient_token(*, now: datetime) -> Token | None:
    """Return the token that this machine offers to what runs on it, None where it offers none.

    Asked are GitHub Actions, Google Cloud, Buildkite, GitLab and CircleCI, in that order, by the package ``id``, which
    looks into the environment itself.

    Raises:
        ModelsignError: ``TOKEN_UNAVAILABLE`` where there should be one, or a reason of :func:`read_token`.

    """
    import id as ambient
    from urllib3.exceptions import HTTPError

    try:
        raw = ambient.detect_credential(AUDIENCE)
    except ambient.GitHubOidcPermissionCredentialError as fault:
        raise error(
            "TOKEN_UNAVAILABLE",
            _said(fault),
            advice="Give the workflow `permissions: id-token: write`; runs for pull requests from forks never get it.",
        ) from None
    except (ambient.IdentityError, HTTPError, OSError, AttributeError, LookupError, TypeError, ValueError) as fault:
        raise error("TOKEN_UNAVAILABLE", _said(fault)) from None
    return None if raw is None else read_token(raw.encode("utf-8", "replace"), now=now)


def interactive_token(url: str, *, now: datetime, out_of_band: bool = False) -> Token:
    """Let a person log in with a browser, and return the token.

    ``out_of_band`` shows a link and asks for the code that the browser then shows. Blocks until the person is done.

    Raises:
        ModelsignError: ``TOKEN_UNAVAILABLE``, ``NETWORK_URL_REFUSED``, or a reason of :func:`read_token`.

    """
    check_url(url, what="identity provider")
    import requests
    from sigstore.errors import Error
    from sigstore.oidc import Issuer, IssuerError

    try:
        raw = str(Issuer(url).identity_token(force_oob=out_of_band))
    except (
        Error, IssuerError, requests.RequestException, OSError, EOFError,
        AttributeError, LookupError, TypeError, ValueError,  # what an odd answer becomes in there
    ) as fault:  # fmt: skip
        said = _said(fault) or type(fault).__name__
        raise error(
            "TOKEN_UNAVAILABLE",
            f"logging in at {url} failed: {said}",
            advice="Try again, with --oidc-out-of-band where no browser can reach this machine.",
        ) from None
    return read_token(raw.encode("utf-8", "replace"), now=now)


def _claims(raw: str) -> Mapping[str, object]:
    parts = raw.split(".")
    if len(parts) != _PARTS:
        raise _malformed("it does not have the three parts of a signed token")
    try:
        payload = binascii.a2b_base64(
            parts[1].translate({45: 43, 95: 47}) + "=" * (-len(parts[1]) % 4), strict_mode=True
        )
    except (binascii.Error, ValueError):
        raise _malformed("its middle part is not base64url") from None
    claims = strictjson.loads(payload, most_bytes=limits.TOKEN_BYTES, what="identity token", code="TOKEN_MALFORMED")
    if not isinstance(claims, dict):
        raise _malformed("its claims are no object")
    return cast("dict[str, object]", claims)


def _identity(claims: Mapping[str, object], issuer: str, subject: str) -> str:
    if issuer in _BY_EMAIL:
        return _text(claims, "email")
    workflow = claims.get("job_workflow_ref")
    if issuer == _GITHUB and isinstance(workflow, str):
        return f"https://github.com/{workflow}"
    return subject


def _text(claims: Mapping[str, object], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise _malformed(f"it has no {name}")
    return value


def _time(claims: Mapping[str, object], name: str) -> datetime | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LATEST:
        raise _malformed(f"its {name} is no time")
    return datetime.fromtimestamp(value, UTC)


def _said(fault: BaseException) -> str:
    return server_words(str(fault).encode("utf-8", "replace"))


def _malformed(what: str) -> ModelsignError:
    return error("TOKEN_MALFORMED", f"the identity token is refused: {what}")
