"""What commands print, compared with golden files (tests/golden/conftest.py says how they are written)."""

from __future__ import annotations

import json

import foreignbundles as foreign
import pytest
from commandline import modelsign as run

from modelsign.cli.main import COMMANDS

TOOLS = ("sign", "verify", "digest", "inspect", "scan", "check")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A key, a stranger's key, a signed model, and a model that would run a command when loaded."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    model = tmp_path / "model"
    model.mkdir()
    header = b'{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'
    header += b" " * (-len(header) % 8)
    (model / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(8))
    (model / "config.json").write_text('{"hidden_size": 2}\n')
    for key in ("signer", "stranger"):
        assert run("key", "generate", f"{key}.pem").exit_code == 0
    # Signatures of ECDSA differ in size from key to key.
    assert run("key", "generate", "steady.pem", "--algorithm", "ed25519").exit_code == 0
    assert run("sign", "model", "--key", "steady.pem", "--bundle", "steady.sig").exit_code == 0
    (tmp_path / "evil.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")  # later: no key is made beside a model
    assert run("sign", "model", "--key", "signer.pem").exit_code == 0
    return tmp_path


def names():
    """Every command that can be asked for its help."""
    members = {"key": ("generate", "show"), "attest": ("provenance", "scan"),
               "policy": ("init", "lint", "test", "explain", "schema")}  # fmt: skip
    return [[], *([name] for name in COMMANDS), *([name, member] for name in members for member in members[name])]


@pytest.mark.parametrize("words", names(), ids=lambda words: "-".join(words) or "modelsign")
def test_help(words, golden, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    golden(f"help-{'-'.join(words) or 'modelsign'}.txt", run(*words, "--help").stdout)


VERIFY = ("verify", "model", "--key", "signer.pub")
CHECK = ("check", "model", "--policy", "baseline", "--set", "signers=signer.pub")
ANSWERS = {
    "verify-verified": (VERIFY, 0),
    "verify-wrong-key": (("verify", "model", "--key", "stranger.pub"), 1),
    "verify-no-trust": (("verify", "model"), 2),
    "verify-no-model": (("verify", "nowhere", "--key", "signer.pub"), 2),
    "digest": (("digest", "model"), 0),
    "inspect": (("inspect", "steady.sig"), 0),
    "scan-clean": (("scan", "model"), 0),
    "scan-unsafe": (("scan", "evil.pkl"), 1),
    "check-allow": (CHECK, 0),
    "check-unset-parameter": (("check", "model", "--policy", "baseline"), 2),
    "explain": (("explain", "FILE_CHANGED"), 0),
    "usage": (("verify", "--kee", "x"), 2),
}


@pytest.mark.parametrize("format_name", ["text", "json"])
@pytest.mark.parametrize("name", ANSWERS)
def test_answers(folder, golden, name, format_name):
    arguments, status = ANSWERS[name]
    got = run(*arguments, "--format", format_name)
    assert folder
    assert got.exit_code == status
    assert got.stderr == ""
    if format_name == "json":
        assert got.document["exit_code"] == status
    golden(f"{name}.{'txt' if format_name == 'text' else 'json'}", got.stdout)


FOREIGN = {
    "cosign-blob": foreign.cosign_blob,
    "github-attestation": foreign.github_attestation,
    "npm-publish": foreign.npm_publish,
    "old-keyless": foreign.old_keyless,
    "bare-envelope": foreign.bare_envelope,
    "pypi-attestation": foreign.pypi_attestation,
    "hostile": foreign.hostile,
}


@pytest.mark.parametrize("format_name", ["text", "json"])
@pytest.mark.parametrize("name", FOREIGN)
def test_inspect_of_bundles_of_other_tools(tmp_path, golden, monkeypatch, name, format_name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.json").write_text(json.dumps(FOREIGN[name]()))
    got = run("inspect", "x.json", "--format", format_name)
    assert (got.exit_code, got.stderr) == (0, "")
    assert "NOTHING HERE WAS VERIFIED" in got.stdout
    assert "\x1b" not in got.stdout
    golden(f"inspect-{name}.{'txt' if format_name == 'text' else 'json'}", got.stdout)


def damage(folder, how):
    model = folder / "model"
    if how == "changed":
        (model / "config.json").write_text('{"hidden_size": 3}\n')
    elif how == "missing":
        (model / "config.json").unlink()
    elif how == "extra":
        (model / "extra.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    elif how == "unsigned":
        (model / "model.sig").unlink()
    elif how == "truncated":
        (model / "model.sig").write_bytes((model / "model.sig").read_bytes()[:200])
    elif how == "empty":
        for file in ("config.json", "model.safetensors"):
            (model / file).unlink()
    elif how == "odd-name":
        (model / "evil\x1b[2Jname.bin").write_bytes(b"\0")


DAMAGES = {"changed": 1, "missing": 1, "extra": 1, "unsigned": 1, "truncated": 3, "empty": 4, "odd-name": None}


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("command", [VERIFY, CHECK], ids=["verify", "check"])
def test_every_damage_has_its_own_answer(folder, golden, how, command):
    damage(folder, how)
    got = run(*command, "--format", "json")
    if DAMAGES[how] is not None and command is VERIFY:
        assert got.exit_code == DAMAGES[how]
    assert got.exit_code != 0
    assert got.codes
    golden(f"{command[0]}-{how}.json", got.stdout)
    shown = run(*command).stdout
    assert "\x1b" not in shown
    golden(f"{command[0]}-{how}.txt", shown)


@pytest.mark.parametrize("format_name", ["sarif", "junit", "markdown", "github", "jsonl"])
def test_other_formats_of_an_unsafe_scan(folder, golden, format_name):
    got = run("scan", "evil.pkl", "--format", format_name)
    assert folder
    assert got.exit_code == 1
    if format_name in ("sarif", "jsonl"):
        json.loads(got.stdout)
    golden(f"scan-unsafe.{format_name}", got.stdout)
