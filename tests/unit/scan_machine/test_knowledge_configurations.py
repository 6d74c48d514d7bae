"""OmegaConf's configurations in checkpoints are clean, as long as what loading asks of their metadata is theirs."""

from __future__ import annotations

import collections
import pickle
import sys
import types
import typing

import pytest

from modelsign.artifact.reading import BytesReading
from modelsign.scan.pickles import scan_pickle
from modelsign.verdict import Outcome

PLACES = {
    "DictConfig": "omegaconf.dictconfig",
    "ListConfig": "omegaconf.listconfig",
    "ContainerMetadata": "omegaconf.base",
    "Metadata": "omegaconf.base",
    "AnyNode": "omegaconf.nodes",
}


@pytest.fixture
def omegaconf(monkeypatch):
    """Stand-ins with the names of OmegaConf's classes: what is pickled of them is the same."""
    made = {}
    monkeypatch.setitem(sys.modules, "omegaconf", types.ModuleType("omegaconf"))
    for name, place in PLACES.items():
        module = sys.modules.get(place) or types.ModuleType(place)
        monkeypatch.setitem(sys.modules, place, module)
        made[name] = type(name, (), {"__module__": place})
        setattr(module, name, made[name])
    return types.SimpleNamespace(**made)


def made(cls, **state):
    one = cls()
    vars(one).update(state)
    return one


def outcomes(value, protocol=2):
    return {one.outcome for one in scan_pickle(BytesReading(pickle.dumps(value, protocol))).findings}


def configuration(omegaconf, metadata=None):
    kept = metadata or made(omegaconf.ContainerMetadata, ref_type=typing.Any, key_type=typing.Any, object_type=dict)
    whole = made(omegaconf.DictConfig, _metadata=kept, _parent=None, _flags_cache=None)
    value = made(omegaconf.AnyNode, _metadata=made(omegaconf.Metadata, ref_type=typing.Any), _val="${a}")
    inner = made(omegaconf.ListConfig, _metadata=kept, _parent=whole, _content=[value])
    vars(whole)["_content"] = {"a": value, "b": inner}
    vars(value)["_parent"] = whole
    return whole


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_configuration_is_clean(omegaconf, protocol):
    assert outcomes({"hyper_parameters": configuration(omegaconf), "epoch": 1}, protocol) == set()


def test_a_configuration_in_the_place_of_metadata_would_be_looked_up(omegaconf):
    inner = configuration(omegaconf)
    assert outcomes(configuration(omegaconf, inner)) == {Outcome.UNVERIFIED}


@pytest.mark.parametrize("metadata", [collections.Counter("a"), "text", [1]])
def test_metadata_are_nothing_else(omegaconf, metadata):
    assert outcomes(configuration(omegaconf, metadata)) == {Outcome.UNVERIFIED}


def test_a_state_that_was_there_before_is_not_followed():
    data = b"\x80\x02(}q\x00comegaconf.dictconfig\nDictConfig\n)\x81h\x00bl."
    assert {one.outcome for one in scan_pickle(BytesReading(data)).findings} == {Outcome.UNVERIFIED}


def test_kinds_of_types_are_named_and_not_called():
    assert outcomes([typing.Any, typing.Dict, typing.Optional]) == set()  # noqa: UP006 - that name is meant
    data = b"\x80\x02ctyping\nAny\n)R."
    assert {one.outcome for one in scan_pickle(BytesReading(data)).findings} == {Outcome.UNVERIFIED}
    data = b"\x80\x02ctyping\nget_type_hints\n)R."
    assert {one.outcome for one in scan_pickle(BytesReading(data)).findings} == {Outcome.UNSAFE}
