"""The trust root by TUF: current, at hand, gone back, expired, lied about, out of reach."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime, timedelta

import pytest
from refusals import refusal, refused_with
from securesystemslib.signer import CryptoSigner
from tufrepository import TufRepository

from modelsign.signing.sigstore.services.signing_config import choose_services
from modelsign.signing.sigstore.services.trust_updates import PUBLIC_GOOD, Repository, current_trust, trust_at_hand
from modelsign.transport import Patience, Transport

QUICK = Patience(connect=2.0, silence=2.0, answer=5.0, tries=2, backoff=0.01)
ONLINE, OFFLINE = Transport(QUICK), Transport(QUICK, offline=True)
ROOT = json.dumps({"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}).encode()
NEWER = json.dumps({"mediaType": "application/vnd.dev.sigstore.trustedroot.v0.2+json"}).encode()
CONFIG = json.dumps({"mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json"}).encode()
DOCUMENTS = {"trusted_root.json": ROOT, "signing_config.v0.2.json": CONFIG}
MONTH = timedelta(days=30)


def now():
    return datetime.now(UTC)


@pytest.fixture
def tuf(tmp_path):
    repository = TufRepository(tmp_path / "tuf")
    repository.publish(DOCUMENTS, 2)
    return repository


@pytest.fixture
def ask(tuf, tmp_path):
    def asking(transport=ONLINE, *, at=None, max_age=None, **changes):
        repository = Repository(tuf.url, str(tmp_path / "copies"), tuf.first_root)._replace(**changes)
        return current_trust(repository, transport, now=at or now(), max_age=max_age)

    return asking


def digest(current):
    return current.dated.root.digest


def test_what_the_repository_says_is_used(tuf, ask):
    with tuf.served():
        at = now()
        current = ask(at=at)
    assert current.dated.as_of == at
    assert current.signing_config == json.loads(CONFIG)
    assert current.warnings == ()


def test_without_a_network_the_copy_is_used_and_its_age_is_told(tuf, ask):
    with tuf.served():
        online = ask()
    later = ask(OFFLINE, at=now() + timedelta(days=9))
    assert digest(later) == digest(online)
    assert later.signing_config == online.signing_config
    assert any("9 days old" in note for note in later.warnings)


def test_offline_opens_no_socket(tuf, ask, monkeypatch):
    with tuf.served():
        ask()

    def forbidden(*_, **__):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", forbidden)
    monkeypatch.setattr(socket, "create_connection", forbidden)
    assert ask(OFFLINE).dated.root


@pytest.mark.parametrize(("days", "refused"), [(29, False), (31, True)])
def test_the_age_of_a_copy_can_be_limited(tuf, ask, days, refused):
    with tuf.served():
        ask()
    at = now() + timedelta(days=days)
    if refused:
        assert refused_with(ask, OFFLINE, at=at, max_age=MONTH) == "TRUST_ROOT_TOO_OLD"
    else:
        assert ask(OFFLINE, at=at, max_age=MONTH)


def test_a_repository_out_of_reach_is_told_although_there_is_a_copy(tuf, ask):
    with tuf.served():
        ask()
    assert refused_with(ask) == "NETWORK_UNREACHABLE"


def test_a_repository_out_of_reach_is_done_without_where_the_age_is_limited(tuf, ask):
    with tuf.served():
        ask()
    current = ask(at=now() + timedelta(days=3), max_age=MONTH)
    assert any("could not be reached" in note for note in current.warnings)
    assert any("3 days old" in note for note in current.warnings)
    assert refused_with(ask, at=now() + timedelta(days=40), max_age=MONTH) == "TRUST_ROOT_TOO_OLD"


def test_a_repository_that_went_back_is_refused_whatever_the_age(tuf, ask):
    with tuf.served():
        ask()
        tuf.publish({**DOCUMENTS, "trusted_root.json": NEWER}, 1)
        assert refused_with(ask, max_age=MONTH) == "TRUST_UPDATE_REFUSED"


def test_a_repository_that_expired_is_refused(tuf, ask):
    tuf.publish(DOCUMENTS, 3, days=-1)
    with tuf.served():
        fault = refusal(ask, max_age=MONTH)
    assert fault.code == "TRUST_UPDATE_REFUSED"
    assert "expired" in fault.message


def test_metadata_that_somebody_else_signed_is_refused(tuf, ask):
    tuf.publish(DOCUMENTS, 3, signer=CryptoSigner.generate_ecdsa())
    with tuf.served():
        assert refused_with(ask) == "TRUST_UPDATE_REFUSED"


def test_a_document_that_was_changed_on_the_way_is_refused(tuf, ask):
    for place in (tuf.folder / "targets").glob("*.trusted_root.json"):
        place.write_bytes(ROOT + b" ")
    with tuf.served():
        assert refused_with(ask) == "TRUST_UPDATE_REFUSED"


@pytest.mark.parametrize("garbage", [b"", b"[]", b"not json", b"{" * 1000])
def test_metadata_that_cannot_be_read_is_refused(tuf, ask, garbage):
    (tuf.folder / "timestamp.json").write_bytes(garbage)
    with tuf.served():
        assert refused_with(ask) == "TRUST_UPDATE_REFUSED"


def test_a_repository_without_a_trust_root_is_refused(tuf, ask):
    tuf.publish({"signing_config.v0.2.json": CONFIG}, 3)
    with tuf.served():
        assert refused_with(ask) == "TRUST_UPDATE_REFUSED"


def test_a_repository_without_a_signing_configuration_is_good_for_verifying(tuf, ask):
    tuf.publish({"trusted_root.json": ROOT}, 3)
    with tuf.served():
        assert ask().signing_config is None


def test_a_newer_document_takes_the_place_of_the_copy(tuf, ask):
    with tuf.served():
        first = digest(ask())
        tuf.publish({**DOCUMENTS, "trusted_root.json": NEWER}, 3)
        assert digest(ask()) != first
    assert digest(ask(OFFLINE)) != first


def test_a_first_root_of_somebody_else_is_refused(tuf, ask, tmp_path):
    other = TufRepository(tmp_path / "other")
    with tuf.served():
        assert refused_with(ask, first_root=other.first_root) == "TRUST_UPDATE_REFUSED"


def test_without_a_first_root_a_repository_of_ones_own_is_not_asked(tuf, ask):
    with tuf.served():
        assert refused_with(ask, first_root=None) == "TRUST_ROOT_UNKNOWN"
    assert tuf.asked == []


def test_without_a_copy_and_without_a_network_there_is_no_root_of_ones_own(tuf, ask):
    with tuf.served():
        pass
    assert refused_with(ask, OFFLINE) == "TRUST_ROOT_UNKNOWN"


def test_the_public_instances_root_is_the_shipped_one_where_there_is_no_copy(tmp_path):
    current = trust_at_hand(Repository(PUBLIC_GOOD, str(tmp_path)), now=now())
    assert current.dated.place == "the installed sigstore package"
    assert "days old" in current.warnings[0]
    assert choose_services(current.signing_config, now=now()).authority == "https://fulcio.sigstore.dev"
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_to_is_told(tuf, ask, tmp_path):
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with tuf.served():
        assert refused_with(ask, folder=str(tmp_path / "file")) == "OUTPUT_UNWRITABLE"


def test_a_repository_is_asked_over_an_encrypted_line(tuf, tmp_path):
    repository = Repository("http://tuf.example", str(tmp_path), tuf.first_root)
    assert refused_with(current_trust, repository, ONLINE, now=now()) == "NETWORK_URL_REFUSED"
