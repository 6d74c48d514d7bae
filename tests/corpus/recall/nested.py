"""Routes through bytes that hold a pickle themselves. Nothing here is ever loaded."""

from __future__ import annotations

import base64
import marshal
import struct
import zlib
from typing import TYPE_CHECKING

import picklebytes as p

from recall.parts import called, whole

if TYPE_CHECKING:
    from collections.abc import Callable


def _loaded(module: str, qualname: str) -> Callable[[str, str], bytes]:
    def route(gadget: str, name: str) -> bytes:
        return whole(called(module, qualname, p.binary(p.reduce_stack(gadget, name))))

    route.__name__ = f"nested_{module}_{qualname}".replace(".", "_")
    return route


CARRIERS = (
    ("pickle", "loads"), ("_pickle", "loads"), ("cloudpickle", "loads"), ("dill", "loads"), ("joblib", "load"),
    ("torch", "load"), ("pandas", "read_pickle"), ("numpy", "load"),
)  # fmt: skip
"""Functions that are handed the bytes of a pickle."""


def nested_zlib(module: str, qualname: str) -> bytes:
    """``pickle.loads(zlib.decompress(…))``."""
    packed = p.binary(zlib.compress(p.reduce_stack(module, qualname)))
    return whole(called("pickle", "loads", called("zlib", "decompress", packed)))


def nested_base64(module: str, qualname: str) -> bytes:
    """``pickle.loads(base64.b64decode(…))``."""
    packed = p.binary(base64.b64encode(p.reduce_stack(module, qualname)))
    return whole(called("_pickle", "loads", called("base64", "b64decode", packed)))


def nested_codec(module: str, qualname: str) -> bytes:
    """``pickle.loads(codecs.decode(…, 'base64'))``."""
    packed = p.binary(base64.encodebytes(p.reduce_stack(module, qualname)))
    return whole(called("pickle", "loads", called("codecs", "decode", packed, p.short("base64"))))


def nested_marshal(module: str, qualname: str) -> bytes:
    """``pickle.loads(marshal.loads(…))``."""
    packed = p.binary(marshal.dumps(p.reduce_stack(module, qualname)))
    return whole(called("pickle", "loads", called("marshal", "loads", packed)))


def nested_stream(module: str, qualname: str) -> bytes:
    """``pickle.Unpickler(io.BytesIO(…))`` and its ``load``."""
    stream = called("io", "BytesIO", p.binary(p.reduce_stack(module, qualname)))
    return whole(called("builtins", "getattr", called("pickle", "Unpickler", stream), p.short("load")) + b")R")


def nested_torch_in_text(module: str, qualname: str) -> bytes:
    """A PyTorch stream as text in Latin-1, as protocol 2 writes bytes."""
    inner = p.nested_torch(module, qualname)
    start = inner.index(b"B") + 5
    text = inner[start:-3].decode("latin-1").encode()
    made = p.name("_codecs", "encode") + b"X" + struct.pack("<I", len(text)) + text + p.short("latin1") + b"\x86R"
    return p.PROTO2 + p.name("torch.storage", "_load_from_bytes") + made + b"\x85R."


def nested_twice(module: str, qualname: str) -> bytes:
    """A PyTorch stream in the bytes of a PyTorch stream."""
    magic = p.PROTO2 + b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19." + p.PROTO2 + b"M\xe9\x03." + p.PROTO2 + b"}."
    inner = magic + p.nested_torch(module, qualname) + p.PROTO2 + b"]."
    return whole(called("torch.storage", "_load_from_bytes", p.binary(inner)))


NESTED: tuple[Callable[[str, str], bytes], ...] = (
    *(_loaded(*carrier) for carrier in CARRIERS),
    nested_zlib,
    nested_base64,
    nested_codec,
    nested_marshal,
    nested_stream,
    nested_torch_in_text,
    nested_twice,
)
"""Routes that call the name inside of other bytes."""
