"""A Sigstore on paper: authority, certificate log, Rekor v1 and v2, timestamp authority, in memory and at any time.

Makes bundles and trust roots as dictionaries, for tests to alter before they are read. Nothing here is shared with what
is tested: trees, notes, tokens and timestamps are written from the specifications a second time.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

IDENTITY = "https://github.com/paper/models/.github/workflows/sign.yml@refs/heads/main"
ISSUER = "https://token.actions.example.com"
SIGNED = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
"""When everything was signed, unless a test says otherwise."""
FOUNDED = datetime(2026, 1, 1, tzinfo=UTC)
CLAIMS = {"1.11": "github-hosted", "1.12": "https://github.com/paper/models", "1.14": "refs/heads/main", "1.20": "push"}
PAYLOAD_TYPE = "application/vnd.in-toto+json"
PAYLOAD = b'{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"x","predicate":{}}'
_ARC = "1.3.6.1.4.1.57264."


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def unb64(text: str) -> bytes:
    return base64.b64decode(text)


def pae(payload_type: str, payload: bytes) -> bytes:
    return f"DSSEv1 {len(payload_type)} {payload_type} {len(payload)} ".encode() + payload


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def sign(key: Any, data: bytes) -> bytes:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(data)
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


def spki(key: Any) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def pem(der: bytes, kind: str = "CERTIFICATE") -> bytes:
    text = b64(der)
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----", ""]).encode()


def rfc3339(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _utf8_string(text: str) -> bytes:
    return core.UTF8String(text).dump()


class Certifier:
    """A certificate and its key; ``issue`` makes another one below."""

    def __init__(
        self,
        name: str,
        above: Certifier | None = None,
        *,
        usage: str = "ca",
        days: int = 3650,
        purposes: tuple[x509.ObjectIdentifier, ...] = (ExtendedKeyUsageOID.TIME_STAMPING,),
    ) -> None:
        self.key = new_key()
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(above.certificate.subject if above else subject)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(FOUNDED)
            .not_valid_after(FOUNDED + timedelta(days=days))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False)
            .add_extension(_key_usage(ca=usage == "ca"), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key((above or self).key.public_key()), critical=False
            )
        )
        if usage == "ca":
            builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        else:
            builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=True)
        self.certificate = builder.sign((above or self).key, hashes.SHA256())
        self.chain: list[Certifier] = [self, *(above.chain if above else [])]

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)


def _key_usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def tree_root(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, recursively as it is written there."""
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return node(tree_root(leaves[:split]), tree_root(leaves[split:]))


