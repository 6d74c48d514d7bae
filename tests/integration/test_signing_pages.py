"""The pages on ways to sign do what they print."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from refusals import build

if TYPE_CHECKING:
    from collections.abc import Mapping

DOCS = Path(__file__).resolve().parents[2] / "docs"


def blocks(page: str, language: str) -> str:
    """Return every block of a language on a page, as one text."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return "\n".join(re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL))


def follow(folder: Path, page: str) -> None:
    """Run a page's shell commands in a folder that holds a model."""
    follow_words(folder, blocks(page, "sh"))


def follow_words(folder: Path, words: str, *, model: bool = True) -> None:
    """Run shell commands in a folder that holds a model."""
    if model:
        build(folder / "model", {"config.json": "{}", "model.safetensors": "weights"})
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MODELSIGN_")}
    run(folder, ["bash", "-euxo", "pipefail", "-c", words], environ)


def run(folder: Path, words: list[str], environ: Mapping[str, str]) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{environ.get('PATH', '')}"
    done = subprocess.run(
        words, cwd=folder, env={**environ, "PATH": path}, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_signing_with_a_token(tmp_path: Path) -> None:
    pytest.importorskip("pkcs11")
    for program in ("softhsm2-util", "pkcs11-tool"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is missing; see tools/test_needs.py")
    follow(tmp_path, "signing-with-a-token.md")


def test_post_quantum_and_what_others_need_to_verify_it(tmp_path: Path) -> None:
    follow(tmp_path, "post-quantum.md")
    run(tmp_path, [sys.executable, "-c", blocks("post-quantum.md", "python")], os.environ)
    words = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "pq.pub", "-rawin", "-in", "signed", "-sigfile"]
    version = re.match(r"OpenSSL (\d+)\.(\d+)", run(tmp_path, ["openssl", "version"], os.environ))
    if version is not None and (int(version[1]), int(version[2])) >= (3, 5):
        assert "Success" in run(tmp_path, [*words, "signature"], os.environ)
    ml_dsa = pytest.importorskip("dilithium_py.ml_dsa").ML_DSA_65
    spki = subprocess.run(["openssl", "base64", "-d"], input=body(tmp_path / "pq.pub"), capture_output=True, check=True)
    raw = spki.stdout[-1952:]
    assert ml_dsa.verify(raw, (tmp_path / "signed").read_bytes(), (tmp_path / "signature").read_bytes())


def test_signing_with_a_certificate(tmp_path: Path) -> None:
    use, _, make = blocks("signing-with-a-certificate.md", "sh").partition("cat > authority.ext")
    follow_words(tmp_path, f"cat > authority.ext{make}{use}")
    run(tmp_path, [sys.executable, "-c", blocks("signing-with-a-certificate.md", "python")], os.environ)


def test_taking_things_back(tmp_path: Path) -> None:
    build(tmp_path / "bad-model", {"config.json": "bad"})
    before = (
        "modelsign key generate signer.pem; modelsign key generate old.pem; modelsign sign model --key signer.pem\n"
    )
    follow_words(tmp_path, before + blocks("revoking.md", "sh"))


def test_manifests(tmp_path: Path) -> None:
    build(tmp_path / "model/vae", {"config.json": "{}"})
    before = (
        "modelsign key generate signer.pem\n"
        "(cd model && find . -type f | sed 's#^[.]/##' | xargs sha256sum) > SHA256SUMS\n"
    )
    after = "modelsign verify model/ --key signer.pub --only config.json --only 'vae/**'\n"
    follow_words(tmp_path, before + blocks("manifests.md", "sh") + after)
    header = b'{"lm_head.weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    (tmp_path / "model/model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + b"1234")
    follow_words(tmp_path, "modelsign sign model --key signer.pem --force\n", model=False)
    shown = run(tmp_path, [sys.executable, "-c", blocks("manifests.md", "python")], os.environ)
    assert "config.json" in shown


def body(pem: Path) -> bytes:
    """Return what stands between the lines of a PEM's armour."""
    return b"".join(line + b"\n" for line in pem.read_bytes().splitlines() if not line.startswith(b"-----"))
