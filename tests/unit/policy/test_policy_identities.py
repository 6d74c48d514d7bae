"""Identities in policies: who is meant, how the caller gives them, and what anchors them."""

from __future__ import annotations

import json

import pytest
from policyfacts import policy
from refusals import refusal

from modelsign.policy.document import digest
from modelsign.policy.identities import from_value, has_issuer, read_identity
from modelsign.policy.parameters import bind, bind_values

WORKFLOW = "https://github.com/acme/models/.github/workflows/release.yml@refs/heads/main"
GITHUB = "https://token.actions.githubusercontent.com"
RULE = {"id": "signed", "kind": "signature", "identities": ["people"], "trust_root": "root"}
PARAMETERS = {"people": {"type": "identities"}, "root": {"type": "trust-root"}}
CI = {"identity": WORKFLOW, "issuer": GITHUB}


def read(rule=None, parameters=None):
    return policy([{**RULE, **(rule or {})}], parameters=parameters or PARAMETERS)


def given(people, **rule):
    return bind_values(
        read(rule), {"people": tuple(read_identity("people", item).value for item in people), "root": ("aa",)}
    )


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (f"identity={WORKFLOW},issuer={GITHUB}", CI),
        (f"issuer={GITHUB},identity={WORKFLOW}", CI),
        (json.dumps(CI), CI),
        ("identity_glob=*@a,issuer_regexp=https://[a-z]+", {"identity_glob": "*@a", "issuer_regexp": "https://[a-z]+"}),
        (
            "identity=a,issuer=i,claims.source_repository_uri=https://r,claims.runner_environment=github-hosted",
            {"identity": "a", "issuer": "i",
             "claims": {"source_repository_uri": "https://r", "runner_environment": "github-hosted"}},
        ),
        ("identity=dns:a.example,organization=Acme", {"identity": "dns:a.example", "organization": "Acme"}),
        ("identity=a=b,issuer=i", {"identity": "a=b", "issuer": "i"}),
        ('{"identity": "CN=a,O=b"}', {"identity": "CN=a,O=b"}),
    ],
)  # fmt: skip
def test_an_identity_is_short_or_json_or_a_mapping(text, fields):
    assert read_identity("people", text) == read_identity("people", fields)
    assert json.loads(read_identity("people", text).value) == fields


@pytest.mark.parametrize(
    "text",
    [
        "ci@example.org", "identity=", "identity=a,issuer", "identity=a,identity=b", "identity=a,identity_glob=b",
        "issuer=i", "identity=a,issuer=i,issuer_glob=j", "identity=a,name=b", "identity=CN=a,O=b",
        "identity=a,claims.source_repository_uri=r", "identity=a,issuer=i,claims.repo=r",
        "identity=a,issuer=i,claims.issuer=x,claims.issuer=y", "identity_regexp=(",
        "identity=a,issuer=i,organization=o",
        "identity_regexp=(a,issuer=i", "identity_regexp=a(?=b),issuer=i", "identity_glob=" + "a" * 600 + ",issuer=i",
        "{", "[]", '{"identity": "a", "identity": "b"}', '{"identity": 1}', '{"identity": ["a"]}', "{}",
        '{"identity": "a", "issuer": "i", "claims": {}}', "subject:nonsense", "identity=subject:nonsense",
    ],
)  # fmt: skip
def test_what_is_nobody_or_two_at_once_is_refused(text):
    fault = refusal(read_identity, "people", text)
    assert fault.code == "PARAMETER_INVALID"
    assert "people" in fault.message
    assert fault.exit_status == 2


def test_a_name_beside_the_fields_is_never_taken_for_one():
    assert "`O`" in refusal(read_identity, "people", "identity=CN=a,O=b").message


