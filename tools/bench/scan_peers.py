"""CPU and peak memory of a scan against modelscan, picklescan, fickling and modelaudit, on the same files in one run.

Each scanner reads each file in a process of its own, through its own library. What it needs for a tiny pickle is its
start-up, printed first and taken off the CPU of every other file; memory is the whole process. What a scanner did not
look at, or how it ended, stands beside the figure, and no ratio is made of it. modelaudit brings hundreds of megabytes
of packages, so it is installed into an environment of its own (``.venv-modelaudit``), from PyPI, if it is not there.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import NamedTuple

import inputs
from pairs import PAIRS, row

ROOT = Path(__file__).resolve().parents[2]
AUDIT = ROOT / ".venv-modelaudit"
MOST_SECONDS, MOST_BYTES = int(os.environ.get("BENCH_PEER_SECONDS", "200")), 8 << 30
FILES = frozenset(os.environ.get("BENCH_PEER_FILES", "").split())
"""Names of the files to compare on; all where none is named."""
ROUNDS = min(PAIRS, 3)
OURS = """
import sys, json
from pathlib import Path
from modelsign.artifact.model import open_artifact
from modelsign.scan.engine import scan_artifact
with open_artifact(Path(sys.argv[1])) as artifact:
    print(json.dumps([True, str(scan_artifact(artifact).outcome)]))
"""
PEERS = {
    "modelscan": """
import sys, json, copy
from modelscan.modelscan import ModelScan
from modelscan.settings import DEFAULT_SETTINGS
scanner = ModelScan(settings=copy.deepcopy(DEFAULT_SETTINGS))
found = scanner.scan(sys.argv[1])
looked = found["summary"]["scanned"]["total_scanned"] > 0 and not found["errors"]
print(json.dumps([looked, f"{found['summary']['total_issues']} issues, {len(found['errors'])} errors"]))
""",
    "picklescan": """
import sys, json
from picklescan.scanner import scan_file_path
found = scan_file_path(sys.argv[1])
print(json.dumps([found.scanned_files > 0 and not found.scan_err, f"{found.issues_count} issues"]))
""",
    "fickling": """
import sys, json, zipfile
from fickling import loader
if zipfile.is_zipfile(sys.argv[1]):
    found = loader.scan_zip_archive(sys.argv[1], graceful=True)
else:
    found = {"": loader.scan_file(sys.argv[1], graceful=True)}
faults = [str(text)[:60] for result in found.values() for text in result.errors]
read = [analysis for result in found.values() for analysis in result.results]
print(json.dumps([bool(read) and not faults, faults[0] if faults else f"{len(read)} pickles"]))
""",
}
KINDS = (
    ("DataFrame, 1 M rows", inputs.frame, "frame.pkl"),
    ("list of 2 M objects", inputs.objects, "objects.pkl"),
    ("20,000 tensors, their pickle", inputs.tensors, "data.pkl"),
    ("20,000 tensors, archive", inputs.many_tensors, "tensors.pt"),
    ("PyTorch archive, 300 MB", inputs.torch_archive, "model.pt"),
    ("forest of 300 trees", inputs.forest, "forest.pkl"),
    ("Keras archive, 100 MB", inputs.keras, "model.keras"),
    ("ONNX, 100 MB", inputs.onnx, "model.onnx"),
    ("safetensors, 300 MB", inputs.safetensors, "model.safetensors"),
)


class Taken(NamedTuple):
    """The best of some runs: seconds of CPU, peak bytes, whether the file was looked at, and what was said."""

    cpu: float
    peak: int
    looked: bool
    said: str


def _bounded() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))


def once(command: list[str], path: Path) -> Taken:
    """Run a scanner over one file."""
    silent = {"PROMPTFOO_DISABLE_TELEMETRY": "1", "NO_ANALYTICS": "1", "DO_NOT_TRACK": "1"}
    environment = {**os.environ, **silent, "PYTHONDONTWRITEBYTECODE": ""}  # compiled once, as everywhere
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as fault:
        process = subprocess.Popen(
            [*command, str(path)],
            stdout=out,
            stderr=fault,
            env=environment,
            preexec_fn=_bounded,  # noqa: PLW1509 - there are no threads here
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        looked, said = _said(out.read(), process.returncode)
        if not said:
            fault.seek(0)
            lines = fault.read().decode("utf-8", "replace").strip().splitlines()
            said = f"ended with {process.returncode}: {lines[-1][:80] if lines else 'no word'}"
    return Taken(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, looked, said)


def _said(answer: bytes, status: int) -> tuple[bool, str]:
    """Return whether the file was looked at, and what was said; modelaudit writes a document of its own."""
    try:
        document = json.loads(answer.decode("utf-8", "replace").strip() or "null")
    except ValueError:
        return False, ""
    if isinstance(document, list):
        return bool(document[0]), str(document[1])
    if isinstance(document, dict):
        issues = document.get("issues") or []
        return status in {0, 1}, f"exit {status}, {len(issues)} issues"
    return False, ""


def audit() -> list[str] | str:
    """Return modelaudit's command, installed if need be, or why there is none."""
    python = AUDIT / "bin/python"
    if not (AUDIT / "bin/modelaudit").exists():
        venv.create(AUDIT, with_pip=True)
        done = subprocess.run(
            [str(python), "-m", "pip", "install", "--quiet", "modelaudit"], capture_output=True, text=True, check=False
        )
        if done.returncode:
            return f"not installable: {done.stderr.strip().splitlines()[-1][:100]}"
    return [str(AUDIT / "bin/modelaudit"), "scan", "--format", "json", "--no-cache"]


