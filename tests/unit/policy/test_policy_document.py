"""Policies are read strictly, and their digest is that of their meaning, not of their spelling."""

from __future__ import annotations

import json

import pytest
import yaml
from policyfacts import PROVENANCE, bound, document, policy

from modelsign.errors import ModelsignError
from modelsign.policy.document import SHIPPED, canonical, digest, load_policy, read_policy, shipped_policy

SIGNED = {"id": "signed", "kind": "signature", "keys": ["signers"]}
SCANNED = {"id": "scanned", "kind": "scan", "accept": ["clean"]}
WAIVER = {
    "id": "W-1", "rule": "scanned", "tree_digests": ["ab" * 32], "reason": "why", "approved_by": "who",
    "approved_on": "2026-01-01T00:00:00Z", "expires": "2026-12-31T00:00:00Z",
}  # fmt: skip


def refused(value: object) -> str:
    with pytest.raises(ModelsignError) as caught:
        read_policy(json.dumps(value).encode(), what="policy p.yaml")
    assert caught.value.code == "POLICY_MALFORMED"
    assert caught.value.exit_status == 3
    assert caught.value.message.startswith("the policy p.yaml is refused: ")
    return caught.value.message


def attestation(**changes) -> dict:
    return {"id": "a", "kind": "attestation", "predicate_type": PROVENANCE, "keys": ["builders"], **changes}


def test_a_policy_reads_the_same_from_yaml_and_json():
    value = document([SIGNED, SCANNED], waivers=[WAIVER])
    one, other = read_policy(json.dumps(value).encode()), read_policy(yaml.safe_dump(value).encode())
    assert one == other
    assert one.name == "test"
    assert [rule.id for rule in one.rules] == ["signed", "scanned"]
    assert one.waivers[0].rule == "scanned"
    assert one.load.torch_weights_only is True


