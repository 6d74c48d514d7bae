"""A method that spaCy's lemmatizer keeps of itself: as much as an import of the name, and no way to anything else."""

from __future__ import annotations

import picklebytes as p
import pytest

from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file
from modelsign.scan.pickles import scan_pickle

LEMMATIZER = p.stack_name("spacy.lang.en.lemmatizer", "EnglishLemmatizer")
GETATTR = p.stack_name("builtins", "getattr")


def component(cls=LEMMATIZER, state=b"N"):
    """Return what makes a component of a pipeline, as Cython pickles it."""
    return p.stack_name("spacy.pipeline.pipe", "__pyx_unpickle_Pipe") + cls + b"K\x01" + state + b"\x87R"


def attribute(owner, name):
    return GETATTR + owner + p.short(name) + b"\x86R"


def scan(body):
    return scan_pickle(BytesReading(p.PROTO4 + body + b"."))


def outcome(body):
    return scan_file(BytesReading(p.PROTO4 + body + b"."), "model.pkl").outcome


def test_a_method_of_an_unknown_class_is_named_and_unverified():
    found = scan(attribute(component(), "rule_lemmatize")).findings
    assert {finding.outcome for finding in found} == {"unverified"}
    assert "spacy.lang.en.lemmatizer.EnglishLemmatizer.rule_lemmatize" in {finding.name for finding in found}


def test_calling_the_method_stays_unverified():
    assert outcome(attribute(component(), "rule_lemmatize") + b")R") == "unverified"


@pytest.mark.parametrize("name", ["__class__", "__globals__", "__reduce_ex__", "_x", "a.b", "os.system"])
def test_other_attributes_are_unsafe(name):
    assert outcome(attribute(component(), name)) == "unsafe"


def test_a_module_that_the_class_might_keep_leads_nowhere():
    assert outcome(attribute(attribute(component(), "os"), "system")) == "unsafe"
    assert outcome(attribute(attribute(component(), "os"), "system") + p.ARGUMENT + b"R") == "unsafe"


@pytest.mark.parametrize(
    "owner",
    [
        p.stack_name("evil", "module") + b")R",
        p.stack_name("evil", "__pyx_unpickle_Pipe") + LEMMATIZER + b"K\x01N\x87R",
        component(state=b"}"),
        component(cls=p.short("os")),
        component(cls=p.stack_name("evil", "module") + b")R"),
    ],
)
def test_an_attribute_of_what_a_function_chose_is_unsafe(owner):
    """A function nobody knows might return a module."""
    assert outcome(attribute(owner, "system")) == "unsafe"


def test_a_dangerous_class_stays_one():
    assert outcome(component(cls=p.stack_name("os", "system"))) == "unsafe"
