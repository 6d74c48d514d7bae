"""Progress on a terminal: bytes, share, rate, time left; not too often, wiped at the end, and nowhere but there."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys

import pytest

from modelsign.artifact.model import open_artifact
from modelsign.artifact.reading import BLOCK
from modelsign.cli.progress import Progress, amount, duration
from modelsign.scan.engine import scan_artifact


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def drawn(*steps):
    clock, screen = Clock(), io.StringIO()
    draw = Progress(screen, clock)
    for seconds, what, done, total in steps:
        clock.now = 100.0 + seconds
        draw(what, done, total)
    return screen.getvalue()


def test_it_shows_bytes_share_rate_and_what_is_left():
    shown = drawn((2, "weights.bin", 500_000_000, 2_000_000_000))
    assert "weights.bin 500 MB of 2 GB  25 % 250 MB/s 6 s left" in shown


def test_in_the_first_moments_there_is_no_rate():
    assert drawn((0.1, "a", 5, 10)).endswith("a 5 B of 10 B  50 %\r")
    assert "/s" not in drawn((9, "a", 0, 10))


def test_what_has_no_known_end_shows_what_is_done():
    assert "walking 5 B" in drawn((3, "walking", 5, 0))


def test_it_is_not_drawn_more_often_than_one_can_see_but_always_at_the_end():
    shown = drawn((0, "a", 1, 9), (0.01, "b", 2, 9), (0.02, "c", 3, 9), (0.2, "d", 4, 9), (0.21, "e", 9, 9))
    assert [name for name in "abcde" if f"{name} " in shown] == ["a", "d", "e"]
    assert shown.endswith("\r\x1b[K")


def test_a_name_cannot_move_the_cursor_and_is_cut():
    shown = drawn((1, "\x1b[2J" + "n" * 200, 1, 2))
    assert "\x1b[2J" not in shown
    assert "n" * 41 not in shown


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (10**9, "1 GB"), (2**63, "9.22e+03 PB")]
)
def test_amounts_are_short(count, text):
    assert amount(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59.4, "59 s"), (61, "1 min 01 s"), (3661, "1 h 01 min"), (90000, "25 h 00 min")]
)
def test_times_are_short(seconds, text):
    assert duration(seconds) == text


def test_a_scan_on_a_terminal_draws_and_leaves_a_clean_line(tmp_path):
    for number in range(3):
        (tmp_path / f"{number}.txt").write_bytes(b"x" * 1000)
    ours, theirs = pty.openpty()
    command = [
        sys.executable,
        "-m",
        "modelsign",
        "scan",
        str(tmp_path),
        "--format",
        "json",
        "-o",
        os.devnull,
        "--force",
    ]
    with subprocess.Popen(
        command, stdin=theirs, stdout=subprocess.DEVNULL, stderr=theirs, env={**os.environ, "TERM": "xterm"}
    ) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            shown += piece
        process.wait()
    os.close(ours)
    assert b"0.txt 0 B of 3 kB   0 %" in shown
    assert b"3 kB of 3 kB 100 %" in shown
    assert shown.rstrip(b"\n").split(b"100 %")[1].count(b"\x1b[K") == 1


def test_within_one_big_file_a_scan_tells_how_many_bytes_are_done(tmp_path):
    size = 5 * BLOCK + 7
    (tmp_path / "a.bin").write_bytes(b"\xff" * size)
    (tmp_path / "b.bin").write_bytes(b"\xfe" * 10)
    told = []
    with open_artifact(tmp_path) as artifact:
        scan_artifact(artifact, progress=lambda *step: told.append(step))
    within = [done for name, done, _ in told if name == "a.bin"]
    assert {0, BLOCK, 2 * BLOCK, 5 * BLOCK, size} <= set(within)
    assert within == sorted(within)
    assert told[-2:] == [("b.bin", size + 10, size + 10), ("", size + 10, size + 10)]
    assert {total for _, _, total in told} == {size + 10}


def test_without_a_terminal_a_scan_writes_its_answer_and_nothing_else(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"\xff" * (3 * BLOCK))
    command = [sys.executable, "-m", "modelsign", "scan", str(tmp_path), "--format", "json"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    assert json.loads(done.stdout)["files"][0]["path"] == "a.bin"
    assert done.stderr == b""
