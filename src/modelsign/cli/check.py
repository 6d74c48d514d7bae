"""``modelsign check``: may this model be loaded, by the policy the caller names?

Exit status: ALLOW 0, DENY 1, UNDECIDED 3. Every gate treats UNDECIDED as DENY. Where the verdict is ALLOW and its
summary could not be written, the status is that of the fault, and the verdict is told all the same.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from modelsign.cli.command import ALL_FORMATS, NO_SANDBOX, define
from modelsign.errors import ModelsignError, error
from modelsign.verdict import Answer, Report, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from modelsign.check import Evidence
    from modelsign.cli.session import Session
    from modelsign.policy.document import Policy
    from modelsign.signing.keys import SigningKey
    from modelsign.verdict import CheckResult

__all__ = ["command"]

_VERIFIER_ID = "https://modelsign.dev/check"
_SHIPPED_POLICIES = "https://modelsign.dev/policies"


@define(
    "check",
    examples=(
        "modelsign check model/ --policy baseline --set signers=signer.pub",
        "modelsign check model/ --policy policy.yaml --set signers=a.pub --set signers=b.pub --format json",
        "modelsign check model/ --policy keyless --set trust-root=root.json --set signers=identity=NAME,issuer=URL",
        "modelsign check model/ --policy baseline --set signers=signer.pub --vsa-key gate.key --vsa model.vsa.json",
    ),
    formats=ALL_FORMATS,
)
@click.argument("model")
@click.option(
    "--policy", metavar="NAME|FILE", help="The trust policy: baseline, hybrid, keyless, strict, a file, or - for stdin."
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="A parameter of the policy: a file, an identity or a string; repeatable.",
)
@click.option(
    "--bundle",
    "--signature",
    "bundles",
    multiple=True,
    metavar="FILE",
    help="A signature, in place of the default ones.",
)
@click.option("--attestations", multiple=True, metavar="FILE", help="A store, in place of the default one.")
@click.option("--second-opinion", "opinions", multiple=True, metavar="ENGINE", help="Ask another scanner; see `scan`.")
@click.option("--at", metavar="TIME", help="Judge as of this time (RFC 3339) instead of now.")
@click.option("--vsa-key", metavar="FILE", help="Sign the verdict with this key, as a verification summary.")
@click.option("--vsa", metavar="FILE", help="Where the summary goes; by default into the model's attestation store.")
@click.option("--password-file", metavar="FILE", help="The password of --vsa-key: a file, or env:NAME.")
@click.option("--verifier-id", metavar="URI", default=_VERIFIER_ID, show_default=True, help="Who verified.")
@click.option("--resource-uri", metavar="URI", help="What the summary calls the model; by default its file name.")
@click.option("--ignore-paths", multiple=True, metavar="PATH", help="Accept that this path is left out of the model.")
@click.option("--allow-symlinks", is_flag=True, help="Follow links that stay inside the model.")
@click.option("--link-root", "link_roots", multiple=True, metavar="DIR", help="Follow links into this folder too.")
@NO_SANDBOX
def command(session: Session, **options: Any) -> Report:
    """Decide by a trust policy whether a model may be loaded."""
    from modelsign.artifact.model import open_artifact
    from modelsign.check import check_model
    from modelsign.cli.attest import moment
    from modelsign.cli.model_options import is_inert, keep_report_outside, place_of, read_private_key
    from modelsign.policy.parameters import assignments, bind

    if not options["policy"]:
        raise error("POLICY_MISSING", "check decides by a trust policy, and none was named")
    if options["vsa"] and not options["vsa_key"]:
        raise click.UsageError("--vsa needs --vsa-key: a summary nobody signed is worth nothing.")
    keep_report_outside(session, options["model"])
    policy = _policy(session, options["policy"])
    bound = bind(policy, assignments(options["settings"]))
    now = moment("--at", options["at"]) if options["at"] else session.now()
    key = read_private_key(session, options["vsa_key"], options["password_file"]) if options["vsa_key"] else None
    with open_artifact(
        options["model"],
        ignore_paths=options["ignore_paths"],
        allow_symlinks=options["allow_symlinks"],
        link_roots=options["link_roots"],
        bundles=[place for place in (*options["bundles"], *options["attestations"]) if place != "-"],
        is_inert=partial(is_inert, sandbox=not options["no_sandbox"]),
    ) as artifact:
        evidence = _evidence(session, options)
        result = check_model(
            artifact,
            bound,
            now=now,
            evidence=evidence,
            opinions=options["opinions"],
            ignore_paths=options["ignore_paths"],
            progress=session.progress,
            sandbox=not options["no_sandbox"],
        )
        name = artifact.name
    body = result.body()
    status = result.exit_status
    reasons = [] if result.verdict is Verdict.ALLOW else list(map(Answer.of, result.reasons))
    if key is not None:
        try:
            body["vsa"] = _write_summary(session, key, result, policy, options, name, now)
        except ModelsignError as fault:  # the verdict stands, and is told, also where its summary could not be written
            status = status or fault.exit_status
            reasons.append(Answer.of(fault))
    warnings = list(result.warnings)
    if options["at"]:
        warnings.append(f"judged as of {result.time} because --at says so")
    place = place_of(session, options["model"])
    answers = tuple(reasons)
    return Report(session.command, status, body, answers, tuple(warnings), result=result, place=place)


def _policy(session: Session, named: str) -> Policy:
    """Read the policy that was named; ``-`` is standard input."""
    from modelsign import limits
    from modelsign.policy.document import load_policy, read_policy

    if named != "-":
        return load_policy(named)
    return read_policy(session.read(named, limits.POLICY_BYTES, what="policy"), what="policy on standard input")


def _evidence(session: Session, options: Mapping[str, Any]) -> Evidence:
    """Collect the evidence that was named, or else the model's own; ``-`` is standard input."""
    import dataclasses

    from modelsign import limits
    from modelsign.check import collect_evidence

    named = {kind: [place for place in options[kind] if place != "-"] for kind in ("bundles", "attestations")}
    found = collect_evidence(options["model"], **named)
    piped = "standard input"
    if "-" in options["bundles"]:
        data = session.read("-", limits.BUNDLE_BYTES, what="bundle")
        found = dataclasses.replace(found, bundles=(*(found.bundles if named["bundles"] else ()), (piped, data)))
    if "-" in options["attestations"]:
        data = session.read("-", limits.STORE_BYTES, what="attestation store")
        found = dataclasses.replace(found, stores=(*(found.stores if named["attestations"] else ()), (piped, data)))
    return found


