"""The flags that say how to sign and whom to trust: one thin file per signing method.

A member has ``SIGN_OPTIONS`` and ``VERIFY_OPTIONS`` (tuples of ``click.option``), ``sealers(session, values)`` and
``trusts(session, values, now)``, which turn the values of its flags into what the library takes. Which of them are
used is decided by the flags that were given; nothing is ever guessed from a bundle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from modelsign.cli.methods import certificate, key, keyless, keyless_signing, kms, pkcs11
from modelsign.cli.sections import section
from modelsign.errors import error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from modelsign.cli.session import Session
    from modelsign.signing.sealer import Sealer
    from modelsign.signing.trust import Trust

__all__ = ["Values", "fetched", "sealers", "sign_options", "trusts", "verify_options"]

_Function = TypeVar("_Function", bound="Callable[..., Any]")
Values = "Mapping[str, Any]"
"""The values of a command's flags, by their names."""

_MEMBERS = (key, pkcs11, kms, keyless)
"""Members whose keys may have a certificate, which then signs in their stead, have ``raw_signers(session, values)``."""
_TITLES = {
    key: "Keys",
    pkcs11: "Keys on tokens",
    kms: "Keys at services",
    certificate: "Certificates",
    keyless: "Identities (Sigstore)",
    keyless_signing: "Identities (Sigstore)",
}
_SIGN_OPTIONS = [
    option
    for member in (*_MEMBERS, certificate, keyless_signing)
    for option in section(_TITLES[member], member.SIGN_OPTIONS)
]
_VERIFY_OPTIONS = [
    option for member in (*_MEMBERS, certificate) for option in section(_TITLES[member], member.VERIFY_OPTIONS)
]


def sign_options(function: _Function) -> _Function:
    """Add every flag that says how to sign."""
    for option in reversed(_SIGN_OPTIONS):
        function = option(function)
    return function


def verify_options(function: _Function) -> _Function:
    """Add every flag that says whom to trust."""
    for option in reversed(_VERIFY_OPTIONS):
        function = option(function)
    return function


def sealers(session: Session, values: Mapping[str, Any]) -> list[Sealer]:
    """Return every way to sign that the flags name, those that cannot be taken back last.

    Raises:
        ModelsignError: ``NO_SIGNING_METHOD``, or a reason of a method.

    """
    members, keys = list(_MEMBERS), []
    if values["certificate"]:
        keyed = [member for member in members if hasattr(member, "raw_signers")]
        keys = [found for member in keyed for found in member.raw_signers(session, values)]
        members = [member for member in members if member not in keyed]
    found = certificate.sealers(session, values, keys)
    found += [sealer for member in members for sealer in member.sealers(session, values)]
    found = [*keyless_signing.witnessed(session, values, found), *keyless_signing.sealers(session, values)]
    if not found:
        raise error("NO_SIGNING_METHOD", "nothing says how to sign")
    return found


def trusts(session: Session, values: Mapping[str, Any], now: datetime) -> list[Trust]:
    """Return everything that the flags say must have signed.

    Raises:
        ModelsignError: ``NO_TRUST_SOURCE``, or a reason of a method.

    """
    certified = certificate.trusts(
        session, values, now
    )  # first: it opens no socket, and refuses what contradicts itself
    found = [trust for member in _MEMBERS for trust in member.trusts(session, values, now)] + certified
    if not found:
        raise error("NO_TRUST_SOURCE", "nothing says who must have signed")
    return found


def fetched(
    session: Session, values: Mapping[str, Any], trusted: Sequence[Trust], bundles: Sequence[bytes]
) -> list[Trust]:
    """Return the trusts with everything that the flags want fetched before bundles are judged.

    Raises:
        ModelsignError: a reason of the network, or of what was fetched.

    """
    return certificate.fetched(session, values, trusted, bundles)
