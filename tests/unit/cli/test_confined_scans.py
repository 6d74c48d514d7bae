"""The command line scans in a confined child, says so in every output, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import model_files
import pytest
from commandline import modelsign
from processes import gone

CONFINED = "confined by: process, rlimits, no-new-privileges"
NOT_CONFINED = "not confined: process: it was not asked for"


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "a.json").write_text("{}", encoding="utf-8")
    (folder / "b.pkl").write_bytes(b"\x80\x04]\x94.")
    return folder


@pytest.mark.parametrize("command", ["scan", "check"])
def test_text_json_and_sarif_say_what_held_the_scan(command, model, tmp_path):
    arguments = [command, model]
    if command == "check":
        assert modelsign("key", "generate", tmp_path / "k.pem").exit_code == 0
        arguments += ["--policy", "baseline", "--set", f"signers={tmp_path / 'k.pub'}"]
    assert CONFINED in modelsign(*arguments).stdout
    assert NOT_CONFINED in modelsign(*arguments, "--no-sandbox").stdout

    body = modelsign(*arguments, "--format", "json").document
    held = (body["scan"] if command == "check" else body)["confinement"]
    assert held["in_force"][:3] == ["process", "rlimits", "no-new-privileges"]
    body = modelsign(*arguments, "--no-sandbox", "--format", "json").document
    held = (body["scan"] if command == "check" else body)["confinement"]
    assert held == {"in_force": [], "missing": ["process: it was not asked for"]}

    (run,) = modelsign(*arguments, "--format", "sarif").document["runs"]
    assert run["properties"]["confinement"].startswith(CONFINED)


def test_the_switch_changes_nothing_but_what_is_said_of_the_confinement(model):
    (model / "evil.pkl").write_bytes(model_files.EVIL)
    found = [modelsign("scan", model, "--format", "json", *switch) for switch in ((), ("--no-sandbox",))]
    assert [one.exit_code for one in found] == [1, 1]
    bodies = [one.document for one in found]
    held = [body.pop("confinement") for body in bodies]
    assert held[0] != held[1]
    assert bodies[0] == bodies[1]


def test_what_is_attested_does_not_depend_on_what_held_the_scan(model, tmp_path):
    assert modelsign("key", "generate", tmp_path / "k.pem", "--algorithm", "ed25519").exit_code == 0
    stores = []
    for number, switch in enumerate(((), ("--no-sandbox",))):
        stores.append(tmp_path / f"{number}.jsonl")
        said = modelsign(
            *("attest", "scan", model, "--key", tmp_path / "k.pem", "--attestations", stores[-1]),
            *("--scanned-on", "2026-11-23T12:00:00Z", *switch),
        )
        assert said.exit_code == 0
    assert stores[0].read_bytes() == stores[1].read_bytes()


def test_standard_input_is_scanned_in_a_child(tmp_path):
    said = modelsign("scan", "-", stdin=model_files.EVIL, cwd=tmp_path)
    assert said.exit_code == 1
    assert CONFINED in said.stdout


def test_a_disassembly_is_made_in_the_child(model):
    texts = [modelsign("scan", "--trace", model / "b.pkl", *switch).stdout for switch in ((), ("--no-sandbox",))]
    assert "EMPTY_LIST" in texts[0]
    assert texts[0].splitlines()[:-2] == texts[1].splitlines()[:-2]


def test_a_configuration_that_was_found_cannot_take_the_sandbox_away(model, tmp_path):
    (tmp_path / "modelsign.toml").write_text("[scan]\nno-sandbox = true\n", encoding="utf-8")
    said = modelsign("scan", model, cwd=tmp_path)
    assert CONFINED in said.stdout or said.exit_code == 2


def descendants(process: int) -> list[int]:
    """Return all processes below one."""
    found: list[int] = []
    for task in Path(f"/proc/{process}/task").iterdir():
        for child in (task / "children").read_text(encoding="ascii").split():
            found += [int(child), *descendants(int(child))]
    return found


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_a_signal_ends_the_command_and_all_its_processes(number, status, tmp_path):
    place = tmp_path / "big.pkl"
    with place.open("wb") as file:
        file.write(b"\x80\x02]")
        file.truncate(40_000_000_000)  # hashing it takes far longer than this test
    command = [sys.executable, "-m", "modelsign", "scan", place, "--format", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "MODELSIGN_CONFIG": ""}) as process:
        below: list[int] = []
        while len(below) < 2:
            assert process.poll() is None
            below = descendants(process.pid)
            time.sleep(0.02)
        if number is signal.SIGINT:
            time.sleep(0.5)  # Python takes a while until it asks; before that it is interrupted just as well
        process.send_signal(number)
        said = process.stdout.read()
    assert process.returncode == status
    assert all(map(gone, below))
    if number is signal.SIGINT:
        assert json.loads(said)["reasons"][0]["code"] == "INTERRUPTED"
