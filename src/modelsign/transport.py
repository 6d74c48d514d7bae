"""The one way to a network: timeouts, retries, bounds on what comes back, no surprise redirects.

Requests go over ``urllib3``; this module adds what its callers must not forget. Nothing is taken from the
environment: no ``.netrc``, no cookie, and a proxy only from the caller. TLS certificates are checked as ``urllib3``
does by default, with the roots that OpenSSL knows. Plain ``http`` goes to this machine alone, unless the caller says
that the answer is signed.

What a server says in a refusal is shown, without control characters and cut.
"""

# ruff: noqa: PLC0415
# urllib3 is imported when something is sent, and not before.

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign import limits
from modelsign._version import __version__
from modelsign.errors import error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from urllib3 import BaseHTTPResponse, PoolManager, Retry

    from modelsign.errors import ModelsignError

__all__ = ["Answer", "Patience", "Transport", "check_url", "server_words"]

_RETRIED: Final = frozenset({429, 500, 502, 503, 504})
_WORDS: Final = 300
_LOOPBACK: Final = re.compile(r"localhost|127(?:\.\d{1,3}){3}|::1|\[::1\]", re.IGNORECASE)
_PIECE: Final = 64 * limits.KIB


class Answer(NamedTuple):
    """What a server answered; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Patience(NamedTuple):
    """How long to wait, in seconds, and how often to try.

    ``silence`` bounds each wait for the next bytes, ``answer`` the time of one whole answer. Between two tries passes
    ``backoff``, doubled each time, or what the server asks for by ``Retry-After``; a server that asks for more than
    ``longest_pause`` is not waited for.
    """

    connect: float = 10.0
    silence: float = 30.0
    answer: float = 90.0
    tries: int = 4
    backoff: float = 0.5
    longest_pause: float = 30.0


class Transport:
    """Sends requests. ``offline`` refuses each one before a socket is opened."""

    def __init__(
        self,
        patience: Patience | None = None,
        *,
        offline: bool = False,
        proxy: str | None = None,
        direct: Sequence[str] = (),
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take how patient to be, and what passes the time between two tries.

        ``proxy`` is asked for all servers but those on this machine and those whose names end in one of ``direct``.
        """
        self.patience = patience or Patience()
        self.offline = offline
        self._proxy = proxy
        self._direct = tuple(name for name in (entry.strip().lstrip(".").lower() for entry in direct) if name)
        self._pause = pause

    def send(  # noqa: PLR0913 - the parts of a request
        self,
        method: str,
        url: str,
        *,
        what: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        most_bytes: int = limits.ANSWER_BYTES,
        plain: bool = False,
        expected: frozenset[int] = frozenset(),
    ) -> Answer:
        """Send a request and return the answer of a 2xx status, or of one that is expected.

        ``what`` names the server in messages, ``plain`` admits ``http`` to other machines. A request may arrive more
        than once: an answer can be lost on the way back.

        Raises:
            ModelsignError: ``NETWORK_OFFLINE``, ``NETWORK_URL_REFUSED``, ``NETWORK_UNREACHABLE``,
                ``NETWORK_TIMEOUT``, ``NETWORK_TLS_REFUSED``, ``NETWORK_BUSY``, ``NETWORK_SERVER_FAILED``,
                ``NETWORK_REQUEST_REFUSED``, ``NETWORK_REDIRECTED`` or ``NETWORK_ANSWER_TOO_LARGE``.

        """
        check_url(url, what=what, plain=plain)
        if self.offline:
            raise error("NETWORK_OFFLINE", f"the {what} would have to be asked, and --offline forbids it")
        import urllib3

        sent = {"User-Agent": f"modelsign/{__version__}", "Accept-Encoding": "identity", **(headers or {})}
        retry = self._retry()
        with self._pool(url) as pool:
            while True:
                held: float | None = None
                try:
                    answer = self._once(pool, method, url, body, sent, most_bytes)
                except urllib3.exceptions.HTTPError as fault:
                    problem = _unreached(fault, what)
                    if isinstance(fault, urllib3.exceptions.SSLError):
                        raise problem from None
                else:
                    if answer.status not in _RETRIED or answer.status in expected:
                        return _checked(answer, what, most_bytes, expected)
                    problem = _refused(answer, what)
                    held = _retry_after(retry, answer)
                try:
                    retry = retry.increment(method, url)
                except urllib3.exceptions.MaxRetryError:
                    raise problem from None
                wait = max(retry.get_backoff_time(), self.patience.backoff) if held is None else held
                if wait > self.patience.longest_pause:
                    raise problem from None
                self._pause(wait)

    def _pool(self, url: str) -> PoolManager:
        from urllib.parse import urlsplit

        import urllib3

        host = (urlsplit(url).hostname or "").lower()
        direct = _LOOPBACK.fullmatch(host) or any(
            name in {host, "*"} or host.endswith(f".{name}") for name in self._direct
        )
        if self._proxy is None or direct:
            return urllib3.PoolManager(num_pools=1, retries=False)
        try:
            return urllib3.ProxyManager(self._proxy, num_pools=1, retries=False)
        except (urllib3.exceptions.HTTPError, ValueError):
            raise error("NETWORK_URL_REFUSED", "the proxy that the environment names is no URL") from None

    def _retry(self) -> Retry:
        from urllib3 import Retry

        return Retry(
            total=self.patience.tries - 1,
            backoff_factor=self.patience.backoff,
            backoff_max=self.patience.longest_pause,
            backoff_jitter=self.patience.backoff / 2,
        )

    def _once(  # noqa: PLR0913, PLR0917 - the parts of a request
        self,
        pool: PoolManager,
        method: str,
        url: str,
        body: bytes | None,
        headers: Mapping[str, str],
        most_bytes: int,
    ) -> Answer:
        """Send once and read at most one byte more than is allowed; what is longer is never drained."""
        from urllib3 import Timeout

        deadline = time.monotonic() + self.patience.answer
        response = pool.request(
            method,
            url,
            body=body,
            headers=headers,
            timeout=Timeout(connect=self.patience.connect, read=self.patience.silence),
            redirect=False,
            preload_content=False,
            decode_content=False,
        )
        try:
            return Answer(
                response.status,
                {name.lower(): value for name, value in response.headers.items()},
                _read(response, most_bytes, deadline),
            )
        finally:
            response.close()


