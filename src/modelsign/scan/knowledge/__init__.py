"""What is known of names: their good uses, their dangers, their old spellings.

Data files, one per library, each entry with its source; loaded when a name of that library is first asked for.
Names are exact. Nothing here looks at what is installed, so a verdict is the same on every machine.
"""

from __future__ import annotations

import json
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from modelsign.scan.knowledge.entry import Entry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "Entry",
    "allowed",
    "canonical",
    "capability",
    "capability_of_call",
    "guessed_capability",
    "load_all",
    "mapped",
]

_FOLDER: Final = Path(__file__).parent
_LIBRARIES: Final = frozenset(
    {
        "accelerate",
        "catboost",
        "dill",
        "gensim",
        "joblib",
        "lightgbm",
        "lightning",
        "lightning_fabric",
        "numpy",
        "omegaconf",
        "pandas",
        "pyarrow",
        "pytorch_lightning",
        "scipy",
        "sentence_transformers",
        "sklearn",
        "spacy",
        "statsmodels",
        "timm",
        "tokenizers",
        "torch",
        "torchvision",
        "transformers",
        "trl",
        "ultralytics",
        "xgboost",
    }
)
_GENERATED: Final = frozenset({
    "gensim", "scipy", "sklearn", "statsmodels", "timm", "torch", "torchvision", "transformers", "ultralytics",
})  # fmt: skip
_OTHERS: Final = "python"
_KEPT: Final = 4096
"""Answers about names that are kept: files may hold any number of names."""


def load_all() -> None:
    """Read all the data now, for a process that can open no file later."""
    for path in _FOLDER.rglob("*.json"):
        _load(path.relative_to(_FOLDER).as_posix())
    for root in (*_LIBRARIES, _OTHERS):
        _library(root)


@cache
def _load(name: str) -> Any:
    return json.loads((_FOLDER / name).read_bytes())


@cache
def _library(root: str) -> tuple[Mapping[str, Mapping[str, Any]], Mapping[str, str]]:
    documents = [_load(name) for name in _files(root)]
    uses = {name: group["use"] for one in documents for group in one["groups"] for name in _names(group)}
    groups = [group for one in documents for group in one.get("moved", ())]
    return uses, {old: new for group in groups for old, new in group["names"].items()}


