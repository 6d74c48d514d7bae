"""Policies that name identities, in check and behind the gate, on bundles of a Sigstore on paper."""

from __future__ import annotations

import json
import socket
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from attested import Ring, attest_scan, sign, write_model
from paperidentities import ALICE, BOB, MALLORY, PaperSealer, write_root
from papersigstore import CLAIMS, ISSUER, SIGNED, Clock, Paper, b64, pem, spki, unb64

from modelsign.artifact.model import open_artifact
from modelsign.check import check_model
from modelsign.errors import ModelsignError
from modelsign.guard.load import load
from modelsign.guard.verified import verified
from modelsign.policy.document import load_policy, read_policy
from modelsign.signing.revocation_list import RevocationList, Revoked, seal_list
from modelsign.verdict import Verdict

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from modelsign.policy.document import Policy
    from modelsign.verdict import CheckResult

NOW = SIGNED + timedelta(days=3)
SCAN = "https://modelsign.dev/attestation/model-scan/v1"
TYPES = {
    "signers": "keys", "people": "identities", "scanners": "identities", "root": "trust-root",
    "lists": "revocation-list", "revokers": "keys",
}  # fmt: skip
ANYBODY = {"identity_glob": "https://people.example/*", "issuer": ISSUER}


def writing(*rules: dict[str, Any]) -> Policy:
    """A policy of some rules, with the parameters they use."""
    whole = {
        "apiVersion": "modelsign.dev/v1", "kind": "ModelTrustPolicy", "metadata": {"name": "people"},
        "parameters": {name: {"type": kind} for name, kind in TYPES.items() if f'"{name}"' in json.dumps(rules)},
        "rules": list(rules),
    }  # fmt: skip
    return read_policy(json.dumps(whole).encode())


def signed(**fields: Any) -> dict[str, Any]:
    return {"id": "signed", "kind": "signature", "identities": ["people"], "trust_root": "root", **fields}


@pytest.fixture(scope="module")
def paper() -> Paper:
    return Paper()


@pytest.fixture
def root(paper, tmp_path) -> Path:
    return write_root(paper, tmp_path / "trusted_root.json")


@pytest.fixture
def model(tmp_path) -> Path:
    return write_model(tmp_path / "model")


@pytest.fixture
def world(model, paper, root) -> tuple[Path, Paper, Path]:
    return model, paper, root


def checked(
    model: Path, policy: Policy, parameters: dict[str, Any], *, now: datetime = NOW, gate: bool = True
) -> CheckResult:
    """Judge by check and, unless told otherwise, by the gate too: they must agree."""
    with open_artifact(model) as artifact:
        found = check_model(artifact, policy, parameters, now=now)
    if gate:
        try:
            with verified(model, policy=policy, parameters=parameters, now=now) as judged:
                other = judged.verdict
        except ModelsignError as fault:
            other = fault.result
        assert (other.verdict, other.rules) == (found.verdict, found.rules)
    return found


def why(found: CheckResult) -> tuple[str, str | None]:
    return str(found.verdict), found.rules[0].code


def test_the_shipped_policy_allows_the_identity_that_was_named(model, paper, root):
    sign(model, PaperSealer(paper))
    given = {"signers": f"identity={ALICE},issuer={ISSUER}", "trust-root": root}
    found = checked(model, load_policy("keyless"), given)
    assert found.verdict is Verdict.ALLOW
    (item,) = found.evidence
    assert (item.source, item.kind, item.signers) == ("model.sig", "signature", (f"{ALICE}, confirmed by {ISSUER}",))
    (used,) = found.inputs
    assert (used.parameter, used.type, len(used.digest)) == ("trust-root", "trust-root", 64)
    assert found.rules[0].observed == f"signed by 1 trusted signer ({ALICE}, confirmed by {ISSUER})"
    (signature,) = found.signatures
    assert signature.signers[0].root == used.digest
    assert load(model, policy="keyless", parameters=given, now=NOW)


