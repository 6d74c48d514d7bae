"""ONNX models by the wire reader: quiet on ordinary graphs, exact on every way out of them."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import model_files
import onnxbytes as ox
import pytest
from protobytes import field, key, message, varint

from modelsign import limits
from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file


def scan(data, name="model.onnx"):
    return scan_file(BytesReading(data), name)


def rules(data, name="model.onnx"):
    return {finding.rule for finding in scan(data, name).findings}


def external(**keys):
    return ox.model(tensors=(ox.tensor(external=keys),))


@pytest.mark.parametrize("name", model_files.GOOD["onnx"])
def test_good_models_are_clean_under_any_name(name):
    for called in (name, "weights.bin"):
        result = scan(model_files.GOOD["onnx"][name], called)
        assert (result.format, result.outcome) == ("onnx", "clean")


ESCAPES = {
    "CVE-2022-25882": "../../../../etc/passwd",
    "CVE-2024-27318": "a/../../secret",
    "CVE-2025-51480": "/etc/cron.d/job",
    "CVE-2026-27489-windows": "C:weights.bin",
    "CVE-2026-34446-backslash": "..\\..\\secret",
    "CVE-2026-34447-nul": "weights.bin\0.txt",
    "url": "https://example.org/w.bin",
    "unc": "\\\\host\\share\\w",
    "home": "~/w.bin",
    "memory-of-the-process": "*/_ORT_MEM_ADDR_/*",
    "empty": "",
}


@pytest.mark.parametrize("location", ESCAPES.values(), ids=ESCAPES.keys())
def test_external_data_that_leads_away_is_unsafe(location):
    result = scan(external(location=location, offset="0", length="8"))
    assert result.outcome == "unsafe"
    assert "onnx-external-path" in rules(external(location=location))


@pytest.mark.parametrize("location", ["weights.bin", "data/weights.bin", "./model.onnx.data", "w..bin"])
def test_external_data_beside_the_model_is_fine(location):
    assert scan(external(location=location, offset="4096", length="8", checksum="ab")).outcome == "clean"


def test_external_data_counts_wherever_the_tensor_stands():
    tensor = ox.tensor(external={"location": "/etc/passwd"})
    inner = ox.graph(ox.node("Constant", "", ox.attribute("value", t=tensor)))
    places = {
        "attribute": ox.model(ox.node("Constant", "", ox.attribute("value", t=tensor))),
        "subgraph": ox.model(ox.node("If", "", ox.attribute("then_branch", g=inner))),
        "function": ox.model(extra=((25, ox.function("F", "own", ox.node("C", "", ox.attribute("v", t=tensor)))),)),
        "training": ox.model(extra=((20, message((1, inner))),)),
        "sparse": message((1, 8), (7, message((1, ox.node("Relu")), (15, message((1, tensor)))))),
        "without data_location": ox.model(tensors=(message((1, 2), (2, 1), (13, ox.entry("location", "/a"))),)),
    }
    for place, data in places.items():
        assert "onnx-external-path" in rules(data), place


def test_a_key_that_would_set_an_attribute_is_cve_2026_34445():
    assert "onnx-external-key" in rules(external(location="w.bin", __class__="x"))
    assert "onnx-external-key" in rules(external(location="w.bin", Location="/x"))
    twice = (13, ox.entry("location", "a")), (13, ox.entry("location", "b"))
    assert "onnx-external-key" in rules(ox.model(tensors=(message((1, 2), (2, 1), *twice),)))
    assert "onnx-external-key" in rules(external(offset="0"))


@pytest.mark.parametrize(
    ("operator", "domain", "rule"),
    [
        ("PythonOp", "com.microsoft", "onnx-operator-dangerous"),
        ("pyop", "ai.onnx.contrib", "onnx-operator-dangerous"),
        ("AzureTextToText", "com.microsoft.extensions", "onnx-operator-dangerous"),
        ("ImageReader", "ai.onnx.contrib", "onnx-operator-dangerous"),
        ("EPContext", "com.microsoft", "onnx-operator-native"),
        ("Mine", "my.domain", "onnx-operator-unknown"),
        ("Relu", "my.domain", "onnx-operator-unknown"),
        ("Mine", "", "onnx-operator-unknown"),
    ],
)
def test_operators_are_judged_by_domain_and_name(operator, domain, rule):
    assert rule in rules(ox.model(ox.node(operator, domain)))


def test_known_operators_of_every_domain_are_fine():
    nodes = [("Add", "ai.onnx"), ("TreeEnsembleClassifier", "ai.onnx.ml"), ("Adam", "ai.onnx.preview.training")]
    nodes += [
        ("FusedConv", "com.microsoft"),
        ("ReorderInput", "com.microsoft.nchwc"),
        ("GPT2Tokenizer", "ai.onnx.contrib"),
    ]
    assert scan(ox.model(*(ox.node(name, domain) for name, domain in nodes))).outcome == "clean"


def test_a_function_is_known_by_its_body_and_the_body_is_read():
    calls = ox.node("Mine", "own")
    assert scan(ox.model(calls, extra=((25, ox.function("Mine", "own", ox.node("Relu"))),))).outcome == "clean"
    evil = ox.function("Mine", "own", ox.node("PythonOp", "com.microsoft"))
    assert scan(ox.model(calls, extra=((25, evil),))).outcome == "unsafe"


def test_an_operator_in_a_subgraph_of_a_subgraph_is_seen():
    inner = ox.graph(ox.node("PyOp", "x"))
    outer = ox.graph(ox.node("Loop", "", ox.attribute("body", g=inner)))
    assert scan(ox.model(ox.node("If", "", ox.attribute("else_branch", g=outer)))).outcome == "unsafe"


def test_a_compiled_blob_in_a_file_elsewhere_is_unsafe():
    blob = ox.node(
        "EPContext", "com.microsoft", ox.attribute("embed_mode", i=0), ox.attribute("ep_cache_context", s="/b")
    )
    assert scan(ox.model(blob)).outcome == "unsafe"


def test_sizes_must_agree_and_not_overflow():
    bad = [
        ox.tensor(raw=bytes(7)),
        ox.tensor(dims=(-1,)),
        ox.tensor(dims=(2**62, 4)),
        ox.tensor(dims=(2**61, 1), raw=b""),
        ox.tensor(external={"location": "w", "length": "-8"}),
        ox.tensor(external={"location": "w", "length": "9"}),
        ox.tensor(external={"location": "w", "offset": "9" * 20}),
    ]
    for tensor in bad:
        assert rules(ox.model(tensors=(tensor,))) == {"onnx-tensor-size"}
    assert scan(ox.model(tensors=(ox.tensor(dims=(3,), kind=22, raw=bytes(2)),))).outcome == "clean"


def test_versions_beyond_those_known_are_unverified():
    assert scan(ox.model(opset=10_000)).outcome == "unverified"
    assert scan(ox.model(ir=10_000)).outcome == "unverified"
    assert scan(ox.model(opset=1, ir=3)).outcome == "clean"


def test_metadata_that_calls_something_is_unverified_and_literals_are_fine():
    def with_metadata(text):
        return ox.model(extra=((14, ox.entry("names", text)),))

    for text in ("{0: 'a', 1: 'b (c)'}", "Ultralytics model (v8)", "()", "a b(", "[1, (2, 3)]"):
        assert scan(with_metadata(text)).outcome == "clean"
    for text in ("__import__('os').getcwd()", "[f() for f in x]", "(" * 90 + "f()" + ")" * 90):
        assert scan(with_metadata(text)).outcome == "unverified"


def test_odd_encodings_are_findings():
    assert "protobuf-unknown-field" in rules(ox.model(extra=((99, "hidden"),)))
    assert "protobuf-field-twice" in rules(ox.model(extra=((7, ox.graph(ox.node("Relu"))),)))
    assert "broken-format" in rules(ox.model() + key(5, 3))
    assert "broken-format" in rules(ox.model() + b"trailing")
    assert scan(message((1, 8), (2, "no graph"))).outcome == "incomplete"


def test_both_values_of_a_field_given_twice_are_judged():
    data = ox.model(extra=((7, ox.graph(ox.node("PyOp", "x"))),))
    assert scan(data, "w.bin").outcome == "unsafe"


def test_fields_in_another_order_and_long_varints_are_the_same_model():
    fields = [field(8, message((2, 17))), field(7, ox.graph(ox.node("PyOp", "x"))), field(2, "p")]
    assert scan(b"".join(fields) + key(1, 0) + b"\x88\x80\x00", "w.bin").outcome == "unsafe"


def test_damage_in_one_message_does_not_hide_what_comes_behind():
    broken = message((1, b"\x0a\xff\x01"), (1, ox.node("PyOp", "x")))
    assert scan(message((1, 8), (7, broken), (8, message((2, 17)))), "w.bin").outcome == "unsafe"


def test_nesting_is_bounded():
    graph = ox.graph(ox.node("Relu"))
    for _ in range(limits.PROTOBUF_DEPTH):
        graph = ox.graph(ox.node("If", "", ox.attribute("then_branch", g=graph)))
    assert "budget-exceeded" in rules(message((1, 8), (7, graph), (8, message((2, 17)))))


def test_every_truncation_of_a_named_model_is_not_clean():
    data = ox.model(ox.node("Constant", "", ox.attribute("value", t=ox.tensor())))
    whole = scan(data).outcome
    assert whole == "clean"
    cut_clean = [cut for cut in range(1, len(data)) if scan(data[:cut]).outcome == "clean"]
    assert all(data[cut:] and data[cut] == 0x42 for cut in cut_clean)  # only in front of a whole outermost field


def test_many_nodes_and_tensors_cost_little_memory():
    data = ox.model(*(ox.node("Add") for _ in range(20_000)), tensors=(ox.tensor((250_000,), raw=bytes(1_000_000)),))
    scan(data)
    tracemalloc.start()
    assert scan(data).outcome == "clean"
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000


def test_a_count_that_claims_more_than_there_is_ends_at_once():
    assert "broken-format" in rules(message((1, 8)) + key(7, 2) + varint(2**60) + b"x")


def test_the_package_s_own_models_are_clean():
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    files = sorted(Path(onnx.__file__).parent.rglob("*.onnx"))
    assert len(files) > 100
    for path in files:
        result = scan(path.read_bytes(), "plain")
        assert (result.format, result.outcome) == ("onnx", "clean"), path


def test_what_is_written_by_hand_is_what_the_package_reads():
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    model = onnx.load_model_from_string(model_files.GOOD["onnx"]["model.onnx"])
    assert model.graph.node[0].op_type == "Relu"
    evil = onnx.load_model_from_string(external(location="../x"))
    assert evil.graph.initializer[0].external_data[0].value == "../x"
