"""Signed revocation lists."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

from hostile.target import Target
from modelsign.signing import keys
from modelsign.signing.revocation_list import RevocationList, Revoked, open_list, parse_list, seal_list, write_list

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
DIGEST = "ab" * 32
LIST = RevocationList(
    3,
    NOW,
    NOW + timedelta(days=30),
    (
        Revoked("key", DIGEST, "stolen", NOW, NOW),
        Revoked("identity", "ci@example.org", "left", NOW, None, "https://issuer.example"),
        Revoked("model", DIGEST, "backdoor", NOW),
        Revoked("file", DIGEST, "backdoor", NOW),
    ),
)


@cache
def key() -> keys.SigningKey:
    return keys.generate("ed25519")


TARGETS = (
    Target("revocation-list", parse_list, lambda: [write_list(LIST)]),
    Target("revocation-bundle", lambda data: open_list(data, [key().public]), lambda: [seal_list(LIST, key()).bundle]),
)
