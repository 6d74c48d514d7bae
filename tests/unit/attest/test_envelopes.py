"""Attestations are verified over raw bytes by trusted keys, then read; openssl and securesystemslib agree."""

from __future__ import annotations

import base64
import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from modelsign.artifact.manifest import tree_digest
from modelsign.attest.claims import provenance_statement
from modelsign.attest.envelope import open_attestation
from modelsign.attest.predicates.provenance import PROVENANCE_TYPE, Build
from modelsign.attest.statement import model_subjects, write_statement
from modelsign.errors import ModelsignError
from modelsign.signing import keys
from modelsign.signing.bundle import parse_bundle, write_bundle
from modelsign.signing.dsse import Envelope, pae
from modelsign.signing.envelope import sign_statement

if TYPE_CHECKING:
    from modelsign.signing.bundle import Bundle

DIGESTS = {"a": "11" * 32}
TREE = tree_digest(DIGESTS)
KEY, OTHER = keys.generate(), keys.generate("ed25519")
STATEMENT = provenance_statement("m", DIGESTS, Build("https://b.example"))


def sealed(statement: bytes = STATEMENT, key: keys.SigningKey = KEY, kind: str | None = None) -> Bundle:
    if kind is None:
        return parse_bundle(sign_statement(statement, key))
    envelope = Envelope(kind, statement, key.sign(pae(kind, statement)))
    return parse_bundle(write_bundle(envelope, hint=key.public.hint))


def refused(bundle: Bundle, *trusted: keys.VerifyKey, tree: str = TREE) -> str:
    with pytest.raises(ModelsignError) as caught:
        open_attestation(bundle, trusted, tree_digest=tree)
    return caught.value.code


def test_a_trusted_key_opens_its_attestation():
    found = open_attestation(sealed(), [OTHER.public, KEY.public], tree_digest=TREE)
    assert found.signers == {KEY.public.digest}
    assert found.statement.predicate_type == PROVENANCE_TYPE
    assert found.predicate["runDetails"]["builder"]["id"] == "https://b.example"
    assert found.made_at is None


@pytest.mark.parametrize("algorithm", keys.ALGORITHMS)
def test_every_kind_of_key_attests(algorithm):
    key = keys.generate(algorithm)
    assert open_attestation(sealed(key=key), [key.public], tree_digest=TREE).signers == {key.public.digest}


def test_an_attestation_by_nobody_trusted_is_not_read():
    assert refused(sealed(), OTHER.public) == "ATTESTATION_UNTRUSTED"
    assert refused(sealed()) == "ATTESTATION_UNTRUSTED"


def test_a_malformed_payload_is_not_read_before_its_signature_was_verified():
    bad = sealed(b"{not json")
    assert refused(bad, OTHER.public) == "ATTESTATION_UNTRUSTED"
    assert refused(bad, KEY.public) == "STATEMENT_MALFORMED"


def test_an_attestation_of_another_model_is_refused():
    assert refused(sealed(), KEY.public, tree="00" * 32) == "ATTESTATION_OF_OTHER_MODEL"


def test_a_statement_about_one_file_of_the_model_is_about_another_model():
    part = write_statement([{"name": "a", "digest": {"sha256": "11" * 32}}], PROVENANCE_TYPE, {})
    assert refused(sealed(part), KEY.public) == "ATTESTATION_OF_OTHER_MODEL"


def test_a_changed_payload_does_not_verify():
    bundle = sealed()
    changed = bundle._replace(
        content=bundle.envelope._replace(payload=bundle.payload.replace(b"b.example", b"c.example"))
    )
    assert refused(changed, KEY.public) == "ATTESTATION_UNTRUSTED"


def test_a_changed_payload_type_does_not_verify():
    bundle = sealed()
    changed = bundle._replace(content=bundle.envelope._replace(payload_type="application/vnd.in-toto.x+json"))
    assert refused(changed, KEY.public) == "ATTESTATION_UNTRUSTED"


def test_payload_types_of_the_framework_are_opened_and_others_are_not():
    assert open_attestation(sealed(kind="application/vnd.in-toto.x+json"), [KEY.public], tree_digest=TREE)
    assert refused(sealed(kind="text/plain"), KEY.public) == "STATEMENT_MALFORMED"


def test_a_model_signature_in_the_store_is_no_attestation():
    statement = write_statement(model_subjects("m", TREE, DIGESTS), "https://model_signing/signature/v1.0", {})
    assert refused(sealed(statement), KEY.public) == "STATEMENT_IS_SIGNATURE"


def test_a_known_predicate_without_its_required_fields_is_refused():
    statement = write_statement(model_subjects("m", TREE, DIGESTS), PROVENANCE_TYPE, {"buildDefinition": {}})
    assert refused(sealed(statement), KEY.public) == "PREDICATE_MALFORMED"


def test_an_unknown_predicate_type_is_opened_without_a_time():
    statement = write_statement(model_subjects("m", TREE, DIGESTS), "https://x.example/v1", {"a": 1})
    found = open_attestation(sealed(statement), [KEY.public], tree_digest=TREE)
    assert (found.predicate, found.made_at) == ({"a": 1}, None)


def test_the_hint_in_a_bundle_is_never_trust():
    envelope = Envelope(
        "application/vnd.in-toto+json", STATEMENT, KEY.sign(pae("application/vnd.in-toto+json", STATEMENT))
    )
    misled = parse_bundle(write_bundle(envelope, hint=OTHER.public.hint))
    assert open_attestation(misled, [KEY.public], tree_digest=TREE).signers == {KEY.public.digest}
    assert refused(misled, OTHER.public) == "ATTESTATION_UNTRUSTED"


# --- independent witnesses --------------------------------------------------------------


def test_openssl_verifies_what_was_signed(tmp_path):
    bundle = json.loads(sign_statement(STATEMENT, KEY))["dsseEnvelope"]
    payload = base64.b64decode(bundle["payload"])
    kind = bundle["payloadType"]
    (tmp_path / "pae").write_bytes(f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload)
    (tmp_path / "sig").write_bytes(base64.b64decode(bundle["signatures"][0]["sig"]))
    (tmp_path / "pub").write_bytes(KEY.public.pem)
    command = ["openssl", "dgst", "-sha256", "-verify", "pub", "-signature", "sig", "pae"]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stdout.strip()) == (0, "Verified OK"), answer.stderr
    (tmp_path / "pae").write_bytes((tmp_path / "pae").read_bytes()[:-1] + b" ")
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 1


def test_securesystemslib_verifies_what_was_signed():
    from securesystemslib.dsse import Envelope as OtherEnvelope  # noqa: PLC0415 - a witness, not a dependency
    from securesystemslib.signer import SSlibKey  # noqa: PLC0415 - same

    written = json.loads(sign_statement(STATEMENT, KEY))["dsseEnvelope"]
    theirs = SSlibKey("name", "ecdsa", "ecdsa-sha2-nistp256", {"public": KEY.public.pem.decode()})
    written["signatures"][0]["keyid"] = "name"  # it finds keys by id alone; the id is not signed
    assert OtherEnvelope.from_dict(written).verify([theirs], 1) == {"name": theirs}


def test_in_toto_reads_the_statement():
    from google.protobuf.json_format import Parse  # noqa: PLC0415 - a witness, not a dependency
    from in_toto_attestation.v1 import statement_pb2  # noqa: PLC0415 - same

    parsed = Parse(STATEMENT.decode(), statement_pb2.Statement())
    assert parsed.predicate_type == PROVENANCE_TYPE
    assert parsed.subject[0].digest["dirHash1"] == TREE
    assert parsed.subject[1].digest["sha256"] == "11" * 32
