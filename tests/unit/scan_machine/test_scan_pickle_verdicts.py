"""What the machine says of single things a pickle can do: rule, outcome, words and place."""

from __future__ import annotations

import io
import pickle
import struct
import time

import picklebytes as p
import pytest

from modelsign import limits
from modelsign.artifact.reading import BytesReading
from modelsign.scan.formats.pickle import FORMAT
from modelsign.scan.machine import rules, walk
from modelsign.scan.pickles import analyse, scan_pickle, scan_torch_stream
from modelsign.verdict import Outcome, worst


def scan(data: bytes, **options: object):
    return scan_pickle(BytesReading(data), **options).findings


def found(data: bytes, **options: object) -> set[str]:
    return {finding.rule for finding in scan(data, **options)}


def test_a_finding_says_what_the_bytes_do_and_where():
    (finding,) = scan(p.reduce_stack("posix", "system"), member="archive/data.pkl")
    assert finding.message == "calls posix.system('true')"
    assert finding.rule == "pickle-execute"
    assert finding.outcome is Outcome.UNSAFE
    assert finding.offset == p.reduce_stack("posix", "system").index(b"R.")
    assert finding.member == "archive/data.pkl"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (b"K\x01\x85", "(1)"),
        (b"N\x88K\x02\x87", "(None, bool, 2)"),
        (b"]}\x86", "([…], {…})"),
        (b"C\x01a\x85", "(b'a')"),
        (p.stack_name("mine", "T") + b"\x85", "(mine.T)"),
        (p.stack_name("collections", "OrderedDict") + b")R\x85", "(<collections.OrderedDict>)"),
        (b"((((ttt\x85", "((((…))))"),
        (b"(" + b"K\x01" * 9 + b"t", "(1, 1, 1, 1, 1, 1, …)"),
        (p.short("a" * 100) + b"\x85", "('" + "a" * 58 + "…)"),
        (b"G" + bytes(8) + b"\x85", "(<float>)"),
        (b"]", "(*[…])"),
        (b"\x8f\x85", "({…})"),
        (b"L" + b"9" * 40 + b"L\n\x85", "(…)"),
        (b"P1\n\x85", "(<computed>)"),
    ],
)
def test_calls_are_shown_as_pseudo_python(arguments, text):
    assert f"calls os.system{text}" in {
        finding.message for finding in scan(p.PROTO4 + p.stack_name("os", "system") + arguments + b"R.")
    }


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (p.reduce_stack("mine", "Thing"), "pickle-unknown-global"),
        (p.PROTO4 + p.stack_name("mine", "Thing") + b".", "pickle-unknown-global"),
        (p.PROTO4 + b"K\x01" + p.short("x") + b"\x93.", "pickle-underivable"),
        (p.PROTO4 + p.stack_name("_codecs",
         "encode") + p.short("os") + p.short("latin1") + b"\x86R" + p.short("x") + b"\x93.",
         "pickle-underivable"),
        (p.PROTO4 + p.stack_name("mine", "Thing") + b")R)R.", "pickle-computed-call"),
        (p.PROTO4 + p.stack_name("mine", "Thing") + b")R)\x81.", "pickle-computed-call"),
        (p.PROTO4 + p.short("text") + b")R.", "pickle-computed-call"),
        (p.PROTO4 + p.stack_name("collections", "OrderedDict") + b"}b.", "pickle-state-on-name"),
        (p.PROTO4 + p.stack_name("mine", "Thing") + p.short("k") + b"Ns.", "pickle-state-on-name"),
        (b"Pkey\n.", "pickle-persistent-id"),
        (b"K\x01Q.", "pickle-persistent-id"),
        (b"\x82\x01.", "pickle-extension-code"),
        (b"\x83\x01\x00.", "pickle-extension-code"),
        (b"\x84\x01\x00\x00\x00.", "pickle-extension-code"),
        (b"\x80\x05\x97.", "pickle-out-of-band"),
        (b"\x80\x05\x97\x98.", "pickle-out-of-band"),
        (p.PROTO4 + p.stack_name("collections", "deque") + b")RK\x01b.", "pickle-unreviewed-use"),
        (p.PROTO4 + b"K\x01}b.", "pickle-unreviewed-use"),
        (p.PROTO4 + p.stack_name("decimal", "Decimal") + p.short("1") + b"\x85RK\x01a.", "pickle-unreviewed-use"),
        (p.PROTO4 + p.stack_name("decimal", "Decimal") + p.short("1") + b"\x85R" + p.short("k") + b"Ns.",
         "pickle-unreviewed-use"),
        (p.PROTO4 + p.stack_name("decimal", "Decimal") + p.short("1") + b"\x85R(N\x90.", "pickle-unreviewed-use"),
        (p.PROTO4 + b"K\x01Na.", "pickle-unreviewed-use"),
        (p.PROTO4 + p.stack_name("copyreg", "_reconstructor") + b".", "pickle-unreviewed-use"),
        (p.PROTO4 + p.stack_name("copyreg", "_reconstructor") + b"K\x01\x85R.", "pickle-unreviewed-use"),
        (p.PROTO4 + p.stack_name("copyreg", "__newobj__") + b")R.", "pickle-unreviewed-use"),
        (p.PROTO4 + p.stack_name("copyreg", "__newobj_ex__") + b")R.", "pickle-unreviewed-use"),
        (p.PROTO4 + p.stack_name("uuid", "UUID") + b")}\x92.", "pickle-unreviewed-use"),
        (p.PROTO4 + p.stack_name("uuid", "UUID") + b"K\x01\x85\x81.", "pickle-unreviewed-use"),
        (p.PROTO4 + p.stack_name("uuid", "UUID") + b"]\x81.", "pickle-unreviewed-use"),
        (p.PROTO4 + p.stack_name("numpy", "dtype") + b"K\x01\x85R.", "pickle-unreviewed-use"),
        (p.PROTO4 + p.stack_name("_codecs", "encode") + p.short("a") + p.short("rot13") + b"\x86R.",
         "pickle-unreviewed-use"),
        (p.PROTO4 + p.stack_name("collections", "defaultdict") + p.stack_name("mine", "f") + b"\x85R.",
         "pickle-unreviewed-use"),
        (p.PROTO4 + p.stack_name("decimal", "Decimal") + b")R}b.", "pickle-unreviewed-use"),
        (p.PROTO4 + p.stack_name("torch.storage", "_load_from_bytes") + b"C\x01x\x85R.", "pickle-nested-unread"),
        (p.PROTO4 + p.stack_name("torch.storage", "_load_from_bytes") + b"P1\n\x85R.", "pickle-nested-unread"),
        (p.PROTO4 + p.stack_name("builtins", "getattr") + p.short("x") + p.short("y") + b"\x86R.",
         "pickle-attribute-access"),
        (p.PROTO4 + p.stack_name("builtins", "getattr") + p.stack_name("mine", "T") + p.short("y") + b"\x86R.",
         "pickle-unknown-global"),
        (p.PROTO4 + p.stack_name("builtins", "getattr") + p.stack_name("mine",
         "T") + p.short("__globals__") + b"\x86R.",
         "pickle-attribute-access"),
        (p.PROTO4 + p.stack_name("functools", "partial") + p.stack_name("copyreg", "_reconstructor") + b"\x85R.",
         "pickle-attribute-access"),
    ],
)  # fmt: skip
def test_each_rule_fires(data, rule):
    assert rule in found(data)
    assert worst(finding.outcome for finding in scan(data)) is not Outcome.CLEAN


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"N", "ends without STOP"),
        (b"J\x00", "ends in the middle"),
        (b"\x8c\xffabc", "ends in the middle"),
        (b"cos", "ends in the middle of a line"),
        (b"I1", "ends in the middle of a line"),
        (b"Ix\n.", "text literal"),
        (b"\xff", "0xff"),
        (b".", "nothing on the stack"),
        (b"0.", "more from the stack"),
        (b"N\x86.", "more from the stack"),
        (b"t.", "more from the stack"),
        (b"1.", "mark that is not there"),
        (b"(u.", "adds items to nothing"),
        (b"(\x90.", "adds items to nothing"),
        (b"N(0(0e.", "more from the stack"),
        (b"N(00e.", "more from the stack"),
        (b"]N(00]e", "more from the stack"),
        (b"N(1(o.", "no class"),
        (b"h\x00.", "entry 0 of the memo"),
        (b"gx\n.", "no number"),
        (b"Np-1\n.", "negative memo index"),
        (b"\x80\x06N.", "protocol 6"),
        (b"c\nx\n.", "GLOBAL without a name"),
        (b"(ix\n\n.", "INST without a name"),
        (b"\x8b\xff\xff\xff\xff.", "negative length"),
        (b"T\xff\xff\xff\xff.", "negative length"),
        (b"N((00l.", "mark that is not there"),
    ],
)
def test_a_broken_pickle_is_incomplete_and_says_why(data, words):
    messages = [finding.message for finding in scan(data) if finding.rule == "pickle-broken"]
    assert messages
    assert words in messages[0]
    assert found(data) == {"pickle-broken"}


