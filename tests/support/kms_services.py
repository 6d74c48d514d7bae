"""Key management services on loopback, each a few lines that do what the service's documentation says.

They hold real keys and check what they are sent as the service would: the token, the names, the lengths, Google's
checksums. ``Faults`` makes them answer wrongly on request. Sources: Google Cloud KMS REST v1 (``publicKey``,
``asymmetricSign``), Azure Key Vault REST 7.4 (get key, sign), Vault HTTP API (``transit/keys``, ``transit/sign``), AWS
KMS API (GetPublicKey, Sign); the token endpoints are OAuth 2.0's of Google and App Service's managed identity.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import google_crc32c
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

TOKEN = "token-of-the-test"


class Refused(Exception):
    """What a service answers instead."""

    def __init__(self, status: int, body: object) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


@dataclass
class Faults:
    """How a service misbehaves: answers by name of a member, or all of it by ``status``."""

    members: dict[str, object] = field(default_factory=dict)
    status: int | None = None
    body: bytes | None = None
    flipped: bool = False

    def clear(self) -> None:
        self.__init__()  # type: ignore[misc] # back to its defaults


@dataclass
class Request:
    """What was asked."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any

    def demand_token(self, header: str, value: str) -> None:
        if self.headers.get(header) != value:
            raise Refused(403, {"error": {"code": 403, "message": "permission denied"}})


@dataclass
class Running:
    """A service that runs: where, what it was asked, and how it misbehaves."""

    url: str
    faults: Faults
    seen: list[Request]


@contextmanager
def served(answer: Callable[[Request], dict[str, object]]) -> Iterator[Running]:
    """Serve on a port of its own until the block ends."""
    faults, seen = Faults(), []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            sent = self.rfile.read(length)
            kind = self.headers.get("Content-Type", "")
            body = (json.loads(sent) if "json" in kind else parse_qs(sent.decode())) if sent else None
            request = Request(self.command, self.path, dict(self.headers.items()), body)
            seen.append(request)
            try:
                status, value = 200, answer(request) | faults.members
            except Refused as fault:
                status, value = fault.status, fault.body
            data = faults.body if faults.body is not None else json.dumps(value).encode()
            self.send_response(faults.status or status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Running(f"http://127.0.0.1:{server.server_address[1]}", faults, seen)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def spki(key: Any, encoding: Encoding = Encoding.DER) -> bytes:
    return key.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)


def sign_digest(key: Any, digest: bytes, hash_name: str) -> bytes:
    """Sign a digest: ECDSA in DER, or PSS with a salt of the hash's length."""
    chosen = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}[hash_name]
    if len(digest) != chosen.digest_size:
        raise Refused(400, {"error": {"code": 400, "message": "the digest has the wrong length"}})
    if isinstance(key, rsa.RSAPrivateKey):
        scheme = padding.PSS(padding.MGF1(chosen), chosen.digest_size)
        return key.sign(digest, scheme, utils.Prehashed(chosen))
    return key.sign(digest, ec.ECDSA(utils.Prehashed(chosen)))


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def number(value: int) -> str:
    return b64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def gcp(key: Any, name: str, algorithm: str) -> Callable[[Request], dict[str, object]]:
    """Google Cloud KMS with one version of one key; also Google's OAuth token endpoint."""

    def answer(request: Request) -> dict[str, object]:
        if request.path == "/token":
            return {"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"}
        request.demand_token("Authorization", f"Bearer {TOKEN}")
        if request.path == f"/v1/{name}/publicKey":
            pem = spki(key, Encoding.PEM)
            return {
                "name": name,
                "algorithm": algorithm,
                "pem": pem.decode(),
                "pemCrc32c": str(google_crc32c.value(pem)),
            }
        if request.path != f"/v1/{name}:asymmetricSign":
            raise Refused(404, {"error": {"code": 404, "message": f"{request.path} not found", "status": "NOT_FOUND"}})
        if isinstance(key, ed25519.Ed25519PrivateKey):
            data = base64.b64decode(request.body["data"], validate=True)
            signature, seen = key.sign(data), "verifiedDataCrc32c"
            sum_of = request.body["dataCrc32c"]
        else:
            ((hash_name, digest),) = request.body["digest"].items()
            data = base64.b64decode(digest, validate=True)
            signature, seen = sign_digest(key, data, hash_name), "verifiedDigestCrc32c"
            sum_of = request.body["digestCrc32c"]
        if sum_of != str(google_crc32c.value(data)):
            raise Refused(400, {"error": {"code": 400, "message": "the checksum does not fit"}})
        checksum = str(google_crc32c.value(signature))
        return {"signature": b64(signature), "signatureCrc32c": checksum, seen: True, "name": name}

    return answer


