"""Adding evidence that nobody vouches for never helps a verdict, in ``check`` and behind ``load`` alike.

Bundles of strangers change nothing, be they by keys or by identities; bytes that are no bundle refuse the model,
because nobody signed them. Taking evidence away never helps either.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from attested import BUILDER, Ring, attest_scan, sign, write_model
from hypothesis import given
from hypothesis import strategies as st
from model_files import EVIL
from paperidentities import ALICE, BOB, MALLORY, PaperSealer
from papersigstore import ISSUER, SIGNED, Paper

from modelsign.artifact.model import open_artifact
from modelsign.artifact.snapshot import take_snapshot
from modelsign.check import check_model, collect_evidence
from modelsign.errors import ModelsignError
from modelsign.guard.verified import verified
from modelsign.policy.document import load_policy, read_policy
from modelsign.signing.bundle import parse_bundle
from modelsign.signing.envelope import sign_statement

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
FOLDER = Path(tempfile.mkdtemp(prefix="evidence-"))
RING = Ring(FOLDER, "alice", "bob", "mallory", "ci", "scanner")
MODEL = write_model(FOLDER / "model")
sign(MODEL, RING["alice"])
attest_scan(MODEL, RING["scanner"], NOW)
GOOD = (MODEL / "model.sig").read_bytes()
LINE = (MODEL / "model.intoto.jsonl").read_bytes().rstrip(b"\n")
"""What is made above is by keys; what is made below by identities."""
STRANGE = sign_statement(b'{"_type": ["x"]}', RING["alice"])
PAPER = Paper()
PEOPLE = """\
apiVersion: modelsign.dev/v1
kind: ModelTrustPolicy
metadata: {name: people}
parameters:
  signers: {type: keys}
  people: {type: identities}
  root: {type: trust-root}
rules:
  - {id: signed, kind: signature, keys: [signers], identities: [people], trust_root: root, threshold: 3}
  - id: scanned
    kind: attestation
    predicate_type: https://modelsign.dev/attestation/model-scan/v1
    identities: [people]
    trust_root: root
    threshold: 2