@pytest.mark.parametrize(
    ("fields", "name", "issuer", "meant"),
    [
        (CI, WORKFLOW, GITHUB, True),
        (CI, WORKFLOW + "x", GITHUB, False),
        (CI, WORKFLOW, GITHUB + "/", False),
        (CI, WORKFLOW, None, False),
        ({"identity_glob": "https://github.com/acme/*", "issuer": GITHUB}, "https://github.com/acme/m", GITHUB, True),
        ({"identity_glob": "https://github.com/acme/*", "issuer": GITHUB}, WORKFLOW, GITHUB, False),
        ({"identity_glob": "https://github.com/acme/**", "issuer": GITHUB}, WORKFLOW, GITHUB, True),
        ({"identity_regexp": "^https://github.com/acme/.*$", "issuer": GITHUB}, WORKFLOW, GITHUB, True),
        ({"identity_regexp": "https://github.com/acme/", "issuer": GITHUB}, WORKFLOW, GITHUB, False),
        ({"identity_regexp": ".*", "issuer_glob": "https://*.example"}, "x", "https://a.example", True),
        ({"identity_regexp": ".*", "issuer_glob": "https://*.example"}, "x", "https://a.example.evil", False),
    ],
)  # fmt: skip
def test_names_and_issuers_match_as_a_whole(fields, name, issuer, meant):
    assert read_identity("people", fields).means(name, issuer, {}) is meant


def test_every_claim_that_is_named_must_be_confirmed_exactly():
    one = read_identity("people", {**CI, "claims": {"source_repository_uri": "https://r", "build_trigger": "push"}})
    full = {"source_repository_uri": "https://r", "build_trigger": "push", "runner_environment": "x"}
    assert one.means(WORKFLOW, GITHUB, full)
    assert not one.means(WORKFLOW, GITHUB, {"source_repository_uri": "https://r"})
    assert not one.means(WORKFLOW, GITHUB, {**full, "build_trigger": "schedule"})


def test_a_value_gives_back_the_identity():
    one = read_identity("people", {**CI, "claims": {"build_trigger": "push"}})
    assert from_value(one.value) == one
    assert has_issuer(one.value)
    assert not has_issuer(read_identity("people", {"identity": "dns:a.example"}).value)


def test_identities_may_stand_in_the_policy_and_keys_and_roots_may_not():
    whole = policy([RULE], parameters={**PARAMETERS, "people": {"type": "identities", "default": [CI]}})
    assert bind_values(whole, {"root": ("aa",)}).values["people"] == (read_identity("people", CI).value,)
    for kind in ("keys", "trust-root", "certificate-roots", "revocation-list"):
        fault = refusal(policy, [RULE], parameters={**PARAMETERS, "more": {"type": kind, "default": ["a"]}})
        assert (fault.code, "has no default" in fault.message) == ("POLICY_MALFORMED", True)
    for kind, default in (("identities", ["a"]), ("strings", [CI])):
        fault = refusal(policy, [RULE], parameters={**PARAMETERS, "more": {"type": kind, "default": default}})
        assert (fault.code, f"a list of {kind}" in fault.message) == ("POLICY_MALFORMED", True)


def test_a_wrong_identity_in_a_policy_is_found_when_the_policy_is_read():
    parameters = {**PARAMETERS, "people": {"type": "identities", "default": [{**CI, "identity_glob": "**"}]}}
    fault = refusal(policy, [RULE], parameters=parameters)
    assert fault.code == "POLICY_MALFORMED"
    assert "exactly one of identity" in fault.message
    parameters = {**PARAMETERS, "people": {"type": "identities", "default": [{"identity_regexp": "(", "issuer": "i"}]}}
    assert refusal(policy, [RULE], parameters=parameters).code == "POLICY_MALFORMED"


def test_the_patterns_of_identities_count_towards_the_limit():
    people = [{"identity_glob": f"a{number}", "issuer_glob": "i"} for number in range(501)]
    fault = refusal(policy, [RULE], parameters={**PARAMETERS, "people": {"type": "identities", "default": people}})
    assert (fault.code, "globs and regexes" in fault.message) == ("POLICY_MALFORMED", True)


