"""What training scripts keep of PyTorch beside its modules: scalers, loaders, generators, quantised modules."""

from __future__ import annotations

import io
import pickle

import pytest

from modelsign.artifact.reading import BytesReading
from modelsign.scan.pickles import scan_pickle, scan_torch_stream
from modelsign.verdict import Outcome


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch", reason="torch is not installed")


def outcomes(torch, value):
    saved = io.BytesIO()
    torch.save(value, saved, _use_new_zipfile_serialization=False)
    return {one.outcome for one in scan_torch_stream(BytesReading(saved.getvalue())).findings}


class Calling:
    """Pickles as a call."""

    def __init__(self, function, *arguments):
        self.how = function, arguments

    def __reduce__(self):
        return self.how


@pytest.mark.filterwarnings("ignore")
def test_a_scaler_kept_whole_is_clean(torch):
    scaler = torch.amp.GradScaler("cpu")
    assert outcomes(torch, {"scaler": scaler, "state": scaler.state_dict()}) == set()


def test_a_loader_of_tensors_is_clean(torch):
    data = torch.utils.data.TensorDataset(torch.ones(4))
    loader = torch.utils.data.DataLoader(data, batch_size=2, shuffle=True)
    assert outcomes(torch, loader) == set()


def test_a_scaler_is_made_without_its_constructor(torch):
    assert outcomes(torch, Calling(torch.amp.GradScaler, "cpu")) == {Outcome.UNVERIFIED}


def test_the_functions_that_scalers_and_loaders_keep_are_not_called(torch):
    from torch.amp.grad_scaler import _refresh_per_optimizer_state  # noqa: PLC0415 - torch may be missing

    assert outcomes(torch, Calling(_refresh_per_optimizer_state)) == {Outcome.UNVERIFIED}
    assert outcomes(torch, Calling(torch.utils.data.default_collate, [1])) == {Outcome.UNVERIFIED}


def test_a_generator_is_not_known_to_be_safe_because_of_its_state(torch):
    assert outcomes(torch, torch.Generator()) == {Outcome.UNVERIFIED}


def test_other_names_of_the_native_module_stay_dangerous(torch):
    assert outcomes(torch, Calling(torch._C._load_for_lite_interpreter, "x", None)) == {Outcome.UNSAFE}


@pytest.mark.filterwarnings("ignore")
def test_quantised_modules_are_unverified_because_of_what_native_code_is_handed(torch):
    quantised = torch.ao.nn.quantized
    for made in (quantised.Linear(2, 2), quantised.Conv2d(1, 1, 1), quantised.Embedding(2, 2)):
        assert outcomes(torch, made) == {Outcome.UNVERIFIED}


def test_other_names_of_the_quantisation_package_stay_dangerous():
    data = b"\x80\x02ctorch.ao.quantization.fx.convert\nconvert\n."
    assert {one.outcome for one in scan_pickle(BytesReading(data)).findings} == {Outcome.UNSAFE}


@pytest.mark.parametrize(
    "name",
    [
        "torch.optim._multi_tensor.adam.Adam",
        "torch.quantization.stubs.QuantStub",
        "torch.nn.intrinsic.modules.fused.ConvBn2d",
        "torch.nn.modules.linear._LinearWithBias",
        "torch.ao.nn.quantized.modules.Quantize",
    ],
)
def test_classes_of_other_versions_are_known(name):
    module, _, short = name.rpartition(".")
    data = b"\x80\x02c%s\n%s\n)\x81}b." % (module.encode(), short.encode())
    assert scan_pickle(BytesReading(data)).findings == ()


@pytest.mark.parametrize(
    "name", ["torch.nn.quantized.modules.linear.LinearPackedParams", "torch.nn.quantized.modules.conv.Conv2d"]
)
def test_classes_whose_state_native_code_took_in_one_version_are_not(name):
    module, _, short = name.rpartition(".")
    data = b"\x80\x02c%s\n%s\n)\x81}b." % (module.encode(), short.encode())
    assert {one.outcome for one in scan_pickle(BytesReading(data)).findings} == {Outcome.UNVERIFIED}


def test_a_state_that_is_no_dict_is_not_given_to_a_scaler():
    data = pickle.PROTO + b"\x02ctorch.amp.grad_scaler\nGradScaler\n)\x81N}\x86b."
    assert {one.outcome for one in scan_pickle(BytesReading(data)).findings} == {Outcome.UNVERIFIED}


