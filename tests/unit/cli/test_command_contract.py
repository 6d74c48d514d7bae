"""The contract every command keeps: one document, one exit status, whatever happens."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from commandline import Answered
from commandline import modelsign as run

from modelsign.cli import main as entry
from modelsign.cli.command import Group, define, group
from modelsign.errors import error
from modelsign.reasons import CATALOG, ExitStatus
from modelsign.verdict import Report

if TYPE_CHECKING:
    from modelsign.cli.command import Session

ONE = Path(sys.executable).with_name("modelsign")


def made(function):
    """A tree with one command, ``try``, that does what the function does."""
    tree = group("modelsign", "About.", table={})
    tree.context_settings["auto_envvar_prefix"] = "MODELSIGN"

    @define("try", examples=("modelsign try", "modelsign try again"), within=tree, formats=("text", "json"))
    @click.argument("word", default="")
    @click.option("--private-key", "--key", default=None)
    def command(session: Session, *, word: str, private_key: str | None) -> Report:
        """Try something."""
        return function(session, word, private_key)

    return tree


@pytest.fixture
def answer(monkeypatch, tmp_path):
    """Run ``modelsign try ...`` where ``try`` is the given function."""

    def answered(function, *arguments, environ=None, stdin=b""):
        monkeypatch.setattr(entry, "root", lambda: made(function))
        return run("try", *arguments, environ=environ, stdin=stdin, cwd=tmp_path)

    return answered


def fine(session, word, private_key):
    return Report(session.command, ExitStatus.OK, body={"word": word, "key": private_key}, text=f"word: {word}\n")


def test_success_is_one_json_document_with_exit_code_zero(answer):
    got = answer(fine, "hello", "--format", "json")
    assert got.exit_code == 0
    assert got.document["command"] == "try"
    assert got.document["exit_code"] == 0
    assert got.document["reasons"] == []
    assert got.document["word"] == "hello"
    assert got.stderr == ""


@pytest.mark.parametrize("code", sorted(CATALOG))
def test_every_reason_ends_in_its_own_document_and_exit_status(answer, code):
    def refuse(*_):
        raise error(code, "because", details={"name": "x"})

    got = answer(refuse, "--format", "json")
    assert got.exit_code == CATALOG[code].exit_status
    assert got.document["exit_code"] == got.exit_code
    assert got.codes == [code]
    assert got.document["reasons"][0]["message"] == "because"
    assert got.document["reasons"][0]["advice"] == CATALOG[code].advice
    assert got.document["details"] == {"name": "x"}


def test_text_failure_goes_to_stdout_and_names_code_message_and_advice(answer):
    def refuse(*_):
        raise error("INPUT_UNREADABLE", "no such file 'k'")

    got = answer(refuse)
    assert got.exit_code == 3
    assert "INPUT_UNREADABLE" in got.stdout
    assert "no such file 'k'" in got.stdout
    assert CATALOG["INPUT_UNREADABLE"].advice in got.stdout
    assert got.stderr == ""


@pytest.mark.parametrize(
    "fault", [ValueError("boom"), MemoryError(), RecursionError("deep"), OSError(28, "full"), KeyError("k")]
)
def test_an_unexpected_exception_is_internal_and_never_exit_one(answer, fault):
    def fail(*_):
        raise fault

    got = answer(fail, "--format", "json")
    assert got.exit_code == 3
    assert got.codes == ["INTERNAL"]
    assert type(fault).__name__ in got.document["reasons"][0]["message"]
    assert "Traceback" not in got.stderr


def test_the_traceback_of_an_internal_error_is_shown_on_stderr_with_v(answer):
    def fail(*_):
        message = "boom"
        raise ValueError(message)

    got = answer(fail, "--format", "json", "-v")
    assert got.codes == ["INTERNAL"]
    assert "Traceback" in got.stderr


def test_an_output_that_fails_to_render_is_internal(answer):
    got = answer(lambda session, *_: Report(session.command, ExitStatus.OK, body={"x": object()}), "--format", "json")
    assert got.exit_code in (0, 3)
    assert got.document["command"] == "try"


def test_an_interrupt_is_130(answer):
    def interrupted(*_):
        raise KeyboardInterrupt

    got = answer(interrupted, "--format", "json")
    assert got.exit_code == 130
    assert got.codes == ["INTERRUPTED"]


def test_an_aborted_prompt_is_130(answer):
    def aborted(*_):
        raise click.Abort

    assert answer(aborted).exit_code == 130


@pytest.mark.parametrize(
    "arguments",
    [("--nope",), ("a", "b"), ("--format", "yaml"), ("--color", "pink"), ("--private-key",)],
)
def test_usage_errors_are_exit_two_in_the_format_that_was_asked_for(answer, arguments):
    got = answer(fine, "--format", "json", *arguments) if "--format" not in arguments else answer(fine, *arguments)
    assert got.exit_code == 2
    if "--format" in arguments:
        assert "USAGE" in got.stdout
    else:
        assert got.codes == ["USAGE"]
        assert "modelsign try --help" in got.document["reasons"][0]["advice"]


def test_a_bad_parameter_raised_by_a_command_is_a_usage_error(answer):
    def refuse(*_):
        message = "no"
        raise click.BadParameter(message, param_hint="--key")

    got = answer(refuse, "--format=json")
    assert got.exit_code == 2
    assert got.codes == ["USAGE"]


def test_unknown_commands_are_answered_with_the_nearest_names():
    got = run("verfy", "--format", "json")
    assert got.exit_code == 2
    assert got.codes == ["USAGE"]
    assert "Did you mean verify?" in got.document["reasons"][0]["message"]


def test_commands_like_nothing_known_are_answered_with_the_list():
    got = run("qqq")
    assert got.exit_code == 2
    assert "The commands are sign, verify" in got.stdout


def test_unknown_flags_are_answered_with_the_nearest_names(answer):
    assert "--private-key" in answer(fine, "--private-kay", "x").stdout


def test_no_command_shows_the_help_and_is_a_usage_error():
    got = run()
    assert got.exit_code == 2
    assert "Commands:" in got.stdout


@pytest.mark.parametrize("flag", ["--private_key", "--private-key", "--key"])
def test_flags_may_be_spelled_with_underscores_and_by_their_aliases(answer, flag):
    assert answer(fine, flag, "k", "--format", "json").document["key"] == "k"


def test_an_underscore_in_a_value_is_left_alone(answer):
    got = answer(fine, "a_b", "--key", "c_d", "--no_progress", "--format", "json")
    assert (got.document["word"], got.document["key"]) == ("a_b", "c_d")


def test_every_flag_has_a_variable_in_the_environment(answer):
    environ = {"MODELSIGN_TRY_PRIVATE_KEY": "from-env", "MODELSIGN_FORMAT": "json"}
    assert answer(fine, environ=environ).document["key"] == "from-env"


def test_the_variable_of_the_command_is_stronger_than_the_general_one(answer):
    got = answer(fine, "w", environ={"MODELSIGN_TRY_FORMAT": "json", "MODELSIGN_FORMAT": "text"})
    assert got.document["word"] == "w"


def test_a_flag_is_stronger_than_the_environment(answer):
    got = answer(fine, "w", "--format", "text", environ={"MODELSIGN_FORMAT": "json"})
    assert got.stdout == "word: w\n"


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_shows_the_examples(answer, flag):
    got = answer(fine, flag)
    assert got.exit_code == 0
    assert "Examples:\n  modelsign try\n  modelsign try again\n" in got.stdout


@pytest.mark.parametrize("flag", ["-V", "--version"])
def test_version_is_one_line(flag):
    got = run(flag)
    assert got.exit_code == 0
    assert got.stdout.startswith("modelsign 0.")


def test_o_writes_the_document_to_a_file_and_nothing_to_stdout(answer, tmp_path):
    got = answer(fine, "w", "--format", "json", "-o", tmp_path / "out.json")
    assert got.out == b""
    assert json.loads((tmp_path / "out.json").read_text())["word"] == "w"


def test_o_writes_the_document_of_a_failure_too(answer, tmp_path):
    def refuse(*_):
        raise error("INPUT_UNREADABLE", "gone")

    got = answer(refuse, "--format", "json", "-o", tmp_path / "out.json")
    assert got.exit_code == 3
    assert got.out == b""
    assert json.loads((tmp_path / "out.json").read_text())["exit_code"] == 3


def test_o_writes_the_document_of_a_usage_error_too(answer, tmp_path):
    got = answer(fine, "--nope", "--format=json", f"--output={tmp_path / 'out.json'}")
    assert got.exit_code == 2
    assert json.loads((tmp_path / "out.json").read_text())["exit_code"] == 2


def test_a_dash_as_output_is_stdout(answer):
    assert answer(fine, "w", "-o", "-").stdout == "word: w\n"


def test_o_never_replaces_a_file_without_force_and_runs_nothing(answer, tmp_path):
    (tmp_path / "out").write_text("precious")
    ran = []

    def remember(session, word, key):
        ran.append(word)
        return fine(session, word, key)

    got = answer(remember, "w", "--format", "json", "-o", tmp_path / "out")
    assert got.exit_code == 2
    assert got.codes == ["OUTPUT_EXISTS"]
    assert ran == []
    assert (tmp_path / "out").read_text() == "precious"


def test_o_replaces_a_file_with_force(answer, tmp_path):
    (tmp_path / "out").write_text("old")
    assert answer(fine, "w", "--force", "-o", tmp_path / "out").exit_code == 0
    assert (tmp_path / "out").read_text() == "word: w\n"


def test_an_output_without_a_folder_is_said_on_stdout_with_exit_three(answer, tmp_path):
    got = answer(fine, "w", "--format", "json", "-o", tmp_path / "no" / "out")
    assert got.exit_code == 3
    assert got.codes == ["OUTPUT_UNWRITABLE"]


def test_a_negative_verdict_stays_negative_where_it_cannot_be_written(answer, tmp_path):
    def refuse(session, *_):
        return Report(session.command, ExitStatus.NEGATIVE)

    assert answer(refuse, "-o", tmp_path / "no" / "out").exit_code == 1


def test_o_to_a_device_writes_to_it_and_leaves_it_there(answer):
    assert answer(fine, "w", "--force", "-o", "/dev/null").exit_code == 0
    assert not Path("/dev/null").is_file()


def test_data_a_command_writes_to_stdout_moves_the_report_to_stderr(answer):
    def both(session, word, key):
        session.write("-", b"data")
        return fine(session, word, key)

    got = answer(both, "w")
    assert got.out == b"data"
    assert got.stderr == "word: w\n"


def test_control_characters_of_untrusted_names_never_reach_the_terminal(answer):
    name = "evil\x1b[2J\x9b31m\u202e\x7f\udcff"

    def refuse(*_):
        raise error("INPUT_UNREADABLE", f"{name}\nUSAGE: forged")

    got = answer(refuse)
    assert not {"\x1b", "\x9b", "\u202e", "\x7f"} & set(got.stdout)
    assert "\nUSAGE: forged" not in got.stdout
    shown = answer(lambda session, *_: Report(session.command, ExitStatus.OK, text=name)).stdout
    assert not {"\x1b", "\x9b", "\u202e", "\x7f"} & set(shown)


def test_warnings_and_logs_go_to_stderr_and_escape_names(answer):
    def chatty(session, word, key):
        session.warn("odd \x1b name")
        session.log("detail")
        session.log("more detail", level=2)
        return fine(session, word, key)

    assert answer(chatty, "w").stderr == "modelsign: warning: odd \\x1b name\n"
    assert "detail" in answer(chatty, "w", "-v").stderr
    assert "more detail" in answer(chatty, "w", "-vv").stderr
    assert answer(chatty, "w", "-q", "-vv").stderr == ""


def test_nothing_is_drawn_where_stderr_is_no_terminal(answer):
    def look(session, word, key):
        assert session.progress is None
        return fine(session, word, key)

    assert answer(look).exit_code == 0


def test_stdin_is_read_where_a_dash_is_given_and_is_bounded(answer):
    def read(session, _, key):
        return fine(session, session.read("-", 5).decode(), key)

    assert answer(read, "--format", "json", stdin=b"12345").document["word"] == "12345"
    assert answer(read, "--format", "json", stdin=b"123456").codes == ["INPUT_TOO_LARGE"]


def test_secrets_come_from_a_file_or_the_environment_and_never_hang(answer, tmp_path):
    (tmp_path / "pw").write_bytes(b"s3cret\n")
    got = []

    def ask(session, word, key):
        got.append(session.secret(key, prompt="Password"))
        return fine(session, word, None)

    answer(ask, "--key", tmp_path / "pw")
    answer(ask, "--key", "env:PW", environ={"PW": "from env"})
    answer(ask)
    assert got == [b"s3cret", b"from env", None]
    assert answer(ask, "--key", "env:UNSET_PW", "--format", "json").codes == ["USAGE"]


def test_the_clock_is_in_utc(answer):
    def look(session, _, key):
        return fine(session, session.now().isoformat(), key)

    assert answer(look, "--format", "json").document["word"].endswith("+00:00")


def test_a_command_may_be_invoked_without_main():
    tree = made(fine)
    context = tree.make_context("modelsign", ["try", "w"])
    with context:
        report = tree.invoke(context)
    assert report.body["word"] == "w"


def test_a_group_lists_its_table_and_imports_a_member_only_when_used():
    tree = group("key", "Keys.", table={"gone": ("modelsign.cli.no_such_module", "Never imported.")})
    assert isinstance(tree, Group)
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        tree.main(["--help"], standalone_mode=False)
    assert "gone  Never imported." in out.getvalue()
    with pytest.raises(ModuleNotFoundError):
        tree.main(["gone"], standalone_mode=False)


def test_a_closed_pipe_is_silent():
    command = f"{ONE} explain | head -c 1 >/dev/null; exit ${{PIPESTATUS[0]}}"
    got = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
    assert got.stderr == b""
    assert got.returncode in (0, 3)


def test_a_full_disk_behind_stdout_is_exit_three_and_said_on_stderr():
    got = subprocess.run(["bash", "-c", f"{ONE} explain >/dev/full"], capture_output=True, text=True, check=False)
    assert got.returncode == 3
    assert "OUTPUT_UNWRITABLE" in got.stderr


def test_a_closed_stdout_is_no_crash():
    got = subprocess.run(["bash", "-c", f"{ONE} explain USAGE >&-"], capture_output=True, text=True, check=False)
    assert got.returncode == 0
    assert "Traceback" not in got.stderr


def _hears_ctrl_c():
    """A job started in the background inherits a SIGINT that is ignored, and hands it on."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c_in_a_real_process_is_130(tmp_path):
    program = (
        "import sys, time\n"
        "from modelsign.cli import main as entry\n"
        "from modelsign.cli.command import define, group\n"
        "tree = group('modelsign', 'x', table={})\n"
        "@define('wait', examples=('a', 'b'), within=tree)\n"
        "def command(session):\n"
        "    open('ready', 'w').close()\n"
        "    time.sleep(60)\n"
        "entry.root = lambda: tree\n"
        "sys.exit(entry.main(['wait', '--format', 'json']))\n"
    )
    started = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=_hears_ctrl_c,  # noqa: PLW1509 - no threads here, and nothing else undoes an inherited SIG_IGN
    )
    for _ in range(600):
        if (tmp_path / "ready").exists():
            break
        time.sleep(0.05)
    os.kill(started.pid, signal.SIGINT)
    out, _ = started.communicate(timeout=30)
    assert started.returncode == 130
    assert json.loads(out)["reasons"][0]["code"] == "INTERRUPTED"


