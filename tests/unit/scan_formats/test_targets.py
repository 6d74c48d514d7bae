"""Classes that configurations construct by name: known ones are clean, all others are not, functions that run are unsafe.

Configurations in the manner of NeMo, Hydra, Lightning, latent diffusion, torchtune and Fiddle, written for these tests.
"""
# ruff: noqa: E501 - configurations stand on one line each

from __future__ import annotations

import io
import json
import tarfile

import pytest

from modelsign.artifact.reading import BytesReading
from modelsign.scan.configuration.code_keys import capability_of
from modelsign.scan.configuration.targets import is_constructible
from modelsign.scan.engine import scan_file
from modelsign.scan.tables import table

SPEECH = """
target: nemo.collections.asr.models.ctc_bpe_models.EncDecCTCModelBPE
nemo_version: 2.4.0
sample_rate: 16000
preprocessor:
  _target_: nemo.collections.asr.modules.AudioToMelSpectrogramPreprocessor
  features: 80
spec_augment:
  _target_: nemo.collections.asr.modules.SpectrogramAugmentation
encoder:
  _target_: nemo.collections.asr.modules.ConformerEncoder
  n_layers: 17
decoder:
  _target_: nemo.collections.asr.modules.ConvASRDecoder
  vocabulary: []
decoding: {strategy: greedy, beam: {ngram_lm_model: null}}
optim: {name: adamw, lr: 0.001}
loss: {_target_: torch.nn.CrossEntropyLoss}
"""
CLEAN = {
    "NeMo": SPEECH,
    "Hydra, optimizer": "optimizer: {_target_: torch.optim.AdamW, lr: 0.1, _partial_: true}\n",
    "Hydra, its own file": "launcher: {_target_: hydra._internal.core_plugins.basic_launcher.BasicLauncher}\n",
    "Lightning": "model: {class_path: torch.nn.Linear, init_args: {in_features: 3}}\n",
    "torchtune": "optimizer: {_component_: torch.optim.AdamW, lr: 2.0e-5}\n",
    "latent diffusion": "lossconfig: {target: torch.nn.Identity}\n",
    "other uses of target": "target: label\nfiles: [{target: model.onnx}, {target: https://a.org/b}, {target: 5}]\n",
    "a callback": "callbacks: [{_target_: lightning.pytorch.callbacks.EarlyStopping, monitor: loss}]\n",
    "a metric": "metric: {_target_: torchmetrics.audio.ScaleInvariantSignalDistortionRatio}\n",
    "an activation": "model: {activation: fast-swiglu}\nactivation: fast-swiglu\n",
}
UNVERIFIED = {
    "an unknown class": "_target_: my_package.Model\n",
    "an unknown class of NeMo": "_target_: nemo.collections.asr.modules.Frobnicator\n",
    "a module's own import": "_target_: nemo.collections.asr.modules.conv_asr.torch\n",
    "a method of a known class": "_target_: nemo.collections.asr.models.EncDecCTCModel.restore_from\nrestore_path: /x\n",
    "a class that downloads what it is told": "_target_: nemo.collections.tts.modules.audio_codec_modules.SLMDiscriminator\n",
    "a class that opens what it is told": "_target_: nemo.collections.tts.g2p.models.en_us_arpabet.EnglishG2p\n",
    "a data set that unpickles its cache": "_target_: nemo.collections.tts.data.dataset.TTSDataset\n",
    "a target that is put together": "_target_: ${a}.system\na: os\n",
    "a target with parameters that is put together": "target: ${a}.system\nparams: {}\na: os\n",
    "latent diffusion": "model: {target: ldm.models.diffusion.ddpm.LatentDiffusion, params: {}}\n",
    "latent diffusion without parameters": "model: {target: my_package.run}\n",
    "NeMo's older key": "decoder: {cls: my_package.Decoder, params: {}}\n",
    "torchtune": "model: {_component_: torchtune.models.llama3.llama3_8b}\n",
    "NeMo loads another model": SPEECH.replace("ngram_lm_model: null", "ngram_lm_model: lm.nemo"),
    "NeMo writes a profile": SPEECH + "chakra_profile: {enabled: true, trace_dir: /x}\n",
    "MMEngine": "custom_imports: {imports: [my_package]}\n",
    "something that is no text": "_target_: [a, b]\n",
    "logging": "formatters: {a: {(): my_package.Formatter}}\n",
}
UNSAFE = {
    "CVE-2025-23304 NeMo": SPEECH.replace("nemo.collections.asr.modules.ConvASRDecoder", "os.system"),
    "NeMo, eval": "model: {encoder: {_target_: builtins.eval, _args_: ['1']}}\n",
    "CVE-2026-22584 Uni2TS": "model: {_target_: builtins.exec, _args_: ['1']}\n",
    "ml-flextok, in a list": "layers: [{_target_: torch.nn.Linear}, {_target_: subprocess.run, args: ['true']}]\n",
    "Hydra's own ways to get a function": "f: {_target_: hydra.utils.get_method, path: os.system}\n",
    "below a known class": "_target_: torch.nn.Sequential\n_args_: [{_target_: os.system, command: 'true'}]\n",
    "with blanks": "_target_: ' os.system '\n",
    "a partial": "_target_: os.system\n_partial_: true\n",
    "Lightning": "model: {class_path: subprocess.Popen, init_args: {args: 'true'}}\n",
    "torchtune": "tokenizer: {_component_: os.system, command: 'true'}\n",
    "latent diffusion": "model: {target: os.system, params: {command: 'true'}}\n",
    "latent diffusion without parameters": "model: {target: os.abort}\n",
    "NeMo's older key": "decoder: {cls: os.system, params: {command: 'true'}}\n",
    "NeMo's own class": SPEECH.replace("nemo.collections.asr.models.ctc_bpe_models.EncDecCTCModelBPE", "pty.spawn"),
    "through a module of NeMo": "_target_: nemo.collections.asr.modules.conv_asr.os.system\n",
    "torch.load": "_target_: torch.load\nf: x.pt\n",
    "logging": "formatters: {a: {(): os.system, command: 'true'}}\n",
}


