"""``modelsign attest``: sign claims about a model and keep them beside it.

The signature is over an in-toto statement whose subjects are the model's tree digest and every file. It goes, as one
line, into the attestation store (``model.intoto.jsonl`` in a folder, ``<file>.intoto.jsonl`` beside a single file).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from modelsign.cli.command import DATA_FORMATS, NO_SANDBOX, define, group
from modelsign.cli.methods import sealers, sign_options
from modelsign.cli.model_options import keep_report_outside
from modelsign.report.escape import escape_line
from modelsign.verdict import Report, plain, who

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from modelsign.attest.predicates.provenance import Build
    from modelsign.cli.session import Session

__all__ = ["command", "moment"]

command = group("attest", "Sign claims about a model: how it was made, what a scan said of it.")


def moment(option: str, text: str) -> datetime:
    """Read a time that an option was given.

    Raises:
        click.BadParameter: it is not RFC 3339.

    """
    from modelsign import timestamp

    try:
        return timestamp.read(text)
    except ValueError as fault:
        raise click.BadParameter(str(fault), param_hint=option) from None


def _about_model(function: Callable[..., Report]) -> Callable[..., Report]:
    """Add the options every attestation has."""
    options = (
        click.argument("model"),
        click.option("--attestations", metavar="FILE", help="The store to append to; by default beside the model."),
        click.option("--name", metavar="NAME", help="What to call the model; by default its own name."),
        click.option("--ignore-paths", multiple=True, metavar="PATH", help="Leave this path out of the model."),
        click.option("--allow-symlinks", is_flag=True, help="Follow links that stay inside the model."),
        click.option("--link-root", "link_roots", multiple=True, metavar="DIR", help="Follow links into here too."),
    )
    for option in reversed(options[1:]):
        function = option(function)
    return options[0](sign_options(function))


def _finish(session: Session, statement: bytes, options: Mapping[str, Any], facts: Mapping[str, object]) -> Report:
    """Sign a statement, store it, and say so."""
    from modelsign.attest.store import append_line, refuse_other_file, store_place
    from modelsign.errors import ExitStatus
    from modelsign.signing.dsse import IN_TOTO

    chosen = sealers(session, options)
    store = options["attestations"] or store_place(options["model"])
    refuse_other_file(store)
    text = f"attested {facts['predicate_type']}\n  tree digest  {facts['tree_digest']}\n"
    lines, signers = [], []
    for sealer in chosen:
        sealed = sealer.seal(IN_TOTO, statement)
        lines.append(append_line(store, sealed.bundle))
        signers.append(sealed.signer)
        text += f"  signed by    {escape_line(who(sealed.signer))}\n  stored       {store}, line {lines[-1]}\n"
    body = {
        **facts,
        "store": store,
        "line": lines[0],
        "lines": lines,
        "key_digest": signers[0].key_digest,
        "signers": plain(signers),
    }
    return Report(session.command, ExitStatus.OK, body=body, text=text)


def _open(options: Mapping[str, Any]) -> Any:
    from modelsign.artifact.model import open_artifact
    from modelsign.cli.model_options import is_inert

    return open_artifact(
        options["model"],
        ignore_paths=options["ignore_paths"],
        allow_symlinks=options["allow_symlinks"],
        link_roots=options["link_roots"],
        bundles=[options["attestations"]] if options["attestations"] else [],
        is_inert=is_inert,
    )


@define(
    "attest provenance",
    examples=(
        "modelsign attest provenance model/ --key ci.key --from-ci --material role=base-model,uri=hf://org/name@rev",
        "modelsign attest provenance model/ --key me.key --builder-id https://example.com/trainer --parameter epochs=3",
    ),
    formats=DATA_FORMATS,
    within=command,
)
@_about_model
@click.option("--from-ci", is_flag=True, help="Take the build from the environment of GitHub Actions or GitLab CI.")
@click.option("--builder-id", metavar="URI", help="Who built the model.")
@click.option("--build-type", metavar="URI", help="What kind of build it was.")
@click.option("--parameter", "parameters", multiple=True, metavar="NAME=VALUE", help="What the build was asked to do.")
@click.option(
    "--material",
    "materials",
    multiple=True,
    metavar="role=…,uri=…,digest=ALG:HEX",
    help="What went in: source, base-model, adapter, teacher, dataset, tokenizer, container, package-lock or config.",
)
@click.option("--invocation-id", metavar="URI", help="Which run of the builder it was.")
@click.option("--started-on", metavar="TIME", help="When the build started (RFC 3339).")
@click.option("--finished-on", metavar="TIME", help="When the build finished (RFC 3339).")
def provenance(session: Session, **options: Any) -> Report:
    """Sign SLSA provenance: how the model was made, and from what."""
    from modelsign.artifact.hashing import hash_artifact
    from modelsign.artifact.manifest import tree_digest
    from modelsign.attest.claims import provenance_statement
    from modelsign.attest.predicates.provenance import PROVENANCE_TYPE

    keep_report_outside(session, options["model"])
    build = _build(session, options)
    with _open(options) as artifact:
        digests = hash_artifact(artifact)
        statement = provenance_statement(options["name"] or artifact.name, digests, build)
    facts = {
        "predicate_type": PROVENANCE_TYPE,
        "tree_digest": tree_digest(digests),
        "files": len(digests),
        "builder_id": build.builder_id,
        "materials": len(build.materials),
    }
    return _finish(session, statement, options, facts)


def _build(session: Session, options: Mapping[str, Any]) -> Build:
    """Put the build together: what CI says, then what the caller says over it."""
    import dataclasses

    from modelsign.attest.ci import build_from_environment
    from modelsign.attest.material import read_material
    from modelsign.attest.predicates.provenance import Build

    if options["from_ci"]:
        base = build_from_environment(session.environ)
    elif options["builder_id"]:
        base = Build(builder_id=options["builder_id"])
    else:
        raise click.UsageError("Name the builder: --builder-id URI, or --from-ci inside a CI job.")
    given = {
        "builder_id": options["builder_id"],
        "build_type": options["build_type"],
        "invocation_id": options["invocation_id"],
        "started_on": options["started_on"] and moment("--started-on", options["started_on"]),
        "finished_on": options["finished_on"] and moment("--finished-on", options["finished_on"]),
    }
    return dataclasses.replace(
        base,
        external_parameters={**base.external_parameters, **_parameters(options["parameters"], base)},
        materials=(*base.materials, *map(read_material, options["materials"])),
        **{name: value for name, value in given.items() if value},
    )


def _parameters(given: Sequence[str], base: Build) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in given:
        name, separator, value = item.partition("=")
        if not separator or not name:
            raise click.BadParameter(f"{item!r} is not NAME=VALUE", param_hint="--parameter")
        if name in found or name in base.external_parameters:
            raise click.BadParameter(f"{name!r} is given twice", param_hint="--parameter")
        found[name] = value
    return found


@define(
    "attest scan",
    examples=(
        "modelsign attest scan model/ --key scanner.key",
        "modelsign attest scan model.safetensors --key scanner.key --scanned-on 2026-11-23T12:00:00Z --format json",
    ),
    formats=DATA_FORMATS,
    within=command,
)
@_about_model
@click.option("--scanned-on", metavar="TIME", help="The time to state (RFC 3339); by default now.")
@NO_SANDBOX
def scan(session: Session, **options: Any) -> Report:
    """Scan a model and sign what the scan said, whatever it was; findings and digests come from one read."""
    from modelsign._version import __version__
    from modelsign.artifact.manifest import tree_digest
    from modelsign.attest.claims import scan_statement
    from modelsign.attest.predicates.scan_report import SCAN_TYPE, scanned_digests
    from modelsign.examine import examine

    keep_report_outside(session, options["model"])
    stated = moment("--scanned-on", options["scanned_on"]) if options["scanned_on"] else session.now()
    with _open(options) as artifact:
        result = examine(artifact, progress=session.progress, sandbox=not options["no_sandbox"])
        name = options["name"] or artifact.name
    statement = scan_statement(name, result, version=__version__, scanned_on=stated)
    facts = {
        "predicate_type": SCAN_TYPE,
        "tree_digest": tree_digest(scanned_digests(result)),
        "files": len(result.files),
        "outcome": result.outcome.value,
        "ruleset_digest": result.ruleset_digest,
    }
    return _finish(session, statement, options, facts)
