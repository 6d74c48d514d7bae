"""``modelsign inspect``: what a bundle says. Nothing it says is verified, and the answer says so first.

Exit status: 0 described, whatever it is; 1 there is no signature; 3 unreadable, or nothing in it is a signature.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from modelsign import limits
from modelsign.cli.command import define
from modelsign.errors import error
from modelsign.reasons import ExitStatus
from modelsign.verdict import Answer, Report, plain

if TYPE_CHECKING:
    from modelsign.cli.session import Session
    from modelsign.verdict import BundleClaims

__all__ = ["command"]

_WARNING = "NOTHING HERE WAS VERIFIED: anybody can write such a bundle; use `modelsign verify`"
_STORE = ".jsonl"


@define(
    "inspect",
    examples=(
        "modelsign inspect model/",
        "modelsign inspect model/model.sig --format json",
        "modelsign inspect attestation.sigstore.json",
    ),
)
@click.argument("bundle")
def command(session: Session, *, bundle: str) -> Report:
    """Show what a bundle says, without trusting it.

    BUNDLE is a signature or attestation of any tool, a store of them (.jsonl), a model, or - for standard input.
    What is shown are claims: whoever wrote the bundle could write anything.
    """
    from modelsign.cli.inspection import lines_of

    bundles = _describe(session, bundle)
    text = "\n".join([_WARNING, *(line for entry in bundles for line in lines_of(entry))]) + "\n"
    body: dict[str, object] = {"verified": False, "bundles": plain(bundles)}
    reasons: tuple[Answer, ...] = ()
    status = ExitStatus.OK
    if bundles and all(entry.shape == "unknown" for entry in bundles):
        fault = error("BUNDLE_MALFORMED", f"nothing at {bundle} is a signature or an attestation of a known form")
        status, reasons = fault.exit_status, (Answer.of(fault),)
    return Report("inspect", status, body, reasons, (_WARNING,), text=text)


def _describe(session: Session, place: str) -> list[BundleClaims]:
    from modelsign.attest.store import store_place
    from modelsign.signing.describe.bundle import describe_file, describe_store
    from modelsign.signing.evidence import find_bundles, read_bundle, read_bundles

    if place == "-":
        data = session.read("-", limits.BUNDLE_BYTES, what="bundle")
        lines = [line for line in data.split(b"\n") if line.strip()]
        several = len(lines) > 1 and all(line.startswith(b"{") and line.rstrip().endswith(b"}") for line in lines)
        return describe_store(data, "-") if several else describe_file(data, "-")
    if os.path.isdir(place):  # noqa: PTH112 - strings, as in artifact
        found, store = find_bundles(place), store_place(place)
        described: list[BundleClaims] = []
        for name, data in zip(found, read_bundles(found), strict=True):
            described += describe_file(data, name)
        if os.path.isfile(store):  # noqa: PTH113 - same
            described += describe_store(read_bundle(store), store)
        if not described:
            raise error("SIGNATURE_MISSING", f"the model {place} has no signature")
        return described
    data = read_bundle(place)
    return describe_store(data, place) if place.endswith(_STORE) else describe_file(data, place)
