"""TorchServe archives: the handler that the manifest names is judged, and what it lists to install is told."""

from __future__ import annotations

import pytest
from packed_files import served

from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file


def scan(data):
    return scan_file(BytesReading(data), "model.mar")


def rules(result):
    return {finding.rule for finding in result.findings}


@pytest.mark.parametrize("handler", ["image_classifier", "text_classifier"])
def test_a_handler_of_torchserve_is_clean(handler):
    assert (scan(served(handler)).outcome, scan(served(handler)).format) == ("clean", "torchserve")


@pytest.mark.parametrize("handler", ["handler.py", "handler.py:entry", "os:system", "custom"])
def test_another_handler_is_unverified(handler):
    assert scan(served(handler, {"notes.json": b"{}"})).outcome == "unverified"
    assert "torchserve-handler" in rules(scan(served(handler)))


def test_a_handler_that_runs_a_command_on_import_is_unsafe():
    result = scan(served("handler.py", {"handler.py": b"import os\nos.system('true')\n"}))
    assert result.outcome == "unsafe"


def test_packages_to_install_are_told():
    assert "torchserve-packages" in rules(scan(served(requirementsFile="requirements.txt")))


@pytest.mark.parametrize("data", [b"{", b"[]", b"{}", b'{"model": {"handler": 5}}'])
def test_a_manifest_that_cannot_be_read_is_incomplete(data):
    assert "torchserve-manifest" in rules(scan(served(extra={"MAR-INF/MANIFEST.json": data})))
