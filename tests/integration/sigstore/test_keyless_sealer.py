"""Signing with an identity, against a whole Sigstore, read by two clients that are not ours."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from refusals import refusal, refused_with
from sigstore.models import Bundle as TheirBundle
from sigstore.models import ClientTrustConfig
from sigstore.verify import Verifier as TheirVerifier
from sigstore.verify import policy

from loopback import CERTIFICATES, IDENTITY, LOGS, MODES, STAMPS, node_verifies, token
from modelsign.signing.bundle import parse_bundle
from modelsign.signing.dsse import IN_TOTO
from modelsign.signing.sigstore.services.sealer import KeylessSealer
from modelsign.signing.sigstore.services.signing_config import choose_services
from modelsign.signing.sigstore.services.tokens import read_token
from modelsign.signing.sigstore.trust_root import parse_trust_config
from modelsign.transport import Patience, Transport

QUICK = Transport(Patience(connect=5.0, silence=5.0, answer=10.0, tries=2, backoff=0.01, longest_pause=2.0))
PAYLOAD = json.dumps(
    {"_type": "https://in-toto.io/Statement/v1", "subject": [{"name": "x", "digest": {"sha256": "0" * 64}}],
     "predicateType": "https://example.org/p", "predicate": {}}
).encode()  # fmt: skip


def clock():
    return datetime.now(UTC)


def sealer(sigstore, mode, *, root=None, raw=None, **services):
    config = parse_trust_config(sigstore.trust_config(mode).read_bytes())
    raw = raw or token(sigstore.issuer)
    return KeylessSealer(
        config.root if root is None else root(config.root),
        choose_services(config.signing_config, now=clock())._replace(**services),
        QUICK,
        lambda: read_token(raw.encode(), now=clock()),
        clock,
    )


@pytest.mark.parametrize("mode", MODES)
def test_a_bundle_is_read_by_sigstore_js_and_sigstore_python(sigstore, mode, tmp_path):
    sealed = sealer(sigstore, mode).seal(IN_TOTO, PAYLOAD)
    place = tmp_path / "bundle.json"
    place.write_bytes(sealed.bundle)
    assert node_verifies(sigstore, place) == {"verified": True, "identity": IDENTITY}
    assert not node_verifies(sigstore, place, identity="ci@example.or")["verified"]
    assert not node_verifies(sigstore, place, issuer="https://elsewhere.example")["verified"]
    config = ClientTrustConfig.from_json(sigstore.trust_config(mode).read_text(encoding="utf-8"))
    verifier = TheirVerifier(trusted_root=config.trusted_root)
    kind, payload = verifier.verify_dsse(
        TheirBundle.from_json(sealed.bundle), policy.Identity(identity=IDENTITY, issuer=sigstore.issuer)
    )
    assert (kind, payload) == (IN_TOTO, PAYLOAD)


@pytest.mark.parametrize("mode", MODES)
def test_the_signer_is_told_with_time_and_log(sigstore, mode):
    sealed = sealer(sigstore, mode).seal(IN_TOTO, PAYLOAD)
    signer = sealed.signer
    assert (signer.method, signer.identity, signer.issuer) == ("keyless", IDENTITY, sigstore.issuer)
    assert signer.algorithm == "ecdsa-p256-sha256"
    assert [proof.log for proof in signer.logs] == [sigstore.url]
    assert len(signer.timestamps) == (mode != "rekor1")
    assert signer.time_proof in {"rfc3161", "transparency-log"}
    assert signer.insecure == ()
    assert sealed.oms


@pytest.mark.parametrize("mode", MODES)
def test_the_log_is_the_last_to_be_asked(sigstore, mode):
    sealer(sigstore, mode).seal(IN_TOTO, PAYLOAD)
    assert sigstore.asked() == [CERTIFICATES, *([STAMPS] if mode != "rekor1" else []), LOGS[mode]]


def test_each_signature_has_a_key_of_its_own(sigstore):
    one = sealer(sigstore, "rekor2")
    assert one.key_digest is None
    digests = {one.seal(IN_TOTO, PAYLOAD).signer.key_digest for _ in range(2)}
    assert len(digests) == 2


def test_claims_of_a_workflow_are_in_the_result(sigstore):
    raw = token(
        sigstore.issuer, sub="repo:acme/models:ref:refs/heads/main", repository="acme/models", ref="refs/heads/main",
        event_name="push", runner_environment="github-hosted", workflow="release",
    )  # fmt: skip
    signer = sealer(sigstore, "rekor2", raw=raw).seal(IN_TOTO, PAYLOAD).signer
    assert signer.claims["source_repository_uri"] == "https://github.com/acme/models"
    assert signer.claims["runner_environment"] == "github-hosted"


def test_nothing_is_asked_where_the_token_is_expired(sigstore):
    late = sealer(sigstore, "rekor2")._replace(clock=lambda: clock() + timedelta(hours=2))
    assert refused_with(late.seal, IN_TOTO, PAYLOAD) == "TOKEN_EXPIRED"
    assert sigstore.asked() == []


@pytest.mark.parametrize("field", ["tlogs", "ctlogs", "authorities", "timestamp_authorities"])
def test_nothing_is_asked_where_the_trust_root_could_not_verify_it(sigstore, field):
    lacking = sealer(sigstore, "rekor2", root=lambda root: root._replace(**{field: ()}))
    assert refused_with(lacking.seal, IN_TOTO, PAYLOAD) == "TRUST_ROOT_LACKS_SERVICE"
    assert sigstore.asked() == []


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"path": CERTIFICATES, "status": 400, "body": '{"message": "bad token"}'}, "CERTIFICATE_NOT_ISSUED"),
        ({"path": CERTIFICATES, "status": 201, "body": "{}"}, "NETWORK_ANSWER_MALFORMED"),
        ({"path": CERTIFICATES, "status": 500}, "NETWORK_SERVER_FAILED"),
        ({"path": CERTIFICATES, "status": 429, "headers": {"Retry-After": "999"}}, "NETWORK_BUSY"),
        ({"path": CERTIFICATES, "size": 5_000_000}, "NETWORK_ANSWER_TOO_LARGE"),
        ({"path": CERTIFICATES, "close": True}, "NETWORK_UNREACHABLE"),
        ({"path": CERTIFICATES, "status": 307, "headers": {"Location": "https://x.example"}}, "NETWORK_REDIRECTED"),
        ({"path": STAMPS, "wrongNonce": True}, "TIMESTAMP_ANSWER_WRONG"),
        ({"path": STAMPS, "wrongImprint": True}, "TIMESTAMP_ANSWER_WRONG"),
        ({"path": STAMPS, "body": "garbage"}, "TIMESTAMP_ANSWER_WRONG"),
        ({"path": STAMPS, "status": 503}, "NETWORK_SERVER_FAILED"),
        ({"path": STAMPS, "truncate": True}, "NETWORK_UNREACHABLE"),
    ],
)
def test_a_failure_before_the_log_leaves_nothing_in_it(sigstore, fault, code):
    sigstore.faults({"times": 0, **fault})
    assert refused_with(sealer(sigstore, "rekor2").seal, IN_TOTO, PAYLOAD) == code
    assert LOGS["rekor2"] not in sigstore.asked()


def test_a_server_that_is_slow_is_waited_for_only_so_long(sigstore):
    sigstore.faults({"path": CERTIFICATES, "delay": 3000, "times": 0})
    hasty = Transport(Patience(connect=1.0, silence=0.2, answer=0.5, tries=2, backoff=0.01))
    slow = sealer(sigstore, "rekor2")._replace(transport=hasty)
    assert refused_with(slow.seal, IN_TOTO, PAYLOAD) == "NETWORK_TIMEOUT"


def test_a_timestamp_by_a_stranger_is_noticed_before_the_log_is_written_to(sigstore):
    strange = sealer(
        sigstore,
        "rekor2",
        root=lambda root: root._replace(
            timestamp_authorities=tuple(one._replace(chain=root.authorities[0].chain * 2) for one in root.authorities)
        ),
    )
    assert refused_with(strange.seal, IN_TOTO, PAYLOAD) == "TIMESTAMP_INVALID"
    assert LOGS["rekor2"] not in sigstore.asked()


def test_a_certificate_by_a_stranger_is_noticed_before_anything_is_signed(sigstore):
    strange = sealer(
        sigstore,
        "rekor2",
        root=lambda root: root._replace(
            authorities=tuple(one._replace(chain=root.timestamp_authorities[0].chain[1:]) for one in root.authorities)
        ),
    )
    assert refused_with(strange.seal, IN_TOTO, PAYLOAD) == "CERTIFICATE_NOT_SIGSTORES"
    assert sigstore.asked() == [CERTIFICATES]


def test_a_certificate_that_was_not_published_is_noticed_before_anything_is_signed(sigstore):
    strange = sealer(sigstore, "rekor2", root=lambda root: root._replace(ctlogs=root.tlogs[:1]))
    assert refused_with(strange.seal, IN_TOTO, PAYLOAD) == "SCT_INVALID"
    assert sigstore.asked() == [CERTIFICATES]


def test_a_log_that_is_not_trusted_makes_a_bundle_that_is_not_handed_out(sigstore):
    strange = sealer(sigstore, "rekor2", root=lambda root: root._replace(tlogs=root.tlogs[:1]))
    fault = refusal(strange.seal, IN_TOTO, PAYLOAD)
    assert fault.code == "SEALED_NOT_VERIFIED"
    assert fault.details["reason"] == "PROOFS_TOO_FEW"


def test_an_entry_that_an_earlier_try_made_is_used(sigstore):
    sigstore.faults({"path": LOGS["rekor1"], "truncate": True})
    sealed = sealer(sigstore, "rekor1").seal(IN_TOTO, PAYLOAD)
    (entry,) = parse_bundle(sealed.bundle).material.tlog_entries
    assert sigstore.asked()[-1].endswith(f"/{entry.log_index}")
