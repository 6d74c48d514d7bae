"""Bundles are read strictly and believed in nothing."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from bundlecraft import MEDIA_TYPE, b64, encoded, legacy, raw_bundle
from hypothesis import given
from hypothesis import strategies as st
from refusals import refusal, refused_with

from modelsign import limits, strictjson
from modelsign.errors import ModelsignError
from modelsign.signing.bundle import InclusionProof, MessageSignature, parse_any_bundle, parse_bundle, write_bundle
from modelsign.signing.dsse import IN_TOTO, Envelope

if TYPE_CHECKING:
    from collections.abc import Callable

LOG_ENTRY = {
    "logIndex": "1",
    "logId": {"keyId": b64(b"log")},
    "kindVersion": {"kind": "dsse", "version": "0.0.1"},
    "integratedTime": "1",
    "inclusionPromise": {"signedEntryTimestamp": b64(b"set")},
    "inclusionProof": {"logIndex": "1", "rootHash": "", "treeSize": "1", "hashes": [], "checkpoint": {"envelope": ""}},
    "canonicalizedBody": "",
}


def test_what_is_written_is_read_again_and_is_one_line() -> None:
    envelope = Envelope(IN_TOTO, b'{"a": 1}', b"\x30\x00")
    data = write_bundle(envelope, hint="ab" * 32)
    assert data == write_bundle(envelope, hint="ab" * 32)
    assert b"\n" not in data
    bundle = parse_bundle(data)
    assert bundle.envelope == envelope
    assert (bundle.payload_type, bundle.payload, bundle.signature) == (IN_TOTO, b'{"a": 1}', b"\x30\x00")
    assert (bundle.material.kind, bundle.material.hint, bundle.legacy) == ("public_key", "ab" * 32, False)


def test_the_old_shape_of_a_public_key_is_legacy_and_its_key_is_dropped() -> None:
    value = raw_bundle()
    legacy(value)
    bundle = parse_bundle(encoded(value))
    assert (bundle.material.kind, bundle.material.hint, bundle.legacy) == ("legacy_public_key", None, True)


def test_a_bundle_without_a_hint_is_legacy() -> None:
    assert parse_bundle(encoded(raw_bundle(hint=""))).legacy


@pytest.mark.parametrize("stamps", [None, {}, {"rfc3161Timestamps": [{"signedTimestamp": b64(b"t")}]}])
def test_keyless_bundles_are_read(stamps: object) -> None:
    value = raw_bundle()
    value["verificationMaterial"] = {
        "certificate": {"rawBytes": b64(b"der")},
        "tlogEntries": [LOG_ENTRY],
        "timestampVerificationData": stamps,
    }
    del value["dsseEnvelope"]["signatures"][0]["keyid"]
    material = parse_bundle(encoded(value)).material
    assert (material.kind, material.certificates, len(material.tlog_entries)) == ("certificate", (b"der",), 1)
    assert material.timestamps == ((b"t",) if stamps and "rfc3161Timestamps" in stamps else ())  # type: ignore[operator] # a dict there


def test_certificate_chains_are_read() -> None:
    value = raw_bundle()
    chain = {"certificates": [{"rawBytes": b64(b"leaf")}, {"rawBytes": b64(b"root")}]}
    value["verificationMaterial"] = {"x509CertificateChain": chain, "tlogEntries": []}
    assert parse_bundle(encoded(value)).material.certificates == (b"leaf", b"root")


def put(*path: str | int, value: object) -> Callable[[Any], None]:
    def change(bundle: Any) -> None:
        for step in path[:-1]:
            bundle = bundle[step]
        bundle[path[-1]] = value

    return change


MATERIAL, ENVELOPE = "verificationMaterial", "dsseEnvelope"
SIGNATURE = (ENVELOPE, "signatures", 0)
BROKEN = [
    put("mediaType", value=None),
    put("mediaType", value=3),
    put("unknown", value=1),
    put(MATERIAL, value=[]),
    put(MATERIAL, value={}),
    put(MATERIAL, "unknown", value=1),
    put(MATERIAL, "certificate", value={"rawBytes": ""}),
    put(MATERIAL, "publicKey", value="x"),
    put(MATERIAL, "publicKey", "hint", value=1),
    put(MATERIAL, "publicKey", "unknown", value=1),
    put(MATERIAL, "publicKey", value={"rawBytes": 1}),
    put(MATERIAL, "publicKey", value={"rawBytes": "", "keyDetails": 1}),
    put(MATERIAL, "publicKey", value={"rawBytes": "", "unknown": 1}),
    put(MATERIAL, "tlogEntries", value={}),
    put(MATERIAL, "tlogEntries", value=[1]),
    put(MATERIAL, "tlogEntries", value=[{"unknown": 1}]),
    put(MATERIAL, "tlogEntries", value=[{"inclusionProof": {"checkpoint": {"evil": 1}}}]),
    put(MATERIAL, "timestampVerificationData", value={"evil": 1}),
    put(MATERIAL, "timestampVerificationData", value={"rfc3161Timestamps": [{"evil": 1}]}),
    put(MATERIAL, value={"x509CertificateChain": {"certificates": []}}),
    put(MATERIAL, value={"x509CertificateChain": {"certificates": [{"rawBytes": "!"}]}}),
    put(MATERIAL, value={"x509CertificateChain": {"certificates": [{"rawBytes": "", "x": 1}]}}),
    put(MATERIAL, value={"x509CertificateChain": {"evil": []}}),
    put(ENVELOPE, value=None),
    put(ENVELOPE, "unknown", value=1),
    put(ENVELOPE, "payload", value=None),
    put(ENVELOPE, "payload", value="not base64"),
    put(ENVELOPE, "payload", value="e30"),
    put(ENVELOPE, "payload", value="e30=\n"),
    put(ENVELOPE, "payload", value="e3é="),
    put(ENVELOPE, "payloadType", value=1),
    put(ENVELOPE, "signatures", value=[]),
    put(ENVELOPE, "signatures", value={}),
    put(ENVELOPE, "signatures", value=[{"sig": "", "keyid": ""}] * 2),
    put(*SIGNATURE, value="x"),
    put(*SIGNATURE, "sig", value=1),
    put(*SIGNATURE, "keyid", value=1),
    put(*SIGNATURE, "cert", value="x"),
]


@pytest.mark.parametrize("change", BROKEN)
def test_anything_out_of_shape_is_malformed(change: Callable[[Any], None]) -> None:
    value = raw_bundle()
    change(value)
    fault = refusal(parse_bundle, encoded(value))
    assert (fault.code, fault.exit_status) == ("BUNDLE_MALFORMED", 3)


def test_every_cut_of_a_bundle_is_malformed() -> None:
    data = encoded(raw_bundle())
    for end in range(len(data)):
        assert refused_with(parse_bundle, data[:end]) == "BUNDLE_MALFORMED"


@pytest.mark.parametrize(
    "data",
    [
        b"[]",
        b"null",
        b"\xff\xfe",
        b"NaN",
        b'{"mediaType": "a", "mediaType": "b"}',
        encoded(raw_bundle()).replace(b'"hint"', b'"hint": "x", "hint"'),
        b'{"mediaType":' * 100 + b"1" + b"}" * 100,
        b"[" * 100_000,
        b"\x80\x04.",
    ],
)
def test_what_two_readers_could_understand_differently_is_malformed(data: bytes) -> None:
    assert refused_with(parse_bundle, data) == "BUNDLE_MALFORMED"


def test_oversized_bundles_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(raw_bundle())
    monkeypatch.setattr(limits, "BUNDLE_BYTES", len(data) - 1)
    fault = refusal(parse_bundle, data)
    assert fault.code == "BUNDLE_MALFORMED"
    assert "limit" in fault.message


@pytest.mark.parametrize("version", ["application/vnd.dev.sigstore.bundle+json;version=0.4", MEDIA_TYPE + " "])
def test_other_versions_are_unsupported(version: str) -> None:
    fault = refusal(parse_bundle, encoded(raw_bundle() | {"mediaType": version}))
    assert (fault.code, fault.exit_status) == ("BUNDLE_UNSUPPORTED", 3)


def test_a_bundle_over_one_blob_is_read_and_is_no_signature_of_a_model() -> None:
    value = raw_bundle()
    del value["dsseEnvelope"]
    value["messageSignature"] = {"signature": ""}
    assert refused_with(parse_bundle, encoded(value)) == "NOT_A_MODEL_SIGNATURE"
    assert parse_any_bundle(encoded(value)).content == MessageSignature(None, None, b"")


@pytest.mark.parametrize("version", ["0.1", "0.2", "0.3"])
def test_every_version_of_the_media_type_is_read(version: str) -> None:
    media_type = f"application/vnd.dev.sigstore.bundle+json;version={version}"
    assert parse_bundle(encoded(raw_bundle() | {"mediaType": media_type})).version == version


def test_fields_left_out_have_their_default_values() -> None:
    value = raw_bundle()
    value["verificationMaterial"] = {
        "certificate": {"rawBytes": b64(b"der")},
        "tlogEntries": [{"logId": {"keyId": b64(b"log")}, "inclusionProof": {"treeSize": "1"}, "integratedTime": 7}],
        "x509CertificateChain": None,
    }
    (entry,) = parse_bundle(encoded(value)).material.tlog_entries
    assert (entry.log_index, entry.log_key_id, entry.kind, entry.integrated_time) == (0, b"log", "", 7)
    assert (entry.promise, entry.body, entry.proof) == (None, b"", InclusionProof(0, b"", 1, (), None))


@pytest.mark.parametrize("number", ["-1", "1.0", "x", "٣", "1" * 20, True, 1.5, []])
def test_what_is_no_64_bit_number_is_refused(number: object) -> None:
    value = raw_bundle()
    value["verificationMaterial"]["tlogEntries"] = [LOG_ENTRY | {"logIndex": number}]
    assert refused_with(parse_bundle, encoded(value)) == "BUNDLE_MALFORMED"


def test_an_envelope_and_a_blob_in_one_bundle_are_refused() -> None:
    value = raw_bundle() | {"messageSignature": {"signature": ""}}
    assert refused_with(parse_bundle, encoded(value)) == "BUNDLE_MALFORMED"


@given(st.data())
def test_any_value_anywhere_gives_a_bundle_or_a_code(data: st.DataObject) -> None:
    value: Any = copy.deepcopy(raw_bundle())
    spot, key = value, "mediaType"
    while True:
        key = data.draw(st.sampled_from(sorted(spot)))
        if not (isinstance(spot[key], dict) and spot[key] and data.draw(st.booleans())):
            break
        spot = spot[key]
    spot[key] = data.draw(
        st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3))
    )
    try:
        parse_bundle(json.dumps(value).encode("utf-8", "replace"))
    except ModelsignError as fault:
        assert fault.code in {"BUNDLE_MALFORMED", "BUNDLE_UNSUPPORTED"}  # noqa: PT017 - either answer is right


def test_a_payload_type_that_is_no_text_is_malformed() -> None:
    data = encoded(raw_bundle()).replace(IN_TOTO.encode(), b"\\ud800")
    assert refused_with(parse_bundle, data) == "BUNDLE_MALFORMED"


@pytest.mark.parametrize("many", [b"{}", b"[]", b"1", b'"a"'])
def test_a_bundle_of_many_small_values_is_refused_before_they_take_memory(
    many: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strictjson, "loads", lambda *_, **__: pytest.fail("it was parsed"))
    data = b'{"mediaType": [' + b",".join([many] * limits.BUNDLE_VALUES) + b"]}"
    assert "values" in refusal(parse_bundle, data).message


@pytest.mark.parametrize("field", ["mediaType", "x" * 3_000_000])
def test_a_message_repeats_little_of_what_nobody_verified(field: str) -> None:
    data = encoded(raw_bundle() | {field: "y" * 3_000_000})
    assert len(refusal(parse_bundle, data).message) < 300
