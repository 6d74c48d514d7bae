"""Any single bit turned in a signed model: refused for the right class of reason, or shown to mean the same.

Files and the bundle of an ECDSA key are turned bit by bit; of larger documents a seeded sample is, and all of them
under ``make fuzz``. What may pass is narrow, and is checked: the parsed bundle is the same (bits that base64 pads
with), or the verdict is, down to every proof in it (parts of a timestamp that nobody signs). Of a trust root, which the
caller vouches for, names and fields that decide nothing may be turned; its digest in the verdict tells of it.
"""

from __future__ import annotations

import dataclasses
import os
import re
from functools import cache
from typing import TYPE_CHECKING, Any

import paperchain
import papersigstore as paper
import pytest
from bitflips import STRUCTURE, flips
from bundlecraft import encoded
from cryptography.x509 import ocsp
from refusals import build

from modelsign.artifact.hashing import hash_artifact
from modelsign.artifact.model import open_artifact
from modelsign.errors import ModelsignError
from modelsign.signing import keys
from modelsign.signing.bundle import parse_any_bundle, parse_bundle
from modelsign.signing.dsse import IN_TOTO
from modelsign.signing.methods.certificate import CertificateSealer, CertificateTrust
from modelsign.signing.methods.keyless import KeylessTrust
from modelsign.signing.sign import sign_model
from modelsign.signing.sigstore.identities import exactly
from modelsign.signing.sigstore.tlog import parse_checkpoint
from modelsign.signing.sigstore.trust_root import parse_trust_root
from modelsign.signing.verify import verify_model
from modelsign.signing.x509.certificates import load_certificate
from modelsign.signing.x509.crl import load_revocation_lists
from modelsign.signing.x509.identity import exact_identity
from modelsign.signing.x509.ocsp import load_ocsp_response
from modelsign.signing.x509.status import RevocationSources

if TYPE_CHECKING:
    from collections.abc import Callable

    from bitflips import Flip

    from modelsign.signing.trust import Vouch
    from modelsign.signing.x509.certificates import Certificate

ALL = os.environ.get("HYPOTHESIS_PROFILE") == "fuzz"
SIGNED = {"SIGNATURE_INVALID", "BUNDLE_MALFORMED"}
PROOFS = {"PROOFS_TOO_FEW", "BUNDLE_MALFORMED"}
LOGGED = {"LOG_PROMISE_INVALID", "LOG_PROOF_INVALID", "LOG_ENTRY_MISMATCH", "LOG_ENTRY_UNSUPPORTED", *PROOFS}
CERTIFIED = {
    "CERTIFICATE_MALFORMED",
    "CERTIFICATE_UNSUPPORTED",
    "CERTIFICATE_NOT_FOR_SIGNING",
    "LOG_ENTRY_MISMATCH",
    *SIGNED,
}
BUNDLE = (
    (STRUCTURE, {"BUNDLE_MALFORMED"}),
    ("mediaType", {"BUNDLE_UNSUPPORTED", "BUNDLE_MALFORMED"}),
    (r"dsseEnvelope\..*", SIGNED),
    (r".*\.publicKey\.hint", {"SIGNATURE_WRONG_KEY", "BUNDLE_MALFORMED"}),
    (
        r".*\.x509CertificateChain\..*",
        {"CERTIFICATE_MALFORMED", "CERTIFICATE_UNSUPPORTED", "CERTIFICATE_UNTRUSTED", "CERTIFICATE_WEAK", *SIGNED},
    ),
    (r".*\.certificate\.rawBytes", CERTIFIED),
    (r".*\.checkpoint\.envelope", {"LOG_CHECKPOINT_INVALID", "LOG_PROOF_INVALID", *PROOFS}),
    (r".*\.treeSize", {"LOG_CHECKPOINT_INVALID", "LOG_PROOF_INVALID", "BUNDLE_MALFORMED"}),
    (r".*\.tlogEntries.*", LOGGED),
    (r".*\.signedTimestamp", {"TIMESTAMP_INVALID", "BUNDLE_MALFORMED"}),
)
"""Where a bit of a bundle lies → the reasons for which it may be refused; the first that fits."""
BASE64 = re.compile(
    r".*\.(payload|sig|rawBytes|keyId|canonicalizedBody|rootHash|hashes\[\d+\]|signedEntryTimestamp|signedTimestamp"
    r"|checkpoint\.envelope)"
)
UNSIGNED = re.compile(r".*\.signedTimestamp")
"""Where bits lie that no signature covers: the response around a timestamp, and certificates it need not carry."""
OF_LOGS = {"PROOFS_TOO_FEW", "LOG_KEY_NOT_VALID_THEN", "LOG_PROMISE_INVALID", "LOG_CHECKPOINT_INVALID"}
ROOT = (
    ("mediaType", {"TRUST_ROOT_UNSUPPORTED"}),
    (r"tlogs.*", OF_LOGS),
    (r"ctlogs.*", {"SCT_INVALID"}),
    (r"certificateAuthorities.*", {"CERTIFICATE_NOT_SIGSTORES", "SCT_INVALID"}),
    (r"timestampAuthorities.*", {"TIMESTAMP_INVALID"}),
    (
        STRUCTURE,
        {"TRUST_ROOT_UNSUPPORTED", "SCT_INVALID", "CERTIFICATE_NOT_SIGSTORES", "TIMESTAMP_INVALID", *OF_LOGS},
    ),
)


