"""Makes the ordinary files of one library, in the Python that has it. Started by ``tools/ordinary``.

    PYTHON tools/ordinary/make.py LIBRARY FOLDER [ONE_IN [SEED]]

Needs the library and nothing else; never modelsign. Writes ``FOLDER/files/…`` and ``FOLDER/made.json`` (versions, and
what could not be made and why). With ``ONE_IN`` each subject is made by a chance of one in so many. Runs in 3.7 too.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import platform
import shutil
import sys
import warnings
import zlib
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:] = [path for path in sys.path if Path(path or ".").resolve() != HERE]
sys.path.append(str(HERE))
sys.dont_write_bytecode = True


def _member(library: str) -> Any:
    """Return a generator's module; under a name of its own, because the library has its name."""
    path = HERE / "libraries" / f"{library}.py"
    spec = importlib.util.spec_from_file_location(f"ordinary_{library}", path)
    if spec is None or spec.loader is None:
        sys.exit(f"no such library: {library}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _write(target: Path, content: bytes | Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        target.write_bytes(content)
    elif content.is_dir():
        shutil.copytree(str(content), str(target))
    else:
        shutil.copy(str(content), str(target))


def _version(name: str) -> str:
    """Return a library's version: what it says itself, else what it was installed as."""
    said = getattr(importlib.import_module(name), "__version__", None)
    if said is not None:
        return str(said)
    return importlib.import_module("importlib.metadata").version(name)  # type: ignore[no-any-return] # of 3.8 on


def main() -> int:
    """Make the files."""
    library, folder = sys.argv[1], Path(sys.argv[2])
    one_in = int(sys.argv[3]) if len(sys.argv) > 3 else 1  # noqa: PLR2004 - the third argument
    seed = sys.argv[4] if len(sys.argv) > 4 else "0"  # noqa: PLR2004 - the fourth
    warnings.simplefilter("ignore")
    member = _member(library)
    versions = {}
    for module in member.MODULES:
        if importlib.util.find_spec(module.partition(".")[0]) is None:
            sys.exit(f"{module} is not installed")
        versions[module] = _version(module)

    def chosen(name: str) -> bool:
        return zlib.crc32(f"{seed} {name}".encode()) % one_in == 0

    not_made = {}
    for name, content in member.files(chosen):
        if isinstance(content, str):
            not_made[name] = content
        else:
            _write(folder / "files" / name, content)
    made = {"python": platform.python_version(), "versions": versions, "not_made": not_made}
    (folder / "made.json").write_text(json.dumps(made), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
