"""Python source: never clean, unsafe where it would do something dangerous on import. Nothing here is ever run."""
# ruff: noqa: E501 - snippets stand on one line each

from __future__ import annotations

import random

import pytest

from modelsign import limits
from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file


def scan(text, name="modeling_x.py"):
    return scan_file(BytesReading(text if isinstance(text, bytes) else text.encode()), name)


def rules(text):
    return {finding.rule for finding in scan(text).findings}


MODEL = '''
"""A model of one's own, as transformers loads them with trust_remote_code."""
import importlib.util
import logging
import os
from dataclasses import dataclass, field

import torch
from torch import nn
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel

logger = logging.getLogger(__name__)
HAS_FLASH = importlib.util.find_spec("flash_attn") is not None
CACHE = os.path.join(os.environ.get("HOME", "."), ".cache")
os.makedirs
os.environ["TOKENIZERS_PARALLELISM"] = "false"
if HAS_FLASH:
    from flash_attn import flash_attn_func
TABLE = {name: getattr(torch, name) for name in ("float32", "float16")}


def rotate(x: torch.Tensor, eval: bool = False) -> torch.Tensor:
    return torch.cat((-x, x), dim=-1)


class Config(PretrainedConfig):
    model_type = "own"

    def __init__(self, hidden_size=8, **kwargs):
        self.hidden_size = hidden_size
        super().__init__(**kwargs)


@dataclass
class Output:
    loss: float = field(default_factory=lambda: 0.0)


class Model(PreTrainedModel):
    config_class = Config

    def __init__(self, config):
        super().__init__(config)
        self.layer = nn.Linear(config.hidden_size, config.hidden_size)
        self.eval()

    @torch.no_grad()
    def forward(self, x):
        return self.layer(rotate(x))


AutoConfig.register("own", Config)
AutoModel.register(Config, Model)
if __name__ == "__main__":
    import subprocess

    subprocess.run(["true"])
'''


def test_a_model_s_source_is_unverified_and_no_worse():
    result = scan(MODEL)
    assert (result.outcome, result.format, result.loadable) == ("unverified", "python", True)
    assert {finding.rule for finding in result.findings} == {"python-source", "python-dangerous-call"}
    assert rules(MODEL.split("if __name__", maxsplit=1)[0]) == {"python-source"}


@pytest.mark.parametrize("text", ["", "# nothing\n", "'''only words'''", "x = 1"])
def test_even_source_that_does_nothing_is_not_clean(text):
    assert scan(text or " ").outcome == "unverified"


