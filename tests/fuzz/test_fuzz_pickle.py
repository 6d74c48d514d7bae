"""Holds the pickle machine against CPython's unpicklers and pickletools on programs made from seeds.

A short slice of what ``tools/fuzz_pickles.py`` runs by the million, with the same seeds, so that what it finds can be
repeated here. The unpicklers have inert stubs and run in a process of their own (``unpickleoracle``).
"""

from __future__ import annotations

import random

import pytest
from picklebytes import PROTO4, frame, short, stack_name
from pickledifferences import Disagreement, compare
from pickleprograms import EVERY_OPCODE, program, real_pickles
from unpickleoracle import READINGS, Oracle

from modelsign.scan.machine import opcodes

PROGRAMS = 250


@pytest.fixture(scope="module")
def oracle():
    process = Oracle()
    yield process
    process.close()


@pytest.mark.parametrize("slice_", range(6))
def test_the_machine_sees_everything_that_unpicklers_do(oracle, slice_):
    seeds = range(slice_ * PROGRAMS, (slice_ + 1) * PROGRAMS)
    programs = [program(random.Random(seed)) for seed in seeds]
    for seed, data, answers in zip(seeds, programs, oracle.ask_all(programs), strict=True):
        try:
            compare(data, answers)
        except Disagreement as fault:
            pytest.fail(f"seed {seed}: {fault}: {data!r}")


def test_what_picklers_write_is_read_as_unpicklers_read_it(oracle):
    for data in real_pickles():
        compare(data, oracle.ask(data))


def test_every_opcode_is_made():
    assert set(EVERY_OPCODE) == set(opcodes.NAMES)
    made = {code for seed in range(400) for data in [program(random.Random(seed))] for code in data}
    assert made >= set(EVERY_OPCODE)


def test_the_oracle_gives_up_on_what_takes_too_much_and_goes_on(oracle):
    deep = b"(" + b")" + b"\x85" * 2_000_000 + b"\x91."  # the hash of a tuple this deep ends the process
    assert oracle.ask_all([b"N.", deep, b"N."])[::2] == [oracle.ask(b"N.")] * 2


CALL = stack_name("os", "system") + short("true") + b"\x85R"


@pytest.mark.parametrize(
    ("data", "does"),
    [
        (PROTO4 + CALL + b".", ["call", ["g", "os", "system"], ["t", [["s", "true", 4]], 1]]),
        (PROTO4 + stack_name("a", "B") + b")\x81}b.", ["state", ["o"], ["c", "dict"]]),
        (PROTO4 + stack_name("a", "B") + b"Na.", ["items", ["g", "a", "B"]]),
        (b"P1\n.", ["persistent", ["s", "1", 1]]),
        (b"\x82\x01.", ["extension", 1]),
        (b"\x97.", ["buffer"]),
        (frame(b"K\x05."), ["stop", ["i", 5], 12]),
    ],
)
def test_the_oracle_tells_what_every_unpickler_does(oracle, data, does):
    answers = oracle.ask(data)
    for reading in READINGS:
        assert does in answers[reading][0] or ["state", ["o"], ["?"]] in answers[reading][0], reading


@pytest.mark.parametrize(
    "changed",
    [
        lambda events: events.insert(0, ["import", "os", "system", None]),
        lambda events: events[0].__setitem__(2, "popen"),
        lambda events: events[1].__setitem__(2, ["t", [["s", "false", 5]], 1]),
        lambda events: events[2].__setitem__(2, 7),
    ],
)
def test_a_difference_is_not_overlooked(oracle, changed):
    data = PROTO4 + CALL + b"."
    answers = oracle.ask(data)
    compare(data, answers)
    changed(answers["whole"][0])
    with pytest.raises(Disagreement):
        compare(data, answers)
