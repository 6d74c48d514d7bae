"""An HTTP server on loopback that answers as a test tells it to, and remembers what it was asked."""

from __future__ import annotations

import contextlib
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True)
class Says:
    """One answer; `drip` is how many seconds pass before each byte of the body, `hang_up` closes without a word."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    drip: float = 0.0
    hang_up: bool = False


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Scripted:
    """`answers` are given in turn; the last one again and again."""

    url: str
    answers: list[Says]
    asked: list[Asked] = field(default_factory=list)

    def next(self) -> Says:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class _Handler(BaseHTTPRequestHandler):
    state: Scripted

    def _answer(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        self.state.asked.append(Asked(self.command, self.path, dict(self.headers), self.rfile.read(length)))
        says = self.state.next()
        self.close_connection = True
        if says.hang_up:
            return
        self.send_response(says.status)
        for name, value in {"Content-Length": str(len(says.body)), **says.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        pieces = [says.body] if not says.drip else [bytes([byte]) for byte in says.body]
        for piece in pieces:
            self.wfile.write(piece)
            self.wfile.flush()
            time.sleep(says.drip)

    do_GET = do_POST = _answer  # noqa: N815 - the standard library's names

    def log_message(self, *_: object) -> None:
        """Stay quiet."""

    def handle(self) -> None:
        with contextlib.suppress(OSError):  # the client went away
            super().handle()


@contextmanager
def scripted(*answers: Says) -> Iterator[Scripted]:
    """Serve these answers until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {}))
    server.daemon_threads = True
    state = Scripted(f"http://127.0.0.1:{server.server_address[1]}", list(answers))
    server.RequestHandlerClass.state = state
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
