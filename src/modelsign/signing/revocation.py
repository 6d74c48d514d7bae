"""Does a revocation list say anything against a signature, or against a model whoever signed it?

"Compromised since T" is compared with the time a signature is proven to have existed by (DESIGN, security rule 10): an
RFC 3161 timestamp or a log entry with a time that the method verified. What the signer says of itself proves nothing
here, because whoever has the key can write any time. A longer list never makes an answer better, nor does evidence that
was taken away.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from modelsign import timestamp
from modelsign.errors import error
from modelsign.signing.dsse import pae
from modelsign.verdict import who

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from modelsign.errors import ModelsignError
    from modelsign.signing.bundle import Bundle
    from modelsign.signing.revocation_list import RevocationList, Revoked
    from modelsign.verdict import Signer

__all__ = ["Revocations", "proven_time", "statement_digest"]

_SHOWN: Final = 5


class Revocations:
    """The entries of verified, fresh lists, ready to be asked; all of them count."""

    def __init__(self, lists: Iterable[RevocationList]) -> None:
        """Take lists that were opened and checked for freshness; ``lists`` keeps them."""
        self.lists = tuple(lists)
        self._entries: dict[tuple[str, str], list[Revoked]] = {}
        for revocations in self.lists:
            for entry in revocations.entries:
                self._entries.setdefault((entry.kind, _folded(entry)), []).append(entry)

    def against_signer(self, signer: Signer) -> ModelsignError | None:
        """Return ``SIGNER_REVOKED`` where the signer's key, or any name its certificate gives it, does not count."""
        existed = proven_time(signer)
        for entry in self._about(signer):
            if entry.since is not None and existed is not None and existed < entry.since:
                continue
            if entry.since is None:
                words = ""
            else:
                proven = (
                    "its time is not proven" if existed is None else f"it is proven from {timestamp.write(existed)}"
                )
                words = f" since {timestamp.write(entry.since)}, and of the signature {proven}"
            return error(
                "SIGNER_REVOKED",
                f"{who(signer)} was revoked{words}: {entry.reason}",
                details={"kind": entry.kind, "value": entry.value},
            )
        return None

    def against_signature(self, statement_digest: str) -> ModelsignError | None:
        """Return ``SIGNATURE_REVOKED`` where what was signed (SHA-256 of its DSSE encoding) was revoked."""
        for entry in self._entries.get(("signature", statement_digest), ()):
            return error("SIGNATURE_REVOKED", f"the signature was revoked: {entry.reason}")
        return None

    def against_model(self, tree_digest: str | None, digests: Mapping[str, str]) -> list[ModelsignError]:
        """Return ``MODEL_REVOKED`` for a tree digest that was revoked and for files (name → SHA-256) that were."""
        found = [
            error("MODEL_REVOKED", f"the model was revoked: {entry.reason}")
            for entry in self._entries.get(("model", tree_digest or ""), ())[:1]
        ]
        if any(kind == "file" for kind, _ in self._entries):
            names = sorted(name for name, digest in digests.items() if ("file", digest) in self._entries)
            if names:
                reason = self._entries["file", digests[names[0]]][0].reason
                shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
                found.append(error("MODEL_REVOKED", f"{shown} was revoked: {reason}", details={"names": names}))
        return found

    def _about(self, signer: Signer) -> Iterable[Revoked]:
        yield from self._entries.get(("key", signer.key_digest), ())
        names = {signer.identity, signer.subject, *signer.names, *(name.partition(":")[2] for name in signer.names)}
        for name in sorted({name.casefold() for name in names if name}):
            for entry in self._entries.get(("identity", name), ()):
                if entry.issuer is None or entry.issuer.casefold() == (signer.issuer or "").casefold():
                    yield entry


def statement_digest(bundle: Bundle) -> str:
    """Return the SHA-256, in hex, of what a bundle's signature is over.

    Not of the bundle's own bytes: those can be written in many ways that mean the same, and so can an ECDSA signature.
    """
    return hashlib.sha256(pae(bundle.payload_type, bundle.payload)).hexdigest()


def proven_time(signer: Signer) -> datetime | None:
    """Return the earliest time by which the signature is proven to have existed; None where nothing proves any."""
    proven = [*signer.timestamps, *(log.time for log in signer.logs if log.time is not None)]
    if signer.time is not None and signer.time_proof is not None:
        proven.append(signer.time)
    return min(map(timestamp.read, proven), default=None)


def _folded(entry: Revoked) -> str:
    """Return what an entry is found by; names without regard to case, so that none slips through by its spelling."""
    return entry.value.casefold() if entry.kind == "identity" else entry.value