def test_python_m_modelsign_is_the_same_program():
    got = subprocess.run([sys.executable, "-m", "modelsign", "--version"], capture_output=True, text=True, check=False)
    assert got.returncode == 0
    assert got.stdout == run("--version").stdout


def test_the_answer_of_the_helper_is_what_a_user_sees():
    assert Answered(0, b"{}", "").document == {}


def test_shell_completion_answers_and_ends_with_zero():
    environ = {**os.environ, "_MODELSIGN_COMPLETE": "bash_complete", "COMP_WORDS": "modelsign ver", "COMP_CWORD": "1"}
    got = subprocess.run([ONE], capture_output=True, text=True, check=False, env=environ)
    assert got.returncode == 0
    assert "verify" in got.stdout


def test_a_pipe_closed_under_help_is_silent_and_never_exit_one():
    command = f"{ONE} check --help | true; exit ${{PIPESTATUS[0]}}"
    got = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
    assert got.stderr == b""
    assert got.returncode in (0, 3)


class Gone(io.RawIOBase):
    """A stdout whose reader has gone, or whose disk is full."""

    def __init__(self, fault):
        self.fault = fault
        self.buffer = self

    def flush(self):
        pass

    def isatty(self):
        return False

    def write(self, _data):
        raise self.fault


@pytest.mark.parametrize(
    ("arguments", "fault", "status"),
    [
        (["explain", "USAGE"], BrokenPipeError(), 0),
        (["explain", "NOPE"], BrokenPipeError(), 2),
        (["explain", "USAGE"], OSError(28, "No space left on device"), 3),
        (["--version"], BrokenPipeError(), 3),
        ([], BrokenPipeError(), 3),
    ],
)
def test_a_stdout_that_fails_decides_the_status_only_where_there_is_no_verdict(monkeypatch, arguments, fault, status):
    monkeypatch.setattr(sys, "stdout", Gone(fault))
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(io.BytesIO()))
    assert entry.main(arguments) == status


