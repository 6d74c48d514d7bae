"""Proves that the built wheel works for somebody who has nothing but its declared dependencies.

Builds the wheel, installs it into fresh environments without the development dependencies, once with the lowest
versions the project allows and once with the newest, imports every module with warnings as errors, asks every command
for its help, and then generates a key, signs, verifies, scans and checks a model.

    python tools/smoke.py [lowest] [newest]
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
IMPORT_ALL = """
import importlib, pkgutil, sys, modelsign
for module in pkgutil.walk_packages(modelsign.__path__, "modelsign."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
heavy = {"torch", "numpy", "joblib", "safetensors", "modelscan"} & set(sys.modules)
assert not heavy, heavy
"""

LIST_COMMANDS = """
import click
from modelsign.cli.main import root
def walk(command, words):
    print(*words)
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            walk(command.get_command(context, name), [*words, name])
walk(root(), [])
"""


def main() -> int:
    """Run the chosen kinds; both by default."""
    kinds = sys.argv[1:] or ["lowest", "newest"]
    with tempfile.TemporaryDirectory(prefix="modelsign-smoke-") as scratch:
        work = Path(scratch)
        wheel = _build(work)
        for kind in kinds:
            print(f"== {kind} dependencies", flush=True)
            bin_folder = _environment(work / kind, wheel, _lowest() if kind == "lowest" else {})
            # cryptography 47 knows ML-DSA by name and has it in none of its wheels
            _try_out(bin_folder, work / f"{kind}-journey", has_ml_dsa=kind == "newest")
    print("== the wheel works", flush=True)
    return 0


def _run(*command: str | Path, cwd: Path | None = None, expect: int = 0) -> str:
    words = [str(word) for word in command]
    print("+", " ".join(words[:8]).split("\n", 1)[0], flush=True)
    answer = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False)
    if answer.returncode != expect:
        print(answer.stdout, answer.stderr, sep="\n")
        message = f"expected exit status {expect}, got {answer.returncode}: {' '.join(words)}"
        raise SystemExit(message)
    return answer.stdout


def _build(work: Path) -> Path:
    _run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", work, ROOT)
    return next(work.glob("modelsign-*.whl"))


def _lowest() -> dict[str, str]:
    """Return the lower bound of every core dependency."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    bounds = {}
    for line in project["dependencies"]:
        found = re.fullmatch(r"([A-Za-z0-9._-]+)>=([0-9.]+)(,.*)?", line.split(";")[0].strip())
        if found is None:
            message = f"a dependency without a lower bound: {line}"
            raise SystemExit(message)
        bounds[found[1]] = found[2]
    return bounds


def _environment(folder: Path, wheel: Path, pins: dict[str, str]) -> Path:
    venv.create(folder, with_pip=True)
    constraints = folder / "constraints.txt"
    constraints.write_text("".join(f"{name}=={version}\n" for name, version in pins.items()), encoding="utf-8")
    python = folder / "bin/python"
    _run(python, "-m", "pip", "install", "--quiet", "--constraint", constraints, wheel)
    installed = json.loads(_run(python, "-m", "pip", "list", "--format", "json"))
    versions = {entry["name"].lower(): entry["version"] for entry in installed}
    print("  " + ", ".join(f"{name} {versions.get(name.lower())}" for name in _lowest()), flush=True)
    return folder / "bin"


def _try_out(bin_folder: Path, work: Path, *, has_ml_dsa: bool) -> None:
    work.mkdir()
    python, modelsign = bin_folder / "python", bin_folder / "modelsign"
    _run(python, "-W", "error", "-c", IMPORT_ALL)
    for line in _run(python, "-c", LIST_COMMANDS).splitlines():
        _run(modelsign, *line.split(), "--help")
    _run(modelsign, "--version")
    _run(modelsign, "doctor")
    model = work / "model"
    model.mkdir()
    (model / "config.json").write_text('{"hidden_size": 8}\n', encoding="utf-8")
    (model / "model.safetensors").write_bytes(_safetensors())
    _run(modelsign, "key", "generate", "signer.pem", cwd=work)
    _run(modelsign, "key", "generate", "pq.pem", "--algorithm", "ml-dsa-65", cwd=work, expect=0 if has_ml_dsa else 3)
    _run(modelsign, "sign", "model", "--key", "signer.pem", cwd=work)
    _run(modelsign, "verify", "model", "--key", "signer.pub", cwd=work)
    _run(modelsign, "scan", "model", cwd=work)
    _run(modelsign, "check", "model", "--policy", "baseline", "--set", "signers=signer.pub", cwd=work)
    (model / "config.json").write_text('{"hidden_size": 9}\n', encoding="utf-8")
    _run(modelsign, "verify", "model", "--key", "signer.pub", cwd=work, expect=1)


def _safetensors() -> bytes:
    """One tensor of two float32, after the format's specification."""
    header = b'{"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + bytes(8)


if __name__ == "__main__":
    sys.exit(main())
