"""The demo fails as soon as something is not as told, and reaches no network. (The story itself is ``make demo``.)"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

DEMO = Path(__file__).parents[2] / "examples" / "demo"
TELL = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from story import Story
story = Story(Path(sys.argv[2]))
"""


def tell(tmp_path, *lines: str) -> subprocess.CompletedProcess[str]:
    program = "\n".join([TELL, *lines])
    command = [sys.executable, "-c", program, DEMO, tmp_path]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60)


def test_a_step_that_goes_well_is_printed_as_it_could_be_typed(tmp_path):
    answer = tell(tmp_path, "story.chapter('One', 'two')", "story.run('echo', 'a b')", "story.end()")
    assert answer.returncode == 0, answer
    assert "1. One\n" in answer.stdout
    assert "$ echo 'a b'\n  a b\n" in answer.stdout


def test_a_wrong_exit_status_ends_the_demo(tmp_path):
    answer = tell(tmp_path, "story.run('modelsign', 'no-such-command')", "print('went on')")
    assert answer.returncode == 1
    assert "DEMO FAILED: exit status 2, expected 0" in answer.stderr
    assert "went on" not in answer.stdout


def test_a_denial_needs_its_exit_status_and_its_reason(tmp_path):
    command = "'modelsign', 'scan', 'absent'"
    told = tell(tmp_path, f"story.denied('NO_SUCH_MODEL', 'x', {command}, expect=2)", "story.end()")
    assert told.returncode == 0, told
    assert "NO_SUCH_MODEL" in told.stdout
    for line in (
        f"story.denied('OTHER_CODE', 'x', {command}, expect=2)",
        f"story.denied('NO_SUCH_MODEL', 'x', {command}, expect=1)",
        f"story.denied('NO_SUCH', 'x', {command}, expect=2)",
        "story.demand(False, 'no')",
    ):
        answer = tell(tmp_path / str(len(list(tmp_path.iterdir()))), line)
        assert answer.returncode == 1, line


@pytest.mark.parametrize(
    "attempt",
    [
        "import socket; socket.create_connection(('127.0.0.1', 9))",
        "import socket; socket.getaddrinfo('example.org', 80)",
    ],
)
def test_nothing_reaches_a_network(tmp_path, attempt):
    started = tell(tmp_path, f"story.run('python', '-c', {attempt!r}, expect=1)")
    assert started.returncode == 0, started
    assert "the demo runs without a network" in started.stdout
    inside = tell(tmp_path / "inside", attempt)
    assert inside.returncode == 1
    assert "the demo runs without a network" in inside.stderr
