"""The parts routes are put together from."""

from __future__ import annotations

import picklebytes as p

ONE = p.ARGUMENT
CALL = ONE + b"R"


def argument(*parts: bytes) -> bytes:
    """A tuple of parts."""
    return b"(" + b"".join(parts) + b"t"


def called(module: str, qualname: str, *parts: bytes) -> bytes:
    """A name called with parts."""
    return p.stack_name(module, qualname) + argument(*parts) + b"R"


def whole(body: bytes) -> bytes:
    """A pickle of protocol 4."""
    return p.PROTO4 + body + b"."
