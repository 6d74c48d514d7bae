"""Python that configurations name: looked up among the files of a model, and followed through its imports.

Configurations and sources in the manner of transformers, diffusers, sentence-transformers and PEFT, written for these
tests; nothing in them is run.
"""

from __future__ import annotations

import io
import json
import random
import zipfile

import pytest

from modelsign.artifact.model import open_artifact
from modelsign.artifact.reading import BytesReading
from modelsign.scan.configuration.remote_code import linked
from modelsign.scan.engine import scan_artifact, scan_file

CONFIG = {
    "model_type": "mine",
    "auto_map": {"AutoConfig": "configuration_mine.MineConfig", "AutoModel": "modeling_mine.MineModel"},
}
CONFIGURATION = "from transformers import PretrainedConfig\n\nclass MineConfig(PretrainedConfig):\n    pass\n"
MODELING = "from .configuration_mine import MineConfig\nfrom . import helper\n\nclass MineModel:\n    pass\n"
HELPER = "def f():\n    return 1\n"
RUNS = "import os\nos.system('true')\n"
FILES = {
    "config.json": json.dumps(CONFIG),
    "configuration_mine.py": CONFIGURATION,
    "modeling_mine.py": MODELING,
    "helper.py": HELPER,
}


def scan(tmp_path, files):
    """Return the scans of a folder of files, by path."""
    for name, text in files.items():
        place = tmp_path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text if isinstance(text, bytes) else text.encode())
    with open_artifact(str(tmp_path)) as artifact:
        return {file.path: file for file in scan_artifact(artifact).files}


def told(file, rule):
    """Return the messages of one rule."""
    return [finding.message for finding in file.findings if finding.rule == rule]


def test_the_configuration_s_finding_shows_the_whole_chain(tmp_path):
    files = scan(tmp_path, FILES)
    assert files["config.json"].outcome == "unverified"
    assert told(files["config.json"], "remote-code") == [
        "configuration_mine.py defines MineConfig; importing it runs configuration_mine.py",
        "modeling_mine.py defines MineModel; importing it runs modeling_mine.py, configuration_mine.py, helper.py",
    ]


def test_what_a_file_imports_counts_for_whoever_names_the_file(tmp_path):
    """The dangerous line stands two imports away from the configuration."""
    file = scan(tmp_path, FILES | {"helper.py": "from .deep.down import g\n", "deep/down.py": RUNS})["config.json"]
    assert file.outcome == "unsafe"
    (finding,) = [finding for finding in file.findings if finding.rule == "remote-code-runs"]
    assert finding.message.endswith("at once deep/down.py: line 2: os.system is called (execute)")
    assert finding.calls[0] == "from modeling_mine import MineModel"
    assert finding.calls[-1] == "deep/down.py: line 2: os.system is called (execute)"


def test_a_file_that_nobody_names_is_not_part_of_the_chain(tmp_path):
    files = scan(tmp_path, FILES | {"other.py": RUNS})
    assert (files["other.py"].outcome, files["config.json"].outcome) == ("unsafe", "unverified")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("class Other:\n    pass\n", "modeling_mine.py defines no class MineModel"),
        ("try:\n    class MineModel: pass\nexcept E:\n    pass\n", "modeling_mine.py defines MineModel"),
        ("from .helper import MineModel\n", "modeling_mine.py takes MineModel by `from .helper import MineModel`"),
        ("from .helper import *\n", "modeling_mine.py may define MineModel"),
        ("class MineModel(\n", "modeling_mine.py may define MineModel"),
    ],
)
def test_it_says_whether_the_file_defines_the_class(tmp_path, source, words):
    file = scan(tmp_path, FILES | {"modeling_mine.py": source})["config.json"]
    assert any(text.startswith(words) for text in told(file, "remote-code"))


def test_a_file_that_is_not_there_is_told(tmp_path):
    files = {name: text for name, text in FILES.items() if name != "modeling_mine.py"}
    file = scan(tmp_path, files)["config.json"]
    assert told(file, "remote-code-absent") == ["modeling_mine.py, which should have MineModel, is not in the model"]


def test_an_import_that_leads_nowhere_is_told(tmp_path):
    files = {name: text for name, text in FILES.items() if name != "configuration_mine.py"}
    file = scan(tmp_path, files)["config.json"]
    assert "modeling_mine.py leads to `from .configuration_mine import MineConfig`, which is not in the model" in told(
        file, "remote-code-absent"
    )


@pytest.mark.parametrize(
    "name", ["config.json", "tokenizer_config.json", "processor_config.json", "adapter_config.json"]
)
def test_code_of_another_repository_is_a_finding_of_its_own(tmp_path, name):
    config = {"auto_map": {"AutoTokenizer": ["other/repository--tokenization_x.XTokenizer", None]}}
    file = scan(tmp_path, {name: json.dumps(config)})[name]
    assert {finding.rule for finding in file.findings} == {"remote-code-elsewhere"}
    assert file.outcome == "unverified"


def test_imports_that_go_in_circles_end(tmp_path):
    files = {"modeling_mine.py": "from .helper import f\n", "helper.py": "from .modeling_mine import MineModel\n"}
    assert scan(tmp_path, FILES | files)["config.json"].outcome == "unverified"


