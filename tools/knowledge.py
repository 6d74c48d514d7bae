"""Derives which classes of a library take state alone, from the library's source, and writes them as data.

A class is listed when unpickling an instance runs nothing but ``cls.__new__(cls)`` and an update of its
``__dict__`` (or of its slots, where setting one runs nothing): neither the class nor any of its bases defines one of
the hooks that unpickling calls, or the text of the hook has been reviewed (``knowledge_reviewed.json``). Functions are
never listed, nor classes with a base that cannot be resolved, nor those whose constructor or ``__call__`` reads,
writes, imports or runs: what is stored might be called. The source is parsed, never imported.

Several versions can be read at once: a class counts only if this holds in each version that has it. Where an older
version has a class in a module that the newest has not, and the newest has one class of that name, it has *moved*.

    python tools/knowledge.py sklearn
    python tools/knowledge.py sklearn --also /older/lib/python3.10/site-packages
    python tools/knowledge.py sklearn --review        the hooks that nobody has reviewed yet

``--check`` fails where the data contradicts the installed version, if it is one of those that were read.
"""

from __future__ import annotations

import argparse
import collections
import importlib.metadata
import importlib.util
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from knowledge_source import Class, read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from knowledge_source import Library

TARGET = Path(__file__).parent.parent / "src/modelsign/scan/knowledge/allowed"
_DISTRIBUTIONS = {"sklearn": "scikit-learn", "xgboost": "xgboost-cpu"}
_REVIEWED: dict[str, Any] = json.loads((Path(__file__).parent / "knowledge_reviewed.json").read_text(encoding="utf-8"))
_DIGESTS: dict[str, list[str]] = {
    hook: digests for group in _REVIEWED["groups"] for hook, digests in group["hooks"].items()
}
_MORE: dict[str, dict[str, Any]] = {name: group["use"] for group in _REVIEWED["uses"] for name in group["names"]}
"""What the reviewed hooks of a class ask of the machine, for it and those under it: tags, a review of its state."""
_HARMLESS = frozenset(_REVIEWED["metaclasses and decorators"])
_BASES: dict[str, dict[str, Any]] = _REVIEWED["bases"]
"""Bases from elsewhere that take state alone, and what they add to the uses of a class."""
_LISTED = {name: re.compile(pattern) for name, pattern in _REVIEWED["listed"].items()}
"""What names must be like to be listed of a library, where that is not all of them."""
_EVERY = re.compile("")
_MANY = 2000
"""More names than this are written in short."""
_ITEMS = frozenset({"append", "extend", "add", "__setitem__"})
"""Hooks that count only where an entry allows items: in subclasses of the builtin containers."""


def _of_torch() -> dict[str, dict[str, Any]]:
    """Return PyTorch's own classes that take state alone, as bases; ``torch.nn.Linear`` by both of its names."""
    kept = json.loads((TARGET / "torch.generated.json").read_text(encoding="utf-8"))
    found = {}
    for group in kept["groups"]:
        if group["use"].get("new") == [[]] and group["use"].get("state") == "dict":
            tags = {"tags": group["use"]["tags"]} if "tags" in group["use"] else {}
            for name in group["names"]:
                found[name] = tags
                if name.startswith("torch.nn.modules."):
                    found[f"torch.nn.{name.rpartition('.')[2]}"] = tags
    return found


def _ancestors(name: str, library: Library, seen: frozenset[str] = frozenset()) -> Iterator[Class | str]:
    """Yield a class and everything it derives from; a name for what is from elsewhere or cannot be resolved."""
    name = library.resolve(name)
    one = library.classes.get(name)
    if one is None or name in seen:
        yield name
        return
    yield one
    for base in one.bases:
        yield from _ancestors(base, library, seen | {name})


def _unreviewed(one: Class, *, items: bool) -> dict[str, str]:
    """Return the hooks of a class that nobody has reviewed in this form, with their digests."""
    return {
        hook: digest
        for hook, digest in one.hooks.items()
        if (items or hook not in _ITEMS) and digest not in _DIGESTS.get(f"{one.name}.{hook}", ())
    }


