"""Signs models and attestations with identities of a Sigstore on paper: real bundles, no network."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from cryptography import x509
from papersigstore import CLAIMS, ISSUER, SIGNED, new_key

from modelsign.signing.sealer import Sealed
from modelsign.verdict import Signer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from papersigstore import Log, Paper

ALICE, BOB, MALLORY = "https://people.example/alice", "https://people.example/bob", "https://people.example/mallory"


class PaperSealer(NamedTuple):
    """Signs in the name of an identity; what it says of the signer is nobody's business but the verifier's."""

    paper: Paper
    identity: str = ALICE
    issuer: str = ISSUER
    claims: Mapping[str, str] = CLAIMS
    at: datetime = SIGNED
    stamped: bool = True
    log: Log | None = None
    logged: bool = True
    key: Any = None
    managed: bool = False
    method: str = "keyless"
    key_digest: str | None = None

    def seal(self, payload_type: str, payload: bytes) -> Sealed:
        """Return a bundle over a payload."""
        assert payload_type == "application/vnd.in-toto+json"
        key = self.key or new_key()
        certificate = None
        if not self.managed:
            claims = {**self.claims, "1.8": self.issuer}
            certificate = self.paper.certificate(
                key,
                at=self.at,
                names=[x509.UniformResourceIdentifier(self.identity)],
                claims=claims,
                old_issuer=None,
            )
        bundle = copy.deepcopy(
            self.paper.sign(
                log=self.log,
                kind="dsse" if self.log is None or self.log.version == 1 else "dsse2",
                payload=payload,
                at=self.at,
                stamped=self.at if self.stamped else None,
                certificate=certificate,
                key=key,
                managed=self.managed,
            )
        )
        if not self.logged:
            del bundle["verificationMaterial"]["tlogEntries"]
        return Sealed(json.dumps(bundle).encode(), Signer(self.method, "ecdsa-p256-sha256", "unknown"), oms=True)


def write_root(paper: Paper, place: Path) -> Path:
    """Write the trust root to a file."""
    place.write_text(json.dumps(paper.trust_root()), encoding="utf-8")
    return place
