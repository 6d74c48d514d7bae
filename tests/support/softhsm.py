"""A token in software, made by SoftHSM and filled by OpenSC's tool, in a folder of its own."""

from __future__ import annotations

import atexit
import functools
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

import pytest

PIN = "1234"
SO_PIN = "5678"
MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so", "/usr/lib64/libsofthsm2.so")
KINDS = {
    "ecdsa-p256-sha256": "EC:prime256v1",
    "ecdsa-p384-sha384": "EC:secp384r1",
    "ecdsa-p521-sha512": "EC:secp521r1",
    "ed25519": "EC:edwards25519",
    "rsa-pss-sha256": "rsa:3072",
}


class Token(NamedTuple):
    """The module, and the label of its first token."""

    module: str
    label: str
    home: Path

    def uri(self, what: str, **query: str) -> str:
        """Return a URI for an object (``object=key``, ``id=%01``)."""
        words = "&".join(f"{name.replace('_', '-')}={value}" for name, value in query.items())
        return f"pkcs11:token={self.label};{what}?module-path={self.module}{'&' if words else ''}{words}"

    def tool(self, *words: str | Path) -> str:
        """Run pkcs11-tool on the token, logged in."""
        where = ("--module", self.module, "--token-label", self.label)
        return run("pkcs11-tool", *where, "--login", "--pin", PIN, *words)

    def generate(self, kind: str, label: str, number: int, *more: str) -> None:
        """Make a key pair."""
        self.tool("--keypairgen", "--key-type", kind, "--label", label, "--id", f"{number:02x}", *more)

    def add_token(self, label: str) -> None:
        """Make a further token."""
        words = ("--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", SO_PIN)
        run("softhsm2-util", *words)


@functools.cache
def shared_token() -> Token:
    """Return this process's token with a pair of every kind, twins of one label, bare and odd keys; made once.

    ``pair`` stands twice under the ids 10 and 11, ``lonely`` has no public key, ``shy`` wants the PIN for each
    signature, ``curve`` is on a curve that is not accepted, ``small`` has too few bits, and two tokens are
    called ``twin``.
    """
    home = Path(tempfile.mkdtemp(prefix="modelsign-softhsm-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    token = make_token(home)
    for number, (algorithm, kind) in enumerate(KINDS.items(), 1):
        token.generate(kind, algorithm, number)
    for number in (0x10, 0x11):
        token.generate("EC:prime256v1", "pair", number)
    token.generate("EC:prime256v1", "lonely", 0x20)
    token.tool("--delete-object", "--type", "pubkey", "--id", "20")
    token.generate("EC:prime256v1", "shy", 0x21, "--always-auth")
    token.generate("EC:secp256k1", "curve", 0x22)
    token.generate("rsa:2048", "small", 0x23)
    for _ in range(2):
        token.add_token("twin")
    return token


def make_token(home: Path, label: str = "modelsign") -> Token:
    """Make a token below a folder and point this process and its children at it by SOFTHSM2_CONF.

    SoftHSM reads that variable when its module is loaded, once in a process: all tests of a process share one token.
    """
    for program in ("softhsm2-util", "pkcs11-tool"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is missing; see tools/test_needs.py")
    module = next((path for path in MODULES if Path(path).exists()), None)
    if module is None:
        pytest.skip("libsofthsm2.so is in none of the usual places")
    tokens = home / "tokens"
    tokens.mkdir()
    settings = home / "softhsm2.conf"
    settings.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(settings)
    token = Token(module, label, home)
    token.add_token(label)
    return token


def run(*words: str | Path) -> str:
    """Run a program that must succeed."""
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


def slot_of(token: Token, label: str) -> int:
    """Return the slot of a token, as SoftHSM numbers it."""
    listing = run("softhsm2-util", "--show-slots")
    for slot in listing.split("\nSlot ")[1:]:
        if re.search(rf"Label:\s+{re.escape(label)}\s", slot):
            return int(slot.split(maxsplit=1)[0])
    raise AssertionError(f"no token {label} in {token.home}")