def test_opcodes_beyond_a_mark_and_odd_ones_are_walked():
    assert scan(b"(K\x01K\x02l.") == ()
    assert scan(b"(K\x01K\x02d.") == ()
    assert scan(b"(K\x01\x91.") == ()
    assert scan(b"N(K\x010K\x0210N2.") == ()
    assert scan(b"Np0\ng0\n.") == ()
    assert scan(b"](K\x01K\x02e.") == ()
    assert scan(b"]K\x01a}K\x01K\x02s.") == ()
    assert scan(b"\x8f(K\x01\x90.") == ()
    assert scan(b"C\x01a\x98.") == ()
    assert scan(b"K\x01\x85K\x01\x85\x85.") == ()


def test_bytes_behind_the_end_are_a_finding_and_further_pickles_are_walked():
    assert found(b"N." + b"\x00\x00") == {"pickle-trailing-bytes"}
    assert scan(b"N.N.N.") == ()
    assert analyse(BytesReading(b"N.N.N.")).streams == 3
    assert found(b"N.N." + b"P1\n" + b"\xff") == {"pickle-trailing-bytes", "pickle-persistent-id"}


def test_a_memo_kept_from_one_pickle_to_the_next_is_followed_too():
    first = p.PROTO4 + p.short("os") + b"\x94" + p.short("system") + b"\x94\x86."
    second = p.PROTO4 + p.short("collections") + b"\x94" + p.short("OrderedDict") + b"\x94" + b"00h\x00h\x01\x93)R."
    inspection = scan_pickle(BytesReading(first + second))
    assert "pickle-execute" in {finding.rule for finding in inspection.findings}
    assert {"os.system", "collections.OrderedDict"} <= inspection.globals


