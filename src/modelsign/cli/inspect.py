"""``modelsign inspect``: what a bundle says. Nothing it says is verified, and the answer says so first."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from modelsign import limits
from modelsign.cli.command import define
from modelsign.errors import ModelsignError, error
from modelsign.reasons import ExitStatus
from modelsign.report.escape import escape_line
from modelsign.verdict import Report

if TYPE_CHECKING:
    from modelsign.cli.session import Session
    from modelsign.signing.bundle import Bundle

__all__ = ["command"]

_WARNING = "NOTHING HERE WAS VERIFIED: anybody can write such a bundle; use `modelsign verify`"


@define("inspect", examples=("modelsign inspect model/model.sig", "modelsign inspect model/ --format json"))
@click.argument("bundle")
def command(session: Session, *, bundle: str) -> Report:
    """Show what a bundle says, without trusting it.

    BUNDLE is a signature, an attestation store (.jsonl), a model, or - for standard input.
    """
    bundles = [_describe(data) for data in _read(session, bundle)]
    text = "\n".join([_WARNING, *(line for entry in bundles for line in _lines(entry))]) + "\n"
    body: dict[str, object] = {"verified": False, "bundles": bundles}
    return Report("inspect", ExitStatus.OK, body, warnings=(_WARNING,), text=text)


def _read(session: Session, place: str) -> list[bytes]:
    from modelsign.signing.evidence import find_bundles, read_bundle, read_bundles

    if place == "-":
        return [session.read("-", limits.BUNDLE_BYTES, what="bundle")]
    if os.path.isdir(place):  # noqa: PTH112 - strings, as in artifact
        found = find_bundles(place)
        if not found:
            raise error("SIGNATURE_MISSING", f"the model {place} has no signature")
        return read_bundles(found)
    data = read_bundle(place)
    if place.endswith(".jsonl"):
        return [line for line in data.split(b"\n") if line.strip()]
    return [data]


def _describe(data: bytes) -> dict[str, object]:
    from modelsign.signing.bundle import MEDIA_TYPE, parse_bundle

    bundle = parse_bundle(data)
    material = bundle.material
    return {
        "media_type": MEDIA_TYPE,
        "payload_type": bundle.payload_type,
        "payload_bytes": len(bundle.payload),
        "legacy": bundle.legacy,
        "material": {
            "kind": material.kind,
            "hint": material.hint,
            "certificates": len(material.certificates),
            "transparency_log_entries": len(material.tlog_entries),
            "timestamps": len(material.timestamps),
        },
        "statement": _statement(bundle),
    }


def _statement(bundle: Bundle) -> dict[str, object]:
    """Describe the payload as far as it can be read; a broken one is described by its fault."""
    from modelsign import strictjson
    from modelsign.signing.oms import PREDICATE_TYPE, parse_statement

    try:
        value = strictjson.loads(bundle.payload, most_bytes=limits.BUNDLE_BYTES, what="payload")
    except ModelsignError as fault:
        return {"fault": fault.message}
    if not isinstance(value, dict):
        return {"fault": "the payload is not an object"}
    described: dict[str, object] = {"predicate_type": value.get("predicateType"), "subject": value.get("subject")}
    if value.get("predicateType") == PREDICATE_TYPE:
        try:
            parsed = parse_statement(bundle.payload, strict_names=False)
        except ModelsignError as fault:
            return described | {"fault": fault.message}
        described |= {
            "resources": len(parsed.names),
            "algorithm": parsed.algorithm,
            "ignore_paths": list(parsed.ignore_paths),
            "allow_symlinks": parsed.allow_symlinks,
        }
    return described


def _lines(entry: dict[str, object]) -> list[str]:
    lines = [""]
    for key, value in entry.items():
        if isinstance(value, dict):
            lines += [f"{key.replace('_', ' ')} {inner.replace('_', ' ')}: {item}" for inner, item in value.items()]
        else:
            lines.append(f"{key.replace('_', ' ')}: {value}")
    return [escape_line(line) for line in lines]  # nothing in a bundle may look like a line of ours