def classes(table: tuple[tuple[str, set[str]], ...], where: str) -> set[str]:
    return next(codes for pattern, codes in table if re.fullmatch(pattern, where))


def or_code(read: Callable[[bytes], Any], data: bytes) -> Any:
    """Return what a reader makes of bytes, or the code of its refusal."""
    try:
        return read(data)
    except ModelsignError as fault:
        return fault.code


def explain(flip: Flip) -> str:
    return f"bit {flip.bit} of byte {flip.offset}, in {flip.where}"


# --- a model and its bundle, by keys -----------------------------------------------------


@cache
def signer(algorithm: str) -> keys.SigningKey:
    return keys.generate(algorithm)


@pytest.fixture
def model(tmp_path):
    return build(tmp_path / "model", {"config.json": '{"a": 1}', "sub/w.bin": bytes(range(16))})


@pytest.mark.parametrize("name", ["config.json", "sub/w.bin"])
def test_any_bit_of_any_file_is_a_changed_file(model, name):
    key = signer("ecdsa-p256-sha256")
    with open_artifact(model) as artifact:
        bundle = sign_model(artifact, key).bundle
    for flip in flips((model / name).read_bytes()):
        (model / name).write_bytes(flip.data)
        with open_artifact(model) as artifact:
            result = verify_model(artifact, bundle, [key.public])
        assert [(reason.code, reason.details) for reason in result.reasons] == [("FILE_CHANGED", {"names": [name]})]


@pytest.mark.parametrize(
    ("algorithm", "sample"),
    [("ecdsa-p256-sha256", None), ("ed25519", 1000), ("rsa-pss-sha256", 300), ("ml-dsa-65", 300)],
)
def test_any_bit_of_a_keys_bundle_is_refused_or_only_padding(model, algorithm, sample):
    key = signer(algorithm)
    with open_artifact(model) as artifact:
        good = sign_model(artifact, key).bundle
        digests = hash_artifact(artifact)
        whole = parse_bundle(good)
        for flip in flips(good, sample=None if ALL else sample):
            result = verify_model(artifact, flip.data, [key.public], digests=digests)
            if not result.reasons:
                assert BASE64.fullmatch(flip.where), explain(flip)
                assert parse_bundle(flip.data) == whole, explain(flip)
            else:
                assert {reason.code for reason in result.reasons} <= classes(BUNDLE, flip.where), explain(flip)


