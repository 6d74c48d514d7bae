"""An authority speaks only for the names it was given (RFC 5280, section 4.2.1.10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from certificatelab import CA, LEAF, Authority, openssl
from refusals import refused_with

from modelsign.signing.x509.certificates import load_certificate
from modelsign.signing.x509.chain import check_chain
from modelsign.signing.x509.name_constraints import check_names

if TYPE_CHECKING:
    from pathlib import Path

    from certificatelab import Lab

PERMITTED = (
    ("permitted;DNS:example.org", "DNS:example.org", "DNS:badexample.org"),
    ("permitted;DNS:example.org", "DNS:a.b.Example.ORG", "DNS:example.com"),
    ("permitted;DNS:.example.org", "DNS:a.example.org", "DNS:example.org"),
    ("excluded;DNS:example.org", "DNS:example.com", "DNS:a.example.org"),
    ("permitted;email:example.org", "email:ci@EXAMPLE.org", "email:ci@a.example.org"),
    ("permitted;email:.example.org", "email:ci@a.example.org", "email:ci@example.org"),
    ("permitted;email:ci@example.org", "email:ci@example.org", "email:CI@example.org"),
    ("permitted;email:example.org", "DNS:elsewhere.org", "email:a@b@example.org"),
    ("excluded;email:example.org", "email:ci@example.com", "email:ci@example.org"),
    ("permitted;URI:example.org", "URI:https://example.org:443/x", "URI:https://a.example.org/x"),
    ("permitted;URI:.example.org", "URI:https://a.example.org/x", "URI:https://example.org@evil.com/"),
    ("permitted;URI:.example.org", "email:a@b.c", "URI:urn:uuid:1"),
    ("excluded;URI:.example.org", "URI:https://example.com/", "URI:https://192.0.2.1/"),
    ("permitted;IP:192.0.2.0/255.255.255.0", "IP:192.0.2.7", "IP:192.0.3.7"),
    ("permitted;IP:2001:db8::/ffff:ffff::", "IP:2001:db8::1", "IP:192.0.2.7"),
    ("excluded;IP:192.0.2.0/255.255.255.0", "IP:2001:db8::1", "IP:192.0.2.7"),
    ("permitted;otherName:1.2.3.4;UTF8:x", "DNS:anything.org", "otherName:1.2.3.4;UTF8:x"),
    ("excluded;RID:1.2.3", "DNS:anything.org", "RID:1.2.4"),
)


@pytest.mark.parametrize(("constraint", "allowed", "refused"), PERMITTED)
def test_names_within_the_constraint_are_allowed_and_others_refused(
    tmp_path: Path, constraint: str, allowed: str, refused: str
) -> None:
    authority = Authority(tmp_path, "ca", extensions=f"{CA}nameConstraints=critical,{constraint}\n")
    good = authority.issue("good", extensions=f"{LEAF}subjectAltName={allowed}\n")
    bad = authority.issue("bad", extensions=f"{LEAF}subjectAltName={allowed},{refused}\n")
    check_names(authority.certificate, good.certificate)
    assert refused_with(check_names, authority.certificate, bad.certificate) == "CERTIFICATE_NAME_NOT_PERMITTED"


def test_directory_names_are_compared_without_regard_to_case_and_white_space(tmp_path: Path) -> None:
    under = "nameConstraints=critical,permitted;dirName:here\n[here]\nO=Acme  Models\n"
    authority = Authority(tmp_path, "ca", extensions=CA + under)
    good = authority.issue("good", subject="/O=ACME models/CN=x")
    check_names(authority.certificate, good.certificate)
    for number, subject in enumerate(("/O=Acme/CN=x", "/CN=x/O=Acme Models", "/O=Acme Models Inc/CN=x")):
        bad = authority.issue(f"bad{number}", subject=subject)
        assert refused_with(check_names, authority.certificate, bad.certificate) == "CERTIFICATE_NAME_NOT_PERMITTED"


def test_an_address_in_the_subject_is_an_address(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ca", extensions=f"{CA}nameConstraints=critical,permitted;email:example.org\n")
    for host, code in (("example.org", None), ("evil.org", "CERTIFICATE_NAME_NOT_PERMITTED")):
        leaf = authority.issue(host, subject=f"/CN=x/emailAddress=ci@{host}", extensions=LEAF).certificate
        if code is None:
            check_names(authority.certificate, leaf)
        else:
            assert refused_with(check_names, authority.certificate, leaf) == code


def test_constraints_hold_for_everything_below_but_renewals_of_an_authority(tmp_path: Path) -> None:
    root = Authority(
        tmp_path, "root", extensions=f"{CA}nameConstraints=critical,permitted;dirName:here\n[here]\nO=Acme\n"
    )
    inside, outside = Authority(tmp_path, "inside", root), root.issue("outside", subject="/O=Evil/CN=x", extensions=CA)
    leaf = inside.issue("leaf")
    check_chain((leaf.certificate, inside.certificate, root.certificate), leaf.certificate.not_before)
    chain = (leaf.certificate, outside.certificate, root.certificate)
    assert refused_with(check_chain, chain, leaf.certificate.not_before) == "CERTIFICATE_NAME_NOT_PERMITTED"


def test_openssl_judges_the_same(tmp_path: Path, lab: Lab) -> None:
    authority = Authority(tmp_path, "ca", extensions=f"{CA}nameConstraints=critical,permitted;DNS:example.org\n")
    good = authority.issue("good", extensions=f"{LEAF}subjectAltName=DNS:a.example.org\n")
    assert b": OK" in openssl("verify", "-x509_strict", "-CAfile", authority.path, good.path)
    bad = authority.issue("bad", extensions=f"{LEAF}subjectAltName=DNS:example.com\n")
    with pytest.raises(AssertionError, match="permitted subtree violation"):
        openssl("verify", "-x509_strict", "-CAfile", authority.path, bad.path)
    check_names(lab.root.certificate, load_certificate(bad.path.read_bytes()))  # which has no constraints
