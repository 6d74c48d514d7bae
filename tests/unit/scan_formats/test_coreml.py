"""Core ML models and packages: layers are data, custom parts and files elsewhere are not."""

from __future__ import annotations

import json

import coremlbytes as ml
import model_files
import pytest
from protobytes import field, message

from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file


def scan(data, name="model.mlmodel"):
    return scan_file(BytesReading(data), name)


def rules(data, name="model.mlmodel"):
    return {finding.rule for finding in scan(data, name).findings}


@pytest.mark.parametrize("name", model_files.GOOD["coreml"])
def test_good_files_are_clean(name):
    result = scan(model_files.GOOD["coreml"][name], name)
    assert (result.format, result.outcome) == ("coreml", "clean")


def test_models_and_weights_are_recognised_by_content():
    assert scan(ml.network(), "x.bin").format == "coreml"
    assert scan(ml.program("@model_path/../../x"), "x.bin").outcome == "unsafe"
    assert scan(ml.blobs(), "x.bin").format == "coreml"


def test_custom_layers_models_and_operations_are_unverified():
    assert rules(ml.network(message((1, "l"), (500, message((10, "MyLayer")))))) == {"coreml-custom"}
    assert rules(ml.model((555, message((10, "MyModel"))))) == {"coreml-custom"}
    assert rules(ml.model((3000, message((1, "id"), (2, b"opaque"))))) == {"coreml-custom"}
    assert rules(ml.program(operation="call_home")) == {"coreml-custom"}


def test_a_custom_layer_in_a_pipeline_in_a_pipeline_is_seen():
    inner = ml.network(message((1, "l"), (500, message((10, "MyLayer")))))
    pipeline = ml.model((202, message((1, inner))))
    assert rules(ml.model((200, message((1, message((1, pipeline))))))) == {"coreml-custom"}


@pytest.mark.parametrize("path", ["/etc/passwd", "@model_path/../../secret", "../x", "@model_path//etc", "C:\\x", ""])
def test_weights_elsewhere_are_unsafe(path):
    assert "coreml-path" in rules(ml.program(path))


def test_linked_models_are_unverified_and_unsafe_where_they_lead_away():
    def linked(name):
        return ml.model((556, message((1, message((1, message((1, name))))))))

    assert rules(linked("other")) == {"coreml-linked"}
    assert scan(linked("../../other")).outcome == "unsafe"


def test_items_of_a_package_must_lie_in_it():
    def manifest(path):
        return json.dumps({"fileFormatVersion": "1.0.0", "itemInfoEntries": {"a": {"path": path}}}).encode()

    assert scan(manifest("com.apple.CoreML/weights"), "a.mlpackage/Manifest.json").outcome == "clean"
    for path in ("../../etc", "/etc", 5):
        assert scan(manifest(path), "a.mlpackage/Manifest.json").outcome == "unsafe"
    assert scan(b'{"itemInfoEntries": ', "Manifest.json").outcome == "incomplete"


def test_blobs_must_lie_in_the_file():
    assert scan(ml.blobs(count=2)).outcome == "incomplete"
    assert scan(ml.blobs(size=10**9)).outcome == "incomplete"
    assert scan(ml.blobs(offset=0)).outcome == "incomplete"
    assert scan(ml.blobs(count=2**32 - 1)).outcome == "incomplete"


def test_damage_has_an_answer():
    data = ml.program()
    for at in range(1, len(data)):
        scan(data[:at])
        scan(data[:at] + b"\xff" + data[at + 1 :])
    assert scan(data + field(9, "hidden")).outcome == "unverified"
    assert scan(data[:-1]).outcome == "incomplete"