@pytest.mark.parametrize("algorithm", ["ecdsa-p256-sha256", "ed25519"])
def test_any_bit_of_the_trusted_key_is_another_key_or_none(model, algorithm):
    key = signer(algorithm)
    with open_artifact(model) as artifact:
        good = sign_model(artifact, key).bundle
        digests = hash_artifact(artifact)
        for flip in flips(key.public.pem):
            public = or_code(keys.load_public_key, flip.data)
            if isinstance(public, str):
                assert public in {"KEY_MALFORMED", "KEY_UNSUPPORTED"}, explain(flip)
                continue
            result = verify_model(artifact, good, [public], digests=digests)
            if public.digest == key.public.digest:
                assert not result.reasons, explain(flip)
            else:
                assert [reason.code for reason in result.reasons] == ["SIGNATURE_WRONG_KEY"], explain(flip)


# --- Sigstore: certificate, log, timestamp, trust root ------------------------------------


@cache
def sigstore() -> paper.Paper:
    return paper.Paper()


def trust(root: bytes) -> KeylessTrust:
    return KeylessTrust(parse_trust_root(root), exactly(paper.IDENTITY), exactly(paper.ISSUER), {})


def signed(kind: str) -> bytes:
    at = sigstore()
    return encoded(at.sign(log=at.rekor2) if kind == "rekor2" else at.sign())


@pytest.mark.parametrize("kind", ["rekor1", "rekor2"])
def test_any_bit_of_a_keyless_bundle_is_refused_or_changes_nothing_of_the_verdict(kind):
    good, trusted = signed(kind), trust(encoded(sigstore().trust_root()))
    whole = parse_any_bundle(good)
    verdict = trusted.vouch(whole)
    for flip in flips(good, sample=None if ALL else 1500):
        found = or_code(lambda data: trusted.vouch(parse_any_bundle(data)), flip.data)
        if isinstance(found, str):
            assert found in classes(BUNDLE, flip.where), f"{found}: {explain(flip)}"
        else:
            bundle = parse_any_bundle(flip.data)
            assert found == verdict, explain(flip)
            assert bundle.content == whole.content, explain(flip)
            if not UNSIGNED.fullmatch(flip.where):
                assert BASE64.fullmatch(flip.where), explain(flip)
                assert parts(bundle) == parts(whole), explain(flip)


def parts(bundle):
    """Everything that a bundle holds, decoded; log entries without the text they were read from."""
    entries = []
    for entry in bundle.material.tlog_entries:
        checkpoint = parse_checkpoint(entry.proof.checkpoint)  # its signatures are base64, too
        entries.append((entry._replace(raw={}, proof=entry.proof._replace(checkpoint=None)), checkpoint))
    return bundle.content, bundle.material._replace(tlog_entries=()), entries


def reduced() -> bytes:
    """The trust root with nothing but the entries that the bundle needs."""
    root = sigstore().trust_root()
    root["tlogs"] = root["tlogs"][:1]
    return encoded(root)


def test_any_bit_of_a_trust_root_is_refused_or_changes_nothing_but_names():
    root, bundle = reduced(), parse_any_bundle(signed("rekor1"))
    verdict = trust(root).vouch(bundle)
    for flip in flips(root, sample=None if ALL else 1500):
        found = or_code(lambda data: trust(data).vouch(bundle), flip.data)
        if isinstance(found, str):
            assert found in classes(ROOT, flip.where) | {"TRUST_ROOT_MALFORMED"}, f"{found}: {explain(flip)}"
        else:
            assert found.signer.root != verdict.signer.root, explain(flip)
            assert unnamed(found.signer) == unnamed(verdict.signer), explain(flip)


def unnamed(signer):
    """Leave out the trust root's digest and what it calls its logs."""
    logs = tuple(dataclasses.replace(log, log="") for log in signer.logs)
    return dataclasses.replace(signer, root=None, logs=logs)


# --- certificates, and what says that one was revoked --------------------------------------


@cache
def chain() -> paperchain.Chain:
    return paperchain.Chain()


