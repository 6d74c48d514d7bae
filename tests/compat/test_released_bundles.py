"""Bundles that every release of the reference implementation made, as the Python and the Go project publish them.

``MODELSIGN_VECTORS`` names a folder with checkouts of sigstore/model-transparency and securesign/model-transparency-go
as ``model-transparency`` and ``model-transparency-go``. Nothing of them is part of this repository.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from modelsign.artifact.model import open_artifact
from modelsign.signing.keys import load_public_key
from modelsign.signing.methods.certificate import CertificateTrust
from modelsign.signing.methods.keyless import KeylessTrust
from modelsign.signing.sigstore.identities import exactly
from modelsign.signing.sigstore.trust_root import parse_trust_root
from modelsign.signing.verify import VerifyOptions, verify_model
from modelsign.signing.x509.certificates import load_certificate
from modelsign.signing.x509.identity import any_identity

FOLDER = Path(os.environ.get("MODELSIGN_VECTORS") or Path(__file__).parents[3] / "shared/vectors")
CHECKOUTS = [name for name in ("model-transparency", "model-transparency-go") if (FOLDER / name).is_dir()]
NOW = datetime(2026, 11, 26, tzinfo=UTC)
WHO = (exactly("stefanb@us.ibm.com"), exactly("https://sigstore.verify.ibm.com/oauth2"))

# release and method, what it is called here, whether it needs --allow-legacy, what the signer left out
RELEASES = [
    ("v0.2.0-certificate", "oms-v0.2", True, ()),
    ("v0.3.1-certificate", "oms-v0.3", True, ()),
    ("v0.3.1-elliptic-key", "oms-v0.3", True, ()),
    ("v0.3.1-sigstore", "oms-v1.0", False, ()),
    ("v1.0.0-certificate", "oms-v0.3", True, ()),
    ("v1.0.0-elliptic-key", "oms-v0.3", True, ()),
    ("v1.0.0-sigstore", "oms-v1.0", False, ()),
    ("v1.0.1-certificate", "oms-v0.3", True, ("ignore-me",)),
    ("v1.0.1-elliptic-key", "oms-v0.3", True, ("ignore-me",)),
    ("v1.0.1-sigstore", "oms-v1.0", False, ("ignore-me",)),
    ("v1.1.0-certificate", "oms-v1.0", False, ("ignore-me",)),
    ("v1.1.0-elliptic-key", "oms-v1.0", False, ("ignore-me",)),
    ("v1.1.0-sigstore", "oms-v1.0", False, ("ignore-me",)),
]
SINGLE = {"v0.3.1-elliptic-key": "signme-1", "v1.0.0-elliptic-key": "signme-1"}


@pytest.fixture(params=CHECKOUTS or [None])
def tests(request: pytest.FixtureRequest) -> Path:
    if request.param is None:
        pytest.skip("MODELSIGN_VECTORS names no folder with a checkout of the reference implementation")
    return FOLDER / request.param / "scripts/tests"


def trusted(tests: Path, method: str) -> Any:
    keys = tests / "keys/certificate"
    if method == "elliptic-key":
        return load_public_key((keys / "signing-key-pub.pem").read_bytes())
    if method == "certificate":
        return CertificateTrust((load_certificate((keys / "ca-cert.pem").read_bytes()),), any_identity(), NOW)
    from importlib import resources  # noqa: PLC0415 - only keyless bundles need it

    pytest.importorskip("sigstore", reason="sigstore is not installed")
    store = resources.files("sigstore") / "_store/https%3A%2F%2Ftuf-repo-cdn.sigstore.dev/trusted_root.json"
    return KeylessTrust(parse_trust_root(store.read_bytes()), *WHO, {})


@pytest.mark.parametrize(("name", "called", "legacy", "left_out"), RELEASES)
def test_bundles_of_every_release_verify(
    tests: Path, name: str, called: str, left_out: tuple[str, ...], *, legacy: bool
) -> None:
    folder = tests / name
    model = folder / SINGLE[name] if name in SINGLE else folder
    trust = trusted(tests, name.partition("-")[2])
    answers = {}
    for allowed in (False, True):
        with open_artifact(model, ignore_paths=left_out, bundles=[folder / "model.sig"]) as artifact:
            options = VerifyOptions(allow_legacy=allowed, ignore_paths=left_out)
            answers[allowed] = verify_model(artifact, (folder / "model.sig").read_bytes(), [trust], options=options)
    assert (answers[True].reasons, answers[True].format) == ((), called)
    assert bool(answers[False].reasons) is legacy
    if legacy:
        assert answers[False].reasons[0].code == ("SIGNATURE_INVALID" if called == "oms-v0.2" else "LEGACY_NOT_ALLOWED")