def test_an_interrupt_before_any_command_is_130(monkeypatch):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(entry.os, "getcwd", interrupted)
    assert entry.main(["explain"]) == 130


def test_a_full_disk_on_both_ends_still_ends_quietly(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Gone(OSError(28, "full")))
    monkeypatch.setattr(sys, "stderr", Gone(OSError(28, "full")))
    assert entry.main(["explain", "USAGE"]) == 3


def test_a_rendering_that_fails_is_internal_in_the_format_that_was_asked_for(answer, monkeypatch):
    def broken(*_args, **_options):
        raise ZeroDivisionError

    monkeypatch.setattr(entry, "_render", broken)
    got = answer(fine, "--format", "json", "-v")
    assert got.exit_code == 3
    assert got.codes == ["INTERNAL"]
    assert "ZeroDivisionError" in got.stderr


def test_a_format_without_a_writer_is_said_in_plain_words():
    report = Report("try", ExitStatus.OK, text="hello\n")
    assert entry._render(report, "no-such-format", colour=False) == "hello\n"


def test_the_way_a_refusal_came_about_is_shown_with_vv(answer):
    def refuse(*_):
        raise error("USAGE", "because")

    assert "Traceback" in answer(refuse, "-vv").stderr
    assert answer(refuse, "-v").stderr == ""


