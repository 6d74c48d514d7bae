"""Every shape that releases of the reference implementation and of the Go client wrote, made anew with fresh keys.

What the shapes are follows from the published bundles, which tests/compat/test_released_bundles.py reads where they are
there; these run everywhere.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import omsbundles
import pytest
from certificatelab import NOW, P384
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from omsbundles import ABSENT, FILES, PREDICATE_TYPE_V0_2, Statement, b64, sealed

from modelsign.artifact.model import open_artifact
from modelsign.signing.keys import generate
from modelsign.signing.methods.certificate import CertificateTrust
from modelsign.signing.verify import VerifyOptions, verify_model
from modelsign.signing.x509.identity import any_identity

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from certificatelab import Issued, Lab

    from modelsign.verdict import VerifyResult

PYTHON_IGNORES = [".gitignore", ".git", "model.sig", ".gitattributes", ".github"]
GO_IGNORES = [".git", ".gitignore", ".gitattributes", ".github", ".gitmodules", "out/of/tree/bundle.sig"]


@pytest.fixture(scope="module")
def leaf(lab: Lab) -> Issued:
    return lab.middle.issue("legacy", key=P384)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return omsbundles.put(tmp_path / "model")


def verify(model: Path, bundle: bytes, trusted: Any, **options: Any) -> VerifyResult:
    with open_artifact(model, ignore_paths=options.get("ignore_paths", ())) as artifact:
        return verify_model(artifact, bundle, [trusted], options=VerifyOptions(**options))


def codes(result: VerifyResult) -> list[str]:
    return [reason.code for reason in result.reasons]


def old_statement() -> bytes:
    """Return what 0.2.0 signed: each file a subject, and nothing else that says what the model is."""
    subjects = [{"name": name, "digest": {"sha256": omsbundles.digest_of(data)}} for name, data in FILES.items()]
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects,
        "predicateType": PREDICATE_TYPE_V0_2,
        "predicate": {"unused": "Unused, just passed due to API requirements"},
    }
    return json.dumps(statement, indent=2).encode()


def old_signature(issued: Issued, payload: bytes) -> bytes:
    """Sign as 0.2.0 did: the text of the bytes, by SHA-256 on every curve."""
    private = load_pem_private_key(issued.key_path.read_bytes(), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    return private.sign(omsbundles.pae_of_0_2(payload), ec.ECDSA(hashes.SHA256()))


def shaped(*, keyid: Any, tlog: Any, **material: Any) -> Callable[[dict[str, Any]], None]:
    def change(bundle: dict[str, Any]) -> None:
        bundle["verificationMaterial"] = dict(material)
        if tlog is not ABSENT:
            bundle["verificationMaterial"]["tlogEntries"] = tlog
        (signature,) = bundle["dsseEnvelope"]["signatures"]
        del signature["keyid"]
        if keyid is not ABSENT:
            signature["keyid"] = keyid

    return change


def chain(lab: Lab, leaf: Issued) -> dict[str, Any]:
    return {"certificates": [{"rawBytes": b64(entry.certificate.der)} for entry in (leaf, lab.middle)]}


def trust(lab: Lab) -> CertificateTrust:
    return CertificateTrust((lab.root.certificate,), any_identity(), NOW)


def recorded(paths: list[str]) -> Statement:
    made = Statement()
    made.serialization["ignore_paths"] = paths
    return made


def test_certificates_of_0_2_0(lab: Lab, leaf: Issued, model: Path) -> None:
    payload = old_statement()
    change = shaped(keyid=None, tlog=ABSENT, x509CertificateChain=chain(lab, leaf))
    bundle = sealed(payload, leaf.key, change, signature=old_signature(leaf, payload))
    assert codes(verify(model, bundle, trust(lab))) == ["SIGNATURE_INVALID"]
    result = verify(model, bundle, trust(lab), allow_legacy=True)
    assert (result.reasons, result.format, result.oms) == ((), "oms-v0.2", False)
    (model / "weights.bin").write_bytes(b"other")
    assert codes(verify(model, bundle, trust(lab), allow_legacy=True)) == ["FILE_CHANGED"]


def test_the_statement_of_0_2_0_under_the_right_encoding_is_legacy_too(lab: Lab, leaf: Issued, model: Path) -> None:
    bundle = sealed(old_statement(), leaf.key, shaped(keyid="", tlog=[], x509CertificateChain=chain(lab, leaf)))
    assert codes(verify(model, bundle, trust(lab))) == ["LEGACY_NOT_ALLOWED"]
    assert verify(model, bundle, trust(lab), allow_legacy=True).format == "oms-v0.2"


def test_the_encoding_of_0_2_0_is_good_for_its_own_predicate_alone(lab: Lab, leaf: Issued, model: Path) -> None:
    payload = Statement().payload()
    change = shaped(keyid=None, tlog=ABSENT, x509CertificateChain=chain(lab, leaf))
    bundle = sealed(payload, leaf.key, change, signature=old_signature(leaf, payload))
    assert codes(verify(model, bundle, trust(lab), allow_legacy=True)) == ["NOT_A_MODEL_SIGNATURE"]


@pytest.mark.parametrize(("keyid", "tlog"), [("", []), ("", ABSENT), (ABSENT, ABSENT), (ABSENT, [])])
def test_the_encoding_of_0_2_0_is_good_in_its_own_shape_alone(
    lab: Lab, leaf: Issued, model: Path, keyid: Any, tlog: Any
) -> None:
    payload = old_statement()
    change = shaped(keyid=keyid, tlog=tlog, x509CertificateChain=chain(lab, leaf))
    bundle = sealed(payload, leaf.key, change, signature=old_signature(leaf, payload))
    assert codes(verify(model, bundle, trust(lab), allow_legacy=True)) == ["SIGNATURE_INVALID"]


def test_certificates_of_0_3_1_to_1_0_1(lab: Lab, leaf: Issued, model: Path) -> None:
    change = shaped(keyid=None, tlog=ABSENT, x509CertificateChain=chain(lab, leaf))
    bundle = sealed(Statement(), leaf.key, change)
    assert codes(verify(model, bundle, trust(lab))) == ["LEGACY_NOT_ALLOWED"]
    result = verify(model, bundle, trust(lab), allow_legacy=True)
    assert (result.reasons, result.format, result.oms) == ((), "oms-v0.3", False)


@pytest.mark.parametrize("single", [False, True])
def test_keys_of_0_3_1_to_1_0_1(model: Path, *, single: bool) -> None:
    key = generate("ecdsa-p384-sha384")
    raw = {"rawBytes": b64(key.public.pem), "keyDetails": "PKIX_ECDSA_P384_SHA_384"}
    statement, path = Statement(), model
    if single:
        path = model / "weights.bin"
        resource = {"name": ".", "digest": omsbundles.digest_of(FILES["weights.bin"]), "algorithm": "sha256"}
        statement = Statement(resources=[resource], name="weights.bin")
    bundle = sealed(statement, key, shaped(keyid=None, tlog=ABSENT, publicKey=raw))
    assert codes(verify(path, bundle, key.public)) == ["LEGACY_NOT_ALLOWED"]
    result = verify(path, bundle, key.public, allow_legacy=True)
    assert (result.reasons, result.format, result.oms) == ((), "oms-v0.3", False)
    assert codes(verify(path, bundle, generate().public, allow_legacy=True)) == ["SIGNATURE_WRONG_KEY"]


def test_a_key_inside_an_old_bundle_is_never_the_one_that_verifies(model: Path) -> None:
    key, named = generate(), generate()
    raw = {"rawBytes": b64(named.public.pem), "keyDetails": "PKIX_ECDSA_P256_SHA_256"}
    bundle = sealed(Statement(), key, shaped(keyid=None, tlog=ABSENT, publicKey=raw))
    assert codes(verify(model, bundle, named.public, allow_legacy=True)) == ["SIGNATURE_WRONG_KEY"]
    assert verify(model, bundle, key.public, allow_legacy=True).reasons == ()


@pytest.mark.parametrize(
    ("shape", "paths"),
    [({"keyid": "", "tlog": []}, PYTHON_IGNORES), ({"keyid": ABSENT, "tlog": ABSENT}, GO_IGNORES)],
    ids=["python 1.1.0", "go"],
)
def test_current_keys_and_certificates_of_both_clients(
    lab: Lab, leaf: Issued, model: Path, shape: dict[str, Any], paths: list[str]
) -> None:
    own = tuple(path for path in paths if path not in PYTHON_IGNORES)
    for material, trusted in (
        ({"publicKey": {"hint": leaf.key.public.hint}}, leaf.key.public),
        ({"x509CertificateChain": chain(lab, leaf)}, trust(lab)),
    ):
        bundle = sealed(recorded(paths), leaf.key, shaped(**shape, **material))
        assert codes(verify(model, bundle, trusted)) == (["SIGNER_IGNORES_MORE"] if own else [])
        result = verify(model, bundle, trusted, ignore_paths=own)
        assert (result.reasons, result.format, result.oms) == ((), "oms-v1.0", True)
