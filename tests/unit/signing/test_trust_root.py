"""Trust roots are used as far as they are understood, and never further."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from papersigstore import FOUNDED, Paper, data_of

from modelsign.errors import ModelsignError
from modelsign.signing.sigstore.trust_root import DatedRoot, parse_trust_config, parse_trust_root, read_shipped_root

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def document() -> dict:
    return Paper().trust_root()


def refusal(data: bytes) -> str:
    with pytest.raises(ModelsignError) as raised:
        parse_trust_root(data)
    return raised.value.code


@pytest.mark.parametrize(
    "media_type",
    [
        "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "application/vnd.dev.sigstore.trustedroot+json;version=0.2",
        "application/vnd.dev.sigstore.trustedroot.v0.1+json",
        "application/vnd.dev.sigstore.trustedroot.v0.2+json",
    ],
)
def test_every_spelling_of_both_versions_is_read(document, media_type):
    root = parse_trust_root(data_of({**document, "mediaType": media_type}))
    counts = [len(root.tlogs), len(root.ctlogs), len(root.authorities), len(root.timestamp_authorities)]
    assert (counts, root.warnings) == ([2, 1, 1, 1], ())


def test_the_public_root_is_understood_whole():
    root = read_shipped_root().root
    assert root.warnings == ()
    assert {log.url for log in root.tlogs} >= {"https://rekor.sigstore.dev"}


def test_what_is_not_understood_is_left_out_and_said(document):
    strange = json.loads(json.dumps(document))
    strange["new"] = []
    strange["tlogs"][0]["publicKey"]["keyDetails"] = "ML_DSA_44"
    strange["tlogs"][0]["operator"] = "unknown fields of a member do no harm"
    strange["tlogs"].append("no object")
    strange["ctlogs"][0]["publicKey"]["keyDetails"] = "PKIX_ECDSA_P384_SHA_384"
    strange["certificateAuthorities"][0]["certChain"]["certificates"][0]["rawBytes"] = "AAAA"
    strange["timestampAuthorities"][0]["validFor"] = {}
    root = parse_trust_root(data_of(strange))
    assert [len(root.tlogs), len(root.ctlogs), len(root.authorities), len(root.timestamp_authorities)] == [1, 0, 0, 0]
    assert len(root.warnings) == 6
    assert "ML_DSA_44" in " ".join(root.warnings)


@pytest.mark.parametrize("start", [None, 5, "yesterday", "2026-01-01", {}])
def test_a_log_without_a_start_of_validity_is_left_out(document, start):
    strange = json.loads(json.dumps(document))
    strange["tlogs"][0]["publicKey"]["validFor"]["start"] = start
    assert len(parse_trust_root(data_of(strange)).tlogs) == 1


def changed(document: dict, name: str, **fields: object) -> dict:
    strange = json.loads(json.dumps(document))
    strange[name][0].update(fields)
    return strange


def test_members_with_parts_of_the_wrong_kind_are_left_out(document):
    for name, fields in (
        ("tlogs", {"baseUrl": 5}),
        ("tlogs", {"logId": {"keyId": "*"}}),
        ("tlogs", {"logId": {}}),
        ("tlogs", {"publicKey": None}),
        ("certificateAuthorities", {"uri": []}),
        ("certificateAuthorities", {"certChain": {"certificates": []}}),
        ("certificateAuthorities", {"certChain": {"certificates": ["x"]}}),
        ("certificateAuthorities", {"validFor": {"start": "2026-01-01T00:00:00Z", "end": "never"}}),
    ):
        before, after = (
            parse_trust_root(data_of(document)),
            parse_trust_root(data_of(changed(document, name, **fields))),
        )
        counts = [len(root.tlogs) + len(root.authorities) for root in (before, after)]
        assert counts == [3, 2], fields
        assert len(after.warnings) == 1


def test_a_chain_whose_certificates_did_not_issue_each_other_is_left_out(document):
    chain = document["certificateAuthorities"][0]["certChain"]["certificates"]
    stranger = Paper().trust_root()["certificateAuthorities"][0]["certChain"]["certificates"]
    for certificates in (chain[::-1], [chain[0], stranger[1]]):
        root = parse_trust_root(
            data_of(changed(document, "certificateAuthorities", certChain={"certificates": certificates}))
        )
        assert root.authorities == ()
    alone = changed(document, "certificateAuthorities", certChain={"certificates": chain[:1]})
    assert len(parse_trust_root(data_of(alone)).authorities) == 1  # an anchor need not be a root


def test_a_separate_id_for_checkpoints_is_used(document):
    strange = json.loads(json.dumps(document))
    strange["tlogs"][0]["checkpointKeyId"] = {"keyId": "AAAA"}
    assert parse_trust_root(data_of(strange)).tlogs[0].checkpoint_id == b"\0\0\0"


def test_other_documents_are_undecided(document):
    assert refusal(b"[]") == "TRUST_ROOT_MALFORMED"
    assert refusal(b"{") == "TRUST_ROOT_MALFORMED"
    assert refusal(b"{}") == "TRUST_ROOT_UNSUPPORTED"
    assert refusal(data_of({**document, "mediaType": "x"})) == "TRUST_ROOT_UNSUPPORTED"
    assert refusal(data_of({**document, "tlogs": {}})) == "TRUST_ROOT_MALFORMED"
    assert refusal(data_of({**document, "tlogs": [{}] * 201})) == "TRUST_ROOT_MALFORMED"
    assert refusal(b" " * (4 * 1024 * 1024 + 1)) == "TRUST_ROOT_MALFORMED"


def test_a_configuration_holds_a_root_and_where_the_services_are(document):
    data = data_of(
        {
            "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
            "trustedRoot": document,
            "signingConfig": {"x": 1},
        }
    )
    config = parse_trust_config(data)
    assert (len(config.root.tlogs), config.signing_config) == (2, {"x": 1})
    for wrong in (data_of(document), b'{"mediaType":"application/vnd.dev.sigstore.clienttrustconfig.v0.1+json"}'):
        with pytest.raises(ModelsignError):
            parse_trust_config(wrong)


def test_the_age_of_a_root_can_be_limited_and_an_unknown_age_is_too_old(document):
    root = parse_trust_root(data_of(document))
    dated = DatedRoot(root, "a file", NOW - timedelta(days=10))
    assert dated.check_age(NOW, None) == timedelta(days=10)
    assert dated.check_age(NOW, timedelta(days=10)) == timedelta(days=10)
    assert dated.check_age(NOW - timedelta(days=11), timedelta(days=1)) == timedelta()
    unknown = DatedRoot(root, "somewhere", None)
    assert unknown.check_age(NOW, None) is None
    for old in (dated, unknown):
        with pytest.raises(ModelsignError) as raised:
            old.check_age(NOW, timedelta(days=9))
        assert raised.value.code == "TRUST_ROOT_TOO_OLD"


def test_the_document_is_no_older_than_the_newest_start_in_it(document):
    assert parse_trust_root(data_of(document)).newest_start == FOUNDED
    assert read_shipped_root().as_of == read_shipped_root().root.newest_start


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


@given(st.sampled_from(["tlogs", "ctlogs", "certificateAuthorities", "timestampAuthorities"]), json_values)
def test_any_member_gives_a_root_or_a_refusal(name, value):
    data = json.dumps({"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1", name: value})
    with contextlib.suppress(ModelsignError):
        parse_trust_root(data.encode("utf-8", "surrogatepass"))