def check_url(url: str, *, what: str, plain: bool = False) -> None:
    """Refuse what is no ``https`` URL; ``http`` is for this machine, or for answers that are signed (``plain``).

    Raises:
        ModelsignError: ``NETWORK_URL_REFUSED``.

    """
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host = ""
        parts = urlsplit("")
    shown = url[:_WORDS]
    if not host or parts.scheme not in {"https", "http"}:
        raise error("NETWORK_URL_REFUSED", f"the URL of the {what}, {shown!r}, is no https URL")
    if parts.username is not None or parts.password is not None:
        raise error("NETWORK_URL_REFUSED", f"the URL of the {what} holds a user's name or password")
    if parts.scheme == "http" and not plain and not _LOOPBACK.fullmatch(host):
        raise error("NETWORK_URL_REFUSED", f"the URL of the {what}, {shown!r}, is not encrypted")


def server_words(body: bytes) -> str:
    """Return what a server says about a refusal, in one short line: its JSON ``message``, or its text."""
    import json

    text = body[: 16 * limits.KIB].decode("utf-8", "replace")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if isinstance(document, dict):
        said = [document[name] for name in ("message", "error_description", "error") if name in document]
        text = next((word for word in said if isinstance(word, str)), text)
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text[: 2 * _WORDS]).split())
    return f"{line[:_WORDS]}…" if len(line) > _WORDS else line


def _read(response: BaseHTTPResponse, most_bytes: int, deadline: float) -> bytes:
    from urllib3.exceptions import ReadTimeoutError

    parts, left = [], most_bytes + 1
    while left > 0 and (part := response.read1(min(left, _PIECE), decode_content=False)):
        parts.append(part)
        left -= len(part)
        if time.monotonic() > deadline:
            raise ReadTimeoutError(None, "", "the answer takes too long")  # type: ignore[arg-type] # no pool to name
    return b"".join(parts)


def _checked(answer: Answer, what: str, most_bytes: int, expected: frozenset[int]) -> Answer:
    if answer.status in expected or answer.status // 100 == 2:  # noqa: PLR2004 - the class of an HTTP status
        if len(answer.body) > most_bytes:
            raise error("NETWORK_ANSWER_TOO_LARGE", f"the {what} answered with more than {most_bytes} bytes")
        return answer
    raise _refused(answer, what)


def _refused(answer: Answer, what: str) -> ModelsignError:
    said = server_words(answer.body)
    message = f"the {what} answered {answer.status}" + (f": {said}" if said else "")
    details: dict[str, object] = {"status": answer.status, "said": said}
    if answer.status == 429:  # noqa: PLR2004 - RFC 6585
        after = answer.headers.get("retry-after")
        hint = f"; it asks to wait for {server_words(after.encode())}" if after else ""
        return error("NETWORK_BUSY", message + hint, details=details)
    if answer.status // 100 == 5:  # noqa: PLR2004 - the class of an HTTP status
        return error("NETWORK_SERVER_FAILED", message, details=details)
    if answer.status // 100 == 3:  # noqa: PLR2004 - same
        target = server_words(answer.headers.get("location", "").encode())
        return error("NETWORK_REDIRECTED", f"the {what} sends on to {target or 'nowhere'}", details=details)
    return error("NETWORK_REQUEST_REFUSED", message, details=details)


def _unreached(fault: Exception, what: str) -> ModelsignError:
    from urllib3 import exceptions

    said = server_words(str(fault).encode("utf-8", "replace"))
    if isinstance(fault, exceptions.SSLError):
        return error("NETWORK_TLS_REFUSED", f"the {what} could not prove who it is: {said}")
    if isinstance(fault, exceptions.TimeoutError) and not isinstance(fault, exceptions.NewConnectionError):
        return error("NETWORK_TIMEOUT", f"the {what} did not answer in time: {said}")
    return error("NETWORK_UNREACHABLE", f"the {what} could not be reached: {said}")


def _retry_after(retry: Retry, answer: Answer) -> float | None:
    from urllib3.exceptions import InvalidHeader

    value = answer.headers.get("retry-after")
    try:
        return None if value is None else retry.parse_retry_after(value)
    except InvalidHeader:
        return None
