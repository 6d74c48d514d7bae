"""INI files: pipelines of spaCy and networks of Darknet are clean, what they name beyond is not; logging is evaluated."""
# ruff: noqa: E501 - files stand on one line each

from __future__ import annotations

import configparser
import random

import pytest

from modelsign import limits
from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file
from modelsign.scan.syntax.ini import BrokenIniError, read_ini

PIPELINE = """
[paths]
train = null
vectors = null

[nlp]
lang = "en"
pipeline = ["tok2vec","ner"]
before_creation = null

[nlp.tokenizer]
@tokenizers = "spacy.Tokenizer.v1"

[components]

[components.ner]
factory = "ner"
moves = null

[components.ner.model]
@architectures = "spacy.TransitionBasedParser.v2"
state_type = "ner"
nO = null

[components.ner.model.tok2vec]
@architectures = "spacy.Tok2VecListener.v1"
width = ${components.tok2vec.model.encode.width}
rows = [5000,
    1000,
    # a comment
    2500]

[training.optimizer]
@optimizers = "Adam.v1"
learn_rate = 0.001

[initialize]
vectors = ${paths.vectors}
"""
NETWORK = """
[net]
# Testing
batch=1
width=416
policy=steps
steps=400000,450000
scales=.1,.1

[convolutional]
batch_normalize=1
filters=16
activation=leaky

[convolutional]
filters=32

[yolo]
mask = 3,4,5
anchors = 10,14,  23,27
"""
CLEAN = {
    "spaCy": PIPELINE,
    "thinc": '[model]\n@layers = "chain.v1"\n\n[model.*.relu]\n@layers = "Relu.v1"\nnO = 4\n',
    "Darknet": NETWORK,
    "spaCy, a template": PIPELINE.replace('lang = "en"', "lang = null"),
    "spaCy, text in quotation marks": PIPELINE + '\n[x]\na = "{text} [1]"\nb = "${paths.root}/labels.json"\n',
    "legacy": PIPELINE.replace("spacy.TransitionBasedParser.v2", "spacy.TransitionBasedParser.v1"),
}
UNVERIFIED = {
    "spaCy, a function of one's own": PIPELINE.replace("spacy.Tok2VecListener.v1", "mine.Tok2Vec.v1"),
    "spaCy, a callback": PIPELINE + '\n[nlp.after_creation]\n@callbacks = "mine.run.v1"\n',
    "spaCy, another pipeline's parts": PIPELINE
    + '\n[nlp.before_creation]\n@callbacks = "spacy.copy_from_base_model.v1"\ntokenizer = "evil"\n',
    "spaCy, a knowledge base from a path": PIPELINE + '\n[x]\n@misc = "spacy.KBFromFile.v1"\nkb_path = "/x"\n',
    "spaCy, a component of one's own": PIPELINE.replace('factory = "ner"', 'factory = "mine"'),
    "spaCy, a component from another pipeline": PIPELINE.replace('factory = "ner"', 'source = "evil_package"'),
    "spaCy, a language of one's own": PIPELINE.replace('lang = "en"', 'lang = "evil"'),
    "spaCy, a registry of one's own": PIPELINE + '\n[x]\n@mine = "spacy.Tok2Vec.v2"\n',
    "spaCy, a known name in another registry": PIPELINE + '\n[x]\n@callbacks = "spacy.Tok2Vec.v2"\n',
    "spaCy, below a value": PIPELINE + '\n[x]\ny = [1, {"a": {"@misc": "mine.v1"}}]\n',
    "spaCy, in a value that is no JSON": PIPELINE + '\n[x]\ny = {"@misc": "mine.v1", }\n',
    "spaCy, the key twice in a value": PIPELINE + '\n[x]\ny = {"@misc": "mine.v1", "@misc": "spacy.EmptyKB.v2"}\n',
    "spaCy, a name that is put together": PIPELINE + "\n[x]\n@misc = ${paths.train}\n",
    "spaCy, a value that is put together": PIPELINE + '\n[x]\na = {"@mi\ny = ${x.a}${x.b}\n',
    "spaCy, a key that is put together": PIPELINE + '\n[x]\ny = {"${paths.train}": "mine.v1"}\n',
    "spaCy, JSON in quotation marks": PIPELINE + '\n[x]\ny = "{\\"@misc\\": \\"mine.v1\\"}"\n',
    "spaCy, JSON in quotation marks, with a key twice": PIPELINE
    + '\n[x]\ny = "{\\"@misc\\": \\"mine.v1\\", \\"@misc\\": \\"spacy.EmptyKB.v2\\"}"\n',
    "spaCy, put together in quotation marks": PIPELINE + '\n[x]\na = {"@mi\ny = "${x.a}${x.b}"\n',
    "spaCy, for every section": '[DEFAULT]\nsource = "evil"\n' + PIPELINE,
    "thinc": '[model]\n@layers = "mine.v1"\n',
    "Darknet, a file": NETWORK + "tree=/etc/passwd\n",
    "Darknet, an unknown layer": NETWORK + "[frobnicate]\n",
    "Darknet, an overflow": NETWORK + "[convolutional]\nfilters=4294967297\n",
    "setup.cfg": "[metadata]\nname = a\n[options]\ninstall_requires = evil\n",
    "logging": "[loggers]\nkeys=root\n[handlers]\nkeys=a\n[handler_a]\nclass=StreamHandler\nargs=(sys.stdout,)\n",
}
UNSAFE = {
    "logging evaluates": "[loggers]\nkeys=root\n[handlers]\nkeys=a\n[handler_a]\nclass=StreamHandler\nargs=(__import__('os').system('true'),)\n",
    "logging evaluates, in two lines": "[loggers]\nkeys=root\n[handlers]\nkeys=a\n[handler_a]\nclass=StreamHandler\nargs=(\n  eval('1'),)\n",
    "logging calls a class": "[loggers]\nkeys=root\n[handlers]\nkeys=a\n[handler_a]\nclass=subprocess.Popen\nargs=('true',)\n",
}  # fmt: skip