def scan(text, name="config.yaml"):
    return scan_file(BytesReading(text if isinstance(text, bytes) else text.encode()), name)


@pytest.mark.parametrize("case", CLEAN)
def test_known_classes_are_clean_and_must_be_signed(case):
    result = scan(CLEAN[case])
    assert (result.outcome, result.loadable, result.findings) == ("clean", True, ())


@pytest.mark.parametrize("case", UNVERIFIED)
def test_what_nobody_knows_is_unverified(case):
    assert {finding.rule for finding in scan(UNVERIFIED[case]).findings} == {"json-code-reference"}


@pytest.mark.parametrize("case", UNSAFE)
def test_functions_that_run_are_unsafe(case):
    result = scan(UNSAFE[case])
    assert (result.outcome, {finding.rule for finding in result.findings} & {"config-dangerous-reference"}) == (
        "unsafe",
        {"config-dangerous-reference"},
    )


@pytest.mark.parametrize(("config", "outcome"), [(SPEECH, "clean"), (UNSAFE["CVE-2025-23304 NeMo"], "unsafe")])
def test_a_nemo_archive_is_judged_by_its_configuration(config, outcome):
    """The member is named, so that the reader finds the line."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        member = tarfile.TarInfo("./model_config.yaml")
        member.size = len(config.encode())
        archive.addfile(member, io.BytesIO(config.encode()))
    result = scan(out.getvalue(), "model.nemo")
    assert result.outcome == outcome
    assert all(finding.member.endswith("model_config.yaml") for finding in result.findings)


def test_the_same_in_json():
    assert scan(json.dumps({"_target_": "torch.nn.Linear", "in_features": 3}), "c.json").outcome == "clean"
    assert scan(json.dumps({"_target_": "torch.nn.Linear", "in_features": 3}), "c.json").loadable
    assert scan(json.dumps({"a": [{"_target_": "os.system"}]}), "c.json").outcome == "unsafe"


@pytest.mark.parametrize(
    ("module", "name", "outcome"),
    [("torch.nn", "Linear", "clean"), ("my_package", "Model", "unverified"), ("os", "system", "unsafe")],
)
def test_fiddles_references_are_imported(module, name, outcome):
    """NeMo 2 keeps a model's making in ``io.json``."""
    document = {"root": {"type": {"type": "pyref", "module": module, "name": name}, "items": []}}
    assert scan(json.dumps(document), "context/io.json").outcome == outcome


def test_a_trusted_name_is_accepted_and_a_danger_never():
    reading = BytesReading(b"_target_: my_package.Model\n")
    assert scan_file(reading, "c.yaml", trust_globals=frozenset({"my_package.Model"})).outcome == "clean"
    reading = BytesReading(b"_target_: os.system\n")
    assert scan_file(reading, "c.yaml", trust_globals=frozenset({"os.system"})).outcome == "unsafe"


def test_nothing_with_a_known_danger_was_derived():
    derived = {
        f"{module}.{name}" for module, names in table("targets.generated")["classes"].items() for name in names.split()
    }
    assert len(derived) > 2000
    assert not [name for name in derived if capability_of(name)]
    assert not [name for name in derived if name.rpartition(".")[2] in {"Lambda", "LambdaLR"} and ".core." in name]
    assert not is_constructible("hydra.utils.get_method")


def test_a_target_with_parameters_may_end_like_the_name_of_a_file():
    """Its module is imported before anybody finds that it holds nothing of that name."""
    assert scan("target: mine.data.json\n").outcome != "unverified"
    scanned = scan("model:\n  target: mine.evil.json\n  params: {a: 1}\n")
    assert (scanned.outcome, {finding.rule for finding in scanned.findings}) == ("unverified", {"json-code-reference"})
