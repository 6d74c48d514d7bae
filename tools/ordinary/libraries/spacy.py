"""spaCy: trained pipelines of one component each, on disk, as bytes and pickled; documents, vocabularies, matchers."""

from __future__ import annotations

import pickle
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import spacy
from spacy.lookups import Lookups
from spacy.tokens import DocBin
from spacy.training import Example

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MODULES = ("spacy",)
_TEXT = "Apple is looking at buying London ."
_EXAMPLES: dict[str, dict[str, Any]] = {
    "ner": {"entities": [(0, 5, "ORG")]},
    "tagger": {"tags": ["N", "V", "V", "P", "V", "N", "."]},
    "textcat": {"cats": {"a": 1.0, "b": 0.0}},
    "textcat_multilabel": {"cats": {"a": 1.0, "b": 0.0}},
    "morphologizer": {"morphs": ["Number=Sing"] * 7, "pos": ["NOUN"] * 7},
    "senter": {"sent_starts": [1, 0, 0, 0, 0, 0, 0]},
    "trainable_lemmatizer": {"lemmas": _TEXT.split()},
    "spancat": {"spans": {"sc": [(0, 5, "ORG")]}},
    "sentencizer": {},
    "entity_ruler": {},
    "attribute_ruler": {},
    "lemmatizer": {},
}
_LEMMAS: dict[str, dict[str, Any]] = {
    "lemma_rules": {"noun": [["s", ""]]},
    "lemma_exc": {"noun": {"mice": ["mouse"]}},
    "lemma_index": {"noun": ["dog"]},
}


def _trained(component: str, example: dict[str, Any]) -> Any:
    pipeline = spacy.blank("en")
    made = pipeline.add_pipe(component)
    if component == "entity_ruler":
        made.add_patterns([{"label": "ORG", "pattern": "Apple"}, {"label": "X", "pattern": [{"LOWER": "a"}]}])
    if component == "lemmatizer":
        lookups = Lookups()
        for name, rows in _LEMMAS.items():
            lookups.add_table(name, rows)
        made.initialize(list, lookups=lookups)
    if example:
        shown = Example.from_dict(pipeline.make_doc(_TEXT), example)
        pipeline.initialize(lambda: [shown])
        pipeline.update([shown])
    return pipeline


def files(chosen: Callable[[str], bool]) -> Iterator[tuple[str, bytes | Path]]:
    """Yield everything."""
    with tempfile.TemporaryDirectory() as scratch:
        for language in filter(chosen, ("en", "de", "fr", "es", "xx")):
            spacy.blank(language).to_disk(f"{scratch}/blank-{language}")
            yield f"blank-{language}", Path(scratch) / f"blank-{language}"
        for component, example in _EXAMPLES.items():
            if chosen(component):
                pipeline = _trained(component, example)
                pipeline.to_disk(f"{scratch}/{component}")
                yield component, Path(scratch) / component
                yield f"{component}.pkl", pickle.dumps(pipeline)
        pipeline = spacy.blank("en")
        pipeline.vocab.set_vector("hello", np.ones(4, "f"))
        pipeline.to_disk(f"{scratch}/vectors")
        yield "vectors", Path(scratch) / "vectors"
        document = pipeline(_TEXT)
        yield "documents.spacy", DocBin(docs=[document]).to_bytes()
        yield "document.pkl", pickle.dumps(document)
