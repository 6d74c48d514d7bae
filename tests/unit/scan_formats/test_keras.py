"""Keras: every published way to code through a configuration is found in every carrier; Keras' own parts are clean."""

from __future__ import annotations

import json
import random

import hdf5_files
import keras_files as made
import model_files
import pytest

from modelsign import limits
from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file

thing, function, dense, sequential = made.thing, made.function, made.dense, made.sequential
LAMBDA = thing("Lambda", {"function": thing("__lambda__", {"code": made.BYTECODE, "defaults": None, "closure": None})})
OLD_LAMBDA = {"class_name": "Lambda", "config": {"function": [made.BYTECODE, None, None], "function_type": "lambda"}}
COMPILED = {"optimizer": "adam", "loss": function("system", "os"), "metrics": None}

UNSAFE = {
    "CVE-2024-3660 Lambda layer": (sequential(LAMBDA), "keras-lambda"),
    "CVE-2024-3660 Lambda layer of Keras 2": (sequential(OLD_LAMBDA), "keras-lambda"),
    "Lambda inside a wrapper": (sequential(thing("TimeDistributed", {"layer": LAMBDA})), "keras-lambda"),
    "Lambda inside a nested model": (sequential(sequential(sequential(LAMBDA))), "keras-lambda"),
    "Lambda under another package": (sequential(thing("Custom>Lambda", LAMBDA["config"], None)), "keras-lambda"),
    "bytecode as an output shape": (
        sequential(
            thing("Lambda", {"function": "relu", "output_shape": ["YQ==", None], "output_shape_type": "lambda"})
        ),
        "keras-lambda",
    ),
    "bytecode as an activation": (sequential(dense(activation=thing("__lambda__", {"value": "YQ=="}))), "keras-lambda"),
    "bytecode as a mark": (sequential(dense(activation={"__lambda__": "YQ=="})), "keras-lambda"),
    "function that is no name": (sequential(dense(activation=function(["YQ=="]))), "keras-lambda"),
    "CVE-2025-1550 function of any module": (sequential(dense(activation=function("system", "os"))), "keras-function"),
    "CVE-2025-1550 class of any module": (sequential(thing("Popen", {"args": "true"}, "subprocess")), "keras-function"),
    "CVE-2025-1550 in compile_config": (sequential(dense(), compile_config=COMPILED), "keras-function"),
    "CVE-2025-1550 in build_config": (
        sequential(dense(), build_config={"x": function("run", "subprocess")}),
        "keras-function",
    ),
    "CVE-2025-8747 get_file": (
        sequential(thing("Lambda", {"function": function("get_file", "keras.utils"), "arguments": {"origin": "x"}})),
        "keras-function",
    ),
    "CVE-2025-8747 inner module": (
        sequential(thing("Lambda", {"function": function("get_file", "keras.src.utils.file_utils")})),
        "keras-function",
    ),
    "CVE-2025-8747 load_model": (
        sequential(dense(activation=function("load_model", "keras.models"))),
        "keras-function",
    ),
    "CVE-2025-9906 switch": (
        sequential(dense(activation=function("enable_unsafe_deserialization", "keras.config"))),
        "keras-function",
    ),
    "CVE-2025-49655 TorchModuleWrapper": (
        sequential(thing("TorchModuleWrapper", {"module": "YQ=="})),
        "keras-loading-layer",
    ),
    "CVE-2026-1462 TFSMLayer": (sequential(thing("TFSMLayer", {"filepath": "/tmp/x"})), "keras-loading-layer"),
    "CVE-2026-12481 safe_mode is null": (sequential(dense(safe_mode=None)), "keras-safe-mode"),
    "CVE-2025-12058 vocabulary file": (
        sequential(thing("StringLookup", {"vocabulary": "/etc/passwd"})),
        "keras-vocabulary-path",
    ),
    "CVE-2025-12058 vocabulary URL": (
        sequential(thing("IntegerLookup", {"vocabulary": "https://example.org/x"})),
        "keras-vocabulary-path",
    ),
    "CVE-2025-12058 inside TextVectorization": (
        sequential(thing("TextVectorization", {"vocabulary": "/etc/passwd"})),
        "keras-vocabulary-path",
    ),
    "operator of TensorFlow that writes": (
        sequential(thing("TFOpLambda", {"function": "io.write_file"}, None)),
        "keras-function",
    ),
}
UNVERIFIED = {
    "own layer": sequential(thing("Mine", {}, "my.layers", registered_name="my>Mine")),
    "own layer of Keras 2": sequential({"class_name": "Mine", "config": {}}),
    "own function": sequential(dense(activation=function("mine"))),
    "own function by path": sequential(dense(activation=function("mine", "my.activations"))),
    "own class behind a known name": sequential(dense() | {"registered_name": "my>Dense"}),
    "known name in another module": sequential(thing("Dense", {}, "my.layers")),
    "layer that calls what it is given": sequential(thing("JaxLayer", {"call_fn": function("mine")})),
    "type of the author's": sequential(thing("__typespec__", [], "my", spec_name="Mine")),
    "function of another library": sequential(dense(activation=function("abs", "numpy"))),
    "operator nobody reviewed": sequential(thing("TFOpLambda", {"function": "map_fn"}, None)),
}
CLEAN = {
    "Keras 3": sequential(
        dense(), compile_config={"optimizer": thing("Adam", {"learning_rate": 0.1}, "keras.optimizers")}
    ),
    "Keras 2": {
        "class_name": "Functional",
        "keras_version": "2.15.0",
        "config": {"layers": [{"class_name": "Dense", "config": {"units": 1, "activation": "relu"}, "name": "d"}]},
    },
    "operation on tensors": sequential(
        thing("GetItem", {"name": "get_item"}, "keras.src.ops.numpy", registered_name="GetItem")
    ),
    "cells": sequential(thing("StackedRNNCells", {"cells": [thing("GRUCell", {"units": 2}), thing("LSTMCell", {})]})),
    "function of Keras": sequential(dense(activation=function("gelu", "keras.activations"))),
    "function of Keras by name": sequential(
        dense(activation=thing("function", "relu", "builtins", registered_name="relu"))
    ),
    "named function in a Lambda": sequential(thing("Lambda", {"function": function("relu"), "arguments": {}})),
    "vocabulary in the model": sequential(thing("StringLookup", {"vocabulary": ["a", "b"], "vocabulary_size": 3})),
    "tensors as arguments": sequential(
        thing("__keras_tensor__", {"shape": [None, 3], "keras_history": ["d", 0, 0]}, None)
    ),
    "operator of TensorFlow": sequential({"class_name": "TFOpLambda", "config": {"function": "math.reduce_mean"}}),
    "type of TensorFlow": sequential(thing("__typespec__", [], "tensorflow", spec_name="TensorSpec")),
}
CARRIERS = {
    "archive": lambda config: (made.keras(config), "m.keras"),
    "file": lambda config: (made.old(config), "m.h5"),
    "training": lambda config: (made.old(sequential(dense()), config), "m.h5"),
    "json": lambda config: (json.dumps(config).encode(), "architecture.json"),
    "escaped json": lambda config: (json.dumps(config).replace("class_", "\\u0063lass_").encode(), "any.bin"),
    "file behind a block": lambda config: (bytes(512) + made.old(config), "m.bin"),
}


