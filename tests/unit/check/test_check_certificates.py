"""Policies that name identities in certificates, in check and behind the gate, on chains made by openssl."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from attested import Ring, attest_scan, sign, write_model
from certificatelab import DAY, EC, NOW, Authority, Stamper
from commandline import modelsign
from papersigstore import Clock, Paper, pem

from modelsign.artifact.model import open_artifact
from modelsign.check import check_model
from modelsign.errors import ModelsignError
from modelsign.guard.verified import verified
from modelsign.policy.document import read_policy
from modelsign.signing.methods.certificate import CertificateSealer
from modelsign.signing.x509.certificates import load_certificates
from modelsign.verdict import Verdict

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from certificatelab import Issued, Lab

    from modelsign.policy.document import Policy
    from modelsign.verdict import CheckResult

SCAN = "https://modelsign.dev/attestation/model-scan/v1"
TYPES = {
    "signers": "keys", "people": "identities", "roots": "certificate-roots", "clocks": "certificate-roots",
    "status": "certificate-status", "root": "trust-root",
}  # fmt: skip
NAMED = {"identity": "https://example.org/release"}


def writing(*rules: dict[str, Any]) -> Policy:
    whole = {
        "apiVersion": "modelsign.dev/v1", "kind": "ModelTrustPolicy", "metadata": {"name": "machines"},
        "parameters": {name: {"type": kind} for name, kind in TYPES.items() if f'"{name}"' in json.dumps(rules)},
        "rules": list(rules),
    }  # fmt: skip
    return read_policy(json.dumps(whole).encode())


def signed(**fields: Any) -> dict[str, Any]:
    return {"id": "signed", "kind": "signature", "identities": ["people"], "certificate_roots": "roots", **fields}


def sealer(issued: Issued, authority: Authority) -> CertificateSealer:
    (chain,) = load_certificates(authority.path.read_bytes())
    return CertificateSealer(issued.key, issued.certificate, [chain], now=NOW)


def stamp(place: Path, stamper: Stamper) -> None:
    """Add a timestamp to a signature that lies beside a model."""
    bundle = json.loads(place.read_bytes())
    signature = base64.b64decode(bundle["dsseEnvelope"]["signatures"][0]["sig"])
    stamps = [{"signedTimestamp": base64.b64encode(stamper.stamp(signature)).decode()}]
    bundle["verificationMaterial"]["timestampVerificationData"] = {"rfc3161Timestamps": stamps}
    place.write_text(json.dumps(bundle), encoding="utf-8")


@pytest.fixture
def model(tmp_path) -> Path:
    return write_model(tmp_path / "model")


def checked(model: Path, policy: Policy, parameters: dict[str, Any], *, now: datetime = NOW) -> CheckResult:
    with open_artifact(model) as artifact:
        found = check_model(artifact, policy, parameters, now=now)
    try:
        with verified(model, policy=policy, parameters=parameters, now=now) as judged:
            other = judged.verdict
    except ModelsignError as fault:
        other = fault.result
    assert (other.verdict, other.rules) == (found.verdict, found.rules)
    return found


def why(found: CheckResult) -> tuple[str, str | None]:
    return str(found.verdict), found.rules[0].code


@pytest.mark.parametrize(
    ("people", "verdict"),
    [
        (NAMED, "ALLOW"), ({"identity": "email:ci@example.org"}, "ALLOW"),
        ({"identity": "dns:ci.example.org"}, "ALLOW"), ({"identity_glob": "https://example.org/*"}, "ALLOW"),
        ({"identity_regexp": "uri:https://example.org/.*"}, "ALLOW"),
        ({"identity": "subject:CN=leaf,O=Acme"}, "ALLOW"), ({**NAMED, "organization": "Acme"}, "ALLOW"),
        ({"identity": "https://example.org/releases"}, "DENY"), ({"identity": "dns:example.org"}, "DENY"),
        ({"identity": "dns:https://example.org/release"}, "DENY"), ({**NAMED, "organization": "Other"}, "DENY"),
        ({"identity_regexp": "uri:https://example.org"}, "DENY"),
    ],
)  # fmt: skip
def test_a_name_in_a_certificate_is_an_identity(model, lab: Lab, people, verdict):
    sign(model, sealer(lab.leaf, lab.middle))
    found = checked(model, writing(signed()), {"people": people, "roots": lab.root.path})
    assert found.verdict == verdict
    if verdict == "ALLOW":
        (used,) = found.inputs
        assert (used.type, used.digest) == ("certificate-roots", lab.root.certificate.digest)
    else:
        assert "CERTIFICATE_IDENTITY_MISMATCH" in [reason.code for reason in found.reasons]


def test_a_root_of_the_same_name_is_another_root(model, lab: Lab):
    sign(model, sealer(lab.leaf, lab.middle))
    found = checked(model, writing(signed()), {"people": NAMED, "roots": lab.stranger.path})
    assert why(found) == ("DENY", "POLICY_SIGNATURE_MISSING")
    both = [lab.stranger.path, lab.root.path]
    assert checked(model, writing(signed()), {"people": NAMED, "roots": both}).verdict is Verdict.ALLOW


def test_what_is_no_root_is_refused_when_the_policy_is_bound(model):
    with open_artifact(model) as artifact, pytest.raises(ModelsignError) as caught:
        check_model(artifact, writing(signed()), {"people": NAMED, "roots": b"nothing"}, now=NOW)
    assert (caught.value.code, "roots" in caught.value.message) == ("PARAMETER_INVALID", True)


def test_a_certificate_is_judged_at_the_checks_own_time(model, lab: Lab):
    sign(model, sealer(lab.leaf, lab.middle))
    given = {"people": NAMED, "roots": lab.root.path}
    late = NOW + 301 * DAY
    assert why(checked(model, writing(signed()), given, now=late)) == ("DENY", "POLICY_SIGNATURE_MISSING")
    assert checked(model, writing(signed()), given, now=NOW + 299 * DAY).verdict is Verdict.ALLOW


def test_a_timestamp_keeps_a_signature_beyond_its_certificate_and_makes_it_no_younger(model, lab: Lab, tmp_path):
    clock = Authority(tmp_path, "clock")
    stamp(sign(model, sealer(lab.leaf, lab.middle)), Stamper(clock))
    given = {"people": NAMED, "roots": lab.root.path, "clocks": clock.path}
    late = NOW + 400 * DAY
    stamped = writing(signed(timestamp_roots="clocks", timestamps=1, time="proven"))
    assert checked(model, stamped, given, now=late).verdict is Verdict.ALLOW
    fresh = writing(signed(timestamp_roots="clocks", max_age="40d"))
    assert checked(model, fresh, given, now=NOW).verdict is Verdict.ALLOW
    assert why(checked(model, fresh, given, now=late)) == ("DENY", "POLICY_SIGNATURE_STALE")
    twice = writing(signed(timestamp_roots="clocks", timestamps=2))
    assert why(checked(model, twice, given))[0] == "DENY"


def test_one_clock_that_stamped_twice_is_one(model, lab: Lab):
    place, clock = sign(model, sealer(lab.leaf, lab.middle)), Clock()
    bundle = json.loads(place.read_bytes())
    signature = base64.b64decode(bundle["dsseEnvelope"]["signatures"][0]["sig"])
    made = [clock.stamp(signature, NOW - timedelta(seconds=ago)) for ago in (5, 9)]
    stamps = [{"signedTimestamp": base64.b64encode(data).decode()} for data in made]
    bundle["verificationMaterial"]["timestampVerificationData"] = {"rfc3161Timestamps": stamps}
    place.write_text(json.dumps(bundle), encoding="utf-8")
    given = {"people": NAMED, "roots": lab.root.path, "clocks": pem(clock.signer.chain[-1].der)}
    once, twice = (writing(signed(timestamp_roots="clocks", timestamps=number)) for number in (1, 2))
    assert checked(model, once, given).verdict is Verdict.ALLOW
    assert why(checked(model, twice, given)) == ("DENY", "POLICY_SIGNATURE_MISSING")


def test_clocks_of_the_caller_count_beside_a_trust_root(model, lab: Lab, tmp_path):
    """Where both are named the timestamps of certificates are those of the clocks, as in verify."""
    clock, root = Authority(tmp_path, "clock"), json.dumps(Paper().trust_root()).encode()
    place = sign(model, sealer(lab.leaf, lab.middle))
    given = {"people": NAMED, "roots": lab.root.path, "clocks": clock.path, "root": root}
    asked = writing(signed(trust_root="root", timestamp_roots="clocks", timestamps=1))
    assert why(checked(model, asked, given)) == ("DENY", "POLICY_SIGNATURE_MISSING")
    stamp(place, Stamper(clock))
    assert checked(model, asked, given, now=NOW + DAY).verdict is Verdict.ALLOW


def test_without_a_timestamp_no_time_is_proven(model, lab: Lab):
    sign(model, sealer(lab.leaf, lab.middle))
    given = {"people": NAMED, "roots": lab.root.path, "clocks": lab.root.path}
    found = checked(model, writing(signed(timestamp_roots="clocks", time="proven")), given)
    assert why(found) == ("DENY", "POLICY_SIGNATURE_UNPROVEN")


def test_a_status_that_a_rule_asks_for_must_be_there_and_good(model, tmp_path):
    authority = Authority(tmp_path, "own")
    leaf = authority.issue("leaf")
    sign(model, CertificateSealer(leaf.key, leaf.certificate, now=NOW))
    policy = writing(signed(certificate_status="status"))
    given = {"people": NAMED, "roots": authority.path}
    good = checked(model, policy, {**given, "status": authority.crl("good")})
    assert good.verdict is Verdict.ALLOW
    assert [item.type for item in good.inputs] == ["certificate-roots", "certificate-status"]
    absent = checked(model, policy, {**given, "status": tmp_path / "none.crl"})
    assert why(absent) == ("DENY", "POLICY_SIGNATURE_MISSING")
    assert "REVOCATION_STATUS_MISSING" in [reason.code for reason in absent.reasons]
    stale = authority.crl("stale", last=NOW - 20 * DAY, end=NOW - 10 * DAY)
    assert why(checked(model, policy, {**given, "status": stale}))[0] == "DENY"
    answered = {**given, "status": authority.ocsp("ok", leaf)}
    assert checked(model, policy, answered, now=NOW + DAY / 2).verdict is Verdict.ALLOW
    assert checked(model, policy, answered, now=NOW + 9 * DAY).verdict is Verdict.DENY
    authority.revoke(leaf)
    revoked = checked(model, policy, {**given, "status": authority.crl("revoked")})
    assert "CERTIFICATE_REVOKED" in [reason.code for reason in revoked.reasons]
    assert good.policy == revoked.policy


def test_certificates_of_one_identity_count_once_and_so_does_their_issuer(model, lab: Lab):
    sign(model, sealer(lab.leaf, lab.middle))
    again = lab.middle.issue("again")
    sign(model, sealer(again, lab.middle), name="again")
    people = {"identity_glob": "https://example.org/**"}
    given = {"people": people, "roots": lab.root.path}
    assert why(checked(model, writing(signed(threshold=2)), given))[0] == "DENY"
    other = lab.middle.issue(
        "other", extensions="basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
        "extendedKeyUsage=codeSigning\nsubjectAltName=URI:https://example.org/other\n", key=EC,
    )  # fmt: skip
    sign(model, sealer(other, lab.middle), name="other")
    assert checked(model, writing(signed(threshold=2)), given).verdict is Verdict.ALLOW
    assert why(checked(model, writing(signed(threshold=2, count_by="issuer")), given))[0] == "DENY"


def test_certificates_attest_from_the_command_line_and_open_in_check(model, lab: Lab, tmp_path):
    ring = Ring(tmp_path, "alice")
    sign(model, ring["alice"])
    answer = modelsign(
        "attest", "scan", model, "--key", lab.leaf.key_path, "--certificate", lab.leaf.path,
        "--certificate-chain", lab.middle.path, "--format", "json",
    )  # fmt: skip
    assert answer.exit_code == 0
    rule = {
        "id": "scanned", "kind": "attestation", "predicate_type": SCAN, "identities": ["people"],
        "certificate_roots": "roots", "where": [{"path": "/outcome", "equals": "clean"}],
    }  # fmt: skip
    policy = tmp_path / "policy.json"
    whole = {
        "apiVersion": "modelsign.dev/v1", "kind": "ModelTrustPolicy", "metadata": {"name": "both"},
        "parameters": {name: {"type": TYPES[name]} for name in ("signers", "people", "roots")},
        "rules": [rule, {"id": "signed", "kind": "signature", "keys": ["signers"]}],
    }  # fmt: skip
    policy.write_text(json.dumps(whole), encoding="utf-8")
    settings = (
        "--policy", policy, "--set", f"signers={ring.public('alice')}", "--set", f"roots={lab.root.path}",
        "--format", "json",
    )  # fmt: skip
    answer = modelsign("check", model, *settings, "--set", "people=identity=email:ci@example.org")
    assert (answer.exit_code, answer.document["verdict"]) == (0, "ALLOW")
    assert answer.document["evidence"][1]["signers"] == ["ci@example.org, confirmed by CN=middle,O=Acme"]
    answer = modelsign("check", model, *settings, "--set", "people=identity=email:cd@example.org")
    assert (answer.exit_code, answer.document["rules"][0]["code"]) == (1, "POLICY_ATTESTATION_MISSING")


def test_a_scanner_with_a_certificate_does_not_sign_models(model, lab: Lab, tmp_path):
    ring = Ring(tmp_path, "alice")
    sign(model, sealer(lab.leaf, lab.middle))
    attest_scan(model, sealer(lab.leaf, lab.middle), NOW)
    rules = [
        {"id": "signed", "kind": "signature", "keys": ["signers"]},
        {"id": "scanned", "kind": "attestation", "predicate_type": SCAN, "identities": ["people"],
         "certificate_roots": "roots"},
    ]  # fmt: skip
    given = {"signers": ring.public("alice"), "people": NAMED, "roots": lab.root.path}
    found = checked(model, writing(*rules), given)
    assert [rule.code for rule in found.rules] == ["POLICY_SIGNATURE_MISSING", None]


def test_an_identity_of_a_certificate_is_none_of_sigstores(model, lab: Lab):
    sign(model, sealer(lab.leaf, lab.middle))
    root = json.dumps(Paper().trust_root()).encode()
    whole = json.dumps(
        {
            "apiVersion": "modelsign.dev/v1", "kind": "ModelTrustPolicy", "metadata": {"name": "either"},
            "parameters": {"people": {"type": "identities"}, "roots": {"type": "certificate-roots"},
                           "root": {"type": "trust-root"}},
            "rules": [signed(trust_root="root")],
        }
    )  # fmt: skip
    given = {"roots": lab.root.path, "root": root}
    policy = read_policy(whole.encode())
    assert checked(model, policy, {**given, "people": NAMED}).verdict is Verdict.ALLOW
    sigstores = {**NAMED, "issuer": "CN=middle,O=Acme"}
    assert why(checked(model, policy, {**given, "people": sigstores})) == ("DENY", "POLICY_SIGNATURE_MISSING")
