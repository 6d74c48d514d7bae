"""The Sigstore of the tests: `tests/loopback/server.js` on an ephemeral port of 127.0.0.1, started and stopped here."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent.parent / "loopback"
MODES = ("rekor1", "rekor1tsa", "rekor2")
"""Rekor v1 alone, Rekor v1 with timestamps, Rekor v2 with timestamps."""
IDENTITY = "ci@example.org"
CERTIFICATES = "/api/v2/signingCert"
STAMPS = "/api/v1/timestamp"
LOGS = {"rekor1": "/api/v1/log/entries", "rekor1tsa": "/api/v1/log/entries", "rekor2": "/api/v2/log/entries"}


@dataclass(frozen=True)
class LoopbackSigstore:
    """A running Sigstore; `folder` holds its trust root and configurations."""

    url: str
    folder: Path

    @property
    def issuer(self) -> str:
        return f"{self.url}/oidc"

    @property
    def trusted_root(self) -> Path:
        return self.folder / "trusted_root.json"

    def signing_config(self, mode: str) -> Path:
        return self.folder / f"signing_config.{mode}.json"

    def trust_config(self, mode: str) -> Path:
        return self.folder / f"trust_config.{mode}.json"

    def faults(self, *faults: dict[str, Any]) -> None:
        """Let the next requests for a `path` fail, as server.js describes."""
        self._control("POST", "faults", list(faults))

    def reset(self) -> None:
        """Forget faults and requests."""
        self._control("POST", "reset")

    def asked(self) -> list[str]:
        """The paths that were asked for since the last reset, in order."""
        return [request["path"] for request in self.requests()]

    def requests(self) -> list[dict[str, Any]]:
        """The requests since the last reset: method, path, headers, and the body in base64."""
        return self._control("GET", "requests")

    def _control(self, method: str, what: str, value: object = None) -> Any:
        data = json.dumps(value).encode() if method == "POST" else None
        request = urllib.request.Request(f"{self.url}/control/{what}", data, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)


def unavailable() -> str | None:
    """Say why the loopback Sigstore cannot run here; None where it can."""
    if shutil.which("node") is None:
        return "the loopback Sigstore needs node, which is not on this machine"
    if not (HERE / "node_modules/.package-lock.json").exists():
        return "the packages of the loopback Sigstore are not there; `make test` fetches them"
    return None


@contextmanager
def running(folder: Path) -> Iterator[LoopbackSigstore]:
    """Run a Sigstore until the block ends."""
    with subprocess.Popen(
        ["node", HERE / "server.js", folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=HERE
    ) as process:
        try:
            line = process.stdout.readline()
            yield LoopbackSigstore(json.loads(line)["url"], folder)
        finally:
            process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def token(issuer: str, *, lifetime: int = 3600, **claims: object) -> str:
    """Make an identity token, signed with a key that nobody knows: the loopback Fulcio does not look."""
    now = int(time.time())
    body = {
        "iss": issuer, "sub": IDENTITY, "aud": "sigstore", "iat": now, "nbf": now - 5, "exp": now + lifetime, **claims,
    }  # fmt: skip
    kept = {name: value for name, value in body.items() if value is not None}
    signed = f"{_part({'alg': 'ES256', 'typ': 'JWT'})}.{_part(kept)}"
    r, s = decode_dss_signature(ec.generate_private_key(ec.SECP256R1()).sign(signed.encode(), ec.ECDSA(SHA256())))
    return f"{signed}.{_base64url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def node_verifies(  # noqa: PLR0913 - what the script takes
    sigstore: LoopbackSigstore,
    bundle: Path,
    *,
    identity: str = IDENTITY,
    issuer: str | None = None,
    key: Path | None = None,
    file: Path | None = None,
    log: bool = True,
) -> dict[str, Any]:
    """Ask @sigstore/verify about a bundle: `{"verified": …}` with the identity, or with its code and message."""
    options = [*(["--key", key] if key else []), *(["--file", file] if file else []), *([] if log else ["--no-log"])]
    run = subprocess.run(
        ["node", HERE / "verify.js", sigstore.trusted_root, bundle, identity, issuer or sigstore.issuer, *options],
        capture_output=True,
        check=False,
        cwd=HERE,
    )
    return json.loads(run.stdout)


def node_signs(sigstore: LoopbackSigstore, mode: str, payload: Path, payload_type: str | None = None) -> bytes:
    """Let sigstore-js sign a file, or an envelope with that payload."""
    place = sigstore.folder / f"token-{os.urandom(4).hex()}"
    place.write_text(token(sigstore.issuer), encoding="ascii")
    command = ["node", HERE / "sign.js", sigstore.signing_config(mode), place, payload]
    run = subprocess.run(
        [*command, *([payload_type] if payload_type else [])], capture_output=True, check=True, cwd=HERE
    )
    return run.stdout


def _part(value: object) -> str:
    return _base64url(json.dumps(value).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