@pytest.mark.parametrize(("code", "status"), [(0, 0), (None, 0), (1, 3)])
def test_an_exit_from_click_itself_is_never_taken_for_a_verdict(answer, code, status):
    def leave(*_):
        sys.exit(code)

    assert answer(leave).exit_code == status


@pytest.mark.parametrize("flag", ["-V", "--version"])
@pytest.mark.parametrize(("redirect", "status"), [(">/dev/full", 3), (">&-", 0), (">/dev/full 2>&-", 3)])
def test_the_version_on_a_stdout_that_fails_is_never_exit_one(flag, redirect, status):
    got = subprocess.run(["bash", "-c", f"{ONE} {flag} {redirect}"], capture_output=True, text=True, check=False)
    assert got.returncode == status
    assert "Traceback" not in got.stderr


@pytest.mark.parametrize("place", ["file/x", "n" * 300, "missing/x", "a\0b"])
def test_a_report_with_no_place_to_go_is_told_on_stdout(answer, tmp_path, place):
    (tmp_path / "file").touch()
    got = answer(fine, "w", "--format", "json", "-o", place)
    assert (got.exit_code, got.codes) == (3, ["OUTPUT_UNWRITABLE"])


def test_a_working_directory_that_is_gone_is_no_fault(tmp_path):
    (tmp_path / "gone").mkdir()
    command = f"cd {tmp_path}/gone && rmdir ../gone && env -u PYTHONPATH {ONE} explain USAGE --format json"
    got = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (got.returncode, json.loads(got.stdout)["exit_code"]) == (0, 0)