def tree_path(index: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 6962, section 2.1.1."""
    if len(leaves) == 1:
        return []
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    if index < split:
        return [*tree_path(index, leaves[:split]), tree_root(leaves[split:])]
    return [*tree_path(index - split, leaves[split:]), tree_root(leaves[:split])]


class Log:
    """A transparency log; ``version`` 1 signs the time of its entries, 2 does not."""

    def __init__(self, version: int = 1, host: str = "rekor.paper.example", *, offset: int = 0) -> None:
        self.version, self.host, self.offset = version, host, offset
        self.key = new_key() if version == 1 else ed25519.Ed25519PrivateKey.generate()
        self.origin = f"{host} - 1234567" if version == 1 else host
        raw = b"" if version == 1 else self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.id = hashlib.sha256(spki(self.key) if version == 1 else f"{host}\n\x01".encode() + raw).digest()
        self.leaves: list[bytes] = [f"other entry {number}".encode() for number in range(5)]

    def checkpoint(self, size: int, root: bytes, *, extra: str = "") -> str:
        text = f"{self.origin}\n{size}\n{b64(root)}\n{extra}"
        return f"{text}\n\u2014 {self.host} {b64(self.id[:4] + sign(self.key, text.encode()))}\n"

    def enter(self, body: dict[str, Any], at: datetime | None = None, *, later: int = 6) -> dict[str, Any]:
        """Log a body between others and return the entry of a bundle."""
        data = json.dumps(body, separators=(",", ":"), sort_keys=True).encode()
        index = len(self.leaves)
        self.leaves += [data, *(f"later entry {number}".encode() for number in range(later))]
        entry = {
            "logIndex": str(index + self.offset),
            "logId": {"keyId": b64(self.id)},
            "kindVersion": {"kind": body["kind"], "version": body["apiVersion"]},
            "canonicalizedBody": b64(data),
        }
        self.prove(entry, index)
        if self.version == 1:
            entry["integratedTime"] = str(int((at or SIGNED).timestamp()))
            self.promise(entry)
        return entry

    def prove(self, entry: dict[str, Any], index: int) -> None:
        """Write an inclusion proof for the tree as it is."""
        root = tree_root(self.leaves)
        entry["inclusionProof"] = {
            "logIndex": str(index),
            "treeSize": str(len(self.leaves)),
            "rootHash": b64(root),
            "hashes": [b64(sibling) for sibling in tree_path(index, self.leaves)],
            "checkpoint": {"envelope": self.checkpoint(len(self.leaves), root)},
        }

    def promise(self, entry: dict[str, Any]) -> None:
        """Sign the entry's time and place."""
        signed = json.dumps(
            {
                "body": entry["canonicalizedBody"],
                "integratedTime": int(entry["integratedTime"]),
                "logID": self.id.hex(),
                "logIndex": int(entry["logIndex"]),
            },
            separators=(",", ":"),
            sort_keys=True,
        )
        entry["inclusionPromise"] = {"signedEntryTimestamp": b64(sign(self.key, signed.encode()))}

    def trusted(self) -> dict[str, Any]:
        details = "PKIX_ECDSA_P256_SHA_256" if self.version == 1 else "PKIX_ED25519"
        return {
            "baseUrl": f"https://{self.host}",
            "hashAlgorithm": "SHA2_256",
            "publicKey": {
                "rawBytes": b64(spki(self.key)),
                "keyDetails": details,
                "validFor": {"start": rfc3339(FOUNDED)},
            },
            "logId": {"keyId": b64(self.id)},
        }


class Clock:
    """A timestamp authority (RFC 3161)."""

    def __init__(self, name: str = "clock", *, days: int = 3650) -> None:
        self.signer = Certifier(f"{name} signer", Certifier(f"{name} root"), usage="tsa", days=days)

    def stamp(self, message: bytes, at: datetime = SIGNED, *, embed: bool = True) -> bytes:
        certificate = asn1.Certificate.load(self.signer.der)
        info = tsp.TSTInfo(
            {
                "version": "v1",
                "policy": "1.2.3.4",
                "message_imprint": {
                    "hash_algorithm": {"algorithm": "sha256"},
                    "hashed_message": hashlib.sha256(message).digest(),
                },
                "serial_number": 7,
                "gen_time": at,
            }
        ).dump()
        certificate_id = tsp.ESSCertIDv2({"cert_hash": hashlib.sha256(self.signer.der).digest()})
        attributes = cms.CMSAttributes(
            [
                {"type": "content_type", "values": ["tst_info"]},
                {"type": "message_digest", "values": [hashlib.sha256(info).digest()]},
                {"type": "signing_certificate_v2", "values": [tsp.SigningCertificateV2({"certs": [certificate_id]})]},
            ]
        )
        signer = {
            "version": "v1",
            "sid": cms.SignerIdentifier(
                "issuer_and_serial_number",
                {"issuer": certificate.issuer, "serial_number": certificate.serial_number},
            ),
            "digest_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}),
            "signed_attrs": attributes,
            "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
            "signature": sign(self.signer.key, attributes.dump()),
        }
        data: dict[str, Any] = {
            "version": "v3",
            "digest_algorithms": [{"algorithm": "sha256"}],
            "encap_content_info": {"content_type": "tst_info", "content": core.ParsableOctetString(info)},
            "signer_infos": [signer],
        }
        if embed:
            data["certificates"] = [certificate]
        token = cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(data)})
        return tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": token}).dump()

    def trusted(self) -> dict[str, Any]:
        return _authority("https://clock.paper.example", self.signer)


def _authority(url: str, lowest: Certifier) -> dict[str, Any]:
    return {
        "subject": {"organization": "paper", "commonName": "paper"},
        "uri": url,
        "certChain": {"certificates": [{"rawBytes": b64(entry.der)} for entry in lowest.chain]},
        "validFor": {"start": rfc3339(FOUNDED)},
    }


