"""Caffe's networks, TensorFlow's graphs as text, and protobuf's text format that both are written in."""

from __future__ import annotations

import caffe_files
import packed_files
import pytest
import tensorflowbytes
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from protobytes import message

from modelsign import limits
from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file
from modelsign.scan.syntax.textproto import first_name
from modelsign.scan.tables import table
from modelsign.verdict import Outcome

KINDS = {"varint": 3, "fixed32": 2, "fixed64": 1, "bytes": 12}


def scanned(data, name="file"):
    return scan_file(BytesReading(data), name)


def rules(scan):
    return {finding.rule for finding in scan.findings}


def library(schema):
    """The messages of a schema's table as google.protobuf would have them."""
    file = descriptor_pb2.FileDescriptorProto(name=f"{schema}.proto", package="x", syntax="proto2")
    for name, fields in table(f"schemas/{schema}")["messages"].items():
        one = file.message_type.add(name=name.replace(".", "_"))
        for number, (field, spelled) in fields.items():
            kind = spelled.removesuffix("*")
            added = one.field.add(name=field, number=int(number), label=3 if spelled.endswith("*") else 1)
            added.type = KINDS.get(kind, 11)
            if added.type == 11:
                added.type_name = ".x." + kind.replace(".", "_")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return lambda name: message_factory.GetMessageClass(pool.FindMessageTypeByName("x." + name.replace(".", "_")))()


TENSORFLOW = library("tensorflow")
CAFFE = library("caffe")


@pytest.mark.parametrize("kind", ["caffe", "tensorflow-text"])
def test_ordinary_files_are_clean_under_any_name(kind):
    for name, data in caffe_files.GOOD[kind].items():
        for called in (name, "file", "x.bin"):
            if kind == "tensorflow-text" and name.startswith("saved") and called != name:
                continue
            scan = scanned(data, called)
            assert (scan.format, scan.outcome, scan.findings) == (kind, Outcome.CLEAN, ()), name


def test_a_python_layer_is_unsafe_and_its_call_is_told():
    scan = scanned(caffe_files.PYTHON, "train.prototxt")
    assert scan.outcome is Outcome.UNSAFE
    finding = next(one for one in scan.findings if one.rule == "caffe-layer-dangerous")
    assert "from os import system; system()" in finding.message
    assert caffe_files.PYTHON[finding.offset :].startswith(b"layer")


def test_layers_that_write_are_unsafe_and_layers_that_read_are_unverified():
    assert rules(scanned(caffe_files.OUTPUT)) == {"caffe-layer-dangerous"}
    assert rules(scanned(caffe_files.TRAINING)) == {"caffe-layer-reads"}
    assert rules(scanned(b'layers { name: "o" type: HDF5_OUTPUT }')) == {"caffe-layer-dangerous"}
    assert rules(scanned(b'layers { layer { name: "o" type: "hdf5_output" } }')) == {"caffe-layer-dangerous"}


def test_a_layer_of_another_build_is_unverified():
    assert rules(scanned(b'layer { name: "o" type: "Mine" }')) == {"caffe-layer-unknown"}
    assert rules(scanned(b'layers { name: "o" type: 77 }')) == {"caffe-layer-unknown"}


def test_weights_carry_layers_that_do_not_run():
    assert rules(scanned(caffe_files.weights(caffe_files.layer("Data")))) == set()
    assert rules(scanned(caffe_files.weights(caffe_files.layer("Python")))) == {"caffe-layer-carried"}


def test_a_name_adds_a_reading_of_weights():
    assert scanned(b"\x08\x01", "a.caffemodel").outcome is Outcome.INCOMPLETE
    assert scanned(packed_files.EVIL, "a.caffemodel").outcome is Outcome.UNSAFE


@pytest.mark.parametrize(
    "text",
    [
        b"node { op: 'PyFunc' }",
        b'node { op: "Py" "Func" }',
        b"node { op: 'P\\x79Func' }",
        b"node { op: '\\120yFunc' }",
        b"node { op: '\\u0050yFunc' }",
        b"node: < op: 'PyFunc' >",
        b"node: [ { op: 'NoOp' }, { op: 'PyFunc' } ]",
        b"node { # op: 'NoOp' }\n op: 'PyFunc' }",
        b"versions { producer: 1 };; node { op: 'PyFunc' }".replace(b";;", b";"),
        b"library { function { node_def { op: 'PyFunc' } } }",
        b"node { op: 'PyFunc' ",
        b"node { op: 'PyFunc' } }",
    ],
)
def test_an_operator_is_found_however_it_is_spelled(text):
    assert "tensorflow-operator-dangerous" in rules(scanned(text, "graph.pbtxt"))
    assert scanned(text, "graph.pbtxt").outcome is Outcome.UNSAFE


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (b"node { op: 'Relu' op: 'NoOp' }", "protobuf-field-twice"),
        (b"node { op: 'Relu' mine: 3 }", "protobuf-unknown-field"),
        (b"node { op: 'Relu' [ext.mine] { a: 3 } }", "protobuf-unknown-field"),
        (b"node { op: 'Mine' }", "tensorflow-operator-unknown"),
        (b"node { op: }", "broken-format"),
        (b"node { op: 'Relu", "broken-format"),
        (b"node { op { a: 1 } }", "broken-format"),
        (b"node { op: 5 }", "broken-format"),
        (b"node { op: [ 'a' 'b' }", "broken-format"),
        (b"node { attr { key: 'a' value { i: 09 } } }", "broken-format"),
        (b"node { op: 'Relu' } 5", "broken-format"),
        (b"node: 'Relu'", "broken-format"),
        (b"node {" * 200, "broken-format"),
        (b"node: [" + b"{node: [" * 200, "broken-format"),
    ],
)
def test_odd_text_has_a_rule(text, rule):
    assert rule in rules(scanned(text, "graph.pbtxt"))