def versions() -> None:
    """Print which versions are compared."""
    code = "import sys, importlib.metadata as m; print(sys.argv[1], m.version(sys.argv[1]))"
    for python, names in ((sys.executable, PEERS), (str(AUDIT / "bin/python"), ("modelaudit",))):
        for name in names:
            done = subprocess.run([python, "-c", code, name], capture_output=True, text=True, check=False)
            print(f"   {done.stdout.strip() or f'{name}: not installed'}")


def main() -> None:
    """Print every figure."""
    command = audit()
    scanners = {name: [sys.executable, "-c", code] for name, code in {"modelsign": OURS, **PEERS}.items()}
    if isinstance(command, str):
        print(f"   modelaudit: {command}")
    else:
        scanners["modelaudit"] = command
    versions()
    with tempfile.TemporaryDirectory(prefix="modelsign-bench-") as folder:
        tiny = Path(folder, "tiny.pkl")
        inputs.make("tiny", tiny)
        start = {name: min(once(scanner, tiny).cpu for _ in range(ROUNDS)) for name, scanner in scanners.items()}
        print("   start-up, CPU s: " + ", ".join(f"{name} {taken:.2f}" for name, taken in start.items()))
        for title, maker, file in KINDS:
            if FILES and file not in FILES:
                continue
            path = Path(folder, file)
            inputs.make(maker.__name__, path)
            compare(title, path, scanners, start)
            path.unlink()


def compare(title: str, path: Path, scanners: dict[str, list[str]], start: dict[str, float]) -> None:
    """Let every scanner read one file, and print what each took and said."""
    taken: dict[str, Taken] = {}
    for name, scanner in scanners.items():
        first = once(scanner, path)
        more = [once(scanner, path) for _ in range(ROUNDS - 1 if first.cpu < MOST_SECONDS / 20 else 0)]
        taken[name] = min([first, *more], key=lambda one: one.cpu)
    print(f"   {title}, {path.stat().st_size / 1e6:.0f} MB")
    for name, one in taken.items():
        cpu = one.cpu - start[name]
        print(f"      {name:<11}{cpu:>9.3f} s{one.peak / 1e6:>9.0f} MB  {'' if one.looked else 'NOT READ '}{one.said}")
    ours = taken["modelsign"]
    for name, one in taken.items():
        if name != "modelsign" and one.looked:
            ratio = max(one.cpu - start[name], 0.001) / max(ours.cpu - start["modelsign"], 0.001)
            row(f"{title}: CPU of {name} / ours", ratio, ">=", 1)
            row(f"{title}: our peak / that of {name}", ours.peak / one.peak, "<=", 1)


if __name__ == "__main__":
    main()
