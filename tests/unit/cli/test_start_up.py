"""Starting must stay cheap: what ``--help``, ``--version`` and ``verify --key`` may not import."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"sigstore", "in_toto", "modelscan", "requests", "rich", "torch", "numpy", "pydantic", "urllib3", "sqlalchemy"}
HEAVIER_THAN_HELP = HEAVY | {"yaml", "msgspec", "cryptography", "pathspec", "asyncio", "tomllib", "platformdirs"}

PROGRAM = """
import sys
from modelsign.cli.main import main
status = main(sys.argv[1:])
sys.stderr.write("\\nloaded: " + " ".join(sorted({name.partition(".")[0] for name in sys.modules})))
sys.stderr.write("\\nours: " + " ".join(sorted(name for name in sys.modules if name.startswith("modelsign"))))
sys.exit(status)
"""


def loaded(*arguments, cwd=None):
    """Run the command line in a new process; return its status, the top-level modules it loaded, and ours."""
    got = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, check=False, cwd=cwd
    )
    lines = dict(line.partition(": ")[::2] for line in got.stderr.splitlines() if ": " in line)
    return got.returncode, set(lines["loaded"].split()), set(lines["ours"].split())


@pytest.mark.parametrize("flag", ["--version", "-V"])
def test_version_imports_no_command_line_library_at_all(flag):
    status, modules, ours = loaded(flag)
    assert status == 0
    assert not modules & (HEAVIER_THAN_HELP | {"click"})
    assert ours == {"modelsign", "modelsign._version", "modelsign.cli", "modelsign.cli.main"}


@pytest.mark.parametrize("arguments", [("--help",), ("-h",), ()])
def test_help_imports_no_command_and_nothing_heavy(arguments):
    status, modules, ours = loaded(*arguments)
    assert status == (0 if arguments else 2)
    assert not modules & HEAVIER_THAN_HELP
    assert not [name for name in ours if name.startswith(("modelsign.signing", "modelsign.scan", "modelsign.policy"))]
    assert "modelsign.cli.verify" not in ours


@pytest.mark.parametrize("name", ["sign", "verify", "digest", "scan", "check"])
def test_the_help_of_a_command_imports_nothing_heavy(name):
    status, modules, _ = loaded(name, "--help")
    assert status == 0
    assert not modules & HEAVY


def test_verify_with_a_key_imports_nothing_heavy(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    for arguments in (
        ("key", "generate", "signer.pem"),
        ("sign", "model", "--key", "signer.pem"),
    ):
        assert loaded(*arguments, cwd=tmp_path)[0] == 0
    status, modules, ours = loaded("verify", "model", "--key", "signer.pub", cwd=tmp_path)
    assert status == 0
    assert not modules & (HEAVY | {"yaml", "asyncio", "pathspec", "multiprocessing"})
    assert not [name for name in ours if name.startswith(("modelsign.scan", "modelsign.policy", "modelsign.guard"))]
