"""Feeds the pickle machine random, half-broken programs and compares it with CPython's own unpickler.

Every program is a stream of opcodes, sometimes framed, sometimes with a few bytes changed. A fault is an exception
that is no ``ModelsignError``, or a name that CPython imports and the machine has not seen. CPython runs with inert
stubs in a process of its own under limits. Seeded: a run can be repeated. ``make fuzz`` runs many more.
"""

from __future__ import annotations

import os
import random
import struct

import picklebytes as p
import pytest
from unpickleoracle import Oracle

from modelsign.artifact.reading import BytesReading
from modelsign.errors import ModelsignError
from modelsign.scan import knowledge
from modelsign.scan.pickles import scan_pickle

PROGRAMS = 100_000 if os.environ.get("HYPOTHESIS_PROFILE") == "fuzz" else 1500
WORDS = ["os", "system", "collections", "OrderedDict", "a.b", "__builtin__", "eval", "numpy", "dtype", "f8"]
PLAIN = [bytes([code]) for code in b"N()}]\x8f\x88\x89tld\x85\x86\x87\x91aesu\x90012R\x93ob\x81\x92Q\x94.\x97\x98"]


def opcode(chance: random.Random) -> bytes:
    """Return one opcode with its argument."""
    word, index = chance.choice(WORDS), chance.randrange(6)
    return chance.choice(
        [
            *(chance.choice(PLAIN) for _ in range(5)),
            p.short(word),
            p.short(word),
            b"V" + word.encode() + b"\n",
            p.name(word, chance.choice(WORDS)),
            p.stack_name(word, chance.choice(WORDS)),
            b"(i" + word.encode() + b"\n" + chance.choice(WORDS).encode() + b"\n",
            b"q" + bytes([index]),
            b"h" + bytes([index]),
            b"r" + struct.pack("<I", index),
            b"j" + struct.pack("<I", index),
            b"p%d\n" % index,
            b"g%d\n" % index,
            b"K" + bytes([index]),
            b"\x80" + bytes([index]),
            b"I0%d\n" % index,
            p.binary(chance.randbytes(index)),
            p.frame(chance.randbytes(index)),
        ]
    )


def program(chance: random.Random) -> bytes:
    """Return one program: opcodes, sometimes framed, sometimes with a few bytes changed."""
    body = b"".join(opcode(chance) for _ in range(chance.randrange(1, 40)))
    if chance.random() < 0.3:
        body = p.frame(body, max(0, len(body) + chance.randrange(-8, 8))) + opcode(chance)
    data = bytearray(body + b".")
    for _ in range(chance.choice([0, 0, 0, 1, 3])):
        data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)


def missed(oracle: Oracle, data: bytes) -> set[str]:
    """Return the names that CPython imports and the machine has not seen."""
    ours = scan_pickle(BytesReading(data)).globals
    wanted = {pair for reading in oracle.ask(data) or [] for pair in reading}
    return {".".join(pair) for pair in wanted if not {".".join(pair), ".".join(knowledge.mapped(*pair))} & ours}


@pytest.mark.parametrize("seed", range(4))
def test_no_name_that_cpython_imports_is_missed(seed):
    chance, oracle = random.Random(seed), Oracle()
    try:
        for _ in range(PROGRAMS):
            data = program(chance)
            try:
                assert missed(oracle, data) == set(), data
            except ModelsignError:
                continue
    finally:
        oracle.close()
