"""The clients of the matrix: how each signs, and how each reads.

A client that is run and refuses gives its own words. What a client has no command or function for is `Impossible`,
with the reason; nothing else is written down in advance.
"""

from __future__ import annotations

import base64
import binascii
import json
import subprocess
from typing import TYPE_CHECKING, Protocol

from bench import SIGNER, Impossible, Refused, python, run
from loopback import IDENTITY, node_signs, node_verifies
from modelsign.signing.dsse import IN_TOTO

if TYPE_CHECKING:
    from pathlib import Path

    from bench import Bench, Method

_PEM_LINE = 64


class Client(Protocol):
    """One row and one column of the matrix."""

    name: str

    def sign(self, bench: Bench, method: Method) -> Path:
        """Sign the bench's model and return the bundle."""
        ...

    def read(self, bench: Bench, method: Method, bundle: Path) -> None:
        """Verify a bundle over the bench's model."""
        ...


class Modelsign:
    """This project, by its command line."""

    name = "modelsign"

    def sign(self, bench: Bench, method: Method) -> Path:
        """Sign as a user does."""
        place = bench.folder / f"modelsign-{method.id.replace(' ', '-')}.sig"
        flags: list[object] = ["--key", bench.private(method)]
        if method.kind == "certificate":
            flags += ["--certificate", bench.leaf]
        if method.kind == "keyless":
            config = bench.sigstore.trust_config(method.mode)
            flags = ["--keyless", "--identity-token", bench.token, "--trust-config", config, "--yes"]
        run(python("-m", "modelsign", "sign", bench.model, *flags, "--bundle", place, "--no-config"))
        return place

    def read(self, bench: Bench, method: Method, bundle: Path) -> None:
        """Verify as a user does."""
        flags: list[object] = ["--key", bench.public(method)]
        if method.kind == "certificate":
            flags = ["--ca-roots", bench.root, "--certificate-identity", SIGNER]
        if method.kind == "keyless":
            flags = [
                "--certificate-identity", IDENTITY, "--certificate-oidc-issuer", bench.sigstore.issuer,
                "--trusted-root", bench.sigstore.trusted_root,
            ]  # fmt: skip
        run(python("-m", "modelsign", "verify", bench.model, "--bundle", bundle, *flags, "--offline", "--no-config"))


class ModelSigning:
    """The reference implementation of OMS, by its command line."""

    name = "model-signing"

    def sign(self, bench: Bench, method: Method) -> Path:
        """Sign as its users do."""
        place = bench.folder / f"reference-{method.id.replace(' ', '-')}.sig"
        flags: list[object] = ["key", bench.model, "--private_key", bench.private(method)]
        if method.kind == "certificate":
            flags = ["certificate", bench.model, "--private_key", bench.private(method)]
            flags += ["--signing_certificate", bench.leaf, "--certificate_chain", bench.root]
        if method.kind == "keyless":
            flags = ["sigstore", bench.model, "--identity_token", bench.token.read_text(encoding="ascii")]
            flags += ["--trust_config", bench.sigstore.trust_config(method.mode)]
        run(python("-m", "model_signing", "sign", *flags, "--signature", place))
        return place

    def read(self, bench: Bench, method: Method, bundle: Path) -> None:
        """Verify as its users do."""
        flags: list[object] = ["key", bench.model, "--public_key", bench.public(method)]
        if method.kind == "certificate":
            flags = ["certificate", bench.model, "--certificate_chain", bench.root]
        if method.kind == "keyless":
            flags = ["sigstore", bench.model, "--identity", IDENTITY, "--identity_provider", bench.sigstore.issuer]
            flags += ["--trust_config", bench.sigstore.trust_config(method.mode)]
        run(python("-m", "model_signing", "verify", *flags, "--signature", bundle))


_PYTHON_SIGNS = """
import sys
from pathlib import Path
from sigstore.dsse import Statement
from sigstore.models import ClientTrustConfig
from sigstore.oidc import IdentityToken
from sigstore.sign import SigningContext
config, token, payload = map(Path, sys.argv[1:])
context = SigningContext.from_trust_config(ClientTrustConfig.from_json(config.read_text()))
with context.signer(IdentityToken(token.read_text())) as signer:
    print(signer.sign_dsse(Statement(payload.read_bytes())).to_json())
"""
_PYTHON_READS = """
import sys
from pathlib import Path
from sigstore.models import Bundle, ClientTrustConfig
from sigstore.verify import Verifier, policy
config, bundle, identity, issuer = sys.argv[1:]
verifier = Verifier(trusted_root=ClientTrustConfig.from_json(Path(config).read_text()).trusted_root)
verifier.verify_dsse(Bundle.from_json(Path(bundle).read_bytes()), policy.Identity(identity=identity, issuer=issuer))
"""


