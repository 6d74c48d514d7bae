"""Writes everything that follows from the sources: indexes, reference pages, schemas, marked blocks.

    python tools/generate.py            write what is stale
    python tools/generate.py --check    write nothing, fail if anything is stale

What a file should hold is computed from imported descriptors, the command tree and the catalog of reasons, so the
index of a family or a page of the reference is never edited by hand. The parts live in ``tools/generated/``.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tools")]

from generated import families, oms, pages, readme, schemas  # noqa: E402 - the path comes first


def wanted(part: str | None = None) -> dict[Path, str]:
    """Return every generated file and what it should hold. Indexes come first: the others import through them."""
    parts = {"families": families.files, "pages": pages.files, "schemas": schemas.files}
    parts |= {"oms": oms.files, "readme": readme.files}
    result: dict[Path, str] = {}
    for name, files in parts.items():
        if part in (None, name):
            result |= files(ROOT)
    return result


def main() -> int:
    """Write, or check, and say which files were stale."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if anything is stale")
    parser.add_argument("--part", choices=["families", "pages", "schemas", "oms", "readme"], help="only this part")
    arguments = parser.parse_args()
    stale = [path for path, text in wanted(arguments.part).items() if _held(path) != text]
    for path in stale:
        print(f"{'stale' if arguments.check else 'wrote'} {path.relative_to(ROOT)}")
        if not arguments.check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted_text(path, arguments.part), encoding="utf-8")
    if stale and arguments.check:
        print("run `python tools/generate.py` and commit the result")
    return 1 if stale and arguments.check else 0


def wanted_text(path: Path, part: str | None) -> str:
    """Return what one file should hold."""
    return wanted(part)[path]


def _held(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


if __name__ == "__main__":
    sys.exit(main())
