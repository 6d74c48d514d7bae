"""The scanner cannot run what it reads: neither it nor its floor can import, evaluate or start anything."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import modelsign

SOURCE = Path(modelsign.__file__).parent
FILES = sorted(path for folder in ("scan", "artifact") for path in (SOURCE / folder).rglob("*.py"))
MODULES = {
    "pickle", "_pickle", "pickletools", "cPickle", "copyreg", "marshal", "shelve", "dill", "cloudpickle", "joblib",
    "torch", "numpy", "pandas", "sklearn", "subprocess", "multiprocessing", "ctypes", "cffi", "runpy", "code", "codeop",
    "importlib", "imp", "pkgutil", "zipimport", "pty", "socket", "ssl", "http", "urllib", "requests", "asyncio",
    "webbrowser", "timeit", "pdb", "bdb", "doctest", "inspect", "gc", "builtins", "unittest", "yaml",
}  # fmt: skip
EVENTS_OF_YAML = {"yaml.error", "yaml.parser", "yaml.reader", "yaml.scanner"}
"""The half of PyYAML that turns text into events; the half that makes objects stays out."""
OURS = {"modelsign.transport", "modelsign.sandbox"}
NAMES = {"exec", "eval", "compile", "__import__", "breakpoint", "__builtins__", "__loader__"}
CALLS = {"setattr", "delattr", "globals", "locals", "vars"}
ATTRIBUTES = {
    "modules", "system", "popen", "execv", "execve", "execvp", "spawnl", "spawnv", "fork", "posix_spawn",
    "__globals__", "__builtins__", "__subclasses__", "__dict__", "__import__", "f_globals",
}  # fmt: skip


def violations(tree: ast.AST) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if forbidden(alias.name)]
        elif isinstance(node, ast.ImportFrom):
            found += [node.module or "." for _ in [0] if node.level or forbidden(node.module or "")]
            found += [f"{node.module}.{alias.name}" for alias in node.names if forbidden(f"{node.module}.{alias.name}")]
        elif isinstance(node, ast.Name) and node.id in NAMES:
            found.append(node.id)
        elif isinstance(node, ast.Attribute) and node.attr in ATTRIBUTES and not on_self(node):
            found.append(node.attr)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS:
            found.append(node.func.id)
    return found


def forbidden(module: str) -> bool:
    if module in EVENTS_OF_YAML or module.rpartition(".")[0] in EVENTS_OF_YAML:
        return False
    return module.partition(".")[0] in MODULES or any(module == name or module.startswith(f"{name}.") for name in OURS)


def on_self(node: ast.Attribute) -> bool:
    """Our own fields may be called as they like; only names of modules matter."""
    return isinstance(node.value, ast.Name) and node.value.id == "self"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_nothing_in_the_scanner_can_run_what_it_reads(path):
    assert violations(ast.parse(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "import torch.serialization",
        "import yaml",
        "from yaml.constructor import Constructor",
        "from importlib import import_module",
        "from . import x",
        "exec('1')",
        "import sys\nsys.modules",
        "import os\nos.system('true')",
        "from modelsign import transport",
        "__import__('os')",
        "globals()['x']",
        "(lambda: 0).__globals__",
    ],
)
def test_the_test_itself_sees_each_way_to_run_something(text):
    assert violations(ast.parse(text))


def test_the_scanner_is_there():
    assert len(FILES) > 20
