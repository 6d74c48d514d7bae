"""Parameters: everything declared is given, nothing else is, and keys are what they are, not where they lie."""

from __future__ import annotations

import pytest
from policyfacts import NOW, bound, document, policy

from modelsign.errors import ModelsignError
from modelsign.policy.parameters import assignments, bind, bind_values
from modelsign.signing import keys

RULES = [
    {"id": "signed", "kind": "signature", "keys": ["signers"]},
    {"id": "made", "kind": "attestation", "predicate_type": "https://x.example/v1", "keys": ["builders"],
     "where": [{"path": "/id", "in": {"parameter": "ids"}}]},
]  # fmt: skip
ONE, OTHER = keys.generate(), keys.generate("ed25519")


def refused(*arguments, **settings) -> ModelsignError:
    with pytest.raises(ModelsignError) as caught:
        bind(*arguments, **settings)
    assert caught.value.exit_status == 2
    return caught.value


def test_keys_come_as_paths_bytes_or_keys(tmp_path):
    (tmp_path / "one.pub").write_bytes(ONE.public.pem)
    read = policy(RULES)
    found = [
        bind(read, {"signers": given, "builders": OTHER.public})
        for given in (str(tmp_path / "one.pub"), tmp_path / "one.pub", ONE.public.pem, ONE.public.der, ONE.public)
    ]
    assert {item.digest for item in found} == {found[0].digest}
    assert found[0].values["signers"] == (ONE.public.digest,)
    assert found[0].anchors.keys[ONE.public.digest].algorithm == "ecdsa-p256-sha256"
    assert found[0].name.digest == found[0].digest


def test_several_values_are_one_set_of_keys():
    given = {"signers": [ONE.public, OTHER.public, ONE.public.pem], "builders": [ONE.public]}
    assert bind(policy(RULES), given).values["signers"] == (ONE.public.digest, OTHER.public.digest)


def test_an_unset_parameter_is_a_usage_error_that_names_it():
    fault = refused(policy(RULES), {"signers": ONE.public})
    assert fault.code == "PARAMETER_UNSET"
    assert "builders" in fault.message
    assert "--set builders=FILE.pub" in fault.advice
    assert fault.details == {"parameter": "builders"}


@pytest.mark.parametrize("given", [{"signers": []}, {"signers": ()}])
def test_no_keys_at_all_is_unset(given):
    assert refused(policy(RULES[:1]), given).code == "PARAMETER_UNSET"


def test_an_unset_string_is_a_usage_error_without_a_default():
    rules = [{**RULES[1], "where": [{"path": "/id", "in": {"parameter": "must"}}]}]
    read = policy(rules, parameters={"builders": {"type": "keys"}, "must": {"type": "strings", "description": "who"}})
    fault = refused(read, {"builders": ONE.public})
    assert fault.code == "PARAMETER_UNSET"
    assert "(who)" in fault.message
    assert "--set must=VALUE" in fault.advice


def test_an_unknown_parameter_is_a_usage_error():
    fault = refused(policy(RULES), {"signer": ONE.public})
    assert fault.code == "PARAMETER_UNKNOWN"
    assert "it has signers, builders, ids" in fault.message
    with pytest.raises(ModelsignError) as caught:
        bind_values(policy(RULES), {"signers": ("a",), "builders": ("b",), "zzz": ("c",)})
    assert caught.value.code == "PARAMETER_UNKNOWN"


def test_strings_have_defaults_and_are_strings():
    given = {"signers": ONE.public, "builders": OTHER.public}
    assert bind(policy(RULES), given).values["ids"] == ("one",)
    assert bind(policy(RULES), {**given, "ids": ["x", "y", "x"]}).values["ids"] == ("x", "y")
    assert refused(policy(RULES), {**given, "ids": b"x"}).code == "PARAMETER_INVALID"


@pytest.mark.parametrize("data", [b"", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", b"\x00" * 80])
def test_what_is_no_key_is_a_usage_error_that_names_the_parameter(data, tmp_path):
    (tmp_path / "bad.pub").write_bytes(data)
    fault = refused(policy(RULES), {"signers": tmp_path / "bad.pub"})
    assert fault.code == "PARAMETER_INVALID"
    assert "signers" in fault.message


def test_a_private_key_is_no_value_for_trust():
    assert refused(policy(RULES), {"signers": ONE.pem()}).code == "PARAMETER_INVALID"


def test_a_key_file_that_is_not_there_is_said_so(tmp_path):
    with pytest.raises(ModelsignError) as caught:
        bind(policy(RULES), {"signers": str(tmp_path / "none.pub")})
    assert caught.value.code == "INPUT_UNREADABLE"


def test_trust_is_named_per_kind_of_rule():
    found = bind(policy(RULES), {"signers": ONE.public, "builders": OTHER.public})

    for kind, key in (("signature", ONE), ("attestation", OTHER)):
        assert [trust.id for trust in found.trusts_for(kind, NOW)] == [key.public.digest]


def test_the_digest_names_keys_and_values():
    def digest(*signers: str, ids: tuple[str, ...] = ("one",)) -> str:
        values = {"signers": signers, "builders": ("b",), "ids": ids}
        return bind_values(policy(RULES), values).digest

    assert digest("a") == digest("a", "a")
    assert len({digest("a"), digest("b"), digest("a", "b"), digest("a", ids=("two",))}) == 4
    assert bound(RULES).digest == bind_values(policy(RULES), {"signers": ("s3", "s1", "s2"), "builders": ("b2", "b1")}).digest  # fmt: skip  # noqa: E501 - one comparison


def test_assignments_of_the_command_line():
    assert assignments(["a=1", "b=x=y", "a=2"]) == {"a": ["1", "2"], "b": ["x=y"]}
    for wrong in ("a", "=1", "a="):
        with pytest.raises(ModelsignError) as caught:
            assignments([wrong])
        assert caught.value.code == "PARAMETER_INVALID"


def test_a_document_without_parameters_needs_none():
    rules = [{"id": "scanned", "kind": "scan", "accept": ["clean"]}]
    value = document(rules)
    del value["parameters"]
    assert bind_values(policy(rules, parameters={}), {}).values == {}


@pytest.mark.parametrize("given", [(), []])
def test_a_parameter_given_no_value_is_unset_whatever_its_default(given):
    """contains_all of no values would hold of any predicate."""
    given = {"signers": ONE.public, "builders": OTHER.public, "ids": given}
    assert refused(policy(RULES), given).code == "PARAMETER_UNSET"


@pytest.mark.parametrize("given", [5, 5.0, None, {"a": 1}, [None], object()])
def test_what_is_no_key_is_a_usage_error(given):
    assert refused(policy(RULES), {"signers": given}).code == "PARAMETER_INVALID"


@pytest.mark.parametrize("value", ["baseline", {"kind": "ModelTrustPolicy"}, None])
def test_only_a_policy_that_was_read_can_be_bound(value):
    assert refused(value, {}).code == "ARGUMENT_INVALID"
