"""Configurations, chat templates, and Python beside the weights."""

from __future__ import annotations

import json

import packed_files

from attacks.attack import EVIL, Attack


def _config(identifier: str, what: str, rule: str, outcome: str = "unsafe", **values: object) -> Attack:
    return Attack(identifier, what, lambda: ("config.json", json.dumps(values).encode()), rule, outcome)


def _yaml(identifier: str, what: str, text: str, rule: str, *also: str) -> Attack:
    return Attack(identifier, what, lambda: ("config.yaml", text.encode()), rule, also=also)


def _template(identifier: str, what: str, text: str, rule: str = "jinja-escape") -> Attack:
    return Attack(identifier, what, lambda: ("chat_template.jinja", text.encode()), rule)


_TARGET = "model:\n  encoder:\n    _target_: os.system\n    command: 'true'\n"

ATTACKS: tuple[Attack, ...] = (
    Attack(
        "CVE-2025-23304",
        "a NeMo model's configuration has Hydra call what it names",
        lambda: ("model.nemo", packed_files.tar(("model_config.yaml", _TARGET.encode()))),
        "config-dangerous-reference",
    ),
    Attack(
        "CVE-2025-23303",
        "a NeMo archive's weights are a pickle that runs a program",
        lambda: ("model.nemo", packed_files.tar(("model_config.yaml", b"a: 1\n"), ("model_weights.ckpt", EVIL))),
        "pickle-execute",
    ),
    _yaml("CVE-2025-23249", "the same in a configuration beside the model", _TARGET, "config-dangerous-reference"),
    _yaml(
        "CVE-2026-24157",
        "the same in later versions of NeMo",
        "trainer:\n  _target_: subprocess.Popen\n",
        "config-dangerous-reference",
        "CVE-2026-24159",
    ),
    Attack(
        "CVE-2025-23250",
        "a member of a NeMo archive has an absolute path",
        lambda: ("model.nemo", packed_files.tar(("/etc/cron.d/x.yaml", b"a: 1\n"))),
        "tar-path-escapes",
    ),
    Attack(
        "CVE-2025-23360",
        "a member of a NeMo archive climbs out",
        lambda: ("model.nemo", packed_files.tar(("../../x.yaml", b"a: 1\n"))),
        "tar-path-escapes",
    ),
    _config(
        "CVE-2026-22584",
        "uni2ts and FlexTok have Hydra call what the metadata of weights names",
        "config-dangerous-reference",
        model={"_target_": "builtins.eval"},
    ),
    _yaml(
        "instantiate_from_config",
        "latent diffusion calls what its configuration names as a target",
        "model:\n  target: os.system\n  params: {command: 'true'}\n",
        "config-dangerous-reference",
    ),
    Attack(
        "logging.config.fileConfig",
        "a configuration of Python's logging is evaluated",
        lambda: ("logging.ini", b"[loggers]\n[handlers]\n[handler_a]\nargs=(__import__('os').system('true'),)\n"),
        "logging-runs-code",
    ),
    _config(
        "auto_map",
        "a configuration names Python beside the weights",
        "json-code-reference",
        "unverified",
        auto_map={"AutoModel": "modeling_x.X"},
    ),
    Attack(
        "trust_remote_code",
        "the Python beside the weights runs something as soon as it is imported",
        lambda: ("modeling_x.py", b"import os\nos.system('true')\n"),
        "python-runs-at-import",
    ),
    _config(
        "CVE-2026-4372",
        "a configuration has transformers download a kernel from the Hub and import it, without remote code trusted",
        "config-hub-kernel",
        model_type="llama",
        _attn_implementation_internal="somebody/kernel",
    ),
    Attack(
        "huggingface/sentence-transformers#3683",
        "modules.json names what is imported, with trust_remote_code off",
        lambda: ("modules.json", json.dumps([{"idx": 0, "name": "0", "path": "", "type": "os.system"}]).encode()),
        "config-dangerous-reference",
    ),
    _yaml(
        "CVE-2017-18342",
        "YAML's tags call functions",
        "!!python/object/apply:subprocess.check_output [['true']]",
        "yaml-object",
    ),
    _yaml(
        "CVE-2020-14343",
        "YAML's tags call functions through those of a safer loader",
        "!!python/object/new:tuple [!!python/object/new:map [!!python/name:eval , ['1']]]",
        "yaml-object",
    ),
    _yaml(
        "CVE-2022-1471",
        "SnakeYAML makes objects of any class",
        "a: !!javax.script.ScriptEngineManager [!!java.net.URLClassLoader [[]]]",
        "yaml-object",
    ),
    _template(
        "CVE-2016-10745",
        "str.format of a template reaches attributes",
        "{{ '{0.__class__.__init__.__globals__}'.format(x) }}",
    ),
    _template("CVE-2019-10906", "so does format_map", "{{ '{a.__class__}'.format_map(x) }}"),
    _template(
        "CVE-2024-56326", "a method is handed on before it is called", "{{ ['{0.__class__}'.format]|map('e')|list }}"
    ),
    _template("CVE-2025-27516", "the attr filter reaches attributes", "{{ x|attr('__class__') }}"),
    Attack(
        "CVE-2018-20225",
        "an extra index of packages in a list of requirements",
        lambda: ("requirements.txt", b"--extra-index-url https://example.org/simple\ntorch\n"),
        "packages-from-elsewhere",
        outcome="unverified",
    ),
    Attack(
        "CVE-2022-24294",
        "the name of an operator keeps MXNet's regular expression busy for ever",
        lambda: (
            "model-symbol.json",
            json.dumps(
                {
                    "nodes": [{"op": "_a" * 4000 + "!", "name": "x", "inputs": []}],
                    "arg_nodes": [],
                    "heads": [[0, 0, 0]],
                }
            ).encode(),
        ),
        "mxnet-operator-name",
    ),
)
