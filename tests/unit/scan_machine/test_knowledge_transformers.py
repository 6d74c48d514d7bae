"""Models, configurations and training arguments of transformers, pickled whole, are clean; nothing else of it is.

The pickles are written opcode by opcode, so that they need no library.
"""

from __future__ import annotations

import json
import pathlib

import pytest
from picklebytes import PROTO2, STOP, binary, name, short

from modelsign.artifact.reading import BytesReading
from modelsign.scan import knowledge
from modelsign.scan.pickles import scan_pickle
from modelsign.verdict import Outcome

FOLDER = pathlib.Path(knowledge.__file__).parent / "allowed"
GENERATED = json.loads((FOLDER / "transformers.generated.json").read_bytes())
MODELS = "transformers.models"


def made(module: str, qualname: str, state: bytes = b"}") -> bytes:
    """An object made without arguments, with a state."""
    return name(module, qualname) + b")\x81" + state + b"b"


def called(module: str, qualname: str, argument: str) -> bytes:
    return name(module, qualname) + short(argument) + b"\x85R"


def outcomes(body: bytes) -> set[Outcome]:
    return {one.outcome for one in scan_pickle(BytesReading(PROTO2 + body + STOP)).findings}


def names() -> list[str]:
    return [
        f"{module}.{one}"
        for group in GENERATED["groups"]
        for module, classes in group.get("classes", {}).items()
        for one in classes.split()
    ] + [one for group in GENERATED["groups"] for one in group.get("names", ())]


@pytest.mark.parametrize(
    ("module", "qualname"),
    [
        (f"{MODELS}.bert.modeling_bert", "BertModel"),
        (f"{MODELS}.bert.configuration_bert", "BertConfig"),
        (f"{MODELS}.llama.modeling_llama", "LlamaForCausalLM"),
        (f"{MODELS}.llama.modeling_llama", "LlamaSdpaAttention"),
        (f"{MODELS}.qwen3.modeling_qwen3", "Qwen3DecoderLayer"),
        ("transformers.activations", "GELUActivation"),
        ("transformers.pytorch_utils", "Conv1D"),
        ("transformers.generation.configuration_utils", "GenerationConfig"),
        ("transformers.training_args", "TrainingArguments"),
        ("transformers.trainer_pt_utils", "AcceleratorConfig"),
        ("accelerate.state", "PartialState"),
    ],
)
def test_what_takes_state_alone_is_clean(module, qualname):
    assert outcomes(made(module, qualname)) == set()


def test_enumerations_by_their_text_are_clean():
    assert outcomes(called("transformers.trainer_utils", "IntervalStrategy", "steps")) == set()
    assert outcomes(called("accelerate.utils.dataclasses", "DistributedType", "NO")) == set()


def test_tokenizers_take_json_and_nothing_else():
    model = made("tokenizers.models", "Model", binary(b"{}"))
    assert outcomes(name("tokenizers", "Tokenizer") + model + b"\x85\x81" + binary(b"{}") + b"b") == set()
    assert outcomes(name("tokenizers", "Tokenizer") + short("x") + b"\x85\x81") == {Outcome.UNVERIFIED}
    assert outcomes(made("tokenizers.models", "Model", b"}")) == {Outcome.UNVERIFIED}


def test_training_arguments_are_not_for_storing_unmade():
    assert outcomes(name("transformers.training_args", "TrainingArguments")) == {Outcome.UNVERIFIED}


@pytest.mark.parametrize(
    "body",
    [
        called(f"{MODELS}.auto.modeling_auto", "AutoModel.from_pretrained", "x"),
        called(f"{MODELS}.bert.modeling_bert", "BertModel", "x"),
        called("transformers.pipelines", "pipeline", "x"),
        called("transformers.dynamic_module_utils", "get_class_from_dynamic_module", "x"),
        made(f"{MODELS}.bert.modeling_bert", "NobodyKnows"),
        made(f"{MODELS}.bert.modeling_bert", "BertModel", b"]"),
    ],
)
def test_everything_else_is_not_clean(body):
    assert outcomes(body)


def test_only_models_and_configurations_are_derived():
    found = names()
    parts = ("modeling_", "configuration_", "cache_utils.", "activations.", "pytorch_utils.")
    assert len(found) > 9000
    assert [one for one in found if not one.startswith("transformers.") or not any(part in one for part in parts)] == []
    assert not {one for one in found if one.endswith(("Tokenizer", "Processor", "Pipeline", "Trainer"))}