ON_IMPORT = {
    "os.system": "import os\nos.system('true')",
    "auto_map target that runs a program": "import os\nos.system('true')\nclass Model: pass",
    "alias of a module": "import os as o\no.system('true')",
    "from import": "from os import system as s\ns('true')",
    "star": "from os import *\nsystem('true')",
    "alias": "import os\nf = os.system\nf('true')",
    "alias of an alias": "import os\nf = os.system\ng = f\ng('true')",
    "walrus": "import os\n(f := os.system)('true')",
    "submodule": "import urllib.request\nurllib.request.urlopen('http://127.0.0.1')",
    "subprocess": "import subprocess\nsubprocess.Popen(['true'])",
    "exec": "exec('1')",
    "eval in a class body": "class A:\n    x = eval('1')",
    "default value": "def f(x=eval('1')): pass",
    "keyword default": "def f(*, x=exec('1')): pass",
    "annotation": "x: eval('1') = 1",
    "decorator": "@exec\ndef f(): pass",
    "decorator call": "import os\n@os.system('true')\ndef f(): pass",
    "class decorator": "@exec\n@input\nclass X: pass",
    "local decorator": "import os\ndef d(f):\n    os.system('true')\n    return f\n@d\nclass X: pass",
    "called function": "import os\ndef f():\n    os.system('true')\nf()",
    "called through another": "import os\ndef f():\n    os.system('true')\ndef g(): f()\ng()",
    "callback": "import os\ndef f(x):\n    os.system('true')\nlist(map(f, [1]))",
    "handed to map": "import os\nlist(map(os.system, ['true']))",
    "handed to a thread": "import os, threading\nthreading.Thread(target=os.system, args=('true',)).start()",
    "lambda": "import os\n(lambda: os.system('true'))()",
    "lambda handed on": "import os\nsorted([1], key=lambda x: os.system('true'))",
    "named lambda": "import os\nf = lambda: os.system('true')\nf()",
    "constructor": "import os\nclass A:\n    def __init__(self):\n        os.system('true')\nA()",
    "constructor through an alias": "import os\nclass A:\n    def __init__(self):\n        os.system('true')\nB = A\nB()",
    "special method": "import os\nclass A:\n    def __add__(self, o):\n        os.system('true')\nA() + 1",
    "property": "import os\nclass A:\n    @property\n    def p(self):\n        os.system('true')\nA().p",
    "metaclass": "import os\nclass M(type):\n    def __new__(c, *a):\n        os.system('true')\nclass A(metaclass=M): pass",
    "subclass hook": "import os\nclass A:\n    def __init_subclass__(c):\n        os.system('true')\nclass B(A): pass",
    "module __getattr__": "import os\ndef __getattr__(name):\n    os.system('true')",
    "comprehension": "import os\n[os.system('true') for _ in (1,)]",
    "try": "import os\ntry:\n    pass\nfinally:\n    os.system('true')",
    "with": "import os\nwith os.popen('true') as f: pass",
    "condition": "import os\nif os.system('true'): pass",
    "match": "import os\nmatch os.system('true'):\n    case 0: pass",
    "not the main script": "import os\nif __name__ != '__main__':\n    os.system('true')",
    "else of the main script": "import os\nif __name__ == '__main__':\n    pass\nelse:\n    os.system('true')",
    "getattr": "import os\ngetattr(os, 'system')('true')",
    "getattr in pieces": "import os\ngetattr(os, 'sys' + 'tem')('true')",
    "getattr joined": "import os\ngetattr(os, ''.join(['sys', 'tem']))('true')",
    "getattr by a name": "import os\nx = chr(115)\ngetattr(os, x)('true')",
    "__import__": "__import__('os').system('true')",
    "__import__ in pieces": "__import__('o' + 's').system('true')",
    "__import__ by a name": "__import__(bytes([111, 115]).decode()).system('true')",
    "import_module": "import importlib\nimportlib.import_module('os').system('true')",
    "sys.modules": "import sys\nsys.modules['os'].system('true')",
    "builtins": "import builtins\nbuiltins.exec('1')",
    "__builtins__ as a dictionary": "__builtins__['exec']('1')",
    "__builtins__.__dict__": "__builtins__.__dict__['ev' + 'al']('1')",
    "globals": "globals()['__builtins__'].eval('1')",
    "globals of a name": "import os\nglobals()['os'].system('true')",
    "item assignment": "import os\nclass A: pass\nA.__class_getitem__ = os.system\nA['true']",
    "dictionary of functions": "import os\nD = {'a': os.system}\nD['a']('true')",
    "pickle": "import pickle\npickle.loads(b'.')",
    "marshal": "import marshal\nexec(marshal.loads(b''))",
    "native library": "import ctypes\nctypes.CDLL('./x.so')",
    "torch library": "import torch\ntorch.ops.load_library('x.so')",
    "torch extension": "from torch.utils.cpp_extension import load\nload('x', ['x.cpp'])",
    "pip": "import pip\npip.main(['install', 'x'])",
    "request": "import requests\nrequests.post('http://127.0.0.1', data=1)",
    "socket": "import socket\nsocket.create_connection(('127.0.0.1', 9))",
    "writes a file": "open('x', 'w').write('a')",
    "writes by keyword": "open('x', mode='ab')",
    "writes by an unknown mode": "m = input()\nopen('x', m)",
    "writes through pathlib": "from pathlib import Path\nPath('x').write_text('a')",
    "removes": "import shutil\nshutil.rmtree('x')",
    "ipython": "from IPython import get_ipython\nget_ipython().run_line_magic('sx', 'true')",
}


