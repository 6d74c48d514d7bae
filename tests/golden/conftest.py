"""Golden files: what a command prints, with everything volatile replaced.

``python -m pytest tests/golden --update-golden`` writes them anew; the difference is part of the review.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from modelsign._version import __version__

FOLDER = Path(__file__).parent
HEX = re.compile(r"\b[0-9a-f]{64}\b")
TIME = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")
HELD = re.compile(r"(?:not )?confined(?: by)?: [^\"\n]*")
LAYERS = re.compile(r'("confinement": )\{[^{}]*\}')
SHORT = re.compile(r"(sha256:|\(|\b)([0-9a-f]{12})\b")


def pytest_addoption(parser):
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew")


def normalised(text: str, folder: Path) -> str:
    """Replace what differs from run to run: digests by their order of appearance, times, versions, places."""
    seen: dict[str, str] = {}

    def named(found: re.Match[str]) -> str:
        return seen.setdefault(found[0], f"<digest-{len(seen) + 1}>")

    def shortened(found: re.Match[str]) -> str:
        whole = [digest for digest in seen if digest.startswith(found[2])]
        return f"{found[1]}{seen[whole[0]] if whole else '<digest>'}"

    text = HEX.sub(named, text.replace(str(folder), "<folder>"))
    text = TIME.sub("<time>", SHORT.sub(shortened, text))
    text = LAYERS.sub(r'\1"<confinement>"', HELD.sub("<confinement>", text))
    return text.replace(f'"version": "{__version__}"', '"version": "<version>"').replace(
        f"modelsign {__version__}", "modelsign <version>"
    )


@pytest.fixture
def golden(request, tmp_path):
    """Compare a text with the golden file of a name, or write it under ``--update-golden``."""

    def compare(name: str, text: str) -> None:
        path = FOLDER / "expected" / name
        shown = normalised(text, tmp_path)
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(shown, encoding="utf-8")
        assert path.is_file(), f"{path.name} is missing; run with --update-golden and review it"
        assert shown == path.read_text(encoding="utf-8")

    return compare
