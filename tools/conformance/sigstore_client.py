"""Speaks the client protocol of sigstore/sigstore-conformance (``docs/cli_protocol.md``) on top of this library.

::

    sigstore verify-bundle [--staging] --bundle FILE --certificate-identity I --certificate-oidc-issuer U
                           [--trusted-root FILE] FILE_OR_DIGEST
    sigstore verify-bundle [--staging] --bundle FILE --key FILE [--trusted-root FILE] FILE_OR_DIGEST
    sigstore sign-bundle [--staging] [--in-toto] --identity-token TOKEN --bundle FILE [--trusted-root FILE]
                         [--signing-config FILE] FILE

Exit status 0 accepts. Refusals go to stderr as ``CODE: message``. Blobs are verified here alone: modelsign itself
verifies models, and says so of any other bundle.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from modelsign.errors import ModelsignError, error
from modelsign.signing.bundle import MessageSignature, parse_any_bundle
from modelsign.signing.content import Content
from modelsign.signing.dsse import IN_TOTO
from modelsign.signing.keys import load_public_key
from modelsign.signing.methods.key import KeyTrust
from modelsign.signing.methods.keyless import KeylessTrust
from modelsign.signing.sigstore.identities import exactly
from modelsign.signing.sigstore.proofs import ProofPolicy
from modelsign.signing.sigstore.trust_root import parse_trust_root, read_shipped_root

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelsign.signing.bundle import Bundle
    from modelsign.signing.sigstore.trust_root import TrustRoot

__all__ = ["main", "verify_bundle"]

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_REPOSITORIES = {False: "tuf-repo-cdn.sigstore.dev", True: "tuf-repo-cdn.sigstage.dev"}


def main(arguments: Sequence[str]) -> int:
    """Run one command of the suite."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except ModelsignError as fault:
        print(f"{fault.code}: {fault.message}", file=sys.stderr)
        return int(fault.exit_status)
    return 0


def verify_bundle(options: argparse.Namespace) -> None:
    """Verify a bundle over a file or a digest.

    Raises:
        ModelsignError: it is refused.

    """
    root = _trusted_root(options)
    bundle = parse_any_bundle(Path(options.bundle).read_bytes())
    content = _content(bundle, options.artifact)
    if options.key:
        key = load_public_key(Path(options.key).read_bytes())
        trust: KeyTrust | KeylessTrust = KeyTrust(key, root=root, proofs=ProofPolicy())
    else:
        trust = KeylessTrust(root, exactly(options.certificate_identity), exactly(options.certificate_oidc_issuer), {})
    trust.confirm(bundle, content)
    if content.envelope:
        _check_subject(bundle, options.artifact)


def _content(bundle: Bundle, artifact: str) -> Content:
    if not isinstance(bundle.content, MessageSignature):
        return Content.of_envelope(bundle.content)
    if _is_digest(artifact):
        return Content.of_blob(bundle.content, sha256=_digest(artifact))
    return Content.of_blob(bundle.content, Path(artifact).read_bytes())


def _check_subject(bundle: Bundle, artifact: str) -> None:
    """Look for the file among the subjects of a statement, which is parsed only now that its signature was verified."""
    subjects = json.loads(bundle.payload)["subject"] if bundle.payload_type == IN_TOTO else []
    digest = _digest(artifact).hex()
    if not any(subject["digest"].get("sha256") == digest for subject in subjects):
        raise error("BLOB_MISMATCH", "the statement is about other files")


def _is_digest(artifact: str) -> bool:
    return _DIGEST.fullmatch(artifact) is not None and not Path(artifact).exists()


def _digest(artifact: str) -> bytes:
    if _is_digest(artifact):
        return bytes.fromhex(artifact.removeprefix("sha256:"))
    return hashlib.sha256(Path(artifact).read_bytes()).digest()


def _trusted_root(options: argparse.Namespace) -> TrustRoot:
    if options.trusted_root:
        return parse_trust_root(Path(options.trusted_root).read_bytes())
    return read_shipped_root(_REPOSITORIES[options.staging]).root


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sigstore")
    commands = parser.add_subparsers(required=True)
    verify = commands.add_parser("verify-bundle")
    verify.set_defaults(run=verify_bundle)
    verify.add_argument("--staging", action="store_true")
    verify.add_argument("--bundle", required=True)
    whom = verify.add_mutually_exclusive_group(required=True)
    whom.add_argument("--certificate-identity")
    whom.add_argument("--key")
    verify.add_argument("--certificate-oidc-issuer", default="")
    verify.add_argument("--trusted-root")
    verify.add_argument("artifact")
    sign = commands.add_parser("sign-bundle")
    sign.set_defaults(run=_sign_bundle)
    for flag in ("--staging", "--in-toto"):
        sign.add_argument(flag, action="store_true")
    for flag in ("--identity-token", "--bundle"):
        sign.add_argument(flag, required=True)
    for flag in ("--trusted-root", "--signing-config"):
        sign.add_argument(flag)
    sign.add_argument("artifact")
    return parser


def _sign_bundle(options: argparse.Namespace) -> None:
    from sigstore_signing import sign_bundle  # noqa: PLC0415 - verifying needs none of it

    sign_bundle(options)
