"""Revocation lists and OCSP responses: whom they are believed, and what they mean for a signature."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from certificatelab import CA, DAY, LEAF, NAMES, NOW, RESPONDER, Authority, openssl
from cryptography import x509
from cryptography.x509.ocsp import load_der_ocsp_response
from paperchain import Link
from refusals import refused_with

from modelsign import limits
from modelsign.signing.x509.chain import find_chains
from modelsign.signing.x509.crl import load_revocation_lists
from modelsign.signing.x509.ocsp import load_ocsp_response
from modelsign.signing.x509.status import RevocationSources, check_revocation

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from certificatelab import Issued, Lab

LATER = NOW + timedelta(hours=1)
"""When everything is judged: openssl's answers are from the present, and must not be from the future."""


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "ca")


def status(  # noqa: PLR0913 - the parts of a situation
    leaf: Issued,
    authority: Authority,
    *sources: Path,
    at: datetime = LATER,
    now: datetime = LATER,
    required: bool = False,
    between: tuple[Any, ...] = (),
) -> tuple[str, ...]:
    lists = [entry for path in sources if path.suffix == ".crl" for entry in load_revocation_lists(path.read_bytes())]
    answers = [load_ocsp_response(path.read_bytes()) for path in sources if path.suffix == ".ocsp"]
    pool = [entry.certificate for entry in between]
    chain = find_chains(leaf.certificate, roots=[authority.certificate], intermediates=pool)[0]
    found = RevocationSources(tuple(lists), tuple(answers), required=required)
    return check_revocation(chain, found, at=at, now=now, intermediates=pool)


def test_nothing_known_is_enough_unless_a_status_is_required(authority: Authority) -> None:
    leaf = authority.issue("leaf")
    assert status(leaf, authority) == ()
    assert refused_with(status, leaf, authority, required=True) == "REVOCATION_STATUS_MISSING"


def test_a_current_list_without_the_certificate_says_that_it_is_good(authority: Authority) -> None:
    leaf = authority.issue("leaf")
    assert status(leaf, authority, authority.crl("list"), required=True) == ()


def test_every_certificate_below_the_root_needs_a_status(lab: Lab) -> None:
    of_root, of_middle = lab.root.crl("all"), lab.middle.crl("all")
    assert status(lab.leaf, lab.root, of_root, of_middle, required=True, between=(lab.middle,)) == ()
    for one in (of_root, of_middle):
        code = refused_with(status, lab.leaf, lab.root, one, required=True, between=(lab.middle,))
        assert code == "REVOCATION_STATUS_MISSING"


def test_a_listed_certificate_is_revoked(authority: Authority) -> None:
    leaf = authority.issue("leaf")
    authority.revoke(leaf)
    assert refused_with(status, leaf, authority, authority.crl("list")) == "CERTIFICATE_REVOKED"


def test_a_revoked_authority_takes_those_below_along(tmp_path: Path) -> None:
    root = Authority(tmp_path, "root")
    middle = Authority(tmp_path, "middle", root)
    leaf = middle.issue("leaf")
    root.revoke(middle.issued, "-crl_CA_compromise", _time(NOW - 3 * DAY))
    code = refused_with(status, leaf, root, root.crl("list"), middle.crl("list"), between=(middle,))
    assert code == "CERTIFICATE_REVOKED"


def test_a_signature_proven_older_than_the_revocation_stays_good(authority: Authority) -> None:
    leaf = authority.issue("leaf")
    authority.revoke(leaf, "-crl_reason", "superseded")
    crl = authority.crl("list")
    (warning,) = status(leaf, authority, crl, at=NOW - DAY)
    assert "superseded" in warning
    assert refused_with(status, leaf, authority, crl, at=NOW + DAY / 2, now=NOW + DAY) == "CERTIFICATE_REVOKED"


def test_a_key_thought_lost_since_a_date_counts_from_that_date(authority: Authority) -> None:
    leaf = authority.issue("leaf")
    authority.revoke(leaf, "-crl_compromise", _time(NOW - 5 * DAY))
    crl = authority.crl("list")
    assert refused_with(status, leaf, authority, crl, at=NOW - 5 * DAY) == "CERTIFICATE_REVOKED"
    assert refused_with(status, leaf, authority, crl, at=NOW - DAY) == "CERTIFICATE_REVOKED"
    assert len(status(leaf, authority, crl, at=NOW - 6 * DAY)) == 1


