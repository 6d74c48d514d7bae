"""Speaks the client protocol of the OMS conformance suite (``docs/conformance_adapter_cli_protocol.md``).

::

    oms sign-model   --method key|certificate|sigstore --model-path PATH --output-bundle FILE [--private-key FILE]
                     [--signing-cert FILE] [--cert-chain FILE]… [--ignore-paths PATH]… [--identity-token T]
                     [--use-staging]
    oms verify-model --method key|certificate|sigstore --model-path PATH --bundle FILE [--public-key FILE]
                     [--cert-chain FILE]… [--ignore-paths PATH]… [--ignore-unsigned-files]
                     [--identity I] [--identity-provider U] [--use-staging]
    oms capabilities

Each call becomes one ``modelsign sign`` or ``modelsign verify`` with the switches that give the specification's
behaviour where this project's own is stricter (``docs/oms.md``). The exit status is that of ``modelsign``; its answer
goes to stdout as JSON, so that a refusal has its reason code.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from modelsign._version import __version__
from modelsign.cli.main import main as modelsign
from modelsign.errors import ModelsignError
from modelsign.signing.bundle import parse_bundle
from modelsign.signing.oms import parse_statement

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["SPECIFICATION", "main", "words"]

SPECIFICATION: Final = ("--insecure-names", "--insecure-unsigned-loadable")
"""The switches for both ways: names and unsigned files as OMS has them."""
_STAGING: Final = "https://tuf-repo-cdn.sigstage.dev"


def main(arguments: Sequence[str]) -> int:
    """Run one command of the suite."""
    options = _parser().parse_args(arguments)
    if options.command == "capabilities":
        print(
            json.dumps({"flags": [], "hash_algorithms": ["sha256", "blake2b", "blake3"], "client_version": __version__})
        )
        return 0
    return modelsign(words(options))


def words(options: argparse.Namespace) -> list[str]:
    """Return the arguments for ``modelsign`` that mean what the suite asked for."""
    way = {"key": _key, "certificate": _certificate, "sigstore": _sigstore}[options.method]
    common = [*SPECIFICATION, "--format", "json", "--no-progress", "--no-config"]
    if options.command == "sign-model":
        ignored = _relative(options)
        placed = ["--bundle", options.output_bundle, "--force"]
        return ["sign", options.model_path, *placed, *way(options), *common, *_each("--ignore-paths", ignored)]
    recorded = _recorded(options.bundle)
    ignored = [path for path in _relative(options) if path not in recorded] + recorded
    asked = ["--bundle", options.bundle, "--allow-legacy", *way(options)]
    asked += ["--ignore-unsigned-files"] if options.ignore_unsigned_files else []
    return ["verify", options.model_path, *asked, *common, *_each("--ignore-paths", ignored)]


def _key(options: argparse.Namespace) -> list[str]:
    return ["--key", options.private_key if options.command == "sign-model" else options.public_key]


def _certificate(options: argparse.Namespace) -> list[str]:
    """OMS asks for a chain to the root and nothing about who it is that signed."""
    if options.command == "sign-model":
        own = ["--key", options.private_key, "--certificate", options.signing_cert]
        return own + _each("--certificate-chain", options.cert_chain)
    return [*_each("--certificate-chain", options.cert_chain), "--insecure-any-identity"]


def _sigstore(options: argparse.Namespace) -> list[str]:
    if options.command == "sign-model":
        token = ["--identity-token", "env:OMS_IDENTITY_TOKEN"] if options.identity_token else []
        os.environ["OMS_IDENTITY_TOKEN"] = options.identity_token or ""
        return ["--keyless", "--yes", *token, *(["--tuf-url", _STAGING] if options.use_staging else [])]
    named = ["--certificate-identity", options.identity, "--certificate-oidc-issuer", options.identity_provider]
    return [*named, "--offline"]


def _relative(options: argparse.Namespace) -> list[str]:
    """Return the paths to ignore relative to the model; what is not there need not be ignored."""
    root = Path(options.model_path)
    paths = [Path(path) for path in options.ignore_paths]
    return [str(path.relative_to(root)) for path in paths if os.path.lexists(path) and path.is_relative_to(root)]


def _recorded(bundle: str) -> list[str]:
    """Return the paths the signer recorded beyond the default ones: OMS (section 8.4) takes them from the bundle."""
    try:
        statement = parse_statement(parse_bundle(Path(bundle).read_bytes()).payload, strict_names=False)
    except (ModelsignError, OSError):
        return []  # verify says what is wrong with it
    return [path for path in statement.extra_ignores if path and not path.startswith("/")]


def _each(flag: str, values: Sequence[str]) -> list[str]:
    return [word for value in values for word in (flag, value)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="oms")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("capabilities")
    sign, verify = commands.add_parser("sign-model"), commands.add_parser("verify-model")
    for command in (sign, verify):
        command.add_argument("--method", required=True, choices=["key", "certificate", "sigstore"])
        command.add_argument("--model-path", required=True)
        command.add_argument("--cert-chain", action="append", default=[])
        command.add_argument("--ignore-paths", action="append", default=[])
        command.add_argument("--use-staging", action="store_true")
    sign.add_argument("--output-bundle", required=True)
    for flag in ("--private-key", "--signing-cert", "--identity-token"):
        sign.add_argument(flag)
    verify.add_argument("--bundle", required=True)
    verify.add_argument("--ignore-unsigned-files", action="store_true")
    for flag in ("--public-key", "--identity", "--identity-provider"):
        verify.add_argument(flag)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
