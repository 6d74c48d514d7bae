"""GGUF: sizes are checked as loaders should have checked them, and chat templates in the metadata are read."""

from __future__ import annotations

import random

import chat_templates
import ggufbytes
import model_files
import pytest
from ggufbytes import ARRAY, F32, FLOAT32, Q4_0, STRING, UINT8, UINT32, gguf

from modelsign import limits
from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file
from modelsign.scan.tables import table


def scan(data, name="model.gguf"):
    return scan_file(BytesReading(data), name)


def rules(data):
    return {finding.rule for finding in scan(data).findings}


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("order", ["<", ">"])
def test_every_version_and_byte_order_is_read(version, order):
    result = scan(gguf(version=version, order=order))
    assert (result.outcome, result.format, result.findings) == ("clean", "gguf", ())


@pytest.mark.parametrize("name", chat_templates.ORDINARY)
def test_an_ordinary_chat_template_is_clean(name):
    assert scan(gguf(template=chat_templates.ORDINARY[name])).outcome == "clean"


@pytest.mark.parametrize("name", chat_templates.ESCAPES)
def test_a_template_that_reaches_for_internals_is_unsafe(name):
    """CVE-2024-34359: llama-cpp-python rendered such templates outside a sandbox."""
    result = scan(gguf(template=chat_templates.ESCAPES[name]), "weights.bin")
    assert (result.outcome, result.format) == ("unsafe", "gguf")
    assert result.findings[0].member == "tokenizer.chat_template"


def test_every_named_template_is_read():
    entries = [("tokenizer.chat_template.tool_use", STRING, "{{ x.__class__ }}")]
    assert scan(gguf(entries)).findings[0].member == "tokenizer.chat_template.tool_use"


OVERFLOWS = {
    "CVE-2025-53630 the sum of sizes": gguf(
        tensors=[("a", (2**61, 1), F32, 0), ("b", (2**60 - 8,), F32, 2**63 - 2**32)], data=b""
    ),
    "CVE-2026-27940 the sum of padded sizes": gguf(
        tensors=[("a", (2**60, 1), F32, 0), ("b", (2**60 - 8,), F32, 2**62)], data=b""
    ),
    "CVE-2024-21802 the shape": gguf(tensors=[("a", (2**32, 2**32), F32, 0)]),
    "CVE-2024-21836 the number of tensors": gguf(counts=(2**62, 0)),
    "CVE-2024-23605 the number of entries": gguf(counts=(0, 2**62)),
    "CVE-2024-23496 the length of a text": b"GGUF\3\0\0\0" + bytes(8) + b"\1" + bytes(7) + b"\xff" * 8 + b"key",
    "CVE-2024-21825 the length of a list": gguf(counts=(0, 1), entries=[])[:24]
    + ggufbytes.Writer().text("k")
    + b"\x09\0\0\0\x0c\0\0\0"
    + b"\xff" * 7
    + b"\x0f",
    "a negative dimension": gguf(tensors=[("a", (2**64 - 1,), F32, 0)]),
    "an immense offset": gguf(tensors=[("a", (1,), F32, 2**64 - 32)]),
}


@pytest.mark.parametrize("case", OVERFLOWS)
def test_sizes_that_overflow_are_unsafe(case):
    result = scan(OVERFLOWS[case])
    assert result.outcome == "unsafe"
    assert "gguf-overflow" in {finding.rule for finding in result.findings}


LAYOUTS = {
    "CVE-2026-7482 a shape beyond the file": gguf(tensors=[("a", (1000,), F32, 0)]),
    "overlap": gguf(tensors=[("a", (8,), F32, 0), ("b", (8,), F32, 0)], data=bytes(32)),
    "hole": gguf(tensors=[("a", (8,), F32, 0), ("b", (8,), F32, 64)], data=bytes(96)),
    "not aligned": gguf(tensors=[("a", (8,), F32, 0), ("b", (8,), F32, 36)], data=bytes(68)),
    "trailing bytes": gguf() + bytes(32),
    "trailing bytes without tensors": gguf(tensors=[], data=bytes(64)),
    "half a block": gguf(tensors=[("a", (31,), Q4_0, 0)], data=bytes(32)),
    "alignment of none": gguf([("general.alignment", UINT32, 0)]),
    "alignment of three": gguf([("general.alignment", UINT32, 3)]),
    "alignment of a gigabyte": gguf([("general.alignment", UINT32, 2**30)]),
}


@pytest.mark.parametrize("case", LAYOUTS)
def test_tensors_that_do_not_fill_the_file_are_incomplete(case):
    assert rules(LAYOUTS[case]) == {"gguf-layout"}
    assert scan(LAYOUTS[case]).outcome == "incomplete"