"""
PARAMETERS = {
    "people": {
        "signers": RING.public("alice"),
        "people": [{"identity": name, "issuer": ISSUER} for name in (ALICE, BOB)],
        "root": json.dumps(PAPER.trust_root()).encode(),
    },
    "baseline": {"signers": RING.public("alice")},
    "strict": {
        "signers": [RING.public("alice"), RING.public("bob")],
        "builders": RING.public("ci"),
        "builder-ids": BUILDER,
        "scanners": RING.public("scanner"),
    },
}
POLICIES = {
    "people": read_policy(PEOPLE.encode()),
    "baseline": load_policy("baseline"),
    "strict": load_policy("strict"),
}
for number, person in enumerate((ALICE, BOB)):
    sign(MODEL, PaperSealer(PAPER, identity=person), name=f"person-{number}")
    attest_scan(MODEL, PaperSealer(PAPER, identity=person), SIGNED)
LINES = (MODEL / "model.intoto.jsonl").read_bytes().splitlines()
PERSON = (MODEL / "model.sig.d" / "person-0.sig").read_bytes()


def foreign(sealer: PaperSealer) -> bytes:
    """The same statement, signed by somebody else or under another root."""
    return sealer.seal("application/vnd.in-toto+json", parse_bundle(PERSON).payload).bundle


FOREIGN = [
    foreign(PaperSealer(PAPER, identity=MALLORY)),
    foreign(PaperSealer(PAPER, issuer="https://other.example")),
    foreign(PaperSealer(PAPER, logged=False)),
    foreign(PaperSealer(Paper())),
]


def teardown_module() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)


def broken(bundle: bytes) -> st.SearchStrategy[bytes]:
    """A genuine bundle with one byte changed, cut off, or with something behind it."""
    at = st.integers(0, len(bundle) - 1)
    return st.one_of(
        st.builds(lambda at, byte: bundle[:at] + bytes([byte]) + bundle[at + 1 :], at, st.integers(0, 255)),
        at.map(lambda at: bundle[:at]),
        st.binary(min_size=1, max_size=5).map(lambda more: bundle + more),
    )


junk = st.one_of(
    st.binary(max_size=60),
    st.sampled_from([EVIL, b"{}", b"\n", b"[]", b'{"mediaType": "\\ud800"}', STRANGE, LINE, GOOD.rstrip(b"\n")]),
    broken(GOOD.rstrip(b"\n")),
    broken(LINE),
    st.sampled_from(FOREIGN),
    broken(PERSON),
)


def is_bundle(data: bytes) -> bool:
    try:
        parse_bundle(data)
    except ModelsignError:
        return False
    return b"\n" not in data


def verdicts(model: Path, policy: str) -> list[tuple[str, list[tuple[str, str]]]]:
    found = []
    with open_artifact(model) as artifact, take_snapshot(artifact) as copy:
        for subject in (artifact, copy):
            evidence = collect_evidence(model)
            result = check_model(subject, POLICIES[policy], PARAMETERS[policy], now=NOW, evidence=evidence)
            found.append((str(result.verdict), [(rule.id, str(rule.result)) for rule in result.rules]))
    try:
        with verified(model, policy=POLICIES[policy], parameters=PARAMETERS[policy], now=NOW) as judged:
            result = judged.verdict
    except ModelsignError as fault:
        result = fault.result
    found.append((str(result.verdict), [(rule.id, str(rule.result)) for rule in result.rules]))
    return found


BEFORE = {policy: verdicts(MODEL, policy) for policy in PARAMETERS}


def test_without_junk_all_ways_agree():
    assert [verdict for verdict, _ in BEFORE["baseline"]] == ["ALLOW"] * 3
    assert [verdict for verdict, _ in BEFORE["strict"]] == ["DENY"] * 3
    assert [verdict for verdict, _ in BEFORE["people"]] == ["ALLOW"] * 3


@given(
    lines=st.lists(junk, max_size=3),
    first=st.booleans(),
    files=st.lists(junk, max_size=2),
    policy=st.sampled_from(sorted(PARAMETERS)),
)
def test_junk_beside_the_evidence_never_helps_and_bundles_of_strangers_change_nothing(lines, first, files, policy):
    with tempfile.TemporaryDirectory() as folder:
        model = Path(shutil.copytree(MODEL, Path(folder, "model")))
        every = [*lines, *LINES] if first else [*LINES, *lines]
        (model / "model.intoto.jsonl").write_bytes(b"\n".join(every) + b"\n")
        for number, data in enumerate(files):
            (model / "model.sig.d" / f"{number}.sig").write_bytes(data)
        after = verdicts(model, policy)
        if all(map(is_bundle, [*lines, *filter(None, files)])):
            assert after == BEFORE[policy]
        else:
            assert {verdict for verdict, _ in after} == {"DENY"}
        assert after[0] == after[1] == after[2]


RANK = {"DENY": 0, "UNDECIDED": 1, "ALLOW": 2}


@given(
    lines=st.lists(st.sampled_from(LINES), unique=True),
    files=st.lists(st.sampled_from(sorted(path.name for path in MODEL.glob("model.sig.d/*.sig"))), unique=True),
    main=st.booleans(),
    policy=st.sampled_from(sorted(PARAMETERS)),
)
def test_taking_evidence_away_never_helps(lines, files, main, policy):
    with tempfile.TemporaryDirectory() as folder:
        model = Path(shutil.copytree(MODEL, Path(folder, "model")))
        (model / "model.intoto.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
        for name in files:
            (model / "model.sig.d" / name).unlink()
        if not main:
            (model / "model.sig").unlink()
        after = verdicts(model, policy)
    assert after[0] == after[1] == after[2]
    before = BEFORE[policy][0]
    assert RANK[after[0][0]] <= RANK[before[0]]
    assert all(now == "FAIL" or then != "FAIL" for (_, now), (_, then) in zip(after[0][1], before[1], strict=True))
    if policy == "people" and (files or not main or len(set(lines) - {LINE}) < len(LINES) - 1):
        assert after[0][0] == "DENY"
