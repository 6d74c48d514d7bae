"""What signatures for other things look like, so that a refusal can say what it was given instead of a model's.

Nothing here decides: an answer is words for a message, and a bundle is refused with or without them. Predicate types
are those of the in-toto attestation framework (``spec/predicates``), SLSA, npm, PyPI and cosign; forms of files are
RFC 4880, RFC 5652, OpenSSH's PROTOCOL.sshsig, minisign, cosign's bundles before Sigstore had one, and PEP 740.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign import limits, strictjson
from modelsign.errors import ModelsignError, error

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelsign.signing.bundle import Bundle, MessageSignature

__all__ = ["Form", "Shape", "described", "form_of", "no_blob_wanted", "not_of_a_model", "purpose_of", "shape_of"]

MODEL_PREDICATES: Final = {
    "https://model_signing/signature/v1.0": "the manifest of a model (OpenSSF Model Signing)",
    "https://model_signing/Digests/v0.1": "the manifest of a model, in the form of model-signing 0.2.0",
}
_PREDICATES: Final = (
    ("https://slsa.dev/provenance/", "SLSA build provenance"),
    ("https://slsa.dev/verification_summary/", "an SLSA verification summary"),
    ("https://modelsign.dev/", "an attestation of modelsign"),
    ("https://github.com/npm/attestation/", "npm's attestation that a package was published"),
    ("https://docs.pypi.org/attestations/publish/", "PyPI's attestation that a package was published"),
    ("https://docs.pypi.org/attestations/", "an attestation of PyPI"),
    ("https://in-toto.io/attestation/release/", "an attestation of a release"),
    ("https://in-toto.io/attestation/link/", "an in-toto link"),
    ("https://in-toto.io/attestation/vulns", "a report of vulnerabilities"),
    ("https://in-toto.io/attestation/", "an in-toto attestation"),
    ("https://sigstore.dev/cosign/sign/", "cosign's signature of a container image"),
    ("https://cosign.sigstore.dev/attestation/vuln/", "a report of vulnerabilities"),
    ("cosign.sigstore.dev/attestation/", "an attestation made by cosign"),
    ("https://cosign.sigstore.dev/attestation/", "an attestation made by cosign"),
    ("https://spdx.dev/Document", "a bill of materials (SPDX)"),
    ("https://cyclonedx.org/bom", "a bill of materials (CycloneDX)"),
)
"""The start of a predicate type → what it is; the first that fits."""
_NPM: Final = "pkg:npm/"
_SHOWN: Final = 100
_MOST_SEEN: Final = 1 * limits.MIB
_MOST_VALUES: Final = 20_000

_SIGNATURE_FILES: Final = (
    (b"-----BEGIN PGP ", "an OpenPGP signature"),
    (b"-----BEGIN SSH SIGNATURE-----", "a signature of ssh-keygen"),
    (b"-----BEGIN PKCS7-----", "a PKCS #7 signature"),
    (b"-----BEGIN CMS-----", "a CMS signature"),
    (b"untrusted comment:", "a signature of minisign"),
    (b"\x30\x80", "a PKCS #7 signature in BER"),
)
_OTHER_FILES: Final = (
    (b"-----BEGIN ", "a key or certificate in PEM"),
    (b"\x30\x82", "binary (DER)"),
    (b"\x80\x02", "a pickle"),
    (b"\x80\x04", "a pickle"),
    (b"PK\x03\x04", "a zip archive"),
    (b"version https://git-lfs", "a pointer of Git LFS: what it points at was not fetched"),
    (b"<!DOCTYPE", "a web page"),
    (b"<!doctype", "a web page"),
    (b"<html", "a web page"),
)


class Form(NamedTuple):
    """What a file is that is not JSON; ``signature`` says whether some tool would verify it."""

    words: str
    signature: bool


class Shape(NamedTuple):
    """What a JSON object is that is no Sigstore bundle: a stable id, and words."""

    id: str
    words: str


_SHAPES: Final[Sequence[tuple[frozenset[str], Shape]]] = (
    (
        frozenset({"payload", "payloadType", "signatures"}),
        Shape("dsse-envelope", "a bare DSSE envelope, as older tools write attestations"),
    ),
    (frozenset({"base64Signature"}), Shape("cosign-bundle", "a bundle of cosign from before Sigstore's bundles")),
    (frozenset({"SignedEntryTimestamp", "Payload"}), Shape("cosign-bundle", "cosign's proof of an entry in a log")),
    (frozenset({"verification_material", "envelope"}), Shape("pypi-attestation", "an attestation of PyPI (PEP 740)")),
    (frozenset({"attestation_bundles"}), Shape("pypi-attestation", "provenance from PyPI (PEP 740)")),
    (
        frozenset({"attestations"}),
        Shape("attestation-list", "an answer of npm or GitHub that lists attestations; each bundle in it is one"),
    ),
    (frozenset({"predicateType", "subject"}), Shape("in-toto-statement", "an in-toto statement that nobody signed")),
)


def form_of(data: bytes) -> Form | None:
    """Say what a file is that is not JSON, by how it begins; None where that is not known."""
    start = data[:64].lstrip()
    for signature, forms in ((True, _SIGNATURE_FILES), (False, _OTHER_FILES)):
        for mark, words in forms:
            if start.startswith(mark):
                return Form(words, signature)
    return None if start else Form("empty", signature=False)


def shape_of(top: Mapping[str, object]) -> Shape | None:
    """Say what a JSON object is that is no Sigstore bundle; None where that is not known."""
    return next((shape for keys, shape in _SHAPES if keys <= top.keys()), None)


def purpose_of(predicate_type: object, subjects: object = ()) -> str:
    """Say in words what a statement with this predicate type is."""
    if not isinstance(predicate_type, str):
        return "a statement without a predicate type"
    if predicate_type in MODEL_PREDICATES:
        return MODEL_PREDICATES[predicate_type]
    words = next((words for start, words in _PREDICATES if predicate_type.startswith(start)), None)
    if words is None:
        return f"a statement with the predicate type {predicate_type[:_SHOWN]}"
    name = _first_name(subjects)
    return f"{words}, of an npm package" if name.startswith(_NPM) and "npm" not in words else words


def no_blob_wanted(message: MessageSignature) -> ModelsignError:
    """Return the refusal of a signature over one blob."""
    digest = ""
    if message.digest is not None:
        digest = f" with {message.algorithm or 'the'} digest {message.digest[:64].hex()}"
    return error(
        "NOT_A_MODEL_SIGNATURE",
        f"the bundle signs the bytes of one file{digest} (as `cosign sign-blob` does), not the manifest of a model",
        advice="Verify that file with `cosign verify-blob --bundle`, and ask the publisher to sign the model as one.",
        details={"kind": "blob"},
    )


def not_of_a_model(statement: Mapping[str, object]) -> ModelsignError:
    """Return the refusal of a statement whose signature was verified and that is no model's manifest."""
    kind, subjects = statement.get("predicateType"), statement.get("subject")
    words = purpose_of(kind, subjects)
    name = _first_name(subjects)
    about = f" about {name[:_SHOWN]}" if name else ""
    named = f"; its predicate type is {kind[:_SHOWN]}" if isinstance(kind, str) else ""
    return error(
        "NOT_A_MODEL_SIGNATURE",
        f"the bundle is {words}{about}, not a signature of a model{named}",
        advice="It is an attestation: name it with `modelsign check --attestations`, under a policy that says whose "
        "attestations of this type count. Pass verify the model's own signature.",
        details={"kind": "attestation", "predicate_type": kind if isinstance(kind, str) else None},
    )


def described(fault: ModelsignError, bundle: Bundle) -> ModelsignError:
    """Add to a refusal what the bundle says it is, where that is no model's signature.

    Nothing of it is verified, so the code stays, and only words are added.
    """
    payload = bundle.payload
    if len(payload) > _MOST_SEEN or sum(map(payload.count, (b"{", b"[", b","))) > _MOST_VALUES:
        return fault
    try:
        statement = strictjson.loads(payload, most_bytes=_MOST_SEEN, what="payload")
    except ModelsignError:
        return fault
    if not isinstance(statement, dict) or statement.get("predicateType") in (None, *MODEL_PREDICATES):
        return fault
    words = purpose_of(statement["predicateType"], statement.get("subject"))
    said = f"{fault.message}; besides, it says that it is {words}, not a signature of a model"
    return error(fault.code, said, advice=fault.advice, details=fault.details)


def _first_name(subjects: object) -> str:
    first = subjects[0] if isinstance(subjects, list) and subjects else None
    name = first.get("name") if isinstance(first, dict) else None
    return name if isinstance(name, str) else ""
