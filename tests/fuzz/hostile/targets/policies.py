"""Trust policies, which are YAML by a reader of our own, and the small languages in them."""

from __future__ import annotations

from pathlib import Path

from hostile.target import Target
from modelsign import timestamp
from modelsign.policy.document import read_policy
from modelsign.policy.strictyaml import loads
from modelsign.signing.sigstore import identities

POLICIES = Path(__file__).parents[4] / "policies"


def policies() -> list[bytes]:
    return [path.read_bytes() for path in sorted(POLICIES.glob("*.yaml"))]


def yaml(data: bytes) -> object:
    return loads(data, most_bytes=1 << 20, code="POLICY_MALFORMED")


def expressions() -> list[bytes]:
    return [
        b"https://github.com/acme/[^/]+/.github/workflows/(a|b){1,3}\\.yml@refs/tags/v[0-9.]*",
        b"a*b?c",
        b"(?:x+)?",
    ]


def match(data: bytes) -> object:
    """Compile an expression and match it against itself."""
    text = data.decode("utf-8", "replace")
    return identities.regexp(text).matches(text[:500])


def match_glob(data: bytes) -> object:
    text = data.decode("utf-8", "replace")
    return identities.glob(text).matches(text[:500])


def moment(data: bytes) -> object:
    """Read a time and write it again."""
    try:
        return timestamp.write(timestamp.read(data.decode("utf-8", "replace")))
    except ValueError:
        return None


TARGETS = (
    Target("yaml", yaml, policies, "text"),
    Target("policy", read_policy, policies, "text"),
    Target("expression", match, expressions, "text"),
    Target("glob", match_glob, expressions, "text"),
    Target("time", moment, lambda: [b"2026-01-02T03:04:05Z", b"2026-01-02T03:04:05.5+01:00"], "text"),
)
