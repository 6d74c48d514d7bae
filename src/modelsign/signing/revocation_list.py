"""The signed revocation list: which keys, identities, signatures and models do not count any more.

A document of our own in a DSSE bundle, under a payload type of its own: a key that signs models signs no list by
accident, and a list is never taken for an attestation. Whoever verifies names the keys that may sign it. A list has a
version that only grows, a time of issue and one of expiry, because what is missing from it decides: without them an old
list, from before an entry was added, would be as good as the present one.

Reading and writing never ask a clock.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign import limits, strictjson, timestamp
from modelsign.errors import ModelsignError, error
from modelsign.signing.bundle import parse_bundle
from modelsign.signing.envelope import sealer_of, trusts_of
from modelsign.signing.trust import ask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from modelsign.signing.keys import SigningKey, VerifyKey
    from modelsign.signing.sealer import Sealed, Sealer
    from modelsign.signing.trust import Trust
    from modelsign.verdict import Signer

__all__ = [
    "KINDS",
    "PAYLOAD_TYPE",
    "REASON_CHARACTERS",
    "RevocationList",
    "Revoked",
    "open_list",
    "parse_list",
    "seal_list",
    "write_list",
    "written",
]

PAYLOAD_TYPE: Final = "application/vnd.modelsign.revocation-list+json"
LIST_TYPE: Final = "https://modelsign.dev/revocation-list/v1"
KINDS: Final[Mapping[str, str]] = {
    "key": "sha256",
    "identity": "identity",
    "signature": "sha256",
    "model": "dirHash1",
    "file": "sha256",
}
"""What an entry can revoke, and the field that names it."""
_SINCE: Final = frozenset({"key", "identity"})
"""Of these an entry can say since when; what is wrong with a model or a signature was always wrong."""
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
REASON_CHARACTERS: Final = 1000


class Revoked(NamedTuple):
    """One entry.

    ``kind`` is ``key`` (``value``: SHA-256 of the DER SubjectPublicKeyInfo), ``identity`` (a subject or alternative
    name of a certificate, with ``issuer`` only as one that issuer confirmed), ``signature`` (SHA-256 of the DSSE
    pre-authentication encoding, which is what was signed), ``model`` (a tree digest) or ``file`` (SHA-256 of the bytes
    of any file). ``since`` is when a key or identity got into other hands; None means that nothing by it counts.
    """

    kind: str
    value: str
    reason: str
    revoked: datetime
    since: datetime | None = None
    issuer: str | None = None


class RevocationList(NamedTuple):
    """What a list says. ``signer`` is who signed it, None before that was verified."""

    version: int
    issued: datetime
    expires: datetime
    entries: tuple[Revoked, ...] = ()
    signer: Signer | None = None


def write_list(revocations: RevocationList) -> bytes:
    """Write a list as it is signed; one list gives one sequence of bytes.

    Raises:
        ModelsignError: ``REVOCATION_LIST_MALFORMED`` where it could not be read again.

    """
    payload = strictjson.canonical(
        {
            "type": LIST_TYPE,
            "version": revocations.version,
            "issued": timestamp.write(revocations.issued),
            "expires": timestamp.write(revocations.expires),
            "entries": [written(entry) for entry in revocations.entries],
        }
    )
    parse_list(payload)
    return payload


def seal_list(revocations: RevocationList, sealer: SigningKey | Sealer) -> Sealed:
    """Sign a list.

    Raises:
        ModelsignError: ``REVOCATION_LIST_MALFORMED``, or a reason of the signing method.

    """
    return sealer_of(sealer).seal(PAYLOAD_TYPE, write_list(revocations))


def open_list(data: bytes, trusted: Sequence[VerifyKey | Trust]) -> RevocationList:
    """Verify a list's signature by one of those trusted with revocation, then read it.

    Whether it is fresh is another question: :func:`modelsign.signing.freshness.check_freshness`.

    Raises:
        ModelsignError: ``REVOCATION_NOT_ASKED`` where nobody is trusted with it, ``REVOCATION_LIST_UNTRUSTED`` or
            ``REVOCATION_LIST_MALFORMED``.

    """
    trusts = trusts_of(trusted)
    if not trusts:
        raise error("REVOCATION_NOT_ASKED", "no key was named that the revocation list must be signed with")
    if len(data) > limits.REVOCATION_BYTES:
        raise _malformed(f"it has more than {limits.REVOCATION_BYTES} bytes")
    try:
        bundle = parse_bundle(data)
    except ModelsignError as fault:
        raise _malformed(fault.message) from None
    try:
        vouches = ask(trusts, bundle)
    except ModelsignError as fault:
        raise error("REVOCATION_LIST_UNTRUSTED", f"the revocation list: {fault.message}") from None
    if bundle.payload_type != PAYLOAD_TYPE:
        raise error("REVOCATION_LIST_UNTRUSTED", f"what was signed is {bundle.payload_type[:100]}, not {PAYLOAD_TYPE}")
    return parse_list(bundle.payload)._replace(signer=next(iter(vouches.values())).signer)


def parse_list(payload: bytes) -> RevocationList:
    """Read a list that was verified. A field or kind of entry that is not known is an error: it could be what counts.

    Raises:
        ModelsignError: ``REVOCATION_LIST_MALFORMED``.

    """
    value = strictjson.loads(
        payload, most_bytes=limits.REVOCATION_BYTES, what="revocation list", code="REVOCATION_LIST_MALFORMED"
    )
    if not isinstance(value, dict) or set(value) != {"type", "version", "issued", "expires", "entries"}:
        raise _malformed("its fields are not type, version, issued, expires and entries")
    if value["type"] != LIST_TYPE:
        raise _malformed(f"its type is not {LIST_TYPE}")
    version, entries = value["version"], value["entries"]
    if not isinstance(version, int) or isinstance(version, bool) or not 1 <= version <= limits.EXACT_INTEGER:
        raise _malformed("its version is not a whole number from 1")
    if not isinstance(entries, list) or len(entries) > limits.REVOCATION_ENTRIES:
        raise _malformed(f"its entries are not a list of at most {limits.REVOCATION_ENTRIES}")
    issued, expires = _time(value["issued"], "issued"), _time(value["expires"], "expires")
    if expires <= issued:
        raise _malformed("it expires before it was issued")
    return RevocationList(version, issued, expires, tuple(_entry(entry) for entry in entries))


def _entry(value: object) -> Revoked:
    if not isinstance(value, dict):
        raise _malformed("an entry is not an object")
    kind = value.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise _malformed(f"an entry has a kind that is not one of {', '.join(KINDS)}")
    named = KINDS[kind]
    optional = ({"since"} if kind in _SINCE else set()) | ({"issuer"} if kind == "identity" else set())
    needed = {"kind", named, "reason", "revoked"}
    if not needed <= set(value) <= needed | optional:
        raise _malformed(f"an entry of the kind {kind} has other fields than {', '.join(sorted(needed | optional))}")
    words = {name: value[name] for name in (named, "reason", "issuer") if name in value}
    if not all(isinstance(word, str) and 0 < len(word) <= REASON_CHARACTERS for word in words.values()):
        raise _malformed(f"an entry has a text that is empty or longer than {REASON_CHARACTERS} characters")
    if kind != "identity" and not _DIGEST.fullmatch(words[named]):
        raise _malformed(f"an entry of the kind {kind} does not name a digest of 64 lowercase hex digits")
    since = _time(value["since"], "since") if "since" in value else None
    revoked = _time(value["revoked"], "revoked")
    if since is not None and since > revoked:
        raise _malformed("an entry was revoked before what it says since when")
    return Revoked(kind, words[named], words["reason"], revoked, since, words.get("issuer"))


def written(entry: Revoked) -> dict[str, str]:
    """Return an entry as it stands in the list."""
    fields = {
        "kind": entry.kind,
        KINDS.get(entry.kind, "value"): entry.value,
        "reason": entry.reason,
        "revoked": timestamp.write(entry.revoked),
    }
    if entry.since is not None:
        fields["since"] = timestamp.write(entry.since)
    if entry.issuer is not None:
        fields["issuer"] = entry.issuer
    return fields


def _time(value: object, where: str) -> datetime:
    try:
        return timestamp.read(value if isinstance(value, str) else "")
    except ValueError:
        raise _malformed(f"{where} is not a time such as 2026-11-23T12:00:00Z") from None


def _malformed(what: str) -> ModelsignError:
    return error("REVOCATION_LIST_MALFORMED", f"the revocation list is refused: {what}")
