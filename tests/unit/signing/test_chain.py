"""Chains of certificates are found, and held to RFC 5280."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from certificatelab import (
    CA,
    DAY,
    ED25519,
    KOBLITZ,
    LEAF,
    NAMES,
    NOW,
    P384,
    P521,
    UNKNOWN,
    Authority,
    made_by_cryptography,
    openssl,
    rsa,
)
from refusals import refused_with

from modelsign import limits
from modelsign.signing.x509.certificates import Certificate
from modelsign.signing.x509.chain import CODE, check_chain, check_roots, find_chains

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from certificatelab import Issued, Lab


def judge(
    leaf: Issued, root: Authority | Issued, *between: Authority | Issued, at: datetime = NOW
) -> Sequence[Certificate]:
    """Return the first chain that holds; raise the first reason where none does."""
    pool = [entry.certificate for entry in between]
    found = find_chains(leaf.certificate, roots=[root.certificate], intermediates=pool)
    for chain in found:
        check_chain(chain, at)
    return found[0]


def subjects(chain: Iterable[Certificate]) -> list[str]:
    return [entry.subject_text for entry in chain]


def openssl_agrees(leaf: Issued, root: Authority, *between: Authority) -> None:
    words = [word for entry in between for word in ("-untrusted", entry.path)]
    assert b": OK" in openssl("verify", "-x509_strict", "-CAfile", root.path, *words, leaf.path)


def test_a_chain_leads_over_authorities_in_any_order_to_the_root(lab: Lab, tmp_path: Path) -> None:
    lower = Authority(tmp_path, "lower", lab.middle)
    leaf = lower.issue("leaf")
    found = judge(leaf, lab.root, lower, lab.middle)
    assert subjects(found) == ["CN=leaf,O=Acme", "CN=lower,O=Acme", "CN=middle,O=Acme", "CN=root,O=Acme"]
    assert judge(leaf, lab.root, lab.middle, lower) == found
    openssl_agrees(leaf, lab.root, lower, lab.middle)


@pytest.mark.parametrize("key", [P384, P521, ED25519, rsa(2048)], ids=["p384", "p521", "ed25519", "rsa2048"])
def test_authorities_may_have_keys_of_every_strong_kind(tmp_path: Path, key: tuple[str, ...]) -> None:
    root = Authority(tmp_path, "root", key=key)
    leaf = root.issue("leaf", key=ED25519)
    assert len(judge(leaf, root)) == 2
    openssl_agrees(leaf, root)


def test_authorities_may_sign_with_rsa_pss(tmp_path: Path) -> None:
    root = Authority(tmp_path, "root", key=rsa(3072), options=("-sigopt", "rsa_padding_mode:pss", "-md", "sha256"))
    assert len(judge(root.issue("leaf"), root)) == 2


def test_a_root_with_the_same_name_and_another_key_is_another_root(lab: Lab) -> None:
    assert refused_with(judge, lab.leaf, lab.stranger, lab.middle) == "CERTIFICATE_UNTRUSTED"


def test_without_the_authority_between_there_is_no_chain(lab: Lab) -> None:
    assert refused_with(judge, lab.leaf, lab.root) == "CERTIFICATE_UNTRUSTED"


def test_a_root_that_was_not_named_is_no_root_wherever_it_stands(lab: Lab, tmp_path: Path) -> None:
    other = Authority(tmp_path, "other")
    assert refused_with(judge, other.issue("leaf"), lab.root, other, lab.middle) == "CERTIFICATE_UNTRUSTED"


def test_a_self_signed_leaf_that_was_named_as_a_root_vouches_for_itself(tmp_path: Path) -> None:
    alone = Authority(tmp_path, "alone", extensions=LEAF.replace("authorityKeyIdentifier=keyid\n", "") + NAMES)
    assert judge(alone.issued, alone) == (alone.certificate,)


def test_an_authority_does_not_sign_models_even_if_it_is_a_root(lab: Lab) -> None:
    assert refused_with(judge, lab.root.issued, lab.root) == "CERTIFICATE_WRONG_USAGE"
    assert refused_with(judge, lab.middle.issued, lab.root) == "CERTIFICATE_WRONG_USAGE"


@pytest.mark.parametrize("who", ["leaf", "middle", "root"])
def test_every_certificate_of_the_chain_must_be_valid(tmp_path: Path, who: str) -> None:
    short = {"start": NOW - 10 * DAY, "end": NOW}
    root = Authority(tmp_path, "root", **short if who == "root" else {})
    middle = Authority(tmp_path, "middle", root, **short if who == "middle" else {})
    leaf = middle.issue("leaf", **short if who == "leaf" else {})
    for at in (NOW - 10 * DAY, NOW - DAY, NOW):  # both ends are within (RFC 5280, section 4.1.2.5)
        assert len(judge(leaf, root, middle, at=at)) == 3
    assert refused_with(judge, leaf, root, middle, at=NOW + timedelta(microseconds=1)) == "CERTIFICATE_EXPIRED"
    assert refused_with(judge, leaf, root, middle, at=NOW - 11 * DAY) == "CERTIFICATE_NOT_YET_VALID"


@pytest.mark.parametrize(
    ("name", "extensions"),
    [
        ("no extended usage", "keyUsage=critical,digitalSignature\n"),
        ("for servers", "keyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n"),
        ("for anything", "keyUsage=critical,digitalSignature\nextendedKeyUsage=anyExtendedKeyUsage\n"),
        ("no usage", "extendedKeyUsage=codeSigning\n"),
        ("other usage", "keyUsage=critical,keyAgreement\nextendedKeyUsage=codeSigning\n"),
        ("authority", CA + "extendedKeyUsage=codeSigning\n"),
        ("both", "basicConstraints=CA:TRUE\nkeyUsage=digitalSignature,keyCertSign\nextendedKeyUsage=codeSigning\n"),
    ],
)
def test_a_leaf_must_be_one_for_signing_code(lab: Lab, name: str, extensions: str) -> None:
    assert refused_with(judge, lab.special(name, extensions + NAMES), lab.root, lab.middle) == "CERTIFICATE_WRONG_USAGE"


def test_an_authorities_extended_usage_bounds_all_below(tmp_path: Path) -> None:
    root = Authority(tmp_path, "root")
    servers = Authority(tmp_path, "servers", root, extensions=CA + "extendedKeyUsage=serverAuth,OCSPSigning\n")
    code = Authority(tmp_path, "code", root, extensions=CA + "extendedKeyUsage=codeSigning\n")
    anything = Authority(tmp_path, "anything", root, extensions=CA + "extendedKeyUsage=anyExtendedKeyUsage\n")
    assert refused_with(judge, servers.issue("leaf"), root, servers) == "CERTIFICATE_WRONG_USAGE"
    assert len(judge(code.issue("leaf"), root, code)) == len(judge(anything.issue("leaf"), root, anything)) == 3


@pytest.mark.parametrize(
    "extensions",
    [
        LEAF,
        "keyUsage=critical,keyCertSign\n",
        "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,digitalSignature,cRLSign\n",
    ],
    ids=["a leaf", "no basic constraints", "no keyCertSign"],
)
def test_only_authorities_issue_certificates(tmp_path: Path, extensions: str) -> None:
    root = Authority(tmp_path, "root")
    fake = Authority(tmp_path, "fake", root, extensions=extensions)
    assert refused_with(judge, fake.issue("leaf"), root, fake) == "CERTIFICATE_NOT_AN_AUTHORITY"


def test_a_path_is_no_longer_than_each_authority_allows(tmp_path: Path) -> None:
    root = Authority(tmp_path, "root", extensions=CA.replace("CA:TRUE", "CA:TRUE,pathlen:1"))
    one = Authority(tmp_path, "one", root)
    two = Authority(tmp_path, "two", one)
    assert len(judge(one.issue("leaf"), root, one)) == 3
    assert refused_with(judge, two.issue("leaf"), root, one, two) == "CERTIFICATE_PATH_TOO_LONG"


def test_self_issued_authorities_do_not_count_for_the_length(tmp_path: Path) -> None:
    root = Authority(tmp_path, "root", extensions=CA.replace("CA:TRUE", "CA:TRUE,pathlen:0"))
    renewed = Authority(tmp_path / "renewed", "root", root)
    leaf = renewed.issue("leaf")
    assert len(judge(leaf, root, renewed)) == 3
    openssl_agrees(leaf, root, renewed)


@pytest.mark.parametrize("who", ["leaf", "middle", "root"])
def test_what_is_critical_and_not_known_is_refused(tmp_path: Path, who: str) -> None:
    root = Authority(tmp_path, "root", extensions=CA + UNKNOWN * (who == "root"))
    middle = Authority(tmp_path, "middle", root, extensions=CA + UNKNOWN * (who == "middle"))
    leaf = middle.issue("leaf", extensions=LEAF + NAMES + UNKNOWN * (who == "leaf"))
    assert refused_with(judge, leaf, root, middle) == "CERTIFICATE_EXTENSION_UNKNOWN"


def test_what_is_unknown_and_not_critical_is_passed_over(lab: Lab) -> None:
    leaf = lab.special("harmless", LEAF + NAMES + UNKNOWN.replace("critical,", ""))
    assert len(judge(leaf, lab.root, lab.middle)) == 3


def test_critical_policies_are_refused_since_nobody_evaluates_them(lab: Lab) -> None:
    leaf = lab.special("policy", LEAF + NAMES + "certificatePolicies=critical,1.2.3.4\n")
    assert refused_with(judge, leaf, lab.root, lab.middle) == "CERTIFICATE_EXTENSION_UNKNOWN"


def test_a_signature_by_sha1_is_not_believed(lab: Lab) -> None:
    leaf = lab.middle.issue("sha1", options=("-md", "sha1"))
    assert refused_with(judge, leaf, lab.root, lab.middle) == "CERTIFICATE_WEAK"


@pytest.mark.parametrize("key", [rsa(1024), KOBLITZ], ids=["rsa1024", "secp256k1"])
def test_an_authority_with_a_weak_key_is_not_believed(tmp_path: Path, key: tuple[str, ...]) -> None:
    root = Authority(tmp_path, "root", key=key)
    assert refused_with(judge, root.issue("leaf"), root) == "CERTIFICATE_WEAK"


def test_an_authority_with_an_enormous_key_is_not_worth_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modelsign.signing.x509.algorithms._MOST_RSA_BITS", 2047)
    root = Authority(tmp_path, "root", key=rsa(2048))
    assert refused_with(judge, root.issue("leaf"), root) == "CERTIFICATE_UNSUPPORTED"


def test_only_self_signed_certificates_are_roots(lab: Lab) -> None:
    check_roots([lab.root.certificate])
    assert refused_with(check_roots, [lab.root.certificate, lab.middle.certificate]) == "CERTIFICATE_ROOT_UNUSABLE"
    assert refused_with(check_roots, []) == "NO_TRUST_SOURCE"


def test_another_way_to_the_root_is_taken_where_one_has_expired(tmp_path: Path) -> None:
    root = Authority(tmp_path, "root")
    old = Authority(tmp_path, "middle", root, start=NOW - 20 * DAY, end=NOW - DAY)
    renewed = root.issue("renewed", subject="/O=Acme/CN=middle", extensions=CA, key=old.issued.key_path)
    leaf = old.issue("leaf")
    found = find_chains(
        leaf.certificate, roots=[root.certificate], intermediates=[old.certificate, renewed.certificate]
    )
    assert len(found) == 2
    assert refused_with(check_chain, found[0], NOW) == "CERTIFICATE_EXPIRED"
    check_chain(found[1], NOW)


def test_authorities_that_certify_each_other_end_the_search(tmp_path: Path, lab: Lab) -> None:
    one, two = Authority(tmp_path, "one"), Authority(tmp_path, "two")
    crossed = [
        one.issue("two", subject="/O=Acme/CN=two", extensions=CA, key=two.issued.key_path),
        two.issue("one", subject="/O=Acme/CN=one", extensions=CA, key=one.issued.key_path),
    ]
    leaf = one.issue("leaf")
    assert refused_with(judge, leaf, lab.root, one, two, *crossed) == "CERTIFICATE_UNTRUSTED"
    assert len(judge(leaf, two, *crossed)) == 3


def test_a_mesh_of_authorities_costs_a_bounded_number_of_steps(
    tmp_path: Path, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight keys of one name, each certified by each other: some 8! paths, none to a root."""
    monkeypatch.setattr(limits, "CHAIN_STEPS", 200)
    keys = [Authority(tmp_path / str(number), "mesh") for number in range(8)]
    bare = "basicConstraints=critical,CA:TRUE\n"
    mesh = [
        above.issue(f"over{number}", subject="/O=Acme/CN=mesh", extensions=bare, key=below.issued.key_path)
        for above in keys
        for number, below in enumerate(keys)
        if above is not below
    ]
    tried: list[str] = []
    check = Certificate.check_issued_by

    def counted(self: Certificate, issuer: Certificate) -> bool:
        tried.append(self.digest)
        return check(self, issuer)

    monkeypatch.setattr(Certificate, "check_issued_by", counted)
    leaf = keys[0].issue("leaf", extensions=LEAF.replace("authorityKeyIdentifier=keyid\n", "") + NAMES)
    assert refused_with(judge, leaf, lab.root, *mesh) == "CERTIFICATE_LIMIT"
    assert 56 <= len(tried) <= 200