@pytest.mark.parametrize(
    "people",
    [
        {"identity": MALLORY, "issuer": ISSUER}, {"identity": ALICE, "issuer": "https://other.example"},
        {"identity": ALICE, "issuer": ISSUER, "claims": {"build_trigger": "schedule"}},
        {"identity_glob": "https://people.example", "issuer": ISSUER}, {"identity_regexp": "alice", "issuer": ISSUER},
        {"identity": ALICE, "issuer": ISSUER, "claims": {"deployment_environment": "x"}},
    ],
)  # fmt: skip
def test_somebody_else_has_not_signed(model, paper, root, people):
    sign(model, PaperSealer(paper))
    found = checked(model, writing(signed()), {"people": people, "root": root})
    assert why(found) == ("DENY", "POLICY_SIGNATURE_MISSING")
    assert {reason.code for reason in found.reasons} & {"CERTIFICATE_IDENTITY_MISMATCH", "CLAIM_WRONG"}


def test_claims_of_github_can_be_demanded(model, paper, root):
    sign(model, PaperSealer(paper))
    claims = {"source_repository_uri": CLAIMS["1.12"], "runner_environment": "github-hosted", "build_trigger": "push"}
    found = checked(model, writing(signed()), {"people": {**ANYBODY, "claims": claims}, "root": root})
    assert found.verdict is Verdict.ALLOW


def test_an_identity_under_another_root_is_nobody(model, root, tmp_path):
    sign(model, PaperSealer(Paper()))
    found = checked(model, writing(signed()), {"people": ANYBODY, "root": root})
    assert why(found) == ("DENY", "POLICY_SIGNATURE_MISSING")
    other = Paper()
    both = [root, write_root(other, tmp_path / "other.json")]
    sign(model, PaperSealer(other))
    found = checked(model, writing(signed()), {"people": ANYBODY, "root": both})
    assert found.verdict is Verdict.ALLOW
    assert len(found.inputs) == 2


def test_one_identity_that_signed_twice_is_one_signer(model, paper, root):
    sign(model, PaperSealer(paper))
    sign(model, PaperSealer(paper), name="again")
    policy, given = writing(signed(threshold=2)), {"people": ANYBODY, "root": root}
    assert why(checked(model, policy, given)) == ("DENY", "POLICY_SIGNATURE_MISSING")
    sign(model, PaperSealer(paper, identity=BOB), name="bob")
    assert checked(model, policy, given).verdict is Verdict.ALLOW
    by_issuer = writing(signed(threshold=2, count_by="issuer"))
    assert why(checked(model, by_issuer, given)) == ("DENY", "POLICY_SIGNATURE_MISSING")


def test_a_key_and_an_identity_may_sign_together(model, paper, root, tmp_path):
    ring = Ring(tmp_path, "alice")
    sign(model, PaperSealer(paper, identity=BOB))
    policy = writing(signed(threshold=2, keys=["signers"]))
    given = {"people": ANYBODY, "root": root, "signers": ring.public("alice")}
    assert why(checked(model, policy, given)) == ("DENY", "POLICY_SIGNATURE_MISSING")
    sign(model, ring["alice"], name="alice")
    assert checked(model, policy, given).verdict is Verdict.ALLOW


def test_a_signature_in_no_log_counts_only_where_the_policy_says_so(model, paper, root):
    sign(model, PaperSealer(paper, logged=False))
    given = {"people": ANYBODY, "root": root}
    found = checked(model, writing(signed()), given)
    assert why(found) == ("DENY", "POLICY_SIGNATURE_MISSING")
    assert "PROOFS_TOO_FEW" in [reason.code for reason in found.reasons]
    assert checked(model, writing(signed(logs=0)), given).verdict is Verdict.ALLOW
    assert checked(model, writing(signed(logs=0, time="proven", timestamps=1)), given).verdict is Verdict.ALLOW


