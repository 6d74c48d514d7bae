"""Digests that were computed elsewhere: our own documents, shares of them that are joined, and lists of sha256sum."""

from __future__ import annotations

import json

from hostile.target import Target
from modelsign.artifact.digest_list import SCHEMA, parse_digests, parse_sha256sum
from modelsign.artifact.division import join

A, B = "ab" * 32, "cd" * 32
FILES = {
    "schema": SCHEMA,
    "model": "m",
    "serialization": {"method": "files", "hash_type": "sha256"},
    "files": [{"name": "w", "size": 1, "sha256": A}, {"name": "v/x", "size": 2, "sha256": B}],
}
SHARDS = {
    **FILES,
    "serialization": {"method": "shards", "hash_type": "sha256", "shard_size": 4},
    "files": [{"name": "w", "size": 6}],
    "resources": [
        {"name": "w:0:4", "algorithm": "sha256", "digest": A},
        {"name": "w:4:6", "algorithm": "sha256", "digest": B},
    ],
}


def documents() -> list[bytes]:
    first = {**FILES, "files": [FILES["files"][0], {"name": "v/x", "size": 2}], "part": {"index": 1, "of": 2}}
    return [json.dumps(value).encode() for value in (FILES, SHARDS, first)]


def joined(data: bytes) -> object:
    """Join a document with itself, and with a sound one."""
    one = parse_digests(data)
    return join([one, one]), join([one, parse_digests(documents()[0])])


TARGETS = (
    Target("digests", parse_digests, documents),
    Target("digests-joined", joined, documents),
    Target(
        "sha256sum",
        parse_sha256sum,
        lambda: [f"{A}  w\n{B} *v/x\n".encode(), f"\\{A}  a\\nb\n".encode(), f"SHA256 (w) = {A}\n".encode()],
        "text",
    ),
)