def test_what_nothing_in_the_rule_anchors_is_refused_when_the_policy_is_bound():
    fault = refusal(given, [{"identity": "dns:a.example"}])
    assert (fault.code, "nothing in rule signed anchors" in fault.message) == ("PARAMETER_INVALID", True)
    both = {**PARAMETERS, "authorities": {"type": "certificate-roots"}}
    whole = policy([{**RULE, "trust_root": None, "certificate_roots": "authorities"}], parameters={
        name: both[name] for name in ("people", "authorities")
    })  # fmt: skip
    values = {"people": (read_identity("people", CI).value,), "authorities": ("aa",)}
    assert refusal(bind_values, whole, values).code == "PARAMETER_INVALID"


def test_the_digest_covers_identities_and_certificate_roots_and_not_what_is_renewed():
    rules = [{**RULE, "certificate_roots": "authorities"}]
    whole = policy(rules, parameters={**PARAMETERS, "authorities": {"type": "certificate-roots"}})
    values = {"people": (read_identity("people", CI).value,), "root": ("aa",), "authorities": ("bb",)}
    before = digest(whole, values)
    assert digest(whole, {**values, "root": ("cc",)}) == before
    assert digest(whole, {**values, "authorities": ("cc",)}) != before
    other = read_identity("people", {**CI, "issuer": "https://other"}).value
    assert digest(whole, {**values, "people": (other,)}) != before


def test_the_inputs_of_a_verdict_name_every_root():
    found = given([CI]).inputs
    assert [(item.parameter, item.type, item.digest, item.version) for item in found] == [
        ("root", "trust-root", "aa", None)
    ]


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({"identities": None}, "neither keys nor identities"),
        ({"trust_root": None}, "a name alone is anybody's"),
        ({"identities": None, "keys": ["people"]}, "nothing of it is asked for"),
        ({"identities": None, "keys": ["people"], "trust_root": None, "certificate_roots": "root"}, "none are named"),
        ({"timestamp_roots": "root"}, "timestamp_roots go with certificate_roots"),
        ({"certificate_status": "root"}, "certificate_status goes with certificate_roots"),
        ({"trust_root": None, "certificate_roots": "root", "logs": 1}, "logs need trust_root"),
        ({"trust_root": None, "certificate_roots": "root", "time": "proven"}, "nothing else proves them"),
        ({"trust_root": None, "certificate_roots": "root", "timestamps": 1}, "nothing else proves them"),
        ({"max_age": "1y"}, "max_age"), ({"count_by": "key"}, "count_by"), ({"family": "quantum"}, "family"),
        ({"time": "now"}, "time"), ({"logs": 11}, "logs"), ({"timestamps": 0}, "timestamps"), ({"keys": []}, "keys"),
        ({"people": ["a"]}, "people"),
        ({"identities": ["nobody"]}, "which is not declared"), ({"identities": ["root"]}, "to be of type identities"),
        ({"trust_root": "people"}, "to be of type trust-root"),
    ],
)  # fmt: skip
def test_a_rule_that_nobody_could_meet_is_refused_when_the_policy_is_read(rule, says):
    value = {name: item for name, item in {**RULE, **rule}.items() if item is not None}
    fault = refusal(policy, [value], parameters=PARAMETERS)
    assert fault.code == "POLICY_MALFORMED"
    assert says in fault.message


def test_a_parameter_takes_what_its_type_says():
    for wrong in (b"x", 1):
        fault = refusal(bind, read(), {"people": wrong, "root": b"{}"})
        assert (fault.code, "takes identities" in fault.message) == ("PARAMETER_INVALID", True)
    fault = refusal(bind, read(), {"people": CI, "root": b"{}"})
    assert (fault.code, "root" in fault.message) == ("PARAMETER_INVALID", True)
    fault = refusal(bind, read(), {"people": CI, "root": CI})
    assert (fault.code, "Sigstore trust root" in fault.message) == ("PARAMETER_INVALID", True)


def test_advice_for_an_unset_parameter_says_how_to_give_one():
    assert "--set people=identity=NAME,issuer=URL" in refusal(bind, read(), {}).advice
