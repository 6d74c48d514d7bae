"""Secrets in text: told by kind and line, never shown, and without a say in the outcome."""

from __future__ import annotations

import json
import random
import string

import model_files
import pytest

from modelsign import limits
from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file

LETTERS = "".join(random.Random(5).choices(string.ascii_letters, k=200))
DIGITS = "".join(random.Random(6).choices(string.digits.replace("0", ""), k=12))
BASE32 = "".join(random.Random(7).choices(string.ascii_uppercase + "234567", k=16))
SECRETS = {
    "hugging face": "hf_" + LETTERS[:34],
    "aws": "AKIA" + BASE32,
    "github": "ghp_" + LETTERS[:36],
    "fine-grained": "github_pat_" + LETTERS[:22] + "_" + LETTERS[30:89],
    "gitlab": "glpat-" + LETTERS[:20],
    "google": "AIza" + LETTERS[:35],
    "openai": "sk-proj-" + LETTERS[:40] + "T3BlbkFJ" + LETTERS[40:80],
    "anthropic": "sk-ant-api03-" + LETTERS[:95],
    "slack": "xoxb-" + DIGITS + "-" + LETTERS[:30],
    "npm": "npm_" + LETTERS[:36],
    "pypi": "pypi-AgEIcHlwaS5vcmc" + LETTERS[:80],
    "pem": "-----BEGIN PRIVATE KEY-----\\n" + LETTERS + "\\n-----END PRIVATE KEY-----",
}


def scan(data, name="config.json"):
    return scan_file(BytesReading(data), name)


@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_is_told_by_its_line_and_never_shown(kind):
    secret = SECRETS[kind]
    data = b'{\n "a": 1,\n "token": "' + secret.encode() + b'"\n}\n'
    result = scan(data)
    assert [finding.rule for finding in result.findings] == ["secret-in-model"]
    assert result.outcome == "clean"
    text = json.dumps([finding.message for finding in result.findings])
    assert "line 3" in text
    assert secret[-12:] not in text
    assert LETTERS[:6] not in text


def test_a_secret_in_an_archive_s_text_is_told():

    data = model_files.archive({"notes/README.md": SECRETS["hugging face"].encode()})
    assert [finding.member for finding in scan(data, "a.zip").findings] == ["notes/README.md"]


@pytest.mark.parametrize(
    "text",
    [
        "hf_" + "x" * 34,
        "AKIAIOSFODNN7EXAMPLE",
        "prefix_hf_" + LETTERS[:34],
        "hf_" + LETTERS[:35],
        "sk-learn and sk-image",
        "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----",
        "-----BEGIN PUBLIC KEY-----\n" + LETTERS,
    ],
)
def test_a_placeholder_or_a_word_is_no_secret(text):
    assert scan(text.encode(), "README.md").findings == ()


def test_long_vocabularies_are_not_searched(monkeypatch):
    monkeypatch.setattr(limits, "SECRETS_BYTES", 20)
    assert scan(SECRETS["hugging face"].encode(), "README.md").findings == ()
