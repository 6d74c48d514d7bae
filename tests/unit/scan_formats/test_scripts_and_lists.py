"""Notebooks, TOML, lists of packages and scripts: named for what they would do, and never run."""

from __future__ import annotations

import json

import pytest

from modelsign import limits
from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file


def scan(data, name):
    raw = data if isinstance(data, bytes) else (data if isinstance(data, str) else json.dumps(data)).encode()
    return scan_file(BytesReading(raw), name)


def rules(data, name):
    return {finding.rule for finding in scan(data, name).findings} - {"json-code-reference"}


def notebook(*cells, **more):
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [*cells], **more}


def code(source, **more):
    return {"cell_type": "code", "source": source, "outputs": [], **more}


def test_a_notebook_is_unverified_and_no_worse():
    data = notebook(
        {"cell_type": "markdown", "source": "# os.system"}, code("import numpy\n%matplotlib inline\nnumpy.ones(3)")
    )
    result = scan(data, "book.ipynb")
    assert (result.outcome, result.format) == ("unverified", "notebook")
    assert rules(data, "book.ipynb") == {"notebook-code"}


@pytest.mark.parametrize(
    "source",
    [
        "!curl http://127.0.0.1 | sh",
        ["import os\n", "os.system('true')\n"],
        "%%bash\ntrue",
        "%pip install x",
        "x = !ls",
        "def f():\n    exec('1')",
        "%matplotlib inline\nimport pickle\npickle.loads(b'.')",
    ],
)
def test_commands_in_cells_are_named(source):
    assert rules(notebook(code(source)), "book.ipynb") == {"notebook-code", "notebook-command"}
    assert scan(notebook(code(source)), "book.ipynb").outcome == "unverified"
    assert scan(notebook(code(source)), "data.bin").outcome == "unverified"


def test_the_worksheets_of_older_notebooks_are_read():
    old = {"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "code", "input": "!true"}]}]}
    assert rules(old, "old.ipynb") == {"notebook-code", "notebook-command"}


def test_scripts_in_outputs_are_named():
    active = code("1", outputs=[{"output_type": "display_data", "data": {"text/html": ["<scr", "ipt>1</script>"]}}])
    assert "notebook-active-output" in rules(notebook(active), "a.ipynb")
    plain = code("1", outputs=[{"output_type": "display_data", "data": {"text/html": "<table></table>"}}, {"text": 1}])
    assert rules(notebook(plain), "a.ipynb") == {"notebook-code"}


@pytest.mark.parametrize(
    "data", [b"{", b"\xff", b"[]", b'{"cells": 5}', b'{"cells": [5, {"cell_type": "code", "source": {}}]}']
)
def test_what_is_no_notebook_is_never_clean_under_its_name(data):
    assert scan(data, "a.ipynb").outcome in {"incomplete", "unverified"}


def test_long_notebooks_have_a_budget():
    assert "budget-exceeded" in rules(notebook(*[code("x = 1\n" * 50_000) for _ in range(5)]), "a.ipynb")


def test_toml_without_packages_or_code_is_clean():
    result = scan("[model]\nlayers = 3\nnames = ['a']\n", "settings.toml")
    assert (result.outcome, result.format, result.loadable) == ("clean", "toml", True)


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("[build-system]\nrequires = ['setuptools']\n", "unverified"),
        ("[project]\ndependencies = ['x @ git+https://127.0.0.1/x']\n", "unverified"),
        ("[a]\n_target_ = 'my.Model'\n", "unverified"),
        ("[a]\n_target_ = 'os.system'\n", "unsafe"),
        ("chat_template = '{{ x.__class__ }}'\n", "unsafe"),
        ("a = ", "incomplete"),
        ("a = " + "[" * 3000, "incomplete"),
        ("a = 1\n" * limits.TOML_BYTES, "incomplete"),
    ],
)
def test_toml_is_judged_by_what_it_names(text, outcome):
    assert scan(text, "pyproject.toml").outcome == outcome


def test_a_list_of_packages_is_unverified():
    result = scan("# weights\nnumpy>=1.26 # arrays\ntorch==2.13.0\n\n", "requirements.txt")
    assert (result.outcome, result.format) == ("unverified", "requirements")
    assert {finding.rule for finding in result.findings} == {"packages-to-install"}
    assert scan("x\n", "sub/requirements-dev.txt").format == "requirements"


@pytest.mark.parametrize(
    "line",
    [
        "--extra-index-url http://127.0.0.1/simple",
        "-i http://127.0.0.1/simple",
        "--find-links ./wheels",
        "git+https://127.0.0.1/x.git",
        "x @ git+ssh://127.0.0.1/x",
        "x @ https://127.0.0.1/x.whl",
        "-e .",
        "./local",
        "http://127.0.0.1/x.tar.gz",
        "x-1.0-py3-none-any.whl",
    ],
)
def test_packages_from_elsewhere_are_named(line):
    assert rules(f"numpy\n{line}\n", "requirements.txt") == {"packages-to-install", "packages-from-elsewhere"}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("FROM python:3.11\nRUN pip install x\n", "Dockerfile"),
        ("FROM x\nRUN pip install x\n", "docker/Dockerfile-gpu"),
        ("all:\n\tcurl http://127.0.0.1 | sh\n", "Makefile"),
        ("rm -rf /tmp/x\n", "clean.sh"),
        ("#!/bin/bash\nbash -i >& /dev/tcp/127.0.0.1/9 0>&1\n", "run"),
        ("Invoke-WebRequest http://127.0.0.1\n", "get.ps1"),
    ],
)
def test_commands_of_scripts_are_named(text, name):
    result = scan(text, name)
    assert (result.outcome, result.format) == ("unverified", "script")
    assert rules(text, name) == {"script-source", "script-command"}


def test_a_script_that_does_little_is_unverified_all_the_same():
    assert scan("echo hello\n", "a.sh").outcome == "unverified"


def test_a_list_without_packages_is_clean():
    assert scan("# nothing yet\n", "requirements.txt").outcome == "clean"
