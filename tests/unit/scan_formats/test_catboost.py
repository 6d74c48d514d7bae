"""CatBoost: models whose offsets and counts hold are clean; unknown parts and damage are not."""

from __future__ import annotations

import random

import older_files as made
import pytest

from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file

NAMED = {3: ["static_provider_v1"]}


def scan(data, name="model.cbm"):
    return scan_file(BytesReading(data), name)


@pytest.mark.parametrize(
    "data",
    [made.catboost(), made.catboost(NAMED, made.ctr(made.CTR_TABLE, made.CTR_TABLE)), made.catboost(NAMED, made.ctr())],
    ids=["trees", "categories", "no categories"],
)
def test_a_model_is_clean_whatever_its_name(data):
    for name in ("model.cbm", "catboost.bin"):
        result = scan(data, name)
        assert (result.outcome, result.findings, result.format) == ("clean", (), "catboost")


@pytest.mark.parametrize(
    "data",
    [
        made.catboost({3: ["mine_v1"]}, b"more"),
        made.catboost({0: "Other"}),
        made.catboost(behind=b"more"),
        made.catboost(NAMED, made.ctr(made.CTR_TABLE) + b"more"),
    ],
    ids=["unknown part", "other version", "bytes behind", "bytes behind the tables"],
)
def test_parts_that_are_not_known_are_unverified(data):
    result = scan(data)
    assert (result.outcome, {finding.rule for finding in result.findings}) == ("unverified", {"catboost-part"})


@pytest.mark.parametrize(
    "data",
    [
        b"CBM1",
        b"CBM2" + made.catboost()[4:],
        made.catboost(size=10**6),
        made.catboost(size=20),
        made.catboost({1: {**made.TREES, 2: [1, 1]}}),
        made.catboost({1: {**made.TREES, 2: [4, -1]}}),
        made.catboost(NAMED, made.ctr(made.CTR_TABLE)[:-2]),
        made.catboost({3: ["x"] * 200}),
    ],
    ids=range(8),
)
def test_what_does_not_hold_is_incomplete(data):
    assert scan(data).outcome == "incomplete"


def test_any_damage_has_an_answer():
    chance = random.Random(8)
    data = made.catboost(NAMED, made.ctr(made.CTR_TABLE))
    for cut in range(len(data)):
        scan(data[:cut])
    for _ in range(600):
        changed = bytearray(data)
        changed[chance.randrange(4, len(changed))] = chance.choice([0, 255, chance.randrange(256)])
        scan(bytes(changed))
