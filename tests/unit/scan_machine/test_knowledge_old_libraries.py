"""What older versions of libraries write of their own kind, and what stands near it. Nothing here is ever loaded."""

from __future__ import annotations

import picklebytes as p
import pytest

from modelsign.artifact.reading import BytesReading
from modelsign.scan.pickles import scan_pickle
from modelsign.verdict import Outcome

STAMP = p.name("pandas._libs.tslibs.timestamps", "Timestamp")
DELTA = p.name("pandas._libs.tslibs.timedeltas", "Timedelta")
FROZEN = p.name("pandas.core.indexes.frozen", "FrozenNDArray")
MIXIN = p.name("pandas._libs.tslibs.period", "__pyx_unpickle_PeriodMixin")
PERIODS = p.name("pandas.core.arrays.period", "PeriodArray")
RECONSTRUCT = p.name("numpy.core.multiarray", "_reconstruct")
BYTE = (
    p.name("numpy", "dtype")
    + p.short("i1")
    + b"\x89\x88\x87R(K\x03"
    + p.short("|")
    + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
)
EMPTY = RECONSTRUCT + FROZEN + b"K\x00\x85C\x01b\x87R"
HISTOGRAM = p.name("scipy.stats._continuous_distns", "rv_histogram")


def outcomes(data: bytes) -> set[Outcome]:
    return {one.outcome for one in scan_pickle(BytesReading(p.PROTO4 + data)).findings}


def test_dates_and_durations_of_old_pandas_are_made_of_numbers():
    assert outcomes(STAMP + b"K\x01NN\x87R.") == set()
    assert outcomes(DELTA + b"K\x01\x85R.") == set()
    assert outcomes(STAMP + b"K\x01N" + p.short("/etc/localtime") + b"\x87R.") == {Outcome.UNVERIFIED}
    assert outcomes(STAMP + b"K\x01" + p.short("D") + b"N\x87R.") == {Outcome.UNVERIFIED}
    assert outcomes(DELTA + p.short("1 day") + b"\x85R.") == {Outcome.UNVERIFIED}


def test_an_array_that_may_not_be_changed_has_the_state_of_an_array():
    assert outcomes(EMPTY + b"(K\x01K\x02\x85" + BYTE + b"\x89C\x02\x00\x01tb.") == set()
    objects = p.name("numpy", "dtype") + p.short("O8") + b"\x89\x88\x87R(K\x03" + p.short("|") + b"NNNJ\xff\xff\xff\xff"
    lying = objects + b"J\xff\xff\xff\xffK\x00tb"
    assert Outcome.UNSAFE in outcomes(EMPTY + b"(K\x01K\x01\x85" + lying + b"\x89C\x08AAAAAAAAtb.")
    assert outcomes(EMPTY + b"}b.") == {Outcome.UNVERIFIED}


def test_periods_of_old_pandas_are_plain_attributes():
    assert outcomes(MIXIN + PERIODS + b"J\x4d\x53\x42\x0dN\x87R}\x85b.") == set()
    assert outcomes(MIXIN + p.name("numpy", "ndarray") + b"J\x4d\x53\x42\x0dN\x87R.") == {Outcome.UNVERIFIED}


@pytest.mark.parametrize(("key", "expected"), [("histogram", set()), ("_attach_methods", {Outcome.UNVERIFIED})])
def test_a_histogram_of_old_scipy_is_made_again_of_its_arguments(key, expected):
    assert outcomes(HISTOGRAM + b")\x81}" + p.short(key) + b"NsN\x86b.") == expected
