"""TorchScript: programs that compute are clean, and every way to an operator that reaches outside is found."""

from __future__ import annotations

import io
import struct

import model_files
import pytest

from modelsign import limits
from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file

OWN = b"\x80\x02c__torch__\nM\n)\x81}X\x08\x00\x00\x00training\x88sb."
"""The pickle of an instance of the archive's own class M."""
HEAD = "class M(Module):\n  __parameters__ = []\n  __buffers__ = []\n  training : bool\n"


def body(*lines):
    return (
        HEAD + "  def forward(self: __torch__.M, x: Tensor) -> Tensor:\n" + "".join(f"    {line}\n" for line in lines)
    )


def scan(source, *, objects=OWN, extra=None):
    data = source.encode("utf-8") if isinstance(source, str) else source
    members = {"archive/code/__torch__.py": data, **(extra or {})}
    return scan_file(BytesReading(model_files.pytorch(objects, extra=members)), "model.pt")


def rules(result):
    return {finding.rule for finding in result.findings}


def test_an_ordinary_program_is_clean():
    lines = [
        "_0 = torch.add(x, CONSTANTS.c0)",
        'if torch.gt((torch.size(x))[0], 0): ops.prim.RaiseException("save \\"it\\" from_file", "builtins.Error")',
        "_1, _2, = (self).other(_0, )",
        "_3 = ops.quantized.linear(x, annotate(List[int], [1]), 1.0000000000000001e-05, -1)",
        "return torch.relu_(x)  # torch.save(x, 'a')",
    ]
    assert scan(body(*lines)).findings == ()


REACHING = {
    "saves": 'torch.save(x, "/tmp/a")',
    "saves by a method": 'x.save("/tmp/a")',
    "saves by a method of a result": '(torch.relu(x)).save("/tmp/a")',
    "saves by a subscript's method": 'y[0] . save("/tmp/a")',
    "saves by a string's method": '"a".save("/tmp/a")',
    "saves by another name": "f = torch.save",
    "saves over lines": 'torch . \\\n  save(x, "/tmp/a")',
    "saves through autograd": 'torch.autograd.save(x, "a")',
    "saves by ops": 'ops.aten.save(x, "a")',
    "saves by getattr": 'getattr(x, "save")("a")',
    "saves by an escaped getattr": 'getattr(x, "s\\141ve")("a")',
    "saves behind a field": 'self.layer.weight.save("a")',
    "saves behind a number": '1 .save("a")',
    "maps a file": 'torch.from_file("/etc/passwd", False, 10)',
    "reads a picture": 'ops.image.read_file("/etc/passwd")',
    "writes a picture": 'ops.image.write_file("/etc/passwd", x)',
    "runs Python": "ops.prim.PythonOp(x)",
    "calls others (CVE-2024-48063)": 'rpc_sync("worker", f, (x,))',
    "calls others by ops": 'ops.prim.rpc_async("worker", f, (x,))',
}


@pytest.mark.parametrize("line", REACHING.values(), ids=REACHING)
def test_an_operator_that_reaches_outside_is_unsafe_cve_2025_32434(line):
    result = scan(body(line, "return x"))
    assert (result.outcome, rules(result)) == ("unsafe", {"torchscript-reaches-out"})


@pytest.mark.parametrize(
    "line",
    [
        "ops.mylibrary.evil(x)",
        "ops.aten.no_such_operator(x)",
        "torch.no_such_operator(x)",
        "torch.cuda.evil(x)",
        "o = ops",
        "o = ops.mylibrary",
        "t = torch",
        "ops.c10d.allreduce_(x)",
        "y : __torch__.torch.classes.dist_rpc.WorkerInfo = x",
        "ops.mkldnn.data_ptr(x)",
    ],
)
def test_an_operator_of_unknown_use_is_unverified(line):
    result = scan(body(line, "return x"))
    assert (result.outcome, rules(result)) == ("unverified", {"torchscript-unknown-operator"})


def test_a_method_of_ones_own_that_is_called_save_is_unverified():
    result = scan(
        body("self.save(x)", "return x") + "  def save(self: __torch__.M, x: Tensor) -> Tensor:\n    return x\n"
    )
    assert (result.outcome, rules(result)) == ("unverified", {"torchscript-unknown-operator"})


