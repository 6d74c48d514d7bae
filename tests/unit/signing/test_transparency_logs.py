"""Log entries, proofs, checkpoints and signed times: what is not the log's own word on this bundle is refused."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from papersigstore import SIGNED, Paper, b64, entry_of, new_key, sign, unb64
from paperverdicts import own_copy, verdict

from modelsign.signing.bundle import InclusionProof
from modelsign.signing.sigstore.tlog import includes

if TYPE_CHECKING:
    from papersigstore import Log


@pytest.fixture(scope="module")
def founded() -> Paper:
    return Paper()


@pytest.fixture
def paper(founded: Paper) -> Paper:
    return own_copy(founded)


def checkpoint_faults() -> dict[str, Any]:
    def lines(change: Any) -> Any:
        def alter(text: str, _: Log) -> str:
            parts = text.split("\n")
            change(parts)
            return "\n".join(parts)

        return alter

    def foreign(text: str, log: Log) -> str:
        return text.replace(log.host, "log.github.example")

    def signed_by_another(text: str, log: Log) -> str:
        body, _, block = text.partition("\n\n")
        hint = unb64(block.split(" ")[2])[:4]
        return f"{body}\n\n\u2014 {log.host} {b64(hint + sign(new_key(), (body + chr(10)).encode()))}\n"

    def one_of_two_wrong(text: str, log: Log) -> str:
        hint = unb64(text.partition("\n\n")[2].split(" ")[2])[:4]
        return f"{text}\u2014 {log.host} {b64(hint + b'x' * 64)}\n"

    def other_hint(text: str, log: Log) -> str:
        body, _, block = text.partition("\n\n")
        data = unb64(block.split(" ")[2])
        return f"{body}\n\n\u2014 {log.host} {b64(b'abcd' + data[4:])}\n"

    return {
        "no signature of the log": lambda text, _: text.partition("\n\n")[0] + "\n\n",
        "no origin": lines(lambda parts: parts.pop(0)),
        "no size": lines(lambda parts: parts.pop(1)),
        "no root hash": lines(lambda parts: parts.pop(2)),
        "a size with a zero in front": lines(lambda parts: parts.__setitem__(1, "0" + parts[1])),
        "a hint of another key": other_hint,
        "a signature of another key": signed_by_another,
        "a second signature of the log that is wrong": one_of_two_wrong,
        "another origin": foreign,
        "no newline at the end": lambda text, _: text[:-1],
        "no blank line": lambda text, _: text.replace("\n\n", "\n"),
        "two blank lines": lambda text, _: text + "\n\n",
        "a signature that is too short": lambda text, _: text + f"\u2014 witness {b64(b'abcd')}\n",
        "a line that is no signature": lambda text, _: text + "- witness abcd\n",
        "nothing": lambda *_: "",
        "too much": lambda text, _: text + f"\u2014 witness {b64(b'abcde')}\n" * 5000,
    }


@pytest.mark.parametrize("what", list(checkpoint_faults()))
@pytest.mark.parametrize("log", ["rekor1", "rekor2"])
def test_a_checkpoint_that_the_log_did_not_sign_as_it_stands_is_refused(paper, what, log):
    chosen: Log = getattr(paper, log)
    bundle = paper.sign(log=chosen, kind="dsse" if log == "rekor1" else "hashedrekord")
    checkpoint = entry_of(bundle)["inclusionProof"]["checkpoint"]
    checkpoint["envelope"] = checkpoint_faults()[what](checkpoint["envelope"], chosen)
    assert verdict(paper, bundle) == "LOG_CHECKPOINT_INVALID"


def test_a_checkpoint_of_another_tree_is_refused(paper):
    bundle, other = paper.sign(), paper.sign()
    entry_of(bundle)["inclusionProof"]["checkpoint"] = entry_of(other)["inclusionProof"]["checkpoint"]
    assert verdict(paper, bundle) == "LOG_CHECKPOINT_INVALID"


@pytest.mark.parametrize("place", ["before", "after"])
def test_signatures_of_witnesses_nobody_knows_are_passed_over(paper, place):
    bundle = paper.sign(log=paper.rekor2)
    checkpoint = entry_of(bundle)["inclusionProof"]["checkpoint"]
    body, _, block = checkpoint["envelope"].partition("\n\n")
    witness = f"\u2014 witness.example {b64(b'abcd' + b'y' * 72)}\n"
    own = f"\u2014 {paper.rekor2.host} {b64(b'zzzz' + b'y' * 64)}\n"  # the log's name with another key's hint
    block = witness + own + block if place == "before" else block + witness + own
    checkpoint["envelope"] = f"{body}\n\n{block}"
    assert verdict(paper, bundle) == "accepted"


def test_a_path_with_a_flipped_bit_an_old_proof_and_no_proof_are_refused(paper):
    bundle = paper.sign()
    proof = entry_of(bundle)["inclusionProof"]
    for number in range(len(proof["hashes"])):
        changed = copy.deepcopy(bundle)
        sibling = bytearray(unb64(proof["hashes"][number]))
        sibling[0] ^= 1
        entry_of(changed)["inclusionProof"]["hashes"][number] = b64(bytes(sibling))
        assert verdict(paper, changed) == "LOG_PROOF_INVALID"
    for changed_proof in (
        {**proof, "hashes": proof["hashes"][:-1]},
        {**proof, "hashes": [*proof["hashes"], proof["hashes"][0]]},
        {**proof, "logIndex": str(int(proof["logIndex"]) + 1)},
        {**proof, "treeSize": proof["logIndex"]},
        {**proof, "rootHash": ""},
        {**proof, "hashes": ["AA==", *proof["hashes"][1:]]},
        entry_of(paper.sign())["inclusionProof"],
        None,
    ):
        changed = copy.deepcopy(bundle)
        entry_of(changed)["inclusionProof"] = changed_proof
        assert verdict(paper, changed) == "LOG_PROOF_INVALID"


def test_the_signed_time_must_be_the_logs_and_of_this_very_entry(paper):
    bundle = paper.sign()
    for alter in (
        lambda entry: entry.update(integratedTime=str(int(entry["integratedTime"]) + 1)),
        lambda entry: entry.update(logIndex=str(int(entry["logIndex"]) + 1)),
        lambda entry: entry["inclusionPromise"].update(signedEntryTimestamp=b64(sign(new_key(), b"x"))),
        lambda entry: entry.pop("integratedTime"),
        lambda entry: entry.update(integratedTime="9" * 18),
    ):
        changed = copy.deepcopy(bundle)
        alter(entry_of(changed))
        assert verdict(paper, changed) == "LOG_PROMISE_INVALID"


def test_a_log_that_signs_no_times_cannot_be_said_to_have_signed_one(paper):
    bundle = paper.sign(log=paper.rekor2)
    entry = entry_of(bundle)
    entry["integratedTime"] = str(int(SIGNED.timestamp()))
    assert verdict(paper, bundle) == "accepted"  # what is not signed is nothing, and is not shown
    paper.rekor2.promise(entry)
    assert verdict(paper, bundle) == "LOG_PROMISE_INVALID"


@pytest.mark.parametrize(
    ("log", "kind"), [("rekor1", "dsse"), ("rekor1", "intoto"), ("rekor2", "hashedrekord"), ("rekor2", "dsse2")]
)
def test_an_entry_about_another_signature_digest_or_certificate_is_refused(paper, log, kind):
    chosen: Log = getattr(paper, log)
    key = new_key()
    certificate = paper.certificate(key)
    bundle = paper.sign(log=chosen, kind=kind, key=key, certificate=certificate, stamped=None)
    again = paper.sign(log=chosen, kind=kind, key=key, certificate=certificate, stamped=None)
    other = paper.sign(log=chosen, kind=kind, key=key, certificate=certificate, payload=b"{}", stamped=None)
    renewed = paper.sign(log=chosen, kind=kind, key=key, stamped=None)
    for donor in (again, other, renewed):
        changed = copy.deepcopy(bundle)
        changed["verificationMaterial"]["tlogEntries"] = donor["verificationMaterial"]["tlogEntries"]
        assert verdict(paper, changed) == "LOG_ENTRY_MISMATCH"


def test_every_part_of_an_entry_is_compared(paper):
    key = new_key()
    certificate = paper.certificate(key)
    for log, kind in ((paper.rekor1, "dsse"), (paper.rekor1, "intoto"), (paper.rekor2, "hashedrekord")):
        for part in ("spec", "apiVersion", "kind"):
            bundle = paper.sign(log=log, kind=kind, key=key, certificate=certificate)
            entry = entry_of(bundle)
            body = json.loads(unb64(entry["canonicalizedBody"]))
            body[part] = {**body[part], "more": 1} if part == "spec" else "x"
            kind_version = entry["kindVersion"]
            entry.update(log.enter(body))
            entry["kindVersion"] = kind_version
            assert verdict(paper, bundle) == "LOG_ENTRY_MISMATCH"


@pytest.mark.parametrize(
    ("log", "kind", "nulled"),
    [
        ("rekor1", "dsse", ("envelopeHash", "value")),
        ("rekor1", "dsse", ("payloadHash", "value")),
        ("rekor1", "intoto", ("content", "hash", "value")),
        ("rekor2", "hashedrekord", ("hashedRekordV002", "data", "digest")),
        ("rekor2", "hashedrekord", ("hashedRekordV002", "signature", "verifier", "keyDetails")),
    ],
)
def test_an_entry_that_says_nothing_where_something_must_stand_is_about_nothing(paper, log, kind, nulled):
    chosen, key = getattr(paper, log), new_key()
    bundle = paper.sign(log=chosen, kind=kind, key=key)
    entry = entry_of(bundle)
    body = json.loads(unb64(entry["canonicalizedBody"]))
    part = body["spec"]
    for name in nulled[:-1]:
        part = part[name]
    part[nulled[-1]] = None
    if nulled[-1] == "digest":
        part["algorithm"] = "SHA2_999"  # of which nobody here could compute a digest
    entry.update(chosen.enter(body))
    assert verdict(paper, bundle) == "LOG_ENTRY_MISMATCH"


def test_one_key_of_a_log_does_not_promise_what_another_one_has_in_its_tree(paper):
    """A trust root may list two keys under one id; that of the past, with a window, must not date the present."""
    old = copy.deepcopy(paper.rekor1)
    old.key = new_key()
    root = paper.trust_root()
    past = {"start": "2026-01-01T00:00:00Z", "end": "2026-01-02T00:00:00Z"}
    root["tlogs"].append({**old.trusted(), "publicKey": {**old.trusted()["publicKey"], "validFor": past}})
    bundle = paper.sign()
    assert verdict(paper, bundle, root) == "accepted"
    old.promise(entry_of(bundle))
    assert verdict(paper, bundle, root) == "LOG_KEY_NOT_VALID_THEN"


def test_an_entry_of_an_unknown_kind_is_undecided(paper):
    bundle = paper.sign()
    entry_of(bundle)["kindVersion"]["kind"] = "helm"
    del entry_of(bundle)["inclusionPromise"]
    assert verdict(paper, bundle) == "LOG_ENTRY_UNSUPPORTED"


def test_a_log_without_times_has_one_place_for_an_entry(paper):
    bundle = paper.sign(log=paper.rekor2)
    entry_of(bundle)["logIndex"] = str(int(entry_of(bundle)["logIndex"]) + 1)
    assert verdict(paper, bundle) == "LOG_PROOF_INVALID"


@pytest.mark.parametrize("signer", ["*", "AAAA", 5, None])
def test_an_entry_whose_signer_cannot_be_read_is_not_about_this_one(paper, signer):
    bundle = paper.sign(kind="intoto")
    entry = entry_of(bundle)
    body = json.loads(unb64(entry["canonicalizedBody"]))
    body["spec"]["content"]["envelope"]["signatures"][0]["publicKey"] = signer
    entry.update(paper.rekor1.enter(body))
    assert verdict(paper, bundle) == "LOG_ENTRY_MISMATCH"


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"spec":[]}', b'{"spec":{"signatures":{}}}', b"{" * 2000])
def test_any_body_gives_an_answer(paper, body):
    for log in (paper.rekor1, paper.rekor2):
        bundle = paper.sign(log=log)
        entry = entry_of(bundle)
        log.leaves = [*log.leaves, body]
        entry["canonicalizedBody"] = b64(body)
        log.prove(entry, len(log.leaves) - 1)
        entry["logIndex"] = entry["inclusionProof"]["logIndex"]
        if log.version == 1:
            log.promise(entry)
        assert verdict(paper, bundle) == "LOG_ENTRY_MISMATCH"


def test_a_checkpoint_of_the_same_root_and_another_size_is_refused(paper):
    bundle = paper.sign()
    proof = entry_of(bundle)["inclusionProof"]
    body, index = unb64(entry_of(bundle)["canonicalizedBody"]), int(proof["logIndex"])
    hashes = tuple(unb64(sibling) for sibling in proof["hashes"])
    sizes = [
        size
        for size in range(index + 1, 64)
        if includes(body, InclusionProof(index, unb64(proof["rootHash"]), size, hashes, None))
    ]
    assert len(sizes) > 1  # a path fits trees of several sizes: only the checkpoint says which it is
    for size in sizes:
        changed = copy.deepcopy(bundle)
        entry_of(changed)["inclusionProof"]["treeSize"] = str(size)
        expected = "accepted" if str(size) == proof["treeSize"] else "LOG_CHECKPOINT_INVALID"
        assert verdict(paper, changed) == expected


@pytest.mark.parametrize(
    "name", ["witness.example", "rekor.paper", "rekor.paper.example - 1234567x", "REKOR.paper.example"]
)
def test_the_logs_signature_under_another_name_does_not_count(paper, name):
    bundle = paper.sign()
    checkpoint = entry_of(bundle)["inclusionProof"]["checkpoint"]
    checkpoint["envelope"] = checkpoint["envelope"].replace(f"\u2014 {paper.rekor1.host} ", f"\u2014 {name} ")
    assert verdict(paper, bundle) == "LOG_CHECKPOINT_INVALID"


@pytest.mark.parametrize("details", ["PKIX_ECDSA_P384_SHA_384", "PKIX_RSA_PKCS1V15_3072_SHA256", "", 5])
def test_an_entry_that_names_another_kind_of_key_is_refused(paper, details):
    for kind in ("hashedrekord", "dsse2"):
        bundle = paper.sign(log=paper.rekor2, kind=kind)
        entry = entry_of(bundle)
        body = json.loads(unb64(entry["canonicalizedBody"]))
        inner = body["spec"].get("hashedRekordV002") or body["spec"]["dsseV002"]["signatures"][0]
        inner.get("signature", inner)["verifier"]["keyDetails"] = details
        entry.update(paper.rekor2.enter(body))
        assert verdict(paper, bundle) == "LOG_ENTRY_MISMATCH"