def azure(key: Any, name: str, version: str) -> Callable[[Request], dict[str, object]]:
    """Azure Key Vault with one key; also App Service's managed identity."""
    kid = f"https://myvault.vault.azure.net/keys/{name}/{version}"

    def answer(request: Request) -> dict[str, object]:
        path, query = urlsplit(request.path).path, parse_qs(urlsplit(request.path).query)
        if path == "/msi":
            assert query["resource"] == ["https://vault.azure.net"]
            request.demand_token("X-IDENTITY-HEADER", "secret")
            return {"access_token": TOKEN, "expires_on": "4102444800", "resource": "r", "token_type": "Bearer"}
        assert query == {"api-version": ["7.4"]}
        request.demand_token("Authorization", f"Bearer {TOKEN}")
        if path in (f"/keys/{name}", f"/keys/{name}/{version}"):
            return {"key": {"kid": kid, **jwk(key)}, "attributes": {"enabled": True}}
        if path != f"/keys/{name}/{version}/sign":
            raise Refused(404, {"error": {"code": "KeyNotFound", "message": "A key was not found in this key vault."}})
        digest = base64.urlsafe_b64decode(request.body["value"] + "==")
        signature = sign_digest(key, digest, f"sha{request.body['alg'][2:]}")
        if isinstance(key, ec.EllipticCurvePrivateKey):
            size = (key.curve.key_size + 7) // 8
            signature = b"".join(part.to_bytes(size, "big") for part in utils.decode_dss_signature(signature))
        return {"kid": kid, "value": b64url(signature)}

    return answer


def jwk(key: Any) -> dict[str, object]:
    numbers = key.public_key().public_numbers()
    if isinstance(key, rsa.RSAPrivateKey):
        return {"kty": "RSA-HSM", "n": number(numbers.n), "e": number(numbers.e), "key_ops": ["sign"]}
    crv = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521", "secp256k1": "P-256K"}[key.curve.name]
    size = (key.curve.key_size + 7) // 8
    point = {name: b64url(getattr(numbers, name).to_bytes(size, "big")) for name in "xy"}
    return {"kty": "EC", "crv": crv, **point, "key_ops": ["sign"]}


def vault(keys: Mapping[int, Any], name: str, kind: str) -> Callable[[Request], dict[str, object]]:
    """Vault's transit engine with the versions of one key."""

    def public(key: Any) -> str:
        if isinstance(key, ed25519.Ed25519PrivateKey):
            return b64(key.public_key().public_bytes_raw())
        return spki(key, Encoding.PEM).decode()

    def answer(request: Request) -> dict[str, object]:
        if request.headers.get("X-Vault-Token") != TOKEN or request.headers.get("X-Vault-Request") != "true":
            raise Refused(403, {"errors": ["permission denied"]})
        if request.path == f"/v1/transit/keys/{name}":
            versions = {str(version): {"public_key": public(key), "name": kind} for version, key in keys.items()}
            return {"data": {"type": kind, "latest_version": max(keys), "keys": versions, "name": name}}
        if request.path != f"/v1/transit/sign/{name}":
            raise Refused(404, {"errors": []})
        sent = dict(request.body)
        version, data = sent.pop("key_version"), base64.b64decode(sent.pop("input"), validate=True)
        key = keys[version]
        if isinstance(key, ed25519.Ed25519PrivateKey):
            assert sent == {}
            signature = key.sign(data)
        else:
            assert sent.pop("prehashed") is True
            hash_name = sent.pop("hash_algorithm").replace("sha2-", "sha")
            pss = {"signature_algorithm": "pss", "salt_length": "hash"}
            assert sent == (pss if isinstance(key, rsa.RSAPrivateKey) else {"marshaling_algorithm": "asn1"})
            signature = sign_digest(key, data, hash_name)
        return {"data": {"signature": f"vault:v{version}:{b64(signature)}", "key_version": version}}

    return answer


def aws(key: Any, key_id: str, algorithm: str) -> Callable[[Request], dict[str, object]]:
    """AWS KMS with one key, as its API reference says of RAW, DIGEST and EXTERNAL_MU."""

    def answer(request: Request) -> dict[str, object]:
        operation = request.headers["X-Amz-Target"].removeprefix("TrentService.")
        request.body = request.body or {}
        if request.body["KeyId"] != key_id:
            raise Refused(
                400, {"__type": "NotFoundException", "message": f"Key '{request.body['KeyId']}' does not exist"}
            )
        if operation == "GetPublicKey":
            return {"KeyId": key_id, "PublicKey": b64(spki(key)), "SigningAlgorithms": [algorithm]}
        assert operation == "Sign"
        assert request.body["SigningAlgorithm"] == algorithm
        message, kind = base64.b64decode(request.body["Message"]), request.body["MessageType"]
        if len(message) > 4096:
            raise Refused(400, {"__type": "ValidationException", "message": "the message is too long"})
        if isinstance(key, (mldsa.MLDSA65PrivateKey, mldsa.MLDSA87PrivateKey)):
            signature = {"RAW": key.sign, "EXTERNAL_MU": key.sign_mu}[kind](message)
        else:
            hash_name = algorithm[-7:].replace("_", "").lower()
            digest = {"RAW": lambda: hashlib.new(hash_name, message).digest(), "DIGEST": lambda: message}[kind]()
            signature = sign_digest(key, digest, hash_name)
        return {"KeyId": key_id, "Signature": b64(signature), "SigningAlgorithm": algorithm}

    return answer
