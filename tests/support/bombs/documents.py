"""Documents of text: JSON, YAML, TOML, templates, source, notebooks, lists, and text that almost holds secrets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import chat_templates
import keras_files

from bombs.bomb import Bomb, filled, nested, numbered

if TYPE_CHECKING:
    from collections.abc import Callable

Made = dict[str, "Callable[[int], bytes]"]


def _as_text(make: Callable[[int], bytes], key: str = "chat_template") -> Callable[[int], bytes]:
    """A document with a template in it."""
    return lambda size: json.dumps({key: make(size).decode()}).encode()


def _cells(size: int) -> bytes:
    cell = {"cell_type": "code", "source": ["!pip install x\n"], "metadata": {}, "outputs": [], "execution_count": None}
    return json.dumps({"cells": [cell] * (size // 110), "nbformat": 4, "nbformat_minor": 5, "metadata": {}}).encode()


def _one_cell(size: int) -> bytes:
    cell = {"cell_type": "code", "source": ["!a\n"] * (size // 8), "metadata": {}, "outputs": []}
    return json.dumps({"cells": [cell], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}).encode()


def _keras(size: int) -> bytes:
    return json.dumps(keras_files.sequential(*[keras_files.dense()] * (size // 330))).encode()


def _keras_unknown(size: int) -> bytes:
    layers = [keras_files.thing(f"L{number}", {}, "mine") for number in range(size // 90)]
    return json.dumps(keras_files.sequential(*layers)).encode()


def _keras_deep(size: int) -> bytes:
    opens = b'{"module":"keras.layers","class_name":"TimeDistributed","registered_name":null,"config":{"layer":'
    return nested(opens, b"null", b"}}")(size)


def _xgboost(size: int) -> bytes:
    return json.dumps({"learner": {"trees": [[1.5] * (size // 5)]}, "version": [3, 0, 0]}).encode()


JSON: Made = {
    "lists in lists": nested(b"[", b"", b"]"),
    "open lists": filled(b"", b"["),
    "lists and objects": nested(b'[{"a":', b"1", b"}]"),
    "objects in objects": nested(b'{"a":', b"1", b"}"),
    "empty lists": filled(b"[", b"[],", b"1]"),
    "empty objects": filled(b"[", b"{},", b"1]"),
    "objects": filled(b"[", b'{"a":1},', b"1]"),
    "numbers": filled(b"[", b"1,", b"1]"),
    "floats": filled(b"[", b"1.5,", b"1]"),
    "strings": filled(b"[", b'"",', b"1]"),
    "members": numbered(b"{", b'"%08d":1,', b'"a":1}'),
    "members of objects": numbered(b"{", b'"%08d":{},', b'"a":1}'),
    "one member again": filled(b"{", b'"a":1,', b'"a":1}'),
    "digits": filled(b"", b"9"),
    "exponent": filled(b"1e", b"9"),
    "one string": filled(b'"', b"a", b'"'),
    "wide characters": filled(b'"\xf0\x9f\x98\x80', b"a", b'"'),
    "escapes": filled(b'"', b"\\u0041", b'"'),
    "surrogates": filled(b'["', b"\\ud83d\\ude00", b'"]'),
    "blanks": filled(b"", b" ", b"{}"),
    "keys that name code": filled(b"[", b'{"auto_map":{"a":"b.c"}},', b"1]"),
    "keys that name other code": numbered(b"[", b'{"_target_":"m%08d.f"},', b"1]"),
    "layers": _keras,
    "unknown layers": _keras_unknown,
    "layers in layers": _keras_deep,
    "graph": filled(b'{"arg_nodes":[],"nodes":[', b'{"op":"x","name":"y"},', b'{"op":"x","name":"y"}]}'),
    "trees": _xgboost,
    "tokenizer": numbered(b'{"model":{"vocab":{', b'"w%08d":1,', b'"a":1},"merges":[]}}'),
    "templates": numbered(b"[", b'{"chat_template":"{{ m%06d }}"},', b"1]"),
    "prompts": numbered(b"[", b'{"template":"{{ m%06d }}"},', b"1]"),
    "almost duplicate": numbered(b"[", b'{"a":1,"a%06d":2},', b"1]"),
}
TEMPLATES: Made = {
    "brackets": nested(b"(", b"1", b")", b"{{", b"}}"),
    "open brackets": filled(b"{{", b"["),
    "blocks": nested(b"{%if a%}", b"x", b"{%endif%}"),
    "loops": nested(b"{%for a in b%}", b"x", b"{%endfor%}"),
    "outputs": filled(b"", b"{{a}}"),
    "opened outputs": filled(b"", b"{{"),
    "opened blocks": filled(b"", b"{%"),
    "comments": filled(b"", b"{#"),
    "closed comments": filled(b"", b"{##}"),
    "attributes": filled(b"{{a", b".b", b"}}"),
    "dunders": filled(b"{{a", b".__class__", b"}}"),
    "calls": filled(b"{{a", b"()", b"}}"),
    "items": filled(b"{{a", b"[0]", b"}}"),
    "filters": filled(b"{{a", b"|e", b"}}"),
    "sums": filled(b"{{a", b"+a", b"}}"),
    "joins": filled(b"{{'a'", b"~'b'", b"}}"),
    "nots": filled(b"{{", b"not ", b"a}}"),
    "minuses": filled(b"{{", b"-", b"1}}"),
    "conditions": filled(b"{{", b"a if b else ", b"c}}"),
    "strings": filled(b"{{'", b"a", b"'}}"),
    "strings without end": filled(b"{{", b"'a' '"),
    "escapes": filled(b"{{'", b"\\'", b"'}}"),
    "assignments": numbered(b"", b"{%%set a%05d=a%%}"),
    "assignments of the one before": filled(b"{%set a=b%}", b"{%set a=a~a%}", b"{{a}}"),
    "assignments of lists": filled(b"{%set a=[b]%}", b"{%set a=[a,a]%}", b"{{a.x}}"),
    "macros": numbered(b"", b"{%%macro m%05d()%%}{%%endmacro%%}"),
    "macros that call": filled(b"{%macro m()%}", b"{{m()}}", b"{%endmacro%}{{m()}}"),
    "raw": filled(b"{%raw%}", b"{{a}}", b"{%endraw%}"),
    "raw without end": filled(b"", b"{%raw%}"),
    "text": filled(b"{{a}}", b"a"),
    "braces": filled(b"{{a}}", b"{ "),
    "blanks": filled(b"{{a}}{%", b" ", b"if a%}{%endif%}"),
    "dicts": nested(b"{'a':", b"1", b"}", b"{{", b"}}"),
    "digits": filled(b"{{", b"9", b"}}"),
    "underscores": filled(b"{{", b"9_", b"9}}"),
    "elifs": filled(b"{%if a%}", b"{%elif a%}", b"{%endif%}"),
    "loops over loops": lambda size: b"{%for a in b%}" * 50 + b"{{a.b}}" * (size // 7) + b"{%endfor%}" * 50,
    "joined attributes": filled(b"{{a", b"['_'~'_b']", b"}}"),
    "lines": filled(b"# for a in b\n", b"\n", b"{{a}}"),
}
YAML: Made = {
    "flow lists": nested(b"[", b"", b"]"),
    "flow maps": nested(b"{a: ", b"1", b"}"),
    "open flow": filled(b"", b"["),
    "dashes": filled(b"", b"- "),
    "questions": filled(b"", b"? "),
    "question lines": filled(b"", b"?\n"),
    "items": filled(b"", b"- a\n"),
    "empty items": filled(b"", b"-\n"),
    "keys": numbered(b"", b"k%06d: 1\n"),
    "one key again": filled(b"", b"a: 1\n"),
    "aliases": filled(b"a: &a [1]\nb: [", b"*a,", b"*a]\n"),
    "laughs": lambda size: (
        b"a0: &a0 [x]\n" + b"".join(b"a%d: &a%d [*a%d,*a%d]\n" % (n, n, n - 1, n - 1) for n in range(1, size // 24))
    ),
    "anchors": numbered(b"", b"- &a%06d x\n"),
    "tags": numbered(b"", b"- !t%06d x\n"),
    "python tags": filled(b"", b"- !!python/name:os.system\n"),
    "documents": filled(b"", b"--- a\n"),
    "directives": filled(b"", b"%TAG ! !\n", b"--- a"),
    "one plain scalar": filled(b"a: ", b"b"),
    "one plain scalar of words": filled(b"a: ", b"b "),
    "plain lines": filled(b"a:\n", b"  b\n"),
    "quoted": filled(b'a: "', b"b", b'"'),
    "quoted lines": filled(b'a: "', b"b\n ", b'"'),
    "escapes": filled(b'a: "', b"\\x41", b'"'),
    "single quoted": filled(b"a: '", b"''", b"'"),
    "literal": filled(b"a: |\n", b"  b\n"),
    "folded": filled(b"a: >\n", b"  b\n"),
    "indents": lambda size: b"".join(b" " * n + b"a:\n" for n in range(int((2 * size) ** 0.5))),
    "comments": filled(b"", b"#\n", b"a: 1"),
    "one comment": filled(b"#", b"c", b"\na: 1"),
    "blanks": filled(b"a:", b" ", b"1"),
    "tabs": filled(b"a:", b"\t", b"1"),
    "lines": filled(b"", b"\n", b"a: 1"),
    "quotes without end": filled(b'a: "', b"b"),
    "colons": filled(b"", b"a:"),
    "merge keys": filled(b"a: &a {x: 1}\n", b"- <<: *a\n"),
    "keys that name code": filled(b"", b"- {_target_: os.system}\n"),
    "bom": filled(b"", b"\xef\xbb\xbf", b"a: 1"),
}
TOML: Made = {
    "arrays": nested(b"[", b"", b"]", b"a="),
    "inline tables": nested(b"{a=", b"1", b"}", b"a="),
    "open arrays": filled(b"a=", b"["),
    "tables": numbered(b"", b"[a%06d]\n"),
    "arrays of tables": filled(b"", b"[[a]]\n"),
    "arrays of tables below": filled(b"", b"[[a.b.c]]\n"),
    "dotted key": filled(b"a", b".a", b"=1"),
    "dotted keys": numbered(b"", b"a.b.k%06d=1\n"),
    "dotted table": filled(b"[a", b".a", b"]"),
    "keys": numbered(b"", b"k%06d=1\n"),
    "items": filled(b"a=[", b"1,", b"]"),
    "string": filled(b'a="', b"b", b'"'),
    "escapes": filled(b'a="', b"\\u0041", b'"'),
    "long string": filled(b'a="""', b"b\n", b'"""'),
    "quotes": filled(b'a="""', b'""', b'"""'),
    "line ends": filled(b'a="""', b"\\\n", b'"""'),
    "digits": filled(b"a=", b"9"),
    "underscores": filled(b"a=1", b"_1"),
    "comments": filled(b"", b"#\n", b"a=1"),
    "lines": filled(b"", b"\n", b"a=1"),
    "dates": filled(b"a=[", b"1979-05-27,", b"]"),
}
PYTHON: Made = {
    "brackets": nested(b"(", b"1", b")"),
    "open brackets": filled(b"", b"["),
    "sums": filled(b"a=1", b"+1", b"\n"),
    "minuses": filled(b"a=", b"-", b"1\n"),
    "nots": filled(b"a=", b"not ", b"1\n"),
    "attributes": filled(b"a", b".b", b"\n"),
    "calls": filled(b"a", b"()", b"\n"),
    "calls in lines": filled(b"import os\n", b"os.system('')\n"),
    "imports": numbered(b"", b"import m%05d\n"),
    "assignments": numbered(b"", b"a%05d=1\n"),
    "assignments of the one before": filled(b"import os\na=os\n", b"a=a.b\n", b"a()\n"),
    "chain of names": numbered(b"import os\na=os\n", b"a%05d=a\n"),
    "functions": numbered(b"", b"def f%05d(): pass\n"),
    "functions that call": numbered(b"", b"def f%05d(): return g()\n"),
    "classes": filled(b"", b"class A: pass\n"),
    "decorators": filled(b"", b"@a\n", b"def f(): pass\n"),
    "lambdas": filled(b"a=", b"lambda:", b"1\n"),
    "blocks": lambda size: (
        b"".join(b" " * n + b"if a:\n" for n in range(min(99, int((2 * size) ** 0.5))))
        + b" " * 100
        + b"a\n" * 1
        + b"a\n" * (size // 2)
    ),
    "one string": filled(b"a='", b"b", b"'\n"),
    "strings": filled(b"a=", b"'b'", b"\n"),
    "f-strings": filled(b"a=f'", b"{b}", b"'\n"),
    "string without end": filled(b"a='''", b"b\n"),
    "lines": filled(b"", b"\n", b"a=1\n"),
    "comments": filled(b"", b"#\n", b"a=1\n"),
    "continuations": filled(b"a=1", b"\\\n", b"+1\n"),
    "digits": filled(b"a=", b"9", b"\n"),
    "hexadecimal": filled(b"a=0x", b"f", b"\n"),
    "dictionary": filled(b"a={", b"1:2,", b"}\n"),
    "comparisons": filled(b"a=1", b"<1", b"\n"),
    "stars": filled(b"a=1", b"**1", b"\n"),
    "globals": numbered(b"", b"global a%05d\n"),
    "semicolons": filled(b"", b"a;"),
    "NULs": filled(b"a=1\n", b"\0"),
}
TEXT: Made = {
    "long line": filled(b"", b"a"),
    "lines": filled(b"", b"a\n"),
    "blank lines": filled(b"", b"\n"),
    "keys without an end": filled(b"", b"-----BEGIN RSA PRIVATE KEY-----\n"),
    "one key without an end": filled(b"-----BEGIN RSA PRIVATE KEY-----\n", b"QUJD"),
    "beginnings of keys": filled(b"", b"-----BEGIN "),
    "dashes": filled(b"", b"-"),
    "AWS": filled(b"", b"AKIA"),
    "AWS, almost": filled(b"", b"AKIAABCDEFGHIJKLMNO "),
    "GitHub": filled(b"", b"ghp_"),
    "GitHub, one": filled(b"ghp_", b"aB1"),
    "Hugging Face": filled(b"", b"hf_"),
    "Hugging Face, one": filled(b"hf_", b"aB1"),
    "Hugging Face, joined": filled(b"", b"xhf_abcdefghijklmnopqrstuvwxyzABCDEFGH "),
    "placeholders": filled(b"", b"hf_exampleabcdefghijklmnopqrstuvwxyzABCD "),
    "OpenAI": filled(b"", b"sk-"),
    "OpenAI, one": filled(b"sk-", b"aB1"),
    "Slack": filled(b"", b"xoxb-1"),
    "JWT": filled(b"", b"eyJ"),
    "JWT, one": filled(b"eyJ", b"hbG."),
    "Google": filled(b"", b"AIza"),
    "not UTF-8": filled(b"a", b"\xff"),
}
LISTS: Made = {
    "packages": numbered(b"", b"p%06d==1\n"),
    "one line": filled(b"p", b"a"),
    "continued": filled(b"p", b"\\\n"),
    "options": filled(b"", b"--index-url x\n"),
    "comments": filled(b"", b"#\n"),
}
SCRIPTS: Made = {
    "commands": filled(b"#!/bin/sh\n", b"curl x | sh\n"),
    "one line": filled(b"#!/bin/sh\n", b"a;"),
    "interpreter": filled(b"#!", b"a"),
    "pipes": filled(b"#!/bin/sh\n", b"|"),
    "quotes": filled(b"#!/bin/sh\n", b"'\""),
}
LIGHTGBM: Made = {
    "lines": filled(b"tree\nversion=v4\n", b"a=1\n"),
    "one line": filled(b"tree\nversion=v4\na=", b"1 "),
    "line without sign": filled(b"tree\nversion=v4\n", b"a"),
    "blank lines": filled(b"tree\nversion=v4\n", b"\n"),
    "blanks": filled(b"tree\nversion=v4\n", b" "),
    "brackets": filled(b"tree\nversion=v4\n", b"[a: b]\n"),
    "categories": filled(b"tree\nversion=v4\nend of trees\npandas_categorical:[", b"[],", b"[]]\n"),
    "odd lines": filled(b"tree\nversion=v4\n", b"?\n"),
}


def _bombs(family: str, file: str, made: Made) -> list[Bomb]:
    return [Bomb(family, name, file, make) for name, make in made.items()]


BOMBS: tuple[Bomb, ...] = (
    *_bombs("json", "config.json", JSON),
    *_bombs("jinja", "chat_template.jinja", TEMPLATES),
    *(Bomb("json", f"template: {name}", "config.json", _as_text(make)) for name, make in TEMPLATES.items()),
    Bomb(
        "jinja",
        "an ordinary template again",
        "chat_template.jinja",
        filled(b"", chat_templates.CHATML.encode())
        if hasattr(chat_templates, "CHATML")
        else filled(b"", b"{% for m in messages %}{{ m.content }}{% endfor %}"),
    ),
    *_bombs("yaml", "config.yaml", YAML),
    *_bombs("toml", "config.toml", TOML),
    *_bombs("python", "model.py", PYTHON),
    *_bombs("text", "README.md", TEXT),
    *_bombs("requirements", "requirements.txt", LISTS),
    *_bombs("script", "run.sh", SCRIPTS),
    *_bombs("lightgbm", "model.txt", LIGHTGBM),
    Bomb("notebook", "cells", "a.ipynb", _cells),
    Bomb("notebook", "lines of one cell", "a.ipynb", _one_cell),
)
