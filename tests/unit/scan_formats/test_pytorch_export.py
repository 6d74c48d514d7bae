"""Exported PyTorch programs: what nodes call, what is evaluated, what is imported, and what lies beside the graph."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from bitflips import flips
from exported_files import EVIL, exported, node, older, program, saved, spec, zipped

from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file
from modelsign.scan.python.sizes import why_not_plain
from modelsign.verdict import Outcome


def scanned(data, name="model.pt2", **more):
    return scan_file(BytesReading(data), name, **more)


def fired(model, **more):
    scan = scanned(exported(model), **more)
    return scan.outcome, {finding.rule for finding in scan.findings}


@pytest.mark.parametrize("data", [exported(), exported(pickled=True), older()])
def test_programs_of_every_layout_are_clean_under_any_name(data):
    for name in ("model.pt2", "model.zip", "x"):
        scan = scanned(data, name)
        assert (scan.format, scan.outcome, scan.findings) == ("pytorch-export", Outcome.CLEAN, ())


@pytest.mark.parametrize(
    "target",
    [
        "torch.ops.aten.__and__.Scalar", "torch.ops.aten._assert_scalar.default", "torch.ops.higher_order.cond",
        "torch.ops.quantized_decomposed.quantize_per_tensor.default", "_operator.floordiv", "math.trunc",
        "torch.sym_max", "torch._functorch.predispatch._vmap_increment_nesting",
    ],
)  # fmt: skip
def test_what_computes_is_known(target):
    assert fired(program(node(target))) == (Outcome.CLEAN, set())


@pytest.mark.parametrize(
    "target",
    [
        "torch.os.system", "torch.hub.load", "torch.load", "torchx.os.system", "torch.ops.load_library",
        "torch.ops.import_module", "torch.ops.import_module.x", "_operator.attrgetter", "_operatorx.methodcaller",
        "math.__loader__.load_module", "torch.ops.aten.add.__class__", "torch.ops.aten.add.Tensor.__globals__",
        "torch.ops.aten.add.Tensor.x", "torch.ops.__class__.mro", "torch.classes.load_library", "torch",
        "torch.utils.cpp_extension.load", "torch.ops.aten.__reduce_ex__.default",
    ],
)  # fmt: skip
@pytest.mark.parametrize("key", ["target", "as_operator"])
def test_python_functions_are_unsafe_however_they_are_reached(target, key):
    one = node(target) if key == "target" else node(inputs=[{"name": "f", "arg": {"as_operator": target}}])
    assert fired(program(one)) == (Outcome.UNSAFE, {"export-calls-python"})


def test_operators_that_reach_files_are_unsafe():
    assert fired(program(node("torch.ops.aten.from_file.default"))) == (Outcome.UNSAFE, {"export-operator-dangerous"})


@pytest.mark.parametrize(
    "target",
    [
        "torch.ops.mylib.op.default", "torch.ops.higher_order.triton_kernel_wrapper_functional", "#mine:op", "add",
        "torch.ops.higher_order.call_torchbind", "torch.ops.higher_order.aoti_call_delegate",
    ],
)  # fmt: skip
def test_operators_of_others_are_unverified(target):
    assert fired(program(node(target))) == (Outcome.UNVERIFIED, {"export-operator-unknown"})


def test_an_operator_that_is_trusted_by_its_name_is_clean():
    trusted = frozenset({"torch.ops.mylib.op.default"})
    assert fired(program(node("torch.ops.mylib.op.default")), trust_globals=trusted) == (Outcome.CLEAN, set())


@pytest.mark.parametrize(
    "size",
    [
        "s0", "s0 + 2*s1", "Max(1, u0)", "Eq(Mod(s0, 2), 0)", "FloorDiv(s0, 2)", "Float('0.5', precision=53)",
        "Mul(Integer(2), Symbol('s77', positive=True, integer=True))", "LessThan(Symbol('u0', integer=True), oo)",
        "Piecewise((s0, s0 > 1), (1, True))", "OpaqueUnaryFn_sqrt(s0)", "s0**2 % 7", "-oo",
    ],
)  # fmt: skip
def test_sizes_as_exporters_write_them_are_plain(size):
    assert fired(program(size=size)) == (Outcome.CLEAN, set())


@pytest.mark.parametrize(
    "size",
    [
        "__import__('os').system('true')", "eval('1')", "Max('eval(1)', 2)", "Symbol('eval(1)')", "'s0'", "s0.func",
        "getattr(s0, s1)", "(lambda: s0)()", "[s0 for s0 in s1]", "exec(chr(1))!", "Symbol(eval('1'))",
        "f'{eval(1)}'", "s0[1]", "Integer(open('x'))", "Symbol('s0', positive=eval('1'))", "a if eval('1') else b",
        "(" * 100 + "eval(1)" + ")" * 100, "(a := 1)", "{1: eval(1)}", "eval\\\n(1)", "__loader__",
    ],
)  # fmt: skip
def test_sizes_that_are_code_are_unsafe(size):
    assert fired(program(size=size)) == (Outcome.UNSAFE, {"export-expression-code"})


@pytest.mark.parametrize(
    "size", ["Mine(s0)", "(s0)(s1)", "s0!", "s0 s1", "s0 # s1", "\uff530", "1" * 2000, "s" * 20_000, ""]
)
def test_sizes_that_are_not_read_are_unverified(size):
    assert fired(program(size=size)) == (Outcome.UNVERIFIED, {"export-expression-unknown"})


@pytest.mark.parametrize(
    "guard",
    [
        "L['x'].size()[0] > L['d']['k'].size()[0]", "((4*L['x'].size()[0]) % (L['x'].size()[0] // 2)) == 0",
        "not (L['x'].size()[0] == 1)", "math.floor(L['x'].size()[0]) <= 5 and 3 < 4", "L['args'][0].shape[1] != 8",
    ],
)  # fmt: skip
def test_guards_as_exporters_write_them_are_plain(guard):
    assert fired(program(guards=(guard,))) == (Outcome.CLEAN, set())


@pytest.mark.parametrize(
    "guard",
    [
        "torch.os.system('true')", "L['x'].__class__", "math.__loader__.x()", "L['x'].size(eval('1'))",
        "L['x']._call()", "L['x'].size\n, '')\n  __import__('os')", "[eval('1')][0]", "L[eval('1')]",
    ],
)  # fmt: skip
def test_guards_that_are_code_are_unsafe(guard):
    assert fired(program(guards=("L['x'].size()[0] > 1", guard))) == (Outcome.UNSAFE, {"export-expression-code"})


def test_text_in_a_guard_that_could_leave_its_quotes_is_not_taken_for_plain():
    assert why_not_plain("L['a\"b'].size()[0] > 1", guard=True) is not None
    assert why_not_plain("L['a'].size()[0] > 1  # x", guard=True) is not None


@pytest.mark.parametrize(
    ("context", "outcome", "rule"),
    [
        ('["a", "b"]', Outcome.CLEAN, None),
        ('[{"__enum__": true, "fqn": "mine:E", "name": "A"}]', Outcome.UNVERIFIED, "export-imports"),
        ('[{"__enum__": true, "fqn": "os:system", "name": "A"}]', Outcome.UNSAFE, "export-imports-danger"),
        (
            {"default_factory_module": "builtins", "default_factory_name": "list", "dict_context": []},
            Outcome.CLEAN,
            None,
        ),
        (
            {"default_factory_module": "mine", "default_factory_name": "f", "dict_context": []},
            Outcome.UNVERIFIED,
            "export-imports",
        ),
        (
            {"default_factory_module": "os", "default_factory_name": "abort", "dict_context": []},
            Outcome.UNSAFE,
            "export-imports-danger",
        ),
        ('{"a": 1, "a": 2}', Outcome.INCOMPLETE, "broken-format"),
    ],
)
def test_descriptions_of_inputs_import_modules(context, outcome, rule):
    inner = spec("builtins.dict", context)
    expected = (outcome, {rule} if rule else set())
    assert fired(program(in_spec=inner)) == fired(program(in_spec=spec("builtins.tuple", "null", inner))) == expected


def test_what_the_list_calls_a_pickle_is_one():
    data = exported(pickled=True, data__weights__weight_0=saved(EVIL))
    assert scanned(data).outcome is Outcome.UNSAFE
    unknown = b"\x80\x02cmine\nThing\n)R."
    assert scanned(exported(pickled=True, data__weights__weight_0=unknown)).outcome is Outcome.UNVERIFIED


@pytest.mark.parametrize(
    "member",
    ["data__weights__weight_0", "data__constants__opaque_obj_1", "data__sample_inputs__model.pt", "extra__note", "x"],
)
def test_a_payload_counts_wherever_it_lies(member):
    assert scanned(exported(**{member: EVIL})).outcome is Outcome.UNSAFE


def test_objects_of_python_are_pickles_without_a_mark():
    assert scanned(exported(data__constants__OPAQUE_OBJ_0=b"cmine\nf\n.")).outcome is Outcome.UNVERIFIED


@pytest.mark.parametrize("name", ["model/data/aotinductor/model/x.cpp", "Model/DATA/AotInductor/m/x_flags.json"])
def test_a_compiled_program_is_unsafe_whatever_its_files_hold(name):
    rules = {finding.rule for finding in scanned(zipped({name: b"{}"})).findings}
    assert "export-native-code" in rules


def test_the_program_of_an_older_archive_is_judged_as_well():
    assert scanned(older(program(node("torch.os.system")))).outcome is Outcome.UNSAFE
    assert scanned(older(constants=EVIL)).outcome is Outcome.UNSAFE


def test_a_program_that_is_no_object_is_incomplete():
    for model in (b"[]", b"{", b"\xff", b'{"a": 1, "a": 2}'):
        assert fired(model) == (Outcome.INCOMPLETE, {"broken-format"})


def test_every_truncation_and_turned_bit_has_an_answer():
    data = exported()
    for cut in range(0, len(data), 7):
        assert scanned(data[:cut]).outcome is not Outcome.UNSAFE
    model = program()
    for flip in flips(model, sample=200):
        assert scanned(exported(flip.data)).outcome in Outcome


def test_what_pytorch_writes_is_clean():
    torch = pytest.importorskip("torch")

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(4, 3)
            self.fixed = torch.arange(3.0)

        def forward(self, x):
            shifted = torch.cond(x.sum() > 0, lambda x: x.sin(), lambda x: x.cos(), (x,))
            return {"a": self.layer(shifted) + self.fixed, "n": x.shape[0] * 2}

    program = torch.export.export(Model(), (torch.randn(5, 4),), dynamic_shapes={"x": {0: torch.export.Dim.AUTO}})
    buffer = io.BytesIO()
    torch.export.save(program, buffer)
    scan = scanned(buffer.getvalue())
    assert (scan.format, scan.outcome, scan.findings) == ("pytorch-export", Outcome.CLEAN, ())


def test_no_size_makes_the_reader_raise():
    for text in ("(", "L[", "\0", "\\", "'", "a." * 5000, "-" * 9000 + "1", "1if 2else 3", "9" * 999 + "**9"):
        for guard in (True, False):
            why_not_plain(text, guard=guard)
    assert json.loads(program())


_CALL = "x=__import__('os').system('true')"


@pytest.mark.parametrize("name", [_CALL, "x, y=eval('1')", "x\ny", "x;y", 'x")', "x'", "a b", "x#", "x\\"])
@pytest.mark.parametrize("key", ["name", "as_name"])
def test_names_of_nodes_that_are_code_are_unsafe(name, key):
    """Loading writes them into the text of ``def forward(self, …)`` as they are, and runs it."""
    one = node(inputs=[{"name": "", "arg": {"as_tensor": {key: name}}}])
    assert fired(program(one)) == (Outcome.UNSAFE, {"export-name-code"})
    assert fired(program().replace(b'"x"', json.dumps(name).encode()))[0] is Outcome.UNSAFE


@pytest.mark.parametrize("key", ["parameter_name", "buffer_name", "forward_arg_names", "fqn", "custom_obj_name"])
def test_places_and_parameters_that_are_code_are_unsafe(key):
    value = [_CALL] if key == "forward_arg_names" else 'a.x")+eval("1")#'
    assert fired(program(node(more={key: value}))) == (Outcome.UNSAFE, {"export-name-code"})
    assert fired(program(node(more={key: "layers.0.parametrizations.weight.a-b/c"}))) == (Outcome.CLEAN, set())


def test_what_a_caller_gives_by_name_is_no_code():
    arguments = spec("builtins.tuple")
    good = spec("builtins.tuple", "null", arguments, spec("builtins.dict", '["input_ids"]'))
    assert fired(program(in_spec=good)) == (Outcome.CLEAN, set())
    for context in (json.dumps([_CALL]), [_CALL]):
        evil = spec("builtins.tuple", "null", arguments, spec("builtins.dict", context))
        assert fired(program(in_spec=evil)) == (Outcome.UNSAFE, {"export-name-code"})


@pytest.mark.parametrize("folder", ["extra", "data", "models", "EXTRA_FILES"])
def test_the_archives_folder_may_have_the_name_of_one_inside(folder):
    whole = exported(program(node("torch.os.system")))
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        moved = {name.replace("model/", f"{folder}/", 1): archive.read(name) for name in archive.namelist()}
    scan = scanned(zipped(moved))
    assert scan.outcome is Outcome.UNSAFE
    assert "export-calls-python" in {finding.rule for finding in scan.findings}


def test_a_list_of_a_model_in_a_folder_says_what_is_pickled_as_well():
    """PyTorch takes ``models/a/b.json`` for the model ``a/b``; its pickle need not look like one."""
    config = {"config": {"w": {"path_name": "weight_7", "is_param": True, "use_pickle": True}}}
    evil = b"N0N0N0cposix\nsystem\n(S'true'\ntR."
    more = {
        "models__a__b.json": program(),
        "data__weights__a__b_weights_config.json": json.dumps(config).encode(),
        "data__weights__weight_7": evil,
    }
    assert scanned(exported(**more)).outcome is Outcome.UNSAFE
    assert scanned(exported(data__constants__opaque_obj_a__b=evil)).outcome is Outcome.UNSAFE


@pytest.mark.parametrize("root", ["models", "data", "extra", "Extra", "version", "archive_format"])
def test_the_one_folder_may_have_any_name(root):
    def moved(data):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return zipped({f"{root}/{name.partition('/')[2]}": archive.read(name) for name in archive.namelist()})

    scan = scanned(moved(exported()))
    assert (scan.format, scan.outcome, scan.findings) == ("pytorch-export", Outcome.CLEAN, ())
    assert scanned(moved(exported(program(node("torch.os.system"))))).outcome is Outcome.UNSAFE
    unknown = saved(b"\x80\x02cmine\nThing\n)R.")
    assert scanned(moved(exported(data__sample_inputs__model_pt=unknown))).outcome is Outcome.UNVERIFIED


def test_members_outside_of_the_one_folder_are_no_numbers():
    strange = zipped({"a/archive_format": b"pt2", "extra/x.pt": saved(b"\x80\x02cmine\nThing\n)R.")})
    assert scanned(strange).outcome is not Outcome.CLEAN


@pytest.mark.parametrize(
    "size", ["9**9**9**9", "(9**64)**64", "2**1000000000", "1 << 10**9", "Pow(Integer(9), Integer(999999999))"]
)
def test_powers_that_take_for_ever_are_not_plain(size):
    assert fired(program(size=size)) == (Outcome.UNVERIFIED, {"export-expression-unknown"})
    assert why_not_plain(size, guard=True) is not None
    assert why_not_plain("s0**2 + Pow(Symbol('s1'), Integer(2)) + 2**u0", guard=False) is None
