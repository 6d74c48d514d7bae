"""Starts a new member of a family: the member's file and its test, to be filled in.

    python tools/new.py scan/formats gguf
    python tools/new.py policy/rules licence

What a member needs is read from the family's descriptor class, so this never goes stale. Afterwards fill in what says
TODO, run `python tools/generate.py`, then `make check` and the new test.
"""

from __future__ import annotations

import argparse
import ast
import dataclasses
import importlib
import inspect
import keyword
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tools")]

from generated.families import FAMILIES, members  # noqa: E402 - the path comes first

if TYPE_CHECKING:
    from generated.families import Family


def main() -> int:
    """Write two new files; never over an existing one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("family", choices=[family.folder for family in FAMILIES])
    parser.add_argument("name", help="the member's name: lower case, a Python identifier")
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    name = arguments.name
    if not name.isidentifier() or keyword.iskeyword(name) or name != name.lower() or name.startswith("_"):
        parser.error(f"{name!r} is no lower-case Python identifier")
    (family,) = (family for family in FAMILIES if family.folder == arguments.family)
    area = family.folder.replace("/", "_")
    made = {
        arguments.root / "src/modelsign" / family.folder / f"{name}.py": member(family, name),
        arguments.root / "tests/unit" / area / f"test_{name}.py": test(family, name),
    }
    for path in made:
        if path.exists():
            parser.error(f"{path} exists already")
    for path, text in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path.relative_to(arguments.root)}")
    print("fill in what says TODO, then: python tools/generate.py && make check")
    return 0


def member(family: Family, name: str) -> str:
    """Return a member file in which every field of the descriptor has its place."""
    kind = _kind(family)
    needed = _required(kind)
    text = "".join(f"{_function(field, what)}\n\n\n" for field, what in needed.items() if what.startswith("Callable"))
    fields = "".join(f"    {field}={_value(field, what, name)},\n" for field, what in needed.items())
    imports = _imports(kind, " ".join(needed.values()))
    own = f"from {kind.__module__} import {kind.__name__}"
    head = f"from typing import TYPE_CHECKING\n\n{own}\n\nif TYPE_CHECKING:\n{imports}" if imports else f"{own}\n"
    return (
        f'"""TODO: what {name} is for, what it never does, and the specification it follows, with section."""\n\n'
        f"from __future__ import annotations\n\n{head}\n"
        f'__all__ = ["{family.descriptor}"]\n\n\n{text}'
        f"{family.descriptor} = {kind.__name__}(\n{fields})\n"
    )


def test(family: Family, name: str) -> str:
    """Return a test that fails until somebody writes it."""
    return (
        f'"""TODO: the {family.noun} {name}: good, malformed and hostile input, each with its reason code."""\n\n'
        "from __future__ import annotations\n\n"
        f"from {family.package} import _index\n\n\n"
        f"def test_{name}_is_a_member_of_its_family():\n"
        f'    assert _index.load("{name}").id == "{name}"\n'
    )


def _kind(family: Family) -> type:
    """Return the descriptor's class: that of a member there is, else the one the family names."""
    for _, descriptor in members(family, ROOT).values():
        return type(descriptor)
    module, _, name = family.kind.partition(":")
    found: type = getattr(importlib.import_module(module), name)
    return found


def _required(kind: type) -> dict[str, str]:
    """Return the fields without a default, with their annotations as written."""
    if not dataclasses.is_dataclass(kind):
        defaults = getattr(kind, "_field_defaults", {})
        return {name: _written(what) for name, what in inspect.get_annotations(kind).items() if name not in defaults}
    missing = dataclasses.MISSING
    return {
        entry.name: _written(entry.type)
        for entry in dataclasses.fields(kind)
        if entry.default is missing and entry.default_factory is missing
    }


def _written(annotation: object) -> str:
    return str(getattr(annotation, "__forward_arg__", annotation))


def _function(name: str, annotation: str) -> str:
    """Turn ``Callable[[Reading, str], bool]`` into a function of that type."""
    taken, returned = _signature(annotation)
    names = ("first", "second", "third", "fourth", "fifth")
    parameters = ", ".join(f"{name}: {kind}" for name, kind in zip(names, taken, strict=False))
    return (
        f'def {name}({parameters}) -> {returned}:\n    """TODO: say what it returns and raises."""\n'
        f"    raise NotImplementedError"
    )


def _signature(annotation: str) -> tuple[list[str], str]:
    node = ast.parse(annotation, mode="eval").body
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
        taken, returned = node.slice.elts
        if isinstance(taken, ast.List):
            return [ast.unparse(kind) for kind in taken.elts], ast.unparse(returned)
    return [], "object"


def _value(field: str, annotation: str, name: str) -> str:
    if annotation.startswith("Callable"):
        return field
    if field in ("id", "title"):
        return f'"{name}"'
    return {"str": '"TODO"', "bool": "False"}.get(annotation, "()" if annotation.startswith("tuple") else "TODO")


def _imports(kind: type, annotations: str) -> str:
    """Return the imports that the annotations need, as the descriptor's own module has them."""
    tree = ast.parse(inspect.getsource(importlib.import_module(kind.__module__)))
    wanted = set(re.findall(r"[A-Za-z_]+", annotations)) - {"Callable"}
    homes = {node.name: kind.__module__ for node in tree.body if isinstance(node, ast.ClassDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module != "__future__":
            homes |= {alias.name: str(node.module) for alias in node.names}
    lines = sorted(f"    from {homes[name]} import {name}\n" for name in wanted & set(homes))
    return "".join(lines)


if __name__ == "__main__":
    sys.exit(main())
