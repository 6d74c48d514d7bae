"""Writes the names that skops itself trusts as data: containers, primitives, ufuncs, dtypes, scikit-learn's types.

Run where skops is installed with the scikit-learn, SciPy and NumPy of choice: `python tools/skops_knowledge.py`.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
from pathlib import Path

TARGET = Path(__file__).parent.parent / "src/modelsign/scan/knowledge/skops.json"
_LIBRARIES = ("skops", "scikit-learn", "scipy", "numpy")
_WITH_THEM = (
    "builtins.bytearray", "builtins.bytes", "builtins.complex", "builtins.NoneType", "builtins.slice",
    "builtins.frozenset", "collections.OrderedDict", "collections.defaultdict", "functools.partial",
    "numpy.dtype", "numpy.ma.MaskedArray", "numpy.ndarray", "numpy.random.Generator", "numpy.random.RandomState",
    "numpy.random._generator.Generator", "numpy.random.mtrand.RandomState", "numpy.matrix",
    "scipy._lib.array_api_compat.numpy._aliases.asarray",  # hands on to numpy.asarray; SciPy's splines keep it
)  # fmt: skip


def main() -> int:
    """Write the table."""
    from skops.io import _trusted_types as trusted  # noqa: PLC0415 - installed where the tool is run

    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _LIBRARIES)
    lists = {name: getattr(trusted, name) for name in sorted(dir(trusted)) if name.endswith("_TYPE_NAMES")}
    names = {name for one in lists.values() for name in one} | set(_WITH_THEM)
    document = {
        "library": "skops",
        "generator": "tools/skops_knowledge.py",
        "source": f"skops/io/_trusted_types.py: {', '.join(lists)}; nodes' own trusted types ({versions})",
        "names": sorted(names),
    }
    TARGET.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(len(names), "names from", ", ".join(lists))
    return 0


if __name__ == "__main__":
    sys.exit(main())
