"""Name constraints: for which names an authority may issue certificates (RFC 5280, section 4.2.1.10).

A constraint of a kind that is not compared here (otherName, registeredID, …) refuses every name of that kind: RFC 5280
leaves the choice between processing and refusing. Addresses in the subject (``emailAddress``) are held to the
constraints on e-mail as well, whether or not there are alternative names.
"""

# ruff: noqa: PLC0415
# cryptography costs more to import than everything else on the way to a verdict.

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from modelsign.errors import error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cryptography import x509

    from modelsign.signing.x509.certificates import Certificate

__all__ = ["check_names"]

_EMAIL_ADDRESS: Final = "1.2.840.113549.1.9.1"


def check_names(authority: Certificate, subject: Certificate) -> None:
    """Refuse a certificate with a name that the authority, somewhere above it in its chain, may not speak for.

    Raises:
        ModelsignError: ``CERTIFICATE_NAME_NOT_PERMITTED``.

    """
    constraints = authority.constraints
    if constraints is None:
        return
    excluded, permitted = constraints.excluded_subtrees or (), constraints.permitted_subtrees or ()
    for name in _names(subject):
        same_kind = [subtree for subtree in permitted if type(subtree) is type(name)]
        if any(type(subtree) is type(name) and _within(name, subtree, default=True) for subtree in excluded) or (
            same_kind and not any(_within(name, subtree, default=False) for subtree in same_kind)
        ):
            raise error(
                "CERTIFICATE_NAME_NOT_PERMITTED",
                f"{authority.subject_text} may not issue a certificate for {_shown(name)}",
            )


def _names(certificate: Certificate) -> list[x509.GeneralName]:
    from cryptography import x509

    names = list(certificate.names)
    if len(certificate.subject.rdns):
        names.append(x509.DirectoryName(certificate.subject))
    for attribute in certificate.subject:
        if attribute.oid.dotted_string == _EMAIL_ADDRESS:
            address = str(attribute.value)
            if not address.isascii():
                raise error(
                    "CERTIFICATE_NAME_NOT_PERMITTED", f"the e-mail address in {certificate.subject_text} is not ASCII"
                )
            names.append(x509.RFC822Name(address))
    return names


def _shown(name: x509.GeneralName) -> str:
    from cryptography import x509

    return name.value.rfc4514_string() if isinstance(name, x509.DirectoryName) else str(name.value)


def _within(name: x509.GeneralName, subtree: x509.GeneralName, *, default: bool) -> bool:
    """Say whether a name lies in a subtree of the same kind; ``default`` where that cannot be told."""
    from cryptography import x509

    if isinstance(name, x509.DirectoryName) and isinstance(subtree, x509.DirectoryName):
        base = _relative_names(subtree.value)
        return _relative_names(name.value)[: len(base)] == base
    if isinstance(name, x509.IPAddress) and isinstance(subtree, x509.IPAddress):
        return _address_within(name.value, subtree.value, default=default)
    compare: dict[type, Callable[[str, str], bool | None]] = {
        x509.DNSName: _dns_within,
        x509.RFC822Name: _email_within,
        x509.UniformResourceIdentifier: _uri_within,
    }
    for kind, within in compare.items():
        if isinstance(name, kind):
            found = within(str(name.value), str(subtree.value))
            return default if found is None else found
    return default


def _relative_names(name: x509.Name) -> list[frozenset[tuple[str, str | bytes]]]:
    """Return the relative names with case and white space made alike (RFC 5280, section 7.1)."""
    return [
        frozenset(
            (
                attribute.oid.dotted_string,
                " ".join(attribute.value.casefold().split()) if isinstance(attribute.value, str) else attribute.value,
            )
            for attribute in relative
        )
        for relative in name.rdns
    ]


def _address_within(value: object, network: object, *, default: bool) -> bool:
    if not isinstance(value, ipaddress.IPv4Address | ipaddress.IPv6Address):
        return default
    if not isinstance(network, ipaddress.IPv4Network | ipaddress.IPv6Network):
        return default
    return value.version == network.version and value in network


def _dns_within(name: str, base: str) -> bool | None:
    """Return whether a DNS name is the base or below it; a base with a leading dot means below only."""
    name, base = name.lower().rstrip("."), base.lower().rstrip(".")
    if not name.isascii() or not name:
        return None
    if not base:
        return True
    return name.endswith(base) if base.startswith(".") else name == base or name.endswith(f".{base}")


def _host_within(host: str, base: str) -> bool:
    """Return whether a host is the base itself, or below a base with a leading dot."""
    host, base = host.lower().rstrip("."), base.lower().rstrip(".")
    return host.endswith(base) if base.startswith(".") else host == base


def _email_within(address: str, base: str) -> bool | None:
    local, at, host = address.rpartition("@")
    if not at or not local or not host or '"' in address or "@" in local:
        return None
    base_local, at, base_host = base.rpartition("@")
    if at:
        return local == base_local and host.lower() == base_host.lower()
    return _host_within(host, base)


def _uri_within(uri: str, base: str) -> bool | None:
    """Return whether the host of a URI lies within; None for a URI without a host name, which must be refused."""
    try:
        host = urlsplit(uri).hostname
    except ValueError:
        return None
    if not host or _is_address(host) or not _plain(host):
        return None
    return _host_within(host, base)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _plain(host: str) -> bool:
    labels: Sequence[str] = host.rstrip(".").split(".")
    return all(label and all(sign.isascii() and (sign.isalnum() or sign in "-_") for sign in label) for label in labels)
