"""What a Fulcio certificate confirms of its holder, by name.

The extensions are those under 1.3.6.1.4.1.57264.1 (sigstore/fulcio, ``docs/oid-info.md``). Numbers 1 to 6 hold bare
text, all later ones a DER UTF8String. Names are Fulcio's, in lower case with underscores.
"""

# ruff: noqa: PLC0415
# cryptography costs more to import than everything else on the way to a verdict.

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign.errors import error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.x509 import Certificate

__all__ = ["CLAIMS", "OTHER_NAME", "read_claims", "read_utf8_string"]

_ARC: Final = "1.3.6.1.4.1.57264.1."
OTHER_NAME: Final = f"{_ARC}7"
"""The kind of alternative name for identities that are neither a mail address nor a URI."""
_BARE: Final = {
    1: "issuer_v1",
    2: "github_workflow_trigger",
    3: "github_workflow_sha",
    4: "github_workflow_name",
    5: "github_workflow_repository",
    6: "github_workflow_ref",
}
_ENCODED: Final = {
    8: "issuer",
    9: "build_signer_uri",
    10: "build_signer_digest",
    11: "runner_environment",
    12: "source_repository_uri",
    13: "source_repository_digest",
    14: "source_repository_ref",
    15: "source_repository_identifier",
    16: "source_repository_owner_uri",
    17: "source_repository_owner_identifier",
    18: "build_config_uri",
    19: "build_config_digest",
    20: "build_trigger",
    21: "run_invocation_uri",
    22: "source_repository_visibility_at_signing",
    23: "deployment_environment",
    24: "token_subject",
}
CLAIMS: Final[Mapping[str, str]] = {name: f"{_ARC}{number}" for number, name in sorted({**_BARE, **_ENCODED}.items())}
"""Each claim's name → its extension's object identifier."""
_NAMES: Final = {f"{_ARC}{number}": (name, number in _BARE) for number, name in {**_BARE, **_ENCODED}.items()}
_UTF8_STRING: Final = 0x0C
_LONG: Final = 0x80


def read_claims(certificate: Certificate) -> dict[str, str]:
    """Return a certificate's claims by name; extensions that are not known are left out.

    Raises:
        ModelsignError: ``CERTIFICATE_NOT_FOR_SIGNING`` where a known one is malformed.

    """
    from cryptography.x509 import UnrecognizedExtension

    found: dict[str, str] = {}
    for extension in certificate.extensions:
        if not isinstance(extension.value, UnrecognizedExtension) or extension.oid.dotted_string not in _NAMES:
            continue
        name, bare = _NAMES[extension.oid.dotted_string]
        try:
            found[name] = extension.value.value.decode() if bare else read_utf8_string(extension.value.value)
        except ValueError:
            raise error("CERTIFICATE_NOT_FOR_SIGNING", f"the certificate's extension {name} is malformed") from None
    return found


def read_utf8_string(der: bytes) -> str:
    """Return the text of exactly one DER UTF8String (X.690, sections 8.1 and 10.1).

    Raises:
        ValueError: it is anything else.

    """
    if len(der) < 2 or der[0] != _UTF8_STRING:  # noqa: PLR2004 - tag and length
        message = "not a UTF8String"
        raise ValueError(message)
    length, start = der[1], 2
    if length >= _LONG:
        start += length - _LONG
        length = int.from_bytes(der[2:start])
        if length < _LONG or der[2:3] == b"\0":
            message = "not the shortest length"
            raise ValueError(message)
    if start + length != len(der):
        message = "bytes are missing or left over"
        raise ValueError(message)
    return der[start:].decode()