def test_a_fault_of_the_way_to_say_so_is_exit_three(monkeypatch, capsys):
    def broken(*_):
        raise RuntimeError("odd\x1b[2J")

    monkeypatch.setattr(entry, "_show", broken)
    assert entry.main(["explain", "USAGE"]) == 3
    assert "RuntimeError: 'odd\\x1b[2J'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "environ", "config"),
    [
        (["--bogus"], {"MODELSIGN_TRY_FORMAT": "json"}, ""),
        (["--bogus"], {"MODELSIGN_TRY_FORMAT": "json", "MODELSIGN_FORMAT": "text"}, ""),
        (["--bogus"], {}, 'format = "json"'),
        (["--bogus", "--config", "named.toml"], {}, ""),
        (["--config=named.toml", "--private-key"], {}, ""),
        (["too", "many"], {}, 'format = "json"'),
        (["too", "many", "--config", "named.toml"], {}, 'format = "text"'),
        (["--color", "odd"], {"MODELSIGN_TRY_FORMAT": "json"}, ""),
    ],
)
def test_a_usage_error_is_shown_as_the_answer_would_have_been(answer, tmp_path, arguments, environ, config):
    (tmp_path / "modelsign.toml").write_text(config)
    (tmp_path / "named.toml").write_text('format = "json"\n')
    got = answer(fine, *arguments, environ=environ)
    assert (got.exit_code, got.codes) == (2, ["USAGE"])