def _takes_items(foreign: set[str]) -> bool:
    return any("items" in _BASES.get(base, {}) for base in foreign)


def _use(name: str, library: Library) -> dict[str, Any] | None:
    """Return what may be done with a class, as the data files spell it; None if it is not proven."""
    family = list(_ancestors(name, library))
    own = [one for one in family if isinstance(one, Class)]
    foreign = {one for one in family if isinstance(one, str)}
    items = _takes_items(foreign)
    if not foreign <= set(_BASES) or any(
        _unreviewed(one, items=items) or not (one.plain and one.computes) for one in own
    ):
        return None
    slotted = any(one.slotted for one in own)
    if slotted and any(one.settable for one in own):
        return None
    use: dict[str, Any] = {"reference": True, "new": [[]], "state": "dict|tuple" if slotted else "dict"}
    for base in sorted(foreign):
        use |= _BASES[base]
    more = [_MORE[one.name] for one in own if one.name in _MORE]
    tags = {tag for given in [use, *more] for tag in given.get("tags", ())}
    for given in more:
        use |= given
    return {key: value for key, value in (use | {"tags": sorted(tags)}).items() if value}


def _found(library: str, others: list[Path]) -> list[Library]:
    """Return the installed version, then those of other environments."""
    if library != "torch":
        _BASES.update(_of_torch())
    spec = importlib.util.find_spec(library)
    if spec is None or not spec.submodule_search_locations:
        sys.exit(f"{library} is not installed")
    folders = [Path(spec.submodule_search_locations[0]).parent, *others]
    return [
        read(library, folder, _version(library, folder), _HARMLESS) for folder in folders if (folder / library).is_dir()
    ]


def _version(library: str, folder: Path) -> str:
    wanted = {library, _DISTRIBUTIONS.get(library, library).replace("-", "_")}
    for found in importlib.metadata.distributions(path=[str(folder)]):
        if found.metadata["Name"].replace("-", "_") in wanted:
            return found.version.partition("+")[0]
    return importlib.metadata.version(_DISTRIBUTIONS.get(library, library)).partition("+")[0]


def _tuple_use(name: str, library: Library) -> dict[str, Any] | None:
    return {"reference": True, "new": [["*any"]]} if name in library.tuples else _use(name, library)


def document(library: str, others: list[Path]) -> dict[str, Any]:
    """Return the data for one library: as installed, and as in other folders of packages."""
    versions = _found(library, others)
    newest = versions[0]
    places = _places(newest)
    groups: dict[str, list[str]] = {}
    moved: dict[str, str] = {}
    withheld: dict[str, str] = {}
    listed = _LISTED.get(library, _EVERY)
    for name in sorted({name for one in versions for name in [*one.classes, *one.tuples] if listed.search(name)}):
        having = [one for one in versions if (place := one.resolve(name)) in one.classes or place in one.tuples]
        uses = [_tuple_use(name, one) for one in having]
        if None in uses:
            if any(uses):
                withheld[name] = ", ".join(one.version for one, use in zip(having, uses, strict=True) if use is None)
            continue
        place = _moved(name, newest, places)
        if place is not None:
            moved[name] = place
            continue
        groups.setdefault(json.dumps(_joined([use for use in uses if use])), []).append(name)
    told = ", ".join(one.version for one in versions)
    return {
        "library": library,
        "generator": "tools/knowledge.py",
        "versions": [one.version for one in versions],
        "groups": [
            {
                "source": f"{library} {told}, its source: no hook of unpickling but reviewed ones, in no base",
                "use": json.loads(use),
                **_spelt(names),
            }
            for use, names in sorted(groups.items())
        ],
        "withheld": withheld,
        "moved": [
            {
                "source": f"{library} {told}: the one class of that name in {newest.version}; both are proven",
                "names": moved,
            }
        ]
        if moved
        else [],
    }


def _joined(uses: list[dict[str, Any]]) -> dict[str, Any]:
    """Join the uses by version: all tags, and every state that one of them takes."""
    tags = sorted({tag for use in uses for tag in use.get("tags", ())})
    states = sorted({atom for use in uses for atom in use.get("state", "").split("|") if atom})
    joined = uses[0] | ({"state": "|".join(states)} if states else {}) | {"tags": tags}
    return {key: value for key, value in joined.items() if value}


