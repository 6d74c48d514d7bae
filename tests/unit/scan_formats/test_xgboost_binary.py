"""XGBoost's binary models: clean where every index lies within what it points into and every byte is accounted for."""

from __future__ import annotations

import random
import struct

import picklebytes as p
import pytest
import xgboostbytes as made

from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file
from modelsign.verdict import Outcome

DELETED = (*made.TREE, (0, made.NONE, made.NONE, made.GONE))
ATTRIBUTES = ((b"best_iteration", b"3"), (b"objective", b'{"name": "reg:squarederror"}'))
GOOD = {
    "a tree": made.model(),
    "no trees": made.model(made.trees()),
    "with its mark": b"binf" + made.model(),
    "attributes": made.model(attributes=ATTRIBUTES),
    "a deleted node": made.model(made.trees(made.tree(DELETED, deleted=1))),
    "a leaf alone": made.model(made.trees(made.tree(((made.NONE, made.NONE, made.NONE, 0),)))),
    "classes": made.model(made.trees(*[made.tree()] * 3, groups=(0, 1, 2)), objective=b"multi:softprob", classes=3),
    "dropped trees": made.model(made.trees(made.tree()) + struct.pack("<Qf", 1, 0.5), booster=b"dart"),
    "weights": made.model(made.weights(5), booster=b"gblinear"),
    "weights of old": made.model(made.weights(5, features=4, groups=1), booster=b"gblinear", major=0),
    "a parameter and metrics of old": made.model(
        objective=b"count:poisson",
        major=0,
        metrics=1,
        behind=made.text(b"0.7") + struct.pack("<Q", 1) + made.text(b"mae"),
    ),
    "leaves of version 2": made.model(made.trees(made.tree(leaf=1)), major=2),
    "a default to the left": made.model(made.trees(made.tree(((-1, 1, 2, 1 << 31 | 3), *made.TREE[1:])))),
    "a configuration behind": made.snapshot(b"binf" + made.model()),
}


def scan(data, name="model.bin"):
    return scan_file(BytesReading(data), name)


@pytest.mark.parametrize("name", GOOD)
def test_a_whole_model_is_clean_whatever_its_name(name):
    for file in ("model.bin", "xgb.model", "model.deprecated"):
        result = scan(GOOD[name], file)
        assert (result.outcome, result.findings, result.format) == ("clean", (), "xgboost")


def one(*nodes, **numbers):
    return made.model(made.trees(made.tree(nodes, **numbers)))


ROOT, *LEAVES = made.TREE
DAMAGED = {
    "a child beyond the tree": one((-1, 1, 3, 0), *LEAVES),
    "a negative child": one((-1, 1, -7, 0), *LEAVES),
    "a child that is the root": one((-1, 1, 0, 0), *LEAVES),
    "a child twice": one((-1, 1, 1, 0), *LEAVES),
    "a circle": one(ROOT, (0, 2, 0, 0), LEAVES[1]),
    "a child of another": one(ROOT, LEAVES[0], (1, -1, -1, 0)),
    "a child that is deleted": one(ROOT, LEAVES[0], (0, -1, -1, made.GONE), deleted=1),
    "a node of nobody": one(ROOT, *LEAVES, (0, -1, -1, 0)),
    "a count of deleted nodes": one(*made.TREE, deleted=1),
    "a deleted root": one((-1, -1, -1, made.GONE), deleted=1),
    "a feature beyond the model": one((-1, 1, 2, 4), *LEAVES),
    "a feature beyond the tree": one((-1, 1, 2, 3), *LEAVES, features=3),
    "no nodes": one(count=0),
    "nodes by the billion": one(*made.TREE, count=2**31 - 1),
    "a negative number of nodes": one(*made.TREE, count=-1),
    "trees by the billion": made.model(made.trees(count=2**31 - 1)),
    "a negative number of trees": made.model(made.trees(count=-1)),
    "a group beyond the classes": made.model(made.trees(made.tree(), groups=(1,))),
    "a negative group": made.model(made.trees(made.tree(), groups=(-1,))),
    "a group beyond those of old": made.model(made.trees(made.tree(), groups=(1,), of=1), classes=2),
    "fewer weights of trees": made.model(made.trees(made.tree()) + struct.pack("<Q", 0), booster=b"dart"),
    "fewer weights than features": made.model(made.weights(4), booster=b"gblinear"),
    "other weights than of old": made.model(made.weights(5, features=9, groups=1), booster=b"gblinear"),
    "no weights": made.model(made.weights(0), booster=b"gblinear"),
    "attributes by the billion": made.model(attributes=ATTRIBUTES).replace(b"\x02" + bytes(7), b"\xff" * 8),
    "bytes behind": made.model(behind=b"more"),
    "a configuration before its place": made.snapshot(made.model(), size=len(made.model()) - 1),
    "a configuration behind the file": made.snapshot(made.model(), size=10**9),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_an_index_or_a_length_that_does_not_hold_is_incomplete(name):
    assert scan(DAMAGED[name]).outcome == "incomplete"


@pytest.mark.parametrize(
    "data",
    [
        b"binf" + made.model(booster=b"mine"),
        made.model(made.trees(made.tree(roots=2))),
        made.model(made.trees(made.tree(leaf=1))),
        made.model(made.trees(made.tree(leaf=3)), major=2),
        made.model(made.trees(made.tree(), leaf=1)),
    ],
    ids=["another booster", "several roots", "leaves of version 2 in 1", "vectors for leaves", "leaves of a vector"],
)
def test_what_no_version_writes_is_unverified(data):
    result = scan(data)
    assert (result.outcome, {finding.rule for finding in result.findings}) == ("unverified", {"xgboost-part"})


def test_what_only_resembles_a_model_is_none():
    for data in (made.model(booster=b"mine"), made.model(objective=b"\x00\xff"), made.model(objective=b"x" * 101)):
        assert scan(data).format != "xgboost"


def test_the_configuration_behind_a_model_is_scanned_as_json():
    assert scan(made.snapshot(made.model(), b'{"_target_": "os.system"}')).outcome != "clean"
    assert scan(made.snapshot(made.model(), b"no json")).outcome != "clean"


@pytest.mark.parametrize("data", [made.model(), made.snapshot(made.model())], ids=["of old", "of 1.0"])
def test_a_pickled_booster_is_clean_where_its_model_is(data):
    def pickled(model):
        begin = p.PROTO4 + p.stack_name("xgboost.core", "Booster") + b")\x81}" + p.short("handle")
        return begin + p.stack_name("builtins", "bytearray") + p.binary(model) + b"\x85Rsb."

    assert scan(pickled(data), "model.pkl").outcome == "clean"
    assert scan(
        pickled(data.replace(struct.pack("<iii", -1, 1, 2), struct.pack("<iii", -1, 1, 9))), "x.pkl"
    ).outcome == ("incomplete")


def test_a_model_that_breaks_off_anywhere_is_not_clean():
    data = made.model(attributes=ATTRIBUTES)
    for cut in range(1, len(data)):
        assert scan(data[:cut]).outcome != "clean"


def test_any_damage_has_an_answer():
    chance = random.Random(8)
    data = made.snapshot(made.model(attributes=ATTRIBUTES))
    for _ in range(600):
        changed = bytearray(data)
        changed[chance.randrange(4, len(changed))] = chance.choice([0, 255, chance.randrange(256)])
        assert scan(bytes(changed)).outcome in Outcome