@pytest.mark.parametrize(
    ("made", "fields", "verdict"),
    [
        ("rekor1", {"time": "proven"}, "ALLOW"), ("rekor2 stamped", {"time": "proven"}, "ALLOW"),
        ("rekor2", {}, "DENY"), ("rekor1", {"timestamps": 1}, "DENY"), ("rekor1 stamped", {"timestamps": 2}, "DENY"),
        ("rekor1 stamped", {"timestamps": 1, "logs": 1}, "ALLOW"), ("rekor1 stamped", {"logs": 2}, "DENY"),
    ],
)  # fmt: skip
def test_proofs_are_demanded_of_each_signature(world, made, fields, verdict):
    model, paper, root = world
    log = paper.rekor1 if made.startswith("rekor1") else paper.rekor2
    sign(model, PaperSealer(paper, log=log, stamped=made.endswith("stamped")))
    assert checked(model, writing(signed(**fields)), {"people": ANYBODY, "root": root}).verdict == verdict


def test_one_authority_that_stamped_twice_is_one(model, paper, root):
    place = sign(model, PaperSealer(paper))
    bundle = json.loads(place.read_bytes())
    signature = unb64(bundle["dsseEnvelope"]["signatures"][0]["sig"])
    stamps = bundle["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"]
    stamps.append({"signedTimestamp": b64(paper.clock.stamp(signature, SIGNED + timedelta(seconds=9)))})
    place.write_text(json.dumps(bundle), encoding="utf-8")
    given = {"people": ANYBODY, "root": root}
    assert checked(model, writing(signed(timestamps=1)), given).verdict is Verdict.ALLOW
    assert why(checked(model, writing(signed(timestamps=2)), given)) == ("DENY", "POLICY_SIGNATURE_MISSING")


def test_two_authorities_that_stamped_in_one_second_are_two(model, paper, tmp_path):
    second, document = Clock("second"), paper.trust_root()
    document["timestampAuthorities"].append(second.trusted())
    root = tmp_path / "two_clocks.json"
    root.write_text(json.dumps(document), encoding="utf-8")
    place = sign(model, PaperSealer(paper))
    bundle = json.loads(place.read_bytes())
    signature = unb64(bundle["dsseEnvelope"]["signatures"][0]["sig"])
    stamps = bundle["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"]
    stamps.append({"signedTimestamp": b64(second.stamp(signature, SIGNED))})
    place.write_text(json.dumps(bundle), encoding="utf-8")
    given = {"people": ANYBODY, "root": root}
    assert checked(model, writing(signed(timestamps=2)), given).verdict is Verdict.ALLOW
    assert checked(model, writing(signed(timestamps=3)), given).verdict is Verdict.DENY


def test_the_age_of_a_signature_is_that_of_its_certificate(model, paper, root):
    sign(model, PaperSealer(paper))
    policy, given = writing(signed(max_age="30d")), {"people": ANYBODY, "root": root}
    assert checked(model, policy, given).verdict is Verdict.ALLOW
    assert why(checked(model, policy, given, now=SIGNED + timedelta(days=31))) == ("DENY", "POLICY_SIGNATURE_STALE")


def test_proofs_of_a_bare_keys_signature_count_under_the_trust_root(model, paper, root):
    sealer = PaperSealer(paper, managed=True)
    key = sealer.paper.ct_key  # any key will do
    sign(model, sealer._replace(key=key))
    public = pem(spki(key), "PUBLIC KEY")
    rule = {"id": "signed", "kind": "signature", "keys": ["signers"]}
    assert checked(model, writing(rule), {"signers": public}).verdict is Verdict.ALLOW
    proven = writing({**rule, "trust_root": "root", "logs": 1, "timestamps": 1, "time": "proven"})
    assert checked(model, proven, {"signers": public, "root": root}).verdict is Verdict.ALLOW
    twice = writing({**rule, "trust_root": "root", "logs": 2})
    assert why(checked(model, twice, {"signers": public, "root": root})) == ("DENY", "POLICY_SIGNATURE_MISSING")


def attesting(**fields: Any) -> list[dict[str, Any]]:
    scanned = {
        "id": "scanned", "kind": "attestation", "predicate_type": SCAN,
        "identities": ["scanners"], "trust_root": "root",
        "where": [{"path": "/outcome", "equals": "clean"}], **fields,
    }  # fmt: skip
    return [scanned, signed()]