class SigstorePython:
    """sigstore-python, by its library: its command line does not sign a statement that was made already."""

    name = "sigstore-python"

    def sign(self, bench: Bench, method: Method) -> Path:
        """Sign the model's statement."""
        if method.kind != "keyless":
            raise Impossible("sigstore-python signs with identities alone")
        config = bench.sigstore.trust_config(method.mode)
        made = run(python("-c", _PYTHON_SIGNS, config, bench.token, bench.payload))
        return bench.write(f"python-{method.id}", made)

    def read(self, bench: Bench, method: Method, bundle: Path) -> None:
        """Verify the envelope; what it says of files is the caller's to compare."""
        config = bench.sigstore.trust_config(method.mode or "rekor1")
        identity = SIGNER if method.kind == "certificate" else IDENTITY
        run(python("-c", _PYTHON_READS, config, bundle, identity, bench.sigstore.issuer))


class SigstoreJs:
    """sigstore-js, by its libraries `@sigstore/sign` and `@sigstore/verify`."""

    name = "sigstore-js"

    def sign(self, bench: Bench, method: Method) -> Path:
        """Sign the model's statement."""
        if method.kind != "keyless":
            raise Impossible("sigstore-js signs with identities alone")
        try:
            made = node_signs(bench.sigstore, method.mode, bench.payload, IN_TOTO)
        except subprocess.CalledProcessError as fault:
            raise Refused(fault.stderr.decode("utf-8", "replace").strip()) from None
        return bench.write(f"js-{method.id}", made)

    def read(self, bench: Bench, method: Method, bundle: Path) -> None:
        """Verify the envelope; for bare keys without asking for a log entry."""
        keyed = bench.public(method) if method.kind == "key" else None
        identity = SIGNER if method.kind == "certificate" else IDENTITY
        answer = node_verifies(bench.sigstore, bundle, identity=identity, key=keyed, log=method.kind == "keyless")
        if not answer["verified"]:
            raise Refused(str(answer["message"]))


class Openssl:
    """The `openssl` command, over the pre-authentication encoding: what any program without a library could do."""

    name = "openssl"

    def sign(self, bench: Bench, method: Method) -> Path:
        """Sign the statement's encoding and put the bundle together."""
        if method.kind == "keyless":
            raise Impossible("openssl asks no server for a certificate, a timestamp or a log entry")
        bundle = bench.unsigned()
        bundle["dsseEnvelope"]["signatures"] = [{"sig": ""}]
        encoded, signature = bench.signed_bytes(bundle)
        key = bench.private(method)
        run([*_pkeyutl(method), "-sign", "-inkey", key, "-in", encoded, "-out", signature])
        bundle["dsseEnvelope"]["signatures"] = [{"sig": base64.b64encode(signature.read_bytes()).decode()}]
        material = bundle["verificationMaterial"]
        if method.kind == "certificate":
            der = run(["openssl", "x509", "-in", bench.leaf, "-outform", "DER"])
            certificates = [{"rawBytes": base64.b64encode(der).decode()}]
            material["x509CertificateChain"] = {"certificates": certificates}
        else:
            hint = run(["openssl", "dgst", "-sha256", "-r", bench.public(method)]).split()[0].decode()
            material["publicKey"] = {"hint": hint}
        return bench.write(f"openssl-{method.id}", bundle)

    def read(self, bench: Bench, method: Method, bundle: Path) -> None:
        """Check the signature, and the certificate's path; log entries and identities are not openssl's."""
        document = json.loads(bundle.read_bytes())
        encoded, signature = bench.signed_bytes(document)
        public = bench.public(method)
        if method.kind != "key":
            public = self._certified(bench, method, document["verificationMaterial"])
        run([*_pkeyutl(method), "-verify", "-pubin", "-inkey", public, "-in", encoded, "-sigfile", signature])

    def _certified(self, bench: Bench, method: Method, material: dict[str, object]) -> Path:
        chain = material.get("x509CertificateChain", {}).get("certificates") or [material["certificate"]]
        leaf, public = bench.folder / "read.pem", bench.folder / "read.pub"
        leaf.write_text(_pem(base64.b64decode(chain[0]["rawBytes"])), encoding="ascii")
        root = bench.root if method.kind == "certificate" else self._fulcio_root(bench)
        run(["openssl", "verify", "-CAfile", root, leaf])
        public.write_bytes(run(["openssl", "x509", "-in", leaf, "-noout", "-pubkey"]))
        return public

    def _fulcio_root(self, bench: Bench) -> Path:
        trusted = json.loads(bench.sigstore.trusted_root.read_bytes())
        der = base64.b64decode(trusted["certificateAuthorities"][0]["certChain"]["certificates"][-1]["rawBytes"])
        place = bench.folder / "fulcio.pem"
        place.write_text(_pem(der), encoding="ascii")
        return place


def _pkeyutl(method: Method) -> list[object]:
    options: list[object] = ["openssl", "pkeyutl", "-rawin"]
    if method.algorithm.startswith("ecdsa"):
        options += ["-digest", "sha256"]
    if method.algorithm == "rsa-pss-sha256":
        options += ["-digest", "sha256", "-pkeyopt", "rsa_padding_mode:pss", "-pkeyopt", "rsa_pss_saltlen:32"]
    return options


def _pem(der: bytes) -> str:
    text = binascii.b2a_base64(der, newline=False).decode()
    lines = [text[start : start + _PEM_LINE] for start in range(0, len(text), _PEM_LINE)]
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])


CLIENTS: tuple[Client, ...] = (Modelsign(), ModelSigning(), SigstorePython(), SigstoreJs(), Openssl())
