"""Keras models: ``.keras`` archives, older ``.h5`` files, and configurations as JSON.

An archive holds ``config.json``, ``metadata.json``, ``model.weights.h5`` and perhaps ``assets/``; an older file holds
the same configuration in attributes of its root. Either is walked whole (see ``scan/frameworks/keras_config.py``), and
the rest is scanned as what it is. Follows keras/src/saving/saving_lib.py and
keras/src/legacy/saving/legacy_h5_format.py 3.15.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from modelsign import limits, strictjson
from modelsign.artifact.containers.zip import ZipArchive
from modelsign.errors import ModelsignError
from modelsign.scan.archives.zips import archive_of, findings_of, is_pytorch_archive, looks_like_zip, member_of
from modelsign.scan.format import Format, Inspection
from modelsign.scan.frameworks.keras_config import RULES, holds_objects, judge
from modelsign.scan.hdf5.headers import find_superblock
from modelsign.scan.hdf5.rules import RULES as HDF5_RULES
from modelsign.scan.hdf5.walk import hdf5_of
from modelsign.scan.rules import AMBIGUOUS, BROKEN, BUDGET, ZIP_RULES
from modelsign.scan.syntax.jsonkeys import document_bytes

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading
    from modelsign.scan.format import Member
    from modelsign.scan.hdf5.walk import Hdf5
    from modelsign.verdict import Finding

__all__ = ["FORMAT"]

_CONFIG: Final = "config.json"
_MARKS: Final = (frozenset({"config.json", "metadata.json"}), frozenset({"config.json", "model.weights.h5"}))
_ATTRIBUTES: Final = ("model_config", "training_config", "config")
_JSON: Final = frozenset({b"{", b"["})
_VOCABULARY: Final = re.compile(r"assets/(?:[^/]+/)*vocabulary\.txt", re.ASCII)
_MAY_NAME_A_CLASS: Final = re.compile(rb"class_name|\\u00[4-7]")
"""Bytes without which a document has no key ``class_name``, spelt out or escaped."""


def _is_model(archive: ZipArchive) -> bool:
    """Whether Keras would open an archive: by its members, in whatever folder and letter case."""
    names = {member.name.casefold().rsplit("/", 1)[-1] for member in archive.members}
    return any(marks <= names for marks in _MARKS)


def _recognise(reading: Reading, name: str) -> bool:
    del name
    if reading.read_at(0, 64).lstrip(b" \t\r\n")[:1] in _JSON:
        return True
    return looks_like_zip(reading) or find_superblock(reading) is not None


def _scan(reading: Reading, name: str) -> Inspection:
    """Judge every carrier that the bytes are; of one that is a model, the others are read too, and said to be there."""
    del name
    if reading.read_at(0, 64).lstrip(b" \t\r\n")[:1] in _JSON:
        found = _scan_json(reading)
        if found.readable:
            return found
    inside = hdf5_of(reading)
    archive = archive_of(reading) if looks_like_zip(reading) else None
    is_archive = archive is not None and not isinstance(archive, ModelsignError)
    as_file = inside is not None and any(key in inside.texts for key in _ATTRIBUTES[:2])
    as_archive = isinstance(archive, ZipArchive) and not is_pytorch_archive(archive) and _is_model(archive)
    if not as_file and not as_archive:
        return Inspection(readable=False)
    findings = [AMBIGUOUS.finding("readable as HDF5 and as a ZIP archive")] if inside is not None and is_archive else []
    if inside is not None:
        findings += _of_hdf5(inside)
    if archive is not None:
        findings += findings_of(archive, reading)
    members = tuple(_members(reading, archive)) if isinstance(archive, ZipArchive) else ()
    names = inside.globals if inside is not None else frozenset()
    return Inspection(readable=True, findings=tuple(findings), globals=names, members=members)


def _members(reading: Reading, archive: ZipArchive) -> list[Member]:
    """Hand the members on, the configuration with its own reader; a vocabulary is lines of text and nothing else."""
    found = []
    for member in archive.members:
        if member.is_folder:
            continue
        inner = member_of(reading, member, data=_VOCABULARY.fullmatch(member.name) is not None)
        if member.name.casefold().rsplit("/", 1)[-1] == _CONFIG:
            inner = replace(inner, reader=_scan_config, replaces="keras")
        found.append(inner)
    return found


def _scan_config(reading: Reading, name: str) -> Inspection:
    """Judge the configuration of an archive, whatever it looks like."""
    del name
    if reading.size > limits.SCAN_JSON_BYTES:
        return Inspection(readable=True, findings=(BUDGET.finding(f"a configuration of {reading.size} bytes"),))
    return Inspection(readable=True, findings=_of_text(document_bytes(reading)))


def _scan_json(reading: Reading) -> Inspection:
    """Judge a document that names classes; any other is left to the reader of JSON."""
    if reading.size > limits.SCAN_JSON_BYTES:
        return Inspection(readable=False)
    data = document_bytes(reading)
    if not _MAY_NAME_A_CLASS.search(data):
        return Inspection(readable=False)
    try:
        document = strictjson.loads(
            data, most_bytes=limits.SCAN_JSON_BYTES, most_room=limits.SCAN_JSON_ROOM, finite=False
        )
    except ModelsignError:
        return Inspection(readable=False)
    if not holds_objects(document):
        return Inspection(readable=False)
    return Inspection(readable=True, findings=judge(document))


def _of_hdf5(inside: Hdf5) -> list[Finding]:
    """Judge the configurations in the attributes of a file's root, and keep what else was found in it."""
    findings = list(inside.findings)
    for key in _ATTRIBUTES:
        for text in inside.texts.get(key, ()):
            findings += _of_text(text, f"/@{key}") if text else ()
    return findings


def _of_text(data: bytes, member: str | None = None) -> tuple[Finding, ...]:
    try:
        document = strictjson.loads(
            data, most_bytes=limits.SCAN_JSON_BYTES, most_room=limits.SCAN_JSON_ROOM, what="configuration", finite=False
        )
    except ModelsignError as fault:
        return (BROKEN.finding(fault.message, member=member),)
    return judge(document, member=member)


FORMAT = Format(
    id="keras",
    title="Keras model",
    description="The configuration of a Keras model, in an archive, an HDF5 file or JSON, and the weights beside it.",
    recognise=_recognise,
    scan=_scan,
    extensions=(".keras",),
    rules=(AMBIGUOUS, *RULES, *ZIP_RULES, *HDF5_RULES),
    refines=("hdf5", "zip"),
)