@cache
def certified() -> tuple[Certificate, ...]:
    return tuple(load_certificate(link.der) for link in (chain().leaf, chain().middle, chain().root))


@cache
def certified_bundle() -> bytes:
    leaf, middle, _ = certified()
    sealer = CertificateSealer(chain().leaf.signer, leaf, [middle], now=paperchain.NOW)
    return sealer.seal(IN_TOTO, paper.PAYLOAD).bundle


def certificate_trust(root: bytes | None = None, **sources: Any) -> CertificateTrust:
    return CertificateTrust(
        (certified()[2] if root is None else load_certificate(root),),
        exact_identity(paperchain.IDENTITY),
        paperchain.NOW,
        revocation=RevocationSources(**sources),
    )


def test_any_bit_of_a_certificates_bundle_is_refused_or_only_padding():
    good, trusted = certified_bundle(), certificate_trust()
    whole = parse_bundle(good)
    verdict = trusted.vouch(whole)
    for flip in flips(good, sample=None if ALL else 1500):
        found = or_code(lambda data: trusted.vouch(parse_bundle(data)), flip.data)
        if isinstance(found, str):
            assert found in classes(BUNDLE, flip.where), f"{found}: {explain(flip)}"
        else:
            bundle = parse_bundle(flip.data)
            assert (found, bundle.content) == (verdict, whole.content), explain(flip)
            assert bundle.material.certificates == whole.material.certificates, explain(flip)


def said_and_signed(der):
    read = load_certificate(der).x509
    return read.tbs_certificate_bytes, read.signature_algorithm_oid, read.signature


def test_any_bit_of_a_root_certificate_makes_another_root_or_none():
    bundle = parse_bundle(certified_bundle())
    refusals = {
        "CERTIFICATE_MALFORMED",
        "CERTIFICATE_UNSUPPORTED",
        "CERTIFICATE_ROOT_UNUSABLE",
        "CERTIFICATE_UNTRUSTED",
        "CERTIFICATE_WEAK",
    }
    verdict = certificate_trust().vouch(bundle)
    for flip in flips(chain().root.der, sample=None if ALL else 1000):
        found = or_code(lambda data: certificate_trust(data).vouch(bundle), flip.data)
        if isinstance(found, str):
            assert found in refusals, f"{found}: {explain(flip)}"
        else:
            assert said_and_signed(flip.data) == said_and_signed(chain().root.der), explain(flip)
            assert found.signer.root != verdict.signer.root, explain(flip)
            assert unnamed(found.signer) == unnamed(verdict.signer), explain(flip)


@pytest.mark.parametrize("kind", ["list", "answer"])
@pytest.mark.parametrize("revoked", [False, True], ids=["good", "revoked"])
def test_any_bit_of_a_status_makes_it_none(kind, revoked):
    above = certificate_trust(lists=load_revocation_lists(chain().root.revocation_list())).revocation.lists
    middle, leaf = chain().middle, chain().leaf
    status = ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD
    good = middle.answer(leaf, status)
    if kind == "list":
        good = middle.revocation_list(leaf) if revoked else middle.revocation_list()
    bundle = parse_bundle(certified_bundle())

    def judge(data: bytes) -> Vouch:
        sources: dict[str, Any] = {"lists": above, "answers": (load_ocsp_response(data),)} if kind == "answer" else {}
        sources = sources or {"lists": (*above, *load_revocation_lists(data))}
        return certificate_trust(required=True, **sources).vouch(bundle)

    before = or_code(judge, good)
    assert (before == "CERTIFICATE_REVOKED") is revoked
    refusals = {"REVOCATION_STATUS_MISSING", "CERTIFICATE_MALFORMED", "CERTIFICATE_UNSUPPORTED"}
    for flip in flips(good, sample=None if ALL else 600):
        found = or_code(judge, flip.data)
        assert isinstance(found, str), explain(flip)
        assert found.startswith(("CRL_", "OCSP_")) or found in refusals, f"{found}: {explain(flip)}"
