"""A certificate for a public key whose private half is elsewhere, by a root of its own; made by openssl."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
EXTENSIONS = """
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = codeSigning
subjectAltName = email:release@example.org
"""


def certify(folder: Path, public: Path) -> None:
    """Write ``root.pem`` and ``leaf.pem``, a certificate for release@example.org, into a folder."""

    def openssl(*words: str | Path) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    (folder / "extensions").write_text(EXTENSIONS)
    authority = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
    openssl("req", "-x509", *EC, *authority, "-subj", "/CN=Root", "-keyout", "root.key", "-out", "root.pem")
    openssl("req", "-new", *EC, "-subj", "/CN=Release", "-keyout", "unused.key", "-out", "request.pem")
    issuer = ("-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-extfile", "extensions")
    openssl("x509", "-req", "-in", "request.pem", "-force_pubkey", public, *issuer, "-out", "leaf.pem")
    for name in ("unused.key", "root.key"):
        (folder / name).unlink()
