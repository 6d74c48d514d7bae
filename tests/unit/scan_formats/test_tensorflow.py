"""TensorFlow graphs by the wire reader: quiet on what every SavedModel holds, exact on what reaches outside."""

from __future__ import annotations

import json

import model_files
import pytest
import tensorflowbytes as tf
from protobytes import field, key, message

from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file
from modelsign.scan.frameworks import operators


def scan(data, name="saved_model.pb"):
    return scan_file(BytesReading(data), name)


def rules(data, name="saved_model.pb"):
    return {finding.rule for finding in scan(data, name).findings}


@pytest.mark.parametrize("name", model_files.GOOD["tensorflow"])
def test_good_graphs_are_clean(name):
    result = scan(model_files.GOOD["tensorflow"][name], name)
    assert (result.format, result.outcome) == ("tensorflow", "clean")


@pytest.mark.parametrize("build", [tf.graph, tf.saved_model, tf.meta_graph])
def test_graphs_are_recognised_by_content(build):
    assert scan(build(), "weights.bin").format == "tensorflow"
    evil = tf.graph(tf.node("e", "PyFunc"))
    data = evil if build is tf.graph else build(evil)
    assert scan(data, "weights.bin").outcome == "unsafe"


UNSAFE = ["PyFunc", "EagerPyFunc", "PyFuncStateless", "ReadFile", "WriteFile", "MatchingFiles", "LoadLibrary"]
UNSAFE += [
    "TFRecordDataset",
    "TextLineDatasetV2",
    "TextLineDataset",
    "LoadDataset",
    "SaveDatasetV2",
    "WholeFileReaderV2",
]
UNSAFE += [
    "RpcClient",
    "DataServiceDatasetV4",
    "DebugIdentityV2",
    "ImmutableConst",
    "CreateSummaryFileWriter",
    "SqlDataset",
]


@pytest.mark.parametrize("name", [name for name in UNSAFE if name != "TextLineDatasetV2"])
def test_operators_that_reach_outside_are_unsafe_in_every_place(name):
    node = tf.node("e", name)
    for inside in (tf.graph(node), tf.graph(functions=(tf.function("f", node),))):
        assert "tensorflow-operator-dangerous" in rules(tf.saved_model(inside))


@pytest.mark.parametrize("name", ["MyOp", "SimpleMLInferenceOpWithHandle", "TextLineDatasetV2"])
def test_operators_of_other_libraries_are_unverified(name):
    assert rules(tf.saved_model(tf.graph(tf.node("e", name)))) == {"tensorflow-operator-unknown"}


def test_native_parts_are_unverified():
    assert rules(tf.graph(tf.node("e", "TRTEngineOp")), "a.pb") == {"tensorflow-operator-native"}


def test_a_function_of_the_graph_may_be_called_by_its_name():
    inside = tf.graph(tf.node("e", "my_function"), functions=(tf.function("my_function", tf.node("y", "Relu", "x")),))
    assert scan(tf.saved_model(inside)).outcome == "clean"


def test_no_dangerous_operator_is_on_the_allow_list():
    known = {name.casefold() for _, name in operators.known("tensorflow")}
    assert not known & operators.dangerous("tensorflow").keys()
    assert len(known) > 1500


def saver(first, *, operator="SaveV2", steps=True):
    """The nodes by which TensorFlow 1 saves, and the file name they begin with."""
    nodes = [tf.node("c", "Const", value=first), tf.node("p", "Const", value="_temp_0/part")]
    nodes += [tf.node("d", "PlaceholderWithDefault", "c"), tf.node("j", "StringJoin", "d", "p")]
    nodes.append(tf.node("s", "ShardedFilename", "j", "n", "m"))
    source = "s" if steps else "c:0"
    inputs = ("x", source) if operator == "MergeV2Checkpoints" else (source, "x")
    return tf.graph(*nodes, tf.node("save", operator, *inputs))


def test_saving_and_restoring_are_part_of_every_saved_model():
    for operator in ("SaveV2", "RestoreV2", "MergeV2Checkpoints"):
        assert scan(tf.saved_model(saver("model", operator=operator))).outcome == "clean"


@pytest.mark.parametrize("operator", ["SaveV2", "RestoreV2", "MergeV2Checkpoints"])
@pytest.mark.parametrize("path", ["/etc/cron.d/x", "../../x", "gs://bucket/x"])
@pytest.mark.parametrize("steps", [True, False])
def test_saving_to_a_path_of_the_graph_s_own_is_unsafe(operator, path, steps):
    assert "tensorflow-path" in rules(tf.saved_model(saver(path, operator=operator, steps=steps)))


