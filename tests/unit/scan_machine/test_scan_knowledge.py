"""The data files: well formed, sourced, exact, and in step with what they were taken from."""

from __future__ import annotations

import _compat_pickle
import json
import subprocess
import sys
from pathlib import Path

import pytest

from modelsign.scan import knowledge
from modelsign.scan.machine.rules import CAPABILITIES, RULES
from modelsign.scan.machine.special import SPECIAL
from modelsign.scan.machine.states import REVIEWS

FOLDER = Path(knowledge.__file__).parent
ALLOWED = sorted((FOLDER / "allowed").glob("*.json"))
USES = {"reference", "call", "new", "keywords", "state", "items", "returns", "special", "review", "tags"}


def test_python_2_names_are_cpythons_own():
    document = json.loads((FOLDER / "python2.json").read_bytes())
    gone = set(document["modules"]) - set(_compat_pickle.IMPORT_MAPPING)
    assert gone <= {"Tix"}, "Python 3.13 has no tkinter.tix any more; older ones still map its name"
    assert {old: new for old, new in document["modules"].items() if old not in gone} == _compat_pickle.IMPORT_MAPPING
    assert {tuple(old): tuple(new) for old, new in document["names"]} == _compat_pickle.NAME_MAPPING


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (("__builtin__", "eval"), ("builtins", "eval")),
        (("commands", "getoutput"), ("subprocess", "getoutput")),
        (("copy_reg", "_reconstructor"), ("copyreg", "_reconstructor")),
        (("itertools", "imap"), ("builtins", "map")),
        (("mine", "Thing"), ("mine", "Thing")),
    ],
)
def test_python_2_names_are_mapped(old, new):
    assert knowledge.mapped(*old) == new


@pytest.mark.parametrize("path", ALLOWED, ids=lambda path: path.stem)
def test_every_entry_has_a_source_and_only_known_uses(path):
    document = json.loads(path.read_bytes())
    for group in document["groups"]:
        assert group["source"].strip()
        assert list(knowledge._names(group))
        assert set(group["use"]) <= USES
        assert group["use"].get("special", "encode") in SPECIAL
        assert group["use"].get("review", "catboost") in REVIEWS


@pytest.mark.parametrize("path", ALLOWED, ids=lambda path: path.stem)
def test_no_name_stands_twice_and_every_move_leads_somewhere(path):
    document = json.loads(path.read_bytes())
    names = [name for group in document["groups"] for name in knowledge._names(group)]
    assert len(names) == len(set(names))
    groups = document.get("moved", [])
    assert all(group["source"].strip() for group in groups)
    moved = {old: new for group in groups for old, new in group["names"].items() if not old.endswith("*")}
    assert not set(names) & set(moved)
    assert {new for new in moved.values() if knowledge.allowed(new) is None} == set()


def test_every_dangerous_group_names_a_capability_and_a_source():
    document = json.loads((FOLDER / "dangerous.json").read_bytes())
    for group in document["groups"]:
        assert group["capability"] in CAPABILITIES
        assert group["source"].strip()
        assert group.get("modules") or group.get("names")


@pytest.mark.parametrize(
    ("module", "name", "capability"),
    [
        ("os", "system", "execute"), ("posix", "anything", "execute"), ("builtins", "eval", "execute"),
        ("asyncio.unix_events", "x", "execute"), ("torch", "os.system", "execute"), ("a.b", "c.os.system", "execute"),
        ("mine", "__globals__", "attribute-access"), ("mine", "f.__globals__.get", "attribute-access"),
        ("importlib", "import_module", "import"), ("shutil", "rmtree", "write"), ("socket", "socket", "network"),
        ("ctypes", "CDLL", "native-code"), ("marshal", "loads", "nested-deserialisation"),
        ("sys", "exit", "environment"),
        ("io", "open", "read"), ("builtins", "open.__call__", "read"),
        ("mine", "os_system", None), ("osx", "system", None), ("my.os", "system", None), ("mine", "evaluate", None),
        ("builtins", "list", None),
    ],
)  # fmt: skip
def test_capabilities_are_found_by_exact_parts_and_never_by_substring(module, name, capability):
    assert knowledge.capability(module, name) == capability


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct"),
        ("pandas.core.indexes.numeric.Int64Index", "pandas.Index"),
        ("sklearn.ensemble.forest.RandomForestClassifier", "sklearn.ensemble._forest.RandomForestClassifier"),
        ("collections.OrderedDict", "collections.OrderedDict"),
    ],
)
def test_moved_names_are_judged_by_their_new_place(old, new):
    entry = knowledge.allowed(old)
    assert entry is not None
    assert entry.name == new
    assert knowledge.canonical(old) == new


@pytest.mark.parametrize("name", ["numpy.nothing", "mine.Thing", "sklearn.mine.Thing", "os.system", "", "a"])
def test_what_is_not_listed_is_not_known(name):
    assert knowledge.allowed(name) is None


def test_rule_ids_are_unique():
    assert len({rule.id for rule in RULES}) == len(RULES)


def test_the_derived_data_is_in_step_with_the_installed_library():
    sklearn = pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    document = json.loads((FOLDER / "allowed/sklearn.generated.json").read_bytes())
    if sklearn.__version__ not in document["versions"]:
        pytest.skip(f"the data was derived from another scikit-learn than {sklearn.__version__}")
    tool = Path(__file__).parents[3] / "tools/knowledge.py"
    assert subprocess.run([sys.executable, str(tool), "--check", "sklearn"], check=False).returncode == 0


def test_no_derived_name_is_a_function_or_a_class_with_hooks():
    document = json.loads((FOLDER / "allowed/sklearn.generated.json").read_bytes())
    names = {name for group in document["groups"] for name in group["names"]}
    assert "sklearn.linear_model._logistic.LogisticRegression" in names
    assert "sklearn.pipeline.Pipeline" in names
    assert not any(name.endswith((".clone", ".make_pipeline", "._fit_and_score")) for name in names)


def test_a_move_never_makes_a_dangerous_name_safe():
    for path in ALLOWED:
        for group in json.loads(path.read_bytes()).get("moved", []):
            for old, new in group["names"].items():
                danger, danger_there = (
                    knowledge.capability(*name.removesuffix(".*").rpartition(".")[::2]) for name in (old, new)
                )
                assert danger is None or danger_there == danger, old
    assert knowledge.allowed("numpy.core.os.system") is None
    assert knowledge.allowed("numpy.core.multiarray.fromfile") is None
    assert knowledge.allowed("sklearn.metrics.scorer.exec") is None


def test_the_danger_of_the_old_name_outweighs_its_new_place(monkeypatch):
    move = ({"sklearn.pipeline.Pipeline": {}}, {"os.system": "sklearn.pipeline.Pipeline"})
    monkeypatch.setattr(knowledge, "_library", lambda _: move)
    assert knowledge.canonical.__wrapped__("os.system") == "sklearn.pipeline.Pipeline"
    assert knowledge.allowed("os.system") is None


def test_a_class_counts_only_where_every_version_that_has_it_is_proven():
    document = json.loads((FOLDER / "allowed/sklearn.generated.json").read_bytes())
    assert len(document["versions"]) >= 4
    moved = {old: new for group in document["moved"] for old, new in group["names"].items()}
    assert moved["sklearn.tree.tree.DecisionTreeClassifier"] == "sklearn.tree._classes.DecisionTreeClassifier"
    assert not set(moved) & set(document["withheld"])