def test_what_a_reader_of_frames_would_drop_is_seen():
    data = p.behind_frame(p.stack_name("os", "system") + b")R.")
    assert {"pickle-frame-crossed", "pickle-execute"} <= found(data)


@pytest.mark.parametrize(
    "data",
    [
        p.PROTO4 + p.frame(p.frame(b"N")) + b".",
        p.PROTO4 + p.frame(b"N.", 99),
        p.PROTO4 + p.frame(b"J\x00\x00") + b"\x00\x00.",
        p.PROTO4 + p.frame(b"N.NN", 4),
        p.PROTO4 + p.frame(b"cx") + b"\ny\n.",
        p.PROTO4 + p.frame(b"B" + struct.pack("<I", 4) + b"ab") + b"cd.",
        p.PROTO4 + p.frame(b"N", (1 << 64) - 1) + b".",
    ],
)
def test_frames_that_do_not_fit_are_a_finding(data):
    assert "pickle-frame-crossed" in found(data)


def test_frames_that_fit_are_none():
    assert scan(p.PROTO4 + p.frame(b"N") + p.frame(b"0N.")) == ()
    assert scan(p.PROTO4 + p.frame(b"") + b"N.") == ()


def test_every_budget_that_runs_out_is_incomplete(monkeypatch):
    monkeypatch.setattr(walk, "_WINDOW", 64)
    many = b"N" * 500 + b"."
    for name in ("PICKLE_WALKED_BYTES", "PICKLE_STACK"):
        with monkeypatch.context() as patch:
            patch.setattr(limits, name, 100)
            assert found(many) == {"pickle-budget"}
    with monkeypatch.context() as patch:
        patch.setattr(limits, "PICKLE_MEMO", 100)
        assert found(b"N" + b"\x94" * 500 + b".") == {"pickle-budget"}
    with monkeypatch.context() as patch:
        patch.setattr(limits, "PICKLE_GLOBALS", 2)
        assert "pickle-budget" in found(b"".join(p.name("m", f"n{number}") for number in range(5)) + b".")
    assert rules.BUDGET.outcome is Outcome.INCOMPLETE


def test_a_small_window_changes_nothing(monkeypatch):
    value = {"text": ["a" * 300, b"b" * 500, {1: (2, 3)}], "many": list(range(500))}
    data = [pickle.dumps(value, protocol) for protocol in range(6)]
    monkeypatch.setattr(walk, "_WINDOW", 40)
    for one in [*data, p.stack_by_memo("os", "system")]:
        assert found(one) == ({"pickle-execute"} if b"system" in one else set())


def test_findings_of_one_kind_are_kept_once_and_bounded(monkeypatch):
    call = p.name("mine", "f") + b")R0"
    assert len(scan(call * 50 + b"N.")) == 1
    monkeypatch.setattr(limits, "SCAN_FINDINGS", 5)
    assert len(scan(b"".join(p.name("mine", f"f{number}") for number in range(50)) + b".")) == 6


def test_an_unknown_class_that_is_built_the_usual_way_is_only_unverified():
    class Thing:
        pass

    Thing.__module__, Thing.__qualname__ = "mine", "Thing"
    data = p.PROTO4 + p.stack_name("mine", "Thing") + b")\x81}" + p.short("x") + b"K\x01sb."
    (finding,) = scan(data)
    assert finding.outcome is Outcome.UNVERIFIED
    assert finding.message == "calls mine.Thing(), which is not known to be safe"
    old = b"ccopy_reg\n_reconstructor\n(cmine\nThing\nc__builtin__\nobject\nNtR}b."
    assert found(old) == {"pickle-unknown-global"}


