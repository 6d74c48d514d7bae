"""Flags for signing and verifying with identities of Sigstore."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from modelsign.cli.methods.identity_options import IDENTITY_OPTIONS
from modelsign.cli.methods.trust_root_options import TRUST_ROOT_OPTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from modelsign.cli.session import Session
    from modelsign.signing.sealer import Sealer
    from modelsign.signing.sigstore.identities import Matcher
    from modelsign.signing.trust import Trust

__all__ = ["SIGN_OPTIONS", "VERIFY_OPTIONS", "sealers", "trusts"]

_GITHUB = ("repository", "ref", "name", "sha", "trigger")
SIGN_OPTIONS: tuple[Any, ...] = ()
VERIFY_OPTIONS = (
    *IDENTITY_OPTIONS,
    click.option(
        "--certificate-oidc-issuer",
        "--identity-provider",
        "issuers",
        multiple=True,
        metavar="URL",
        help="Who must have confirmed the identity; one for all of them, or one for each.",
    ),
    click.option(
        "--certificate-oidc-issuer-glob", "issuer_globs", multiple=True, metavar="PATTERN", help="The same, as a glob."
    ),
    click.option(
        "--certificate-oidc-issuer-regexp",
        "issuer_regexps",
        multiple=True,
        metavar="PATTERN",
        help="The same, as a regular expression (always anchored).",
    ),
    click.option(
        "--certificate-claim",
        "claims",
        multiple=True,
        metavar="NAME=VALUE",
        help="What the certificate must confirm besides, such as source_repository_uri=https://….",
    ),
    *(
        click.option(
            f"--certificate-github-workflow-{name}",
            f"github_workflow_{name}",
            metavar="VALUE",
            help=f"The same as --certificate-claim github_workflow_{name}=VALUE.",
        )
        for name in _GITHUB
    ),
    *TRUST_ROOT_OPTIONS,
)


def sealers(session: Session, values: Mapping[str, Any]) -> list[Sealer]:
    """Return nothing: signing with an identity is another file's."""
    del session, values
    return []


def trusts(session: Session, values: Mapping[str, Any], now: datetime) -> list[Trust]:
    """Return a trust for each identity, where an issuer says that identities of Sigstore are meant.

    Raises:
        ModelsignError: ``NO_TRUST_SOURCE`` for half of what is needed, ``IDENTITY_PATTERN_INVALID``, ``USAGE`` for an
            unknown claim, or a reason of the trust root.

    """
    from modelsign.cli.methods.identity_options import identities
    from modelsign.cli.methods.trust_root_options import find_root
    from modelsign.errors import error

    named, confirmed, claims = identities(values), _issuers(values), _claims(values)
    if not confirmed:
        if (named and not (values["ca_roots"] or values["certificate_chain"])) or claims:
            raise error(
                "NO_TRUST_SOURCE",
                "an identity was named, but not who must have confirmed it",
                advice="Add --certificate-oidc-issuer URL for an identity of Sigstore, or --ca-roots FILE.",
            )
        return []
    if not named:
        raise error(
            "NO_TRUST_SOURCE", "an issuer was named, but no identity", advice="Add --certificate-identity NAME."
        )
    if len(confirmed) not in (1, len(named)):
        raise click.BadParameter(
            f"{len(confirmed)} issuers for {len(named)} identities", param_hint="--certificate-oidc-issuer"
        )
    from modelsign.signing.methods.keyless import KeylessTrust
    from modelsign.signing.sigstore.proofs import ProofPolicy

    found = find_root(session, values, now)
    logs, timestamps = values["log_threshold"], values["timestamp_threshold"]
    policy = ProofPolicy(logs=1 if logs is None else logs, timestamps=timestamps or 0)
    matchers = [_matcher(identity.kind, identity.text) for identity in named]
    return [
        KeylessTrust(found.root, identity, issuer, claims, policy, found.notes)
        for identity, issuer in zip(matchers, confirmed * len(named) if len(confirmed) == 1 else confirmed, strict=True)
    ]


def _issuers(values: Mapping[str, Any]) -> list[Matcher]:
    given: Sequence[tuple[str, Sequence[str]]] = (
        ("exact", values["issuers"]),
        ("glob", values["issuer_globs"]),
        ("regexp", values["issuer_regexps"]),
    )
    return [_matcher(kind, text) for kind, texts in given for text in texts]


def _matcher(kind: str, text: str) -> Matcher:
    from modelsign.signing.sigstore import identities

    return {"exact": identities.exactly, "glob": identities.glob, "regexp": identities.regexp}[kind](text)


def _claims(values: Mapping[str, Any]) -> dict[str, str]:
    from modelsign.errors import error

    given = [text.partition("=") for text in values["claims"]]
    pairs = [(name.replace("-", "_"), value) for name, mark, value in given if mark]
    if len(pairs) < len(given):
        raise error("USAGE", "--certificate-claim is NAME=VALUE")
    names = [f"github_workflow_{name}" for name in _GITHUB]
    pairs += [(name, values[name]) for name in names if values[name] is not None]
    if not pairs:
        return {}
    from modelsign.signing.sigstore.fulcio_claims import CLAIMS

    claims: dict[str, str] = {}
    for name, value in pairs:
        if name not in CLAIMS:
            raise error("USAGE", f"there is no claim {name[:100]}; there are {', '.join(CLAIMS)}")
        if claims.setdefault(name, value) != value:
            raise error("USAGE", f"the claim {name} cannot have two values")
    return claims
