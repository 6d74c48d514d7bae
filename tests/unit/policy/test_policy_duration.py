"""Durations have units of one length."""

from __future__ import annotations

from datetime import timedelta

import pytest

from modelsign.policy.duration import parse


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1s", timedelta(seconds=1)),
        ("90m", timedelta(minutes=90)),
        ("24h", timedelta(days=1)),
        ("90d", timedelta(days=90)),
        ("2w", timedelta(days=14)),
        ("999999w", timedelta(weeks=999999)),
    ],
)
def test_durations(text, value):
    assert parse(text) == value


@pytest.mark.parametrize("text", ["", "d", "0d", "-1d", "1.5h", "1y", "1M", "1 d", "90d\n", "1000000d", "1D", "P1D"])
def test_anything_else_is_none(text):
    with pytest.raises(ValueError, match="is not a duration such as 90d"):
        parse(text)
