"""PKCS#11 URIs (RFC 7512): which key in which token, and where its PIN is.

Stricter than the RFC where it leaves a choice: an attribute that is not in the RFC is refused wherever it stands, since
one that narrows the choice must not be overlooked; ``pin-source`` is a file with an absolute path, and a PIN in the URI
itself (``pin-value``) is taken only where the caller says that nobody else sees the URI.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar
from urllib.parse import unquote_to_bytes

from modelsign import limits
from modelsign.errors import error

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsign.errors import ModelsignError

__all__ = ["Pkcs11Uri", "parse_pkcs11_uri"]

_Value = TypeVar("_Value")
SCHEME: Final = "pkcs11:"
_TEXTS: Final = frozenset(
    {
        "library-description",
        "library-manufacturer",
        "manufacturer",
        "model",
        "object",
        "serial",
        "slot-description",
        "slot-manufacturer",
        "token",
    }
)
_PATH: Final = _TEXTS | {"id", "library-version", "slot-id", "type"}
_QUERY: Final = frozenset({"module-name", "module-path", "pin-source", "pin-value"})
_CHARACTER: Final = r"(?:[A-Za-z0-9\-._~:\[\]@!$'()*+,=/&|?]|%[0-9A-Fa-f]{2})"
_ATTRIBUTE: Final = re.compile(rf"([a-z][a-z0-9-]{{0,30}})=({_CHARACTER}*)")
_NAME: Final = re.compile(r"[A-Za-z0-9._+-]{1,100}")
_VERSION: Final = re.compile(r"(\d{1,3})(?:\.(\d{1,3}))?")
_SLOT: Final = re.compile(r"\d{1,20}")


class Pkcs11Uri(NamedTuple):
    """What a URI says.

    ``texts`` are the attributes that are compared with what library, slot and token say of themselves, ``label`` and
    ``id`` are the object's. ``pin_file`` is an absolute path; ``pin`` is a secret and is never shown.
    """

    texts: dict[str, str]
    label: str | None = None
    id: bytes | None = None
    slot_id: int | None = None
    library_version: tuple[int, int | None] | None = None
    module_name: str | None = None
    module_path: str | None = None
    pin_file: str | None = None
    pin: bytes | None = None

    def __repr__(self) -> str:
        """Show everything but the PIN."""
        return f"Pkcs11Uri({self})"

    def __str__(self) -> str:
        """Say what is looked for, as in a message."""
        shown = {**self.texts, "object": self.label, "id": self.id.hex() if self.id else None, "slot-id": self.slot_id}
        return ", ".join(f"{name} {value!r}" for name, value in shown.items() if value is not None) or "any"


def parse_pkcs11_uri(uri: str, *, pin_allowed: bool = False) -> Pkcs11Uri:
    """Read a URI. ``pin_allowed`` says that nobody else sees it, so that it may hold the PIN.

    Raises:
        ModelsignError: ``PKCS11_URI_INVALID``, or ``PKCS11_PIN_EXPOSED`` for a PIN where others see it.

    """
    if len(uri) > limits.NAME_BYTES:
        raise _invalid(f"it has more than {limits.NAME_BYTES} characters")
    if not uri.startswith(SCHEME):
        raise _invalid(f"it does not begin with {SCHEME}")
    path, mark, query = uri.removeprefix(SCHEME).partition("?")
    attributes = _attributes(path, ";", _PATH)
    query_attributes = _attributes(query, "&", _QUERY) if mark else {}
    if "pin-value" in query_attributes and not pin_allowed:
        raise error("PKCS11_PIN_EXPOSED", "the PKCS#11 URI on the command line holds the PIN")
    if {"pin-value", "pin-source"} <= query_attributes.keys():
        raise _invalid("it has both pin-value and pin-source")
    if attributes.get("type", b"private") not in (b"private", b"public"):
        raise _invalid("its type is neither private nor public; a key pair signs")
    if "object" not in attributes and "id" not in attributes:
        raise _invalid("it names no key: give object=LABEL, id=%01, or both")
    texts = {name: _text(name, value) for name, value in attributes.items() if name in _TEXTS}
    pin = query_attributes.get("pin-value")
    return Pkcs11Uri(
        texts={name: value for name, value in texts.items() if name != "object"},
        label=texts.get("object"),
        id=attributes.get("id"),
        slot_id=_optional(attributes, "slot-id", _slot),
        library_version=_optional(attributes, "library-version", _version),
        module_name=_optional(query_attributes, "module-name", _module_name),
        module_path=_optional(query_attributes, "module-path", _absolute),
        pin_file=_optional(query_attributes, "pin-source", _pin_file),
        pin=pin or None,
    )


def _attributes(part: str, separator: str, known: frozenset[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for word in part.split(separator) if part else ():
        attribute = _ATTRIBUTE.fullmatch(word)
        if attribute is None:  # what is wrong may be the PIN: not shown
            raise _invalid("an attribute is not written name=value, with other characters as %XX")
        name, value = attribute[1], attribute[2]
        if name not in known:
            raise _invalid(f"the attribute {name} is not known {'before' if separator == ';' else 'after'} the '?'")
        if name in found:
            raise _invalid(f"the attribute {name} stands there twice")
        found[name] = unquote_to_bytes(value)
    return found


def _optional(attributes: dict[str, bytes], name: str, read: Callable[[str, bytes], _Value]) -> _Value | None:
    return read(name, attributes[name]) if name in attributes else None


def _text(name: str, value: bytes) -> str:
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        raise _invalid(f"the attribute {name} is not UTF-8") from None
    if "\0" in text:
        raise _invalid(f"the attribute {name} holds a NUL")
    return text


def _slot(name: str, value: bytes) -> int:
    text = _text(name, value)
    if not _SLOT.fullmatch(text) or not text.isascii():
        raise _invalid("the slot-id is no number")
    return int(text)


def _version(name: str, value: bytes) -> tuple[int, int | None]:
    found = _VERSION.fullmatch(_text(name, value))
    if found is None or not found[0].isascii():
        raise _invalid("the library-version is not written MAJOR.MINOR")
    return int(found[1]), None if found[2] is None else int(found[2])


def _module_name(name: str, value: bytes) -> str:
    text = _text(name, value)
    if not _NAME.fullmatch(text):
        raise _invalid("the module-name is no plain name of a file")
    return text


def _absolute(name: str, value: bytes) -> str:
    text = _text(name, value)
    if not text.startswith("/"):
        raise _invalid(f"the {name} is no absolute path")
    return text


def _pin_file(name: str, value: bytes) -> str:
    text = _text(name, value)
    if text.startswith("|"):
        raise _invalid("its pin-source is a program, and none is started")
    if text.startswith("file:"):
        text = text.removeprefix("file:")
        text = text.removeprefix("//localhost") if text.startswith("//localhost/") else text
        text = text.removeprefix("//") if text.startswith("///") else text
    return _absolute(name, text.encode())


def _invalid(why: str) -> ModelsignError:
    return error("PKCS11_URI_INVALID", f"the PKCS#11 URI cannot be used: {why}")
