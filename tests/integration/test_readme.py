"""The README's quickstart does what it says, and its links lead somewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from commandline import modelsign as run

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [
    path
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md"))
    if "node_modules" not in path.parts
]
COMMANDS = [line.partition("#")[0] for line in README.splitlines() if line.startswith("modelsign ")]
PROGRAM = README.partition("```python\n")[2].partition("```")[0]


@pytest.fixture
def folder(tmp_path):
    """A folder with ``my-model`` in it, as the README speaks of one."""
    numpy = pytest.importorskip("numpy")
    safetensors = pytest.importorskip("safetensors.numpy")
    model = tmp_path / "my-model"
    model.mkdir()
    safetensors.save_file({"w": numpy.zeros((2, 2), "f4")}, model / "model.safetensors")
    (model / "config.json").write_text('{"hidden_size": 2}')
    (model / "tokenizer.json").write_text('{"version": "1.0"}')
    return tmp_path


def test_the_quickstart_runs_as_printed_and_so_does_its_program(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert [shlex.split(line)[1] for line in COMMANDS] == ["key", "sign", "verify", "scan", "check"]
    for line in COMMANDS:
        got = run(*shlex.split(line)[1:])
        assert got.exit_code == 0, line + got.stdout
    names: dict[str, object] = {}
    exec(compile(PROGRAM, "README.md", "exec"), names)
    assert names["weights"]["w"].shape == (2, 2)
    assert names["tokenizer"] == b'{"version": "1.0"}'


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_leads_to_a_file_and_a_heading(page):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        path = (page.parent / file).resolve() if file else page
        assert path.exists(), f"{page.name} links to {target}"
        if anchor:
            headings = {
                re.sub(r"[^\w -]", "", line.lstrip("# ")).strip().lower().replace(" ", "-")
                for line in path.read_text(encoding="utf-8").splitlines()
                if line.startswith("#")
            }
            assert anchor in headings, f"{page.name} links to {target}"