@pytest.mark.parametrize(
    ("rules", "top", "words"),
    [
        ([SIGNED | {"key": 1}], {}, "unknown field `key` - at `$.rules[0]`"),
        ([SIGNED, SCANNED | {"kind": "cel"}], {}, "Invalid value 'cel' - at `$.rules[1].kind`"),
        ([{"id": "x"}], {}, "missing required field `kind` - at `$.rules[0]`"),
        ([SIGNED | {"threshold": 0}], {}, "$.rules[0].threshold"),
        ([SIGNED | {"threshold": "2"}], {}, "$.rules[0].threshold"),
        ([SIGNED | {"threshold": True}], {}, "$.rules[0].threshold"),
        ([SIGNED | {"keys": []}], {}, "$.rules[0].keys"),
        ([SIGNED | {"mode": "audit"}], {}, "$.rules[0].mode"),
        ([SIGNED | {"id": "has space"}], {}, "$.rules[0].id"),
        ([SIGNED | {"keys": ["nobody"]}], {}, "refers to the parameter nobody, which is not declared"),
        ([SIGNED | {"keys": ["ids"]}], {}, "needs the parameter ids to be of type keys, it is strings"),
        ([SIGNED, SIGNED], {}, "two rules have the id signed"),
        ([SCANNED | {"accept": ["unsafe"]}], {}, "$.rules[0].accept[0]"),
        ([SCANNED | {"accept": ["incomplete"]}], {}, "$.rules[0].accept[0]"),
        ([SCANNED | {"accept": []}], {}, "$.rules[0].accept"),
        ([{"id": "x", "kind": "scan"}], {}, "missing required field `accept`"),
        ([SCANNED | {"files": ["*" * 9]}], {}, "** beside other characters"),
        ([SCANNED | {"files": ["# no"]}], {}, "matches nothing"),
        ([SCANNED | {"files": ["!"]}], {}, "matches nothing"),
        ([SCANNED | {"files": ["!README.md"]}], {}, "takes files out of nothing"),
        ([SCANNED | {"files": ["!a", "*", "!b"]}], {}, "takes files out of nothing"),
        ([SCANNED | {"files": ["./model.pkl"]}], {}, "no empty part, no . and no .."),
        ([SCANNED | {"files": ["*", "!../x"]}], {}, "no empty part, no . and no .."),
        ([SCANNED | {"files": ["a//b"]}], {}, "no empty part, no . and no .."),
        ([SCANNED | {"files": ["model.{pkl,bin}"]}], {}, "write one pattern for each"),
        ([SCANNED | {"files": ["*.pkl "]}], {}, "ends in a blank"),
        ([SCANNED | {"files": ["*.pkl\n"]}], {}, "ends in a blank"),
        ([SCANNED | {"files": ["a\x00b"]}], {}, "control sign"),
        ([SCANNED | {"files": ["a[/]b"]}], {}, "a class that is not"),
        ([SCANNED | {"files": ["a[b"]}], {}, "a class that is not"),
        ([SCANNED | {"files": ["a[z-a]"]}], {}, "not from a lower to a higher"),
        ([SCANNED | {"files": ["a\\b"]}], {}, "a backslash before what needs none"),
        ([SCANNED | {"files": ["a\\"]}], {}, "a backslash before what needs none"),
        ([SCANNED | {"if_present": True}], {}, "if_present is about files"),
        ([{"id": "f", "kind": "formats", "allow": ["zip"], "if_present": True}], {}, "if_present is about files"),
        ([{"id": "f", "kind": "formats", "deny": ["pickel"]}], {}, "the scan knows no format of the name pickel"),
        ([{"id": "f", "kind": "formats", "allow": ["inert", "pickle+zip"]}], {}, "$.rules[0].allow[1]"),
        ([{"id": "f", "kind": "formats", "deny": ["pickle\n"]}], {}, "$.rules[0].deny[0]"),
        ([SIGNED | {"id": "signed\n"}], {}, "$.rules[0].id"),
        ([SIGNED | {"keys": ["signers\n"]}], {}, "$.rules[0].keys[0]"),
        ([attestation(predicate_type=PROVENANCE + "\n")], {}, "$.rules[0].predicate_type"),
        ([SIGNED], {"metadata": {"name": "x\n"}}, "$.metadata.name"),
        ([SIGNED], {"metadata": {"name": "x", "expires": "2027-01-01T00:00:00Z\n"}}, "$.metadata.expires"),
        ([SCANNED], {"waivers": [WAIVER | {"tree_digests": ["ab" * 32 + "\n"]}]}, "$.waivers[0].tree_digests"),
        (
            [SIGNED],
            {"parameters": {"signers": {"type": "keys"}, "t": {"type": "strings", "default": []}}},
            "length >= 1 - at `$.parameters[...].default`",
        ),
        ([attestation(where=[{"path": "/a", "contains_all": []}])], {}, "contains_all"),
        ([{"id": "f", "kind": "formats"}], {}, "has allow, deny, or both"),
        ([{"id": "f", "kind": "formats", "allow": ["UPPER"]}], {}, "$.rules[0].allow[0]"),
        ([attestation(max_age="1y")], {}, "$.rules[0].max_age"),
        ([attestation(max_age="90d\n")], {}, "$.rules[0]"),
        ([attestation(predicate_type="nothing")], {}, "$.rules[0].predicate_type"),
        ([attestation(predicate_type="https://model_signing/signature/v1.0")], {}, "not an attestation"),
        ([attestation(where=[{"path": "/a"}])], {}, "exactly one operator"),
        ([attestation(where=[{"path": "/a", "in": {"parameter": "signers"}}])], {}, "to be of type strings"),
        ([attestation(where=[{"path": "/a", "in": {"parameter": "zzz"}}])], {}, "parameter zzz, which is not declared"),
        ([], {}, "$.rules"),
        ([SIGNED], {"kind": "Policy"}, "$.kind"),
        ([SIGNED], {"apiVersion": "modelsign.dev/v2"}, "$.apiVersion"),
        ([SIGNED], {"metadata": {}}, "missing required field `name`"),
        ([SIGNED], {"metadata": {"name": "x", "expires": "2026-13-01T00:00:00Z"}}, "not a time"),
        ([SIGNED], {"metadata": {"name": "x", "expires": "tomorrow"}}, "$.metadata.expires"),
        ([SIGNED], {"default": "allow"}, "unknown field `default`"),
        ([SIGNED], {"parameters": {"signers": {"type": "keys", "default": ["x"]}}}, "has no default"),
        ([SIGNED], {"parameters": {"signers": {"type": "path"}}}, "Invalid enum value 'path'"),
        ([SIGNED], {"parameters": {"Bad": {"type": "keys"}}}, "$.parameters"),
        ([SIGNED, SCANNED], {"waivers": [WAIVER, WAIVER]}, "two waivers have the id W-1"),
        ([SIGNED, SCANNED], {"waivers": [WAIVER | {"rule": "zzz"}]}, "the rule zzz, which does not exist"),
        ([SIGNED], {"waivers": [WAIVER | {"rule": "signed"}]}, "authenticates the bytes; that cannot be waived"),
        ([SCANNED], {"waivers": [WAIVER | {"expires": "2025-01-01T00:00:00Z"}]}, "expires after it is approved"),
        ([SCANNED], {"waivers": [WAIVER | {"tree_digests": []}]}, "$.waivers[0].tree_digests"),
        ([SCANNED], {"waivers": [{k: v for k, v in WAIVER.items() if k != "approved_by"}]}, "approved_by"),
    ],
)
def test_what_is_wrong_with_a_policy_is_named(rules, top, words):
    assert words in refused({**document(rules), **top})