def test_items_put_into_an_unknown_instance_are_covered_by_its_class():
    data = p.PROTO4 + p.stack_name("mine", "L") + b")\x81(K\x01e."
    assert found(data) == {"pickle-unknown-global"}


def test_a_persistent_id_of_another_shape_is_a_finding_for_pytorch_too():
    data = p.PROTO2 + b"(" + p.short("storage") + b"K\x01tQ."
    assert found(data, persistent="torch") == {"pickle-persistent-id"}
    assert found(b"Px\n.", persistent="torch") == {"pickle-persistent-id"}


def test_the_scan_can_start_in_the_middle():
    data = b"\x93NUMPY" + p.reduce_stack("os", "system")
    inspection = scan_pickle(BytesReading(data), start=6)
    assert inspection.findings[0].offset > 6
    assert inspection.end == len(data)


def test_readable_means_that_it_looks_like_a_pickle():
    assert not scan_pickle(BytesReading(b"{}")).readable
    assert not scan_pickle(BytesReading(b"")).readable
    assert scan_pickle(BytesReading(b"\x80\x04")).readable
    assert scan_pickle(BytesReading(b"N.")).readable
    assert scan_pickle(BytesReading(b"cos\nsystem\n")).readable


def test_the_format_recognises_by_the_first_opcode():
    assert FORMAT.recognise(BytesReading(pickle.dumps({}, 0)), "x")
    assert FORMAT.recognise(BytesReading(pickle.dumps({}, 5)), "x")
    assert not FORMAT.recognise(BytesReading(b"{}"), "model.pkl")
    assert not FORMAT.recognise(BytesReading(b""), "model.pkl")
    assert FORMAT.scan(BytesReading(p.reduce_stack("os", "system")), "x").findings[0].rule == "pickle-execute"


MAGIC = p.PROTO2 + b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."


def torch_stream(payload: bytes) -> bytes:
    return MAGIC + p.PROTO2 + b"M\xe9\x03." + p.PROTO2 + b"}." + payload + p.PROTO2 + b"]."


def test_an_older_pytorch_stream_is_walked_past_its_magic_number():
    inspection = scan_torch_stream(BytesReading(torch_stream(p.reduce_stack("os", "system"))))
    assert inspection.readable
    assert inspection.findings[0].rule == "pickle-execute"
    assert FORMAT.scan(BytesReading(torch_stream(b"N.")), "x").findings == ()


def test_numbers_behind_an_older_pytorch_stream_must_be_as_many_as_it_says():
    inspection = scan_torch_stream(BytesReading(torch_stream(b"N.") + b"12345678"))
    assert {finding.rule for finding in inspection.findings} == {"pickle-trailing-bytes"}


@pytest.mark.parametrize("data", [b"", MAGIC, b"N.", MAGIC + b"N.N.", p.PROTO2 + b"K\x01." + MAGIC])
def test_what_only_begins_like_a_pytorch_stream_is_none(data):
    assert not scan_torch_stream(BytesReading(data)).readable


def test_streams_inside_streams_end_at_a_depth():
    inner = torch_stream(b"N.")
    for _ in range(limits.PICKLE_DEPTH + 2):
        inner = torch_stream(p.PROTO4 + p.stack_name("torch.storage", "_load_from_bytes") + p.binary(inner) + b"\x85R.")
    data = p.PROTO4 + p.stack_name("torch.storage", "_load_from_bytes") + p.binary(inner) + b"\x85R."
    assert found(data) == {"pickle-nested-unread"}


def test_bytes_written_as_latin_1_text_are_scanned_as_bytes():
    inner = torch_stream(p.reduce_stack("os", "system"))
    text = inner.decode("latin-1").encode()
    encoded = p.name("_codecs", "encode") + b"X" + struct.pack("<I", len(text)) + text + p.short("latin1") + b"\x86R"
    data = p.PROTO2 + p.name("torch.storage", "_load_from_bytes") + encoded + b"\x85R."
    assert "pickle-execute" in found(data)
    wide = p.name("_codecs", "encode") + p.short("\u20ac") + p.short("latin1") + b"\x86R"
    assert "pickle-nested-unread" in found(p.name("torch.storage", "_load_from_bytes") + wide + b"\x85R.")


def test_a_file_reader_of_frames_reads_lines_and_bytes_as_cpython_does():
    value = io.BytesIO()
    value.write(p.PROTO4 + p.frame(b"(cos") + b"\nsystem\nNtR.")
    assert "pickle-frame-crossed" in found(value.getvalue())


def test_many_small_pickles_cost_no_more_than_their_bytes():
    started = time.process_time()
    assert analyse(BytesReading(b"N." * 20_000)).streams == 20_000
    assert time.process_time() - started < 20
