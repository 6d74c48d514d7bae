"""Authorities as ``openssl`` runs them: certificates, revocation lists and OCSP responses for tests.

Everything is made by ``openssl ca`` and ``openssl ocsp``, so that what is verified here was written by another program.
Times are relative to the present, because ``openssl ocsp`` knows no other.
"""

from __future__ import annotations

import functools
import subprocess
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from modelsign.signing.keys import load_private_key
from modelsign.signing.x509.certificates import Certificate, load_certificate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from modelsign.signing.keys import SigningKey

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)

CA = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n"
LEAF = (
    "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\n"
    "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
)
RESPONDER = "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=OCSPSigning\n"
NAMES = "subjectAltName=URI:https://example.org/release,email:ci@example.org,DNS:ci.example.org\n"
UNKNOWN = "1.2.3.4.5=critical,DER:0500\n"
EC = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
P384 = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384")
P521 = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521")
KOBLITZ = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1")
ED25519 = ("-algorithm", "ED25519")


def rsa(bits: int) -> tuple[str, ...]:
    return ("-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{bits}")


_CONFIG = """
[ca]
default_ca = this
[this]
database = {folder}/index
new_certs_dir = {folder}/new
crlnumber = {folder}/crlnumber
rand_serial = yes
default_md = default
default_crl_days = 30
unique_subject = no
email_in_dn = yes
policy = any
[any]
commonName = optional
countryName = optional
emailAddress = optional
organizationName = optional
organizationalUnitName = optional
[req]
distinguished_name = none
string_mask = utf8only
[none]
"""