def test_a_path_put_together_from_pieces_is_seen():
    pieces = [
        tf.node("a", "Const", value=""),
        tf.node("b", "Const", value="/etc"),
        tf.node("j", "StringJoin", "a", "b"),
    ]
    assert "tensorflow-path" in rules(tf.graph(*pieces, tf.node("s", "SaveV2", "j")), "a.pb")


def test_a_loop_of_names_ends():
    nodes = [tf.node("a", "Identity", "b"), tf.node("b", "Identity", "a"), tf.node("s", "SaveV2", "a")]
    assert scan(tf.graph(*nodes), "a.pb").outcome == "clean"


def table(path):
    return tf.graph(tf.node("c", "Const", value=path), tf.node("i", "InitializeTableFromTextFileV2", "t", "c"))


def test_a_table_from_an_asset_is_fine_and_from_a_path_unverified():
    assert scan(tf.saved_model(table("/home/me/vocab.txt"), (6, tf.asset("c:0", "vocab.txt")))).outcome == "clean"
    assert rules(tf.saved_model(table("/home/me/vocab.txt"))) == {"tensorflow-table-path"}


@pytest.mark.parametrize("filename", ["../../etc/passwd", "/etc/passwd", "a\\b", ""])
def test_assets_that_lead_away_are_unsafe_in_new_and_old_models(filename):
    asset = tf.asset("c:0", filename)
    assert "tensorflow-path" in rules(tf.saved_model(None, (6, asset)))
    wrapped = message((1, "type.googleapis.com/tensorflow.AssetFileDef"), (2, asset))
    old = (4, message((1, "saved_model_assets"), (2, message((5, message((1, wrapped)))))))
    assert "tensorflow-path" in rules(tf.saved_model(None, old))


def test_printing_to_a_file_is_unsafe_and_to_the_terminal_fine():
    assert rules(tf.graph(tf.node("p", "PrintV2", "x", output_stream="file:///tmp/x")), "a.pb") == {"tensorflow-path"}
    assert scan(tf.graph(tf.node("p", "PrintV2", "x", output_stream="stderr")), "a.pb").outcome == "clean"


def test_a_compiled_module_that_calls_back_into_python_is_unsafe():
    quiet = tf.node("m", "XlaCallModule", "x", module=b"ML\xefR" + bytes(300_000))
    evil = tf.node("m", "XlaCallModule", "x", module=bytes(262_140) + b"xla_python_cpu_callback")
    assert scan(tf.graph(quiet), "a.pb").outcome == "clean"
    assert scan(tf.graph(evil), "a.pb").outcome == "unsafe"


LAMBDA = {"class_name": "Lambda", "config": {"function": {"class_name": "__lambda__", "config": {"code": "4wEAAAA="}}}}


def test_cve_2024_3660_a_lambda_layer_in_the_metadata_is_unsafe():
    nested = {"class_name": "Sequential", "config": {"layers": [{"config": {"layer": LAMBDA}}]}}
    for metadata in (LAMBDA, nested, {"config": {"function": ["code"], "function_type": "lambda"}}):
        text = json.dumps(metadata)
        assert "tensorflow-keras-lambda" in rules(tf.saved_model(None, tf.user_object("_tf_keras_layer", text)))
        alone = message((1, message((2, 1), (3, "root"), (4, "_tf_keras_layer"), (5, text))))
        own = message((1, message((1, message((1, 1))), (2, 1), (3, "root"), (4, "_tf_keras_layer"), (5, text))))
        assert scan(alone, "keras_metadata.pb").outcome == scan(own, "keras_metadata.pb").outcome == "unsafe"


def test_ordinary_layers_are_fine_and_modules_of_others_unverified():
    def layer(module):
        text = json.dumps({"class_name": "Dense", "module": module, "config": {"units": 2}})
        return scan(tf.saved_model(None, tf.user_object("_tf_keras_layer", text))).outcome

    assert layer("keras.layers") == "clean"
    assert layer("my_package.layers") == "unverified"
    assert scan(tf.saved_model(None, tf.user_object("_tf_keras_layer", "{"))).outcome == "incomplete"


def test_odd_encodings_are_findings():
    assert "protobuf-unknown-field" in rules(tf.saved_model() + field(77, "hidden"))
    assert "broken-format" in rules(tf.saved_model() + b"\xff")
    assert "broken-format" in rules(message((1, 1)) + key(2, 2) + b"\x7f")


def test_a_name_adds_a_reading_of_any_message():
    assert scan(b"\x01\x02\x03").outcome == "incomplete"
    assert scan(model_files.EVIL).outcome == "unsafe"


def test_every_truncation_of_a_saved_model_has_an_answer():
    data = tf.saved_model(saver("model"), (6, tf.asset("c:0", "vocab.txt")))
    for cut in range(1, len(data)):
        assert scan(data[:cut]).outcome != "clean" or cut == 2
