"""A model verifies exactly when enough named keys signed all of its bytes under its names."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from bundlecraft import encoded, legacy, raw_bundle, signed
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from refusals import build, refusal, refused_with

from modelsign.artifact.hashing import hash_artifact
from modelsign.artifact.manifest import root_digest
from modelsign.artifact.model import open_artifact
from modelsign.artifact.names import path_part_order
from modelsign.artifact.snapshot import take_snapshot
from modelsign.scan.engine import is_inert
from modelsign.signing import sign_statement, verify_envelope
from modelsign.signing.dsse import IN_TOTO, pae, pae_of_v0_2
from modelsign.signing.keys import generate
from modelsign.signing.sign import sign_model
from modelsign.signing.verify import VerifyOptions, verify_model
from modelsign.verdict import VerifyVerdict

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from modelsign.signing.keys import SigningKey
    from modelsign.signing.sign import SignResult
    from modelsign.verdict import VerifyResult

FILES = {"config.json": "{}", "w.bin": "weights", "w-2.bin": "more", "w/part": "x", "empty": ""}


@pytest.fixture(scope="module")
def key() -> SigningKey:
    return generate()


@pytest.fixture(scope="module")
def other() -> SigningKey:
    return generate("ed25519")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return build(tmp_path / "m", FILES)


def sign(model: Path, key: SigningKey, *, opening: dict[str, Any] | None = None, **options: Any) -> SignResult:
    with open_artifact(model, **(opening or {})) as artifact:
        return sign_model(artifact, key, **options)


def verify(
    model: Path,
    bundles: bytes | Sequence[bytes],
    *keys: SigningKey,
    opening: dict[str, Any] | None = None,
    **options: Any,
) -> VerifyResult:
    with open_artifact(model, **(opening or {})) as artifact:
        return verify_model(artifact, bundles, [key.public for key in keys], options=VerifyOptions(**options))


def codes(result: VerifyResult) -> list[str]:
    assert (result.verdict is VerifyVerdict.VERIFIED) == (not result.reasons)
    return [reason.code for reason in result.reasons]


def test_a_signed_model_verifies_and_shows_both_digests(model: Path, key: SigningKey) -> None:
    done = sign(model, key)
    result = verify(model, done.bundle, key)
    assert codes(result) == []
    assert result.root_digest == result.signed_root_digest == done.root_digest
    assert result.tree_digest == done.tree_digest
    assert (result.oms, result.format, result.exit_status) == (True, "oms-v1.0", 0)
    assert (result.files.signed, result.files.checked, done.files) == (5, 5, 5)
    assert [signer.key_digest for signer in result.signers] == [key.public.digest]


def test_signing_twice_gives_the_same_bytes(model: Path, key: SigningKey, other: SigningKey) -> None:
    for signer in (key, other):
        assert sign(model, signer).bundle == sign(model, signer).bundle
    assert sign(model, key).payload == sign(model, other).payload


def test_default_names_are_recorded_present_or_not(model: Path, key: SigningKey) -> None:
    statement = json.loads(sign(model, key, opening={"ignore_paths": ["empty"], "bundles": [model / "x.sig"]}).payload)
    assert statement["predicate"]["serialization"]["ignore_paths"] == [
        ".git",
        ".gitattributes",
        ".github",
        ".gitignore",
        "empty",
        "model.intoto.jsonl",
        "model.sig",
        "model.sig.d",
        "x.sig",
    ]
    plain = json.loads(sign(model, key, opening={"ignore_git_paths": False}).payload)
    assert plain["predicate"]["serialization"]["ignore_paths"] == ["model.intoto.jsonl", "model.sig", "model.sig.d"]


def test_extensions_of_oms_say_so(model: Path, other: SigningKey) -> None:
    done = sign(model, other)
    assert not done.oms
    result = verify(model, done.bundle, other)
    assert (codes(result), result.oms) == ([], False)


def test_every_kind_of_difference_has_its_own_reason(model: Path, key: SigningKey) -> None:
    bundle = sign(model, key).bundle
    (model / "w.bin").write_text("Weights")
    result = verify(model, bundle, key)
    assert (codes(result), result.files.changed, result.exit_status) == (["FILE_CHANGED"], ("w.bin",), 1)
    (model / "w-2.bin").unlink()
    (model / "extra.py").write_text("")
    result = verify(model, bundle, key)
    assert codes(result) == ["FILE_CHANGED", "FILE_MISSING", "FILE_UNSIGNED"]
    assert (result.files.missing, result.files.unsigned) == (("w-2.bin",), ("extra.py",))
    assert result.root_digest != result.signed_root_digest
    assert [signer.key_digest for signer in result.signers] == [key.public.digest]


def test_many_names_are_counted_not_listed_in_the_message(model: Path, key: SigningKey) -> None:
    bundle = sign(model, key).bundle
    build(model, {f"extra{number}": "" for number in range(5)})
    assert "more" not in verify(model, bundle, key).reasons[0].message
    build(model, {f"extra{number}": "" for number in range(9)})
    (reason,) = verify(model, bundle, key).reasons
    assert "and 4 more" in reason.message
    assert len(reason.details["names"]) == 9  # type: ignore[arg-type] # a list of names


def test_renaming_a_file_is_seen_though_the_root_digest_stays(model: Path, key: SigningKey) -> None:
    done = sign(model, key)
    (model / "w.bin").rename(model / "w.pkl")
    result = verify(model, done.bundle, key)
    assert codes(result) == ["FILE_MISSING", "FILE_UNSIGNED"]
    assert result.tree_digest != done.tree_digest


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(["config.json", "w.bin", "w-2.bin", "w/part"]), data=st.data())
def test_any_changed_byte_is_found(model: Path, key: SigningKey, name: str, data: st.DataObject) -> None:
    build(model, FILES)
    bundle = sign(model, key).bundle
    content = bytearray((model / name).read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    (model / name).write_bytes(content)
    assert codes(verify(model, bundle, key)) == ["FILE_CHANGED"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_changed_byte_of_a_bundle_verifies_as_something_else(
    model: Path, key: SigningKey, data: st.DataObject
) -> None:
    done = sign(model, key)
    bundle = bytearray(done.bundle)
    bundle[data.draw(st.integers(0, len(bundle) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    result = verify(model, bytes(bundle), key)
    assert result.verdict is not VerifyVerdict.VERIFIED or result.signed_root_digest == done.root_digest


def test_without_a_bundle_or_key_there_is_no_verification(model: Path, key: SigningKey) -> None:
    result = verify(model, [], key)
    assert (codes(result), result.exit_status) == (["SIGNATURE_MISSING"], 1)
    assert (result.root_digest, result.format, result.signers) == (None, None, ())
    assert refused_with(verify, model, sign(model, key).bundle) == "NO_TRUST_SOURCE"


def test_an_answer_without_a_signer_still_says_what_it_is_about(model: Path, key: SigningKey) -> None:
    build(model, {".git/config": "x"})
    bundle = sign(model, key).bundle
    with open_artifact(model) as artifact:
        digests = hash_artifact(artifact)
        result = verify_model(artifact, bundle, [generate().public], digests=digests)
        unread = verify_model(artifact, b"{", [key.public], digests=digests)
    assert result.verdict is VerifyVerdict.REFUSED
    assert unread.verdict is VerifyVerdict.UNDECIDED
    for answer in (result, unread):
        assert answer.root_digest == root_digest(digests[name] for name in sorted(digests))
        assert answer.tree_digest is not None
        assert (answer.oms, answer.signers, answer.signed_root_digest, answer.format) == (False, (), None, None)
        assert answer.files.ignored == (".git",)
        assert any(".git is left out" in warning for warning in answer.warnings)
        assert all(isinstance(reason.message, str) and reason.message for reason in answer.reasons)


def test_progress_is_told_of_every_byte(model: Path, key: SigningKey) -> None:
    bundle = sign(model, key).bundle
    told: list[int] = []
    with open_artifact(model) as artifact:
        verify_model(artifact, bundle, [key.public], progress=told.append)
        assert sum(told) == sum(entry.size for entry in artifact.files)


def test_what_is_missing_of_several_keys_is_told_by_name(model: Path, key: SigningKey, other: SigningKey) -> None:
    result = verify(model, sign(model, key).bundle, key, other)
    (reason,) = result.reasons
    assert reason.details == {"needed": 2, "signed": [key.public.digest], "missing": [other.public.digest]}
    assert other.public.digest in reason.message


@pytest.mark.parametrize(("trusted", "threshold"), [([], None), (["key"], 2)])
def test_a_question_nobody_can_answer_says_why(
    model: Path, key: SigningKey, trusted: list[str], threshold: int | None
) -> None:
    fault = refusal(verify, model, sign(model, key).bundle, *([key] if trusted else []), threshold=threshold)
    assert fault.code == ("THRESHOLD_IMPOSSIBLE" if trusted else "NO_TRUST_SOURCE")
    assert "signed" in fault.message


def test_a_strangers_signature_and_an_altered_one_differ(model: Path, key: SigningKey) -> None:
    bundle = sign(model, key).bundle
    assert codes(verify(model, bundle, generate())) == ["SIGNATURE_WRONG_KEY"]
    value = json.loads(bundle)
    value["dsseEnvelope"]["signatures"][0]["sig"] = "MAYCAQECAQE="
    assert codes(verify(model, encoded(value), key)) == ["SIGNATURE_INVALID"]


def test_a_malformed_bundle_is_undecided_unless_something_was_refused(model: Path, key: SigningKey) -> None:
    result = verify(model, b"{", key)
    assert (codes(result), result.verdict, result.exit_status) == (["BUNDLE_MALFORMED"], VerifyVerdict.UNDECIDED, 3)
    result = verify(model, [b"{", sign(model, generate()).bundle], key)
    assert (codes(result), result.exit_status) == (["SIGNATURE_WRONG_KEY", "BUNDLE_MALFORMED"], 1)


def test_an_attestation_is_no_model_signature(model: Path, key: SigningKey) -> None:
    statement = json.loads(sign(model, key).payload) | {"predicateType": "https://slsa.dev/provenance/v1"}
    result = verify(model, sign_statement(encoded(statement), key), key)
    assert (codes(result), result.exit_status) == (["NOT_A_MODEL_SIGNATURE"], 1)
    value = raw_bundle(b"{}", key.sign(pae("text/plain", b"{}")), key.public.hint)
    value["dsseEnvelope"]["payloadType"] = "text/plain"
    assert codes(verify(model, encoded(value), key)) == ["NOT_A_MODEL_SIGNATURE"]


def test_several_keys_mean_all_of_them(model: Path, key: SigningKey, other: SigningKey) -> None:
    one, two = sign(model, key).bundle, sign(model, other).bundle
    assert codes(verify(model, [one, two], key, other)) == []
    result = verify(model, [one], key, other)
    assert codes(result) == ["SIGNATURES_TOO_FEW"]
    assert result.reasons[0].details["missing"] == [other.public.digest]
    assert codes(verify(model, [one, one], key, other)) == ["SIGNATURES_TOO_FEW"]
    assert codes(verify(model, [one], key, key)) == []


def test_a_threshold_counts_distinct_keys(model: Path, key: SigningKey, other: SigningKey) -> None:
    third = generate()
    one, two = sign(model, key).bundle, sign(model, other).bundle
    assert codes(verify(model, [two, one], key, other, third, threshold=2)) == []
    assert codes(verify(model, [one, one], key, other, third, threshold=2)) == ["SIGNATURES_TOO_FEW"]
    assert codes(verify(model, [one], key, other, threshold=1)) == []
    for keys, threshold in (((key, key), 2), ((key,), 0), ((key, other), 3)):
        fault = refusal(verify, model, [one], *keys, threshold=threshold)
        assert (fault.code, fault.exit_status) == ("THRESHOLD_IMPOSSIBLE", 2)


def test_bundles_that_do_not_count_change_nothing(model: Path, key: SigningKey) -> None:
    stale = sign(model, key).bundle
    (model / "w.bin").write_text("retrained")
    good = sign(model, key).bundle
    for bundles in ([good], [stale, good], [good, stale], [b"{", good], [sign(model, generate()).bundle, good]):
        result = verify(model, bundles, key)
        assert codes(result) == []
        assert len(result.warnings) == len(bundles) - 1
    result = verify(model, [good, stale], key, generate())
    assert codes(result)[-1] == "SIGNATURES_TOO_FEW"


def test_garbage_in_the_place_of_evidence_is_refused_although_the_signature_is_good(
    model: Path, key: SigningKey
) -> None:
    bundle = sign(model, key).bundle
    (model / "model.sig").write_bytes(b"\x80\x04.")
    result = verify(model, bundle, key)
    assert (codes(result), result.exit_status) == (["EVIDENCE_NOT_A_BUNDLE"], 1)
    assert refused_with(sign, model, key) == "EVIDENCE_NOT_A_BUNDLE"
    assert sign(model, key, replaced=["model.sig"]).bundle == bundle


def test_a_broken_signature_in_the_model_is_refused_although_another_one_is_good(model: Path, key: SigningKey) -> None:
    good = sign(model, key).bundle
    build(model, {"model.sig": b"\x80\x04.", "model.sig.d/a.sig": good})
    assert codes(verify(model, [b"\x80\x04.", good], key)) == ["EVIDENCE_NOT_A_BUNDLE", "BUNDLE_MALFORMED"]
    assert codes(verify(model, [b"\x80\x04."], key)) == ["BUNDLE_MALFORMED"]


def test_unsigned_inert_files_are_listed_when_asked_for(model: Path, key: SigningKey) -> None:
    bundle = sign(model, key).bundle
    build(model, {"README.md": "# hello", "extra.json": "{}"})
    assert codes(verify(model, bundle, key)) == ["FILE_UNSIGNED"]
    assert codes(verify(model, bundle, key, ignore_unsigned_files=True)) == ["UNSIGNED_LOADABLE"], "nobody was asked"
    result = verify(model, bundle, key, ignore_unsigned_files=True, is_inert=is_inert)
    assert codes(result) == []
    assert result.files.unsigned == ("README.md", "extra.json")
    assert any("not signed" in warning for warning in result.warnings)


@pytest.mark.parametrize("name", ["evil.py", "pytorch_model.bin", "w/x.json.pkl", "config.yaml"])
def test_unsigned_loadable_files_are_refused_still(model: Path, key: SigningKey, name: str) -> None:
    bundle = sign(model, key).bundle
    build(model, {name: "pass"})
    result = verify(model, bundle, key, ignore_unsigned_files=True)
    assert (codes(result), result.exit_status) == (["UNSIGNED_LOADABLE"], 1)
    assert codes(verify(model, bundle, key, ignore_unsigned_files=True, unsigned_loadable=True)) == []


def test_unsigned_files_do_not_excuse_changed_ones(model: Path, key: SigningKey) -> None:
    bundle = sign(model, key).bundle
    build(model, {"README.md": "", "w.bin": "other"})
    assert codes(verify(model, bundle, key, ignore_unsigned_files=True, is_inert=is_inert)) == ["FILE_CHANGED"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("sub/README.md", "cos\nsystem\n(S'true'\ntR."),
        ("x.json", '{"class_path": "evil.Evil"}'),
        ("modules.json", '[{"idx": 0, "name": "0", "path": "", "type": "evil_pkg.Evil"}]'),
    ],
)
def test_unsigned_files_with_innocent_names_are_asked_about_at_the_scanner(
    model: Path, key: SigningKey, name: str, content: str
) -> None:
    bundle = sign(model, key).bundle
    build(model, {name: content})
    result = verify(model, bundle, key, ignore_unsigned_files=True, is_inert=is_inert)
    assert (codes(result), result.exit_status) == (["UNSIGNED_LOADABLE"], 1)


def test_what_the_signer_left_out_must_be_accepted(model: Path, key: SigningKey) -> None:
    build(model, {"logs/x": "1"})
    bundle = sign(model, key, opening={"ignore_paths": ["logs"]}).bundle
    result = verify(model, bundle, key)
    assert (codes(result), result.exit_status) == (["SIGNER_IGNORES_MORE", "FILE_UNSIGNED"], 1)
    accepted = {"ignore_paths": ["logs"]}
    result = verify(model, bundle, key, opening=accepted, ignore_paths=("logs",))
    assert (codes(result), result.files.ignored) == ([], ("logs",))
    (model / "logs/x").unlink()
    (model / "logs").rmdir()
    assert codes(verify(model, bundle, key)) == ["SIGNER_IGNORES_MORE"]
    assert codes(verify(model, bundle, key, opening=accepted, ignore_paths=("logs",))) == []


def test_a_slip_in_a_path_to_ignore_is_a_usage_error(model: Path, key: SigningKey) -> None:
    bundle = sign(model, key).bundle
    slip = {"ignore_paths": ["lgos"]}
    assert refused_with(verify, model, bundle, key, opening=slip, ignore_paths=("lgos",)) == "IGNORE_MATCHES_NOTHING"
    assert refused_with(sign, model, key, opening=slip) == "IGNORE_MATCHES_NOTHING"


def test_a_bundle_inside_the_model_under_another_name_is_accepted(model: Path, key: SigningKey) -> None:
    named = {"bundles": [model / "my.sig"]}
    bundle = sign(model, key, opening=named).bundle
    (model / "my.sig").write_bytes(bundle)
    assert codes(verify(model, bundle, key, opening=named)) == []
    assert "FILE_UNSIGNED" in codes(verify(model, bundle, key))


def test_the_signers_permission_to_follow_links_is_not_the_verifiers(model: Path, key: SigningKey) -> None:
    (model / "link").symlink_to("w.bin")
    follow = {"allow_symlinks": True}
    done = sign(model, key, opening=follow)
    assert json.loads(done.payload)["predicate"]["serialization"]["allow_symlinks"]
    assert refused_with(verify, model, done.bundle, key) == "LINK_NOT_ALLOWED"
    assert codes(verify(model, done.bundle, key, opening=follow)) == []


def test_private_keys_are_not_signed(model: Path, key: SigningKey) -> None:
    build(model, {"w/id": key.pem()})
    assert refused_with(sign, model, key) == "PRIVATE_KEY_IN_MODEL"


def test_files_under_gits_names_are_checked_where_they_were_signed(model: Path, key: SigningKey) -> None:
    build(model, {".gitattributes": "* text"})
    bundle = sign(model, key, opening={"ignore_git_paths": False}).bundle
    result = verify(model, bundle, key)
    assert (codes(result), result.files.signed) == ([], 6)
    with open_artifact(model) as artifact, take_snapshot(artifact) as snapshot:
        assert codes(verify_model(snapshot, bundle, [key.public], digests=snapshot.digests)) == []
    (model / ".gitattributes").write_text("* binary")
    assert codes(verify(model, bundle, key)) == ["FILE_CHANGED"]


def test_a_single_file_is_bound_to_its_name(tmp_path: Path, key: SigningKey) -> None:
    build(tmp_path, {"w.safetensors": "weights"})
    done, dotted = sign(tmp_path / "w.safetensors", key), sign(tmp_path / "w.safetensors", key, whole_model_name=True)
    assert (done.oms, dotted.oms) == (True, False)
    for bundle, oms in ((done.bundle, True), (dotted.bundle, False)):
        result = verify(tmp_path / "w.safetensors", bundle, key)
        assert (codes(result), result.oms, result.tree_digest) == ([], oms, done.tree_digest)
        build(tmp_path, {"w.pkl": "weights"})
        renamed = verify(tmp_path / "w.pkl", bundle, key)
        assert (codes(renamed)[0], renamed.exit_status) == ("MODEL_RENAMED", 1)
    (tmp_path / "w.safetensors").write_text("Weights")
    assert codes(verify(tmp_path / "w.safetensors", dotted.bundle, key)) == ["FILE_CHANGED"]


def test_a_signature_of_a_single_file_does_not_verify_a_folder(tmp_path: Path, key: SigningKey) -> None:
    folder = build(tmp_path / "d", {"d": "weights"})
    build(tmp_path / "x", {"d": "weights"})
    dotted = sign(tmp_path / "x/d", key, whole_model_name=True).bundle
    assert set(codes(verify(folder, dotted, key))) == {"FILE_MISSING", "FILE_UNSIGNED"}


def test_known_digests_are_used_instead_of_reading(model: Path, key: SigningKey) -> None:
    bundle = sign(model, key).bundle
    with open_artifact(model) as artifact:
        digests = hash_artifact(artifact)
        assert sign_model(artifact, key, digests=digests).bundle == bundle
        (model / "w.bin").write_text("changed meanwhile")
        assert codes(verify_model(artifact, bundle, [key.public], digests=digests)) == []
        wrong = digests | {"w.bin": "00" * 32}
        assert codes(verify_model(artifact, bundle, [key.public], digests=wrong)) == ["FILE_CHANGED"]
        unsigned = verify_model(artifact, [], [key.public], digests=digests)
        assert unsigned.tree_digest is not None


def test_a_snapshot_verifies_like_the_model(model: Path, key: SigningKey) -> None:
    bundle = sign(model, key).bundle
    with open_artifact(model) as artifact, take_snapshot(artifact) as snapshot:
        (model / "w.bin").write_text("evil")
        assert codes(verify_model(snapshot, bundle, [key.public])) == []
        assert sign_model(snapshot, key).bundle == bundle


def reshaped(
    model: Path, key: SigningKey, *, algorithm: str = "sha256", shard: int | None = None, reference: bool = False
) -> bytes:
    """Sign the model as another implementation would: other hash, shards, or order."""
    import hashlib  # noqa: PLC0415

    files = {str(path.relative_to(model)): path.read_bytes() for path in model.rglob("*") if path.is_file()}
    order = sorted(files, key=path_part_order) if reference else sorted(files)
    resources = []
    for name in order:
        spans = (
            [(0, len(files[name]))]
            if shard is None
            else [(start, min(start + shard, len(files[name]))) for start in range(0, len(files[name]), shard)]
        )
        resources += [
            {
                "name": name if shard is None else f"{name}:{start}:{end}",
                "algorithm": algorithm,
                "digest": hashlib.new(algorithm, files[name][start:end]).hexdigest(),
            }
            for start, end in spans
        ]
    if shard is not None and not reference:
        resources.sort(key=lambda entry: entry["name"])
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "m", "digest": {"sha256": root_digest(entry["digest"] for entry in resources)}}],
        "predicateType": "https://model_signing/signature/v1.0",
        "predicate": {
            "serialization": {
                "method": "files" if shard is None else "shards",
                "hash_type": algorithm,
                "allow_symlinks": False,
                "ignore_paths": [],
                **({} if shard is None else {"shard_size": float(shard)}),
            },
            "resources": resources,
        },
    }
    return signed(encoded(statement), key)


def test_the_reference_order_verifies_and_is_not_oms(model: Path, key: SigningKey) -> None:
    result = verify(model, reshaped(model, key, reference=True), key)
    assert (codes(result), result.oms) == ([], False)
    assert result.root_digest == result.signed_root_digest != sign(model, key).root_digest


@pytest.mark.parametrize(
    ("algorithm", "shard"), [("blake2b", None), ("sha256", 3), ("blake2b", 4), ("sha256", 1), ("sha256", 1000)]
)
def test_other_hashes_and_shards_verify_and_the_tree_digest_stays(
    model: Path, key: SigningKey, algorithm: str, shard: int | None
) -> None:
    (model / "empty").unlink()
    bundle = reshaped(model, key, algorithm=algorithm, shard=shard)
    result = verify(model, bundle, key)
    assert codes(result) == []
    assert result.root_digest == result.signed_root_digest
    assert result.tree_digest == sign(model, key).tree_digest
    with open_artifact(model) as artifact, take_snapshot(artifact) as snapshot:
        assert codes(verify_model(snapshot, bundle, [key.public], digests=snapshot.digests)) == []
    with open_artifact(model) as artifact:
        again = verify_model(artifact, bundle, [key.public], digests=hash_artifact(artifact))
        one_shard_is_the_file = shard == 1000
        assert codes(again) == ([] if one_shard_is_the_file else ["HASH_UNSUPPORTED"])
    for content in ("Weights", "weights+", "w"):
        (model / "w.bin").write_text(content)
        assert codes(verify(model, bundle, key)) == ["FILE_CHANGED"]


def test_an_empty_file_that_no_shard_names_is_unsigned(model: Path, key: SigningKey) -> None:
    assert codes(verify(model, reshaped(model, key, shard=3), key)) == ["FILE_UNSIGNED"]


def of_v0_2(
    model: Path, key: SigningKey, *, mistaken: bool = True, predicate: str = "https://model_signing/Digests/v0.1"
) -> bytes:
    with open_artifact(model) as artifact:
        digests = hash_artifact(artifact)
    statement = json.loads(sign(model, key).payload) | {"predicateType": predicate}
    if predicate.endswith("v0.1"):
        statement["subject"] = [{"name": name, "digest": {"sha256": digest}} for name, digest in digests.items()]
    payload = encoded(statement)
    bundle = raw_bundle(payload, key.sign(pae_of_v0_2(payload) if mistaken else pae(IN_TOTO, payload)))
    legacy(bundle)
    return encoded(bundle)


def test_the_format_of_0_2_0_verifies_only_where_legacy_is_allowed(model: Path, key: SigningKey) -> None:
    bundle = of_v0_2(model, key)
    assert codes(verify(model, bundle, key)) == ["SIGNATURE_WRONG_KEY"]
    result = verify(model, bundle, key, allow_legacy=True)
    assert (codes(result), result.format, result.oms) == ([], "oms-v0.2", False)
    assert codes(verify(model, of_v0_2(model, key, mistaken=False), key, allow_legacy=True)) == []
    (model / "w.bin").write_text("evil")
    assert codes(verify(model, bundle, key, allow_legacy=True)) == ["FILE_CHANGED"]


def test_the_old_predicate_in_a_current_bundle_is_legacy(model: Path, key: SigningKey) -> None:
    statement = json.loads(sign(model, key).payload) | {"predicateType": "https://model_signing/Digests/v0.1"}
    assert codes(verify(model, signed(encoded(statement), key), key)) == ["LEGACY_NOT_ALLOWED"]


def test_the_old_encoding_is_only_for_the_old_predicate(model: Path, key: SigningKey) -> None:
    bundle = of_v0_2(model, key, predicate="https://model_signing/signature/v1.0")
    assert codes(verify(model, bundle, key, allow_legacy=True)) == ["NOT_A_MODEL_SIGNATURE"]


def test_the_old_shape_of_a_bundle_is_legacy(model: Path, key: SigningKey) -> None:
    bundle = signed(sign(model, key).payload, key, legacy)
    assert codes(verify(model, bundle, key)) == ["LEGACY_NOT_ALLOWED"]
    result = verify(model, bundle, key, allow_legacy=True)
    assert (codes(result), result.format, result.oms) == ([], "oms-v0.3", False)


def test_a_key_in_a_bundle_is_never_trusted(model: Path, key: SigningKey) -> None:
    def carry(bundle: dict[str, Any]) -> None:
        legacy(bundle)
        bundle["verificationMaterial"]["publicKey"]["rawBytes"] = ""

    assert codes(verify(model, signed(sign(model, key).payload, key, carry), generate(), allow_legacy=True)) == [
        "SIGNATURE_WRONG_KEY"
    ]


def test_insecure_names_verify_only_where_both_sides_say_so(tmp_path: Path, key: SigningKey) -> None:
    model = build(tmp_path / "m", {"A": "1", "a": "2"})
    loose = {"strict_names": False}
    bundle = sign(model, key, opening=loose).bundle
    assert refused_with(verify, model, bundle, key) == "NAME_COLLIDES_CASE"
    assert codes(verify(model, bundle, key, opening=loose)) == ["NAME_COLLIDES_CASE"]
    assert codes(verify(model, bundle, key, opening=loose, strict_names=False)) == []


def test_an_unreadable_file_is_undecided(model: Path, key: SigningKey, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = sign(model, key).bundle

    def broken(*_: object) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "read", broken)
    result = verify(model, bundle, key)
    assert (codes(result), result.verdict) == (["FILE_UNREADABLE"], VerifyVerdict.UNDECIDED)


def test_a_file_aside_that_cannot_be_read_is_undecided(
    model: Path, key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(model, {".gitattributes": "* text"})
    bundle = sign(model, key, opening={"ignore_git_paths": False}).bundle

    def broken(*_: object) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "readv", broken)
    assert codes(verify(model, bundle, key)) == ["FILE_UNREADABLE"]


def test_the_answer_has_its_stable_keys(model: Path, key: SigningKey) -> None:
    body = verify(model, sign(model, key).bundle, key).body()
    assert list(body) == [
        "verdict", "root_digest", "tree_digest", "signed_root_digest", "oms", "format", "signers", "files",
        "expires",
    ]  # fmt: skip


@pytest.mark.parametrize("left_out", [(), ("config.json", "w.bin")])
def test_digests_that_do_not_name_every_file_are_refused(model: Path, key: SigningKey, left_out: Sequence[str]) -> None:
    bundle = sign(model, key).bundle
    (model / "w.bin").write_text("changed")
    with open_artifact(model) as artifact:
        kept = {name: digest for name, digest in hash_artifact(artifact).items() if name in left_out}
        for function, arguments in ((verify_model, (bundle, [key.public])), (sign_model, (key,))):
            fault = refusal(function, artifact, *arguments, digests=kept)
            assert (fault.code, fault.exit_status) == ("USAGE", 2)
            assert "w/part" in fault.message


def test_a_signed_file_aside_needs_its_digest_too(tmp_path: Path, key: SigningKey) -> None:
    model = build(tmp_path / "m", {"w": "1", ".gitattributes": "* text\n"})
    bundle = sign(model, key, opening={"ignore_git_paths": False}).bundle
    with open_artifact(model) as artifact:
        result = verify_model(artifact, bundle, [key.public], digests=hash_artifact(artifact))
    assert codes(result) == ["USAGE"]


@pytest.mark.parametrize("odd", [5, "signer.pub", None])
def test_what_is_no_key_is_refused_by_name(model: Path, key: SigningKey, odd: object) -> None:
    bundle = sign(model, key).bundle
    with open_artifact(model) as artifact:
        assert refused_with(verify_model, artifact, bundle, [key.public, odd]) == "USAGE"
    assert refused_with(verify_envelope, sign_statement(b"{}", key), [odd]) == "USAGE"


@pytest.mark.parametrize("spelled", ["w", "./w", "w/", "./w//"])
def test_a_path_to_ignore_may_be_spelled_in_any_way(model: Path, key: SigningKey, spelled: str) -> None:
    bundle = sign(model, key, opening={"ignore_paths": ["w"]}).bundle
    with open_artifact(model, ignore_paths=[spelled]) as artifact:
        assert codes(verify_model(artifact, bundle, [key.public], options=VerifyOptions(ignore_paths=(spelled,)))) == []


def test_a_message_repeats_little_of_a_hint_or_a_payload_type(model: Path, key: SigningKey) -> None:
    long = "x" * 3_000_000
    foreign = encoded(raw_bundle(hint=long))
    other_type = encoded(raw_bundle(b"{}", key.sign(pae(long, b"{}")), key.public.hint) | {}).replace(
        IN_TOTO.encode(), long.encode()
    )
    with open_artifact(model) as artifact:
        for data in (foreign, other_type):
            result = verify_model(artifact, data, [key.public])
            assert all(len(reason.message) < 400 for reason in result.reasons)
    assert len(refusal(verify_envelope, other_type, [key.public]).message) < 400


def test_a_path_is_no_bundle(model: Path, key: SigningKey) -> None:
    with open_artifact(model) as artifact:
        assert refused_with(verify_model, artifact, "model.sig", [key.public]) == "USAGE"
