"""What training loops put beside the weights in a PyTorch file is clean; what hides among it is not."""

from __future__ import annotations

import argparse
import importlib
import io
import pickle
import subprocess
import zipfile

import pytest

from modelsign.artifact.reading import BytesReading
from modelsign.scan.pickles import scan_pickle, scan_torch_stream
from modelsign.verdict import Outcome


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch", reason="torch is not installed")


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


class Rebuilt:
    """Pickles as ``_rebuild_from_type_v2(function, cls, arguments, state)``."""

    def __init__(self, *parts: object) -> None:
        self.parts = parts

    def __reduce__(self):
        return importlib.import_module("torch._tensor")._rebuild_from_type_v2, self.parts


def rules(findings):
    return {(one.rule, one.outcome) for one in findings}


@pytest.mark.parametrize("write", [zipped, streamed])
def test_arguments_of_a_training_script_are_clean(torch, write):
    arguments = argparse.Namespace(lr=0.1, name="x", layers=[1, 2], resume=None)
    assert write(torch, {"epoch": 3, "args": arguments, "state_dict": torch.nn.Linear(2, 2).state_dict()}) == ()
    assert scan_pickle(BytesReading(pickle.dumps(arguments))).findings == ()


@pytest.mark.parametrize("write", [zipped, streamed])
def test_tensors_and_parameters_that_carry_attributes_are_clean(torch, write):
    tensor, parameter = torch.ones(2), torch.nn.Parameter(torch.ones(2))
    tensor.note = parameter.note = {"shard": 1, "of": ["a", None]}
    assert write(torch, [tensor, parameter, torch.nn.Buffer(torch.ones(1))]) == ()


def test_a_class_among_the_attributes_of_a_tensor_is_not_clean(torch):
    tensor = torch.ones(2)
    tensor.note = torch.nn.Linear
    (found,) = zipped(torch, tensor)
    assert found.rule == "pickle-unreviewed-use"
    assert "may have it called" in found.message


def test_rebuilding_a_tensor_with_a_dangerous_function_is_unsafe(torch):
    found = zipped(torch, Rebuilt(subprocess.check_output, torch.Tensor, (["true"],), {}))
    assert ("pickle-execute", Outcome.UNSAFE) in rules(found)


def test_rebuilding_a_tensor_with_a_function_nobody_knows_is_not_clean(torch):
    found = zipped(torch, Rebuilt(streamed, torch.Tensor, (1,), {}))
    assert ("pickle-unknown-global", Outcome.UNVERIFIED) in rules(found)


@pytest.mark.parametrize("state", [(None, {"a": 1}), "text", 3])
def test_state_that_sets_slots_or_is_no_dict_is_not_clean(torch, state):
    tensor = torch.ones(2)
    rebuild, arguments = tensor.__reduce_ex__(2)
    found = zipped(torch, Rebuilt(rebuild, torch.Tensor, arguments, state))
    assert rules(found) == {("pickle-unreviewed-use", Outcome.UNVERIFIED)}


def test_a_tensor_of_a_class_nobody_knows_is_not_clean(torch):
    tensor = torch.ones(2)
    rebuild, arguments = tensor.__reduce_ex__(2)
    assert ("pickle-unknown-global", Outcome.UNVERIFIED) in rules(
        zipped(torch, Rebuilt(rebuild, Rebuilt, arguments, {}))
    )


def test_a_function_stored_where_the_rebuilding_would_be_called_later_is_unsafe(torch):
    assert ("pickle-execute", Outcome.UNSAFE) in rules(zipped(torch, {"f": torch._tensor._rebuild_from_type_v2}))


@pytest.mark.filterwarnings("ignore")
def test_packed_sequences_pruning_and_averaged_models_are_clean(torch):
    prune = importlib.import_module("torch.nn.utils.prune")
    averaged = torch.optim.swa_utils.AveragedModel(torch.nn.Linear(2, 2))
    layer = torch.nn.Linear(2, 2)
    prune.l1_unstructured(layer, "weight", 0.5)
    packed = torch.nn.utils.rnn.pack_sequence([torch.ones(3), torch.ones(2)])
    normed = torch.nn.utils.spectral_norm(torch.nn.Linear(2, 2))
    dataset = torch.utils.data.TensorDataset(torch.ones(2), torch.ones(2))
    assert zipped(torch, [layer, packed, normed, dataset, averaged]) == ()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("write", [zipped, streamed])
def test_schedulers_that_keep_a_static_method_are_clean(torch, write):
    optimizer = torch.optim.SGD(torch.nn.Linear(2, 2).parameters(), lr=0.1, momentum=0.9)
    cyclic = torch.optim.lr_scheduler.CyclicLR(optimizer, 0.1, 0.2)
    assert write(torch, cyclic.state_dict()) == ()
    assert write(torch, cyclic) == ()
    assert write(torch, torch.optim.swa_utils.SWALR(optimizer, 0.05)) == ()


@pytest.mark.filterwarnings("ignore")
def test_metadata_of_a_distributed_checkpoint_is_clean(torch, tmp_path):
    distributed = importlib.import_module("torch.distributed.checkpoint")
    distributed.save({"model": torch.nn.Linear(2, 2).state_dict()}, checkpoint_id=tmp_path)
    assert scan_pickle(BytesReading((tmp_path / ".metadata").read_bytes())).findings == ()


@pytest.mark.filterwarnings("ignore")
def test_an_object_of_a_distributed_checkpoint_is_unpickled_from_wherever_its_metadata_say(torch, tmp_path):
    """The place could lie among the numbers of a tensor in a shard, which no reader takes for a pickle."""
    distributed = importlib.import_module("torch.distributed.checkpoint")
    distributed.save({"model": torch.nn.Linear(2, 2).state_dict(), "epoch": 3}, checkpoint_id=tmp_path)
    (found,) = scan_pickle(BytesReading((tmp_path / ".metadata").read_bytes())).findings
    assert (found.rule, found.outcome) == ("pickle-unreviewed-use", Outcome.UNVERIFIED)
    assert "BytesStorageMetadata" in found.message


def test_functions_of_quantisation_that_call_back_are_unsafe():
    def imported(module, name):
        data = f"c{module}\n{name}\n.".encode()
        return {one.outcome for one in scan_pickle(BytesReading(data)).findings}

    assert imported("torch.ao.quantization.quantize", "quantize") == {Outcome.UNSAFE}
    assert imported("torch.ao.nn.quantized.modules.linear", "torch.hub.load") == {Outcome.UNSAFE}


class Reached:
    """Pickles as ``getattr(instance, name)``."""

    def __init__(self, owner: object, name: str) -> None:
        self.parts = (owner, name)

    def __reduce__(self):
        return getattr, self.parts


@pytest.mark.filterwarnings("ignore")
def test_functions_of_numbers_that_a_scheduler_kept_before_pytorch_2_are_clean(torch):
    optimizer = torch.optim.SGD(torch.nn.Linear(2, 2).parameters(), lr=0.1, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=5)
    scheduler.anneal_func = Reached(scheduler, "_annealing_cos")
    assert zipped(torch, scheduler) == ()
    scheduler.anneal_func = Reached(scheduler, "_initial_step")
    assert {one.outcome for one in zipped(torch, scheduler)} == {Outcome.UNSAFE}
