"""Times are RFC 3339, in UTC, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from modelsign.timestamp import read, write


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-11-23T12:00:00Z", datetime(2026, 11, 23, 12, tzinfo=UTC)),
        ("2026-11-23T12:00:00+02:00", datetime(2026, 11, 23, 10, tzinfo=UTC)),
        ("2026-11-23T12:00:00.5Z", datetime(2026, 11, 23, 12, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-11-23T12:00:00.123456789Z", datetime(2026, 11, 23, 12, 0, 0, 123_456, tzinfo=UTC)),
        ("2028-02-29T23:59:59-00:00", datetime(2028, 2, 29, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_times_are_read_in_utc(text, value):
    assert read(text) == value
    assert read(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-23",
        "2026-11-23T12:00:00",
        "2026-11-23 12:00:00Z",
        "2026-11-23t12:00:00z",
        "20261123T120000Z",
        "2026-11-23T12:00Z",
        "2026-02-30T00:00:00Z",
        "2026-11-23T24:00:01Z",
        "2026-11-23T12:00:60Z",
        "0000-01-01T00:00:00Z",
        "2026-11-23T12:00:00Z\n",
        "2026-11-23T12:00:00+25:00",
        "0001-01-01T00:00:00+10:00",
        "٢٠٢٦-11-23T12:00:00Z",
        "now",
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match="is not a time"):
        read(text)


def test_times_are_written_to_the_second():
    assert write(datetime(2026, 1, 2, 3, 4, 5, 999_999, tzinfo=UTC)) == "2026-01-02T03:04:05Z"
    assert write(datetime(2026, 1, 2, tzinfo=timezone(timedelta(hours=2)))) == "2026-01-01T22:00:00Z"
    assert write(datetime(5, 1, 1, tzinfo=UTC)) == "0005-01-01T00:00:00Z"


def test_a_time_without_zone_cannot_be_written():
    with pytest.raises(ValueError, match="without a zone"):
        write(datetime(2026, 1, 2))  # noqa: DTZ001 - that is the point
