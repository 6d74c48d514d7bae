"""Lint names what a policy lets through; explain says in words what it asks for."""

from __future__ import annotations

import json

import pytest
from policyfacts import NOW, PROVENANCE, policy

from modelsign.policy.document import SHIPPED, load_policy
from modelsign.policy.explain import explain, explain_text
from modelsign.policy.lint import lint

SIGNED = {"id": "signed", "kind": "signature", "keys": ["signers"]}
CLEAN = {"id": "clean", "kind": "scan", "accept": ["clean"]}
ONLY = {"signers": {"type": "keys"}}


def doubts(rules, **top) -> list[tuple[bool, str]]:
    return [(doubt.fatal, f"{doubt.where}: {doubt.message}") for doubt in lint(policy(rules, **top), now=NOW)]


def test_a_sound_policy_leaves_no_doubt():
    assert doubts([SIGNED, CLEAN], parameters=ONLY) == []


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_policies_leave_no_doubt(name):
    assert lint(load_policy(name), now=NOW) == ()


@pytest.mark.parametrize(
    ("rules", "top", "fatal", "words"),
    [
        ([CLEAN], {}, True, "never allows"),
        ([{**SIGNED, "mode": "warn"}, CLEAN], {}, True, "never allows"),
        ([SIGNED, CLEAN], {"metadata": {"name": "x", "expires": "2026-01-01T00:00:00Z"}}, True, "expired"),
        ([SIGNED], {}, False, "no enforced rule looks at the local scan"),
        ([SIGNED, {**CLEAN, "mode": "warn"}], {}, False, "no enforced rule looks at the local scan"),
        ([SIGNED, {**CLEAN, "files": ["*.bin"]}], {}, False, "a renamed file escapes"),
        ([SIGNED, CLEAN, {"id": "f", "kind": "formats", "deny": ["pickle"]}], {}, False, "lets every other format in"),
        ([SIGNED, CLEAN, {"id": "a", "kind": "attestation", "predicate_type": PROVENANCE, "keys": ["signers"]}],
         {}, False, "any content satisfies"),
        ([SIGNED, CLEAN], {"parameters": {**ONLY, "spare": {"type": "keys"}}}, False, "parameters.spare: no rule uses"),
    ],
)  # fmt: skip
def test_doubts(rules, top, fatal, words):
    found = doubts(rules, **{"parameters": ONLY, **top})
    assert any(words in message and is_fatal is fatal for is_fatal, message in found), found


def test_an_expired_waiver_is_doubtful():
    waiver = {"id": "W", "rule": "clean", "tree_digests": ["ab" * 32], "reason": "r", "approved_by": "a",
              "approved_on": "2025-01-01T00:00:00Z", "expires": "2025-02-01T00:00:00Z"}  # fmt: skip
    assert doubts([SIGNED, CLEAN], parameters=ONLY, waivers=[waiver]) == [
        (False, "waiver W: it expired at 2025-02-01T00:00:00Z and waives nothing")
    ]
    assert not doubts([SIGNED, CLEAN], parameters=ONLY, waivers=[{**waiver, "expires": "2027-02-01T00:00:00Z"}])


def test_fatal_doubts_come_first():
    found = doubts([{**CLEAN, "files": ["*.x"]}], parameters=ONLY)
    assert [fatal for fatal, _ in found] == sorted((fatal for fatal, _ in found), reverse=True)


def test_an_explanation_names_parameters_rules_and_waivers():
    waiver = {"id": "W-7", "rule": "clean", "tree_digests": ["ab" * 32], "reason": "by hand", "approved_by": "a",
              "approved_on": "2025-01-01T00:00:00Z", "expires": "2025-02-01T00:00:00Z"}  # fmt: skip
    read = policy(
        [SIGNED, {**CLEAN, "mode": "warn", "title": "Nice to have"}],
        metadata={"name": "mine", "description": "Why.", "expires": "2030-01-01T00:00:00Z", "version": 3},
        waivers=[waiver],
    )
    text = explain_text(read)
    for words in (
        "Policy mine, version 3", "Why.", "Allows nothing from 2030-01-01T00:00:00Z on.", "--set signers=…  keys",
        "--set ids=…  strings (optional)", "signed: Model signature", "clean [warn only]: Nice to have",
        "every file scanned here as clean", "clean until 2025-02-01T00:00:00Z (W-7): by hand",
    ):  # fmt: skip
        assert words in text
    found = explain(read)
    assert json.loads(json.dumps(found)) == found
    assert found["rules"][0]["authenticates_all_bytes"] is True
    assert found["parameters"][2] == {
        "name": "ids", "type": "strings", "description": "", "required": False, "default": ["one"],
    }  # fmt: skip


def test_identities_in_a_policy_are_explained_and_those_that_mean_everybody_are_doubted():
    rule = {"id": "signed", "kind": "signature", "identities": ["people"], "trust_root": "root"}
    people = [
        {"identity": "alice", "issuer": "https://i"}, {"identity_glob": "**", "issuer": "https://i"},
        {"identity_regexp": ".*", "issuer": "https://j"}, {"identity_glob": "*@acme.example", "issuer": "https://i"},
        {"identity_glob": "**", "issuer": "https://k", "claims": {"source_repository_uri": "https://r"}},
    ]  # fmt: skip
    read = policy(
        [rule], parameters={"people": {"type": "identities", "default": people}, "root": {"type": "trust-root"}}
    )
    assert '      unless given: {"identity":"alice","issuer":"https://i"}' in explain_text(read).splitlines()
    doubted = [doubt.message for doubt in lint(read, now=NOW) if "everybody" in doubt.message]
    assert [words.split(" means")[0] for words in doubted] == [
        '{"identity_glob":"**","issuer":"https://i"}', '{"identity_regexp":".*","issuer":"https://j"}',
    ]  # fmt: skip


def test_a_bare_policy_is_explained_without_empty_sections():
    rules = [{**CLEAN}]
    assert "The caller gives" not in explain_text(policy(rules, parameters={}))
    assert "Waived" not in explain_text(policy(rules, parameters={}))
