"""INI files: configurations of spaCy's pipelines, Darknet's networks, Python's logging, and what installs packages.

Known by what is in them, under names ending in `.cfg` or `.ini`: the functions that a pipeline looks up
(``scan/configuration/spacy_config.py``), the layers of a network, the texts that logging evaluates. An INI file of any
other use has no reader.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from modelsign import limits
from modelsign.scan.configuration.code_keys import capability_of
from modelsign.scan.configuration.packages import PACKAGES
from modelsign.scan.configuration.spacy_config import REGISTERED, is_pipeline, judged_pipeline
from modelsign.scan.format import Format, Inspection
from modelsign.scan.python.examine import UnreadableSourceError, examined, parsed
from modelsign.scan.syntax.ini import BrokenIniError, read_ini
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsign.artifact.reading import Reading
    from modelsign.scan.syntax.ini import Section
    from modelsign.verdict import Finding

__all__ = ["FORMAT"]

LAYER: Final = Rule(
    "darknet-network",
    "the description of a network holds more than known layers",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "A section is no layer of Darknet's, a key names a file that Darknet opens, or a number is beyond any layer's; "
    "Darknet computes sizes of memory from such numbers unchecked.",
    "Compare the description with that of the published network.",
    ("https://github.com/pjreddie/darknet/blob/master/src/parser.c",),
)
EVALUATED: Final = Rule(
    "logging-configuration",
    "a configuration of Python's logging is evaluated and names classes",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "`logging.config.fileConfig` evaluates the arguments of handlers as Python, imports the classes that the file "
    "names and opens the files that they log to.",
    "Configure logging by your own program.",
    ("https://docs.python.org/3/library/logging.config.html#logging.config.fileConfig",),
)
RUNS: Final = Rule(
    "logging-runs-code",
    "a configuration of Python's logging runs code",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "`logging.config.fileConfig` evaluates the arguments of handlers as Python, and calls the classes that the file "
    "names. These run programs, evaluate text, reach other machines or write files.",
    "Do not load the file.",
    ("https://docs.python.org/3/library/logging.config.html#logging.config.fileConfig", "CWE-95"),
)
_EXTENSIONS: Final = (".cfg", ".ini")
_NETWORK: Final = frozenset({"net", "network"})
_LAYERS: Final = frozenset({
    "activation", "avg", "avgpool", "batchnorm", "cls", "conn", "connected", "contrastive", "conv", "conv_lstm",
    "convolutional", "cost", "crnn", "crop", "deconv", "deconvolutional", "detection", "dropout", "empty",
    "gaussian_yolo", "gru", "history", "iseg", "l2norm", "local", "local_avg", "local_avgpool", "logistic", "lrn",
    "lstm", "max", "maxpool", "normalization", "region", "reorg", "reorg3d", "reorg_old", "rnn", "route", "sam",
    "scale_channels", "shortcut", "silence", "soft", "softmax", "upsample", "yolo",
})  # fmt: skip
"""Darknet src/parser.c string_to_layer_type, of pjreddie's and AlexeyAB's."""
_FILES: Final = frozenset({"map", "tree", "file"})
_NUMBER: Final = re.compile(r"\d{10}")
_LOGGING: Final = ({"loggers", "handlers"}, {"handlers", "formatters"})
_INSTALLS: Final = ("metadata", "options", "options.", "bdist_", "build_ext", "develop")
_SHOWN: Final = 100
_MOST: Final = 50


def _recognise(reading: Reading, name: str) -> bool:
    return reading.size > 0 and name.casefold().endswith(_EXTENSIONS)


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    if reading.size > limits.INI_BYTES:
        return Inspection(readable=False)
    try:
        sections = read_ini(reading.read_at(0, reading.size).decode("utf-8"))
    except (UnicodeDecodeError, BrokenIniError):
        return Inspection(readable=False)
    findings = _judged(sections)
    return Inspection(readable=findings is not None, findings=tuple(findings or ()))


def _judged(sections: list[Section]) -> list[Finding] | None:
    """Judge a file by its kind; None for a kind that is not known."""
    names = {section.name for section in sections}
    found: list[Finding] = []
    kinds = 0
    if is_pipeline(sections):
        found += judged_pipeline(sections)
        kinds += 1
    if sections and sections[0].name.casefold() in _NETWORK:
        found += dict.fromkeys(_layers(sections))
        kinds += 1
    if any(wanted <= names for wanted in _LOGGING):
        found += dict.fromkeys(_logging(sections))
        kinds += 1
    if installs := sorted(one for one in names if one in _INSTALLS or one.startswith(_INSTALLS[2:4])):
        found.append(PACKAGES.finding(f"the file has {', '.join(installs)[:_SHOWN]}"))
        kinds += 1
    return found[:_MOST] if kinds else None


def _layers(sections: list[Section]) -> Iterator[Finding]:
    for section in sections:
        kind = section.name.casefold()
        if kind not in _LAYERS | _NETWORK:
            yield LAYER.finding(f"line {section.line}: {section.name[:_SHOWN]} is no layer of Darknet's")
        for key, value, line in section.items:
            if key.casefold() in _FILES:
                yield LAYER.finding(f"line {line}: {key[:_SHOWN]} names the file {value[:_SHOWN]}")
            elif _NUMBER.search(value) and "." not in value:
                yield LAYER.finding(f"line {line}: {key[:_SHOWN]} is {value[:_SHOWN]}")


def _logging(sections: list[Section]) -> Iterator[Finding]:
    yield EVALUATED.finding("the file configures logging")
    for section in sections:
        if not section.name.strip().startswith(("handler", "formatter")):
            continue
        for key, value, line in section.items:
            shown = f"line {line}: {key} is {value[:_SHOWN]}"
            key = key.casefold()  # noqa: PLW2901 - configparser folds keys
            if key == "class" and "." in value and (what := capability_of(value)) and not value.startswith("logging."):
                yield RUNS.finding(f"{shown} ({what})")
            elif key in {"args", "kwargs"} and _acts(value):
                yield RUNS.finding(shown)


def _acts(text: str) -> bool:
    """Whether a text does something when it is evaluated: anything that source does on import, or that is no source."""
    try:
        return bool(examined(parsed(f"_ = {text}\n")))
    except UnreadableSourceError:
        return True


FORMAT = Format(
    id="ini",
    title="INI",
    description="Configurations of spaCy's pipelines and networks of Darknet that name nothing but the libraries' own.",
    recognise=_recognise,
    scan=_scan,
    extensions=_EXTENSIONS,
    dearness=4,
    rules=(REGISTERED, LAYER, EVALUATED, RUNS, PACKAGES),
)