class Attribute:
    """Pickles as ``getattr(owner, name)``."""

    def __init__(self, owner, name):
        self.parts = owner, name

    def __reduce__(self):
        return getattr, self.parts


def test_functions_of_tensors_that_modules_keep_by_name_are_clean(torch):
    kept = [torch.relu, torch.tanh, torch.sigmoid, torch.softmax, torch.nn.init.xavier_uniform_]
    assert outcomes(torch, kept) == set()


def test_functions_of_tensors_are_not_called(torch):
    assert outcomes(torch, Calling(torch.relu, 1)) == {Outcome.UNSAFE}
    assert outcomes(torch, Calling(torch.nn.init.zeros_, 1)) == {Outcome.UNVERIFIED}


@pytest.mark.parametrize("name", ["from_file", "_make_dep_token", "__new__", "relu.__call__"])
def test_other_attributes_of_the_class_that_holds_them_stay_dangerous(torch, name):
    found = outcomes(torch, Attribute(torch._C._VariableFunctionsClass, name))
    assert found == {Outcome.UNSAFE}


def test_the_class_that_holds_them_is_kept_nowhere(torch):
    assert outcomes(torch, [torch._C._VariableFunctionsClass]) == {Outcome.UNSAFE}


def test_named_tuples_of_results_are_clean(torch):
    eye = torch.eye(3)
    assert outcomes(torch, [torch.max(eye, 0), torch.topk(eye, 2), torch.linalg.svd(eye)]) == set()


def test_named_tuples_of_results_are_made_of_a_tuple_alone(torch):
    assert outcomes(torch, Calling(torch.return_types.max, [1, 2])) == {Outcome.UNVERIFIED}


def made_of(name, code=b")\x81}b"):
    module, _, short = name.rpartition(".")
    data = b"\x80\x02c%s\n%s\n%s." % (module.encode(), short.encode(), code)
    return {one.outcome for one in scan_pickle(BytesReading(data)).findings}


@pytest.mark.parametrize(
    "name",
    [
        "torchvision.models.resnet.ResNet",
        "torchvision.models.mobilenet.MobileNetV2",
        "torchvision.ops.misc.Conv2dNormActivation",
        "torchvision.transforms.transforms.Compose",
        "timm.models.vision_transformer.VisionTransformer",
        "timm.models.layers.drop.DropPath",
        "timm.layers.drop.DropPath",
    ],
)
def test_models_of_vision_libraries_are_known(name):
    assert made_of(name) == set()
    assert made_of(name, b"N\x85R") == {Outcome.UNVERIFIED}


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("torchvision.models._api.get_model", Outcome.UNVERIFIED),
        ("torchvision.datasets.utils.download_url", Outcome.UNSAFE),
        ("timm.models.helpers.load_checkpoint", Outcome.UNVERIFIED),
        ("timm.models._factory.create_model", Outcome.UNVERIFIED),
    ],
)
def test_functions_of_vision_libraries_are_not(name, outcome):
    assert outcome in made_of(name, b")R")


@pytest.mark.parametrize("root", ["pytorch_lightning", "lightning.pytorch"])
def test_lightning_names_the_states_of_callbacks_by_their_classes(root):
    callback = f"{root}.callbacks.model_checkpoint.ModelCheckpoint"
    assert made_of(callback, b"") == set()
    assert made_of(callback, b")R") == {Outcome.UNVERIFIED}
    attributes = f"{root}.utilities.parsing.AttributeDict"
    assert made_of(attributes, b")\x81N\x88s") == set()
    assert made_of(attributes, b")\x81}b") == {Outcome.UNVERIFIED}


@pytest.mark.parametrize(
    "name",
    [
        "trl.trainer.sft_config.SFTConfig",
        "trl.trainer.dpo_config.DPOConfig",
        "sentence_transformers.training_args.SentenceTransformerTrainingArguments",
        "sentence_transformers.cross_encoder.training_args.CrossEncoderTrainingArguments",
    ],
)
def test_arguments_of_training_take_state_alone(name):
    assert made_of(name) == set()
    assert made_of(name, b")R") == {Outcome.UNVERIFIED}
    assert made_of(name, b"") == {Outcome.UNVERIFIED}


def test_functions_beside_arguments_of_training_are_not_known():
    assert made_of("trl.trainer.sft_trainer.SFTTrainer") == {Outcome.UNVERIFIED}
    assert made_of("sentence_transformers.util.http_get", b"X\x01\x00\x00\x00a\x85R") != set()
