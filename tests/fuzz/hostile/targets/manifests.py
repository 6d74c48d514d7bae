"""What is signed: statements of models and of attestations."""

from __future__ import annotations

import json

import foreignbundles as foreign

from hostile.target import Target
from modelsign.attest.statement import PAYLOAD_TYPE, read_statement
from modelsign.attest.store import read_lines
from modelsign.signing.oms import PREDICATE_TYPE_V0_2, STATEMENT_TYPE, parse_statement, write_statement

DIGEST = "ab" * 32


def statements() -> list[bytes]:
    files = {"a.bin": DIGEST, "d/b.bin": DIGEST}
    whole = write_statement("m", files, tree=DIGEST, ignore_paths=[".git"])
    shards = json.loads(whole)
    shards["predicate"]["serialization"].update(method="shards", shard_size=4.0)
    shards["predicate"]["resources"] = [
        {"name": name, "algorithm": "sha256-sharded-4", "digest": DIGEST} for name in ("a.bin:0:4", "a.bin:4:7")
    ]
    old = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": "a", "digest": {"sha256": DIGEST}}],
        "predicateType": PREDICATE_TYPE_V0_2,
        "predicate": {},
    }
    return [whole, json.dumps(shards).encode(), json.dumps(old).encode(), foreign.statement(foreign.SLSA)]


TARGETS = (
    Target("statement", parse_statement, statements),
    Target("statement-odd-names", lambda data: parse_statement(data, strict_names=False), statements),
    Target("attestation", lambda data: read_statement(PAYLOAD_TYPE, data), statements),
    Target("store", read_lines, statements),
)