def scan(data, name="model.keras", **options):
    return scan_file(BytesReading(data), name, **options)


def rules(result):
    return {finding.rule for finding in result.findings}


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("case", UNSAFE)
def test_code_in_a_configuration_is_unsafe_in_every_carrier(case, carrier):
    config, rule = UNSAFE[case]
    result = scan(*CARRIERS[carrier](config))
    assert (result.outcome, result.format) == ("unsafe", "keras")
    assert rule in rules(result)


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("case", UNVERIFIED)
def test_what_is_not_keras_own_is_unverified(case, carrier):
    result = scan(*CARRIERS[carrier](UNVERIFIED[case]))
    assert (result.outcome, rules(result)) == ("unverified", {"keras-custom-object"})


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("case", CLEAN)
def test_keras_own_parts_are_clean(case, carrier):
    result = scan(*CARRIERS[carrier](CLEAN[case]))
    assert (result.outcome, result.findings, result.format) == ("clean", (), "keras")


def test_an_own_layer_can_be_trusted_by_its_name():
    own = sequential(thing("Mine", {}, "my.layers", registered_name="my>Mine"))
    trusted = frozenset({"my.layers.Mine", "my>Mine"})
    assert scan(made.keras(own), trust_globals=trusted).outcome == "clean"
    assert scan(made.keras(UNSAFE["CVE-2025-1550 class of any module"][0]), trust_globals=trusted).outcome == "unsafe"