def _write_summary(  # noqa: PLR0913, PLR0917 - what a summary is made of
    session: Session,
    key: SigningKey,
    result: CheckResult,
    policy: Policy,
    options: Mapping[str, Any],
    name: str,
    now: datetime,
) -> dict[str, object]:
    """Sign the verdict and put it where it was asked for."""
    from urllib.parse import quote

    from modelsign._version import __version__
    from modelsign.attest.claims import summary_statement
    from modelsign.attest.store import append_line, store_place
    from modelsign.policy.document import SHIPPED
    from modelsign.signing.envelope import sign_statement

    shipped = options["policy"] in SHIPPED
    statement = summary_statement(
        name,
        result,
        verifier_id=options["verifier_id"],
        version=__version__,
        resource_uri=options["resource_uri"] or f"file:{quote(name)}",
        policy_uri=f"{_SHIPPED_POLICIES}/{policy.name}" if shipped else f"urn:modelsign:policy:{policy.name}",
        verified_on=now,
    )
    bundle = sign_statement(statement, key)
    if options["vsa"]:
        session.write(options["vsa"], bundle + b"\n")
        return {"file": options["vsa"], "key_digest": key.public.digest}
    store = store_place(options["model"])
    return {"file": store, "line": append_line(store, bundle), "key_digest": key.public.digest}
