"""Messages between two processes of one machine over a pair of sockets: bounded strict JSON, and open descriptors.

A message is four bytes of length (big-endian) and so many bytes of one JSON object; descriptors travel with its first
byte (unix(7), ``SCM_RIGHTS``). Never reads more than the reader allows.
"""

from __future__ import annotations

import json
import socket
from array import array
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from modelsign import strictjson
from modelsign.errors import error

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["SMALL_BYTES", "Channel"]

SMALL_BYTES: Final = 16 * 1024 * 1024
"""Bytes of a message that holds names alone."""
_LENGTH: Final = 4
_CHUNK: Final = 1 << 20


class Channel:
    """One end of a pair of sockets; owns it."""

    def __init__(self, connection: socket.socket) -> None:
        """Take the socket."""
        self._socket = connection

    def close(self) -> None:
        """Close this end; safe to call twice."""
        self._socket.close()

    def send(self, message: Mapping[str, Any], descriptors: Sequence[int] = ()) -> None:
        """Send a message, and descriptors with it.

        Raises:
            ModelsignError: ``SANDBOX_ENDED`` where nobody reads any more.

        """
        body = json.dumps(message, separators=(",", ":"), allow_nan=False).encode("ascii")
        data = memoryview(len(body).to_bytes(_LENGTH, "big") + body)
        try:
            if self._socket.gettimeout() is not None:  # a confined process may not change the socket, and need not
                self._socket.settimeout(None)
            sent = 0
            if descriptors:
                sent = socket.send_fds(self._socket, [data], list(descriptors))
            self._socket.sendall(data[sent:])
        except OSError as fault:
            raise error("SANDBOX_ENDED", f"nobody listens: {fault.strerror or fault}") from None

    def receive(
        self, most_bytes: int, *, seconds: float | None = None, most_descriptors: int = 0
    ) -> tuple[dict[str, Any], list[int]]:
        """Return the next message and the descriptors that came with it; the caller closes these.

        Raises:
            ModelsignError: ``SANDBOX_ENDED`` where the other end was closed, ``SANDBOX_SILENT`` where the message is
                not there in time, ``SANDBOX_ANSWER`` where it is none.

        """
        until = None if seconds is None else monotonic() + seconds
        try:
            head, descriptors = self._head(until, most_descriptors)
            length = int.from_bytes(head, "big")
            if length > most_bytes:
                raise error("SANDBOX_ANSWER", f"a message has {length} bytes; the limit is {most_bytes}")
            body = self._exactly(length, until)
        except TimeoutError:
            raise error("SANDBOX_SILENT", f"there was no answer within {seconds} seconds") from None
        except OSError as fault:
            raise error("SANDBOX_ENDED", f"the connection broke: {fault.strerror or fault}") from None
        message = strictjson.loads(
            body, most_bytes=most_bytes, what="message", code="SANDBOX_ANSWER", half_surrogates=True
        )
        if not isinstance(message, dict):
            raise error("SANDBOX_ANSWER", "a message is no JSON object")
        return message, descriptors

    def _head(self, until: float | None, most: int) -> tuple[bytes, list[int]]:
        self._wait(until)
        size = array("i").itemsize
        space = socket.CMSG_SPACE(most * size) if most else 0
        flags = getattr(socket, "MSG_CMSG_CLOEXEC", 0)
        head, ancillary, _, _ = self._socket.recvmsg(_LENGTH, space, flags)
        found = array("i")
        for level, kind, data in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                found.frombytes(data[: len(data) - len(data) % size])
        if len(head) < _LENGTH:
            head += self._exactly(_LENGTH - len(head), until) if head else b""
        if not head:
            raise error("SANDBOX_ENDED", "the other process closed the connection")
        return head, found.tolist()

    def _exactly(self, length: int, until: float | None) -> bytes:
        data = bytearray()
        while len(data) < length:
            self._wait(until)
            chunk = self._socket.recv(min(length - len(data), _CHUNK))
            if not chunk:
                raise error("SANDBOX_ENDED", "the other process closed the connection in the middle of a message")
            data += chunk
        return bytes(data)

    def _wait(self, until: float | None) -> None:
        if until is None:
            return
        left = until - monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)
