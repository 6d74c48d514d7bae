"""Formulas that statsmodels evaluates as it is loaded: clean where they compute with columns. None is evaluated."""

from __future__ import annotations

import picklebytes as p
import pytest

from modelsign.artifact.reading import BytesReading
from modelsign.scan.pickles import scan_pickle
from modelsign.scan.python.formulas import FormulaError, numpy_functions_of
from modelsign.verdict import Outcome

HARMLESS = [
    "y ~ a",
    "y ~ a + b - 1",
    "y ~ 0 + a:b + a*b / c",
    "y ~ (a + b + c)**2",
    "~ a",
    "y ~ 1",
    "np.log(y) ~ np.log1p(a) + np.sqrt(a + 1) + np.power(b, 2)",
    "y ~ C(c) + a:b",
    "y ~ C(c, Treatment('u')) + C(d, Treatment(reference=2)) + C(e, Sum) + C(f, levels=['a', 'b', 3])",
    "y ~ C(c, contrast=Poly())",
    "Q(\"weight in kg\") ~ Q('a.b')",
    "y ~ I(a**2) + I(a > 5) + I(c == 'u') + I((a + b) / 2)",
    "y ~ center(a) + standardize(b, ddof=1) + scale(np.log(a))",
    "y ~ bs(a, df=4, degree=3) + cr(b, df=3, constraints='center') + cc(c, knots=[1, 2.5, -1e6])",
    "y ~ te(cr(a, df=3), cr(b, df=3), constraints='center')",
    "y ~ log(a) + exp(b)",
    "y ~ a +\n    b",
    "y ~ np + C + eval",
    "y ~ np.where(a > 1, 1, 0)",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_a_formula_that_only_computes_is_harmless(text):
    assert all(f"np.{name}(" in text for name in numpy_functions_of(text))


def test_a_formula_tells_what_it_asks_numpy_for():
    assert numpy_functions_of("np.log(y) ~ I(np.exp(a))") == {"log", "exp"}
    assert numpy_functions_of("y ~ np") == frozenset()


HARMFUL = [
    "y ~ exec('x')",
    "y ~ eval(a)",
    "y ~ __import__('os').system('true')",
    "y ~ os.system('true')",
    "y ~ a.apply(b)",
    "y ~ np.log.at(a, b)",
    "y ~ np.load(a)",
    "y ~ np.f2py.compile(a)",
    "y ~ np . testing",
    "y ~ np.log",
    "y ~ numpy.log(a)",
    "y ~ mine(a)",
    "y ~ mine (a)",
    "y ~ np (a)",
    "y ~ C(c, exit)",
    "y ~ C(c, breakpoint())",
    "y ~ C(c, contrast=exit)",
    "y ~ C(c, Treatment(exit))",
    "y ~ C(c, np.log)",
    "y ~ C(c, levels=exit)",
    "y ~ Q(a)",
    "y ~ Q('__builtins__')",
    "y ~ Q('a' + 'b')",
    "y ~ te(mine(a))",
    "y ~ te(exit)",
    "y ~ bs(a, df=exit)",
    "y ~ bs(a, df=1000000000)",
    "y ~ bs(a, 1000000000)",
    "y ~ center(a, _state=b)",
    "y ~ I(lambda: a)",
    "y ~ I([b for b in a])",
    "y ~ I([a][0])",
    "y ~ a[0]",
    "y ~ {exit()}",
    "y ~ `a`",
    "y ~ I(f'{exit()}')",
    'y ~ I(f"{exit()}")',
    "y ~ Q(f'a')",
    "y ~ Q('{exit()}')",
    "y ~ Q('a\\x62')",
    "y ~ I('%1000000000d' % a)",
    "y ~ I('a' * 1000000000)",
    "y ~ I(a == 'b' * 1000000000)",
    "y ~ I(9**9**9)",
    "y ~ I(9**(9**9))",
    "y ~ a**2**2",
    "y ~ I(9**99999999)",
    "y ~ I(a**b)",
    "y ~ I((((((9**9)**9)**9)**9)**9)**9)",
    "y ~ (a + b)**99",
    "y ~ a*b*c*d*e*f*g*h*i*j*k",
    "y ~ a if b else c",
    "y ~ I(a := 1)",
    "y ~ I(not a)",
    "y ~ I(a and exit())",
    "y ~ a b",
    "y ~ 1 (a)",
    "y ~ a; exit()",
    "y ~ a # b",
    "y ~ a ~ b",
    "y ~ __builtins__",
    "y ~ a.__class__",
    "y ~ a__b",
    "y ~ \uff4e\uff50.log(a)",
    "y ~ I(0x10)",
    "y ~ I(1_0)",
    "y ~ I(1.real)",
    "y ~ I(a, exit())",
    "y ~ " + "(" * 100 + "a" + ")" * 100,
    "y ~ " + "a + " * 1000 + "a",
    "y ~ I(",
    "y ~ ",
    "",
]


@pytest.mark.parametrize("text", HARMFUL)
def test_anything_else_in_a_formula_is_refused(text):
    with pytest.raises(FormulaError):
        numpy_functions_of(text)


MANAGER = p.stack_name("pandas.core.internals.managers", "BlockManager")
KEYS = ("restore_design_info", "restore_model_spec")


def frame(state: bytes = p.short("_mgr") + MANAGER + b")]\x86Rs", of: bytes = b"") -> bytes:
    return (of or p.stack_name("pandas", "DataFrame")) + b")\x81}" + state + b"b"


def data(formula: bytes, kept: bytes | None = None, key: str = KEYS[0], before: bytes = b"") -> bytes:
    """Return what statsmodels pickles of data with a formula."""
    begin = p.PROTO4 + before + p.stack_name("statsmodels.base.data", "PandasData") + b")\x81}("
    kept = frame() if kept is None else kept
    items = p.short("frame") + kept + p.short("formula") + formula + p.short(key) + b"\x88"
    return begin + items + b"ub."


def found(pickled: bytes):
    return scan_pickle(BytesReading(pickled)).findings


@pytest.mark.parametrize("key", KEYS)
def test_a_harmless_formula_with_a_plain_frame_is_clean(key):
    assert found(data(p.short("y ~ a + np.log(b)"), key=key)) == ()
    old = p.short("_data") + MANAGER + b")\x81)bs" + p.short("_typ") + p.short("dataframe") + b"s"
    assert found(data(p.short("y ~ C(c)"), frame(old), key=key)) == ()


def doubts(pickled: bytes) -> set[str]:
    return {one.rule for one in found(pickled) if one.outcome in {Outcome.UNVERIFIED, Outcome.UNSAFE}}


@pytest.mark.parametrize("text", ["y ~ exec('x')", "y ~ C(c, exit)", "y ~ os.system('true')"])
def test_a_formula_that_does_more_is_told(text):
    (finding,) = found(data(p.short(text)))
    assert (finding.rule, finding.outcome) == ("pickle-unreviewed-use", Outcome.UNVERIFIED)
    assert f"formula is evaluated as Python when it is loaded: {text!r}" in finding.message


COLUMN = b"]" + p.short("np") + b"a0"
ARROW = (
    p.stack_name("pyarrow.lib", "_restore_array") + b"(" + p.stack_name("pyarrow.lib", "type_for_alias")
    + p.short("string") + b"\x85RK\x01K\x00K\x00](N" + p.stack_name("pyarrow.lib", "py_buffer")
    + p.binary(b"\0\0\0\0\x02\0\0\0") + b"\x85R" + p.stack_name("pyarrow.lib", "py_buffer") + p.binary(b"np")
    + b"\x85Re]Nt\x85R0"
)  # fmt: skip
NOT_FOLLOWED = {
    "a dict for a frame": data(p.short("y ~ C(c)"), b"}"),
    "no frame": data(p.short("y ~ C(c)"), b"N"),
    "a series for a frame": data(p.short("y ~ C(c)"), frame(of=p.stack_name("pandas", "Series"))),
    "a frame with an attribute": data(
        p.short("y ~ C(c)"), frame(b"(" + p.short("_mgr") + MANAGER + b")]\x86R" + p.short("copy") + b"Nu")
    ),
    "a frame without blocks": data(p.short("y ~ C(c)"), frame(b"")),
    "a frame of something else": data(p.short("y ~ C(c)"), frame(p.short("_mgr") + frame() + b"s")),
    "a frame from before": data(p.short("y ~ C(c)"), b"h\x00", before=frame() + b"\x940"),
    "two frames": data(p.short("y ~ C(c)"), frame() + p.short("frame") + frame()),
    "two formulas": data(p.short("y ~ C(c)") + p.short("formula") + p.short("y ~ exit()")),
    "a formula that is computed": data(
        p.stack_name("builtins", "str") + p.binary(b"y ~ a") + p.short("ascii") + b"\x86R"
    ),
    "a name to call": data(p.short("y ~ C(c)"), before=p.stack_name("numpy", "memmap") + b"0"),
    "a class of another library": data(p.short("y ~ C(c)"), before=p.stack_name("functools", "partial") + b"0"),
    "a column np": data(p.short("y ~ np.log(a)"), before=COLUMN),
    "a column np of Arrow": data(p.short("y ~ np.log(a)"), before=ARROW),
    "a column np in letters of NumPy": data(p.short("y ~ np.log(a)"), before=p.binary("np".encode("utf-32-le")) + b"0"),
    "a column np in a line": data(p.short("y ~ np.log(a)"), before=b"V\\u006ep\n0"),
}


@pytest.mark.parametrize("name", NOT_FOLLOWED)
def test_a_formula_whose_names_may_stand_for_something_else_is_not_clean(name):
    assert doubts(NOT_FOLLOWED[name])


def test_a_column_np_matters_only_where_numpy_is_asked():
    assert found(data(p.short("y ~ C(c)"), before=COLUMN + ARROW)) == ()
    assert found(data(p.short("y ~ np"), before=COLUMN)) == ()


def test_a_function_stored_beside_a_formula_is_told():
    stored = p.short("mine") + p.stack_name("sklearn.utils", "check_array")
    kept = frame() + stored
    assert doubts(data(p.short("y ~ C(c)"), kept))
    assert found(data(p.short("y ~ C(c)"), frame() + p.short("mine") + p.stack_name("numpy", "log"))) == ()


def test_without_a_key_nothing_is_evaluated():
    assert found(data(p.short("y ~ exec('x')"), key="other")) == ()
