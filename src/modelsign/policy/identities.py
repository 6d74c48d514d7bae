"""Identities in a policy: whose certificate a signature must have been made with.

An identity is exact unless it says ``_glob`` or ``_regexp``, and patterns match as a whole. One with an issuer is
Sigstore's; one without is a name in a certificate under roots that the caller gives. Identities may stand in the policy
itself: without what anchors them, which the caller gives, they are nobody's.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from msgspec import Meta

from modelsign import limits, pattern, strictjson
from modelsign.errors import ModelsignError, error
from modelsign.policy.rule import Strict
from modelsign.signing.sigstore import fulcio_claims, identities

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.signing.sigstore.identities import Matcher
    from modelsign.signing.x509.identity import Identity as CertificateIdentity

__all__ = ["Identity", "from_value", "has_issuer", "read_identity"]

_CLAIM: Final = "claims."
_SHOWN: Final = 200
Text = Annotated[str, Meta(min_length=1, max_length=2048)]
Pattern = Annotated[str, Meta(min_length=1, max_length=pattern.MOST_PATTERN)]
Claims = Annotated[dict[str, Text], Meta(min_length=1, max_length=30)]


class Identity(Strict, frozen=True, kw_only=True):
    """Whoever is meant: exactly one of the first three fields, and for Sigstore exactly one of the issuer's.

    ``claims`` are what else the issuer must have confirmed, exactly, by the names of Fulcio's extensions in lower case
    (``source_repository_uri``). ``organization`` is the one in the subject of a certificate that has no issuer here.
    """

    identity: Text | None = None
    identity_glob: Pattern | None = None
    identity_regexp: Pattern | None = None
    issuer: Text | None = None
    issuer_glob: Pattern | None = None
    issuer_regexp: Pattern | None = None
    claims: Claims | None = None
    organization: Text | None = None

    def __post_init__(self) -> None:
        """Refuse what is nobody, or two at once; msgspec reports the ValueError with its place."""
        names = (self.identity, self.identity_glob, self.identity_regexp)
        issuers = (self.issuer, self.issuer_glob, self.issuer_regexp)
        if sum(name is not None for name in names) != 1:
            message = "an identity is exactly one of identity, identity_glob and identity_regexp"
            raise ValueError(message)
        if sum(issuer is not None for issuer in issuers) > 1:
            message = "an issuer is exactly one of issuer, issuer_glob and issuer_regexp"
            raise ValueError(message)
        problem = self._misplaced()
        if problem is not None:
            raise ValueError(problem)
        try:
            asked = (self.name_matcher, self.issuer_matcher) if self.has_issuer else (self.certificate_identity,)
        except ModelsignError as fault:
            raise ValueError(fault.message) from None
        del asked

    def _misplaced(self) -> str | None:
        if not self.has_issuer and self.claims is not None:
            return "claims are confirmed by an issuer, and none is named"
        if self.has_issuer and self.organization is not None:
            return "organization is about certificates without an issuer"
        strange = sorted(set(self.claims or ()) - fulcio_claims.CLAIMS.keys())
        return f"there is no claim of the name {strange[0][:_SHOWN]}" if strange else None

    @property
    def has_issuer(self) -> bool:
        """Whether it is Sigstore's."""
        return any(text is not None for text in (self.issuer, self.issuer_glob, self.issuer_regexp))

    @property
    def value(self) -> str:
        """The canonical JSON: what a policy's digest and a rule's facts know it by."""
        return strictjson.canonical(msgspec.to_builtins(self)).decode()

    @property
    def name_matcher(self) -> Matcher:
        """What its name must match."""
        return _matcher(self.identity, self.identity_glob, self.identity_regexp)

    @property
    def issuer_matcher(self) -> Matcher:
        """What its issuer must match; only where :attr:`has_issuer`."""
        return _matcher(self.issuer, self.issuer_glob, self.issuer_regexp)

    def means(self, name: str, issuer: str | None, claims: Mapping[str, str]) -> bool:
        """Say whether an identity that an issuer confirmed is meant; only where :attr:`has_issuer`."""
        return (
            issuer is not None
            and self.name_matcher.matches(name)
            and self.issuer_matcher.matches(issuer)
            and all(claims.get(claim) == value for claim, value in (self.claims or {}).items())
        )

    @property
    def certificate_identity(self) -> CertificateIdentity:
        """What a certificate's names must be; only where it has no issuer.

        Raises:
            ModelsignError: ``CERTIFICATE_IDENTITY_REQUIRED`` or ``CERTIFICATE_IDENTITY_MALFORMED``.

        """
        from modelsign.signing.x509 import identity as certificate_identity  # noqa: PLC0415 - only where a certificate is used

        organization = self.organization
        if self.identity_glob is not None:
            return certificate_identity.glob_identity(self.identity_glob, organization=organization)
        if self.identity_regexp is not None:
            return certificate_identity.regexp_identity(self.identity_regexp, organization=organization)
        return certificate_identity.exact_identity(self.identity or "", organization=organization)


def _matcher(exact: str | None, glob: str | None, regexp: str | None) -> Matcher:
    if exact is not None:
        return identities.exactly(exact)
    return identities.glob(glob) if glob is not None else identities.regexp(regexp or "")


def has_issuer(value: str) -> bool:
    """Say of a parameter's value whether it is an identity of Sigstore's."""
    return from_value(value).has_issuer


def from_value(value: str) -> Identity:
    """Return the identity of a value that :attr:`Identity.value` made."""
    return msgspec.convert(json.loads(value), Identity)


def read_identity(name: str, given: str | Mapping[str, Any]) -> Identity:
    """Read an identity that the caller gives to the parameter ``name``.

    It is a JSON object, or short: ``identity=N,issuer=U,claims.source_repository_uri=R``. In the short form no value
    holds a comma; what does is written as JSON.

    Raises:
        ModelsignError: ``PARAMETER_INVALID``.

    """
    if isinstance(given, str):
        if given.lstrip().startswith("{"):
            what = f"parameter {name}"
            value = strictjson.loads(given.encode(), most_bytes=limits.KEY_BYTES, what=what, code="PARAMETER_INVALID")
        else:
            value = _short(name, given)
    else:
        value = dict(given)
    try:
        return msgspec.convert(value, Identity)
    except msgspec.ValidationError as fault:
        raise error("PARAMETER_INVALID", f"the parameter {name}: {fault}", advice=_ADVICE) from None


_ADVICE: Final = "Write identity=NAME,issuer=URL (also identity_glob, identity_regexp, claims.NAME), or a JSON object."


def _short(name: str, text: str) -> dict[str, Any]:
    value: dict[str, Any] = {}
    claims: dict[str, str] = {}
    for part in text.split(","):
        field, separator, content = part.partition("=")
        into, key = (claims, field.removeprefix(_CLAIM)) if field.startswith(_CLAIM) else (value, field)
        if not separator or key in into:
            why = f"{part[:_SHOWN]!r} is not field=value" if not separator else f"{field[:_SHOWN]} stands twice"
            raise error("PARAMETER_INVALID", f"the parameter {name}: {why}", advice=_ADVICE)
        into[key] = content
    return {**value, "claims": claims} if claims else value