def test_a_list_out_of_date_still_tells_what_was_revoked_and_not_what_is_good(authority: Authority) -> None:
    good, bad = authority.issue("good"), authority.issue("bad")
    authority.revoke(bad)
    old = authority.crl("old", last=NOW - 9 * DAY, end=NOW - DAY)
    assert refused_with(status, bad, authority, old) == "CERTIFICATE_REVOKED"
    assert refused_with(status, good, authority, old) == "CRL_STALE"
    (warning,) = status(good, authority, old, authority.crl("new"))
    assert "was good until" in warning


def test_a_list_from_the_future_is_not_current(authority: Authority) -> None:
    leaf = authority.issue("leaf")
    crl = authority.crl("list", last=LATER + DAY, end=LATER + 2 * DAY)
    assert refused_with(status, leaf, authority, crl) == "CRL_STALE"


def test_a_list_by_a_stranger_of_the_same_name_is_not_believed(lab: Lab, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "middle")
    for revoked in (False, True):
        if revoked:
            (stranger.folder / "index").write_bytes((lab.middle.folder / "index").read_bytes())
            stranger.revoke(lab.leaf)
        code = refused_with(status, lab.leaf, lab.root, stranger.crl("list"), between=(lab.middle,))
        assert code == "CRL_UNTRUSTED"


def test_a_list_of_somebody_else_has_nothing_to_say(lab: Lab, authority: Authority) -> None:
    leaf = authority.issue("leaf")
    assert status(leaf, authority, lab.middle.crl("other")) == ()
    code = refused_with(status, leaf, authority, lab.middle.crl("other"), required=True)
    assert code == "REVOCATION_STATUS_MISSING"


