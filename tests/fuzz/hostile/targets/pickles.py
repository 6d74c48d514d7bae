"""The pickle machine, held against CPython's own unpicklers with inert stubs and against pickletools."""

from __future__ import annotations

import random
from functools import cache

from pickledifferences import compare
from pickleprograms import program, real_pickles
from unpickleoracle import Oracle

from hostile.target import Target


@cache
def oracle() -> Oracle:
    return Oracle()


def seeds() -> list[bytes]:
    made = [program(random.Random(seed)) for seed in range(120)]
    return [data for data in (*made, *real_pickles()) if len(data) < 2000]


TARGETS = (Target("unpicklers", lambda data: compare(data, oracle().ask(data)), seeds, "pickle", total=True),)
