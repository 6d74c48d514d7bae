"""Whose certificate it is: names are compared by kind, exactly or by globs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from certificatelab import LEAF, NAMES
from refusals import refusal, refused_with

from modelsign.signing.x509.identity import any_identity, exact_identity, glob_identity, names_of

if TYPE_CHECKING:
    from certificatelab import Lab

MISMATCH = "CERTIFICATE_IDENTITY_MISMATCH"


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("https://example.org/release", "uri:https://example.org/release"),
        ("uri:https://example.org/release", "uri:https://example.org/release"),
        ("ci@example.org", "email:ci@example.org"),
        ("ci.example.org", "dns:ci.example.org"),
        ("CN=leaf,O=Acme", "subject:CN=leaf,O=Acme"),
        ("subject:CN=leaf,O=Acme", "subject:CN=leaf,O=Acme"),
    ],
)
def test_a_name_is_found_by_its_form_or_its_kind(lab: Lab, asked: str, found: str) -> None:
    assert exact_identity(asked).match(lab.leaf.certificate) == found


@pytest.mark.parametrize(
    "asked",
    [
        "https://example.org/releas",
        "https://example.org/release/",
        "HTTPS://example.org/release",
        "CI@example.org",
        "email:ci.example.org",
        "dns:https://example.org/release",
        "other:ci@example.org",
        "O=Acme",
        "O=Acme,CN=leaf",
        "C=DE,CN=leaf,O=Acme",
    ],
)
def test_nothing_but_the_very_name_will_do(lab: Lab, asked: str) -> None:
    fault = refusal(exact_identity(asked).match, lab.leaf.certificate)
    assert fault.code == MISMATCH
    assert "email:ci@example.org" in fault.message


@pytest.mark.parametrize(
    ("glob", "meets"),
    [
        ("https://example.org/*", True),
        ("https://*.org/release", True),
        ("https://*/release", True),
        ("https://example.org*", False),
        ("https://exa*ease", False),
        ("uri:**", True),
        ("uri:*", False),
        ("*@example.org", True),
        ("email:*", False),
        ("email:**", True),
        ("*.example.org", True),
        ("*.org", False),
        ("**.org", True),
        ("c?.example.org", True),
        ("ci?example.org", False),
        ("CN=*,O=Acme", True),
        ("CN=l??f,O=A*", True),
        ("O=Acme*", False),
        ("CN=*", False),
    ],
)
def test_stars_stay_within_a_part_of_a_name(lab: Lab, glob: str, meets: bool) -> None:  # noqa: FBT001 - the answer
    identity = glob_identity(glob)
    if meets:
        assert identity.match(lab.leaf.certificate)
    else:
        assert refused_with(identity.match, lab.leaf.certificate) == MISMATCH


@pytest.mark.parametrize(
    ("name", "glob"),
    [
        ("URI:https://evil.org/?x=.example.org/release", "https://*.example.org/release"),
        ("URI:https://evil.org#.example.org/release", "https://*.example.org/release"),
        ("URI:https://me@evil.org/release", "https://*.org/release"),
        ("URI:https://evil.org:80/release", "https://*/release"),
        ("email:a@evil.org@example.org", "*@example.org"),
    ],
)
def test_a_star_cannot_leave_the_host_it_stands_in(lab: Lab, name: str, glob: str) -> None:
    leaf = lab.special(f"star{abs(hash(name))}", f"{LEAF}subjectAltName={name}\n")
    assert refused_with(glob_identity(glob).match, leaf.certificate) == MISMATCH


def test_a_comma_in_a_common_name_is_no_further_attribute(lab: Lab) -> None:
    leaf = lab.middle.issue("comma", subject="/CN=evil,O=Acme", extensions=LEAF).certificate
    assert refused_with(glob_identity("CN=*,O=Acme").match, leaf) == MISMATCH
    assert refused_with(exact_identity("CN=evil,O=Acme").match, leaf) == MISMATCH
    assert exact_identity("CN=evil\\,O=Acme").match(leaf)


def test_nor_is_one_in_a_directory_name(lab: Lab) -> None:
    named = "{0}subjectAltName=dirName:d\n[d]\n{1}\n"
    evil = lab.special("evil-directory", named.format(LEAF, "CN=evil\\,O=Acme")).certificate
    good = lab.special("good-directory", named.format(LEAF, "O=Acme\nCN=good")).certificate
    assert names_of(evil) == ("directory:CN=evil\\,O=Acme",)
    asked = glob_identity("directory:CN=*,O=Acme")
    assert asked.match(good) == "directory:CN=good,O=Acme"
    assert refused_with(asked.match, evil) == MISMATCH


def test_a_kind_never_stands_for_another(lab: Lab) -> None:
    """An authority that checks e-mail addresses may let anybody choose a URI."""
    leaf = lab.special("kinds", f"{LEAF}subjectAltName=URI:ci@example.org,DNS:https://example.org/release\n")
    assert names_of(leaf.certificate) == ("uri:ci@example.org", "dns:https://example.org/release")
    for asked in ("ci@example.org", "https://example.org/release"):
        assert refused_with(exact_identity(asked).match, leaf.certificate) == MISMATCH


def test_every_kind_of_name_is_shown(lab: Lab) -> None:
    leaf = lab.special(
        "all",
        f"{LEAF}subjectAltName=IP:192.0.2.1,RID:1.2.3,otherName:1.2.3.4;UTF8:known,otherName:1.2.3.5;INT:7,dirName:d\n"
        "[d]\nO=Acme\n",
    ).certificate
    assert names_of(leaf) == (
        "ip:192.0.2.1",
        "registered:1.2.3",
        "other:1.2.3.4:known",
        "other:1.2.3.5:#020107",
        "directory:O=Acme",
    )
    for name in names_of(leaf):
        assert exact_identity(name).match(leaf) == name


def test_the_organization_must_be_the_only_one(lab: Lab) -> None:
    assert exact_identity("ci@example.org", organization="Acme").match(lab.leaf.certificate)
    assert any_identity(organization="Acme").match(lab.leaf.certificate) == "uri:https://example.org/release"
    for organization in ("Evil", "acme"):
        identity = exact_identity("ci@example.org", organization=organization)
        assert refused_with(identity.match, lab.leaf.certificate) == MISMATCH
    two = lab.middle.issue("two", subject="/O=Acme/O=Evil/CN=x", extensions=LEAF + NAMES).certificate
    none = lab.middle.issue("none", subject="/CN=x", extensions=LEAF + NAMES).certificate
    for leaf in (two, none):
        assert refused_with(any_identity(organization="Acme").match, leaf) == MISMATCH


def test_who_asks_for_nobody_gets_the_first_name(lab: Lab) -> None:
    bare = lab.middle.issue("bare", extensions=LEAF).certificate
    assert any_identity().match(bare) == "subject:CN=bare,O=Acme"
    assert not any_identity().exact
    assert any_identity().label == "any identity"


@pytest.mark.parametrize("text", ["", "uri:", "email:"])
def test_an_empty_identity_is_none(text: str) -> None:
    assert refused_with(exact_identity, text) == "CERTIFICATE_IDENTITY_REQUIRED"


@pytest.mark.parametrize("text", ["subject:nonsense", "CN=a,", "subject:FOO=x"])
def test_a_subject_that_is_none_is_refused_before_anything_is_compared(text: str) -> None:
    assert refused_with(exact_identity, text) == "CERTIFICATE_IDENTITY_MALFORMED"


def test_patterns_and_organizations_have_bounds() -> None:
    assert refused_with(glob_identity, "a" * 513) == "CERTIFICATE_IDENTITY_MALFORMED"
    assert refused_with(exact_identity, "a@b", organization="") == "CERTIFICATE_IDENTITY_MALFORMED"
