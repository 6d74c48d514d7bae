"""A revocation list is read only where the authority signed it, whole, understood to the last field, and fresh."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from bundlecraft import signed
from hypothesis import given
from hypothesis import strategies as st
from refusals import refusal, refused_with

from modelsign import limits
from modelsign.errors import ModelsignError
from modelsign.signing.bundle import parse_bundle
from modelsign.signing.envelope import verify_envelope
from modelsign.signing.freshness import check_freshness
from modelsign.signing.keys import generate
from modelsign.signing.revocation import Revocations, proven_time
from modelsign.signing.revocation_list import (
    KINDS,
    RevocationList,
    Revoked,
    open_list,
    parse_list,
    seal_list,
    write_list,
)
from modelsign.verdict import LogProof, Signer

if TYPE_CHECKING:
    from modelsign.signing.keys import SigningKey

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
DAY = timedelta(days=1)
DIGEST = "ab" * 32
LIST = RevocationList(
    3,
    NOW - DAY,
    NOW + 29 * DAY,
    (
        Revoked("key", DIGEST, "laptop stolen", NOW - DAY, NOW - 3 * DAY),
        Revoked("identity", "ci@example.org", "left", NOW - DAY, None, "https://issuer.example"),
        Revoked("signature", DIGEST, "made by mistake", NOW - DAY),
        Revoked("model", DIGEST, "backdoor", NOW - DAY),
        Revoked("file", DIGEST, "backdoor", NOW - DAY),
    ),
)


@pytest.fixture(scope="module")
def authority() -> SigningKey:
    return generate()


def as_json(**changes: Any) -> dict[str, Any]:
    return json.loads(write_list(LIST)) | changes


def entry(**changes: Any) -> bytes:
    value = {"kind": "key", "sha256": DIGEST, "reason": "stolen", "revoked": "2026-11-25T12:00:00Z"} | changes
    return json.dumps(as_json(entries=[{k: v for k, v in value.items() if v is not None}])).encode()


def test_what_is_written_is_read_again_and_is_always_the_same_bytes() -> None:
    assert parse_list(write_list(LIST)) == LIST
    assert write_list(parse_list(write_list(LIST))) == write_list(LIST)
    assert {one.kind for one in LIST.entries} == set(KINDS)


def test_a_list_is_opened_only_with_the_authoritys_key(authority: SigningKey) -> None:
    data = seal_list(LIST, authority).bundle
    opened = open_list(data, [generate().public, authority.public])
    assert opened._replace(signer=None) == LIST
    assert opened.signer is not None
    assert opened.signer.key_digest == authority.public.digest
    assert refused_with(open_list, data, [generate().public]) == "REVOCATION_LIST_UNTRUSTED"
    assert refused_with(open_list, data, []) == "REVOCATION_NOT_ASKED"


def test_a_list_is_no_attestation_and_an_attestation_is_no_list(authority: SigningKey) -> None:
    data = seal_list(LIST, authority).bundle
    assert refused_with(verify_envelope, data, [authority.public]) == "NOT_AN_ATTESTATION"
    statement = signed(write_list(LIST), authority)
    assert refused_with(open_list, statement, [authority.public]) == "REVOCATION_LIST_UNTRUSTED"


def test_a_list_that_was_changed_is_not_read(authority: SigningKey) -> None:
    data = seal_list(LIST, authority).bundle
    cut = write_list(LIST._replace(entries=()))
    forged = json.loads(data)
    forged["dsseEnvelope"]["payload"] = json.loads(signed(cut, authority))["dsseEnvelope"]["payload"]
    assert refused_with(open_list, json.dumps(forged).encode(), [authority.public]) == "REVOCATION_LIST_UNTRUSTED"
    assert refused_with(open_list, data[:-20], [authority.public]) == "REVOCATION_LIST_MALFORMED"
    assert refused_with(open_list, b"", [authority.public]) == "REVOCATION_LIST_MALFORMED"


@pytest.mark.parametrize(
    "payload",
    [
        b"[]",
        b"{}",
        json.dumps(as_json(more=1)).encode(),
        json.dumps(as_json(type="https://modelsign.dev/revocation-list/v2")).encode(),
        *(json.dumps(as_json(version=version)).encode() for version in (0, -1, True, 1.0, "1", None, 2**53)),
        *(json.dumps(as_json(issued=time)).encode() for time in ("yesterday", None, 5, "2026-11-23")),
        json.dumps(as_json(expires=as_json()["issued"])).encode(),
        json.dumps(as_json(entries={})).encode(),
        json.dumps(as_json(entries=[5])).encode(),
        json.dumps(as_json(entries=[{}])).encode(),
        entry(kind="certificate"),
        entry(kind=None),
        entry(kind=["key"]),
        entry(sha256=DIGEST.upper()),
        entry(sha256=DIGEST[:-1]),
        entry(sha256=None),
        entry(sha256=5),
        entry(dirHash1=DIGEST),
        entry(kind="model"),
        entry(kind="file", since="2026-11-24T00:00:00Z"),
        entry(reason=None),
        entry(reason=""),
        entry(reason="x" * 1001),
        entry(revoked=None),
        entry(revoked="soon"),
        entry(since="2026-11-25T12:00:01Z"),
        entry(issuer="https://issuer.example"),
        entry(kind="identity", sha256=None, identity=""),
        entry(kind="identity", sha256=None, identity="a@example.org", issuer=5),
        entry()[:-1],
    ],
)
def test_a_list_that_is_not_understood_to_the_last_field_is_refused(payload: bytes) -> None:
    assert refused_with(parse_list, payload) == "REVOCATION_LIST_MALFORMED"


def test_a_list_is_bounded(authority: SigningKey) -> None:
    entries = as_json()["entries"][:1] * (limits.REVOCATION_ENTRIES + 1)
    assert refused_with(parse_list, json.dumps(as_json(entries=entries)).encode()) == "REVOCATION_LIST_MALFORMED"
    large = b" " * (limits.REVOCATION_BYTES + 1)
    assert refused_with(open_list, large, [authority.public]) == "REVOCATION_LIST_MALFORMED"


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3)))
def test_nothing_but_a_refusal_comes_out_of_odd_values(value: object) -> None:
    for name in as_json():
        with contextlib.suppress(ModelsignError):
            parse_list(json.dumps(as_json(**{name: value})).encode())


def test_what_cannot_be_read_again_is_not_signed(authority: SigningKey) -> None:
    odd = LIST._replace(entries=(Revoked("key", "no digest", "x", NOW),))
    assert refused_with(seal_list, odd, authority) == "REVOCATION_LIST_MALFORMED"
    assert refused_with(write_list, LIST._replace(entries=(Revoked("planet", DIGEST, "x", NOW),))) == (
        "REVOCATION_LIST_MALFORMED"
    )


def test_a_list_is_good_from_its_issue_to_its_expiry_and_within_the_age_that_is_accepted() -> None:
    check_freshness(LIST, now=NOW)
    check_freshness(LIST, now=NOW, max_age=DAY, least_version=3)
    check_freshness(LIST, now=LIST.issued - timedelta(minutes=5))
    check_freshness(LIST, now=LIST.expires - timedelta(seconds=1))


@pytest.mark.parametrize(
    ("now", "asked", "code"),
    [
        (NOW, {"least_version": 4}, "REVOCATION_LIST_ROLLED_BACK"),
        (NOW, {"max_age": DAY - timedelta(seconds=1)}, "REVOCATION_LIST_STALE"),
        (LIST.expires, {}, "REVOCATION_LIST_EXPIRED"),
        (LIST.issued - timedelta(minutes=5, seconds=1), {}, "REVOCATION_LIST_FROM_THE_FUTURE"),
    ],
)
def test_a_list_that_is_not_the_present_one_is_refused(now: datetime, asked: dict[str, Any], code: str) -> None:
    fault = refusal(check_freshness, LIST, now=now, **asked)
    assert (fault.code, int(fault.exit_status)) == (code, 1)


SIGNER = Signer("key", "ecdsa-p256-sha256", DIGEST)
T = NOW - 3 * DAY
BEFORE, AFTER = "2026-11-23T11:59:59Z", "2026-11-23T12:00:00Z"


@pytest.mark.parametrize(
    ("proof", "stands"),
    [
        ({}, False),
        ({"time": BEFORE}, False),  # a time that nothing proves
        ({"time": BEFORE, "time_proof": "rfc3161"}, True),
        ({"time": AFTER, "time_proof": "rfc3161"}, False),
        ({"timestamps": (BEFORE,)}, True),
        ({"timestamps": (AFTER, BEFORE)}, True),
        ({"timestamps": (AFTER,)}, False),
        ({"logs": (LogProof("log", 1, BEFORE),)}, True),
        ({"logs": (LogProof("log", 1, None),)}, False),
        ({"logs": (LogProof("log", 1, AFTER),), "timestamps": (AFTER,)}, False),
    ],
)
def test_of_a_key_that_got_into_other_hands_only_what_is_proven_older_stands(
    proof: dict[str, Any], *, stands: bool
) -> None:
    fault = Revocations([LIST]).against_signer(replace(SIGNER, **proof))
    assert (fault is None) is stands
    if fault is not None:
        assert (fault.code, fault.details["kind"]) == ("SIGNER_REVOKED", "key")
        assert "laptop stolen" in fault.message


def test_a_key_that_is_revoked_without_a_time_never_counted() -> None:
    always = LIST._replace(entries=(LIST.entries[0]._replace(since=None),))
    proven = replace(SIGNER, timestamps=(BEFORE,))
    assert Revocations([always]).against_signer(proven) is not None
    assert Revocations([LIST, always]).against_signer(proven) is not None
    assert Revocations([always]).against_signer(replace(proven, key_digest="cd" * 32)) is None


@pytest.mark.parametrize(
    ("seen", "revoked"),
    [
        ({"identity": "ci@example.org", "issuer": "https://issuer.example"}, True),
        ({"identity": "CI@Example.org", "issuer": "https://ISSUER.example"}, True),
        ({"identity": "ci@example.org", "issuer": "https://other.example"}, False),
        ({"identity": "ci@example.org"}, False),
        ({"identity": "x", "names": ("email:ci@example.org",), "issuer": "https://issuer.example"}, True),
        ({"subject": "ci@example.org", "issuer": "https://issuer.example"}, True),
        ({"identity": "dci@example.org", "issuer": "https://issuer.example"}, False),
    ],
)
def test_an_identity_is_found_by_any_name_of_the_certificate(seen: dict[str, Any], *, revoked: bool) -> None:
    signer = replace(SIGNER, key_digest="cd" * 32, **seen)
    assert (Revocations([LIST]).against_signer(signer) is not None) is revoked


def test_an_identity_without_an_issuer_is_revoked_whoever_confirmed_it() -> None:
    anybodys = LIST._replace(entries=(LIST.entries[1]._replace(issuer=None),))
    for issuer in (None, "https://any.example"):
        signer = replace(SIGNER, key_digest="cd" * 32, identity="ci@example.org", issuer=issuer)
        assert Revocations([anybodys]).against_signer(signer) is not None


def test_signatures_models_and_files_are_found_by_their_digests() -> None:
    lists = Revocations([LIST])
    assert lists.against_signature(DIGEST).code == "SIGNATURE_REVOKED"
    assert lists.against_signature("cd" * 32) is None
    assert [fault.code for fault in lists.against_model(DIGEST, {})] == ["MODEL_REVOKED"]
    assert lists.against_model("cd" * 32, {"w": "cd" * 32}) == []
    (fault,) = lists.against_model(None, {f"w{n}": DIGEST for n in range(7)} | {"x": "cd" * 32})
    assert (fault.code, len(fault.details["names"])) == ("MODEL_REVOKED", 7)
    assert "and 2 more" in fault.message


def test_the_time_a_signature_existed_by_is_the_earliest_that_is_proven() -> None:
    assert proven_time(SIGNER) is None
    signer = replace(SIGNER, time=AFTER, time_proof="rfc3161", timestamps=(AFTER,), logs=(LogProof("l", 1, BEFORE),))
    assert proven_time(signer) == T - timedelta(seconds=1)


KEYS = st.sampled_from(["aa" * 32, "bb" * 32])
TIMES = st.integers(-3, 3).map(lambda days: NOW + days * DAY)
ENTRIES = st.builds(Revoked, st.just("key"), KEYS, st.just("x"), st.just(NOW + 9 * DAY), st.none() | TIMES, st.none())
STAMPS = st.lists(TIMES.map(lambda moment: moment.isoformat().replace("+00:00", "Z")), max_size=3)


@given(st.lists(ENTRIES, max_size=4), ENTRIES, KEYS, STAMPS, st.integers(0, 2))
def test_neither_a_longer_list_nor_less_evidence_makes_an_answer_better(
    entries: list[Revoked], more: Revoked, key: str, stamps: list[str], dropped: int
) -> None:
    short = Revocations([LIST._replace(entries=tuple(entries))])
    long = Revocations([LIST._replace(entries=(*entries, more))])
    full = Signer("key", "ed25519", key, timestamps=tuple(stamps))
    less = replace(full, timestamps=tuple(stamps[:dropped] + stamps[dropped + 1 :]))
    assert short.against_signer(full) is None or long.against_signer(full) is not None
    assert long.against_signer(full) is None or long.against_signer(less) is not None


def test_a_list_is_a_strict_bundle_like_any_other(authority: SigningKey) -> None:
    assert parse_bundle(seal_list(LIST, authority).bundle).payload_type.startswith("application/vnd.modelsign.")