def test_packages_and_their_parents_are_followed(tmp_path):
    files = {
        "config.json": json.dumps({"auto_map": {"AutoModel": "code.model.M"}}),
        "code/__init__.py": "",
        "code/model.py": "from ..top import x\nclass M: pass\n",
        "top.py": RUNS,
    }
    assert scan(tmp_path, files)["config.json"].outcome == "unsafe"


def test_a_configuration_in_a_folder_may_name_code_at_the_top(tmp_path):
    files = {name if name.endswith(".py") else f"encoder/{name}": text for name, text in FILES.items()}
    file = scan(tmp_path, files | {"modeling_mine.py": RUNS})["encoder/config.json"]
    assert file.outcome == "unsafe"


def test_the_same_inside_an_archive(tmp_path):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in (FILES | {"helper.py": RUNS}).items():
            archive.writestr(f"model/{name}", text)
    file = scan(tmp_path, {"model.zip": out.getvalue()})["model.zip"]
    (finding,) = [finding for finding in file.findings if finding.rule == "remote-code-runs"]
    assert finding.member == "model/config.json"


def test_custom_pipelines_name_their_implementation(tmp_path):
    config = {"custom_pipelines": {"mine": {"impl": "pipeline.Mine", "pt": ["AutoModel"], "type": "text"}}}
    files = {"config.json": json.dumps(config), "pipeline.py": RUNS + "class Mine: pass\n"}
    assert told(scan(tmp_path, files)["config.json"], "remote-code-runs")


def test_modules_of_sentence_transformers_name_a_file(tmp_path):
    modules = [{"idx": 0, "name": "0", "path": "", "type": "custom_st.Transformer"}]
    files = {"modules.json": json.dumps(modules), "custom_st.py": RUNS + "class Transformer: pass\n"}
    assert scan(tmp_path, files)["modules.json"].outcome == "unsafe"


PIPELINE = {
    "_class_name": "StableDiffusionPipeline",
    "_diffusers_version": "0.36.0",
    "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
    "scheduler": ["diffusers", "PNDMScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "feature_extractor": [None, None],
    "requires_safety_checker": True,
}


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({}, "clean"),
        ({"unet": ["my_unet", "MyUNet"]}, "unverified"),
        ({"_class_name": ["pipeline", "Mine"]}, "unverified"),
        ({"unet": ["os", "system"]}, "unsafe"),
        ({"_class_name": "Frobnicator", "unet": ["my_unet", "MyUNet"]}, "unverified"),
    ],
)
def test_components_of_a_pipeline_come_from_its_own_libraries(tmp_path, change, outcome):
    assert scan(tmp_path, {"model_index.json": json.dumps(PIPELINE | change)})["model_index.json"].outcome == outcome


def test_a_component_s_file_lies_in_its_folder(tmp_path):
    files = {"model_index.json": json.dumps(PIPELINE | {"unet": ["my_unet", "MyUNet"]}), "unet/my_unet.py": RUNS}
    assert told(scan(tmp_path, files)["model_index.json"], "remote-code-runs")


def test_pairs_of_words_elsewhere_in_diffusers_are_no_components():
    config = {"_class_name": "UNet2DConditionModel", "_diffusers_version": "0.36.0", "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"]}  # fmt: skip # noqa: E501
    assert scan_file(BytesReading(json.dumps(config).encode()), "config.json").outcome == "clean"


@pytest.mark.parametrize(
    ("library", "name", "outcome"),
    [
        ("transformers.models.llama.modeling_llama", "LlamaForCausalLM", "clean"),
        ("transformers_modules.mine.modeling", "Mine", "unverified"),
        ("os", "system", "unsafe"),
    ],
)
def test_peft_s_mapping_names_a_class_of_transformers(library, name, outcome):
    config = {"auto_mapping": {"base_model_class": name, "parent_library": library}}
    assert scan_file(BytesReading(json.dumps(config).encode()), "adapter_config.json").outcome == outcome


@pytest.mark.parametrize("value", ["x", ["a.B"], {"AutoModel": 5}, {"AutoModel": "no name"}, {"AutoModel": "a..B"}])
def test_a_map_of_another_form_is_still_told(value):
    result = scan_file(BytesReading(json.dumps({"auto_map": value}).encode()), "config.json")
    assert (result.outcome, [finding.message for finding in result.findings]) == (
        "unverified",
        ["the key auto_map is set"],
    )


def test_the_order_of_files_makes_no_difference(tmp_path):
    files = list(scan(tmp_path, FILES | {"helper.py": RUNS}).values())
    plain = [scan_file(BytesReading((tmp_path / file.path).read_bytes()), file.path) for file in files]
    wanted = {file.path: file.findings for file in linked(plain)}
    random.Random(3).shuffle(plain)
    assert {file.path: file.findings for file in linked(plain)} == wanted


def test_many_names_and_long_chains_are_bounded(tmp_path):
    files = {f"m{n}.py": f"from .m{n + 1} import X\n" for n in range(300)}
    names = {f"Auto{n}": f"m{n}.X" for n in range(19)}
    file = scan(tmp_path, files | {"config.json": json.dumps({"auto_map": names})})["config.json"]
    assert len(file.findings) < 100
    assert file.outcome == "unverified"
