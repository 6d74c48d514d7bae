"""Derives the names that a spaCy configuration may look up from the source of spaCy and thinc, and writes them as data.

    python tools/spacy_knowledge.py SITE_PACKAGES

Names are those by which the libraries register functions in their registries (`registry.architectures("…")`,
`Language.factory("…")`, entry points of spacy-legacy and spacy-loggers). Left out is what opens, loads or sends what
its arguments say (``_REACHES_OUT``), after a reading of each function. The source is parsed, never imported.
"""

from __future__ import annotations

import ast
import configparser
import json
import re
import sys
from collections import defaultdict
from pathlib import Path

TARGET = Path(__file__).parent.parent / "src/modelsign/scan/knowledge/spacy.json"
_LIBRARIES = ("spacy", "thinc", "confection", "spacy_legacy", "spacy_loggers")
_REACHES_OUT = frozenset({"spacy.copy_from_base_model.v1", "spacy.KBFromFile.v1", "spacy.read_labels.v1"})
_LOGGERS = "ConsoleLogger"
"""Other loggers send what is trained to a service."""
_LATER = (
    "Corpus, JsonlCorpus, PlainTextCorpus and ConsoleLogger open a path when a pipeline is trained, not when loaded"
)
_COMPILED = re.compile(r"registry\.(\w+)\(\"([^\"]+)\"\)")


def _registered(path: Path) -> set[tuple[str, str]]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".pyx":  # not Python
        return set(_COMPILED.findall(text))
    found = set()
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
            continue
        name = node.args[0].value
        called = ast.unparse(node.func)
        if isinstance(name, str) and (kind := re.search(r"registry\.(\w+)$", called)) is not None:
            found.add((kind[1], name))
        elif isinstance(name, str) and called.endswith(("Language.factory", "Language.component")):
            found.add(("factories", name))
    return found


def _entry_points(folder: Path) -> set[tuple[str, str]]:
    found = set()
    for path in folder.glob("spacy_*.dist-info/entry_points.txt"):
        parser = configparser.ConfigParser(delimiters=("=",))
        parser.optionxform = str  # type: ignore[assignment,method-assign] # names keep their case
        parser.read(path)
        for section in parser.sections():
            kind = section.removeprefix("spacy_")
            for name in parser[section]:
                found |= {(kind, name), (kind, name.replace("spacy-legacy.", "spacy."))}
    return found


def main() -> int:
    """Write the data."""
    folder = Path(sys.argv[1])
    found = _entry_points(folder)
    for library in _LIBRARIES:
        for path in (folder / library).rglob("*.py*"):
            if path.suffix in {".py", ".pyx"} and "tests" not in path.parts:
                found |= _registered(path)
    names: dict[str, set[str]] = defaultdict(set)
    for kind, name in found:
        if name in _REACHES_OUT or kind in {"get", "ops"} or (kind == "loggers" and _LOGGERS not in name):
            continue
        names[kind.removeprefix("thinc_")].add(name)
    metadata = ("spacy", "thinc", "spacy_legacy", "spacy_loggers", "confection")
    versions = sorted(path.name.removesuffix(".dist-info") for path in folder.glob("*.dist-info"))
    used = [one for one in versions if one.rpartition("-")[0] in metadata]
    document = {
        "generator": "tools/spacy_knowledge.py",
        "source": f"{', '.join(used)}: names registered in their source, but for those that open, load or send",
        "reviewed": _LATER,
        "languages": sorted(
            path.name for path in (folder / "spacy/lang").iterdir() if path.is_dir() and path.name.isalpha()
        ),
        "registries": {kind: sorted(some) for kind, some in sorted(names.items())},
    }
    TARGET.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(sum(map(len, names.values())), "names")
    return 0


if __name__ == "__main__":
    sys.exit(main())