def test_a_usage_error_beside_a_configuration_that_is_refused_is_still_one(answer, tmp_path):
    (tmp_path / "modelsign.toml").write_text("key = 1\n")
    got = answer(fine, "--bogus")
    assert got.exit_code == 2
    assert got.stdout.startswith("USAGE")
    got = answer(fine, "--bogus", "--no-config", "--format", "json")
    assert got.codes == ["USAGE"]


def test_python_m_modelsign_runs_nothing_of_the_folder_it_stands_in(tmp_path):
    for name in ("click", "json", "hashlib", "dataclasses", "cryptography", "zlib"):
        (tmp_path / f"{name}.py").write_text("open('ran', 'w').close()\n")
    for words in (["explain", "USAGE", "--format", "json"], ["verify", "x", "--key", "y"]):
        command = [sys.executable, "-m", "modelsign", *words]
        got = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert got.returncode in (0, 2, 3)
        assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("value", "values"),
    [
        ("a", ["a"]),
        ("a b:c", ["a b", "c"]),
        (":a::b:", ["a", "b"]),
        ("https://x/y:z=http://w", ["https://x/y", "z=http://w"]),
        ("sha256:1\nb c\n", ["sha256:1", "b c"]),
        ("sha256:1\n", ["sha256:1"]),
    ],
)
def test_a_variable_holds_several_values_as_path_does_or_one_a_line(value, values):
    seen = []
    tree = group("modelsign", "x", table={})

    @define("try", examples=("a", "b"), within=tree)
    @click.option("--thing", "things", multiple=True)
    def command(session: Session, *, things: tuple[str, ...]) -> Report:
        """Try."""
        seen.extend(things)
        return fine(session, "", None)

    del command
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(entry, "root", lambda: tree)
        assert run("try", environ={"MODELSIGN_TRY_THING": value}).exit_code == 0
    assert seen == values
