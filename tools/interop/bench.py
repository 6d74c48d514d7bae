"""What all clients work on: one model, its statement, keys and certificates for each method, a Sigstore on loopback."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loopback import MODES, token
from modelsign.artifact.model import open_artifact
from modelsign.signing import keys
from modelsign.signing.dsse import IN_TOTO, pae
from modelsign.signing.methods.key import KeySealer
from modelsign.signing.sign import sign_model

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from loopback import LoopbackSigstore

SIGNER = "signer@example.org"
_EXTENSIONS = f"""
[ca]
basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
[leaf]
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=codeSigning
subjectAltName=email:{SIGNER}
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
"""


_SHOWN = 160
_NOT_THE_REASON = ("For further information", "next:", "Error: ")
"""How lines begin that clients write after the one that says what is wrong."""


class Impossible(Exception):
    """A client has no such way at all; the message says why."""


class Refused(Exception):
    """A client was run and did not do it; the message is its own words."""


@dataclass(frozen=True)
class Method:
    """One way to sign. `algorithm` is that of a key's; `mode` is that of keyless signing."""

    id: str
    kind: str
    algorithm: str = "ecdsa-p256-sha256"
    mode: str = ""


METHODS = (
    Method("key EC", "key"),
    Method("key Ed25519", "key", "ed25519"),
    Method("key RSA", "key", "rsa-pss-sha256"),
    Method("key ML-DSA", "key", "ml-dsa-65"),
    Method("certificate", "certificate"),
    *(Method(f"keyless {mode}", "keyless", mode=mode) for mode in MODES),
)


class Bench:
    """The files of one run, below `folder`."""

    def __init__(self, folder: Path, sigstore: LoopbackSigstore) -> None:
        """Make the model, its statement, and the keys and certificates."""
        self.folder, self.sigstore = folder, sigstore
        self.model = folder / "model"
        self.model.mkdir()
        (self.model / "weights.safetensors").write_bytes(b"weights")
        (self.model / "config.json").write_text("{}", encoding="utf-8")
        self.token = folder / "token"
        self.token.write_text(token(sigstore.issuer), encoding="ascii")
        self.payload = folder / "statement.json"
        with open_artifact(self.model) as artifact:
            statement = json.loads(sign_model(artifact, KeySealer(keys.generate())).payload)
        for subject in statement["subject"]:  # sigstore-python reads no other digests, and OMS asks for none
            subject["digest"] = {"sha256": subject["digest"]["sha256"]}
        self.payload.write_text(json.dumps(statement), encoding="utf-8")
        for method in METHODS:
            if method.kind == "key":
                key = keys.generate(method.algorithm)
                self.private(method).write_bytes(key.pem())
                self.public(method).write_bytes(key.public.pem)
        self._certificates()

    def private(self, method: Method) -> Path:
        """Where the private key of a method is, PEM."""
        return self.folder / f"{method.id.replace(' ', '-')}.key"

    def public(self, method: Method) -> Path:
        """Where the public key of a method is, PEM."""
        return self.folder / f"{method.id.replace(' ', '-')}.pub"

    @property
    def root(self) -> Path:
        """The root certificate of the method `certificate`."""
        return self.folder / "root.pem"

    @property
    def leaf(self) -> Path:
        """The signer's certificate of the method `certificate`."""
        return self.folder / "leaf.pem"

    def signed_bytes(self, bundle: dict[str, object]) -> tuple[Path, Path]:
        """Write down what a bundle's signature is over, and the signature."""
        envelope = bundle["dsseEnvelope"]
        encoded, signature = self.folder / "pae", self.folder / "signature"
        encoded.write_bytes(pae(envelope["payloadType"], base64.b64decode(envelope["payload"])))
        signature.write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
        return encoded, signature

    def write(self, name: str, bundle: dict[str, object] | bytes) -> Path:
        """Write a bundle."""
        place = self.folder / f"{name.replace(' ', '-')}.sig"
        place.write_bytes(bundle if isinstance(bundle, bytes) else json.dumps(bundle).encode())
        return place

    def tampered(self, place: Path) -> Path:
        """Return the same bundle about another model: every reader must refuse it."""
        bundle = json.loads(place.read_bytes())
        envelope = bundle["dsseEnvelope"]
        payload = base64.b64decode(envelope["payload"]).replace(b'"digest"', b'"digest" ', 1)
        envelope["payload"] = base64.b64encode(payload).decode()
        return self.write(f"{place.stem}-tampered", bundle)

    def unsigned(self) -> dict[str, object]:
        """Return a bundle that still lacks its signature and who made it."""
        payload = base64.b64encode(self.payload.read_bytes()).decode()
        return {
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {"tlogEntries": []},
            "dsseEnvelope": {"payload": payload, "payloadType": IN_TOTO, "signatures": []},
        }

    def _certificates(self) -> None:
        extensions = self.folder / "extensions.cnf"
        extensions.write_text(_EXTENSIONS, encoding="utf-8")
        method = next(method for method in METHODS if method.kind == "certificate")
        key, root_key = self.private(method), self.folder / "root.key"
        for place in (key, root_key):
            run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", place])
        run(["openssl", "pkey", "-in", key, "-pubout", "-out", self.public(method)])
        for name, signed_with, section, subject in (
            ("root", ["-signkey", root_key], "ca", root_key),
            ("leaf", ["-CA", self.root, "-CAkey", root_key, "-CAcreateserial"], "leaf", key),
        ):
            request = self.folder / f"{name}.csr"
            run(["openssl", "req", "-new", "-key", subject, "-subj", f"/O=interop/CN={name}", "-out", request])
            made = ["openssl", "x509", "-req", "-in", request, *signed_with, "-days", "2", "-extfile", extensions]
            run([*made, "-extensions", section, "-out", self.folder / f"{name}.pem"])


def run(command: Sequence[object], *, data: bytes | None = None) -> bytes:
    """Run a client and return its output.

    Raises:
        Refused: it ended with another status than 0; the last line it wrote is the message.

    """
    done = subprocess.run([str(word) for word in command], input=data, capture_output=True, check=False, timeout=300)
    if done.returncode:
        lines = (done.stdout + b"\n" + done.stderr).decode("utf-8", "replace").split("\n")
        said = [line.strip() for line in lines if line.strip() and not line.strip().startswith(_NOT_THE_REASON)]
        raise Refused(said[-1][:_SHOWN] if said else f"exit status {done.returncode}")
    return done.stdout


def python(*words: object) -> list[object]:
    """Return a command of this environment's Python."""
    return [sys.executable, *words]