def test_an_identity_attests_and_only_in_its_own_role(model, paper, root):
    sign(model, PaperSealer(paper, identity=ALICE))
    attest_scan(model, PaperSealer(paper, identity=BOB), SIGNED)
    policy = writing(*attesting(max_age="30d"))
    alice, bob = {"identity": ALICE, "issuer": ISSUER}, {"identity": BOB, "issuer": ISSUER}
    found = checked(model, policy, {"people": alice, "scanners": bob, "root": root})
    assert found.verdict is Verdict.ALLOW
    assert (SCAN, (f"{BOB}, confirmed by {ISSUER}",)) in [(item.kind, item.signers) for item in found.evidence]
    found = checked(model, policy, {"people": bob, "scanners": alice, "root": root})
    assert [rule.code for rule in found.rules] == ["POLICY_ATTESTATION_MISSING", "POLICY_SIGNATURE_MISSING"]


def test_an_attestation_that_says_it_is_newer_than_its_proof_is_stale(model, paper, root):
    sign(model, PaperSealer(paper))
    attest_scan(model, PaperSealer(paper), SIGNED + timedelta(days=2))
    given = {"people": ANYBODY, "scanners": ANYBODY, "root": root}
    assert why(checked(model, writing(*attesting(max_age="30d")), given)) == ("DENY", "POLICY_ATTESTATION_STALE")
    assert checked(model, writing(*attesting()), given).verdict is Verdict.ALLOW


@pytest.mark.parametrize(("since", "verdict"), [(None, "DENY"), (-1, "DENY"), (1, "ALLOW")])
def test_a_revoked_identity_counts_only_for_what_is_proven_to_be_older(world, tmp_path, since, verdict):
    model, paper, root = world
    ring = Ring(tmp_path, "revoker")
    sign(model, PaperSealer(paper))
    moment = None if since is None else SIGNED + timedelta(days=since)
    entry = Revoked("identity", ALICE, "account taken over", NOW, moment)
    listed = RevocationList(1, NOW, NOW + timedelta(days=7), (entry,))
    policy = writing(signed(), {"id": "standing", "kind": "revocation", "lists": "lists", "keys": ["revokers"]})
    given = {
        "people": ANYBODY, "root": root, "revokers": ring.public("revoker"),
        "lists": seal_list(listed, ring["revoker"]).bundle,
    }  # fmt: skip
    found = checked(model, policy, given)
    assert found.verdict == verdict
    assert ("SIGNER_REVOKED" in [reason.code for reason in found.reasons]) == (verdict == "DENY")


def test_nothing_is_connected_to(model, paper, root, monkeypatch):
    sign(model, PaperSealer(paper))

    def forbidden(*_: object, **__: object) -> None:
        message = "a policy, a check and the gate work offline"
        raise AssertionError(message)

    class Offline(socket.socket):
        """A socket that reaches nobody but its pair: the scan's own child."""

        connect = connect_ex = bind = sendto = forbidden

    monkeypatch.setattr(socket, "socket", Offline)
    monkeypatch.setattr(socket, "getaddrinfo", forbidden)
    assert checked(model, writing(signed()), {"people": ANYBODY, "root": root}).verdict is Verdict.ALLOW


def test_a_verdict_names_what_was_passed_over_in_a_trust_root(model, paper, tmp_path):
    document = paper.trust_root()
    document["tlogs"].append(
        {"baseUrl": "https://new.example", "hashAlgorithm": "SHA3", "publicKey": {"rawBytes": "AA=="}}
    )
    (tmp_path / "root.json").write_text(json.dumps(document), encoding="utf-8")
    sign(model, PaperSealer(paper))
    found = checked(model, writing(signed()), {"people": ANYBODY, "root": tmp_path / "root.json"})
    assert found.verdict is Verdict.ALLOW
    assert any(warning.startswith("trust root ") for warning in found.warnings)


def test_the_policys_digest_is_the_same_under_a_renewed_root(model, paper, root, tmp_path):
    sign(model, PaperSealer(paper))
    policy = writing(signed())
    renewed = write_root(Paper(), tmp_path / "renewed.json")
    one = checked(model, policy, {"people": ANYBODY, "root": root})
    two = checked(model, policy, {"people": ANYBODY, "root": renewed})
    assert one.policy == two.policy
    assert one.inputs != two.inputs
