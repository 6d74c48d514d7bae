"""Names of Python beside a model, as configurations of Hugging Face's libraries spell them.

``auto_map`` of transformers (``module.Class``, or ``repository--module.Class`` of another repository), ``impl`` below
``custom_pipelines``, pairs in ``model_index.json`` of diffusers, types in ``modules.json`` of sentence-transformers. A
reference ends up in a finding's ``calls`` as the import that the loader does, which is how ``remote_code.py`` finds it.
Follows transformers/dynamic_module_utils.py 5.0 and diffusers/pipelines/pipeline_loading_utils.py 0.36.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign.scan.tables import table

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Reference", "component_references", "imported", "map_references", "pipeline_references"]

_NAME: Final = re.compile(
    r"(?:(?P<place>[^\s-](?:[^\s]*[^\s-])?)--)?(?P<module>\w+(?:\.\w+)*)\.(?P<thing>\w+)\Z", re.ASCII
)
_LONGEST: Final = 300
_MOST: Final = 20
_WORD: Final = re.compile(r"\w+(?:\.\w+)*\Z", re.ASCII)


class Reference(NamedTuple):
    """One name: as it is written, the repository if it is another one, the module and what is taken from it."""

    text: str
    place: str
    module: str
    thing: str

    @property
    def calls(self) -> tuple[str, ...]:
        """The import that the loader does, as Python would write it; of another repository nothing is imported here."""
        return () if self.place else imported(self.module, self.thing)


def imported(module: str, thing: str) -> tuple[str, ...]:
    """Return an import as Python would write it."""
    return (f"from {module} import {thing}",)


def _read(text: str) -> Reference | None:
    found = _NAME.match(text) if len(text) <= _LONGEST else None
    return Reference(text, found["place"] or "", found["module"], found["thing"]) if found else None


def map_references(value: object) -> list[Reference]:
    """Return what ``auto_map`` names: a name, or a pair of them, for each kind of class; empty in another form."""
    if not isinstance(value, dict):
        return []
    texts = [
        one for entry in value.values() for one in (entry if isinstance(entry, list) else [entry]) if one is not None
    ]
    return _all(texts)


def pipeline_references(value: object) -> list[Reference]:
    """Return what ``custom_pipelines`` names as its implementations; empty if it is of another form."""
    if not isinstance(value, dict):
        return []
    return _all([entry.get("impl") if isinstance(entry, dict) else None for entry in value.values()])


def _all(texts: list[object]) -> list[Reference]:
    """Read all of them or none, so that nothing of another form is passed over."""
    read = [_read(text) if isinstance(text, str) else None for text in texts]
    known = [one for one in dict.fromkeys(read) if one is not None]
    return known if len(known) <= _MOST and all(read) else []


@functools.cache
def _libraries() -> frozenset[str]:
    return frozenset(name for row in table("inert")["diffusers"] for name in row["names"])


def component_references(node: dict[str, object]) -> Iterator[tuple[str, str, str]]:
    """Yield key, module and class of the components of a pipeline of diffusers that are not of its own libraries.

    In other configurations of diffusers a pair is taken for a component where it looks like one: a module, a class.
    """
    if "_diffusers_version" not in node and not isinstance(node.get("_class_name"), list):
        return
    kind = node.get("_class_name")
    pipeline = not isinstance(kind, str) or kind.endswith("Pipeline")
    for key, value in sorted(node.items()):
        if not isinstance(value, list) or len(value) < 2 or not all(isinstance(one, str) for one in value[:2]):  # noqa: PLR2004 - a module and a class
            continue
        module, thing = value[:2]
        if module in _libraries() or not _WORD.match(module) or not _WORD.match(thing):
            continue
        if (pipeline and len(value) in {2, 3}) or key == "_class_name" or (module.islower() and thing[0].isupper()):
            yield key, module, thing
