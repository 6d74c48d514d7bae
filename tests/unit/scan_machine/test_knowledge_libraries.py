"""Objects of ultralytics and gensim that take state alone are clean, under every version's names; functions are not.

The pickles are written opcode by opcode, so that they need no library.
"""

from __future__ import annotations

import json
import pathlib

import pytest
from picklebytes import PROTO2, STOP, name, short

from modelsign.artifact.reading import BytesReading
from modelsign.scan import knowledge
from modelsign.scan.pickles import scan_pickle
from modelsign.verdict import Outcome

FOLDER = pathlib.Path(knowledge.__file__).parent / "allowed"
MADE, CALLED = b")\x81}b", b")R}b"


def outcomes(body: bytes) -> set[Outcome]:
    return {one.outcome for one in scan_pickle(BytesReading(PROTO2 + body + STOP)).findings}


@pytest.mark.parametrize(
    ("module", "qualname", "use"),
    [
        ("ultralytics.nn.tasks", "DetectionModel", MADE),
        ("ultralytics.nn.modules.block", "C3k2", MADE),
        ("ultralytics.nn.modules.block", "AAttn", MADE),
        ("ultralytics.nn.modules", "C2f", MADE),
        ("ultralytics.utils", "IterableSimpleNamespace", CALLED),
        ("ultralytics.yolo.utils", "IterableSimpleNamespace", CALLED),
        ("ultralytics.utils.loss", "v8DetectionLoss", MADE),
        ("gensim.models.word2vec", "Word2Vec", MADE),
        ("gensim.models.rpmodel", "RpModel", MADE),
        ("gensim.models.phrases", "Phrases", MADE),
        ("gensim.corpora.dictionary", "Dictionary", MADE),
        ("gensim.utils", "identity", b""),
    ],
)
def test_what_takes_state_alone_is_clean(module, qualname, use):
    assert outcomes(name(module, qualname) + use) == set()


@pytest.mark.parametrize(
    "body",
    [
        name("ultralytics.nn.tasks", "torch_safe_load") + short("x") + b"\x85R",
        name("ultralytics.nn.tasks", "attempt_load_one_weight") + short("x") + b"\x85R",
        name("ultralytics.nn.tasks", "SafeClass") + MADE,
        name("ultralytics.nn.autobackend", "AutoBackend") + short("x") + b"\x85R",
        name("ultralytics.utils.downloads", "safe_download") + short("x") + b"\x85R",
        name("ultralytics.nn.tasks", "DetectionModel") + short("x.yaml") + b"\x85R",
        name("gensim.utils", "unpickle") + short("x") + b"\x85R",
        name("gensim.models.word2vec", "Word2Vec.load") + short("x") + b"\x85R",
        name("gensim.models.phrases", "Phrases"),
        name("gensim.utils", "identity") + short("x") + b"\x85R",
    ],
)
def test_functions_and_constructors_are_not_clean(body):
    assert outcomes(body)


@pytest.mark.parametrize("library", ["gensim", "transformers", "ultralytics"])
def test_derived_names_are_of_their_library_and_have_no_use_of_their_own(library):
    document = json.loads((FOLDER / f"{library}.generated.json").read_bytes())
    assert document["versions"]
    for group in document["groups"]:
        names = [*group.get("names", ()), *group.get("classes", {})]
        assert all(one.startswith(f"{library}.") for one in names)
        assert "special" not in group["use"]
        assert "returns" not in group["use"]


def test_bound_methods_of_patterns_are_what_tokenizers_of_spacy_keep():
    def reached(pattern: str, attribute: str) -> set[Outcome]:
        compiled = name("re", "_compile") + short(pattern) + b"K\x20\x86R"
        return outcomes(name("builtins", "getattr") + compiled + short(attribute) + b"\x86R")

    assert reached("[a-z]+", "search") == set()
    assert reached("a" * 5000, "finditer") == {Outcome.UNVERIFIED}
    assert reached("[a-z]+", "__class__") == {Outcome.UNSAFE}
