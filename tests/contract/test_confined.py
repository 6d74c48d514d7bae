"""What a confined child needs is there before it is confined: it can open nothing afterwards."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import modelsign
from modelsign.confined.answering import LATE_MODULES

ROOT = Path(modelsign.__file__).parent
READERS = [
    path
    for folder in ("scan", "artifact/containers", "verdict")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if path.name != "_index.py"  # literal imports of all members, which the zygote asks for
] + [ROOT / name for name in ("artifact/reading.py", "strictjson.py", "errors.py", "confined/spool.py")]
NOT_IN_A_CHILD = {"tempfile"}
"""``artifact/containers/stream.py`` makes no file where it was given one (``spool_file``)."""
WATCHED = """
import gc, os, sys
sys.path[:0] = [{support!r}]
import model_files
from modelsign.artifact.reading import BytesReading
from modelsign.confined.answering import begin, prepare
prepare()
from modelsign.scan.engine import scan_file
seen = []
sys.addaudithook(lambda event, args: seen.append((event, args)) if event in ("open", "import", "os.listdir") else None)
for files in [*model_files.GOOD.values(), *model_files.BAD.values()]:
    for name, data in files.items():
        for cut in (len(data), len(data) // 2, 9):
            scan_file(BytesReading(data[:cut]), name)
wanted = [(event, args[0]) for event, args in seen if args[0] != "<unknown>"]  # a SyntaxError looks for its line
assert not wanted, wanted
"""


def late_imports(path):
    """Return the modules that functions of a file import."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()
    for function in ast.walk(tree):
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for node in ast.walk(function):
                if isinstance(node, ast.Import):
                    found |= {alias.name for alias in node.names}
                elif isinstance(node, ast.ImportFrom):
                    found.add(node.module or "")
    return found


@pytest.mark.parametrize("path", READERS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_a_reader_imports_late_is_imported_by_the_zygote(path):
    assert late_imports(path) <= {*LATE_MODULES, *NOT_IN_A_CHILD}


def test_a_prepared_process_opens_and_imports_nothing_more():
    support = str(Path(__file__).parents[1] / "support")
    subprocess.run([sys.executable, "-c", WATCHED.format(support=support)], check=True)
