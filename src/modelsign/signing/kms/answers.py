"""What every service's answers go through: strict JSON, base64, and reasons for what a service refuses."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Final, NoReturn, cast

from modelsign import limits, strictjson
from modelsign.errors import error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.errors import ModelsignError
    from modelsign.transport import Transport

__all__ = ["ask", "decoded", "encoded", "malformed", "member", "missing_extra", "refused", "text"]

_DENIED: Final = frozenset({401, 403})
_NOT_FOUND: Final = 404
_BAD: Final = 400


def ask(  # noqa: PLR0913 - the parts of a request
    transport: Transport,
    method: str,
    url: str,
    *,
    what: str,
    headers: Mapping[str, str],
    body: object = None,
) -> dict[str, object]:
    """Send JSON, or nothing, and return the JSON object of the answer.

    Raises:
        ModelsignError: ``KMS_ACCESS_DENIED``, ``KMS_KEY_NOT_FOUND``, ``KMS_FAILED``, ``NETWORK_…``.

    """
    from modelsign.transport import server_words  # noqa: PLC0415 - only where a network is used

    sent = {**headers, "Accept": "application/json"}
    data = None
    if body is not None:
        data, sent["Content-Type"] = strictjson.canonical(body), "application/json"
    expected = frozenset({_BAD, _NOT_FOUND, *_DENIED})
    answer = transport.send(
        method, url, what=what, body=data, headers=sent, most_bytes=limits.KMS_ANSWER_BYTES, expected=expected
    )
    if answer.status in expected:
        raise refused(what, answer.status, server_words(answer.body))
    value = strictjson.loads(
        answer.body, most_bytes=limits.KMS_ANSWER_BYTES, what=f"{what}'s answer", code="NETWORK_ANSWER_MALFORMED"
    )
    return cast("dict[str, object]", value) if isinstance(value, dict) else _raise(malformed(what, "it is no object"))


def refused(what: str, status: int, words: str) -> ModelsignError:
    """Return the reason for a status that a service refuses with."""
    message = f"the {what} answered {status}: {words}"
    if status in _DENIED:
        return error("KMS_ACCESS_DENIED", message)
    return error("KMS_KEY_NOT_FOUND" if status == _NOT_FOUND else "KMS_FAILED", message)


def missing_extra(library: str, extra: str) -> ModelsignError:
    """Return the reason for a library that is not installed."""
    return error("EXTRA_MISSING", f"{library} is not installed", advice=f"Run `pip install 'modelsign[{extra}]'`.")


def member(value: Mapping[str, object], name: str, *, what: str) -> dict[str, object]:
    """Return the object that stands in an object."""
    found = value.get(name)
    return cast("dict[str, object]", found) if isinstance(found, dict) else _raise(malformed(what, f"no {name}"))


def text(value: Mapping[str, object], name: str, *, what: str) -> str:
    """Return the text that stands in an object."""
    found = value.get(name)
    return found if isinstance(found, str) else _raise(malformed(what, f"no {name}"))


def decoded(words: str, *, what: str, url_safe: bool = False) -> bytes:
    """Return the bytes of strict base64 (RFC 4648, section 4, or section 5 without padding)."""
    try:
        if url_safe and not set("+/=").isdisjoint(words):
            raise ValueError  # noqa: TRY301 - Python's reader takes both alphabets at once
        padding = "=" * (-len(words) % 4) if url_safe else ""
        return base64.b64decode(words + padding, altchars=b"-_" if url_safe else None, validate=True)
    except (binascii.Error, ValueError):
        raise malformed(what, "what should be base64 is none") from None


def encoded(data: bytes, *, url_safe: bool = False) -> str:
    """Write bytes as base64 (RFC 4648, section 4, or section 5 without padding)."""
    if url_safe:
        return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")
    return base64.b64encode(data).decode("ascii")


def malformed(what: str, why: str) -> ModelsignError:
    """Return the reason for an answer that is not what the service documents."""
    return error("NETWORK_ANSWER_MALFORMED", f"the {what}'s answer cannot be used: {why}")


def _raise(fault: ModelsignError) -> NoReturn:
    raise fault
