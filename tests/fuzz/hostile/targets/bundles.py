"""Bundles, and everything that reads one: the strict reader, the verifiers of envelopes and of models, inspect."""

from __future__ import annotations

import json
from functools import cache

import foreignbundles as foreign
from bundlecraft import encoded, legacy, raw_bundle, signed

from hostile.target import Target
from modelsign.cli.inspection import lines_of
from modelsign.report.document import dumps
from modelsign.signing import keys
from modelsign.signing.bundle import parse_any_bundle
from modelsign.signing.describe.bundle import describe_file
from modelsign.signing.envelope import verify_envelope
from modelsign.signing.evidence import check_bundles
from modelsign.signing.methods.key import KeyTrust
from modelsign.verdict import plain

STATEMENT = b'{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"x","predicate":{}}'


@cache
def key() -> keys.SigningKey:
    return keys.generate("ed25519")


def seeds() -> list[bytes]:
    old = raw_bundle(STATEMENT)
    legacy(old)
    makes = (foreign.cosign_blob, foreign.github_attestation, foreign.npm_publish, foreign.old_keyless)
    others = (foreign.bare_envelope, foreign.old_cosign_bundle, foreign.pypi_attestation, foreign.hostile)
    listed = {"attestations": [{"bundle": foreign.npm_publish()}]}
    made = [encoded(make()) for make in (*makes, *others)]
    return [signed(STATEMENT, key()), encoded(old), encoded(listed), *made]


def vouch(data: bytes) -> object:
    """Ask a key about a bundle, with everything allowed that can be allowed."""
    return KeyTrust(key().public).vouch(parse_any_bundle(data), allow_legacy=True)


def read_envelope(data: bytes) -> object:
    return verify_envelope(data, [key().public])


def show(data: bytes) -> str:
    """Describe a bundle and write it down as the command does."""
    described = describe_file(data, "x")
    lines = [line for entry in described for line in lines_of(entry)]
    assert not any(ord(letter) < 0x20 or 0x7F <= ord(letter) < 0xA0 for line in lines for letter in line)
    json.loads(dumps(plain(described)))
    return "\n".join(lines)


TARGETS = (
    Target("bundle", parse_any_bundle, seeds),
    Target("vouch", vouch, seeds),
    Target("envelope", read_envelope, seeds),
    Target("evidence", lambda data: check_bundles("x", data, by_line=True), seeds),
    Target("inspect", show, seeds, total=True),
)