def test_a_string_tensor_is_followed_to_the_file_it_names():
    text = (
        b"node { name: 'p' op: 'Const' attr { key: 'value' value { tensor { dtype: DT_STRING "
        b"string_val: '/etc/cron.d/x' } } } } node { name: 's' op: 'SaveV2' input: 'p' }"
    )
    assert "tensorflow-path" in rules(scanned(text, "graph.pbtxt"))


def test_other_messages_as_text_are_unsupported():
    for name, text in (("config.pbtxt", b'platform: "python"\nbackend: "x"'), ("labels.prototxt", b"item: 1")):
        scan = scanned(text, name)
        assert (scan.format, scan.outcome) == ("protobuf-text", Outcome.UNSUPPORTED)


def test_a_solver_is_judged_by_the_files_it_names():
    scan = scanned(caffe_files.SOLVER, "solver.prototxt")
    assert (scan.format, scan.outcome, rules(scan)) == ("caffe", Outcome.UNVERIFIED, {"caffe-solver-files"})
    assert scanned(b"base_lr: 0.1", "solver.prototxt").outcome is Outcome.CLEAN
    assert scanned(caffe_files.SOLVER, "solver.txt").format != "caffe"


@pytest.mark.parametrize("name", ["net", "train_net", "test_net", "weights", "snapshot_prefix"])
@pytest.mark.parametrize("path", ["/etc/x", "../x", "~/x", "http://x", "a\\\\b"])
def test_a_solver_that_names_files_elsewhere_is_unsafe(name, path):
    text = f'base_lr: 0.1 {name}: "{path}"'.encode()
    assert rules(scanned(text, "solver.prototxt")) == {"caffe-solver-path"}


def test_a_network_inside_of_a_solver_is_judged_as_one():
    inside = caffe_files.PYTHON.decode()
    for field in ("net_param", "train_net_param", "test_net_param"):
        text = f"base_lr: 0.1 {field} {{ {inside} }}".encode()
        assert "caffe-layer-dangerous" in rules(scanned(text, "solver.prototxt"))


def test_text_beyond_the_limit_is_a_budget(monkeypatch):
    monkeypatch.setattr(limits, "PROTOBUF_TEXT_BYTES", 50)
    assert rules(scanned(caffe_files.GRAPH, "graph.pbtxt")) == {"budget-exceeded"}
    assert (
        rules(scanned(caffe_files.NET, "a.prototxt")) >= {"budget-exceeded"}
        or scanned(caffe_files.NET, "a.prototxt").outcome is not Outcome.CLEAN
    )


def test_what_begins_a_message_is_found():
    assert first_name(BytesReading(b"  # x\n\tnode { ")) == b"node"
    assert first_name(BytesReading(b"node")) is None
    assert first_name(BytesReading(b"{")) is None
    assert first_name(BytesReading(b"")) is None


NODES = (
    tensorflowbytes.node("x", "Placeholder"),
    tensorflowbytes.node("p", "Const", value="/etc/passwd\n\"'\\\x00\xff"),
    tensorflowbytes.node("r", "RestoreV2", "p"),
    tensorflowbytes.node("s", "MyOwn", "r"),
    tensorflowbytes.node("z", "EagerPyFunc", "s"),
)


@pytest.mark.parametrize("count", range(1, len(NODES) + 1))
@pytest.mark.parametrize(
    "style", [{}, {"as_one_line": True}, {"pointy_brackets": True}, {"use_short_repeated_primitives": True}]
)
def test_text_by_googles_own_writer_is_judged_like_the_binary_message(count, style):
    data = tensorflowbytes.graph(*NODES[:count], functions=(tensorflowbytes.function("f", NODES[0]),))
    graph = TENSORFLOW("tensorflow.GraphDef")
    graph.ParseFromString(data)
    text = text_format.MessageToString(graph, **style).encode()
    binary = {(one.rule, one.message) for one in scanned(data, "graph.pb").findings}
    assert {(one.rule, one.message) for one in scanned(text, "graph.pbtxt").findings} == binary


SINCE_2014 = {name: data for name, data in caffe_files.GOOD["caffe"].items() if name != "oldest.prototxt"}
"""In binary, the networks before are graphs of TensorFlow as well: a name and a type in two messages."""


@pytest.mark.parametrize("data", SINCE_2014.values(), ids=SINCE_2014)
def test_googles_own_parser_reads_the_same_networks(data):
    net = CAFFE("caffe.NetParameter")
    if first_name(BytesReading(data)) is None:
        net.ParseFromString(data)
        text = text_format.MessageToString(net).encode()
        assert scanned(text, "a.prototxt").format == "caffe"
        return
    plain = data
    for name, number in {b"CONVOLUTION": b"4", b"LMDB": b"1", b"true": b"1"}.items():
        plain = plain.replace(name, number)
    text_format.Parse(plain, net)
    assert scanned(net.SerializeToString(), "a.caffemodel").outcome is Outcome.CLEAN


def test_every_truncation_and_flipped_bit_of_text_ends():
    for data in (caffe_files.NET, caffe_files.GRAPH, caffe_files.SAVED):
        for cut in range(len(data)):
            assert scanned(data[:cut], "graph.pbtxt").outcome in Outcome
        for place in range(0, len(data) * 8, 7):
            flipped = bytearray(data)
            flipped[place // 8] ^= 1 << place % 8
            assert scanned(bytes(flipped), "graph.pbtxt").outcome in Outcome


def test_weights_with_fields_of_a_later_caffe_are_unverified():
    data = caffe_files.weights() + message((100, caffe_files.layer("ReLU", "x", (200, b"ssd"))))
    assert rules(scanned(data)) == {"protobuf-unknown-field"}
