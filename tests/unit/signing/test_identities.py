"""Who is meant: exactly one, or a pattern of the whole name, in bounded time."""

from __future__ import annotations

import pytest
from cryptography import x509
from papersigstore import IDENTITY, ISSUER, Paper, data_of, new_key
from paperverdicts import trust

from modelsign.errors import ModelsignError
from modelsign.signing.bundle import parse_any_bundle
from modelsign.signing.sigstore.fulcio_claims import CLAIMS, read_claims, read_utf8_string
from modelsign.signing.sigstore.identities import exactly, glob, regexp


def test_an_exact_identity_is_that_and_nothing_more():
    assert exactly("a.c").matches("a.c")
    assert not any(exactly("a.c").matches(other) for other in ("abc", "a.c ", "A.C", "xa.c"))


def test_an_expression_always_matches_the_whole_identity():
    for text in ("https://github.com/org/.*", "^https://github.com/org/.*", "^https://github.com/org/.*$"):
        assert regexp(text).matches("https://github.com/org/repo")
        assert not regexp(text).matches("https://evil.example/?https://github.com/org/repo")
    assert not regexp("ci@example.org").matches("ci@example.org.evil.example")
    assert not regexp("ci@example").matches("ci@example.org")
    assert not regexp("a|b").matches("bc")


def test_a_dollar_sign_that_is_escaped_is_one():
    assert regexp(r"a\$").matches("a$")
    assert regexp(r"a\\$").matches("a\\")


def test_a_glob_does_not_cross_a_separator_unless_told():
    workflow = "https://github.com/org/repo/.github/workflows/sign.yml@refs/heads/main"
    assert glob("https://github.com/org/*/.github/workflows/*@refs/heads/main").matches(workflow)
    assert not glob("https://github.com/org/*/.github/workflows/sign.yml*").matches(workflow)
    assert glob("*@example.org").matches("ci@example.org")
    assert not glob("ci*").matches("ci@example.org")
    assert not glob("https://*example.org").matches("https://evil.example:443\\@example.org")
    assert glob("https://github.com/org/*").matches("https://github.com/org/repo")
    assert not glob("https://github.com/org/*").matches("https://github.com/org/repo/x")
    assert glob("https://github.com/org/**").matches("https://github.com/org/repo/x")


@pytest.mark.parametrize("text", ["(?=a)", r"(a)\1", "a{1,100000}", "(", "a*?", "x" * 600])
def test_an_expression_that_could_take_long_is_a_usage_error(text):
    with pytest.raises(ModelsignError) as raised:
        regexp(text)
    assert (raised.value.code, int(raised.value.exit_status)) == ("IDENTITY_PATTERN_INVALID", 2)


def test_an_expression_that_makes_others_backtrack_answers_at_once():
    assert not regexp("(a*)*b").matches("a" * 4000)


def test_nobody_is_no_identity():
    for make in (exactly, glob):
        with pytest.raises(ModelsignError):
            make("" if make is exactly else "x" * 600)


@pytest.fixture(scope="module")
def paper() -> Paper:
    return Paper()


def refusal(paper: Paper, certificate: bytes | None = None, **asked: object) -> str:
    key = new_key()
    bundle = paper.sign(key=key, certificate=certificate(key) if certificate else None)
    try:
        trust(paper)._replace(**asked).vouch(parse_any_bundle(data_of(bundle)))
    except ModelsignError as fault:
        return fault.code
    return "accepted"


def test_another_identity_or_issuer_is_refused(paper):
    assert refusal(paper) == "accepted"
    assert refusal(paper, identity=exactly(IDENTITY[:-1])) == "CERTIFICATE_IDENTITY_MISMATCH"
    assert refusal(paper, issuer=exactly(ISSUER + "/")) == "CERTIFICATE_IDENTITY_MISMATCH"
    assert refusal(paper, identity=glob("https://github.com/paper/**"), issuer=regexp(r"https://.*\.com")) == "accepted"
    assert refusal(paper, issuer=regexp(r"https://.*\.org")) == "CERTIFICATE_IDENTITY_MISMATCH"


def test_claims_are_demanded_exactly(paper):
    assert refusal(paper, claims={"source_repository_ref": "refs/heads/main", "build_trigger": "push"}) == "accepted"
    assert refusal(paper, claims={"source_repository_ref": "refs/heads/mai"}) == "CLAIM_WRONG"
    assert refusal(paper, claims={"github_workflow_ref": "refs/heads/main"}) == "CLAIM_WRONG"


def test_a_workflow_that_another_repository_called_is_warned_of_unless_its_caller_is_demanded(paper):
    """Anybody may call a public reusable workflow, and signs by its name then."""
    caller = "https://github.com/anybody/else"
    key = new_key()
    certificate = paper.certificate(key, claims={"1.12": caller})
    bundle = parse_any_bundle(data_of(paper.sign(key=key, certificate=certificate)))
    (warning,) = trust(paper).vouch(bundle).warnings
    assert f"a workflow that {caller} called" in warning
    assert trust(paper)._replace(claims={"source_repository_uri": caller}).vouch(bundle).warnings == ()
    own = parse_any_bundle(data_of(paper.sign()))
    assert trust(paper).vouch(own).warnings == ()


@pytest.mark.parametrize(
    ("name", "identity"),
    [
        (x509.RFC822Name("ci@example.org"), "ci@example.org"),
        (x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.7"), b"\x0c\x05alice"), "alice"),
    ],
)
def test_addresses_and_plain_names_are_identities_too(paper, name, identity):
    def certificate(key: object) -> bytes:
        return paper.certificate(key, names=[name])

    assert refusal(paper, certificate, identity=exactly(identity)) == "accepted"


def test_the_issuer_may_stand_in_the_old_extension_alone(paper):
    def certificate(key: object) -> bytes:
        return paper.certificate(key, claims={"1.8": ISSUER}, old_issuer=None)

    assert refusal(paper, certificate) == "accepted"


def test_every_claim_has_a_name_and_unknown_extensions_are_left_out(paper):
    given = {f"1.{number}": f"value {number}" for number in range(9, 25)}
    der = paper.certificate(new_key(), claims={**given, "1.99": "later"})
    claims = read_claims(x509.load_der_x509_certificate(der))
    assert set(claims) == {name for name in CLAIMS if not name.startswith("github_")}
    assert (claims["token_subject"], claims["build_signer_uri"]) == ("value 24", "value 9")


@pytest.mark.parametrize(
    "der",
    [b"", b"\x0c", b"\x0c\x02a", b"\x0c\x01ab", b"\x13\x01a", b"\x0c\x81\x01a", b"\x0c\x82\x00\x81" + b"a" * 129,
     b"\x0c\x01\xff", b"\x0c\x85\x01"],
)  # fmt: skip
def test_only_the_one_encoding_of_a_text_is_read(der):
    with pytest.raises(ValueError):  # noqa: PT011 - the callers say what is wrong
        read_utf8_string(der)


@pytest.mark.parametrize("length", [0, 1, 127, 128, 255, 256, 70000])
def test_texts_of_any_length_are_read(length):
    from asn1crypto.core import UTF8String  # noqa: PLC0415 - the other opinion

    assert read_utf8_string(UTF8String("x" * length).dump()) == "x" * length