@pytest.mark.parametrize(
    "source", ["x = 'open\n", 'x = "a\\"', "x = '''a''", b"\x00", b"\xff\xfe", "ü = 1", "a\rb", "\x0c"]
)
def test_source_that_pytorch_would_not_write_is_incomplete(source):
    assert rules(scan(source, objects=model_files.STATE)) == {"torchscript-unreadable"}


def test_a_program_beyond_the_budget_is_incomplete(monkeypatch):
    monkeypatch.setattr(limits, "TORCHSCRIPT_BYTES", 40)
    assert "torchscript-unreadable" in rules(scan(body("return x")))


def test_a_class_without_code_of_its_own_stays_unknown():
    assert rules(scan(HEAD.replace("M(", "N("))) == {"pickle-unknown-global"}
    assert scan_file(BytesReading(model_files.pytorch(OWN)), "a.pt").outcome == "unverified"


def test_code_lends_no_dangerous_name_its_innocence():
    result = scan(
        "class system(Module):\n  pass\n",
        objects=model_files.EVIL,
        extra={"archive/code/os.py": b"class system(Module):\n  pass\n"},
    )
    assert result.outcome == "unsafe"


@pytest.mark.parametrize("place", ["archive/CODE/__torch__.PY", "x/code/a/b.py", "archive/code/__torch__/deep/er.py"])
def test_every_source_counts_wherever_it_lies(place):
    assert "torchscript-reaches-out" in rules(scan(HEAD, extra={place: b"torch.save(x, 'a')\n"}))


def bytecode(*names, code=b"X"):
    items = b"".join(
        code + (struct.pack("<I", len(name)) if code == b"X" else bytes([len(name)])) + name + b"q\x01"
        for name in names
    )
    return b"\x80\x02(" + items + b"t."


def test_bytecode_of_known_operators_is_clean():
    data = {"archive/bytecode.pkl": bytecode(b"aten::add", b"aten::relu", b"quantized::linear", b"hello")}
    assert scan(HEAD, extra=data).findings == ()


@pytest.mark.parametrize("code", [b"X", b"U"])
def test_bytecode_that_saves_is_unsafe(code):
    assert rules(scan(HEAD, extra={"archive/bytecode.pkl": bytecode(b"aten::save", code=code)})) == {
        "torchscript-reaches-out"
    }


def test_bytecode_across_blocks_is_found():
    filler = b"X" + struct.pack("<I", 256 * 1024 - 20) + b"a" * (256 * 1024 - 20)
    data = {"archive/bytecode.pkl": b"\x80\x02(" + filler + bytecode(b"aten::save")[3:]}
    assert "torchscript-reaches-out" in rules(scan(HEAD, extra=data))


def test_bytecode_with_an_unknown_operator_is_unverified():
    assert rules(scan(HEAD, extra={"archive/bytecode.pkl": bytecode(b"mine::evil")})) == {
        "torchscript-unknown-operator"
    }


def saved(module):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    buffer = io.BytesIO()
    torch.jit.save(module, buffer)
    return scan_file(BytesReading(buffer.getvalue()), "model.pt")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "kind",
    ["Conv2d(1, 2, 3)", "LSTM(3, 4, 2)", "PReLU()", "TransformerEncoderLayer(8, 2)", "GRU(3, 4)", "MaxPool2d(2)"],
)
def test_what_pytorch_scripts_is_clean(kind):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    name, _, arguments = kind.partition("(")
    module = getattr(torch.nn, name)(*(int(word) for word in arguments.rstrip(")").split(",") if word))
    assert saved(torch.jit.script(module.eval())).findings == ()


@pytest.mark.filterwarnings("ignore")
def test_what_pytorch_traces_freezes_and_quantizes_is_clean():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    nn = torch.nn
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(18, 2)).eval()
    traced = torch.jit.trace(net, torch.zeros(1, 1, 5, 5))
    assert saved(traced).findings == ()
    assert saved(torch.jit.freeze(traced)).findings == ()
    quantized = torch.ao.quantization.quantize_dynamic(net, {nn.Linear}, dtype=torch.qint8)
    assert saved(torch.jit.script(quantized)).findings == ()


@pytest.mark.filterwarnings("ignore")
def test_what_pytorch_writes_of_a_program_that_saves_is_unsafe():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    module = torch.jit.script(torch.nn.Identity())
    module.define("def spill(self, x: Tensor):\n    torch.save(x, 'never-run')\n    return x\n")
    assert rules(saved(module)) == {"torchscript-reaches-out"}
