"""Lists and responses are fetched from where the certificates of a trusted chain say."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from certificatelab import LEAF, NAMES, NOW, Authority, openssl
from refusals import refused_with
from scriptedserver import Says, scripted

from modelsign.signing.x509.chain import find_chains
from modelsign.signing.x509.fetch import fetch_revocation
from modelsign.signing.x509.ocsp import load_ocsp_response
from modelsign.transport import Patience, Transport

if TYPE_CHECKING:
    from pathlib import Path

    from certificatelab import Issued

    from modelsign.signing.x509.chain import Chain

TRANSPORT = Transport(Patience(tries=1))


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "ca")


def chain(authority: Authority, leaf: Issued) -> tuple[Chain, ...]:
    return find_chains(leaf.certificate, roots=[authority.certificate], intermediates=[])


def naming(authority: Authority, name: str, *, ocsp: tuple[str, ...] = (), lists: tuple[str, ...] = ()) -> Issued:
    """Issue a certificate that names places."""
    extensions = LEAF + NAMES
    if ocsp:
        extensions += "authorityInfoAccess=" + ",".join(f"OCSP;URI:{url}" for url in ocsp) + "\n"
    if lists:
        extensions += "crlDistributionPoints=" + ",".join(f"URI:{url}" for url in lists) + "\n"
    return authority.issue(name, extensions=extensions)


def test_a_certificate_that_names_no_place_is_asked_about_nowhere(authority: Authority) -> None:
    found = fetch_revocation(Transport(offline=True), chain(authority, authority.issue("leaf")))
    assert (found.lists, found.answers) == ((), ())


def test_a_list_is_fetched(authority: Authority) -> None:
    with scripted(Says(body=authority.crl("list").read_bytes())) as server:
        leaf = naming(authority, "leaf", lists=(f"{server.url}/ca.crl",))
        found = fetch_revocation(TRANSPORT, chain(authority, leaf))
    assert [entry.label for entry in found.lists] == ["the revocation list of CN=ca,O=Acme"]
    assert [(asked.method, asked.path) for asked in server.asked] == [("GET", "/ca.crl")]


def test_a_response_is_fetched_and_openssl_understands_the_question(authority: Authority, tmp_path: Path) -> None:
    with scripted(Says()) as server:
        leaf = naming(authority, "leaf", ocsp=(server.url,))
        server.answers[:] = [Says(body=authority.ocsp("answer", leaf, "-sha1").read_bytes())]
        found = fetch_revocation(TRANSPORT, chain(authority, leaf))
    question, answered = tmp_path / "question", tmp_path / "answered"
    question.write_bytes(server.asked[0].body)
    words = ("-index", authority.folder / "index", "-CA", authority.path, "-ndays", "1")
    by = ("-rsigner", authority.path, "-rkey", authority.issued.key_path)
    openssl("ocsp", "-reqin", question, "-respout", answered, *words, *by)
    for answer in (*found.answers, load_ocsp_response(answered.read_bytes())):
        now = NOW + timedelta(hours=1)
        assert answer.ask(leaf.certificate, authority.certificate, now) == (None, None)
        assert answer.speaks_of(leaf.certificate, authority.certificate)


def test_a_list_is_fetched_where_no_responder_answers(authority: Authority) -> None:
    busy = Says(status=404)
    with scripted(busy) as silent, scripted(Says(body=authority.crl("list").read_bytes())) as server:
        leaf = naming(authority, "leaf", ocsp=(silent.url,), lists=("ldap://example.org/x", f"{server.url}/ca.crl"))
        found = fetch_revocation(TRANSPORT, chain(authority, leaf))
    assert (len(found.lists), found.answers) == (1, ())
    assert silent.asked[0].headers["Content-Type"] == "application/ocsp-request"


def test_no_answer_anywhere_is_a_reason(authority: Authority) -> None:
    with scripted(Says(status=404)) as silent, scripted(Says(body=b"a web page")) as other:
        leaf = naming(authority, "leaf", ocsp=(silent.url,), lists=(other.url,))
        assert refused_with(fetch_revocation, TRANSPORT, chain(authority, leaf)) == "CRL_MALFORMED"
        leaf = naming(authority, "second", ocsp=(silent.url,))
        assert refused_with(fetch_revocation, TRANSPORT, chain(authority, leaf)) == "NETWORK_REQUEST_REFUSED"
        offline = Transport(offline=True)
        assert refused_with(fetch_revocation, offline, chain(authority, leaf)) == "NETWORK_OFFLINE"


def test_only_a_few_places_are_tried(authority: Authority) -> None:
    with scripted(Says(status=404)) as silent:
        leaf = naming(authority, "leaf", lists=tuple(f"{silent.url}/{number}" for number in range(9)))
        assert refused_with(fetch_revocation, TRANSPORT, chain(authority, leaf)) == "NETWORK_REQUEST_REFUSED"
    assert len(silent.asked) == 3


def test_a_place_that_is_no_web_address_is_passed_over(authority: Authority) -> None:
    leaf = naming(authority, "leaf", lists=("ldap://example.org/x", "file:///etc/passwd"))
    assert fetch_revocation(Transport(offline=True), chain(authority, leaf)).lists == ()
