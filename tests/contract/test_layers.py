"""What the sources may import and touch, beyond what import-linter can say (ARCHITECTURE.md)."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import modelsign

ROOT = Path(modelsign.__file__).parent
SOURCES = {path.relative_to(ROOT).as_posix(): path for path in sorted(ROOT.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in SOURCES.items()}

LARGEST_FILE = 500
LONGEST_FUNCTION = 60

NEVER_IN_THE_SCANNER = {
    "pickle", "_pickle", "marshal", "shelve", "dill", "torch", "numpy", "joblib", "subprocess", "ctypes", "cffi",
    "importlib", "imp", "runpy", "code", "codeop", "multiprocessing", "socket", "builtins", "pty",
}  # fmt: skip
NEVER_CALLED_IN_THE_SCANNER = {"exec", "eval", "compile", "__import__", "breakpoint"}

FAMILIES = {
    "scan/formats": "FORMAT",
    "report": "OUTPUT",
    "attest/predicates": "PREDICATE",
    "policy/rules": "RULE_KIND",
    "guard/loaders": "LOADER",
    "opinions": "OPINION",
    "signing/methods": "METHOD",
}
ENTRY_POINTS = ("cli/", "guard/", "__main__.py", "opinions/_", "confined/_")
"""Where the environment, the clock and the working directory come in; a child process is a program of its own."""
MAY_ASK_FOR_THE_ENVIRONMENT = ("attest/ci.py", "opinions/", "examine.py", "confined/scanning.py")
"""``provenance()`` takes CI's environment; a child process gets one that was made for it."""
MAY_USE_TRANSPORT = (
    "hubs/", "registry/", "cli/methods/", "signing/methods/keyless", "signing/methods/kms.py", "signing/kms/",
    "signing/sigstore/services/", "signing/x509/fetch.py",
    "signing/library.py",  # hands one to the keyless sealer it makes
)  # fmt: skip


MAY_USE_SOCKETS = ("transport", "sandbox/")
"""The sandbox talks to its own child over a pair of sockets, which hands over descriptors and reaches nobody else."""
MAY_CATCH_EVERYTHING = ("cli/main.py", "sandbox/serving.py")
"""The command line, and the child that is a program of its own: it tells its parent what went wrong, and ends."""