def openssl(*words: object, stdin: bytes | None = None) -> bytes:
    done = subprocess.run(["openssl", *map(str, words)], input=stdin, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


class Issued(NamedTuple):
    """A certificate and its key, as files."""

    key_path: Path
    path: Path

    @property
    def certificate(self) -> Certificate:
        return load_certificate(self.path.read_bytes())

    @property
    def key(self) -> SigningKey:
        return load_private_key(self.key_path.read_bytes())


class Authority:
    """A certificate authority in a folder of its own."""

    def __init__(  # noqa: PLR0913 - what an authority may be like
        self,
        folder: Path,
        name: str,
        issuer: Authority | None = None,
        *,
        extensions: str = CA,
        key: tuple[str, ...] = EC,
        start: datetime = NOW - 300 * DAY,
        end: datetime = NOW + 3000 * DAY,
        options: tuple[str, ...] = (),
    ) -> None:
        self.folder = folder / name
        (self.folder / "new").mkdir(parents=True)
        (self.folder / "index").touch()
        (self.folder / "crlnumber").write_text("01")
        (self.folder / "config").write_text(_CONFIG.format(folder=self.folder))
        self.options = options
        subject = f"/O=Acme/CN={name}"
        if issuer is None:
            key_path = _new_key(self.folder / "ca.key", key)
            self.issued = self._sign(key_path, "ca", subject, extensions, start, end, "-selfsign", "-keyfile", key_path)
        else:
            self.issued = issuer.issue(name, subject=subject, extensions=extensions, key=key, start=start, end=end)

    @property
    def certificate(self) -> Certificate:
        return self.issued.certificate

    @property
    def path(self) -> Path:
        return self.issued.path

    def issue(  # noqa: PLR0913 - what a certificate may be like
        self,
        name: str,
        *,
        subject: str | None = None,
        extensions: str = LEAF + NAMES,
        key: tuple[str, ...] | Path = EC,
        start: datetime = NOW - 30 * DAY,
        end: datetime = NOW + 300 * DAY,
        options: tuple[str, ...] = (),
    ) -> Issued:
        key_path = _new_key(self.folder / f"{name}.key", key) if isinstance(key, tuple) else key
        signing = ("-keyfile", self.issued.key_path, "-cert", self.issued.path, *self.options, *options)
        return self._sign(key_path, name, subject or f"/O=Acme/CN={name}", extensions, start, end, *signing)

    def revoke(self, issued: Issued, *options: str) -> None:
        """Mark a certificate revoked: as of now, with ``-crl_reason`` or ``-crl_compromise`` and the like."""
        self._ca("-revoke", issued.path, *options)

    def crl(  # noqa: PLR0913 - what a list may be like
        self,
        name: str,
        *,
        last: datetime = NOW - DAY,
        end: datetime | None = NOW + 10 * DAY,
        extensions: str = "",
        signer: Issued | None = None,
        digest: str | None = None,
    ) -> Path:
        (self.folder / f"{name}.ext").write_text("[crl]\n" + extensions)
        (self.folder / "config").write_text(_CONFIG.format(folder=self.folder) + "[crl]\n" + extensions)
        path = self.folder / f"{name}.crl"
        until = ("-crl_nextupdate", _time(end)) if end else ()
        by = signer or self.issued
        more = (("-crlexts", "crl") if extensions else ()) + (("-md", digest) if digest else ())
        words = ("-gencrl", "-out", path, "-crl_lastupdate", _time(last), *until, *more)
        config = ("-config", self.folder / "config")
        openssl("ca", *config, *self.options, "-batch", "-keyfile", by.key_path, "-cert", by.path, *words)
        return path

    def ocsp(self, name: str, issued: Issued, *options: str, signer: Issued | None = None) -> Path:
        """Answer about a certificate, good for a day unless options say otherwise."""
        by, path = signer or self.issued, self.folder / f"{name}.ocsp"
        words = ("-index", self.folder / "index", "-CA", self.path, "-rsigner", by.path, "-rkey", by.key_path)
        about = ("-issuer", self.path, "-cert", issued.path, "-respout", path)
        days = () if "-no_next" in options else ("-ndays", "1")
        chosen = [option for option in options if option != "-no_next"]
        openssl("ocsp", *chosen, *words, *about, *days, "-noverify")
        return path

    def _sign(  # noqa: PLR0913, PLR0917 - as above
        self,
        key_path: Path,
        name: str,
        subject: str,
        extensions: str,
        start: datetime,
        end: datetime,
        *signing: object,
    ) -> Issued:
        request, path = self.folder / f"{name}.csr", self.folder / f"{name}.pem"
        config = ("-config", self.folder / "config")
        openssl("req", "-new", "-utf8", *config, "-key", key_path, "-subj", subject, "-out", request)
        extfile = self.folder / f"{name}.ext"
        extfile.write_text("[ext]\n" + extensions)
        dates = ("-startdate", _time(start), "-enddate", _time(end))
        words = ("-in", request, "-out", path, "-extfile", extfile, "-extensions", "ext", *dates, *signing)
        self._ca(*words, "-notext", keyed=True)
        return Issued(key_path, path)

    def _ca(self, *words: object, keyed: bool = False) -> None:
        own = () if keyed else ("-keyfile", self.issued.key_path, "-cert", self.issued.path)
        openssl("ca", "-config", self.folder / "config", "-batch", "-preserveDN", *own, *words)


class Lab:
    """Authorities that most tests share, made when they are first asked for; nothing in it is ever revoked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @functools.cached_property
    def root(self) -> Authority:
        return Authority(self.folder, "root")

    @functools.cached_property
    def middle(self) -> Authority:
        return Authority(self.folder, "middle", self.root)

    @functools.cached_property
    def leaf(self) -> Issued:
        return self.middle.issue("leaf")

    @functools.cached_property
    def stranger(self) -> Authority:
        """A root with the same name and another key."""
        return Authority(self.folder / "stranger", "root")

    @functools.cache  # noqa: B019 - lives as long as the tests
    def special(self, name: str, extensions: str) -> Issued:
        """Return a leaf of the middle authority with these extensions."""
        return self.middle.issue(name, extensions=extensions)


def _new_key(path: Path, how: tuple[str, ...]) -> Path:
    openssl("genpkey", *how, "-out", path)
    return path


def _time(moment: datetime) -> str:
    return moment.strftime("%Y%m%d%H%M%SZ")


STAMPER = (
    "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping\n"
)
_STAMP_CONFIG = """
[tsa]
serial = {folder}/serial
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
signer_digest = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
"""


class Stamper:
    """An RFC 3161 timestamp authority, by ``openssl ts``; its time is the present."""

    def __init__(self, authority: Authority, name: str = "stamper", extensions: str = STAMPER, **options: Any) -> None:
        self.issued = authority.issue(name, extensions=extensions, **options)
        self.folder = authority.folder / f"{name}.d"
        self.folder.mkdir()
        (self.folder / "serial").write_text("01")
        (self.folder / "config").write_text(_STAMP_CONFIG.format(folder=self.folder))

    def stamp(self, signature: bytes, *, embedded: bool = True) -> bytes:
        """Return the response for a signature, DER."""
        data, query = self.folder / "data", self.folder / "query"
        data.write_bytes(signature)
        openssl("ts", "-query", "-data", data, "-sha256", *(("-cert",) if embedded else ()), "-out", query)
        return self.answer(query.read_bytes())

    def answer(self, request: bytes) -> bytes:
        """Return the response to a request, both DER."""
        query = self.folder / "query"
        query.write_bytes(request)
        by = ("-signer", self.issued.path, "-inkey", self.issued.key_path)
        return openssl("ts", "-reply", "-queryfile", query, "-config", self.folder / "config", "-section", "tsa", *by)

    @contextmanager
    def served(self) -> Iterator[str]:
        """Answer over HTTP on loopback; gives the URL."""
        stamper = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                answer = stamper.answer(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Stay quiet."""

        with HTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                yield f"http://127.0.0.1:{server.server_port}/"
            finally:
                server.shutdown()
                thread.join()


def made_by_cryptography(name: str, key: object, issuer: str, signing: object, *, authority: bool) -> Certificate:
    """Certify a key of a kind that openssl may not know yet; issuer and subject are common names."""
    bits = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    usage = x509.KeyUsage(digital_signature=not authority, key_cert_sign=authority, crl_sign=authority, **bits)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name.from_rfc4514_string(f"CN={name}"))
        .issuer_name(x509.Name.from_rfc4514_string(f"CN={issuer}"))
        .public_key(key)  # type: ignore[arg-type] # of any kind
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + DAY)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(usage, critical=True)
    )
    if not authority:
        made = made.add_extension(x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
    return Certificate(made.sign(signing, None).public_bytes(Encoding.DER))  # type: ignore[arg-type] # as above
