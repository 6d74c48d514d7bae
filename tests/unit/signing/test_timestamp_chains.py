"""The chain of a timestamp authority in a trust root: all of it is needed, in order, and only its end is an anchor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import papersigstore as paper
import pytest
from bundlecraft import encoded
from refusals import refused_with

from modelsign.signing.sigstore.timestamps import verify_timestamps
from modelsign.signing.sigstore.trust_root import parse_trust_root

if TYPE_CHECKING:
    from modelsign.signing.sigstore.trust_root import Authority

ROOT = "application/vnd.dev.sigstore.trustedroot+json;version=0.1"


@pytest.fixture(scope="module")
def clock() -> paper.Clock:
    """An authority with a certificate between its signer and its root."""
    made = paper.Clock()
    middle = paper.Certifier("clock middle", paper.Certifier("clock root"))
    made.signer = paper.Certifier("clock signer", middle, usage="tsa")
    return made


def authorities(*members: dict[str, Any]) -> tuple[Authority, ...]:
    return parse_trust_root(encoded({"mediaType": ROOT, "timestampAuthorities": list(members)})).timestamp_authorities


def with_chain(member: dict[str, Any], *chain: dict[str, Any]) -> dict[str, Any]:
    return member | {"certChain": {"certificates": list(chain)}}


def test_a_chain_of_three_is_followed_to_its_end(clock: paper.Clock) -> None:
    (found,), warnings = verify_timestamps([clock.stamp(b"s")], b"s", authorities(clock.trusted()))
    assert (found.time, found.url, warnings) == (paper.SIGNED, "https://clock.paper.example", ())


def test_what_is_in_the_middle_is_no_anchor(clock: paper.Clock) -> None:
    member = clock.trusted()
    signer, middle, root = member["certChain"]["certificates"]
    stranger = {"rawBytes": paper.b64(paper.Certifier("clock root").der)}
    for chain in ((signer, middle, stranger), (signer, root), (signer, stranger), (middle, root)):
        trusted = authorities(with_chain(member, *chain))
        assert refused_with(verify_timestamps, [clock.stamp(b"s")], b"s", trusted) == "TIMESTAMP_INVALID", len(chain)


def test_an_authority_that_is_its_own_anchor_is_passed_over_for_the_next(clock: paper.Clock) -> None:
    member = clock.trusted()
    alone = with_chain(member, member["certChain"]["certificates"][0])
    assert refused_with(verify_timestamps, [clock.stamp(b"s")], b"s", authorities(alone)) == "TIMESTAMP_INVALID"
    (found,), _ = verify_timestamps([clock.stamp(b"s")], b"s", authorities(alone, member))
    assert found.time == paper.SIGNED
