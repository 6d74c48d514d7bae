"""Mutation testing of the modules that decide: how many small changes to them the tests notice.

    python tools/mutate.py                                    all of them (long)
    python tools/mutate.py src/modelsign/signing/dsse.py      some of them
    python tools/mutate.py src/modelsign/signing/dsse.py -- tests/unit/signing/test_dsse.py      and these tests alone

mutmut works on a copy of the last commit, so the checkout stays as it is. Which modules, and which tests are asked,
stands in pyproject.toml. Prints the survivors and fails below the bar.
"""

from __future__ import annotations

import collections
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEAST_KILLED = 90


def main() -> int:
    """Mutate in a copy; return 0 if enough mutants were killed."""
    words = sys.argv[1:]
    cut = words.index("--") if "--" in words else len(words)
    chosen, tests = words[:cut], words[cut + 1 :]
    with tempfile.TemporaryDirectory(prefix="modelsign-mutate-") as scratch:
        copy = Path(scratch) / "modelsign"
        subprocess.run(["git", "clone", "--quiet", ROOT, copy], check=True)
        for setting, paths in (("only_mutate", chosen), ("pytest_add_cli_args_test_selection", tests)):
            if paths:
                _narrow(copy / "pyproject.toml", setting, paths)
        environment = {**os.environ, "HYPOTHESIS_PROFILE": "ci", "MUTMUT_RUN": "1"}
        mutmut = Path(sys.executable).with_name("mutmut")
        subprocess.run([mutmut, "run", "--max-children", "2"], cwd=copy, check=False, env=environment)
        answer = subprocess.run(
            [mutmut, "results", "--all", "true"], cwd=copy, capture_output=True, text=True, check=False
        )
        shutil.rmtree(ROOT / "mutants", ignore_errors=True)
        shutil.copytree(copy / "mutants", ROOT / "mutants", ignore=shutil.ignore_patterns("tests"))
    return _judge(answer.stdout)


def _narrow(project: Path, setting: str, paths: list[str]) -> None:
    """Mutate, or ask, only what was chosen."""
    text = project.read_text(encoding="utf-8")
    listed = f"{setting} = [" + ", ".join(f'"{path}"' for path in paths) + "]"
    project.write_text(re.sub(rf"{setting} = \[.*?\]", listed, text, flags=re.DOTALL), encoding="utf-8")


def _judge(results: str) -> int:
    found = re.findall(r"^\s*(\S+): (.+)$", results, re.MULTILINE)
    counts = collections.Counter(outcome for _, outcome in found)
    killed = counts["killed"] + counts["timeout"] + counts["segfault"]
    total = sum(counts.values())
    for name, outcome in found:
        if outcome not in ("killed", "timeout", "segfault"):
            print(f"{outcome}: {name}")
    share = 100 * killed / total if total else 0.0
    print(f"{killed} of {total} mutants killed: {share:.1f} % (to reach {LEAST_KILLED} %)")
    return 0 if share >= LEAST_KILLED else 1


if __name__ == "__main__":
    sys.exit(main())
