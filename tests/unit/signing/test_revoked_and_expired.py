"""A signer that was revoked, a signature that expired and a model that was withdrawn verify nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from bundlecraft import signed
from certificatelab import Authority, Stamper
from refusals import build, refused_with

from modelsign.artifact.hashing import hash_artifact
from modelsign.artifact.manifest import tree_digest
from modelsign.artifact.model import open_artifact
from modelsign.signing.bundle import parse_bundle, write_bundle
from modelsign.signing.keys import generate
from modelsign.signing.methods.certificate import CertificateSealer, CertificateTrust
from modelsign.signing.oms import parse_statement
from modelsign.signing.revocation import Revocations, statement_digest
from modelsign.signing.revocation_list import RevocationList, Revoked
from modelsign.signing.sign import sign_model
from modelsign.signing.trust import Vouch
from modelsign.signing.validity import ANNOTATION, Validity, check_validity, subject_annotations
from modelsign.signing.verify import VerifyOptions, verify_model
from modelsign.signing.x509.identity import exact_identity
from modelsign.signing.x509.times import StampTrust
from modelsign.verdict import Signer

if TYPE_CHECKING:
    from pathlib import Path

    from certificatelab import Lab

    from modelsign.signing.bundle import Bundle
    from modelsign.signing.keys import SigningKey, VerifyKey
    from modelsign.verdict import VerifyResult

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
DAY = timedelta(days=1)
FRESH = Validity(NOW - DAY, NOW + DAY)


@pytest.fixture(scope="module")
def key() -> SigningKey:
    return generate()


@pytest.fixture(scope="module")
def other() -> SigningKey:
    return generate("ed25519")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return build(tmp_path / "m", {"config.json": "{}", "w.bin": "weights"})


def sign(model: Path, key: SigningKey, validity: Validity | None = None) -> bytes:
    with open_artifact(model) as artifact:
        return sign_model(artifact, key, validity=validity).bundle


def verify(model: Path, bundles: list[bytes], trusted: list[Any], **options: Any) -> VerifyResult:
    with open_artifact(model) as artifact:
        return verify_model(artifact, bundles, trusted, options=VerifyOptions(**options))


def codes(result: VerifyResult) -> list[str]:
    return [reason.code for reason in result.reasons]


def revoking(kind: str, value: str, since: datetime | None = None) -> Revocations:
    entry = Revoked(kind, value, "withdrawn", NOW, since)
    return Revocations([RevocationList(1, NOW, NOW + DAY, (entry,))])


def of_model(model: Path) -> tuple[str, dict[str, str]]:
    with open_artifact(model) as artifact:
        digests = hash_artifact(artifact)
    return tree_digest(digests), digests


class Proven:
    """A key whose signatures somebody proved the age of."""

    method, single = "key", True

    def __init__(self, key: VerifyKey, existed: str) -> None:
        self.id = self.label = key.digest
        self._key, self._existed = key, existed

    def vouch(self, bundle: Bundle, *, allow_legacy: bool = False) -> Vouch:
        del bundle, allow_legacy
        return Vouch(Signer("key", self._key.algorithm, self._key.digest, timestamps=(self._existed,)), oms=True)


def test_a_revoked_key_signs_nothing_and_the_answer_says_so(model: Path, key: SigningKey) -> None:
    bundle = sign(model, key)
    result = verify(model, [bundle], [key.public], revocations=revoking("key", key.public.digest))
    assert (codes(result), int(result.exit_status)) == (["SIGNER_REVOKED"], 1)
    assert verify(model, [bundle], [key.public], revocations=revoking("key", "ab" * 32)).reasons == ()


def test_only_signatures_proven_older_than_the_compromise_stand(model: Path, key: SigningKey) -> None:
    bundle, stolen = sign(model, key), revoking("key", key.public.digest, NOW - DAY)
    assert codes(verify(model, [bundle], [key.public], revocations=stolen)) == ["SIGNER_REVOKED"]
    for existed, expected in (("2026-11-25T11:59:59Z", []), ("2026-11-25T12:00:00Z", ["SIGNER_REVOKED"])):
        assert codes(verify(model, [bundle], [Proven(key.public, existed)], revocations=stolen)) == expected


def test_a_revoked_signer_does_not_count_towards_a_threshold(model: Path, key: SigningKey, other: SigningKey) -> None:
    bundles, both = [sign(model, key), sign(model, other)], [key.public, other.public]
    revoked = revoking("key", key.public.digest)
    one = verify(model, bundles, both, threshold=1, revocations=revoked)
    assert one.reasons == ()
    assert [signer.key_digest for signer in one.signers] == [other.public.digest]
    assert any("withdrawn" in warning for warning in one.warnings)
    assert codes(verify(model, bundles, both, threshold=2, revocations=revoked)) == [
        "SIGNER_REVOKED",
        "SIGNATURES_TOO_FEW",
    ]


def test_a_revoked_signature_stays_revoked_however_its_bundle_is_written(model: Path, key: SigningKey) -> None:
    bundle = sign(model, key)
    revoked = revoking("signature", statement_digest(parse_bundle(bundle)))
    spaced = json.dumps(json.loads(bundle), indent=3).encode()
    unhinted = signed(parse_bundle(bundle).payload, key, lambda b: b["verificationMaterial"]["publicKey"].pop("hint"))
    for written in (bundle, spaced, unhinted):
        got = codes(verify(model, [written], [key.public], revocations=revoked, allow_legacy=True))
        assert got == ["SIGNATURE_REVOKED"]


def test_a_revoked_model_or_file_is_refused_whoever_signed(model: Path, key: SigningKey, other: SigningKey) -> None:
    bundles, both = [sign(model, key), sign(model, other)], [key.public, other.public]
    tree, digests = of_model(model)
    for kind, value in (("model", tree), ("file", digests["w.bin"])):
        result = verify(model, bundles, both, revocations=revoking(kind, value))
        assert (codes(result), result.verdict.value) == (["MODEL_REVOKED"], "REFUSED")
    with open_artifact(model) as artifact:
        given = verify_model(
            artifact,
            bundles,
            both,
            digests=digests,
            options=VerifyOptions(revocations=revoking("file", digests["w.bin"])),
        )
    assert codes(given) == ["MODEL_REVOKED"]


def test_a_signature_is_good_until_it_expires(model: Path, key: SigningKey) -> None:
    bundle = sign(model, key, FRESH)
    good = verify(model, [bundle], [key.public], now=NOW)
    assert (good.reasons, good.expires, good.oms) == ((), "2026-11-27T12:00:00Z", True)
    assert verify(model, [bundle], [key.public], now=FRESH.expires - timedelta(seconds=1)).reasons == ()
    late = verify(model, [bundle], [key.public], now=FRESH.expires)
    assert (codes(late), int(late.exit_status)) == (["SIGNATURE_EXPIRED"], 1)


def test_an_expired_signature_gives_way_to_one_that_is_not(model: Path, key: SigningKey) -> None:
    old, new = sign(model, key, Validity(NOW - 3 * DAY, NOW - DAY)), sign(model, key)
    result = verify(model, [old, new], [key.public], now=NOW)
    assert (result.reasons, result.expires) == ((), None)
    assert any("expired" in warning for warning in result.warnings)


def test_without_a_time_an_expiry_leaves_the_answer_open(model: Path, key: SigningKey) -> None:
    result = verify(model, [sign(model, key, FRESH)], [key.public])
    assert (codes(result), int(result.exit_status)) == (["SIGNATURE_EXPIRY_UNCHECKED"], 3)
    assert verify(model, [sign(model, key)], [key.public]).expires is None


def test_a_signature_cannot_have_been_made_after_now_nor_after_it_existed(model: Path, key: SigningKey) -> None:
    bundle = sign(model, key, FRESH)
    early = verify(model, [bundle], [key.public], now=FRESH.made_at - timedelta(minutes=5, seconds=1))
    assert codes(early) == ["SIGNING_TIME_IMPOSSIBLE"]
    assert verify(model, [bundle], [key.public], now=FRESH.made_at - timedelta(minutes=5)).reasons == ()
    for existed, expected in (("2026-11-25T11:54:59Z", "SIGNING_TIME_IMPOSSIBLE"), ("2026-11-25T11:55:00Z", None)):
        fault = check_validity(FRESH, Signer("key", "ed25519", "00", timestamps=(existed,)), NOW)
        assert (fault.code if fault else None) == expected


def test_the_times_stand_in_the_subjects_annotations_and_nowhere_else(model: Path, key: SigningKey) -> None:
    plain, dated = (json.loads(parse_bundle(sign(model, key, times)).payload) for times in (None, FRESH))
    assert dated["subject"][0].pop("annotations") == {
        ANNOTATION: {"madeAt": "2026-11-25T12:00:00Z", "expires": "2026-11-27T12:00:00Z"}
    }
    assert dated == plain
    assert sign(model, key) == sign(model, key)


def test_what_expires_before_it_was_made_is_not_signed() -> None:
    assert refused_with(subject_annotations, Validity(NOW, NOW)) == "ARGUMENT_INVALID"


@pytest.mark.parametrize(
    "annotations",
    [
        [],
        "x",
        None,
        {ANNOTATION: None},
        {ANNOTATION: []},
        {ANNOTATION: {}},
        {ANNOTATION: {"madeAt": "2026-11-25T12:00:00Z"}},
        {ANNOTATION: {"expires": "2026-11-25T12:00:00Z"}},
        {ANNOTATION: {"madeAt": "2026-11-25T12:00:00Z", "expires": "never"}},
        {ANNOTATION: {"madeAt": 5, "expires": "2026-11-27T12:00:00Z"}},
    ],
)
def test_times_that_cannot_be_read_refuse_the_signature(model: Path, key: SigningKey, annotations: object) -> None:
    statement = json.loads(parse_bundle(sign(model, key)).payload)
    statement["subject"][0]["annotations"] = annotations
    payload = json.dumps(statement).encode()
    assert refused_with(parse_statement, payload) == "MANIFEST_MALFORMED"
    assert codes(verify(model, [signed(payload, key)], [key.public], now=NOW)) == ["MANIFEST_MALFORMED"]


def test_annotations_of_others_are_read_past(model: Path, key: SigningKey) -> None:
    statement = json.loads(parse_bundle(sign(model, key)).payload)
    statement["subject"][0]["annotations"] = {"org.example": {"expires": "1970-01-01T00:00:00Z"}}
    result = verify(model, [signed(json.dumps(statement).encode(), key)], [key.public])
    assert (result.reasons, result.expires) == ((), None)


@pytest.fixture(scope="module")
def clocks(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("clocks"), "clocks")


def test_a_timestamp_from_before_the_compromise_keeps_a_certificates_signature(
    model: Path, lab: Lab, clocks: Authority
) -> None:
    """By ``openssl ts``: the proof is what stands, and the same signature without it falls."""
    now = datetime.now(UTC)
    sealer = CertificateSealer(lab.leaf.key, lab.leaf.certificate, [lab.middle.certificate], now=now)
    with open_artifact(model) as artifact:
        unproven = sign_model(artifact, sealer).bundle
    bundle = parse_bundle(unproven)
    stamps = (Stamper(clocks).stamp(bundle.signature),)
    old = write_bundle(bundle.envelope, chain=bundle.material.certificates, timestamps=stamps)
    who, times = exact_identity("ci@example.org"), StampTrust((clocks.certificate,))
    trusted = CertificateTrust((lab.root.certificate,), who, now + DAY, timestamps=times)
    for since, stands in ((now + timedelta(hours=1), True), (now - timedelta(hours=1), False)):
        entry = Revoked("identity", "CI@example.org", "stolen", now + DAY, since)
        stolen = Revocations([RevocationList(1, now, now + DAY, (entry,))])
        assert codes(verify(model, [old], [trusted], revocations=stolen)) == ([] if stands else ["SIGNER_REVOKED"])
        assert codes(verify(model, [unproven], [trusted], revocations=stolen)) == ["SIGNER_REVOKED"]