HEADERS = {
    "duplicate key": gguf([("a", UINT8, 1), ("a", UINT8, 2)]),
    "duplicate long key": gguf([("a" * 300, UINT8, 1), ("a" * 300, UINT8, 2)]),
    "duplicate tensor": gguf(tensors=[("a", (8,), F32, 0), ("a", (8,), F32, 32)], data=bytes(64)),
    "empty key": gguf([("", UINT8, 1)]),
    "NUL in a key": gguf([("a\0b", UINT8, 1)]),
    "key that is no text": gguf([(b"\xff", UINT8, 1)]),
    "alignment as text": gguf([("general.alignment", STRING, "32")]),
    "unknown version": b"GGUF\x09\0\0\0" + gguf()[8:],
    "five dimensions": gguf(tensors=[("a", (1, 1, 1, 1, 1), F32, 0)]),
    "unknown type of a value": gguf(counts=(0, 1), entries=[])[:24] + ggufbytes.Writer().text("k") + b"\x63\0\0\0",
    "lists without end": gguf(
        [("k", ARRAY, (ARRAY, [(ARRAY, [(ARRAY, [(ARRAY, [(ARRAY, [(ARRAY, [(ARRAY, [(ARRAY, [])])])])])])])]))]
    ),
    "template that is no text": gguf([("tokenizer.chat_template", STRING, b"\xff\xfe")]),
    "more tensors than any model": gguf(counts=(limits.GGUF_TENSORS + 1, 0)),
}


@pytest.mark.parametrize("case", HEADERS)
def test_a_header_that_breaks_the_rules_is_incomplete(case):
    assert rules(HEADERS[case]) == {"gguf-header"}
    assert scan(HEADERS[case]).outcome == "incomplete"


def test_a_type_of_another_program_is_unverified():
    result = scan(gguf(tensors=[("a", (256,), 137, 0)], data=bytes(200)))
    assert [(finding.rule, finding.outcome) for finding in result.findings] == [("gguf-unknown-type", "unverified")]


def test_lists_of_lists_are_read():
    assert scan(gguf([("k", ARRAY, (ARRAY, [(UINT8, [1]), (STRING, ["a", "b"])]))])).outcome == "clean"


def test_long_vocabularies_are_stepped_over():
    words = [f"word{number}" * (1 + number % 3) for number in range(60_000)]
    assert (
        scan(gguf([*ggufbytes.MODEL, ("t", ARRAY, (STRING, words)), ("f", ARRAY, (FLOAT32, [0.5] * 9))])).outcome
        == "clean"
    )


def test_templates_beyond_the_budget_are_incomplete():
    entries = [(f"tokenizer.chat_template.{number}", STRING, f"{number}" + "x" * 300_000) for number in range(20)]
    assert rules(gguf(entries)) == {"budget-exceeded"}


def test_no_truncation_is_clean_or_raises():
    data = gguf(template=chat_templates.CHATML)
    for cut in range(1, len(data) - 31):
        assert scan(data[:cut]).outcome == "incomplete", cut


def test_flipped_bits_have_an_answer():
    data = gguf(template="{{ a }}")
    source = random.Random(11)
    for _ in range(1500):
        changed = bytearray(data)
        for _ in range(source.randrange(1, 4)):
            changed[source.randrange(len(data))] ^= 1 << source.randrange(8)
        assert scan(bytes(changed)).outcome in {"clean", "unverified", "incomplete", "unsafe", "unsupported"}


@pytest.mark.parametrize("mark", [b"lmgg", b"tjgg", b"fmgg", b"algg"])
def test_the_formats_before_gguf_are_named(mark):
    result = scan(mark + bytes(60), "model.bin")
    assert result.format == "ggml"
    assert result.outcome in {"unsupported", "incomplete"}


def test_a_name_without_the_format_is_incomplete():
    assert scan(b"\0" * 64).outcome == "incomplete"


def test_an_executable_that_carries_weights_is_no_model():
    """A llamafile is a program, a ZIP archive and a model in one."""
    carried = model_files.archive({"model.gguf": gguf()})
    assert scan(b"MZqFpD='\n" + bytes(55) + carried, "model.llamafile").outcome == "unsafe"
    assert scan(b"\x7fELF" + bytes(60) + carried, "model.gguf").outcome == "unsafe"
    assert scan(b"MZqFpD='\n" + bytes(200), "model").outcome == "unsupported"


def test_what_the_gguf_package_writes_is_clean(tmp_path):
    library = pytest.importorskip("gguf", reason="gguf is not installed")
    numpy = pytest.importorskip("numpy", reason="numpy is not installed")
    kinds = library.GGMLQuantizationType
    path = tmp_path / "m.gguf"
    for order in library.GGUFEndian:
        writer = library.GGUFWriter(path, "llama", endianess=order)
        writer.add_chat_template(
            [{"name": "default", "template": chat_templates.LLAMA}, {"name": "tool", "template": "{{ a }}"}]
        )
        writer.add_token_list([b"a", b"bc"])
        writer.add_array("x.floats", [0.5, 1.5])
        writer.add_bool("x.flag", val=True)
        writer.add_tensor("a", numpy.ones((3, 5), "float32"))
        writer.add_tensor("b", numpy.ones(7, "float16"))
        for number, kind in enumerate((kinds.Q8_0, kinds.Q4_K, kinds.IQ1_S, kinds.MXFP4)):
            values, size = library.GGML_QUANT_SIZES[kind]
            raw = numpy.zeros((2, size * 256 // values), "uint8")
            writer.add_tensor(f"q{number}", raw, raw_dtype=kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        result = scan(path.read_bytes())
        assert (result.outcome, result.findings) == ("clean", ())


def test_the_table_of_types_agrees_with_the_gguf_package():
    library = pytest.importorskip("gguf", reason="gguf is not installed")
    rows = {row[0]: tuple(row[1:]) for group in table("ggml_types")["types"] for row in group["rows"]}
    for kind, (values, size) in library.GGML_QUANT_SIZES.items():
        assert rows[int(kind)] == (kind.name, values, size)