def test_an_authority_that_may_not_sign_lists_signs_none(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ca", extensions=CA.replace(",cRLSign", ""))
    assert refused_with(status, authority.issue("leaf"), authority, authority.crl("list")) == "CRL_UNTRUSTED"


def test_a_certificate_made_for_it_signs_lists_for_the_authority(tmp_path: Path) -> None:
    root = Authority(tmp_path, "root")
    made = "basicConstraints=CA:FALSE\nkeyUsage=critical,cRLSign\n"
    signer = root.issue("signer", subject="/O=Acme/CN=root", extensions=made)
    forger = root.issue("forger", subject="/O=Acme/CN=root", extensions=LEAF)
    leaf = root.issue("leaf")
    assert status(leaf, root, root.crl("list", signer=signer), between=(signer,), required=True) == ()
    assert refused_with(status, leaf, root, root.crl("list", signer=signer)) == "CRL_UNTRUSTED"
    code = refused_with(status, leaf, root, root.crl("list", signer=forger), between=(forger, signer))
    assert code == "CRL_UNTRUSTED"


def test_a_signer_of_lists_must_be_valid_now(tmp_path: Path) -> None:
    root = Authority(tmp_path, "root")
    made = {"subject": "/O=Acme/CN=root", "extensions": "keyUsage=critical,cRLSign\n"}
    old = root.issue("old", start=NOW - 9 * DAY, end=NOW - DAY, **made)
    code = refused_with(status, root.issue("leaf"), root, root.crl("list", signer=old), between=(old,))
    assert code == "CRL_UNTRUSTED"


@pytest.mark.parametrize(
    ("extensions", "code"),
    [
        ("issuingDistributionPoint=critical,@p\n[p]\nindirectCRL=TRUE\n", "CRL_UNSUPPORTED"),
        ("issuingDistributionPoint=critical,@p\n[p]\nonlysomereasons=keyCompromise\n", "CRL_UNSUPPORTED"),
        ("2.5.29.27=critical,DER:020101\n", "CRL_UNSUPPORTED"),
        ("1.2.3.4=critical,DER:0500\n", "CRL_UNSUPPORTED"),
        ("issuingDistributionPoint=critical,@p\n[p]\nonlyCA=TRUE\n", "REVOCATION_STATUS_MISSING"),
        ("issuingDistributionPoint=critical,@p\n[p]\nonlyAA=TRUE\n", "REVOCATION_STATUS_MISSING"),
        (
            "issuingDistributionPoint=critical,@p\n[p]\nfullname=URI:http://example.org/other.crl\n",
            "REVOCATION_STATUS_MISSING",
        ),
        ("issuingDistributionPoint=critical,@p\n[p]\nfullname=URI:http://example.org/this.crl\n", None),
        ("issuingDistributionPoint=critical,@p\n[p]\nonlyuser=TRUE\n", None),
        ("authorityKeyIdentifier=keyid\n", None),
    ],
)
def test_the_scope_of_a_list_is_honoured(authority: Authority, extensions: str, code: str | None) -> None:
    leaf = authority.issue("leaf", extensions=LEAF + NAMES + "crlDistributionPoints=URI:http://example.org/this.crl\n")
    crl = authority.crl("list", extensions=extensions)
    if code is None:
        assert status(leaf, authority, crl, required=True) == ()
    else:
        assert refused_with(status, leaf, authority, crl, required=True) == code


def test_an_entry_taken_back_belongs_into_no_complete_list(authority: Authority) -> None:
    leaf = authority.issue("leaf")
    authority.revoke(leaf, "-crl_reason", "removeFromCRL")
    assert refused_with(status, leaf, authority, authority.crl("list")) == "CRL_UNSUPPORTED"


def test_a_certificate_on_hold_is_revoked(authority: Authority) -> None:
    leaf = authority.issue("leaf")
    authority.revoke(leaf, "-crl_hold", "holdInstructionNone")
    assert refused_with(status, leaf, authority, authority.crl("list")) == "CERTIFICATE_REVOKED"


def test_lists_are_read_in_pem_and_der_one_or_many(authority: Authority, lab: Lab) -> None:
    pem = authority.crl("one").read_bytes()
    der = openssl("crl", "-outform", "DER", stdin=pem)
    assert [entry.label for entry in load_revocation_lists(der)] == ["the revocation list of CN=ca,O=Acme"]
    assert len(load_revocation_lists(pem + b"words between\n" + lab.middle.crl("two").read_bytes())) == 2


@pytest.mark.parametrize("data", [b"", b"0", b"-----BEGIN CERTIFICATE-----\n", b"-----BEGIN X509 CRL-----\nAAAA\n"])
def test_what_is_no_list_is_malformed(data: bytes) -> None:
    assert refused_with(load_revocation_lists, data) == "CRL_MALFORMED"


def test_every_cut_of_a_list_and_a_response_has_an_answer(authority: Authority) -> None:
    crl = openssl("crl", "-outform", "DER", stdin=authority.crl("list").read_bytes())
    response = authority.ocsp("answer", authority.issue("leaf")).read_bytes()
    for length in range(len(crl)):
        assert refused_with(load_revocation_lists, crl[:length]) == "CRL_MALFORMED"
    for length in range(len(response)):
        assert refused_with(load_ocsp_response, response[:length]) == "OCSP_MALFORMED"


def test_lists_and_responses_have_a_greatest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CRL_BYTES", 10)
    monkeypatch.setattr(limits, "OCSP_BYTES", 10)
    assert refused_with(load_revocation_lists, bytes(11)) == "CRL_MALFORMED"
    assert refused_with(load_ocsp_response, bytes(11)) == "OCSP_MALFORMED"


@pytest.mark.parametrize("digest", ["-sha1", "-sha256", "-sha384", "-sha512"])
def test_the_authority_answers_that_a_certificate_is_good(authority: Authority, digest: str) -> None:
    leaf = authority.issue("leaf")
    assert status(leaf, authority, authority.ocsp("answer", leaf, digest), required=True) == ()


def test_a_revoked_certificate_is_answered_so(authority: Authority) -> None:
    leaf = authority.issue("leaf")
    authority.revoke(leaf, "-crl_reason", "affiliationChanged")
    answer = authority.ocsp("answer", leaf)
    assert refused_with(status, leaf, authority, answer) == "CERTIFICATE_REVOKED"
    (warning,) = status(leaf, authority, answer, at=NOW - DAY)
    assert "affiliationChanged" in warning
    assert refused_with(status, leaf, authority, answer, authority.crl("old", last=NOW - DAY)) == "CERTIFICATE_REVOKED"


def test_an_answer_is_good_for_its_time(authority: Authority) -> None:
    leaf = authority.issue("leaf")
    answer, endless = authority.ocsp("answer", leaf), authority.ocsp("endless", leaf, "-no_next")
    for one in (answer, endless):
        assert refused_with(status, leaf, authority, one, at=LATER, now=LATER + 2 * DAY) == "OCSP_STALE"
        assert refused_with(status, leaf, authority, one, at=NOW - DAY, now=NOW - DAY) == "OCSP_STALE"
        assert status(leaf, authority, one, required=True) == ()


def test_a_certificate_the_responder_never_saw_is_refused(authority: Authority, lab: Lab) -> None:
    leaf = authority.issue("leaf")
    (authority.folder / "index").write_text("")
    assert refused_with(status, leaf, authority, authority.ocsp("answer", leaf)) == "OCSP_UNKNOWN_CERTIFICATE"
    other = lab.middle.ocsp("answer", lab.leaf)
    assert status(leaf, authority, other) == ()


def test_a_responder_answers_if_the_authority_made_it_one(authority: Authority) -> None:
    leaf, responder = authority.issue("leaf"), authority.issue("responder", extensions=RESPONDER)
    for named in ((), ("-resp_key_id",)):
        answer = authority.ocsp("answer", leaf, *named, signer=responder)
        assert status(leaf, authority, answer, required=True) == ()


def test_an_authority_for_code_alone_may_have_a_responder(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ca", extensions=CA + "extendedKeyUsage=codeSigning\n")
    leaf, responder = authority.issue("leaf"), authority.issue("responder", extensions=RESPONDER)
    assert status(leaf, authority, authority.ocsp("answer", leaf, signer=responder), required=True) == ()


def test_nobody_else_answers_for_an_authority(authority: Authority, lab: Lab) -> None:
    leaf = authority.issue("leaf")
    untold = authority.issue("untold", extensions=LEAF)
    old = authority.issue("old", extensions=RESPONDER, start=NOW - 9 * DAY, end=NOW - DAY)
    strange = lab.middle.issue("strange", extensions=RESPONDER)
    for signer in (leaf, untold, old, strange):
        answer = authority.ocsp("answer", leaf, signer=signer)
        assert refused_with(status, leaf, authority, answer) == "OCSP_UNTRUSTED"


def test_an_answer_without_its_responder_is_believed_of_the_authority_alone(authority: Authority) -> None:
    leaf, responder = authority.issue("leaf"), authority.issue("responder", extensions=RESPONDER)
    answer = authority.ocsp("answer", leaf, "-resp_no_certs", signer=responder)
    assert refused_with(status, leaf, authority, answer) == "OCSP_UNTRUSTED"
    assert status(leaf, authority, authority.ocsp("own", leaf, "-resp_no_certs"), required=True) == ()


@pytest.mark.parametrize(
    ("made", "load", "parse", "code"),
    [
        (Link.revocation_list, load_revocation_lists, x509.load_der_x509_crl, "CRL_MALFORMED"),
        (lambda link: link.answer(link), load_ocsp_response, load_der_ocsp_response, "OCSP_MALFORMED"),
    ],
    ids=["list", "response"],
)
def test_a_signature_with_unused_bits_is_malformed(
    made: Callable[[Link], bytes], load: Callable[[bytes], object], parse: Callable[[bytes], Any], code: str
) -> None:
    """They are not signed; where the last bits of a signature are 0 other readers take such a document too."""
    link = Link("an authority")
    der = next(der for der in (made(link) for _ in range(100)) if parse(der).signature[-1] % 2 == 0)
    assert load(der)
    place = der.index(parse(der).signature) - 1
    changed = der[:place] + b"\x01" + der[place + 1 :]
    assert parse(changed).signature == parse(der).signature
    assert refused_with(load, changed) == code


def test_every_flipped_bit_of_a_response_makes_it_worth_nothing(authority: Authority) -> None:
    leaf = authority.issue("leaf")
    path = authority.ocsp("answer", leaf, "-resp_no_certs")
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :])
        code = refused_with(status, leaf, authority, path, required=True)
        assert code.startswith("OCSP_") or code == "REVOCATION_STATUS_MISSING", place


def test_responses_are_read_in_pem_too(authority: Authority) -> None:
    leaf = authority.issue("leaf")
    path = authority.ocsp("answer", leaf)
    text = openssl("base64", stdin=path.read_bytes())
    path.write_bytes(b"-----BEGIN OCSP RESPONSE-----\n" + text + b"-----END OCSP RESPONSE-----\n")
    assert status(leaf, authority, path, required=True) == ()
    assert refused_with(load_ocsp_response, b"-----BEGIN OCSP RESPONSE-----\n?\n") == "OCSP_MALFORMED"


def test_an_error_is_no_answer() -> None:
    assert refused_with(load_ocsp_response, bytes.fromhex("30030a0106")) == "OCSP_NO_ANSWER"


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%d%H%M%SZ")