def _places(newest: Library) -> dict[str, list[str]]:
    """Return where each class stands, by its name alone."""
    found: dict[str, list[str]] = {}
    for name in [*newest.classes, *newest.tuples]:
        found.setdefault(name.rpartition(".")[2], []).append(name)
    return found


def _spelt(names: list[str]) -> dict[str, Any]:
    """Return names as the data spells them: thousands in one line per module."""
    if len(names) <= _MANY:
        return {"names": names}
    modules: dict[str, list[str]] = {}
    for name in names:
        module, _, short = name.rpartition(".")
        modules.setdefault(module, []).append(short)
    return {"classes": {module: " ".join(classes) for module, classes in sorted(modules.items())}}


def _names(group: dict[str, Any]) -> set[str]:
    """Return the names of a group of the data."""
    short = {f"{module}.{name}" for module, classes in group.get("classes", {}).items() for name in classes.split()}
    return {*group.get("names", ()), *short}


def _moved(name: str, newest: Library, by_name: dict[str, list[str]]) -> str | None:
    """Return where the newest version has a class that it has not under this name, if that is one place and proven."""
    if name in newest.classes or name in newest.tuples:
        return None
    places = by_name.get(name.rpartition(".")[2], [])
    return places[0] if len(places) == 1 and _tuple_use(places[0], newest) else None


def _obstacles(name: str, library: Library) -> Iterator[str]:
    """Yield what keeps a class from being proven."""
    family = list(_ancestors(name, library))
    items = _takes_items({relative for relative in family if isinstance(relative, str)})
    for relative in family:
        if isinstance(relative, str):
            if relative not in _BASES:
                yield f"base {relative}"
            continue
        for hook, digest in _unreviewed(relative, items=items).items():
            yield f"hook {relative.name}.{hook} {digest} ({library.version})"
        if not (relative.plain and relative.computes):
            yield f"{relative.name} decorated or beyond computing"


def review(library: str, others: list[Path]) -> None:
    """Print what is not proven, by what keeps it from that."""
    why = collections.defaultdict(set)
    listed = _LISTED.get(library, _EVERY)
    for one in _found(library, others):
        for name in one.classes:
            if listed.search(name) and _use(name, one) is None:
                for reason in _obstacles(name, one):
                    why[reason].add(name)
    for reason, names in sorted(why.items(), key=lambda item: -len(item[1])):
        print(f"{len(names):4} {reason}: {', '.join(sorted(names)[:4])}")


def _contradicts(library: str, kept: dict[str, Any]) -> bool:
    """Say whether what is kept of a library differs from what its installed version says."""
    installed = _found(library, [])[0]
    if installed.version not in kept.get("versions", []):
        print(f"{library} {installed.version} is none of those that were read")
        return True
    listed = {name for group in kept["groups"] for name in _names(group)}
    wanted = filter(_LISTED.get(library, _EVERY).search, [*installed.classes, *installed.tuples])
    proven = {name for name in wanted if _tuple_use(name, installed)}
    known = listed | set(kept["withheld"]) | {name for group in kept["moved"] for name in group["names"]}
    there = listed & {*installed.classes, *installed.tuples}
    return not (proven <= known and there <= proven)


def main() -> int:
    """Write or check the data of the named libraries."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library", nargs="+")
    parser.add_argument("--also", type=Path, action="append", default=[], help="a folder of packages to read as well")
    parser.add_argument("--check", action="store_true", help="fail where the data differs, write nothing")
    parser.add_argument("--review", action="store_true", help="print what is not proven and why, write nothing")
    options = parser.parse_args()
    stale = 0
    for library in options.library:
        target = TARGET / f"{library}.generated.json"
        if options.review:
            review(library, options.also)
        elif options.check:
            stale += _contradicts(library, json.loads(target.read_text(encoding="utf-8")))
        else:
            text = json.dumps(document(library, options.also), indent=1) + "\n"
            target.write_text(text, encoding="utf-8")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
