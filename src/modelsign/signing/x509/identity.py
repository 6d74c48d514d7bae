r"""Whose certificate it must be: names of certificates, and what a caller asks of them.

A certificate's names are its alternative names (RFC 5280, section 4.2.1.6) and its subject. Each is written
``kind:value``: ``uri:``, ``email:``, ``dns:``, ``ip:``, ``other:`` (``other:OID:value``), ``directory:``,
``registered:``, and ``subject:`` with the subject as RFC 4514 writes it. What the caller asks is compared with names
of one kind only, the one in front of it or the one its form implies, so that a name of a kind that an authority does
not check can never stand for another. Values are compared exactly, case included.

In globs ``*`` stands for any characters but the kind's separators (``/ ? # @ : \`` in URIs, ``@`` in e-mail addresses,
``.`` in DNS names, ``, + \`` in directory names), ``**`` for any at all, ``?`` for one that is no separator. Subjects
are compared attribute by attribute, so that a comma in a common name cannot stand for a further attribute. Matching
takes time linear in the value (:mod:`modelsign.pattern`).
"""

# ruff: noqa: PLC0415
# cryptography costs more to import than everything else on the way to a verdict.

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from modelsign import pattern
from modelsign.errors import error
from modelsign.signing.sigstore.identities import regexp

if TYPE_CHECKING:
    from cryptography import x509

    from modelsign.signing.x509.certificates import Certificate

__all__ = ["Identity", "any_identity", "exact_identity", "glob_identity", "names_of", "regexp_identity"]

_KINDS: Final = ("uri", "email", "dns", "ip", "other", "directory", "registered", "subject")
_SEPARATORS: Final = {"uri": "/?#@:\\", "email": "@", "dns": ".", "directory": ",+\\"}
_SHOWN: Final = 10
_ORGANIZATION: Final = "2.5.4.10"
_UTF8_STRING: Final = 0x0C
_SHORT_LENGTH: Final = 0x80
_URI: Final = re.compile(r"\^?[A-Za-z][A-Za-z0-9+.\-]*:")
_SUBJECT: Final = re.compile(r"(?:[A-Za-z][A-Za-z0-9\-]*|[0-9]+(?:\.[0-9]+)+)=")

_Relative = list[tuple[str, str | bytes]]


class Identity(NamedTuple):
    """What the caller asks of a certificate's names; made by the functions of this module.

    ``kind`` None asks for nothing. ``organization``, where given, must be the only organization in the subject.
    """

    kind: str | None
    value: str
    mode: Literal["exact", "glob", "regexp"]
    organization: str | None

    @property
    def label(self) -> str:
        """The identity in words."""
        if self.kind is None:
            words = "any identity"
        else:
            words = f"the identity {'' if self.exact else f'{self.mode} '}{self.kind}:{self.value}"
        return words if self.organization is None else f"{words} of {self.organization}"

    @property
    def exact(self) -> bool:
        """Whether only one identity can meet it."""
        return self.kind is not None and self.mode == "exact"

    def match(self, certificate: Certificate) -> str:
        """Return the name of the certificate that meets this, as ``kind:value``.

        Raises:
            ModelsignError: ``CERTIFICATE_IDENTITY_MISMATCH``.

        """
        names = names_of(certificate)
        if self.organization is not None:
            found = [value for oid, value in _attributes(certificate.subject) if oid == _ORGANIZATION]
            if found != [self.organization]:
                shown = " and ".join(str(value) for value in found[:_SHOWN]) or "none"
                raise error(
                    "CERTIFICATE_IDENTITY_MISMATCH",
                    f"the certificate's organization is {shown}, not {self.organization}",
                    details={"names": list(names)},
                )
        if self.kind is None:
            return names[0] if names else f"subject:{certificate.subject_text}"
        if self.kind == "subject":
            if self._subject_meets(certificate.subject):
                return f"subject:{certificate.subject_text}"
        else:
            for name in names:
                kind, _, value = name.partition(":")
                if kind == self.kind and self._meets(value):
                    return name
        shown = ", ".join([*names[:_SHOWN], f"subject:{certificate.subject_text}"])
        raise error(
            "CERTIFICATE_IDENTITY_MISMATCH",
            f"the certificate belongs to {shown}, not to {self.label}",
            details={"names": list(names), "subject": certificate.subject_text},
        )

    def meets(self, kind: str, value: str) -> bool:
        """Say whether a name of this kind is the one that is asked for, whatever else a certificate says.

        Raises:
            ModelsignError: ``CERTIFICATE_IDENTITY_MALFORMED`` for a subject that is none.

        """
        if kind != self.kind:
            return False
        return self._subject_meets(_read_subject(value)) if kind == "subject" else self._meets(value)

    def _meets(self, value: str) -> bool:
        if self.mode == "exact":
            return value == self.value
        if self.mode == "regexp":
            return regexp(self.value).matches(value)
        return pattern.glob(self.value, _SEPARATORS.get(self.kind or "", "")).matches(value)

    def _subject_meets(self, subject: x509.Name) -> bool:
        wanted, found = _relative_names(_read_subject(self.value)), _relative_names(subject)
        if self.mode == "exact":
            return wanted == found
        return len(wanted) == len(found) and all(map(_relative_meets, wanted, found))


