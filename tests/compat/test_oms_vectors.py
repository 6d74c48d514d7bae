"""Bundles made by old releases of the reference implementation still mean the same."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from modelsign.artifact.model import open_artifact
from modelsign.errors import ModelsignError
from modelsign.signing.bundle import parse_bundle
from modelsign.signing.dsse import pae, pae_of_v0_2
from modelsign.signing.keys import load_public_key
from modelsign.signing.methods.keyless import KeylessTrust
from modelsign.signing.oms import parse_statement
from modelsign.signing.sigstore.identities import exactly
from modelsign.signing.sigstore.trust_root import read_shipped_root
from modelsign.signing.verify import VerifyOptions, verify_model

if TYPE_CHECKING:
    from modelsign.signing.keys import VerifyKey

PLACE = Path(os.environ.get("MODELSIGN_VECTORS") or Path(__file__).parents[3] / "shared/vectors") / "oms"
pytestmark = pytest.mark.skipif(not PLACE.is_dir(), reason="MODELSIGN_VECTORS does not name the published vectors")


@pytest.fixture
def key() -> VerifyKey:
    return load_public_key((PLACE / "keys/signing-key-pub.pem").read_bytes())


def verdict(model: Path, bundle: Path, key: VerifyKey, **options: object) -> tuple[str, str | None, list[str]]:
    with open_artifact(model, ignore_paths=options.get("ignore_paths", ())) as artifact:  # type: ignore[arg-type] # names
        result = verify_model(artifact, bundle.read_bytes(), [key], options=VerifyOptions(**options))  # type: ignore[arg-type] # of one test
    return result.verdict.value, result.format, [reason.code for reason in result.reasons]


def test_0_3_1_with_a_key_verifies_where_legacy_is_allowed(key: VerifyKey) -> None:
    folder = PLACE / "v0.3.1-elliptic-key"
    where = (folder / "signme-1", folder / "model.sig", key)
    assert verdict(*where) == ("REFUSED", None, ["LEGACY_NOT_ALLOWED"])
    assert verdict(*where, allow_legacy=True) == ("VERIFIED", "oms-v0.3", [])


def test_1_1_0_with_a_key_verifies_once_its_ignored_file_is_accepted(key: VerifyKey) -> None:
    folder = PLACE / "v1.1.0-elliptic-key"
    where = (folder, folder / "model.sig", key)
    assert verdict(*where)[2] == ["SIGNER_IGNORES_MORE", "FILE_UNSIGNED"]
    assert verdict(*where, ignore_paths=("ignore-me",)) == ("VERIFIED", "oms-v1.0", [])


@pytest.mark.parametrize(
    "name", ["v0.2.0-certificate", "v0.3.1-certificate", "v0.3.1-sigstore", "v1.1.0-certificate", "v1.1.0-sigstore"]
)
def test_bundles_of_other_methods_are_read_and_not_taken_for_a_keys(key: VerifyKey, name: str) -> None:
    data = (PLACE / name / "model.sig").read_bytes()
    bundle = parse_bundle(data)
    assert bundle.material.kind in {"certificate", "certificate_chain"}
    assert parse_statement(bundle.payload).names
    ignored = ("ignore-me",) if (PLACE / name / "ignore-me").exists() else ()
    got = verdict(PLACE / name, PLACE / name / "model.sig", key, allow_legacy=True, ignore_paths=ignored)
    assert got == ("REFUSED", None, ["SIGNATURE_WRONG_KEY"])


@pytest.mark.parametrize("name", ["v0.3.1-sigstore", "v1.1.0-sigstore"])
def test_bundles_of_identities_verify_by_the_public_root_at_hand(name: str) -> None:
    root = read_shipped_root().root
    trust = KeylessTrust(root, exactly("stefanb@us.ibm.com"), exactly("https://sigstore.verify.ibm.com/oauth2"), {})
    folder = PLACE / name
    ignored = ("ignore-me",) if (folder / "ignore-me").exists() else ()
    with open_artifact(folder, ignore_paths=ignored) as artifact:
        options = VerifyOptions(allow_legacy=True, ignore_paths=ignored)
        result = verify_model(artifact, (folder / "model.sig").read_bytes(), [trust], options=options)
        other = trust._replace(identity=exactly("mallory@us.ibm.com"))
        refused = verify_model(artifact, (folder / "model.sig").read_bytes(), [other], options=options)
    assert (result.verdict.value, result.reasons) == ("VERIFIED", ())
    assert result.signers[0].logs[0].log == "https://rekor.sigstore.dev"
    assert [reason.code for reason in refused.reasons] == ["CERTIFICATE_IDENTITY_MISMATCH"]


def test_the_encoding_of_0_2_0_is_the_one_that_was_signed(key: VerifyKey) -> None:
    bundle = parse_bundle((PLACE / "v0.2.0-certificate/model.sig").read_bytes())
    assert key.accepts(pae_of_v0_2(bundle.payload), bundle.envelope.signature, hash_name="sha256")
    assert not key.accepts(pae(bundle.payload_type, bundle.payload), bundle.envelope.signature)


def test_every_vector_is_read_without_surprises() -> None:
    bundles = sorted(PLACE.glob("*/model.sig"))
    assert bundles
    for path in bundles:
        try:
            parse_statement(parse_bundle(path.read_bytes()).payload)
        except ModelsignError as fault:  # pragma: no cover - says which vector
            pytest.fail(f"{path}: {fault.code}: {fault.message}")
