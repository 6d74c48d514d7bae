"""Identity tokens: read before anything is sent, kept out of messages, and taken from where they are offered."""

from __future__ import annotations

import base64
import gc
import json
import os
import stat
import warnings
from datetime import UTC, datetime

import pytest
from refusals import refusal, refused_with
from scriptedserver import Says, scripted

from loopback import token
from modelsign import limits
from modelsign.signing.sigstore.services.tokens import ambient_token, interactive_token, read_token

ISSUER = "https://issuer.example"
AMBIENT = (
    "GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE", "CIRCLECI", "GOOGLE_SERVICE_ACCOUNT_NAME", "SIGSTORE_ID_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL",
)  # fmt: skip
SIGSTORE_LEAVES_ITS_SERVER_OPEN = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
)
"""The one that waits for the browser."""


def now():
    return datetime.now(UTC)


def read(text):
    return read_token(text.encode(), now=now())


@pytest.fixture
def nowhere(monkeypatch):
    """A machine that offers no token."""
    for name in AMBIENT:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("id._internal.oidc.ambient._GCP_PRODUCT_NAME_FILE", "/nonexistent")
    return monkeypatch


@pytest.fixture
def login(monkeypatch):
    """A person who types a code."""
    monkeypatch.setattr("builtins.input", lambda _: "the-code")
    yield monkeypatch
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def test_a_token_says_who_signs_and_until_when():
    found = read(token(ISSUER, sub="repo:acme/models", lifetime=600))
    assert (found.issuer, found.subject, found.identity) == (ISSUER, "repo:acme/models", "repo:acme/models")
    assert 0 < (found.expires - now()).total_seconds() <= 600


def test_blanks_and_line_ends_around_a_token_do_not_belong_to_it():
    raw = token(ISSUER)
    assert read(f" {raw}\r\n").raw == raw


def test_users_of_mail_providers_are_known_by_their_address():
    assert read(token("https://accounts.google.com", email="a@example.org", sub="1234")).identity == "a@example.org"
    assert refused_with(read, token("https://oauth2.sigstore.dev/auth", sub="1234")) == "TOKEN_MALFORMED"


def test_workflows_of_github_are_known_by_their_file():
    workflow = "acme/models/.github/workflows/release.yml@refs/heads/main"
    found = read(token("https://token.actions.githubusercontent.com", job_workflow_ref=workflow))
    assert found.identity == f"https://github.com/{workflow}"


def test_a_token_may_be_for_several():
    assert read(token(ISSUER, aud=["vault", "sigstore"])).issuer == ISSUER


def test_a_token_never_shows_itself():
    raw = token(ISSUER)
    assert raw not in repr(read(raw))
    for broken in (token(ISSUER, lifetime=-1), token(ISSUER, aud="x"), token(ISSUER, iss=7), f"{raw}.x"):
        fault = refusal(read, broken)
        assert raw[:40] not in fault.message
        assert broken not in fault.message


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"lifetime": -1}, "TOKEN_EXPIRED"),
        ({"lifetime": 0}, "TOKEN_EXPIRED"),
        ({"nbf": 99_999_999_999}, "TOKEN_NOT_YET_VALID"),
        ({"aud": "https://vault.example"}, "TOKEN_NOT_FOR_SIGSTORE"),
        ({"aud": None}, "TOKEN_NOT_FOR_SIGSTORE"),
        ({"aud": {"sigstore": 1}}, "TOKEN_NOT_FOR_SIGSTORE"),
        ({"iss": None}, "TOKEN_MALFORMED"),
        ({"sub": ""}, "TOKEN_MALFORMED"),
        ({"exp": None}, "TOKEN_MALFORMED"),
        ({"exp": "tomorrow"}, "TOKEN_MALFORMED"),
        ({"exp": 1e300}, "TOKEN_MALFORMED"),
        ({"exp": True}, "TOKEN_MALFORMED"),
        ({"nbf": -1}, "TOKEN_MALFORMED"),
    ],
)
def test_a_token_that_cannot_sign_is_refused_by_its_own_reason(claims, code):
    assert refused_with(read, token(ISSUER, **claims)) == code


@pytest.mark.parametrize(
    "text",
    [
        "", "a.b", "a.b.c.d", "a.%%%.c", "a.e30.c", "a.W10.c", "a.bnVsbA.c", "é.é.é", "a.e.c",
        f"a.{base64.urlsafe_b64encode(b'{' * 5000).decode().rstrip('=')}.c",
        f"a.{base64.urlsafe_b64encode(b'[' * 30000).decode().rstrip('=')}.c",
        "a." + "e" * limits.TOKEN_BYTES + ".c",
    ],
)  # fmt: skip
def test_what_is_no_token_is_refused(text):
    assert refused_with(read, text) == "TOKEN_MALFORMED"


@pytest.mark.usefixtures("nowhere")
def test_where_no_token_is_offered_there_is_none():
    assert ambient_token(now=now()) is None


def test_gitlab_offers_a_token_in_a_variable(nowhere):
    nowhere.setenv("GITLAB_CI", "true")
    nowhere.setenv("SIGSTORE_ID_TOKEN", token("https://gitlab.example"))
    assert ambient_token(now=now()).issuer == "https://gitlab.example"


