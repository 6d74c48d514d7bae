"""``modelsign key``: make a key pair, show a key. A private key is written once, mode 0600, and never shown."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import click

from modelsign import limits
from modelsign.cli.command import define, group
from modelsign.cli.key_place import refuse_model, refuse_signed_model
from modelsign.errors import ModelsignError, error
from modelsign.reasons import ExitStatus
from modelsign.report.escape import escape_line
from modelsign.verdict import Report

if TYPE_CHECKING:
    from modelsign.cli.session import Session
    from modelsign.signing.keys import VerifyKey

__all__ = ["command"]

_ALGORITHMS: Final = (
    "ecdsa-p256-sha256",
    "ecdsa-p384-sha384",
    "ecdsa-p521-sha512",
    "ed25519",
    "rsa-pss-sha256",
    "ml-dsa-65",
    "ml-dsa-87",
)

command = group("key", "Make and show keys.")


@define(
    "key generate",
    within=command,
    examples=(
        "modelsign key generate signer.pem",
        "modelsign key generate signer.pem --password-file env:KEY_PASSWORD",
    ),
)
@click.argument("private")
@click.option("--public-out", metavar="FILE", help="Where the public key goes; by default beside it, as .pub.")
@click.option(
    "--algorithm", type=click.Choice(_ALGORITHMS), default=_ALGORITHMS[0], show_default=True, help="The kind."
)
@click.option("--password-file", metavar="FILE", help="Encrypt with the password in this file, or env:NAME.")
@click.option("--encrypt", is_flag=True, help="Encrypt, and ask for the password.")
def generate(  # noqa: PLR0913 - one parameter per flag
    session: Session,
    *,
    private: str,
    public_out: str | None,
    algorithm: str,
    password_file: str | None,
    encrypt: bool,
) -> Report:
    """Make a key pair: PRIVATE (mode 0600), and its public key beside it.

    Never replaces a file, and never writes into a model. ECDSA keys are what OMS knows; Ed25519, RSA-PSS
    and the post-quantum ML-DSA are extensions.
    """
    from modelsign import files
    from modelsign.signing import keys

    public = public_out or f"{private.removesuffix('.pem')}.pub"
    for place in (private, public):
        if os.path.lexists(place):
            raise error(
                "OUTPUT_EXISTS", f"{place} exists already", advice="Choose another name; keys are not replaced."
            )
    home = session.environ.get("HOME", "")
    refuse_model(private, home=home)
    refuse_signed_model(public)
    password = session.secret(password_file, prompt="new password") if password_file or encrypt else None
    if (password_file or encrypt) and not password:
        raise error("KEY_PASSWORD_NEEDED", "the key was to be encrypted and no password was given")
    key = keys.generate(algorithm)
    files.write_atomic(private, key.pem(password), mode=0o600)
    try:
        files.write_atomic(public, key.public.pem)
    except ModelsignError:
        os.unlink(private)  # noqa: PTH108 - strings, as in artifact; half a pair is of no use
        raise
    body = _facts(key.public) | {"private": private, "public": public, "encrypted": password is not None}
    text = (
        f"private key  {escape_line(private)}{' (encrypted)' if password else ''}: keep it to yourself\n"
        f"public key   {escape_line(public)}: hand it to those who verify\n"
        f"key digest   {key.public.digest} ({algorithm})\n"
    )
    return Report("key generate", ExitStatus.OK, body, text=text)


@define(
    "key show",
    within=command,
    examples=(
        "modelsign key show signer.pub",
        "modelsign key show signer.pem --public-out signer.pub",
        "modelsign key show 'pkcs11:token=release;object=signer' --pin-file env:TOKEN_PIN",
        "modelsign key show awskms:///alias/release --public-out signer.pub",
    ),
)
@click.argument("key")
@click.option("--password-file", metavar="FILE", help="Where a private key's password is: a file, or env:NAME.")
@click.option("--pin-file", metavar="FILE", help="Where a token's PIN is: a file, or env:NAME. Else it is asked for.")
@click.option("--public-out", metavar="FILE", help="Write the public key there.")
def show(
    session: Session, *, key: str, password_file: str | None, pin_file: str | None, public_out: str | None
) -> Report:
    """Show a key's kind, digests and public half; never its private half.

    KEY is a file, or the URI of a key on a token (pkcs11:…) or at a service (awskms://…).
    """
    from modelsign.cli.methods import kms, pkcs11

    if key.startswith("pkcs11:"):
        public, private = pkcs11.open_key(session, key, pin_file).public, False
    elif kms.is_kms_uri(key):
        public, private = kms.open_key(session, key).public, False
    else:
        public, private = _read(session, key, password_file)
    if public_out is not None:
        if public_out != "-":
            refuse_signed_model(public_out)
        session.write(public_out, public.pem)
    body = _facts(public) | {"private": private, "public_pem": public.pem.decode("ascii")}
    text = (
        f"algorithm   {public.algorithm}{'' if public.oms else ' (an extension of OMS)'}\n"
        f"key digest  {public.digest}\n"
        f"OMS hint    {public.hint}\n"
        f"{public.pem.decode('ascii')}"
    )
    return Report("key show", ExitStatus.OK, body, text=text)


def _read(session: Session, place: str, password_file: str | None) -> tuple[VerifyKey, bool]:
    """Return the public half of a key in a file, and whether the file holds the private half."""
    from modelsign.cli.model_options import read_private_key, read_public_key

    data = session.read(place, limits.KEY_BYTES, what="key") if place != "-" else b""
    if b"PRIVATE KEY-----" in data:
        return read_private_key(session, place, password_file).public, True
    return read_public_key(session, place), False


def _facts(key: VerifyKey) -> dict[str, object]:
    return {"algorithm": key.algorithm, "key_digest": key.digest, "hint": key.hint, "oms": key.oms}
