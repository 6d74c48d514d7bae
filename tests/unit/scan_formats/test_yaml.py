"""YAML: plain configurations are clean, tags and keys that call functions are found; nothing is constructed."""
# ruff: noqa: E501 - documents stand on one line each

from __future__ import annotations

import random

import chat_templates
import pytest

from modelsign import limits
from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file

PLAIN = {
    "training": "seed: 1\nlr: 1.0e-4\noptimizer: {name: adamw, betas: [0.9, 0.95]}\nresume: null\nfp16: yes\n",
    "multi": "--- # one\na: 1\n...\n---\n- b\n- |\n  text os.system('true')\n- >-\n  folded\n",
    "anchors": "base: &base {a: 1}\nother:\n  <<: *base\n  b: 2\n",
    "tags of plain values": "a: !!str 5\nb: !!binary aGk=\nc: !!python/tuple [1, 2]\nd: !!set {x, y}\ne: !!timestamp 2001-12-14\n",
    "hyperpyyaml values": "a: 4\nb: !ref <a>\nc: !copy <a>\n",
    "quoted": "a: '!!python/object/apply:os.system'\n? [complex, key]\n: value\n",
    "ultralytics": "nc: 80\nbackbone:\n  # [from, repeats, module, args]\n  - [-1, 1, Conv, [64, 3, 2]]\n  - [-1, 3, C2f, [128, True]]\n",
    "yolo": "nc: 80\nactivation: nn.LeakyReLU(0.1, inplace=True)\nhead:\n  - [[-1, 6], 1, Concat, [1]]\n  - [-1, 1, nn.Upsample, [None, 2, 'nearest']]\n",
    "switched off": "trust_remote_code: false\nauto_map: null\n_target_: ~\n",
}
UNSAFE = {
    "PyYAML apply": "a: !!python/object/apply:os.system ['true']",
    "PyYAML apply of an unknown function": "a: !!python/object/apply:frobnicate.f ['true']",
    "PyYAML new": "a: !!python/object/new:os.system ['true']",
    "PyYAML object": "a: !!python/object:subprocess.Popen {args: true}",
    "PyYAML name": "a: !!python/name:os.system",
    "PyYAML verbatim tag": "a: !<tag:yaml.org,2002:python/object/apply:os.system> ['true']",
    "PyYAML tag directive": "%TAG !x! tag:yaml.org,2002:python/object/apply:\n---\na: !x!os.system ['true']",
    "PyYAML percent escapes": "a: !!python/object/apply:o%73.system ['true']",
    "CVE-2020-14343": "!!python/object/new:tuple [!!python/object/new:map [!!python/name:eval , ['1']]]",
    "CVE-2017-18342": "!!python/object/apply:subprocess.check_output [['true']]",
    "second document": "a: 1\n---\nb: !!python/object/apply:os.system ['true']",
    "key": "? !!python/object/apply:os.system ['true']\n: 1",
    "HyperPyYAML apply": "a: !apply:os.system ['true']",
    "HyperPyYAML new": "a: !new:subprocess.Popen\n  args: true",
    "HyperPyYAML name": "a: !name:os.system",
    "Ruby": "a: !ruby/object:Gem::Installer\n  i: x",
    "CVE-2022-1471 SnakeYAML": "a: !!javax.script.ScriptEngineManager [!!java.net.URLClassLoader [[]]]",
    "CVE-2025-23304 Hydra in NeMo": "model:\n  encoder:\n    _target_: os.system\n    command: 'true'\n",
    "Hydra, deep": "a: [{b: {_target_: builtins.eval}}]",
    "Hydra, through an alias": "a: &x {_target_: subprocess.run}\nb: *x\n",
    "Hydra, the key twice": "_target_: torch.nn.Linear\n_target_: os.system\n",
    "Hydra, a quoted key": '"_target\\x5f": os.system\n',
    "jsonpickle": "py/object: subprocess.Popen",
    "chat template": "chat_template: '{{ x.__class__ }}'",
}
UNVERIFIED = {
    "Hydra": "_target_: my_package.Model\nlayers: 3\n",
    "Lightning": "class_path: my_package.Adam\n",
    "MLflow": "flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n    python_version: 3.11\n",
    "conda": "name: env\nchannels: [defaults]\ndependencies:\n- python=3.11\n- pip: [numpy]\n",
    "unknown tag": "a: !include other.yaml",
    "unknown global tag": "a: !!frobnicate 1",
    "PyYAML object of a class of one's own": "a: !!python/object:my_package.Config {b: 1}",
    "PyYAML apply of a known function": "a: !!python/object/apply:collections.OrderedDict [[]]",
    "trust": "trust_remote_code: true\n",
    "YOLOv5 evaluates layers": "nc: 80\nbackbone:\n  - [-1, 1, \"__import__('os').system('true')\", [64]]\n",
    "YOLOv5 evaluates activations": "nc: 80\nactivation: exec('1')\n",
}


