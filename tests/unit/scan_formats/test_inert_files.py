"""Inert files: strict JSON without code in it and text on a closed list; nothing else counts as inert."""

from __future__ import annotations

import json

import model_files
import pytest

from modelsign import limits
from modelsign.artifact.reading import BytesReading
from modelsign.errors import ModelsignError
from modelsign.scan import tables
from modelsign.scan.engine import scan_file
from modelsign.scan.tables import table


def scan(data, name):
    return scan_file(BytesReading(data if isinstance(data, bytes) else json.dumps(data).encode()), name)


@pytest.mark.parametrize("kind", ["json", "text", "empty"])
def test_good_files_are_clean_and_not_loadable(kind):
    for name, data in model_files.GOOD[kind].items():
        result = scan(data, name)
        assert (result.outcome, result.format, result.loadable) == ("clean", kind, False), name


CODE_KEYS = [row for row in table("inert")["keys"] if row["kind"] == "code"]


@pytest.mark.parametrize("row", CODE_KEYS, ids=lambda row: row["key"])
@pytest.mark.parametrize("wrap", [lambda row: row, lambda row: {"a": [{"b": row}]}], ids=["top", "deep"])
def test_each_code_bearing_key_is_found_at_any_depth(row, wrap):
    result = scan(wrap({row["key"]: "some.thing"}), "config.json")
    wanted = (
        ("unsafe", "config-dangerous-reference") if row["key"] == "py/repr" else ("unverified", "json-code-reference")
    )
    assert (result.outcome, result.loadable) == (wanted[0], True)
    assert [finding.rule for finding in result.findings if finding.rule != "notebook-code"] == [wanted[1]]


BERT = {"base_model_class": "BertForMaskedLM", "parent_library": "transformers.models.bert.modeling_bert"}


def test_an_adapter_names_its_model_among_those_of_transformers():
    assert scan({"auto_mapping": BERT, "peft_type": "LORA"}, "adapter_config.json").outcome == "clean"


@pytest.mark.parametrize(
    "changed",
    [
        {"parent_library": "modeling_mine"},
        {"parent_library": "transformers.models.bert.modeling_bert.os"},
        {"parent_library": "transformers.models.auto.auto_factory"},
        {"parent_library": "transformers_modules.bert.modeling_bert"},
        {"parent_library": "transformers.models.bert.modeling_bert\n"},
        {"base_model_class": "load_tf_weights_in_bert"},
        {"base_model_class": "BertForMaskedLM.__init__"},
        {"base_model_class": ["BertForMaskedLM"]},
        {"more": 1},
    ],
)
def test_an_adapter_that_names_anything_else_is_not_clean(changed):
    result = scan({"auto_mapping": BERT | changed}, "adapter_config.json")
    (finding,) = result.findings
    assert finding.rule in {"json-code-reference", "config-dangerous-reference"}


@pytest.mark.parametrize("value", [None, False, "", [], {}, 0, 5, 2.5])
def test_a_key_that_names_nothing_is_no_finding(value):
    assert scan({"auto_map": value}, "config.json").outcome == "clean"


def test_a_key_that_is_switched_on_is_a_finding():
    assert scan({"trust_remote_code": True}, "config.json").outcome == "unverified"


def test_every_entry_of_the_table_names_its_source():
    inert = table("inert")
    assert all(row["source"] for part in ("text", "keys", "modules") for row in inert[part])


def module(kind):
    return [{"idx": 0, "name": "0", "path": "", "type": kind}]


def test_modules_of_sentence_transformers_itself_are_clean():
    assert scan(module("sentence_transformers.models.Transformer"), "modules.json").outcome == "clean"


def test_a_module_type_that_runs_programs_is_unsafe():
    assert scan(module("os.system"), "modules.json").outcome == "unsafe"


@pytest.mark.parametrize("kind", ["custom_module.X", 5, ["a"], None])
def test_any_other_module_type_is_unverified(kind):
    assert scan(module(kind), "modules.json").outcome == "unverified"


@pytest.mark.parametrize(
    "data", [b"{", b"", b"{} {}", b'{"a":1,"a":2}', b'{"a": nan}', b"\xff{}", b"[" * 100 + b"]" * 100, b"nonsense"]
)
def test_a_json_file_that_is_not_strict_json_is_not_clean(data):
    result = scan(data, "config.json")
    if data:
        assert result.outcome == "incomplete"
        assert {finding.rule for finding in result.findings} >= {"broken-format"}


def test_a_json_file_beyond_the_limit_is_incomplete(monkeypatch):
    monkeypatch.setattr(limits, "SCAN_JSON_BYTES", 100)
    # the tables are read with the same limit, and already are
    assert [finding.rule for finding in scan(b'{"a": "' + b"x" * 200 + b'"}', "a.json").findings] == ["budget-exceeded"]


