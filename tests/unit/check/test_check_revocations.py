"""Revocation lists in check and behind the gate: what one names counts nowhere, and without one there is no ALLOW."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from attested import Ring, attest_scan, sign, write_model

from modelsign.artifact.model import open_artifact
from modelsign.attest.store import read_lines
from modelsign.check import check_model
from modelsign.errors import ModelsignError
from modelsign.guard.verified import verified
from modelsign.policy.document import read_policy
from modelsign.signing.bundle import parse_bundle
from modelsign.signing.revocation import statement_digest
from modelsign.signing.revocation_list import RevocationList, Revoked, seal_list
from modelsign.verdict import Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from modelsign.verdict import CheckResult

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SCAN = "https://modelsign.dev/attestation/model-scan/v1"
RULES = [
    {"id": "signed", "kind": "signature", "keys": ["signers"]},
    {"id": "scanned", "kind": "attestation", "predicate_type": SCAN, "keys": ["scanners"], "mode": "warn"},
    {"id": "standing", "kind": "revocation", "lists": "lists", "keys": ["revokers"], "max_age": "7d"},
]
DOCUMENT = {
    "apiVersion": "modelsign.dev/v1", "kind": "ModelTrustPolicy", "metadata": {"name": "revoking"},
    "parameters": {
        "signers": {"type": "keys"}, "scanners": {"type": "keys"}, "revokers": {"type": "keys"},
        "lists": {"type": "revocation-list"},
    },
    "rules": RULES,
}  # fmt: skip
POLICY = read_policy(json.dumps(DOCUMENT).encode())


@pytest.fixture
def ring(tmp_path) -> Ring:
    (tmp_path / "keys").mkdir()
    return Ring(tmp_path / "keys", "alice", "bob", "scanner", "revoker")


@pytest.fixture
def model(tmp_path, ring) -> Path:
    folder = write_model(tmp_path / "model")
    sign(folder, ring["alice"])
    attest_scan(folder, ring["scanner"], NOW)
    return folder


def write_list(ring: Ring, *entries: Revoked, by: str = "revoker", **changes: object) -> Path:
    dated = {"version": 4, "issued": NOW - timedelta(days=1), "expires": NOW + timedelta(days=6), **changes}
    place = ring.folder / "revoked.list"
    place.write_bytes(seal_list(RevocationList(entries=entries, **dated), ring[by]).bundle)  # type: ignore[arg-type] # tests pass what fits
    return place


def parameters(ring: Ring, place: Path) -> dict[str, object]:
    return {
        "signers": [ring.public("alice"), ring.public("bob")], "scanners": ring.public("scanner"),
        "revokers": ring.public("revoker"), "lists": place,
    }  # fmt: skip


def checked(model: Path, ring: Ring, place: Path) -> CheckResult:
    with open_artifact(model) as artifact:
        found = check_model(artifact, POLICY, parameters(ring, place), now=NOW)
    try:
        with verified(model, policy=POLICY, parameters=parameters(ring, place), now=NOW) as judged:
            gate = judged.verdict
    except ModelsignError as fault:
        gate = fault.result
    assert gate.verdict is found.verdict
    assert [rule.result for rule in gate.rules] == [rule.result for rule in found.rules]
    return found


def results(found: CheckResult) -> dict[str, tuple[str, str | None]]:
    return {rule.id: (str(rule.result), rule.code) for rule in found.rules}


def entry(kind: str, value: str, **changes: object) -> Revoked:
    return Revoked(kind, value, "stolen", NOW - timedelta(days=1), **changes)  # type: ignore[arg-type] # tests pass what fits


def test_a_list_that_names_nothing_of_this_allows(model, ring):
    found = checked(model, ring, write_list(ring, entry("key", ring.digest("bob"))))
    assert found.verdict is Verdict.ALLOW
    (used,) = found.inputs
    assert (used.parameter, used.type, used.version) == ("lists", "revocation-list", 4)
    assert found.body()["inputs"] == [
        {"parameter": "lists", "type": "revocation-list", "digest": used.digest, "version": 4}
    ]


def test_a_revoked_signer_has_not_signed(model, ring):
    found = checked(model, ring, write_list(ring, entry("key", ring.digest("alice"))))
    assert found.verdict is Verdict.DENY
    assert results(found)["signed"] == ("FAIL", "POLICY_SIGNATURE_MISSING")
    assert results(found)["standing"] == ("PASS", None)
    assert "SIGNER_REVOKED" in [reason.code for reason in found.reasons]


def test_another_signer_who_stands_is_enough(model, ring):
    sign(model, ring["bob"], name="bob")
    found = checked(model, ring, write_list(ring, entry("key", ring.digest("alice"))))
    assert found.verdict is Verdict.ALLOW
    assert [item.source for item in found.evidence if item.kind == "signature"] == ["model.sig.d/bob.sig"]


def test_a_revoked_signature_does_not_count(model, ring):
    digest = statement_digest(parse_bundle((model / "model.sig").read_bytes()))
    found = checked(model, ring, write_list(ring, entry("signature", digest)))
    assert results(found)["signed"] == ("FAIL", "POLICY_SIGNATURE_MISSING")
    assert "SIGNATURE_REVOKED" in [reason.code for reason in found.reasons]


def test_a_revoked_scanner_has_not_attested(model, ring):
    assert results(checked(model, ring, write_list(ring)))["scanned"] == ("PASS", None)
    found = checked(model, ring, write_list(ring, entry("key", ring.digest("scanner"))))
    assert results(found)["scanned"] == ("FAIL", "POLICY_ATTESTATION_MISSING")
    assert any("SIGNER_REVOKED" in words for words in found.ignored_evidence)


def test_a_revoked_attestation_does_not_count(model, ring):
    (line,) = read_lines((model / "model.intoto.jsonl").read_bytes())
    assert line.bundle is not None
    found = checked(model, ring, write_list(ring, entry("signature", statement_digest(line.bundle))))
    assert results(found)["scanned"] == ("FAIL", "POLICY_ATTESTATION_MISSING")
    assert any("SIGNATURE_REVOKED" in words for words in found.ignored_evidence)


def test_a_revoked_model_is_denied_whoever_signed_it(model, ring):
    tree = checked(model, ring, write_list(ring)).tree_digest
    found = checked(model, ring, write_list(ring, entry("model", tree or "")))
    assert found.verdict is Verdict.DENY
    assert results(found)["standing"] == ("FAIL", "MODEL_REVOKED")
    config = next(file.sha256 for file in found.scan.files if file.path == "config.json")
    found = checked(model, ring, write_list(ring, entry("file", config)))
    assert results(found)["standing"] == ("FAIL", "MODEL_REVOKED")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"issued": NOW - timedelta(days=9)}, "REVOCATION_LIST_STALE"),
        ({"expires": NOW - timedelta(hours=1)}, "REVOCATION_LIST_EXPIRED"),
        ({"issued": NOW + timedelta(hours=1)}, "REVOCATION_LIST_FROM_THE_FUTURE"),
    ],
)
def test_a_list_that_is_not_the_present_one_denies(model, ring, changes, code):
    found = checked(model, ring, write_list(ring, **changes))
    assert found.verdict is Verdict.DENY
    assert results(found)["standing"] == ("FAIL", code)


def test_what_a_stale_list_names_still_does_not_count(model, ring):
    place = write_list(ring, entry("key", ring.digest("alice")), issued=NOW - timedelta(days=9))
    found = results(checked(model, ring, place))
    assert found["standing"] == ("FAIL", "REVOCATION_LIST_STALE")
    assert found["signed"] == ("FAIL", "POLICY_SIGNATURE_MISSING")


def test_without_the_list_or_with_a_list_of_others_there_is_no_allow(model, ring):
    place = write_list(ring, entry("key", ring.digest("alice")), by="bob")
    found = checked(model, ring, place)
    assert results(found)["standing"] == ("FAIL", "POLICY_REVOCATION_LIST_MISSING")
    assert results(found)["signed"] == ("PASS", None)
    assert "REVOCATION_LIST_UNTRUSTED" in [reason.code for reason in found.reasons]
    place.write_bytes(b"{}")
    found = checked(model, ring, place)
    assert results(found)["standing"] == ("FAIL", "POLICY_REVOCATION_LIST_MISSING")
    place.unlink()
    found = checked(model, ring, place)
    assert results(found)["standing"] == ("FAIL", "POLICY_REVOCATION_LIST_MISSING")
    assert "REVOCATION_LIST_MISSING" in [reason.code for reason in found.reasons]
    assert found.inputs[0].digest == "absent"