def _names(group: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of a group: in full, or the classes of a module in one line where there are thousands."""
    yield from group.get("names", ())
    for module, classes in group.get("classes", {}).items():
        yield from (f"{module}.{name}" for name in classes.split())


def _files(root: str) -> list[str]:
    """Return a library's data: derived by tools/knowledge.py first, then reviewed by hand, which wins."""
    return [f"allowed/{root}.generated.json"] * (root in _GENERATED) + [f"allowed/{root}.json"]


def _root(name: str) -> str:
    root = name.partition(".")[0]
    return root if root in _LIBRARIES else _OTHERS


@lru_cache(_KEPT)
def canonical(name: str) -> str:
    """Return today's name of something that a library has moved; the name itself if it has not."""
    uses, moved = _library(_root(name))
    if name in uses:
        return name
    if name in moved:
        return moved[name]
    for old, new in moved.items():
        if old.endswith(".*") and name.startswith(old[:-1]):
            return new[:-1] + name[len(old) - 1 :]
    return name


def allowed(name: str) -> Entry | None:
    """Return what may be done with a name (``module.qualname``); None if it is not known.

    A name that has moved is judged by its new place, unless the old one alone is known as a danger: whatever a table
    of moves says, it makes nothing safe.
    """
    place = canonical(name)
    if place not in _library(_root(place))[0]:
        return None
    if place != name and _is_dangerous(name) and not _is_dangerous(place):
        return None
    return _entry(place)


def _is_dangerous(name: str) -> bool:
    module, _, qualname = name.rpartition(".")
    return capability(module, qualname) is not None


@cache
def _entry(name: str) -> Entry:
    """Return the one entry of a known name; there are only as many as the data has."""
    use = _library(_root(name))[0][name]
    return Entry(
        name=name,
        reference=use.get("reference", False),
        call=tuple(tuple(signature) for signature in use.get("call", ())),
        new=tuple(tuple(signature) for signature in use.get("new", ())),
        keywords=use.get("keywords"),
        state=use.get("state"),
        items=frozenset(use.get("items", ())),
        returns=use.get("returns"),
        special=use.get("special"),
        review=use.get("review"),
        tags=frozenset(use.get("tags", ())),
    )


@cache
def _dangers() -> tuple[Mapping[str, str], Mapping[str, str]]:
    modules: dict[str, str] = {}
    names: dict[str, str] = {}
    for group in _load("dangerous.json")["groups"]:
        modules |= dict.fromkeys(group.get("modules", ()), group["capability"])
        names |= dict.fromkeys(group.get("names", ()), group["capability"])
    return modules, names


@cache
def _attributes() -> frozenset[str]:
    return frozenset(_load("dangerous.json")["attributes"]["names"])


@cache
def _excepted() -> frozenset[str]:
    return frozenset(_load("dangerous.json")["except"]["names"])


@cache
def _called() -> tuple[frozenset[str], str]:
    group = _load("dangerous.json")["called"]
    return frozenset(group["modules"]), group["capability"]


@cache
def _most_parts() -> int:
    """Return how many parts the longest name that is looked for has."""
    return max(name.count(".") + 1 for known in (*_dangers(), _excepted()) for name in known)


def _of_parts(parts: list[str]) -> str | None:
    modules, names = _dangers()
    if len(parts) <= _most_parts() and ".".join(parts) in _excepted():
        return None
    for length in range(min(len(parts), _most_parts()), 0, -1):
        prefix = ".".join(parts[:length])
        found = names.get(prefix) or modules.get(prefix)
        if found:
            return found
    return None


@lru_cache(_KEPT)
def capability(module: str, qualname: str) -> str | None:
    """Return the dangerous class a name belongs to: ``execute``, ``import``, ``network``, …; None if none is known.

    A dotted name is looked at from each of its parts on, because ``torch`` + ``os.system`` is ``os.system``, and
    so is ``random`` + ``_os.system``.
    """
    inner = qualname.split(".")
    found = _of_parts([*module.split("."), *inner])
    if found:
        return found
    if any(part in _attributes() for part in inner):
        return "attribute-access"
    for start in range(len(inner) - 1):
        for first in dict.fromkeys((inner[start], _aliases().get(inner[start], ""), inner[start].lstrip("_"))):
            rest = inner[start + 1 : start + _most_parts()]
            found = _of_parts([*first.split("."), *rest]) if first else None
            if found:
                return found
    return None


@cache
def _aliases() -> Mapping[str, str]:
    """Return what modules call other modules that they import, beyond putting underscores before the name."""
    names: Mapping[str, str] = _load("dangerous.json")["aliases"]["names"]
    return names


def capability_of_call(module: str, qualname: str) -> str | None:
    """Return the dangerous class of calling a name: some may be stored, and yet no pickler calls them."""
    modules, danger = _called()
    inner = qualname.split(".")
    reached = module in modules or (len(inner) > 1 and inner[-2] in modules)
    return capability(module, qualname) or (danger if reached else None)


@cache
def _last_names() -> tuple[str, frozenset[str], Mapping[str, frozenset[str]]]:
    group = _load("dangerous.json")["last_names"]
    return group["capability"], frozenset(group["anywhere"]), {key: frozenset(of) for key, of in group["below"].items()}


def guessed_capability(module: str, qualname: str) -> str | None:
    """Return what calling a name of an unknown module does by its last parts, where these mean one thing alone.

    ``gevent.subprocess.Popen`` and ``eventlet.green.os.system`` are such names; ``model.eval`` is none.
    """
    danger, anywhere, below = _last_names()
    *before, last = f"{module}.{qualname}".rsplit(".", 2)[-2:]
    holder = before[0].lstrip("_") if before else ""
    return danger if last in anywhere or last in below.get(holder, ()) else None


@cache
def _python2() -> tuple[Mapping[tuple[str, str], tuple[str, str]], Mapping[str, str]]:
    document = _load("python2.json")
    names = {(old[0], old[1]): (new[0], new[1]) for old, new in document["names"]}
    return names, document["modules"]


def mapped(module: str, qualname: str) -> tuple[str, str]:
    """Return the Python 3 name of a Python 2 name, as an unpickler with ``fix_imports`` finds it (protocols 0 to 2)."""
    names, modules = _python2()
    found = names.get((module, qualname))
    return found or (modules.get(module, module), qualname)