def scan(text, name="config.yaml"):
    return scan_file(BytesReading(text if isinstance(text, bytes) else text.encode()), name)


@pytest.mark.parametrize("case", PLAIN)
def test_a_plain_document_is_clean_but_not_inert(case):
    """Loaders build networks from such files, so they must be signed."""
    result = scan(PLAIN[case])
    assert (result.outcome, result.format, result.loadable, result.findings) == ("clean", "yaml", True, ())


@pytest.mark.parametrize("case", UNSAFE)
def test_a_document_that_calls_functions_is_unsafe(case):
    assert scan(UNSAFE[case]).outcome == "unsafe"


@pytest.mark.parametrize("case", UNVERIFIED)
def test_a_document_that_names_code_is_unverified(case):
    assert scan(UNVERIFIED[case]).outcome == "unverified"


def test_a_chat_template_is_read():
    text = "chat_template: |\n" + "".join(f"  {line}\n" for line in chat_templates.MISTRAL.splitlines())
    assert (scan(text).outcome, scan(text).loadable) == ("clean", True)


def test_objects_are_found_under_any_name():
    assert scan(UNSAFE["PyYAML apply"], "weights.bin").outcome == "unsafe"
    assert scan("%YAML 1.1\n---\na: !!python/name:os.system", "x").outcome == "unsafe"
    assert scan("Never write `!!python/object/apply:os.system` in: [a file\n", "README.md").outcome == "clean"


@pytest.mark.parametrize(
    "data",
    [
        b"a: [",
        b"a: *x",
        b"\xff\xfea",
        b"a: \0",
        b"%YAML 9.9\n---\n",
        b'a: "\\U99999999"',
        b"a: b: c",
        b"[" * 5000,
        b"\ta: 1",
        b"- a\nb",
    ],
)
def test_what_is_no_yaml_is_incomplete(data):
    assert scan(data).outcome == "incomplete"


def test_documents_beyond_the_budget_are_incomplete():
    assert scan("a: 1\n" * limits.YAML_BYTES).outcome == "incomplete"
    assert {finding.rule for finding in scan("[" + "1," * limits.YAML_EVENTS + "1]").findings} == {"budget-exceeded"}


def test_aliases_do_not_multiply():
    text = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 40))
    assert scan(text).outcome == "clean"
    assert scan("a: &a [*a]\n").outcome == "clean"


def test_mutations_have_an_answer():
    source = random.Random(9)
    pieces = [*PLAIN.values(), *UNSAFE.values(), *UNVERIFIED.values()]
    for _ in range(1000):
        text = source.choice(pieces)
        at = source.randrange(len(text) + 1)
        text = (
            text[:at]
            + source.choice(["&", "*", ":", "\n", " ", "!", "'", "%", "[", "}", "? ", "|", "\\x", ""])
            + text[at:]
        )
        assert scan(text).outcome in {"clean", "unverified", "incomplete", "unsafe"}
