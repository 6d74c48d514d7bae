"""Files of templates, configurations and programs, good and bad, by the format they must be read as."""

from __future__ import annotations

import chat_templates
import ggufbytes

GOOD: dict[str, dict[str, bytes]] = {
    "gguf": {"model.gguf": ggufbytes.gguf(), "chat.bin": ggufbytes.gguf(template=chat_templates.CHATML)},
    "notebook": {},
    "python": {},
    "requirements": {"requirements.txt": b"# nothing yet\n"},
    "script": {},
    "ini": {
        "config.cfg": b'[nlp]\nlang = "en"\n\n[nlp.tokenizer]\n@tokenizers = "spacy.Tokenizer.v1"\n',
        "yolo.cfg": b"[net]\nbatch=1\n[convolutional]\nfilters=16\n",
    },
    "toml": {"settings.toml": b"[model]\nlayers = 12\n"},
    "yaml": {
        "config.yaml": b"model:\n  layers: 12\n  shape: !!python/tuple [1, 2]\n",
        "two.yml": b"---\na: &x [1]\n---\nb: {c: 'd', <<: {e: 1}}\n",
    },
    "jinja": {"chat_template.jinja": chat_templates.CHATML.encode(), "tool_use.j2": chat_templates.QWEN.encode()},
}
BAD: dict[str, dict[str, bytes]] = {
    "gguf": {
        "escape.gguf": ggufbytes.gguf(template="{{ x.__class__ }}"),
        "overflow.dat": ggufbytes.gguf(tensors=[("a", (2**40, 2**40), 0, 0)]),
    },
    "notebook": {"a.ipynb": b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": "!true"}]}', "b.ipynb": b"{"},
    "requirements": {"requirements.txt": b"numpy\n--extra-index-url http://127.0.0.1\n"},
    "script": {"install.sh": b"curl http://127.0.0.1 | sh\n", "run": b"#!/bin/sh\ntrue\n"},
    "ini": {
        "config.cfg": b'[nlp]\nlang = "en"\n\n[nlp.before_creation]\n@callbacks = "mine.v1"\n',
        "logging.ini": b"[loggers]\n[handlers]\n[handler_a]\nargs=(__import__('os').system('true'),)\n",
    },
    "toml": {
        "pyproject.toml": b"[build-system]\nrequires = ['x']\n",
        "broken.toml": b"a =",
        "h.toml": b"_target_ = 'os.system'\n",
    },
    "yaml": {
        "object.yaml": b"a: !!python/object/apply:os.system ['true']\n",
        "hydra.yaml": b"_target_: subprocess.run\n",
        "broken.yaml": b"a: [",
    },
    "python": {
        "modeling.py": b"import os\nos.system('true')\n",
        "tool": b"#!/usr/bin/env python3\nexec('1')\n",
        "broken.py": b"def (",
    },
    "jinja": {"a.jinja": b"{{ lipsum.__globals__ }}", "b.dat": b"{% for i in range(10**9) %}{% endfor %}"},
}
