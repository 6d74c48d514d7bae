"""One verdict from bytes, evidence and policy: what allows, what denies, and what is only ignored."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from attested import BUILDER, FILES, Ring, attest_provenance, attest_scan, sign, write_model
from model_files import EVIL

from modelsign import limits
from modelsign.artifact.model import open_artifact
from modelsign.artifact.snapshot import take_snapshot
from modelsign.attest.store import store_place
from modelsign.check import Evidence, check_model, collect_evidence
from modelsign.errors import ModelsignError
from modelsign.policy.document import load_policy, read_policy
from modelsign.signing.envelope import sign_statement
from modelsign.signing.sign import sign_model
from modelsign.signing.verify import verify_model
from modelsign.verdict import Outcome, RuleOutcome, Verdict, VerifyVerdict

if TYPE_CHECKING:
    from pathlib import Path

    from modelsign.verdict import CheckResult

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def ring(tmp_path):
    return Ring(tmp_path, "alice", "bob", "mallory", "ci", "scanner")


@pytest.fixture
def model(tmp_path, ring):
    made = write_model(tmp_path / "model")
    sign(made, ring["alice"])
    return made


def baseline(model: Path, ring: Ring, *signers: str, **settings) -> CheckResult:
    with open_artifact(model, **settings.pop("opening", {})) as artifact:
        settings.setdefault("evidence", collect_evidence(model))
        keys = [ring.public(name) for name in signers or ("alice",)]
        return check_model(artifact, load_policy("baseline"), {"signers": keys}, now=NOW, **settings)


def strict(model: Path, ring: Ring, **settings) -> CheckResult:
    parameters = {
        "signers": [ring.public("alice"), ring.public("bob")],
        "builders": ring.public("ci"),
        "builder-ids": BUILDER,
        "scanners": ring.public("scanner"),
    }
    with open_artifact(model) as artifact:
        return check_model(
            artifact, load_policy("strict"), parameters, evidence=collect_evidence(model), **{"now": NOW, **settings}
        )


def everything(model: Path, ring: Ring) -> None:
    sign(model, ring["bob"], name="bob")
    attest_provenance(model, ring["ci"], materials=())
    attest_scan(model, ring["scanner"], NOW)


def results(found: CheckResult) -> dict[str, str]:
    return {rule.id: str(rule.result) for rule in found.rules}


def codes(found: CheckResult) -> list[str]:
    return [reason.code for reason in found.reasons]


def test_a_signed_clean_model_is_allowed(model, ring):
    found = baseline(model, ring)
    assert (found.verdict, found.exit_status, found.reasons) == (Verdict.ALLOW, 0, ())
    assert results(found) == {"signed": "PASS", "not-unsafe": "PASS"}
    assert found.scan is not None
    assert found.scan.outcome is Outcome.CLEAN
    assert found.time == "2026-11-23T12:00:00Z"
    (item,) = found.evidence
    assert (item.source, item.kind, item.signers) == ("model.sig", "signature", (ring.digest("alice"),))
    assert json.loads(json.dumps(found.body()))["verdict"] == "ALLOW"


def test_a_private_copy_gets_the_same_verdict(model, ring):
    with open_artifact(model) as artifact, take_snapshot(artifact) as copy:
        evidence = collect_evidence(model)
        parameters = {"signers": ring.public("alice")}
        one = check_model(artifact, load_policy("baseline"), parameters, now=NOW, evidence=evidence)
        other = check_model(copy, load_policy("baseline"), parameters, now=NOW, evidence=evidence)
    assert one.body() == other.body()


def test_without_evidence_given_an_opened_model_brings_its_own(model, ring):
    assert baseline(model, ring, evidence=None).verdict is Verdict.ALLOW


def test_a_private_copy_brings_none(model, ring):
    with open_artifact(model) as artifact, take_snapshot(artifact) as copy:
        found = check_model(copy, load_policy("baseline"), {"signers": ring.public("alice")}, now=NOW)
    assert codes(found) == ["POLICY_SIGNATURE_MISSING", "SIGNATURE_MISSING"]


def test_a_single_file_has_its_evidence_beside_it(tmp_path, ring):
    folder = write_model(tmp_path / "files")
    file = folder / "model.safetensors"
    sign(file, ring["alice"])
    found = baseline(file, ring)
    assert found.verdict is Verdict.ALLOW
    assert found.evidence[0].source == "model.safetensors.sig"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (
            lambda model: (model / "model.safetensors").write_bytes(FILES["model.safetensors"][:-1] + b"\x01"),
            "FILE_CHANGED",
        ),
        (lambda model: (model / "added.json").write_bytes(b"{}"), "FILE_UNSIGNED"),
        (lambda model: (model / "config.json").unlink(), "FILE_MISSING"),
        (lambda model: (model / "config.json").rename(model / "settings.json"), "FILE_UNSIGNED"),
        (lambda model: (model / "model.sig").unlink(), "SIGNATURE_MISSING"),
        (lambda model: (model / "model.sig").write_bytes(b"{}"), "BUNDLE_MALFORMED"),
        (lambda model: (model / "model.sig").write_bytes(b""), "BUNDLE_MALFORMED"),
    ],
)
def test_every_tampering_is_denied_with_its_own_reason(model, ring, change, code):
    change(model)
    found = baseline(model, ring)
    assert (found.verdict, found.exit_status) == (Verdict.DENY, 1)
    assert codes(found)[0] == "POLICY_SIGNATURE_MISSING"
    assert code in codes(found)
    assert results(found)["signed"] == "FAIL"


def test_a_strangers_signature_is_denied(model, ring):
    found = baseline(model, ring, "mallory")
    assert found.verdict is Verdict.DENY
    assert "SIGNATURE_WRONG_KEY" in codes(found)
    assert found.ignored_evidence[0].startswith("model.sig: SIGNATURE_WRONG_KEY: ")


def test_a_strangers_signature_beside_a_good_one_changes_nothing(model, ring):
    before = baseline(model, ring)
    sign(model, ring["mallory"], name="mallory")
    after = baseline(model, ring)
    assert (after.verdict, after.rules) == (before.verdict, before.rules)
    assert len(after.ignored_evidence) == 1


def test_a_signed_model_that_would_run_code_is_denied(tmp_path, ring):
    model = write_model(tmp_path / "evil", {"m.pkl": EVIL})
    sign(model, ring["alice"])
    found = baseline(model, ring)
    assert (found.verdict, codes(found)) == (Verdict.DENY, ["POLICY_SCAN_DENIED"])
    assert results(found) == {"signed": "PASS", "not-unsafe": "FAIL"}


def test_a_model_too_broken_to_judge_is_undecided(tmp_path, ring):
    model = write_model(tmp_path / "cut", {"m.safetensors": FILES["model.safetensors"][:20]})
    sign(model, ring["alice"])
    found = baseline(model, ring)
    assert (found.verdict, found.exit_status) == (Verdict.UNDECIDED, 3)
    assert codes(found) == ["POLICY_SCAN_UNDECIDED"]


def test_a_file_that_cannot_be_read_leaves_everything_open(model, ring, monkeypatch):
    import modelsign.check as module  # noqa: PLC0415 - to stand in for a failing disk

    real = module.examine

    def failing(*arguments, **settings):
        scan = real(*arguments, **settings)
        broken = replace(scan.files[0], sha256=None, outcome=Outcome.INCOMPLETE)
        return replace(scan, outcome=Outcome.INCOMPLETE, files=(broken, *scan.files[1:]))

    monkeypatch.setattr(module, "examine", failing)
    found = baseline(model, ring)
    assert found.verdict is Verdict.UNDECIDED
    assert found.tree_digest is None
    assert set(codes(found)) == {"POLICY_BYTES_UNREAD", "POLICY_SCAN_UNDECIDED"}
    assert found.evidence == ()


def test_all_that_the_strict_policy_asks_for_is_allowed(model, ring):
    everything(model, ring)
    found = strict(model, ring)
    assert results(found) == {
        "signed-twice": "PASS", "formats": "PASS", "clean": "PASS", "provenance": "FAIL", "scanned-elsewhere": "PASS",
    }  # fmt: skip
    from modelsign.attest.material import Material  # noqa: PLC0415 - beside its one use

    attest_provenance(
        model, ring["ci"], materials=(Material("source", "git+https://x/y", None, {"gitCommit": "ab" * 20}),)
    )
    found = strict(model, ring)
    assert found.verdict is Verdict.ALLOW, found.rules
    assert [item.source for item in found.evidence] == [
        "model.sig", "model.sig.d/bob.sig", "model.intoto.jsonl:1", "model.intoto.jsonl:2", "model.intoto.jsonl:3",
    ]  # fmt: skip


def test_a_scan_report_goes_stale(model, ring):
    everything(model, ring)
    later = strict(model, ring, now=NOW + timedelta(days=91))
    assert results(later)["scanned-elsewhere"] == "FAIL"
    assert "POLICY_ATTESTATION_STALE" in codes(later)


def test_attestations_of_the_model_before_a_change_do_not_count(model, ring):
    everything(model, ring)
    (model / "config.json").write_bytes(b'{"model_type": "gpt"}')
    sign(model, ring["alice"])
    found = strict(model, ring)
    assert results(found)["scanned-elsewhere"] == "FAIL"
    assert any("ATTESTATION_OF_OTHER_MODEL" in line for line in found.ignored_evidence)


def test_an_attestation_that_contradicts_itself_about_the_model_does_not_count(model, ring):
    everything(model, ring)
    store = model / "model.intoto.jsonl"
    value = json.loads(store.read_bytes().splitlines()[1])
    statement = json.loads(base64.b64decode(value["dsseEnvelope"]["payload"]))
    statement["subject"][1]["digest"]["sha256"] = "00" * 32
    store.write_bytes(sign_statement(json.dumps(statement).encode(), ring["scanner"]) + b"\n")
    found = strict(model, ring)
    assert results(found)["scanned-elsewhere"] == "FAIL"
    assert "ATTESTATION_OF_OTHER_MODEL" in found.ignored_evidence[0]


def test_keys_are_trusted_for_their_own_claims_alone(model, ring):
    sign(model, ring["scanner"], name="scanner")  # a scanner's key signs the model
    attest_scan(model, ring["alice"], NOW)  # a signer's key attests a scan
    attest_provenance(model, ring["scanner"])  # a scanner's key attests provenance
    found = strict(model, ring)
    assert [results(found)[rule] for rule in ("signed-twice", "provenance", "scanned-elsewhere")] == ["FAIL"] * 3


def test_a_model_signature_in_the_store_is_ignored_and_listed(model, ring):
    everything(model, ring)
    with (model / "model.intoto.jsonl").open("ab") as store:
        store.write((model / "model.sig").read_bytes().replace(b"\n", b"") + b"\n")
    found = strict(model, ring)
    assert results(found)["scanned-elsewhere"] == "PASS"
    assert any(line.startswith("model.intoto.jsonl:3: ATTESTATION_UNTRUSTED") for line in found.ignored_evidence)


def test_an_attestation_in_the_place_of_a_signature_does_not_sign(model, ring):
    attest_scan(model, ring["alice"], NOW)
    (model / "model.sig").write_bytes((model / "model.intoto.jsonl").read_bytes().rstrip(b"\n"))
    found = baseline(model, ring)
    assert found.verdict is Verdict.DENY
    assert results(found)["signed"] == "FAIL"


def test_lines_of_a_store_elsewhere_that_are_no_bundles_are_ignored_and_listed(model, ring, tmp_path):
    everything(model, ring)
    store = tmp_path / "store.jsonl"
    store.write_bytes(b"junk\n" + (model / "model.intoto.jsonl").read_bytes() + b"{}\n")
    (model / "model.intoto.jsonl").unlink()
    evidence = collect_evidence(model, attestations=[store])
    parameters = {
        "signers": [ring.public("alice"), ring.public("bob")], "builders": ring.public("ci"), "builder-ids": BUILDER,
        "scanners": ring.public("scanner"),
    }  # fmt: skip
    with open_artifact(model) as artifact:
        found = check_model(artifact, load_policy("strict"), parameters, now=NOW, evidence=evidence)
    assert results(found)["scanned-elsewhere"] == "PASS"
    assert [line.split(": ")[1] for line in found.ignored_evidence] == ["BUNDLE_MALFORMED", "BUNDLE_MALFORMED"]


def both(model: Path, ring: Ring, **settings) -> list[CheckResult]:
    """The verdict on the opened model and on its private copy, with what lies at the default places."""
    with open_artifact(model) as artifact, take_snapshot(artifact) as copy:
        evidence = collect_evidence(model)
        return [
            check_model(
                subject,
                load_policy("baseline"),
                {"signers": ring.public("alice")},
                now=NOW,
                evidence=evidence,
                **settings,
            )
            for subject in (artifact, copy)
        ]


@pytest.mark.parametrize("junk", [b"junk\n", b"a\n\nb", b"{}", b"\n\n", b'{"mediaType": "\\ud800"}', EVIL])
@pytest.mark.parametrize("place", ["model.intoto.jsonl", "model.sig.d/x.sig"])
def test_what_is_no_bundle_in_the_places_of_evidence_refuses_in_check_and_load_alike(model, ring, place, junk):
    assert baseline(model, ring).verdict is Verdict.ALLOW
    (model / "model.sig.d").mkdir(exist_ok=True)
    (model / place).write_bytes(junk)
    found, of_copy = both(model, ring)
    assert found.body() == of_copy.body()
    assert found.verdict is Verdict.DENY
    assert any(line.startswith(f"{place}: BUNDLE_") for line in found.ignored_evidence)
    assert any(reason.code.startswith("BUNDLE_") for reason in found.reasons)


def test_what_is_no_bundle_refuses_also_where_other_evidence_was_named(model, ring, tmp_path):
    elsewhere = tmp_path / "good.sig"
    (model / "model.sig").rename(elsewhere)
    (model / "model.sig").write_bytes(EVIL)
    evidence = collect_evidence(model, bundles=[elsewhere])
    assert [place for place, _ in evidence.bundles] == [str(elsewhere)]
    assert [place for place, _ in evidence.faults] == ["model.sig"]
    found = baseline(model, ring, evidence=evidence)
    assert found.verdict is Verdict.DENY
    (model / "model.sig").unlink()
    assert baseline(model, ring, evidence=collect_evidence(model, bundles=[elsewhere])).verdict is Verdict.ALLOW


def test_what_a_stranger_writes_of_itself_is_told_in_a_few_words(model, ring):
    (model / "model.sig.d").mkdir()
    (model / "model.sig.d" / "x.sig").write_bytes(b'{"mediaType": "' + b"A" * 3_000_000 + b'"}')
    for found in both(model, ring):
        assert all(len(line) < 400 for line in found.ignored_evidence)


def test_evidence_that_cannot_be_read_refuses_and_is_listed(model, ring, monkeypatch):
    sign(model, ring["bob"], name="big")
    size = (model / "model.sig").stat().st_size
    (model / "model.sig.d" / "big.sig").write_bytes(b" " * (size + 1))
    monkeypatch.setattr(limits, "BUNDLE_BYTES", size)
    for found in both(model, ring):
        assert found.verdict is Verdict.DENY
        assert [line.split(": ")[:2] for line in found.ignored_evidence] == [["model.sig.d/big.sig", "INPUT_TOO_LARGE"]]


def test_more_evidence_than_is_read_refuses_and_is_listed_once(model, ring, monkeypatch):
    for name in "abcd":
        sign(model, ring["mallory"], name=name)
    monkeypatch.setattr(limits, "EVIDENCE_FILES", 2)
    for found in both(model, ring):
        assert found.verdict is Verdict.DENY
        assert [line.partition(": ")[0] for line in found.ignored_evidence] == ["model.sig.d/b.sig"]
    monkeypatch.setattr(limits, "EVIDENCE_BYTES", 1)
    assert {line.split(": ")[1] for line in both(model, ring)[0].ignored_evidence} == {"INPUT_TOO_LARGE"}


def test_a_lone_path_is_one_path(model, tmp_path):
    elsewhere = tmp_path / "a.sig"
    (model / "model.sig").rename(elsewhere)
    assert len(collect_evidence(model, bundles=str(elsewhere)).bundles) == 1
    assert len(collect_evidence(model, attestations=elsewhere).stores) == 1


@pytest.mark.parametrize("spelling", ["./notes", "notes/", "./notes/", "notes/."])
def test_a_path_to_leave_out_is_one_path_however_it_is_spelled(model, ring, spelling):
    (model / "notes").mkdir()
    (model / "notes" / "a.txt").write_text("x", encoding="utf-8")
    with open_artifact(model, ignore_paths=["notes"]) as artifact:
        (model / "model.sig").write_bytes(sign_model(artifact, ring["alice"]).bundle)
    found = baseline(model, ring, opening={"ignore_paths": [spelling]}, ignore_paths=[spelling])
    assert found.verdict is Verdict.ALLOW, found.reasons
    assert found.warnings == ("notes is left out as asked: not signed, not scanned",)
    assert baseline(model, ring, opening={"ignore_paths": [spelling]}, ignore_paths=spelling).verdict is Verdict.ALLOW


def test_a_time_without_a_zone_is_a_mistake_of_the_caller(model, ring):
    with open_artifact(model) as artifact, pytest.raises(ModelsignError) as caught:
        check_model(artifact, load_policy("baseline"), {"signers": ring.public("alice")}, now=NOW.replace(tzinfo=None))
    assert (caught.value.code, int(caught.value.exit_status)) == ("ARGUMENT_INVALID", 2)


# --- manifests that are not whole-file SHA-256 ------------------------------------------


def sign_otherwise(model: Path, key, algorithm: str, shard: int | None) -> None:
    """Sign what the reference implementation writes with --chunk-size shards or with BLAKE2b."""
    resources = []
    for name in sorted(path.name for path in model.iterdir() if path.name != "model.sig"):
        data = (model / name).read_bytes()
        for start in range(0, len(data), shard or len(data)):
            end = min(start + (shard or len(data)), len(data))
            digest = getattr(hashlib, algorithm)(data[start:end]).hexdigest()
            shown = f"{name}:{start}:{end}" if shard else name
            resources.append({"name": shown, "algorithm": algorithm, "digest": digest})
    root = hashlib.sha256(b"".join(bytes.fromhex(resource["digest"]) for resource in resources)).hexdigest()
    how: dict[str, object] = {"method": "files", "hash_type": algorithm, "allow_symlinks": False, "ignore_paths": []}
    if shard:
        how |= {"method": "shards", "shard_size": shard}
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": model.name, "digest": {"sha256": root}}],
        "predicateType": "https://model_signing/signature/v1.0",
        "predicate": {"serialization": how, "resources": resources},
    }
    (model / "model.sig").write_bytes(sign_statement(json.dumps(statement).encode(), key))


@pytest.mark.parametrize(("algorithm", "shard"), [("sha256", 64), ("blake2b", None)])
def test_other_manifests_get_the_same_verdict_from_check_as_from_verify_and_load(model, ring, algorithm, shard):
    sign_otherwise(model, ring["alice"], algorithm, shard)
    with open_artifact(model) as artifact:
        signed = verify_model(artifact, (model / "model.sig").read_bytes(), [ring["alice"].public])
    assert signed.verdict is VerifyVerdict.VERIFIED, signed.reasons
    found, of_copy = both(model, ring)
    assert found.verdict is Verdict.ALLOW, found.reasons
    assert found.body() == of_copy.body()
    (model / "config.json").write_bytes(b'{"model_type": "gpt2"}')
    assert [found.verdict for found in both(model, ring)] == [Verdict.DENY, Verdict.DENY]


def test_a_manifest_there_is_no_room_to_compare_with_is_undecided_not_denied(model, ring, monkeypatch):
    sign_otherwise(model, ring["alice"], "blake2b", None)
    monkeypatch.setattr(limits, "SNAPSHOT_BYTES", 10)
    found = baseline(model, ring)
    assert (found.verdict, found.exit_status) == (Verdict.UNDECIDED, 3)
    assert results(found)["signed"] == "INDETERMINATE"
    assert codes(found) == ["POLICY_SIGNATURE_UNDECIDED", "HASH_UNSUPPORTED", "SNAPSHOT_TOO_LARGE"]
    assert baseline(model, ring, "mallory").verdict is Verdict.DENY


def test_a_store_beyond_its_limits_is_ignored_and_listed(model, ring, monkeypatch, tmp_path):
    everything(model, ring)
    store = tmp_path / "store.jsonl"
    store.write_bytes((model / "model.intoto.jsonl").read_bytes() * 2)
    evidence = collect_evidence(model, attestations=[store])
    (model / "model.intoto.jsonl").unlink()
    monkeypatch.setattr(limits, "STORE_LINES", 3)
    parameters = {
        "signers": [ring.public("alice"), ring.public("bob")], "builders": ring.public("ci"), "builder-ids": BUILDER,
        "scanners": ring.public("scanner"),
    }  # fmt: skip
    with open_artifact(model) as artifact:
        found = check_model(artifact, load_policy("strict"), parameters, now=NOW, evidence=evidence)
    assert "ATTESTATION_STORE_UNUSABLE" in found.ignored_evidence[0]


def test_an_unbound_parameter_stops_before_the_model_is_read(model):
    with open_artifact(model) as artifact, pytest.raises(ModelsignError) as caught:
        check_model(artifact, load_policy("baseline"), now=NOW)
    assert caught.value.code == "PARAMETER_UNSET"


def test_a_policy_without_signatures_never_allows(model, ring):
    policy = read_policy(
        b"apiVersion: modelsign.dev/v1\nkind: ModelTrustPolicy\nmetadata: {name: weak}\n"
        b"rules: [{id: clean, kind: scan, accept: [clean]}]\n"
    )
    with open_artifact(model) as artifact:
        found = check_model(artifact, policy, now=NOW)
    assert (found.verdict, codes(found)) == (Verdict.UNDECIDED, ["POLICY_AUTHENTICATES_NOTHING"])
    assert ring.digest("alice") not in json.dumps(found.body())


def test_paths_left_out_must_be_accepted_by_whoever_checks(model, ring):
    (model / "notes").mkdir()
    (model / "notes" / "a.txt").write_text("x", encoding="utf-8")
    assert baseline(model, ring).verdict is Verdict.DENY
    found = baseline(model, ring, opening={"ignore_paths": ["notes"]}, ignore_paths=["notes"])
    assert found.verdict is Verdict.ALLOW
    assert found.warnings == ("notes is left out as asked: not signed, not scanned",)


def test_a_second_opinion_is_asked_about_the_same_bytes(model, ring):
    found = baseline(model, ring, opinions=("modelscan",))
    assert found.scan is not None
    assert found.scan.opinions[0].engine == "modelscan"
    assert found.verdict is Verdict.ALLOW


def test_the_verdict_is_a_function_of_its_inputs(model, ring):
    assert baseline(model, ring).body() == baseline(model, ring).body()


def test_progress_is_told(model, ring):
    seen: list[tuple[str, int, int]] = []
    baseline(model, ring, progress=lambda *step: seen.append(step))
    assert seen[-1][1] == seen[-1][2] > 0


# --- collecting -------------------------------------------------------------------------


def test_evidence_is_named_relative_to_the_model(model, ring):
    everything(model, ring)
    evidence = collect_evidence(model)
    assert [name for name, _ in evidence.bundles] == ["model.sig", "model.sig.d/bob.sig"]
    assert [name for name, _ in evidence.stores] == ["model.intoto.jsonl"]


def test_named_evidence_stands_in_the_place_of_the_default(model, ring, tmp_path):
    everything(model, ring)
    (tmp_path / "other.sig").write_bytes((model / "model.sig").read_bytes())
    evidence = collect_evidence(model, bundles=[tmp_path / "other.sig"])
    assert [name for name, _ in evidence.bundles] == [str(tmp_path / "other.sig")]
    assert len(evidence.stores) == 1


def test_evidence_that_was_named_and_is_not_there_is_an_error(model, tmp_path):
    with pytest.raises(ModelsignError) as caught:
        collect_evidence(model, bundles=[tmp_path / "none.sig"])
    assert caught.value.code == "SIGNATURE_MISSING"
    with pytest.raises(ModelsignError) as caught:
        collect_evidence(model, attestations=[tmp_path / "none.jsonl"])
    assert caught.value.code == "INPUT_UNREADABLE"


def test_a_model_without_evidence_has_none(tmp_path):
    assert collect_evidence(write_model(tmp_path / "bare")) == Evidence()


def test_evidence_inside_the_model_beyond_its_limit_refuses_and_is_listed(model, ring, monkeypatch):
    attest_scan(model, ring["scanner"], NOW)
    monkeypatch.setattr(limits, "STORE_BYTES", (model / "model.sig").stat().st_size)
    found = baseline(model, ring, evidence=None)
    assert found.verdict is Verdict.DENY
    assert [line.split(": ")[:2] for line in found.ignored_evidence] == [["model.intoto.jsonl", "INPUT_TOO_LARGE"]]
    assert store_place(model).endswith("model.intoto.jsonl")


def test_files_under_gits_names_that_a_signature_covers_are_compared(tmp_path, ring):
    model = write_model(tmp_path / "repo", {**FILES, ".gitattributes": b"*.bin filter=lfs\n"})
    sign(model, ring["alice"])
    found = baseline(model, ring)
    assert found.verdict is Verdict.ALLOW
    assert RuleOutcome.PASS in {rule.result for rule in found.rules}