class Paper:
    """One instance. Its parts may be replaced before it signs; ``trust_root`` tells of those it was founded with."""

    def __init__(self) -> None:
        self.authority = Certifier("intermediate", Certifier("root"))
        self.ct_key = new_key()
        self.rekor1 = Log(1, offset=1000)
        self.rekor2 = Log(2, "log2026.rekor.paper.example")
        self.clock = Clock()

    def trust_root(self) -> dict[str, Any]:
        ct = {
            "baseUrl": "https://ct.paper.example",
            "hashAlgorithm": "SHA2_256",
            "publicKey": {
                "rawBytes": b64(spki(self.ct_key)),
                "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                "validFor": {"start": rfc3339(FOUNDED)},
            },
            "logId": {"keyId": b64(hashlib.sha256(spki(self.ct_key)).digest())},
        }
        return {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [self.rekor1.trusted(), self.rekor2.trusted()],
            "certificateAuthorities": [_authority("https://fulcio.paper.example", self.authority)],
            "ctlogs": [ct],
            "timestampAuthorities": [self.clock.trusted()],
        }

    def certificate(  # noqa: PLR0913 - everything that may be wrong with one
        self,
        key: Any,
        *,
        at: datetime = SIGNED,
        names: list[x509.GeneralName] | None = None,
        code_signing: bool = True,
        ca: bool = False,
        ct_key: Any = None,
        scts: int = 1,
        sct_extensions: bytes = b"",
        claims: dict[str, str] | None = None,
        old_issuer: str | None = ISSUER,
        by: Certifier | None = None,
    ) -> bytes:
        """Certify a key for ten minutes around a time, with its signed certificate timestamp."""
        above = by or self.authority
        usage = ExtendedKeyUsageOID.CODE_SIGNING if code_signing else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(above.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(at - timedelta(minutes=5))
            .not_valid_after(at + timedelta(minutes=5))
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(above.key.public_key()), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(_key_usage(ca=ca), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(
                x509.SubjectAlternativeName([x509.UniformResourceIdentifier(IDENTITY)] if names is None else names),
                critical=True,
            )
        )
        if old_issuer is not None:
            oid = x509.ObjectIdentifier(f"{_ARC}1.1")
            builder = builder.add_extension(x509.UnrecognizedExtension(oid, old_issuer.encode()), critical=False)
        for number, value in {"1.8": ISSUER, **(CLAIMS if claims is None else claims)}.items():
            oid = x509.ObjectIdentifier(f"{_ARC}{number}")
            builder = builder.add_extension(x509.UnrecognizedExtension(oid, _utf8_string(value)), critical=False)
        bare = builder.sign(above.key, hashes.SHA256())
        stamps = b"".join(self._sct(bare, above, ct_key or self.ct_key, at, sct_extensions) for _ in range(scts))
        if not scts:
            return bare.public_bytes(Encoding.DER)
        inner = core.OctetString(len(stamps).to_bytes(2) + stamps).dump()
        extension = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2"), inner)
        return (
            builder.add_extension(extension, critical=False).sign(above.key, hashes.SHA256()).public_bytes(Encoding.DER)
        )

    def _sct(self, bare: x509.Certificate, above: Certifier, ct_key: Any, at: datetime, extensions: bytes) -> bytes:
        tbs = bare.tbs_certificate_bytes
        milliseconds = int(at.timestamp() * 1000).to_bytes(8)
        more = len(extensions).to_bytes(2) + extensions
        signed = (
            b"\x00\x00" + milliseconds + b"\x00\x01" + hashlib.sha256(spki(above.key)).digest()
            + len(tbs).to_bytes(3) + tbs + more
        )  # fmt: skip
        signature = sign(ct_key, signed)
        log_id = hashlib.sha256(spki(ct_key)).digest()
        stamp = b"\x00" + log_id + milliseconds + more + b"\x04\x03" + len(signature).to_bytes(2) + signature
        return len(stamp).to_bytes(2) + stamp

    def sign(  # noqa: PLR0913 - everything that may be wrong with a bundle
        self,
        *,
        log: Log | None = None,
        kind: str = "dsse",
        payload: bytes = PAYLOAD,
        at: datetime = SIGNED,
        stamped: datetime | None = SIGNED,
        logged: datetime | None = None,
        certificate: bytes | None = None,
        key: Any = None,
        managed: bool = False,
        blob: bytes | None = None,
    ) -> dict[str, Any]:
        """Return a bundle v0.3: a certificate or bare key, one log entry, a timestamp unless ``stamped`` is None."""
        log = log or self.rekor1
        key = key or new_key()
        certificate = None if managed else certificate or self.certificate(key, at=at)
        signed = pae(PAYLOAD_TYPE, payload) if blob is None else blob
        signature = sign(key, signed)
        body = entry_body(log, kind, payload, signed, signature, certificate, key)
        material: dict[str, Any] = {"tlogEntries": [log.enter(body, logged or at)]}
        if certificate is None:
            material["publicKey"] = {"hint": b64(hashlib.sha256(spki(key)).digest())}
        else:
            material["certificate"] = {"rawBytes": b64(certificate)}
        if stamped is not None:
            stamps = [{"signedTimestamp": b64(self.clock.stamp(signature, stamped))}]
            material["timestampVerificationData"] = {"rfc3161Timestamps": stamps}
        bundle = {"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "verificationMaterial": material}
        if blob is None:
            envelope = {"payload": b64(payload), "payloadType": PAYLOAD_TYPE, "signatures": [{"sig": b64(signature)}]}
            return {**bundle, "dsseEnvelope": envelope}
        digest = {"algorithm": "SHA2_256", "digest": b64(hashlib.sha256(blob).digest())}
        return {**bundle, "messageSignature": {"messageDigest": digest, "signature": b64(signature)}}


def entry_body(  # noqa: PLR0913, PLR0917 - what a log may keep of a signature
    log: Log, kind: str, payload: bytes, signed: bytes, signature: bytes, certificate: bytes | None, key: Any
) -> dict[str, Any]:
    """Write what a log keeps of a signature."""
    named = b64(pem(certificate) if certificate else pem(spki(key), "PUBLIC KEY"))
    digest = hashlib.sha256(payload)
    if log.version == 2:
        der = (
            {"x509Certificate": {"rawBytes": b64(certificate)}}
            if certificate
            else {"publicKey": {"rawBytes": b64(spki(key))}}
        )
        signer = {"content": b64(signature), "verifier": {"keyDetails": "PKIX_ECDSA_P256_SHA_256", **der}}
        if kind == "dsse2":
            data = {"algorithm": "SHA2_256", "digest": b64(digest.digest())}
            spec: dict[str, Any] = {"dsseV002": {"payloadHash": data, "signatures": [signer]}}
            return {"apiVersion": "0.0.2", "kind": "dsse", "spec": spec}
        data = {"algorithm": "SHA2_256", "digest": b64(hashlib.sha256(signed).digest())}
        spec = {"hashedRekordV002": {"data": data, "signature": signer}}
        return {"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": spec}
    if kind == "intoto":
        inner = {"publicKey": named, "sig": b64(b64(signature).encode())}
        content = {
            "envelope": {"payloadType": PAYLOAD_TYPE, "signatures": [inner]},
            "hash": {"algorithm": "sha256", "value": "0" * 64},
            "payloadHash": {"algorithm": "sha256", "value": digest.hexdigest()},
        }
        return {"apiVersion": "0.0.2", "kind": "intoto", "spec": {"content": content}}
    if kind == "hashedrekord":
        spec = {
            "data": {"hash": {"algorithm": "sha256", "value": hashlib.sha256(signed).hexdigest()}},
            "signature": {"content": b64(signature), "publicKey": {"content": named}},
        }
        return {"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": spec}
    spec = {
        "envelopeHash": {"algorithm": "sha256", "value": "0" * 64},
        "payloadHash": {"algorithm": "sha256", "value": digest.hexdigest()},
        "signatures": [{"signature": b64(signature), "verifier": named}],
    }
    return {"apiVersion": "0.0.1", "kind": "dsse", "spec": spec}


def as_version(bundle: dict[str, Any], version: str, chain: list[bytes] | None = None) -> dict[str, Any]:
    """Return a bundle in an older form, with the certificate in a chain."""
    old = copy.deepcopy(bundle)
    old["mediaType"] = f"application/vnd.dev.sigstore.bundle+json;version={version}"
    leaf = old["verificationMaterial"].pop("certificate")["rawBytes"]
    certificates = [{"rawBytes": leaf}, *({"rawBytes": b64(der)} for der in chain or [])]
    old["verificationMaterial"]["x509CertificateChain"] = {"certificates": certificates}
    return old


def entry_of(bundle: dict[str, Any]) -> dict[str, Any]:
    """Return a bundle's first log entry."""
    return bundle["verificationMaterial"]["tlogEntries"][0]


def data_of(document: dict[str, Any]) -> bytes:
    """Write a bundle or a trust root."""
    return json.dumps(document).encode()
