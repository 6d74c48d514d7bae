"""OpenVINO and PMML: XML without entities, layers and functions by list."""

from __future__ import annotations

import model_files
import pytest
import xmlbytes as xb

from modelsign import limits
from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file


def scan(data, name="model.xml"):
    return scan_file(BytesReading(data), name)


def rules(data, name="model.xml"):
    return {finding.rule for finding in scan(data, name).findings}


@pytest.mark.parametrize("kind", ["openvino", "pmml"])
def test_good_documents_are_clean_under_any_name(kind):
    for name, data in model_files.GOOD[kind].items():
        for called in (name, "x.bin"):
            result = scan(data, called)
            assert (result.format, result.outcome) == (kind, "clean"), (name, called)


@pytest.mark.parametrize(("kind", "version"), [("Mine", "opset1"), ("ReLU", "extension"), ("ReLU", ""), ("", "opset1")])
def test_layers_of_extensions_are_unverified(kind, version):
    assert rules(xb.openvino(kind, version)) == {"openvino-layer-unknown"}


@pytest.mark.parametrize(
    "place", ['offset="-1" size="4"', 'offset="x"', f'offset="{2**63 - 1}" size="9"', 'offset="²"']
)
def test_places_in_the_numbers_must_be_sizes(place):
    assert rules(xb.openvino(data=f"<data {place}/>")) == {"openvino-place"}


def test_functions_are_built_in_or_defined():
    assert rules(xb.pmml("java.lang.Runtime"), "a.pmml") == {"pmml-function-unknown"}
    assert scan(xb.pmml("mine", '<DefineFunction name="mine" optype="continuous"/>'), "a.pmml").outcome == "clean"


def test_data_elsewhere_is_unverified():
    for extra in ("<TableLocator/>", '<Interval xlink:href="x" xmlns:xlink="http://www.w3.org/1999/xlink"/>'):
        assert rules(xb.pmml(extra=extra)) == {"pmml-elsewhere"}


BOMB = '<!DOCTYPE {0} [<!ENTITY a "b"><!ENTITY c "&a;&a;&a;&a;">]>'
XXE = '<!DOCTYPE {0} [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
PARAMETER = '<!DOCTYPE {0} [<!ENTITY % p SYSTEM "http://example.org/x.dtd"> %p;]>'
ELSEWHERE = '<!DOCTYPE {0} SYSTEM "http://example.org/x.dtd">'


@pytest.mark.parametrize("doctype", [BOMB, XXE, PARAMETER, ELSEWHERE])
def test_entities_and_document_types_elsewhere_are_unsafe(doctype):
    assert "xml-entity" in rules(xb.openvino(head=doctype.format("net")))
    assert scan(xb.pmml(head=doctype.format("PMML")), "x.bin").outcome == "unsafe"


def test_a_stylesheet_is_unverified():
    assert rules(xb.pmml(head='<?xml-stylesheet href="x.xsl"?>')) == {"xml-instruction"}


def test_damage_and_depth_are_incomplete(monkeypatch):
    assert scan(xb.openvino()[:-9]).outcome == "incomplete"
    assert scan(b"<net/>").outcome == "incomplete"
    assert scan(b"<html></html>", "a.pmml").outcome == "incomplete"
    assert "budget-exceeded" in rules(b"<net>" + b"<layer>" * limits.XML_DEPTH)
    monkeypatch.setattr(limits, "XML_BYTES", 10)
    assert rules(xb.openvino()) == {"budget-exceeded"}


@pytest.mark.parametrize("begin", [b'<a b="', b"<!--"])
def test_a_tag_or_comment_that_is_held_as_a_whole_is_bounded(begin):
    data = model_files.GOOD["pmml"]["model.pmml"]
    before, _, behind = data.partition(b"<Header")
    end = b'"/>' if begin.startswith(b"<a") else b"-->"

    def padded(size: int) -> bytes:
        return before + begin + b"c" * size + end + b"<Header" + behind

    assert "budget-exceeded" not in rules(padded(limits.XML_TAG_BYTES // 2), "model.pmml")
    result = scan(padded(limits.XML_TAG_BYTES * 2), "model.pmml")
    assert "budget-exceeded" in {finding.rule for finding in result.findings}
    assert result.outcome == "incomplete"


def test_other_encodings_are_read_and_unknown_ones_are_damage():
    text = xb.openvino("Mine").decode().replace('"1.0"', '"1.0" encoding="utf-16"')
    assert rules(text.encode("utf-16")) == {"openvino-layer-unknown"}
    assert scan(xb.pmml(head='<?xml version="1.0" encoding="nope"?>'), "a.pmml").outcome == "incomplete"


def test_other_documents_are_unsupported():
    assert scan(b"<?xml version='1.0'?><note/>").outcome == "unsupported"