def exact_identity(text: str, *, organization: str | None = None) -> Identity:
    """Ask for one identity, exactly.

    Raises:
        ModelsignError: ``CERTIFICATE_IDENTITY_REQUIRED`` or ``CERTIFICATE_IDENTITY_MALFORMED``.

    """
    return _identity(text, organization, "exact")


def glob_identity(text: str, *, organization: str | None = None) -> Identity:
    """Ask for an identity that a glob matches.

    Raises:
        ModelsignError: ``CERTIFICATE_IDENTITY_REQUIRED`` or ``CERTIFICATE_IDENTITY_MALFORMED``.

    """
    if len(text) > pattern.MOST_PATTERN:
        raise error(
            "CERTIFICATE_IDENTITY_MALFORMED",
            f"the pattern has {len(text)} characters; the limit is {pattern.MOST_PATTERN}",
        )
    return _identity(text, organization, "glob")


def regexp_identity(text: str, *, organization: str | None = None) -> Identity:
    """Ask for an identity that a regular expression matches as a whole; subjects are not compared so.

    Raises:
        ModelsignError: ``CERTIFICATE_IDENTITY_REQUIRED``, ``CERTIFICATE_IDENTITY_MALFORMED`` or
            ``IDENTITY_PATTERN_INVALID``.

    """
    return _identity(text, organization, "regexp")


def any_identity(*, organization: str | None = None) -> Identity:
    """Ask for no identity: everybody whom the roots ever certified is accepted."""
    return Identity(None, "", "exact", organization)


def names_of(certificate: Certificate) -> tuple[str, ...]:
    """Return every alternative name as ``kind:value``."""
    from cryptography import x509

    kinds: dict[type, str] = {
        x509.UniformResourceIdentifier: "uri",
        x509.RFC822Name: "email",
        x509.DNSName: "dns",
        x509.IPAddress: "ip",
    }
    found = []
    for name in certificate.names:
        if isinstance(name, x509.OtherName):
            found.append(f"other:{name.type_id.dotted_string}:{_other_value(name.value)}")
        elif isinstance(name, x509.DirectoryName):
            found.append(f"directory:{name.value.rfc4514_string()}")
        elif isinstance(name, x509.RegisteredID):
            found.append(f"registered:{name.value.dotted_string}")
        else:
            found.append(f"{kinds[type(name)]}:{name.value}")
    return tuple(found)


def _identity(text: str, organization: str | None, mode: Literal["exact", "glob", "regexp"]) -> Identity:
    kind, mark, value = text.partition(":")
    if not mark or kind not in _KINDS:
        kind, value = _implied_kind(text), text
    if not value:
        raise error("CERTIFICATE_IDENTITY_REQUIRED", "the identity is empty")
    if organization is not None and not organization:
        raise error("CERTIFICATE_IDENTITY_MALFORMED", "the organization is empty")
    if kind == "subject":
        if mode == "regexp":
            raise error("CERTIFICATE_IDENTITY_MALFORMED", "subjects are compared with globs, not expressions")
        _read_subject(value)
    if mode == "regexp":
        regexp(value)
    return Identity(kind, value, mode, organization)


def _implied_kind(text: str) -> str:
    if _SUBJECT.match(text):
        return "subject"
    if _URI.match(text):
        return "uri"
    return "email" if "@" in text else "dns"


def _read_subject(text: str) -> x509.Name:
    from cryptography import x509

    try:
        return x509.Name.from_rfc4514_string(text)
    except ValueError:
        raise error(
            "CERTIFICATE_IDENTITY_MALFORMED", f"{text[:200]} is not a subject as RFC 4514 writes it (CN=…,O=…)"
        ) from None


def _attributes(name: x509.Name) -> _Relative:
    return [(attribute.oid.dotted_string, attribute.value) for attribute in name]


def _relative_names(name: x509.Name) -> list[_Relative]:
    return [sorted(((entry.oid.dotted_string, entry.value) for entry in relative), key=repr) for relative in name.rdns]


def _relative_meets(wanted: _Relative, found: _Relative) -> bool:
    return len(wanted) == len(found) and all(
        left == right and isinstance(glob, str) and isinstance(value, str) and pattern.glob(glob, "").matches(value)
        for (left, glob), (right, value) in zip(wanted, found, strict=True)
    )


def _other_value(data: bytes) -> str:
    """Return the text of a DER UTF8String in short or long form, else the bytes in hex."""
    if len(data) > 1 and data[0] == _UTF8_STRING:
        count = data[1] - _SHORT_LENGTH if data[1] > _SHORT_LENGTH else 0
        length = int.from_bytes(data[2 : 2 + count], "big") if count else data[1]
        text = data[2 + count :]
        if len(text) == length:
            try:
                return text.decode("utf-8")
            except UnicodeDecodeError:
                pass
    return f"#{data.hex()}"