def imports(tree: ast.AST) -> set[str]:
    """Every module a tree imports, type-checking ones too."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def relative_imports(tree: ast.AST) -> bool:
    return any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(tree))


def dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def uses(tree: ast.AST) -> set[str]:
    """Every dotted name a tree mentions."""
    return {dotted(node) for node in ast.walk(tree) if isinstance(node, (ast.Attribute, ast.Name))}


def of(*folders: str) -> list[str]:
    return [name for name in SOURCES if name.startswith(folders)]


@pytest.mark.parametrize("name", of("scan/", "artifact/"))
def test_the_scanner_cannot_run_what_it_reads(name):
    tree = TREES[name]
    assert not {module.partition(".")[0] for module in imports(tree)} & NEVER_IN_THE_SCANNER
    assert not {f"modelsign.{layer}" for layer in ("sandbox", "transport")} & imports(tree)
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert not called & NEVER_CALLED_IN_THE_SCANNER
    assert not uses(tree) & {"sys.modules", "os.system", "os.popen", "os.execv", "os.fork", "os.posix_spawn"}


@pytest.mark.parametrize("folder", FAMILIES)
def test_members_of_a_family_do_not_import_each_other(folder):
    descriptor = FAMILIES[folder]
    members = {
        name
        for name in SOURCES
        if name.rpartition("/")[0] == folder and not name.rpartition("/")[2].startswith("_")
        and any(isinstance(node, ast.Name) and node.id == descriptor for node in ast.walk(TREES[name]))
    }  # fmt: skip
    modules = {f"modelsign.{name.removesuffix('.py').replace('/', '.')}" for name in members}
    for name in members:
        own = f"modelsign.{name.removesuffix('.py').replace('/', '.')}"
        assert not imports(TREES[name]) & (modules - {own}), name
        assert f"modelsign.{folder.replace('/', '.')}._index" not in imports(TREES[name]), name


@pytest.mark.parametrize("folder", FAMILIES)
def test_a_member_ends_in_its_one_descriptor(folder):
    descriptor = FAMILIES[folder]
    for name in SOURCES:
        if name.rpartition("/")[0] != folder or name.rpartition("/")[2].startswith("_"):
            continue
        body = TREES[name].body
        made = [
            node
            for node in body
            if isinstance(node, (ast.Assign, ast.AnnAssign))
            and descriptor in {dotted(target) for target in getattr(node, "targets", [getattr(node, "target", None)])}
        ]
        if made:
            assert len(made) == 1, name
            assert body[-1] is made[0], f"{name} does not end in {descriptor}"


@pytest.mark.parametrize("name", [name for name in SOURCES if not name.startswith(ENTRY_POINTS)])
def test_libraries_take_environment_clock_and_working_directory_as_values(name):
    used = uses(TREES[name])
    assert not used & {"sys.exit", "sys.stdout", "sys.stderr", "sys.argv", "print", "input"}
    assert not used & {"time.time", "time.time_ns", "datetime.now", "datetime.datetime.now", "datetime.utcnow"}
    assert not used & {"os.getcwd", "Path.cwd"}
    if not name.startswith(MAY_ASK_FOR_THE_ENVIRONMENT):
        assert not used & {"os.environ", "os.getenv"}


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_only_those_named_may_use_the_way_to_a_network(name):
    if not name.startswith((*MAY_USE_TRANSPORT, "transport")):
        assert "modelsign.transport" not in imports(TREES[name])
        assert not {"ssl", "http.client", "urllib.request", "urllib3"} & imports(TREES[name])
        assert name.startswith(MAY_USE_SOCKETS) or "socket" not in imports(TREES[name])


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_every_module_says_what_it_is_for_and_none_grows_too_large(name):
    assert ast.get_docstring(TREES[name]), f"{name} has no docstring"
    lines = SOURCES[name].read_text(encoding="utf-8").splitlines()
    assert len(lines) <= LARGEST_FILE or name.endswith("/_index.py")  # generated: it grows with the family
    assert not relative_imports(TREES[name])
    for node in ast.walk(TREES[name]):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            line = SOURCES[name].read_text(encoding="utf-8").splitlines()[node.lineno - 1]
            explained = "PLR0915" in line and " - " in line
            assert explained or node.end_lineno - node.lineno < LONGEST_FUNCTION, f"{name}: {node.name}"


def test_only_entry_points_catch_everything():
    broad = []
    for name, tree in TREES.items():
        if name.startswith("opinions/_"):
            continue  # a program of its own, around a scanner that may raise anything
        for node in ast.walk(tree):
            if isinstance(node, ast.ExceptHandler) and not isinstance(node.body[-1], ast.Raise):
                caught = {"BaseException"} if node.type is None else uses(node.type)
                broad += [f"{name}:{node.lineno}"] if caught & {"Exception", "BaseException"} else []
    assert tuple(sorted(place.partition(":")[0] for place in broad)) == MAY_CATCH_EVERYTHING, broad


def test_no_name_says_nothing():
    empty = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}
    assert not [name for name in SOURCES if set(name.removesuffix(".py").replace("/", "_").split("_")) & empty]


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_every_exception_to_a_rule_gives_its_reason(name):
    for number, line in enumerate(SOURCES[name].read_text(encoding="utf-8").splitlines(), 1):
        for mark in re.findall(r"# (?:noqa|type: ignore).*", line):
            assert re.search(r"(?:noqa: [A-Z0-9, ]+|ignore\[[a-z-, ]+\])\s+[-#] ?\w", mark), f"{name}:{number}: {mark}"
