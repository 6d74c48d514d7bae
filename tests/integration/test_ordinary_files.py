"""Ordinary files of the deep learning libraries at hand are clean: a seeded slice of ``tools/ordinary``."""

from __future__ import annotations

import importlib.util
import pathlib
import re
import subprocess
import sys

import pytest

TOOL = pathlib.Path(__file__).parents[2] / "tools/ordinary"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("library", "one_in", "least"),
    [("torch", 16, 30), ("checkpoints", 4, 20), ("safetensors", 1, 20), ("onnx", 20, 1), ("gguf", 8, 5)],
)
def test_a_slice_of_a_librarys_files_is_clean(library, one_in, least):
    if importlib.util.find_spec("torch" if library == "checkpoints" else library) is None:
        pytest.skip(f"{library} is not installed")
    command = [sys.executable, str(TOOL), "--one-in", str(one_in), "--seed", "slice", library]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"files (\d+)  clean (\d+)  not clean (\d+) .*unsafe (\d+)", done.stdout)
    assert found, done.stderr
    files, clean, others, unsafe = map(int, found.groups())
    assert (clean, others, unsafe) == (files, 0, 0), done.stdout
    assert files >= least
