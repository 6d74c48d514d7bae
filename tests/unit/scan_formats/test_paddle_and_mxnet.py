"""PaddlePaddle and MXNet: operators by list, parameters walked without being read."""

from __future__ import annotations

import json

import model_files
import paddlebytes as pb
import pytest

from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file
from modelsign.scan.formats.mxnet import FORMAT


def scan(data, name="x.bin"):
    return scan_file(BytesReading(data), name)


def rules(data, name="x.bin"):
    return {finding.rule for finding in scan(data, name).findings}


@pytest.mark.parametrize("kind", ["paddle", "mxnet"])
def test_good_files_are_clean_under_any_name(kind):
    for name, data in model_files.GOOD[kind].items():
        for called in (name, "x.bin"):
            result = scan(data, called)
            assert (result.format, result.outcome) == (kind, "clean"), (name, called)


@pytest.mark.parametrize("operator", ["py_func", "load", "save_combine", "read_file", "listen_and_serv"])
def test_operators_of_paddle_that_reach_outside_are_unsafe(operator):
    assert rules(pb.program(operator)) == {"paddle-operator-dangerous"}


@pytest.mark.parametrize("operator", ["mine", "tensorrt_engine"])
def test_other_operators_of_paddle_are_unverified(operator):
    assert rules(pb.program(operator)) == {"paddle-operator-unknown"}


def pir(*names, **more):
    inner = {"regions": [{"#": "region_1", "blocks": [{"#": "block_1", "ops": [{"#": "2.yield"}]}]}]}
    ops = [
        {"#": "p", "A": [0, 1, 1, "w"]},
        {"#": "1.if", **inner},
        *({"#": name, "O": [{"TT": {"#": "0.t_f32"}}]} for name in names),
    ]
    blocks = [{"#": "block_0", "args": [], "ops": ops}]
    program = {"regions": [{"#": "region_0", "blocks": blocks}], **more}
    return json.dumps({"base_code": {"magic": "pir", "trainable": True, "version": 4}, "program": program}).encode()


@pytest.mark.parametrize("name", ["inference.json", "config.json", "file"])
def test_a_program_in_json_of_known_operators_is_clean(name):
    result = scan(pir("1.conv2d", "1.relu_", "pd_op.full_int_array", "0.shadow_output"), name)
    assert (result.format, result.outcome, result.findings) == ("paddle", "clean", ())


@pytest.mark.parametrize(
    "operator", ["1.mine", "3.custom", "4.reshard", "9.relu", "relu", "", "1.tensorrt_engine", "0.relu"]
)
def test_a_program_in_json_with_an_unknown_operator_is_unverified(operator):
    assert rules(pir(operator)) == {"paddle-operator-unknown"}


def test_a_program_in_json_is_known_however_its_key_is_spelled():
    for key in ("base_code", "\\u0062ase_code", "base\\u005Fcode"):
        text = f'{{"{key}": {{"magic": "pir"}}, "program": {{"ops": [{{"#": "1.py_func"}}]}}}}'
        assert scan(text.encode(), "a.json").outcome == "unsafe"
    assert scan(b'{"base_code": 1}', "a.json").outcome == "clean"


@pytest.mark.parametrize(
    "operator", ["1.py_func", "1.save_combine", "pd_op.read_file", "1.load_combine_", "1._run_python_op"]
)
def test_a_program_in_json_with_a_dangerous_operator_is_unsafe(operator):
    assert rules(pir(operator)) == {"paddle-operator-dangerous"}
    hidden = {"A": [{"ops": [{"#": operator}]}]}
    assert rules(pir("1.relu", **hidden)) == {"paddle-operator-dangerous"}


def test_tensors_of_paddle_must_fit():
    two = pb.tensor() + pb.tensor((2, 2), 3, bytes(32))
    assert scan(two).outcome == "clean"
    bad = [two[:-1], two + b"x", pb.tensor((-1,)), pb.tensor((-1, 0)), pb.tensor((2**40, 2**40)), pb.tensor(kind=77)]
    for data in bad:
        assert scan(data).outcome == "incomplete"


def test_custom_operators_of_mxnet_are_unsafe_and_others_unverified():
    assert rules(pb.symbol("Custom")) == {"mxnet-operator-dangerous"}
    assert rules(pb.symbol("mine")) == {"mxnet-operator-unknown"}
    inner = json.loads(pb.symbol("Custom"))
    assert rules(pb.symbol("_foreach", subgraphs=[inner])) == {"mxnet-operator-dangerous"}
    assert rules(pb.symbol("Custom").replace(b"arg_nodes", b"arg\\u005fnodes")) == {"mxnet-operator-dangerous"}


def test_cve_2022_24294_a_name_made_to_hang_the_loader_is_unsafe():
    assert rules(pb.symbol("a" * 5000)) == {"mxnet-operator-name"}
    assert rules(pb.symbol(name="_" * 5000)) == {"mxnet-operator-name"}


def test_a_graph_without_nodes_is_broken_to_its_reader():
    for data in (b'{"nodes": 1, "arg_nodes": []}', b'{"nodes": [{"op": 1}], "arg_nodes": []}'):
        assert [finding.rule for finding in FORMAT.scan(BytesReading(data), "x").findings] == ["broken-format"]


def test_parameters_of_mxnet_must_fit():
    good = pb.parameters()
    bad = [good[:-1], good + b"x", pb.parameters(kind=99), pb.parameters(count=2**40), pb.parameters(dims=(2**62,))]
    for data in [*bad, pb.parameters(dims=(0,) * 33)]:
        assert scan(data).outcome == "incomplete"
    assert scan(pb.parameters(storage=1)).outcome == "unsupported"
    assert scan(pb.parameters(mark=2)).outcome == "unsupported"


def test_every_truncation_has_an_answer():
    for data in (pb.program(), pb.tensor(), pb.symbol(), pb.parameters()):
        for cut in range(1, len(data)):
            scan(data[:cut])
            scan(data[:cut] + b"\xff" + data[cut + 1 :])
