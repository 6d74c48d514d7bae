"""Signing with a certificate, and what a verifier asks of it: roots, an identity, a time, no revocation."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from asn1crypto import cms, tsp
from asn1crypto import x509 as asn1
from bundlecraft import b64
from certificatelab import (
    CA,
    DAY,
    ED25519,
    LEAF,
    NAMES,
    NOW,
    P384,
    P521,
    STAMPER,
    Authority,
    Stamper,
    made_by_cryptography,
    openssl,
    rsa,
)
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID
from papersigstore import Certifier, Clock, Paper, data_of
from refusals import refusal, refused_with

from modelsign import limits
from modelsign.errors import ModelsignError, Refused
from modelsign.signing.bundle import parse_bundle, write_bundle
from modelsign.signing.dsse import IN_TOTO, Envelope, pae, pae_of_v0_2
from modelsign.signing.envelope import trusts_of
from modelsign.signing.keys import generate
from modelsign.signing.methods.certificate import CertificateSealer, CertificateTrust
from modelsign.signing.methods.key import KeySealer
from modelsign.signing.sigstore.proofs import ProofPolicy
from modelsign.signing.sigstore.trust_root import parse_trust_root
from modelsign.signing.trust import count_distinct
from modelsign.signing.x509.certificates import Certificate, load_certificate
from modelsign.signing.x509.crl import load_revocation_lists
from modelsign.signing.x509.identity import any_identity, exact_identity, glob_identity
from modelsign.signing.x509.status import RevocationSources
from modelsign.signing.x509.times import StampTrust

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from certificatelab import Issued, Lab

    from modelsign.signing.bundle import Bundle

WHO = exact_identity("ci@example.org")
PAYLOAD = b'{"some":"statement"}'
SOON = NOW + timedelta(hours=1)
LATE = NOW + 1000 * DAY
"""After the leaf has expired, and before the authorities do."""


def trust(authority: Authority, /, **settings: Any) -> CertificateTrust:
    return CertificateTrust(**{"roots": (authority.certificate,), "identity": WHO, "now": SOON} | settings)


def sealed(leaf: Issued, *chain: Authority, stamp: Callable[[bytes], bytes] | None = None) -> Bundle:
    above = [entry.certificate for entry in chain]
    data = CertificateSealer(leaf.key, leaf.certificate, above, now=NOW).seal(IN_TOTO, PAYLOAD)
    bundle = parse_bundle(data.bundle)
    return bundle if stamp is None else changed(bundle, timestamps=(stamp(bundle.signature),))


def changed(bundle: Bundle, **parts: Any) -> Bundle:
    """Return a bundle with other material."""
    return bundle._replace(material=bundle.material._replace(**parts))


@pytest.fixture
def bundle(lab: Lab) -> Bundle:
    return sealed(lab.leaf, lab.middle)


@pytest.fixture(scope="session")
def stampers(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("stampers"), "clocks")


@pytest.fixture(scope="session")
def stamper(stampers: Authority) -> Stamper:
    return Stamper(stampers)


def test_the_result_says_who_signed_and_under_which_root(lab: Lab, bundle: Bundle) -> None:
    vouch = trust(lab.root).vouch(bundle)
    signer = vouch.signer
    assert (signer.method, signer.algorithm, signer.identity) == ("certificate", "ecdsa-p256-sha256", "ci@example.org")
    assert (signer.subject, signer.issuer) == ("CN=leaf,O=Acme", "CN=middle,O=Acme")
    assert signer.names == ("uri:https://example.org/release", "email:ci@example.org", "dns:ci.example.org")
    assert (signer.key_digest, signer.root) == (lab.leaf.key.public.digest, lab.root.certificate.digest)
    assert (signer.time, signer.time_proof, signer.insecure, vouch.warnings) == (None, None, (), ())
    assert vouch.oms


def test_the_bundle_has_the_leaf_first_and_no_root(lab: Lab) -> None:
    data = CertificateSealer(
        lab.leaf.key,
        lab.leaf.certificate,
        [lab.root.certificate, lab.middle.certificate, lab.leaf.certificate],
        now=NOW,
    ).seal(IN_TOTO, PAYLOAD)
    material = json.loads(data.bundle)["verificationMaterial"]
    chain = [b64(entry.certificate.der) for entry in (lab.leaf, lab.middle)]
    assert [entry["rawBytes"] for entry in material["x509CertificateChain"]["certificates"]] == chain
    assert material["tlogEntries"] == []
    assert data.signer.key_digest == lab.leaf.key.public.digest


@pytest.mark.parametrize(
    ("key", "algorithm", "oms"),
    [
        (P384, "ecdsa-p384-sha384", True),
        (P521, "ecdsa-p521-sha512", True),
        (ED25519, "ed25519", False),
        (rsa(3072), "rsa-pss-sha256", False),
    ],
)
def test_every_kind_of_key_may_have_a_certificate(lab: Lab, key: tuple[str, ...], algorithm: str, oms: bool) -> None:  # noqa: FBT001 - the answer
    leaf = lab.middle.issue(f"by-{algorithm}", key=key)
    vouch = trust(lab.root).vouch(sealed(leaf, lab.middle))
    assert (vouch.signer.algorithm, vouch.oms) == (algorithm, oms)


@pytest.mark.parametrize("algorithm", ["ml-dsa-65", "ml-dsa-87"])
def test_post_quantum_keys_may_have_certificates_too(algorithm: str) -> None:
    mldsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.mldsa")
    root_key, key = mldsa.MLDSA87PrivateKey.generate(), generate(algorithm)
    root = made_by_cryptography("root", root_key.public_key(), "root", root_key, authority=True)
    leaf = made_by_cryptography("leaf", key._key.public_key(), "root", root_key, authority=False)
    data = CertificateSealer(key, leaf, now=NOW).seal(IN_TOTO, PAYLOAD)
    vouch = CertificateTrust((root,), exact_identity("CN=leaf"), NOW).vouch(parse_bundle(data.bundle))
    assert (vouch.signer.algorithm, vouch.oms) == (algorithm, False)


def test_a_small_rsa_key_signs_nothing(lab: Lab) -> None:
    leaf = lab.middle.issue("small", key=rsa(2048))
    assert refused_with(CertificateSealer, generate(), leaf.certificate, now=NOW) == "CERTIFICATE_WEAK"


def test_an_identity_with_roots_is_all_the_trust_there_is(lab: Lab, bundle: Bundle) -> None:
    one = trust(lab.root)
    assert (one.method, one.single, one.label) == ("certificate", True, "the identity email:ci@example.org")
    assert not trust(lab.root, identity=glob_identity("*@example.org")).single
    assert trust(lab.root, identity=glob_identity("*@example.org")).vouch(bundle).signer.identity == "ci@example.org"
    assert one.id == trust(lab.root).id != trust(lab.root, identity=any_identity()).id
    assert one.id != trust(lab.stranger).id
    assert refused_with(trust, lab.middle) == "CERTIFICATE_ROOT_UNUSABLE"
    assert refused_with(trust, lab.root, roots=()) == "NO_TRUST_SOURCE"


def test_other_people_of_the_same_authority_are_refused(lab: Lab, bundle: Bundle) -> None:
    someone = trust(lab.root, identity=exact_identity("somebody@example.org"))
    assert refused_with(someone.vouch, bundle) == "CERTIFICATE_IDENTITY_MISMATCH"


def test_anybody_will_do_only_where_the_result_says_so(lab: Lab, bundle: Bundle) -> None:
    signer = trust(lab.root, identity=any_identity()).vouch(bundle).signer
    assert (signer.identity, signer.insecure) == ("https://example.org/release", ("insecure_any_identity",))


def test_nobody_is_two_signers_by_showing_an_authority_under_another_root_each_time(lab: Lab, tmp_path: Path) -> None:
    """Which of two roots an authority that both certified leads to, is the choice of whoever makes the bundle."""
    other = Authority(tmp_path, "other")
    again = other.issue("middle", subject="/O=Acme/CN=middle", extensions=CA, key=lab.middle.issued.key_path)
    renewed = lab.middle.issue("renewed").key_path
    leaf = lab.middle.issue("cross", key=renewed)
    both = trust(lab.root, roots=(lab.root.certificate, other.certificate), identity=glob_identity("*@example.org"))
    first = both.vouch(sealed(lab.leaf, lab.middle)).signer
    second = both.vouch(sealed(leaf, again)).signer  # type: ignore[arg-type] # a certificate is all that is asked of it
    assert (first.identity, first.root) == (second.identity, lab.root.certificate.digest)
    assert (second.root, first.key_digest != second.key_digest) == (other.certificate.digest, True)
    assert count_distinct([first, second]) == count_distinct([first, second], "issuer") == 1


def test_roots_in_a_bundle_are_not_trust(lab: Lab, tmp_path: Path) -> None:
    own = Authority(tmp_path, "root")
    leaf = own.issue("leaf")
    forged = sealed(leaf)
    forged = changed(forged, certificates=(*forged.material.certificates, own.certificate.der))
    assert refused_with(trust(lab.root).vouch, forged) == "CERTIFICATE_UNTRUSTED"
    assert refused_with(trust(lab.root, intermediates=(own.certificate,)).vouch, forged) == "CERTIFICATE_UNTRUSTED"


def test_certificates_between_come_from_the_bundle_or_the_caller(lab: Lab, bundle: Bundle) -> None:
    bare = changed(bundle, certificates=bundle.material.certificates[:1])
    assert refused_with(trust(lab.root).vouch, bare) == "CERTIFICATE_UNTRUSTED"
    assert trust(lab.root, intermediates=(lab.middle.certificate,)).vouch(bare).signer.identity == "ci@example.org"


def test_a_bundle_with_one_certificate_is_understood_and_is_not_oms(lab: Lab, bundle: Bundle) -> None:
    single = parse_bundle(write_bundle(bundle.envelope, certificate=lab.leaf.certificate.der))
    vouch = trust(lab.root, intermediates=(lab.middle.certificate,)).vouch(single)
    assert (vouch.oms, vouch.signer.identity) == (False, "ci@example.org")


def test_a_bundle_of_a_bare_key_is_somebody_elses(lab: Lab) -> None:
    data = KeySealer(lab.leaf.key).seal(IN_TOTO, PAYLOAD).bundle
    assert refused_with(trust(lab.root).vouch, parse_bundle(data)) == "SIGNATURE_WRONG_KEY"


def test_the_signature_must_be_the_certificates(lab: Lab, bundle: Bundle) -> None:
    content = bundle.envelope
    forged = [
        bundle._replace(content=content._replace(payload=PAYLOAD + b" ")),
        bundle._replace(content=content._replace(payload_type="text/plain")),
        bundle._replace(content=content._replace(signature=generate().sign(pae(IN_TOTO, PAYLOAD)))),
    ]
    for one in forged:
        assert refused_with(trust(lab.root).vouch, one) == "SIGNATURE_INVALID"


def test_malformed_and_too_many_certificates_have_their_reasons(
    lab: Lab, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaf, middle = bundle.material.certificates
    for wrong in ((leaf[:-1],), (b"",), (leaf, middle, b"junk"), (leaf, middle[:-1] + b"\0" + middle[-1:])):
        assert refused_with(trust(lab.root).vouch, changed(bundle, certificates=wrong)) == "CERTIFICATE_MALFORMED"
    monkeypatch.setattr(limits, "CHAIN_CERTIFICATES", 1)
    assert refused_with(trust(lab.root).vouch, bundle) == "CERTIFICATE_LIMIT"


def test_every_flipped_bit_of_every_certificate_is_refused(lab: Lab, bundle: Bundle) -> None:
    """The bits are taken one in each byte, which one in turn."""
    for number, der in enumerate(bundle.material.certificates):
        for place in range(len(der)):
            flipped = der[:place] + bytes([der[place] ^ 1 << place % 8]) + der[place + 1 :]
            certificates = list(bundle.material.certificates)
            certificates[number] = flipped
            code = refused_with(trust(lab.root).vouch, changed(bundle, certificates=tuple(certificates)))
            assert code.startswith("CERTIFICATE_"), (number, place)


def flips(data: bytes) -> Iterator[bytes]:
    """Flip one bit in each byte, which one in turn."""
    for place in range(len(data)):
        yield data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :]


def test_every_flipped_bit_of_a_timestamp_makes_it_prove_nothing_or_the_same(
    lab: Lab, stamper: Stamper, stampers: Authority
) -> None:
    """Outside of what is signed lie the status and certificates that nobody needs."""
    bundle = sealed(lab.leaf, lab.middle, stamp=stamper.stamp)
    late = trust(lab.root, now=LATE, timestamps=StampTrust((stampers.certificate,), (stamper.issued.certificate,)))
    right = late.vouch(bundle).signer
    for flipped in flips(bundle.material.timestamps[0]):
        try:
            assert late.vouch(changed(bundle, timestamps=(flipped,))).signer == right
        except Refused as fault:
            assert fault.code == "CERTIFICATE_EXPIRED"  # noqa: PT017 - one of two outcomes


def test_every_flipped_bit_of_a_root_makes_it_no_root_or_another_one(lab: Lab, bundle: Bundle) -> None:
    for flipped in flips(lab.root.certificate.der):
        try:
            root = load_certificate(flipped)
        except ModelsignError as fault:
            assert fault.code in {"CERTIFICATE_MALFORMED", "CERTIFICATE_UNSUPPORTED"}  # noqa: PT017 - one outcome
            continue
        assert refused_with(lambda root=root: trust(lab.root, roots=(root,)).vouch(bundle)).startswith("CERTIFICATE_")


def test_every_flipped_bit_of_a_revocation_list_makes_it_worth_nothing(lab: Lab, bundle: Bundle) -> None:
    good = RevocationSources(load_revocation_lists(lab.root.crl("flips").read_bytes()), required=True)
    pem = lab.middle.crl("flips").read_bytes()
    assert trust(lab.root, revocation=good._replace(lists=good.lists + load_revocation_lists(pem))).vouch(bundle)
    for flipped in flips(openssl("crl", "-outform", "DER", stdin=pem)):
        try:
            lists = good.lists + load_revocation_lists(flipped)
        except ModelsignError as fault:
            assert fault.code.startswith("CRL_")  # noqa: PT017 - one of two outcomes
            continue
        code = refused_with(trust(lab.root, revocation=good._replace(lists=lists)).vouch, bundle)
        assert code.startswith("CRL_") or code == "REVOCATION_STATUS_MISSING"


def test_without_proof_of_time_the_present_counts(lab: Lab, bundle: Bundle) -> None:
    assert refused_with(trust(lab.root, now=LATE).vouch, bundle) == "CERTIFICATE_EXPIRED"
    assert refused_with(trust(lab.root, now=NOW - 31 * DAY).vouch, bundle) == "CERTIFICATE_NOT_YET_VALID"


def test_a_timestamp_keeps_a_signature_good_when_its_certificate_has_expired(
    lab: Lab, stamper: Stamper, stampers: Authority
) -> None:
    bundle = sealed(lab.leaf, lab.middle, stamp=stamper.stamp)
    clocks = StampTrust((stampers.certificate,))
    vouch = trust(lab.root, now=LATE, timestamps=clocks).vouch(bundle)
    assert vouch.signer.time_proof == "rfc3161"
    assert (vouch.signer.time,) == vouch.signer.timestamps
    assert vouch.warnings == ()
    fault = refusal(trust(lab.root, now=LATE).vouch, bundle)
    assert fault.code == "CERTIFICATE_EXPIRED"


def test_timestamps_of_strangers_prove_nothing(lab: Lab, stamper: Stamper) -> None:
    bundle = sealed(lab.leaf, lab.middle, stamp=stamper.stamp)
    others = StampTrust((lab.stranger.certificate,))
    assert refused_with(trust(lab.root, now=LATE, timestamps=others).vouch, bundle) == "CERTIFICATE_EXPIRED"
    (warning,) = trust(lab.root, timestamps=others).vouch(bundle).warnings
    assert "nobody who may make timestamps" in warning
    (warning,) = trust(lab.root).vouch(bundle).warnings
    assert "no root of a timestamp authority" in warning


def test_a_timestamp_is_of_this_signature_or_of_none(lab: Lab, stamper: Stamper, stampers: Authority) -> None:
    bundle = sealed(lab.leaf, lab.middle, stamp=lambda signature: stamper.stamp(signature + b"x"))
    late = trust(lab.root, now=LATE, timestamps=StampTrust((stampers.certificate,)))
    assert refused_with(late.vouch, bundle) == "CERTIFICATE_EXPIRED"


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("for code", {"extensions": LEAF}),
        ("without usage", {"extensions": STAMPER.replace("keyUsage=critical,digitalSignature\n", "")}),
        ("expired", {"start": NOW - 9 * DAY, "end": NOW - DAY}),
    ],
)
def test_who_makes_timestamps_is_held_to_the_same_rules(
    lab: Lab, stampers: Authority, name: str, settings: dict[str, Any]
) -> None:
    proper = Stamper(stampers, name)
    if "extensions" in settings:
        # openssl refuses to stamp with such a certificate, so that it is exchanged under its key afterwards
        settings = {**settings, "key": proper.issued.key_path}
        bundle = sealed(lab.leaf, lab.middle, stamp=lambda signature: proper.stamp(signature, embedded=False))
        wrong = stampers.issue(f"{name} again", **settings).certificate
    else:
        wrong_stamper = Stamper(stampers, f"{name} again", **settings)
        bundle = sealed(lab.leaf, lab.middle, stamp=wrong_stamper.stamp)
        wrong = wrong_stamper.issued.certificate
    clocks = StampTrust((stampers.certificate,), (wrong,))
    assert refused_with(trust(lab.root, now=LATE, timestamps=clocks).vouch, bundle) == "CERTIFICATE_EXPIRED"


def test_a_stamper_may_be_named_where_its_certificate_is_not_in_the_token(lab: Lab, stampers: Authority) -> None:
    clock = Stamper(stampers, "silent")
    bundle = sealed(lab.leaf, lab.middle, stamp=lambda signature: clock.stamp(signature, embedded=False))
    silent = trust(lab.root, now=LATE, timestamps=StampTrust((stampers.certificate,)))
    assert refused_with(silent.vouch, bundle) == "CERTIFICATE_EXPIRED"
    named = StampTrust((stampers.certificate,), (clock.issued.certificate,))
    assert trust(lab.root, now=LATE, timestamps=named).vouch(bundle).signer.time_proof == "rfc3161"


def test_a_revoked_stamper_proves_nothing(lab: Lab, tmp_path: Path) -> None:
    clocks = Authority(tmp_path, "clocks")
    stamper = Stamper(clocks)
    bundle = sealed(lab.leaf, lab.middle, stamp=stamper.stamp)
    clocks.revoke(stamper.issued, "-crl_compromise", (NOW - 3 * DAY).strftime("%Y%m%d%H%M%SZ"))
    lists = load_revocation_lists(clocks.crl("list", end=LATE + DAY).read_bytes())
    late = trust(
        lab.root,
        now=LATE,
        timestamps=StampTrust((clocks.certificate,)),
        revocation=RevocationSources(lists),
    )
    assert refused_with(late.vouch, bundle) == "CERTIFICATE_EXPIRED"


def test_so_many_timestamp_authorities_as_are_wanted(lab: Lab, stamper: Stamper, stampers: Authority) -> None:
    clocks = StampTrust((stampers.certificate,))
    second = Stamper(stampers, "second")
    one = sealed(lab.leaf, lab.middle, stamp=stamper.stamp)
    two = changed(one, timestamps=(*one.material.timestamps, second.stamp(one.signature)))
    again = changed(one, timestamps=(*one.material.timestamps, stamper.stamp(one.signature)))
    wanting = trust(lab.root, timestamps=clocks, timestamps_needed=2)
    for too_few in (one, again, sealed(lab.leaf, lab.middle)):
        assert refused_with(wanting.vouch, too_few) == "PROOFS_TOO_FEW"
    assert len(wanting.vouch(two).signer.timestamps) == 2


def test_who_also_signs_code_cannot_date_its_own_signatures(lab: Lab, bundle: Bundle) -> None:
    """RFC 3161, section 2.3: the extended key usage of an authority is timestamping and nothing else."""
    clock = Clock()
    root = Certificate(clock.signer.chain[-1].der)
    late = trust(lab.root, now=LATE, timestamps=StampTrust((root,)))
    for purposes, code in (
        ((ExtendedKeyUsageOID.TIME_STAMPING,), None),
        ((ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CODE_SIGNING), "CERTIFICATE_EXPIRED"),
        ((ExtendedKeyUsageOID.CODE_SIGNING,), "CERTIFICATE_EXPIRED"),
    ):
        clock.signer = Certifier("signer", clock.signer.chain[-1], usage="tsa", purposes=purposes)
        stamped = changed(bundle, timestamps=(clock.stamp(bundle.signature, NOW),))
        if code is None:
            assert late.vouch(stamped).signer.time_proof == "rfc3161"
        else:
            assert refused_with(late.vouch, stamped) == code


def test_one_stamper_with_two_certificates_of_its_key_is_one_authority(lab: Lab, stampers: Authority) -> None:
    old = Stamper(stampers, "old certificate")
    renewed = Stamper(stampers, "new certificate", key=old.issued.key_path)
    one = sealed(lab.leaf, lab.middle, stamp=old.stamp)
    two = changed(one, timestamps=(*one.material.timestamps, renewed.stamp(one.signature)))
    clocks = StampTrust((stampers.certificate,))
    assert refused_with(trust(lab.root, timestamps=clocks, timestamps_needed=2).vouch, two) == "PROOFS_TOO_FEW"
    assert len(trust(lab.root, timestamps=clocks).vouch(two).signer.timestamps) == 2


def test_certificates_added_to_a_timestamp_raise_nothing_of_their_own(lab: Lab, bundle: Bundle) -> None:
    """They are not signed, and only some of them are read before the token is verified."""
    clock = Clock()
    longest = Certifier("y" * 64, Certifier("z" * 64)).der
    added = [*(Certifier("x" * 60 + str(number)).der for number in range(10)), longest]
    stamp = with_certificates(clock.stamp(bundle.signature, NOW), added)
    broken = longest.replace(bytes.fromhex("a003020102"), bytes.fromhex("a003020103"))
    root = Certificate(clock.signer.chain[-1].der)
    vouch = trust(lab.root, timestamps=StampTrust((root,))).vouch(changed(bundle, timestamps=(stamp,)))
    assert len(vouch.signer.timestamps) == 1
    stamp = stamp.replace(longest, broken)
    vouch = trust(lab.root, timestamps=StampTrust((root,))).vouch(changed(bundle, timestamps=(stamp,)))
    assert (vouch.signer.timestamps, "cannot be read" in vouch.warnings[0]) == ((), True)


def with_certificates(response: bytes, added: list[bytes]) -> bytes:
    """Return a timestamp with further certificates in its token."""
    parsed = tsp.TimeStampResp.load(response)
    data = parsed["time_stamp_token"]["content"]
    listed = [entry.chosen.dump() for entry in data["certificates"]] + added
    data["certificates"] = cms.CertificateSet(
        [cms.CertificateChoices("certificate", asn1.Certificate.load(der)) for der in listed]
    )
    return parsed.dump(force=True)


def test_a_timestamp_from_the_future_is_not_counted(lab: Lab, stamper: Stamper, stampers: Authority) -> None:
    bundle = sealed(lab.leaf, lab.middle, stamp=stamper.stamp)
    early = trust(lab.root, now=NOW - DAY, timestamps=StampTrust((stampers.certificate,)))
    vouch = early.vouch(bundle)
    assert (vouch.signer.time, vouch.signer.timestamps) == (None, ())
    assert "in the future" in vouch.warnings[0]


@pytest.mark.parametrize("data", [b"", b"junk", b"\x30\x03\x02\x01\x02"])
def test_what_is_no_timestamp_is_passed_over(lab: Lab, bundle: Bundle, stampers: Authority, data: bytes) -> None:
    vouch = trust(lab.root, timestamps=StampTrust((stampers.certificate,))).vouch(changed(bundle, timestamps=(data,)))
    assert "cannot be read" in vouch.warnings[0]


def test_only_so_many_timestamps_are_looked_at(lab: Lab, bundle: Bundle, stampers: Authority) -> None:
    many = changed(bundle, timestamps=tuple(bytes([number]) for number in range(12)))
    vouch = trust(lab.root, timestamps=StampTrust((stampers.certificate,))).vouch(many)
    assert (len(vouch.warnings), vouch.warnings[0]) == (11, "only 10 of 12 timestamps were looked at")


def test_a_signature_stamped_before_the_revocation_stays_good(tmp_path: Path) -> None:
    root, clock = Authority(tmp_path, "root"), Clock()
    leaf = root.issue("leaf")
    root.revoke(leaf, "-crl_reason", "superseded")
    lists = load_revocation_lists(root.crl("list").read_bytes())
    settings: dict[str, Any] = {
        "revocation": RevocationSources(lists, required=True),
        "timestamps": StampTrust((Certificate(clock.signer.chain[-1].der),)),
    }
    before, after = (sealed(leaf, stamp=lambda data, at=at: clock.stamp(data, at)) for at in (NOW - 5 * DAY, SOON))
    assert refused_with(trust(root, now=SOON + DAY, **settings).vouch, after) == "CERTIFICATE_REVOKED"
    vouch = trust(root, **settings).vouch(before)
    assert vouch.signer.time_proof == "rfc3161"
    assert "superseded" in vouch.warnings[0]
    assert refused_with(trust(root, **{**settings, "timestamps": StampTrust()}).vouch, before) == "CERTIFICATE_REVOKED"


def test_logs_and_clocks_of_a_sigstore_prove_time_for_certificates_too(lab: Lab) -> None:
    paper = Paper()
    key = load_pem_private_key(lab.leaf.key_path.read_bytes(), None)
    at = NOW - DAY
    made: dict[str, Any] = {"key": key, "certificate": lab.leaf.certificate.der, "at": at}
    logged = parse_bundle(data_of(paper.sign(stamped=None, **made)))
    stamped = parse_bundle(data_of(paper.sign(log=paper.rekor2, kind="hashedrekord", stamped=at, **made)))
    settings: dict[str, Any] = {"now": LATE, "intermediates": (lab.middle.certificate,), "notes": ("it is old",)}
    settings["root"] = parse_trust_root(data_of(paper.trust_root()))
    one_log = trust(lab.root, proofs=ProofPolicy(logs=1, times=0), **settings)
    for bundle, proof in ((logged, "transparency-log"), (stamped, "rfc3161")):
        vouch = one_log.vouch(bundle)
        assert (vouch.signer.time_proof, len(vouch.signer.logs), vouch.warnings) == (proof, 1, ("it is old",))
        assert refused_with(one_log.vouch, changed(bundle, tlog_entries=())) == "PROOFS_TOO_FEW"
        assert refused_with(trust(lab.root, **settings).vouch, bundle) == "CERTIFICATE_EXPIRED"
    unasked = trust(lab.root, **{**settings, "now": SOON}).vouch(logged)
    assert (unasked.signer.logs, unasked.warnings) == ((), ("the bundle's log entries were not looked at",))


def test_logs_may_be_a_sigstores_and_clocks_the_callers(lab: Lab, stampers: Authority, stamper: Stamper) -> None:
    paper = Paper()
    key = load_pem_private_key(lab.leaf.key_path.read_bytes(), None)
    logged = parse_bundle(data_of(paper.sign(stamped=None, key=key, certificate=lab.leaf.certificate.der, at=NOW)))
    both = changed(logged, timestamps=(stamper.stamp(logged.signature),))
    vouch = trust(
        lab.root,
        now=LATE,
        intermediates=(lab.middle.certificate,),
        root=parse_trust_root(data_of(paper.trust_root())),
        proofs=ProofPolicy(logs=1, times=0),
        timestamps=StampTrust((stampers.certificate,)),
        timestamps_needed=1,
    ).vouch(both)
    assert (len(vouch.signer.logs), len(vouch.signer.timestamps)) == (1, 1)


def test_who_asks_for_more_of_one_identity_is_not_taken_for_the_same(lab: Lab, stampers: Authority) -> None:
    lists = load_revocation_lists(lab.middle.crl("asked").read_bytes())
    asking = [
        trust(lab.root),
        trust(lab.root, timestamps=StampTrust((stampers.certificate,)), timestamps_needed=1),
        trust(lab.root, revocation=RevocationSources(lists)),
        trust(lab.root, revocation=RevocationSources(required=True)),
        trust(lab.root, assumed_time=NOW),
        trust(lab.root, root=parse_trust_root(data_of(Paper().trust_root())), proofs=ProofPolicy()),
    ]
    assert trusts_of([*asking, trust(lab.root)]) == asking


def test_a_time_the_caller_swears_to_is_used_and_shown(lab: Lab, bundle: Bundle) -> None:
    assert refused_with(trust(lab.root, now=LATE, assumed_time=NOW + 400 * DAY).vouch, bundle) == "CERTIFICATE_EXPIRED"
    for assumed in (NOW, "issuance"):
        signer = trust(lab.root, now=LATE, assumed_time=assumed).vouch(bundle).signer
        assert (signer.time, signer.insecure) == (None, ("insecure_certificate_time",))


def test_the_time_of_issue_forgives_no_revocation(tmp_path: Path) -> None:
    root = Authority(tmp_path, "root")
    leaf = root.issue("leaf")
    bundle = sealed(leaf)
    root.revoke(leaf)
    lists = load_revocation_lists(root.crl("list").read_bytes())
    settings: dict[str, Any] = {"revocation": RevocationSources(lists)}
    code = refused_with(trust(root, assumed_time="issuance", **settings).vouch, bundle)
    assert code == "CERTIFICATE_REVOKED"
    assert trust(root, assumed_time=NOW - DAY, **settings).vouch(bundle).signer.insecure


def test_old_shapes_are_accepted_where_they_are_asked_for(lab: Lab, bundle: Bundle) -> None:
    old = bundle._replace(legacy=True)
    assert refused_with(trust(lab.root).vouch, old) == "LEGACY_NOT_ALLOWED"
    assert not trust(lab.root).vouch(old, allow_legacy=True).v0_2


def test_the_encoding_of_0_2_0_is_for_its_own_shape(lab: Lab) -> None:
    signature = lab.leaf.key.sign(pae_of_v0_2(PAYLOAD))
    chain = (lab.leaf.certificate.der, lab.middle.certificate.der)
    old = parse_bundle(write_bundle(Envelope(IN_TOTO, PAYLOAD, signature), chain=chain))
    assert refused_with(trust(lab.root).vouch, old, allow_legacy=True) == "SIGNATURE_INVALID"
    old = old._replace(legacy=True)
    assert refused_with(trust(lab.root).vouch, old) == "SIGNATURE_INVALID"
    assert trust(lab.root).vouch(old, allow_legacy=True).v0_2


def test_who_signs_needs_the_certificates_own_key(lab: Lab) -> None:
    code = refused_with(CertificateSealer, generate(), lab.leaf.certificate, now=NOW)
    assert code == "CERTIFICATE_KEY_MISMATCH"


def test_nobody_signs_with_what_no_verifier_would_accept(lab: Lab) -> None:
    leaf = lab.leaf
    for now, code in ((LATE, "CERTIFICATE_EXPIRED"), (NOW - 31 * DAY, "CERTIFICATE_NOT_YET_VALID")):
        assert refused_with(CertificateSealer, leaf.key, leaf.certificate, now=now) == code
    server = lab.special("server", LEAF.replace("codeSigning", "serverAuth") + NAMES)
    code = refused_with(CertificateSealer, server.key, server.certificate, now=NOW)
    assert code == "CERTIFICATE_WRONG_USAGE"


def test_what_is_no_part_of_the_chain_stays_out_of_it(lab: Lab, tmp_path: Path) -> None:
    other = Authority(tmp_path, "middle", extensions=CA)
    code = refused_with(sealed, lab.leaf, lab.middle, other)
    assert code == "CERTIFICATE_CHAIN_UNRELATED"


def test_a_signature_can_be_reproduced(lab: Lab) -> None:
    assert sealed(lab.leaf, lab.middle) == sealed(lab.leaf, lab.middle)
