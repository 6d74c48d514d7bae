"""Colour, escaping, and guessing what was meant from arguments that cannot be parsed."""

from __future__ import annotations

import io
import json
import sys

import pytest

from modelsign.cli.last_words import last_words
from modelsign.cli.presentation import Presentation, emit, guess, wants_colour
from modelsign.cli.session import Session
from modelsign.errors import ModelsignError, UsageError
from modelsign.reasons import ExitStatus
from modelsign.verdict import Answer, Report


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("choice", "environ", "stream", "expected"),
    [
        ("always", {"NO_COLOR": "1", "TERM": "dumb"}, None, True),
        ("never", {"FORCE_COLOR": "1"}, Terminal(), False),
        ("auto", {}, Terminal(), True),
        ("auto", {}, io.StringIO(), False),
        ("auto", {}, None, False),
        ("auto", {"NO_COLOR": "1"}, Terminal(), False),
        ("auto", {"NO_COLOR": ""}, Terminal(), True),
        ("auto", {"NO_COLOR": "1", "FORCE_COLOR": "1"}, Terminal(), False),
        ("auto", {"FORCE_COLOR": "1"}, io.StringIO(), True),
        ("auto", {"TERM": "dumb"}, Terminal(), False),
    ],
)
def test_colour_follows_flag_then_no_color_then_force_color_then_the_terminal(choice, environ, stream, expected):
    assert wants_colour(choice, environ, stream) is expected


@pytest.mark.parametrize(
    ("words", "environ", "expected"),
    [
        ([], {}, Presentation()),
        (["verify", "--format", "json"], {}, Presentation(format="json")),
        (["verify", "--format=sarif", "-o", "f"], {}, Presentation(format="sarif", output="f")),
        (["verify", "--format", "yaml"], {}, Presentation()),
        (["verify", "--format"], {}, Presentation()),
        (["verify", "--output=-"], {}, Presentation()),
        (["verify"], {"MODELSIGN_FORMAT": "jsonl"}, Presentation(format="jsonl")),
        (["verify", "--", "--format", "json"], {}, Presentation()),
        (["verify", "-q", "-vv", "--force"], {}, Presentation(quiet=True, verbose=2, force=True)),
        (["verify", "--verbose", "-v", "--color", "never"], {}, Presentation(verbose=2, color="never")),
    ],
)
def test_what_was_meant_is_guessed_from_the_arguments(words, environ, expected):
    assert guess(words, environ) == expected


@pytest.mark.parametrize("name", ["json", "jsonl", "sarif", "text", "markdown"])
def test_last_words_need_nothing_and_escape_everything(name):
    report = Report(
        "try", ExitStatus.UNDECIDED, reasons=(Answer("INTERNAL", "odd \x1b[2J\nname", "a"),), text="t\x1b\n"
    )
    shown = last_words(report, name)
    assert "\x1b" not in shown
    assert "INTERNAL" in shown
    if "json" in name:
        assert json.loads(shown)["exit_code"] == 3


def test_progress_is_drawn_on_a_terminal_and_nowhere_else(monkeypatch):
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    session = Session("scan", {}, "/")
    assert session.progress is not None
    session.progress("hashing \x1b[31m", 1, 2)
    session.progress("hashing", 2, 2)
    session.progress("walking", 5, 0)
    assert "50 %" in screen.getvalue()
    assert "\x1b[31m" not in screen.getvalue()
    assert Session("scan", {"TERM": "dumb"}, "/").progress is None
    assert Session("scan", {}, "/", Presentation(quiet=True)).progress is None
    assert Session("scan", {}, "/", Presentation(progress=False)).progress is None


def test_a_secret_is_asked_for_only_on_a_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", lambda prompt: f"answer to {prompt}")
    assert Session("sign", {}, "/").secret(None, prompt="Password") == b"answer to Password: "


def test_writing_a_file_obeys_force(tmp_path):
    session = Session("sign", {}, "/")
    session.write(str(tmp_path / "f"), b"1")
    with pytest.raises(UsageError):
        session.write(str(tmp_path / "f"), b"2")
    Session("sign", {}, "/", Presentation(force=True)).write(str(tmp_path / "f"), b"3")
    assert (tmp_path / "f").read_bytes() == b"3"


def test_a_device_that_takes_nothing_is_said(monkeypatch):
    with pytest.raises(ModelsignError, match="/dev/full") as caught:
        emit("text", Presentation(output="/dev/full", force=True))
    assert caught.value.code == "OUTPUT_UNWRITABLE"
    monkeypatch.setattr(sys, "stdout", None)
    emit("text", Presentation())
