"""A scan says the same on every Python: outcomes, findings and messages, of files whose readers stand on Python's own.

Every interpreter on this machine is started for itself and scans the same bytes with this very source; what needs a
distribution that a bare interpreter lacks (YAML, LZ4, Zstandard) is held by the hash of its source instead.
"""

from __future__ import annotations

import base64
import hashlib
import importlib
import json
import subprocess
import sys
from pathlib import Path

import model_files
import pytest

import modelsign
from modelsign.scan.python.examine import UnreadableSourceError, parsed

ROOT = Path(__file__).parents[2]
PROGRAM = """
import base64, json, sys
sys.path.insert(0, sys.argv[1])
from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import ruleset_digest, scan_file
told = {}
for name, data in json.load(sys.stdin).items():
    result = scan_file(BytesReading(base64.b64decode(data)), name.partition("!")[2])
    told[name] = [result.outcome, result.format, [[f.rule, f.message, f.member, f.offset] for f in result.findings]]
json.dump([ruleset_digest(), told], sys.stdout)
"""
NEWER = {
    "nested quotes (3.12)": 'x = f"{d["a"]}"\n',
    "a backslash in a field (3.12)": "x = f\"{'\\n'.join(a)}\"\n",
    "a comment in a field (3.12)": "x = f'''{\na # c\n}'''\n",
    "nested formats (3.12)": "x = f'{a:{b:{c}}}'\n",
    "type statement (3.12)": "type X = int\n",
    "type parameters (3.12)": "def f[T](x: T) -> T: ...\nclass A[T]: ...\n",
    "default of a parameter (3.13)": "class A[T = int]: ...\n",
    "except without brackets (3.14)": "try: pass\nexcept A, B: pass\n",
    "template string (3.14)": "x = t'{a}'\n",
    "letters of Unicode 15": "\U00031350 = 1\n",
    "a letter's name of Unicode 15": "x = '\\N{KAWI DIGIT ONE}'\n",
    "NUL": "x = 1\0\n",
    "brackets": "x = " + "(" * 150 + ")" * 150 + "\n",
    "brackets beyond any": "x = " + "(" * 5000 + ")" * 5000 + "\n",
    "a deep tree": "x = " + "-" * 1200 + "1\n",
    "a deeper tree": "x = " + "1+" * 9000 + "1\n",
    "a long number": "x = " + "9" * 4299 + "\n",
    "a longer number": "x = " + "9" * 5000 + "\n",
    "Python 2": "print 'x'\n",
}
ALIKE = {
    "formatted": "x = f'{a!r:>{w}} {{b}} {c[\"d\"]} {f\"{e}\"}' f\"{'x'}\" rf'\\d{a}' f'\\N{EM DASH}{a}'\n",
    "lines": 'import os\nx = f"""\n{os.system("true")}\n{\nos.system("true")\n}\n"""\nos.popen("y")\n',
    "match": "match x:\n    case {'a': [1, *_]}: pass\n",
    "groups": "try: pass\nexcept* ValueError: pass\n",
    "touching": "x = 1if'a'else'b'\ny = [a for a in'b'if not'c']\n",
    "operators": "x = " + " + ".join(["'a'"] * 200) + "\n",
    "escapes": "x = '\\d \\N{EM DASH} \\\n'\ny = 'a' 'b', b'c'.decode()\n",
    "brackets": "x = " + "[" * 50 + "]" * 50 + "\n",
}
OTHERS = {
    "comma.json": b'{"a": 1,}',
    "comma-in-list.json": b"[1, 2 ,\n]",
    "deep.json": b"[" * 100 + b"]" * 100,
    "deeper.json": b"[" * 100_000,
    "cut.json": b'{"a": ',
    "control.json": b'{"a": "\x01"}',
    "number.json": b'{"a": ' + b"9" * 5000 + b"}",
    "deep.toml": b"a = " + b"[" * 200 + b"]" * 200,
    "deeper.toml": b"a = " + b"[" * 20_000,
    "broken.toml": b"a = ",
    "name.pkl": "c\U00031350\nThing\n.".encode(),
    "begin.safetensors": "c\U00031350\nThing\nX".encode(),
    "letter.jinja": b"{{ '\\N{VITHKUQI CAPITAL LETTER A}' }}",
    "cut.xml": b"<PMML><a",
    "entity.xml": b"<!DOCTYPE PMML [<!ENTITY a 'b'>]><PMML/>",
}


def corpus():
    """Every good and bad file of the formats, and what Pythons are known to differ on."""
    sources = {f"{kind} {word}!m.py": text.encode() for kind in (NEWER, ALIKE) for word, text in kind.items()} | {}
    files = {
        f"{member}!{name}": data
        for table in (model_files.GOOD, model_files.BAD)
        for member, known in table.items()
        for name, data in known.items()
        if not needs_a_distribution(name, data)
    }
    numbered = {f"{number} {name}": data for number, (name, data) in enumerate(files.items())}
    named = {f"{number} {name[-40:]}": data for number, (name, data) in enumerate(sources.items())}
    return {**numbered, **named, **{f"other!{name}": data for name, data in OTHERS.items()}}


def needs_a_distribution(name, data):
    return (
        name.casefold().endswith((".yaml", ".yml", "mlmodel"))
        or b"!!python/" in data
        or b"(\xb5/\xfd" in data
        or b"\x04\x22\x4d\x18" in data
        or any(mark in data for mark in (b".yaml", b"\x2a\x4d\x18"))
    )


def told_by(python, files):
    source = str(Path(modelsign.__file__).parents[1])
    asked = json.dumps({name: base64.b64encode(data).decode() for name, data in files.items()})
    done = subprocess.run(
        [python, "-I", "-c", PROGRAM, source], input=asked, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def test_every_python_on_this_machine_says_the_same(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    found = importlib.import_module("interpreters").found()
    files = corpus()
    digest, here = told_by(sys.executable, files)
    assert len(here) == len(files)
    for version, python in found.items():
        other_digest, there = told_by(python, files)
        assert other_digest == digest, version
        different = {name: (here[name], there[name]) for name in files if here[name] != there[name]}
        assert different == {}, version


@pytest.mark.parametrize("name", NEWER)
def test_source_that_not_every_python_reads_alike_is_refused_on_all(name):
    with pytest.raises(UnreadableSourceError):
        parsed(NEWER[name])


@pytest.mark.parametrize("name", ALIKE)
def test_source_that_every_python_reads_alike_is_read(name):
    assert parsed(ALIKE[name]).body


def test_the_parser_of_yaml_is_the_very_one_that_the_ruleset_knows():
    """PyYAML's parser has not changed from 6.0.2 to 6.0.4; a release that changes it needs a new ``GRAMMAR``."""
    total = hashlib.sha256()
    for word in ("error", "reader", "tokens", "scanner", "events", "parser"):
        total.update(Path(importlib.import_module(f"yaml.{word}").__file__).read_bytes())
    assert total.hexdigest() == "e10da18d9de8e76b019b9c018f7fb6f5ae86b5051d44cc9ab0ee681087c24dc0"