@pytest.mark.parametrize("value", [[], "policy", 1, None])
def test_a_policy_is_an_object(value):
    assert refused(value)


def test_more_patterns_than_a_policy_can_mean_are_refused_before_one_is_compiled():
    where = [{"path": "/a", "regex": f"{at}.{{199}}.{{199}}"} for at in range(101)]
    rules = [attestation(id=f"a{at}", where=where[:100]) for at in range(10)]
    assert "globs and regexes" in refused(document([*rules, attestation(where=where[:1])]))


def test_a_policy_too_large_is_refused():
    with pytest.raises(ModelsignError) as caught:
        read_policy(b"#" * (1024 * 1024 + 1))
    assert caught.value.code == "POLICY_MALFORMED"


def test_the_digest_does_not_depend_on_spelling():
    value = document([SIGNED, SCANNED])
    explicit = document([SIGNED | {"threshold": 1, "mode": "enforce", "title": "", "advice": ""}, SCANNED], waivers=[])
    written = yaml.safe_dump(value, sort_keys=True, default_flow_style=None)
    digests = {
        digest(read_policy(data), {"signers": ("k",)})
        for data in (json.dumps(value).encode(), written.encode(), json.dumps(explicit).encode())
    }
    assert len(digests) == 1


def test_the_digest_covers_parameter_values_as_sets():
    read = policy([SIGNED])
    assert digest(read, {"signers": ("a", "b")}) == digest(read, {"signers": ("b", "a", "a")})
    assert digest(read, {"signers": ("a",)}) != digest(read, {"signers": ("b",)})
    assert digest(read, {"signers": ("a",)}) != digest(policy([SIGNED | {"threshold": 2}]), {"signers": ("a",)})


def test_the_digest_is_stable():
    """A change here changes the digest in every verification summary ever written."""
    assert bound([SIGNED, SCANNED]).digest == "c0fb6cb31897272673187b98560b5487a23ff4e19fa1079e166991b17640b348"


def test_the_canonical_form_reads_back_to_the_same_policy():
    for name in SHIPPED:
        read = load_policy(name)
        assert read_policy(json.dumps(canonical(read)).encode()) == read


def test_shipped_policies_are_found_by_name_and_files_by_path(tmp_path, monkeypatch):
    assert load_policy("baseline").name == "baseline"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "baseline").write_text("not a policy", encoding="utf-8")
    assert load_policy("baseline").name == "baseline"
    (tmp_path / "mine.yaml").write_bytes(shipped_policy("strict"))
    assert load_policy("mine.yaml").name == "strict"
    assert load_policy(tmp_path / "mine.yaml").name == "strict"


def test_a_policy_that_is_not_there_is_a_usage_error(tmp_path):
    with pytest.raises(ModelsignError) as caught:
        load_policy(tmp_path / "none.yaml")
    assert (caught.value.code, caught.value.exit_status) == ("POLICY_NOT_FOUND", 2)
    assert "baseline, hybrid, keyless, strict" in caught.value.message
    with pytest.raises(ModelsignError) as caught:
        load_policy(tmp_path)
    assert caught.value.code == "INPUT_UNREADABLE"
