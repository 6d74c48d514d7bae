"""Derives which classes and functions a Keras configuration may name, from Keras' own source, and writes them as data.

A class is listed when it is exported under a namespace of model parts, or when one of its bases leads to a root of
model parts, and nothing in its body opens, loads, imports or runs something (``_REACHES_OUT``). A function is listed
when it is exported under a namespace of functions that compute and takes no function itself. The source is parsed,
never imported.

    python tools/keras_knowledge.py PATH_OF_THE_KERAS_PACKAGE VERSION
"""

from __future__ import annotations

import ast
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

TARGET = Path(__file__).parent.parent / "src/modelsign/scan/knowledge/keras.generated.json"
_CLASS_SPACES = frozenset({
    "keras", "keras.layers", "keras.models", "keras.optimizers", "keras.optimizers.schedules", "keras.losses",
    "keras.metrics", "keras.initializers", "keras.regularizers", "keras.constraints", "keras.dtype_policies",
    "keras.quantizers", "keras.random", "keras.utils",
})  # fmt: skip
_FUNCTION_SPACES = frozenset({
    "keras.activations", "keras.losses", "keras.metrics", "keras.initializers", "keras.regularizers",
    "keras.constraints", "keras.ops", "keras.ops.nn", "keras.ops.image", "keras.ops.linalg", "keras.ops.numpy",
})  # fmt: skip
_ROOTS = frozenset({
    "KerasSaveable", "Operation", "Layer", "Optimizer", "BaseOptimizer", "Loss", "Metric", "Initializer",
    "Regularizer", "Constraint", "LearningRateSchedule", "Quantizer", "DTypePolicy",
})  # fmt: skip
_REACHES_OUT = frozenset({
    "open", "load", "loads", "func_load", "import_module", "__import__", "File", "get_file", "exec", "eval",
    "urlopen", "urlretrieve", "system", "run", "Popen", "load_model", "load_weights", "load_own_variables_from",
})  # fmt: skip
_REVIEWED = frozenset({"load_weights"})
"""Called by methods that loading a model does not call."""
_TAKES_FUNCTIONS = frozenset({
    "associative_scan", "cond", "custom_gradient", "fori_loop", "map", "scan", "switch", "vectorize",
    "vectorized_map", "while_loop", "deserialize", "get", "serialize",
})  # fmt: skip
_NOT_PARTS = frozenset({"keras.utils": frozenset({"FeatureSpace"})}["keras.utils"])


class Found(NamedTuple):
    """One definition: module, name, the paths it is exported under, names of its bases, whether it reaches out."""

    module: str
    name: str
    exports: tuple[str, ...]
    bases: tuple[str, ...]
    reaches: frozenset[str]
    is_class: bool


def _exports(node: ast.ClassDef | ast.FunctionDef) -> tuple[str, ...]:
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "keras_export":
            return tuple(item.value for item in ast.walk(decorator) if isinstance(item, ast.Constant))
    return ()


def _called(node: ast.AST) -> frozenset[str]:
    functions = (item.func for item in ast.walk(node) if isinstance(item, ast.Call))
    return frozenset(getattr(item, "id", getattr(item, "attr", "")) for item in functions)


def _definitions(root: Path) -> list[Found]:
    found = []
    for path in sorted((root / "src").rglob("*.py")):
        if path.name.endswith("_test.py") or "/testing/" in path.as_posix():
            continue
        module = ".".join(["keras", *path.relative_to(root).with_suffix("").parts]).removesuffix(".__init__")
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                is_class = isinstance(node, ast.ClassDef)
                bases = [getattr(base, "id", getattr(base, "attr", "")) for base in getattr(node, "bases", ())]
                reaches = _called(node) & _REACHES_OUT - _REVIEWED
                found.append(Found(module, node.name, _exports(node), tuple(bases), reaches, is_class))
    return found


def _parts(found: list[Found]) -> set[str]:
    """Return the names of classes whose bases lead to a root, by name: names of Keras' classes are unique enough."""
    parts = set(_ROOTS)
    while True:
        more = {one.name for one in found if one.is_class and one.name not in parts and parts & set(one.bases)}
        if not more:
            return parts
        parts |= more


def _reaching(found: list[Found]) -> set[str]:
    """Return the names of classes that reach out themselves or through a base."""
    bad = {one.name for one in found if one.is_class and one.reaches}
    while True:
        more = {one.name for one in found if one.is_class and one.name not in bad and bad & set(one.bases)}
        if not more:
            return bad
        bad |= more


def main() -> int:
    """Write the data; say which classes were left out and why."""
    root, version = Path(sys.argv[1]), sys.argv[2]
    found = _definitions(root)
    parts, bad = _parts(found), _reaching(found)
    classes: dict[str, set[str]] = defaultdict(set)
    functions: dict[str, set[str]] = defaultdict(set)
    for one in found:
        spaces = _CLASS_SPACES if one.is_class else _FUNCTION_SPACES
        target = classes if one.is_class else functions
        exported = [path.rpartition(".") for path in one.exports]
        fits = [(space, name) for space, _, name in exported if space in spaces]
        fits = [(space, name) for space, name in fits if space != "keras.utils" or name in _NOT_PARTS]
        if one.is_class and (one.name in parts or fits):
            fits.append((one.module, one.name))
        if one.reaches or (one.is_class and one.name in bad):
            if fits:
                print("left out:", one.module, one.name, sorted(one.reaches))
            continue
        for space, name in fits:
            if one.is_class or name not in _TAKES_FUNCTIONS:
                target[space].add(name)
    source = f"keras {version}, its source: exports and bases, nothing in the body that opens, loads, imports or runs"
    document = {
        "library": "keras",
        "generator": "tools/keras_knowledge.py",
        "source": source,
        "classes": {space: sorted(names) for space, names in sorted(classes.items())},
        "functions": {space: sorted(names) for space, names in sorted(functions.items())},
    }
    TARGET.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(sum(map(len, classes.values())), "classes,", sum(map(len, functions.values())), "functions")
    return 0


if __name__ == "__main__":
    sys.exit(main())