def test_more_certificates_than_any_chain_needs_are_not_looked_at(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CHAIN_CERTIFICATES", 1)
    assert len(judge(lab.leaf, lab.root, lab.middle, lab.leaf)) == 3
    assert refused_with(judge, lab.leaf, lab.root, lab.middle, lab.stranger) == "CERTIFICATE_LIMIT"


def test_a_chain_has_a_greatest_length(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CHAIN_LENGTH", 2)
    assert refused_with(judge, lab.leaf, lab.root, lab.middle) == "CERTIFICATE_LIMIT"


def test_the_bound_on_chains_keeps_the_ones_found_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = Authority(tmp_path, "root")
    middle = Authority(tmp_path, "middle", root)
    twin = root.issue("twin", subject="/O=Acme/CN=middle", extensions=CA, key=middle.issued.key_path)
    pool = [middle.certificate, twin.certificate]
    leaf = middle.issue("leaf").certificate
    assert len(find_chains(leaf, roots=[root.certificate], intermediates=pool)) == 2
    monkeypatch.setattr(limits, "CHAINS", 1)
    assert len(find_chains(leaf, roots=[root.certificate], intermediates=pool)) == 1


def test_the_use_is_named_in_the_refusal(lab: Lab) -> None:
    leaf = lab.special("for mail", LEAF.replace("codeSigning", "emailProtection") + NAMES)
    with pytest.raises(Exception, match=CODE.title):
        judge(leaf, lab.root, lab.middle)


def test_post_quantum_authorities_vouch_for_post_quantum_leaves() -> None:
    """Made by cryptography: openssl before 3.5 has no ML-DSA."""
    mldsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.mldsa")
    root_key, leaf_key = mldsa.MLDSA87PrivateKey.generate(), mldsa.MLDSA65PrivateKey.generate()
    root = made_by_cryptography("root", root_key.public_key(), "root", root_key, authority=True)
    leaf = made_by_cryptography("leaf", leaf_key.public_key(), "root", root_key, authority=False)
    (found,) = find_chains(leaf, roots=[root], intermediates=[])
    check_chain(found, NOW)
    other = made_by_cryptography("root", leaf_key.public_key(), "root", leaf_key, authority=True)
    assert refused_with(find_chains, leaf, roots=[other], intermediates=[]) == "CERTIFICATE_UNTRUSTED"
