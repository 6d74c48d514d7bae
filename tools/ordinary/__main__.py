"""Makes ordinary files with the libraries that people use, scans them, and prints how many are not clean, and why.

    python tools/ordinary                                       every library that is installed
    python tools/ordinary sklearn pandas                        some of them
    python tools/ordinary --python /venv/bin/python sklearn     as installed in another environment
    python tools/ordinary --one-in 10 sklearn                   a tenth of the models

One file per library in ``libraries/``: ``MODULES`` (whose versions are told) and ``files(chosen)``, which yields a name
and bytes, a path (a folder is scanned as one model), or a text that says why it could not be made; ``chosen(name)``
says whether a subject is wanted. Generators run in a child with the Python named and need not have modelsign; scanning
runs no library. The exit status is 1 where a file is ``unsafe`` or more than one in a hundred is not ``clean``.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from modelsign.artifact.model import open_artifact
from modelsign.scan.engine import scan_artifact
from modelsign.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsign.verdict import FileScan

HERE = Path(__file__).resolve().parent
_MOST_NOT_CLEAN = 0.01
_QUIET = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1", "PYTHONWARNINGS": "ignore"}


class Figures(NamedTuple):
    """What came of one library; ``scans`` are names and what was found in them."""

    library: str
    python: str
    versions: dict[str, str]
    not_made: dict[str, str]
    scans: list[tuple[str, FileScan]]

    @property
    def unclean(self) -> list[tuple[str, FileScan]]:
        """The files that are not clean."""
        return [(name, scan) for name, scan in self.scans if scan.outcome is not Outcome.CLEAN]

    @property
    def is_good(self) -> bool:
        """Whether nothing is unsafe, and at most one file in a hundred is not clean."""
        unsafe = any(scan.outcome is Outcome.UNSAFE for _, scan in self.scans)
        return bool(self.scans) and not unsafe and len(self.unclean) <= _MOST_NOT_CLEAN * len(self.scans)


def libraries() -> list[str]:
    """Return the libraries there is a generator for, sorted."""
    return sorted(path.stem for path in (HERE / "libraries").glob("[a-z]*.py"))


def measure(library: str, folder: Path, *, python: str = sys.executable, one_in: int = 1, seed: str = "0") -> Figures:
    """Make a library's files in a folder and scan them.

    Raises:
        LookupError: the library is not installed there.
        RuntimeError: its generator failed.

    """
    shutil.rmtree(folder / "files", ignore_errors=True)
    command = [python, str(HERE / "make.py"), library, str(folder), str(one_in), seed]
    done = subprocess.run(command, env=os.environ | _QUIET, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        if last.endswith("is not installed"):
            raise LookupError(last)
        raise RuntimeError(done.stderr)
    made = json.loads((folder / "made.json").read_text(encoding="utf-8"))
    scans = list(_scanned(folder / "files"))
    return Figures(library, made["python"], made["versions"], made["not_made"], scans)


def _scanned(folder: Path) -> Iterator[tuple[str, FileScan]]:
    """Scan each file or folder as a model of its own."""
    for path in sorted(folder.iterdir()) if folder.exists() else []:
        with open_artifact(str(path), strict_names=False) as artifact:
            for scan in scan_artifact(artifact).files:
                yield (f"{path.name}/{scan.path}" if path.is_dir() else path.name), scan


def report(figures: Figures, *, listed: int) -> None:
    """Print the figures, and the files that are not clean, those with the same findings together."""
    versions = ", ".join(f"{name} {version}" for name, version in figures.versions.items())
    unsafe = sum(scan.outcome is Outcome.UNSAFE for _, scan in figures.scans)
    total = len(figures.scans)
    share = f"{len(figures.unclean) / total:.2%}" if total else "-"
    print(f"\n== {figures.library}: {versions}; Python {figures.python}")
    print(f"files {total}  clean {total - len(figures.unclean)}  not clean {len(figures.unclean)} ({share})", end="")
    print(f"  unsafe {unsafe}  not made {len(figures.not_made)}")
    why = collections.defaultdict(list)
    for name, scan in figures.unclean:
        why[scan.outcome, tuple((one.rule, one.message) for one in scan.findings)].append(name)
    for (outcome, findings), names in sorted(why.items(), key=lambda item: -len(item[1])):
        print(f"  {outcome} ({len(names)}): {', '.join(names[:listed])}{', …' if len(names) > listed else ''}")
        for rule, message in findings[:listed]:
            print(f"      {rule}: {message}")
    by_reason = collections.defaultdict(list)
    for name, reason in figures.not_made.items():
        by_reason[reason.splitlines()[0][:140]].append(name)
    for reason, names in by_reason.items():
        print(f"  not made: {', '.join(names[:listed])}{', …' if len(names) > listed else ''}: {reason}")


def main() -> int:
    """Measure the chosen libraries; all that are installed by default."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library", nargs="*", help=f"of {', '.join(libraries())}; all by default")
    parser.add_argument("--python", default=sys.executable, help="the Python that makes the files")
    parser.add_argument("--one-in", type=int, default=1, metavar="N", help="make one subject in N")
    parser.add_argument("--seed", default="0", help="which ones")
    parser.add_argument("--keep", metavar="FOLDER", help="leave the files there")
    parser.add_argument("--listed", type=int, default=6, metavar="N", help="names and findings shown per line")
    options = parser.parse_args()
    good = True
    with tempfile.TemporaryDirectory() as scratch:
        for library in options.library or libraries():
            folder = Path(options.keep or scratch) / library
            folder.mkdir(parents=True, exist_ok=True)
            try:
                figures = measure(library, folder, python=options.python, one_in=options.one_in, seed=options.seed)
            except LookupError as fault:
                print(f"\n== {library}: {fault}")
                continue
            except RuntimeError as fault:
                print(f"\n== {library}: the generator failed\n{fault}")
                good = False
                continue
            report(figures, listed=options.listed)
            good &= figures.is_good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