def test_gitlab_without_that_variable_is_told(nowhere):
    nowhere.setenv("GITLAB_CI", "true")
    fault = refusal(ambient_token, now=now())
    assert fault.code == "TOKEN_UNAVAILABLE"
    assert "SIGSTORE_ID_TOKEN" in fault.message


def test_github_is_asked_for_a_token(nowhere):
    raw = token("https://token.actions.githubusercontent.com")
    with scripted(Says(200, json.dumps({"value": raw}).encode())) as server:
        nowhere.setenv("GITHUB_ACTIONS", "true")
        nowhere.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "request-secret")
        nowhere.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{server.url}/token?api-version=2")
        assert ambient_token(now=now()).raw == raw
    (asked,) = server.asked
    assert "audience=sigstore" in asked.path
    assert asked.headers["Authorization"] == "bearer request-secret"


def test_github_without_the_permission_is_told_how_to_get_it(nowhere):
    nowhere.setenv("GITHUB_ACTIONS", "true")
    fault = refusal(ambient_token, now=now())
    assert fault.code == "TOKEN_UNAVAILABLE"
    assert "id-token: write" in fault.advice


@pytest.mark.parametrize("says", [Says(500, b"no"), Says(200, b"not json"), Says(200, b'{"value": 1}')])
def test_github_that_answers_wrongly_is_told(nowhere, says):
    with scripted(says) as server:
        nowhere.setenv("GITHUB_ACTIONS", "true")
        nowhere.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "request-secret")
        nowhere.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", server.url)
        fault = refusal(ambient_token, now=now())
    assert fault.code == "TOKEN_UNAVAILABLE"
    assert "request-secret" not in fault.message


@pytest.mark.parametrize(("variable", "program"), [("BUILDKITE", "buildkite-agent"), ("CIRCLECI", "circleci")])
def test_buildkite_and_circleci_offer_a_token_through_their_program(nowhere, tmp_path, variable, program):
    raw = token(ISSUER)
    script = tmp_path / program
    script.write_text(f"#!/bin/sh\necho '{raw}'\n", encoding="utf-8")
    script.chmod(stat.S_IRWXU)
    nowhere.setenv(variable, "true")
    nowhere.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert ambient_token(now=now()).raw == raw


def test_google_cloud_offers_a_token_to_its_machines(nowhere, tmp_path):
    raw = token("https://accounts.google.com", email="robot@example.org")
    (tmp_path / "product").write_text("Google Compute Engine\n", encoding="utf-8")
    nowhere.setattr("id._internal.oidc.ambient._GCP_PRODUCT_NAME_FILE", str(tmp_path / "product"))
    with scripted(Says(200, raw.encode())) as server:
        nowhere.setattr("id._internal.oidc.ambient._GCP_IDENTITY_REQUEST_URL", server.url)
        assert ambient_token(now=now()).identity == "robot@example.org"


def test_a_token_meant_for_somebody_else_is_no_offer(nowhere):
    nowhere.setenv("GITLAB_CI", "true")
    nowhere.setenv("SIGSTORE_ID_TOKEN", token(ISSUER, aud="vault"))
    assert refused_with(ambient_token, now=now()) in {"TOKEN_UNAVAILABLE", "TOKEN_NOT_FOR_SIGSTORE"}


@SIGSTORE_LEAVES_ITS_SERVER_OPEN
@pytest.mark.usefixtures("login")
def test_a_person_pastes_the_code_that_the_browser_shows(sigstore, capsys):
    answer = json.dumps({"access_token": token(sigstore.issuer)})
    sigstore.faults(
        {"path": "/oidc/token", "status": 200, "headers": {"Content-Type": "application/json"}, "body": answer}
    )
    found = interactive_token(sigstore.issuer, now=now(), out_of_band=True)
    assert found.issuer == sigstore.issuer
    exchanged = base64.b64decode(sigstore.requests()[-1]["body"]).decode()
    assert "code=the-code" in exchanged
    assert f"{sigstore.url}/oidc/auth" in capsys.readouterr().err


@SIGSTORE_LEAVES_ITS_SERVER_OPEN
@pytest.mark.usefixtures("login")
@pytest.mark.parametrize(
    "fault", [{"status": 400, "body": "no"}, {"status": 200, "body": "[]"}, {"status": 200, "body": '{"x": 1}'}]
)
def test_a_login_that_fails_is_told(sigstore, fault):
    sigstore.faults({"path": "/oidc/token", **fault})
    code = refused_with(interactive_token, sigstore.issuer, now=now(), out_of_band=True)
    assert code == "TOKEN_UNAVAILABLE"


def test_nobody_logs_in_over_an_open_line():
    assert refused_with(interactive_token, "http://issuer.example", now=now()) == "NETWORK_URL_REFUSED"


@SIGSTORE_LEAVES_ITS_SERVER_OPEN
def test_where_nobody_can_type_a_login_fails(sigstore, login):
    def nobody(_):
        raise EOFError

    login.setattr("builtins.input", nobody)
    assert refused_with(interactive_token, sigstore.issuer, now=now(), out_of_band=True) == "TOKEN_UNAVAILABLE"