def test_json_is_recognised_by_content_under_any_name():
    assert scan(b' \n{"a": 1}', "model.bin").format == "json"


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("stub.pyi", "python"),
        ("tool.lua", "script"),
        ("a/b.PYX", "python"),
    ],
)
def test_a_name_that_stands_for_code_adds_a_reading_whatever_the_bytes(name, word):
    for data in (b"{}", b"import os\n", b""):
        result = scan(data, name)
        assert result.outcome == "unsupported", data
        assert result.loadable
        assert "unsupported-format" in {finding.rule for finding in result.findings}
        assert result.format == word


def test_a_notebook_by_content_is_not_inert():
    assert scan({"cells": [{"source": "import os"}], "nbformat": 4}, "data.bin").outcome == "unverified"


@pytest.mark.parametrize("data", [b"\xff\xfea", b"a\0b", b"\x1b[2Jhello", b"h\0i\0", b"\xfe\xff\0\1"])
def test_text_with_control_characters_is_not_inert(data):
    assert scan(data, "README.md").outcome == "unsupported"


def test_text_under_another_name_is_unsupported_and_named():
    result = scan(b"some words\n", "notes.abc")
    assert (result.outcome, result.format) == ("unsupported", "text")


def test_long_text_is_read_to_its_end():
    long = "grüße\n".encode() * 200_000
    assert scan(long, "vocab.txt").outcome == "clean"
    assert scan(long + b"\0", "vocab.txt").outcome == "unsupported"


def test_a_pickle_under_a_name_of_text_is_judged():
    assert scan(model_files.EVIL, "README.md").outcome == "unsafe"
    assert scan(model_files.EVIL_TEXT, "README.md").outcome == "unsafe"


def test_a_missing_table_is_an_error(monkeypatch, tmp_path):
    monkeypatch.setattr(tables, "_FOLDER", tmp_path)
    with pytest.raises(ModelsignError) as caught:
        table("no such table")
    assert caught.value.code == "RULESET_UNREADABLE"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("name", ["README.md", "labels.txt", "notes.txt", "table.csv", "LICENSE"])
def test_text_is_inert_in_the_encodings_and_with_the_line_ends_of_ordinary_systems(name, ends, encoding):
    result = scan(ends.join(["grüße", "welt", ""]).encode(encoding), name)
    assert (result.outcome, result.format, result.loadable) == ("clean", "text", False)


NUMBERS = b'{"loss": NaN, "best": [Infinity, -Infinity, 1e999]}'


def test_numbers_that_python_writes_into_json_are_numbers():
    assert scan(NUMBERS, "trainer_state.json").outcome == "clean"


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"])
def test_a_document_with_a_byte_order_mark_is_read_by_every_reader(mark):
    encoding = {b"\xef": "utf-8", b"\xff": "utf-16-le", b"\xfe": "utf-16-be"}[mark[:1]]
    assert scan(mark + '{"a": 1}'.encode(encoding), "config.json").outcome == "clean"
    evil = json.dumps({"_target_": "os.system"})
    result = scan(mark + evil.encode(encoding), "config.bin")
    assert (result.outcome, [finding.rule for finding in result.findings]) == ("unsafe", ["config-dangerous-reference"])
    assert scan(mark + b"{", "config.json").outcome == "incomplete"


@pytest.mark.parametrize("member", ["keras", "mxnet", "paddle", "notebook"])
def test_no_reader_of_json_is_lost_by_a_number_that_is_none(member):
    """A reader that gave up at NaN would leave the document to the one that takes it for inert."""
    for name, data in {**model_files.GOOD[member], **model_files.BAD[member]}.items():
        if data.lstrip()[:1] == b"{":
            before = scan(data, name)
            after = scan(data.rstrip()[:-1] + b', "zz": NaN}', name)
            assert after.outcome == before.outcome
            assert {finding.rule for finding in after.findings} == {finding.rule for finding in before.findings}


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        ("sdpa", "clean"),
        ("flash_attention_2", "clean"),
        ("paged|eager", "clean"),
        (None, "clean"),
        ({"text_config": "eager", "vision_config": "sdpa"}, "clean"),
        ("kernels-community/flash-attn3", "unverified"),
        ("paged|kernels-community/flash-attn3", "unverified"),
        ("somebody/kernel", "unsafe"),
        ("paged|somebody/kernel:attention", "unsafe"),
        ({"text_config": "somebody/kernel"}, "unsafe"),
    ],
)
@pytest.mark.parametrize("key", ["attn_implementation", "_attn_implementation_internal"])
def test_cve_2026_4372_a_configuration_may_not_have_kernels_downloaded(key, value, outcome):
    document = json.dumps({"model_type": "llama", "parts": {key: value}}).encode()
    assert scan_file(BytesReading(document), "config.json").outcome == outcome