def scan(text, name="config.cfg"):
    return scan_file(BytesReading(text if isinstance(text, bytes) else text.encode()), name)


@pytest.mark.parametrize("case", CLEAN)
def test_what_the_libraries_write_is_clean_but_not_inert(case):
    result = scan(CLEAN[case])
    assert (result.outcome, result.format, result.loadable, result.findings) == ("clean", "ini", True, ())


@pytest.mark.parametrize("case", UNVERIFIED)
def test_what_is_named_beyond_is_unverified(case):
    result = scan(UNVERIFIED[case])
    assert (result.outcome, result.format) == ("unverified", "ini")


@pytest.mark.parametrize("case", UNSAFE)
def test_what_is_evaluated_is_unsafe(case):
    assert scan(UNSAFE[case]).outcome == "unsafe"


@pytest.mark.parametrize(
    "text", ["[tool]\na = 1\n", "a = 1\n", "[nlp]\nlang\n", "\ufeff" + PIPELINE, "[a]b]\nc = 1\n", PIPELINE.encode("utf-16"), b"\0"]
)  # fmt: skip
def test_any_other_file_has_no_reader(text):
    assert scan(text).outcome == "unsupported"


@pytest.mark.parametrize(
    "line", ["[components.ner] = 1", "[components.ner] ; = 1", "[components]ner] = 1", "[a] # = b"]
)
def test_a_section_with_more_behind_it_is_taken_for_none(line):
    """``configparser`` reads the name of a section and drops the rest; what follows must not be judged as another's."""
    with pytest.raises(BrokenIniError):
        read_ini(f'[nlp]\nlang = "en"\n{line}\nsource = "evil"\n')


def test_a_long_file_has_no_reader():
    assert scan(PIPELINE + "# " + "x" * limits.INI_BYTES).outcome == "unsupported"


def test_json_under_such_a_name_is_json():
    """spaCy's ``vectors.cfg`` is."""
    assert scan('{"mode": "default"}', "vocab/vectors.cfg").outcome == "clean"


def test_a_name_can_be_trusted():
    reading = BytesReading(UNVERIFIED["thinc"].encode())
    assert scan_file(reading, "config.cfg", trust_globals=frozenset({"mine.v1"})).outcome == "clean"


def test_files_are_read_as_python_reads_them():
    """Where Python's parser takes a file, ours finds the same sections, keys and values, or refuses it."""
    source = random.Random(11)
    pieces = [
        "[a]",
        "[b.c]",
        "k = v",
        "k: v",
        "  more",
        "\t",
        "",
        "# c",
        "; c",
        "x = [1,",
        "    2]",
        '@m = "y"',
        "=",
        "[",
        "k",
        " k = 1",
        "]",
    ]
    compared = 0
    for _ in range(3000):
        text = "\n".join(source.choice(pieces) for _ in range(source.randrange(1, 9)))
        theirs = configparser.ConfigParser(interpolation=None)
        theirs.optionxform = str
        try:
            theirs.read_string(text)
            ours = read_ini(text)
        except (configparser.Error, BrokenIniError):
            continue
        compared += 1
        wanted = {
            (name, key, " ".join(value.split())) for name in theirs.sections() for key, value in theirs[name].items()
        }
        assert {(one.name, key, " ".join(value.split())) for one in ours for key, value, _ in one.items} == wanted
    assert compared > 200


def test_mutations_have_an_answer():
    source = random.Random(5)
    for _ in range(500):
        text = source.choice([*CLEAN.values(), *UNVERIFIED.values(), *UNSAFE.values()])
        at = source.randrange(len(text) + 1)
        text = (
            text[:at]
            + source.choice(["[", "]", "=", "\n", " ", "@", "{", "${", '"', "\0", "\r"])
            + text[at + source.randrange(2) :]
        )
        assert scan(text).outcome in {"clean", "unverified", "unsupported", "unsafe"}
