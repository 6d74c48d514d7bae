"""Whole PyTorch modules, optimizers and schedulers are clean; what their reviewed hooks could call is not."""

from __future__ import annotations

import functools
import importlib
import inspect
import io
import json
import math
import pathlib
import pickle
import subprocess
import sys
import zipfile

import pytest

from modelsign.artifact.reading import BytesReading
from modelsign.scan import knowledge
from modelsign.scan.pickles import scan_pickle, scan_torch_stream
from modelsign.verdict import Outcome

FOLDER = pathlib.Path(knowledge.__file__).parent / "allowed"
SIMPLE = [(), (3,), (3, 3), (4, 2), (3, 3, 3), (4, 2, 1), (2, 2, 2, 2)]
FOLDERS = (
    "torch.amp.",
    "torch.ao.nn.",
    "torch.ao.quantization.stubs.",
    "torch.cuda.amp.",
    "torch.distributions.",
    "torch.nn.",
    "torch.optim.",
    "torch.utils.data.dataloader.DataLoader",
    "torch.utils.data.dataset.",
    "torch.utils.data.distributed.",
    "torch.utils.data.sampler.",
)
GENERATED = json.loads((FOLDER / "torch.generated.json").read_bytes())


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch", reason="torch is not installed")


def constructed(torch):
    for name, cls in sorted(vars(torch.nn).items()):
        if inspect.isclass(cls) and issubclass(cls, torch.nn.Module):
            for arguments in SIMPLE:
                try:
                    yield name, cls(*arguments)
                except (TypeError, ValueError, AssertionError, NotImplementedError, IndexError):
                    continue
                break


def zipped(torch, value):
    saved = io.BytesIO()
    torch.save(value, saved)
    with zipfile.ZipFile(saved) as archive:
        data = archive.read(next(name for name in archive.namelist() if name.endswith("data.pkl")))
    return scan_pickle(BytesReading(data), persistent="torch").findings


def streamed(torch, value):
    saved = io.BytesIO()
    torch.save(value, saved, _use_new_zipfile_serialization=False)
    return scan_torch_stream(BytesReading(saved.getvalue())).findings


@pytest.mark.filterwarnings("ignore")
def test_every_module_that_takes_simple_arguments_is_clean_saved_whole(torch):
    seen = 0
    for name, module in constructed(torch):
        assert zipped(torch, module) == (), name
        assert streamed(torch, module) == (), name
        seen += 1
    assert seen > 130


@pytest.mark.filterwarnings("ignore")
def test_modules_of_modules_are_clean(torch):
    nn = torch.nn
    layer = nn.TransformerEncoderLayer(4, 2)
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.LSTM(3, 3), nn.ModuleList([layer, nn.TransformerEncoder(layer, 2)]))
    assert zipped(torch, model) == ()
    assert streamed(torch, nn.DataParallel(model)) == ()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "NAdam", "Adafactor", "LBFGS"])
def test_optimizers_and_schedulers_are_clean_saved_whole(torch, name):
    model = torch.nn.Linear(2, 2)
    optimizer = getattr(torch.optim, name)(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2)
    model(torch.ones(1, 2)).sum().backward()
    if name != "LBFGS":
        optimizer.step()
    assert zipped(torch, [model, optimizer, scheduler]) == ()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "stored", [functools.partial(pathlib.PurePath, "a"), pickle.Pickler, io.BytesIO, functools.partial]
)
def test_what_could_hide_a_method_of_an_optimizer_is_not_clean(torch, stored):
    optimizer = torch.optim.SGD(torch.nn.Linear(2, 2).parameters(), lr=0.1)
    optimizer.defaults["also"] = stored
    assert {one.outcome for one in zipped(torch, optimizer)} & {Outcome.UNVERIFIED, Outcome.UNSAFE}


@pytest.mark.filterwarnings("ignore")
def test_a_class_beside_an_optimizer_is_named_with_what_might_call_it(torch):
    optimizer = torch.optim.SGD(torch.nn.Linear(2, 2).parameters(), lr=0.1)
    (found,) = zipped(torch, [optimizer, torch.nn.ReLU])
    assert found.rule == "pickle-unreviewed-use"
    assert "torch.optim.sgd.SGD" in found.message
    assert zipped(torch, [optimizer, math.sqrt, torch.float32, torch.nn.functional.relu]) == ()
    assert zipped(torch, [torch.nn.Linear(1, 1), torch.nn.ReLU]) == ()


class Reaching:
    """Pickles as ``getattr(instance, name)``."""

    def __init__(self, owner: object, name: str) -> None:
        self.parts = (owner, name)

    def __reduce__(self):
        return getattr, self.parts


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "outcomes"),
    [
        ("_infer_parameters", set()),
        ("_lazy_load_hook", set()),
        ("forward", {Outcome.UNVERIFIED}),
        ("_apply", {Outcome.UNSAFE}),
        ("__init__", {Outcome.UNSAFE}),
        ("__class__", {Outcome.UNSAFE}),
        ("forward.__globals__", {Outcome.UNSAFE}),
    ],
)
def test_getattr_of_an_instance_is_judged_by_what_it_gets(torch, name, outcomes):
    assert {one.outcome for one in zipped(torch, Reaching(torch.nn.LazyLinear(2), name))} == outcomes


@pytest.mark.filterwarnings("ignore")
def test_a_bound_method_is_never_called_by_the_pickle(torch):
    class Calling:
        def __reduce__(self):
            return torch.nn.LazyLinear(2)._infer_parameters, (1,)

    assert Outcome.UNSAFE in {one.outcome for one in zipped(torch, Calling())}


PLAIN = [group for group in GENERATED["groups"] if "enum" not in group["use"].get("tags", ())]


@pytest.mark.parametrize("group", PLAIN, ids=lambda group: group["names"][0])
def test_derived_names_take_no_arguments_and_no_items(group):
    use = group["use"]
    is_tuple = use["new"] == [["*any"]]  # named tuples hold what they are given
    assert use["new"] == [[]] or is_tuple
    assert use.get("state", "none") == ("none" if is_tuple else "dict")
    assert not set(use) & {"call", "items", "special", "returns"}
    assert all(name.startswith(FOLDERS) for name in group["names"])


def installed(name):
    module, _, qualname = name.rpartition(".")
    try:
        return getattr(importlib.import_module(module), qualname, None)
    except ImportError:
        return None


@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("torch")
def test_derived_names_are_classes_that_pickle_as_plain_objects():
    for name in (name for group in PLAIN for name in group["names"]):
        found = installed(name)
        if found is None:
            continue  # of another version
        assert inspect.isclass(found), name
        assert issubclass(found, tuple) or not inspect.isfunction(inspect.unwrap(found.__new__)), name
        assert found.__reduce_ex__ is object.__reduce_ex__, name


def test_the_derived_data_is_in_step_with_the_installed_torch(torch):
    if torch.__version__.partition("+")[0] not in GENERATED["versions"]:
        pytest.skip("the data was derived from another PyTorch")
    tool = pathlib.Path(__file__).parents[3] / "tools/knowledge.py"
    assert subprocess.run([sys.executable, str(tool), "--check", "torch"], check=False).returncode == 0