@pytest.mark.parametrize("case", ON_IMPORT)
def test_what_runs_on_import_is_unsafe(case):
    result = scan(ON_IMPORT[case])
    assert result.outcome == "unsafe"
    assert "python-runs-at-import" in {finding.rule for finding in result.findings}


@pytest.mark.parametrize(
    "text",
    [
        "import os\ndef f():\n    os.system('true')",
        "import os\nclass A:\n    def forward(self):\n        os.system('true')",
        "import os\nf = lambda: os.system('true')",
        "def f():\n    exec('1')",
        "if '__main__' == __name__:\n    exec('1')",
    ],
)
def test_what_runs_later_is_unverified_and_named(text):
    assert scan(text).outcome == "unverified"
    assert rules(text) == {"python-source", "python-dangerous-call"}


@pytest.mark.parametrize(
    "text",
    [
        "import re\nP = re.compile('a')",
        "requests = {}\nrequests.get('x')",
        "class M:\n    def eval(self): return self\nm = M()\nm.eval()",
        "open('README.md').read()",
        "open('x', 'rb')",
        "from setuptools import setup\nsetup(name='x')",
        "import os\nos.path.join('a', 'b')\nos.environ['A'] = 'b'\nos.getcwd()",
        "import ctypes\nX = ctypes.c_int * 4",
        "from importlib import import_module\nimport_module('json')",
        "import sys\nsys.path.append('.')",
        "__import__('pkg_resources').declare_namespace(__name__)",
        "__import__(__name__ + '.linalg')",
        "import subprocess\nX = subprocess.PIPE",
        "import torch\ntorch.load",
    ],
)
def test_ordinary_statements_raise_no_alarm(text):
    assert rules(text) == {"python-source"}


@pytest.mark.parametrize(
    "data",
    [
        b"def (",
        b"print 'python 2'",
        b"\xff\xfe",
        b"x = 1\0",
        b"# -*- coding: utf-7 -*-\n+AG8-s.system('true')",
        b"\n# vim: set fileencoding=rot13 :\nvzcbeg bf",
        b"(" * 5000,
        b"-" * 100_000 + b"1",
        b"[" * 90 + b"]" * 90 + b"(" * 300,
        b"type X = int",
    ],
)
def test_what_cannot_be_read_is_incomplete(data):
    assert scan(data).outcome == "incomplete"
    assert "python-syntax" in rules(data)


@pytest.mark.parametrize(
    "head", [b"# coding: latin-1\n", b"\xef\xbb\xbf", b"#!/usr/bin/python\n# -*- coding: utf-8 -*-\n"]
)
def test_declared_encodings_are_followed(head):
    assert scan(head + b"import os\nos.system('true')").outcome == "unsafe"


def test_source_beyond_the_limit_is_incomplete():
    assert scan("x = 1\n" * limits.SOURCE_BYTES).outcome == "incomplete"


def test_a_script_is_recognised_by_its_first_line():
    assert scan("#!/usr/bin/env python3\nimport os\nos.system('true')", "tool").outcome == "unsafe"


@pytest.mark.parametrize(
    "text",
    [
        "a" + ".b" * 50_000,
        "a" + "+b" * 50_000,
        "x = " + "'a' + " * 30_000 + "'b'",
        "\n".join(f"x{number} = x{number + 1}" for number in range(5000)),
        "\n".join(f"from m{number} import *" for number in range(500)) + "\nf()" * 500,
        "def f():\n f()\n" * 5000,
        "a\n" * 100_000,
        "".join(f"def f{number}(): f{number + 1}()\n" for number in range(5000)) + "f0()",
    ],
)
def test_hostile_source_has_an_answer(text):
    assert scan(text).outcome in {"unverified", "incomplete", "unsafe"}


def test_mutations_have_an_answer():
    source = random.Random(3)
    pieces = list(ON_IMPORT.values())
    for _ in range(600):
        text = source.choice(pieces)
        at = source.randrange(len(text) + 1)
        text = (
            text[:at]
            + source.choice(["(", ")", ":", "\n", " ", "@", "'", "\0", "λ", ""])
            + text[at + source.randrange(3) :]
        )
        assert scan(text).outcome in {"unverified", "incomplete", "unsafe"}