def test_weights_and_assets_beside_the_configuration_are_scanned():
    model = sequential(dense())
    outside = hdf5_files.hdf5(hdf5_files.external("w", "/etc/passwd"))
    assert "hdf5-external-file" in rules(scan(made.keras(model, {"model.weights.h5": outside})))
    assert "pickle-execute" in rules(scan(made.keras(model, {"assets/x.bin": model_files.EVIL})))
    assert scan(made.keras(model, {"assets/lookup/vocabulary.txt": b"a\nb\n"})).outcome == "clean"


def test_a_configuration_of_an_archive_is_judged_whatever_it_looks_like():
    assert scan(made.keras(sequential(), {"config.json": b"no JSON"})).outcome == "incomplete"


def test_a_model_that_is_an_hdf5_file_and_an_archive_is_ambiguous_and_both_are_read():
    both = made.old(sequential(dense())) + made.keras(sequential(LAMBDA))
    assert {"ambiguous-format", "keras-lambda"} <= rules(scan(both))
    both = made.old(sequential(LAMBDA)) + model_files.archive({"x.bin": model_files.EVIL})
    assert {"ambiguous-format", "keras-lambda", "pickle-execute"} <= rules(scan(both))
    both = hdf5_files.hdf5(hdf5_files.external("w")) + made.keras(sequential(dense()))
    assert {"ambiguous-format", "hdf5-external-file"} <= rules(scan(both))


def test_every_attribute_of_a_name_counts_because_loaders_find_the_first():
    texts = [
        hdf5_files.text("model_config", json.dumps(config).encode()) for config in (sequential(LAMBDA), sequential())
    ]
    for order in (texts, texts[::-1]):
        assert "keras-lambda" in rules(scan(hdf5_files.hdf5(*order)))


def test_a_configuration_beyond_the_limit_is_beyond_the_budget(monkeypatch):
    monkeypatch.setattr(limits, "SCAN_JSON_BYTES", 20)
    assert "budget-exceeded" in rules(scan(made.keras(sequential(dense()))))
    assert "broken-format" in rules(scan(made.old(sequential(dense()))))


def test_other_documents_are_left_to_the_reader_of_json():
    for data in (b'{"model_type": "bert"}', b'{"vocab": {"class_name": 7}}', b'[1, "\\u0041"]'):
        assert scan(data, "config.json").format == "json"


def test_any_damage_has_an_answer():
    chance = random.Random(5)
    samples = [made.old(sequential(LAMBDA)), made.keras(sequential(dense())), json.dumps(sequential(LAMBDA)).encode()]
    for data in samples:
        for _ in range(120):
            changed = bytearray(data)
            changed[chance.randrange(len(changed))] = chance.randrange(256)
            scan(bytes(changed[: chance.randrange(len(changed) + 1)] if chance.random() < 0.3 else changed))


@pytest.mark.parametrize(
    "value", [None, 1, "x", [], [[]], {}, {"class_name": 1}, {"class_name": "Lambda"}, {"class_name": ""}]
)
def test_odd_values_in_every_place_have_an_answer(value):
    for name in ("Lambda", "TFOpLambda", "StringLookup", "function", "__typespec__", "Dense", "__lambda__"):
        for node in (thing(name, value), thing(name, {"function": value, "vocabulary": value}), thing(name, {}, value)):
            node["registered_name"] = value
            scan(made.keras(sequential(node)))
