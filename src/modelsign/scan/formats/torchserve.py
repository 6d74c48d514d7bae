"""TorchServe archives (``.mar``): a ZIP archive whose manifest names the code that serves the model.

``MAR-INF/MANIFEST.json`` names a handler, one of TorchServe's own or a file of the archive, which the server imports,
and may name packages to install. Every member is scanned as a file of its own, the handler's source among them.
Follows ts/model_loader.py and model-archiver/model_archiver of TorchServe 0.12.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign import limits, strictjson
from modelsign.artifact.containers.zip import open_member
from modelsign.errors import ModelsignError
from modelsign.scan.archives.zips import archive_of, findings_of, looks_like_zip, member_of
from modelsign.scan.format import Format, Inspection, Magic
from modelsign.scan.rules import ZIP_RULES
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsign.artifact.containers.zip import ZipArchive, ZipMember
    from modelsign.artifact.reading import Reading
    from modelsign.verdict import Finding

__all__ = ["FORMAT"]

HANDLER: Final = Rule(
    "torchserve-handler",
    "the manifest names code that the server imports",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "TorchServe imports the handler that the manifest names and calls it for every request, with the rights of the "
    "server. It is none of TorchServe's own, and nobody reviewed it.",
    "Read the handler, and serve the model only if you trust whoever wrote it.",
)
PACKAGES: Final = Rule(
    "torchserve-packages",
    "the manifest has packages installed",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "The server may install the packages that a file of the archive lists before it loads the model, and installing a "
    "package can run code of its author.",
    "Install what you need yourself, and leave `install_py_dep_per_model` off.",
    ("https://pytorch.org/serve/custom_service.html",),
)
MANIFEST: Final = Rule(
    "torchserve-manifest",
    "the manifest cannot be read",
    Severity.MEDIUM,
    Outcome.INCOMPLETE,
    "The manifest says which code serves the model. It is no strict JSON, or not of the form that the archiver writes, "
    "so that nothing can be said of that code.",
    "Make the archive again with torch-model-archiver.",
)
_PLACE: Final = "mar-inf/manifest.json"
_OWN: Final = frozenset({"image_classifier", "image_segmenter", "object_detector", "text_classifier"})
"""Handlers that TorchServe brings (ts/torch_handler), besides those that examples add."""
_MANIFESTS: Final = 8
"""Manifests of one archive that are read; a second one is a contradiction already."""
_SHOWN: Final = 100


def _recognise(reading: Reading, name: str) -> bool:
    del name
    return looks_like_zip(reading)


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    archive = archive_of(reading)
    if isinstance(archive, ModelsignError):
        return Inspection(readable=False)
    manifests = [member for member in archive.members if member.name.casefold() == _PLACE]
    if not manifests:
        return Inspection(readable=False)
    findings = [*findings_of(archive, reading, unpacked=True)]
    for member in manifests[:_MANIFESTS]:
        findings += _judged(reading, archive, member)
    members = tuple(member_of(reading, member) for member in archive.members if not member.is_folder)
    return Inspection(readable=True, findings=tuple(findings), members=members)


def _judged(reading: Reading, archive: ZipArchive, member: ZipMember) -> Iterator[Finding]:
    with open_member(reading, member, limits.SCAN_JSON_BYTES) as stream:
        data = stream.read_at(0, min(stream.size, limits.SCAN_JSON_BYTES + 1))
    try:
        document = strictjson.loads(
            data, most_bytes=limits.SCAN_JSON_BYTES, most_room=limits.SCAN_JSON_ROOM, finite=False
        )
    except ModelsignError as fault:
        yield MANIFEST.finding(fault.message, member=member.name)
        return
    model = document.get("model") if isinstance(document, dict) else None
    handler = model.get("handler") if isinstance(model, dict) else None
    if not isinstance(model, dict) or not isinstance(handler, str):
        yield MANIFEST.finding("the manifest names no handler", member=member.name)
        return
    if handler not in _OWN:
        file = handler.partition(":")[0].removesuffix(".py") + ".py"
        there = any(one.name == file for one in archive.members)
        words = "a file of the archive" if there else "a module that is installed, or nothing"
        yield HANDLER.finding(f"the handler is {handler[:_SHOWN]}, {words}", member=member.name)
    if model.get("requirementsFile"):
        yield PACKAGES.finding(f"{str(model['requirementsFile'])[:_SHOWN]} lists packages", member=member.name)


FORMAT = Format(
    id="torchserve",
    title="TorchServe archive",
    description="What torch-model-archiver writes: a ZIP archive with a manifest, weights, and the handler's source.",
    recognise=_recognise,
    scan=_scan,
    magic=(Magic(0, b"PK\x03\x04"),),
    extensions=(".mar",),
    rules=(*ZIP_RULES, HANDLER, PACKAGES, MANIFEST),
    refines=("zip",),
)
