"""``digest``, its shares, and signing over digests that were not computed by the command itself."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest
from commandline import modelsign as run
from refusals import build

if TYPE_CHECKING:
    from certificatelab import Lab
    from commandline import Answered

SCHEMA = json.loads((Path(__file__).parents[3] / "docs/reference/schemas/digest-v1.json").read_text(encoding="utf-8"))
SHARDS = ("--serialization", "shards", "--shard-size", "4")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    build(tmp_path / "m", {"w.bin": "0123456789", "sub/x": "x", "empty": ""})
    assert run("key", "generate", "k.pem", cwd=tmp_path).exit_code == 0
    return tmp_path


def answer(folder: Path, *words: str, **options: str) -> Answered:
    return run(*words, cwd=folder, environ=options or None)


def test_shares_are_json_unless_told_otherwise_and_follow_the_published_schema(folder: Path) -> None:
    for number in (1, 2, 3):
        got = answer(folder, "digest", "m", *SHARDS, "--shard", f"{number}/3", "-o", f"part-{number}.json")
        assert (got.exit_code, got.stdout) == (0, "")
        jsonschema.validate(json.loads((folder / f"part-{number}.json").read_text()), SCHEMA)
    whole = answer(folder, "digest", "m", *SHARDS, "--format", "json").document
    jsonschema.validate(whole, SCHEMA)
    merged = answer(folder, "digest", "merge", "part-3.json", "part-1.json", "part-2.json")
    assert merged.document == whole
    text = answer(folder, "digest", "merge", *(f"part-{n}.json" for n in (1, 2, 3)), "--format", "text")
    assert text.stdout == f"root digest  {whole['root_digest']}\ntree digest  {whole['tree_digest']}\n"
    assert "share 1 of 2" in answer(folder, "digest", "m", "--shard", "1/2", "--format", "text").stdout


def test_what_was_merged_can_be_signed_and_verifies(folder: Path) -> None:
    for number in (1, 2):
        answer(folder, "digest", "m", *SHARDS, "--hash", "blake3", "--shard", f"{number}/2", "-o", f"p{number}")
    assert answer(folder, "digest", "merge", "p1", "p2", "-o", "merged.json").exit_code == 0
    got = answer(folder, "sign", "m", "--from-digests", "merged.json", "--key", "k.pem", "--format", "json")
    assert got.exit_code == 0
    assert got.document["files"]["unread"] == ["empty", "sub/x", "w.bin"]
    assert "were not read here" in got.document["warnings"][0]
    assert answer(folder, "verify", "m", "--key", "k.pub", "--format", "json").document["verdict"] == "VERIFIED"


def test_merging_refuses_what_is_not_all_of_one_model(folder: Path) -> None:
    for number in (1, 2, 3):
        answer(folder, "digest", "m", *SHARDS, "--shard", f"{number}/3", "-o", f"p{number}")
    answer(folder, "digest", "m", "--shard", "3/3", "-o", "other")
    words = ("--format", "json")
    assert answer(folder, "digest", "merge", "p1", "p3", *words).codes == ["DIGESTS_INCOMPLETE"]
    assert answer(folder, "digest", "merge", "p1", "p2", "other", *words).codes == ["DIGESTS_OF_ANOTHER_MODEL"]
    (folder / "p3").write_text((folder / "p3").read_text().replace('"digest": "', '"digest": "f', 1))
    assert answer(folder, "digest", "merge", "p1", "p2", "p3", *words).codes == ["DIGESTS_MALFORMED"]
    assert answer(folder, "digest", "merge", "p1", "--shard", "1/2", *words).codes == ["USAGE"]


def test_a_model_may_be_called_merge(folder: Path) -> None:
    (folder / "m").rename(folder / "merge")
    assert answer(folder, "digest", "merge", "--format", "json").document["model"] == "merge"
    assert answer(folder, "digest", "./merge", "more").exit_code == 2


def test_a_file_that_no_division_can_split_is_named(folder: Path) -> None:
    def warnings(*words: str) -> list[str]:
        found = answer(folder, "digest", "m", "--shard", "1/2", *words).document["warnings"]
        assert isinstance(found, list)
        return found

    assert "w.bin is more than one share's part and is not split" in warnings()[0]
    assert "w.bin" in warnings(*SHARDS)[0]
    assert warnings(*SHARDS, "--no-tree-digest") == []
    assert answer(folder, "digest", "m", "--format", "json").document["warnings"] == []


@pytest.mark.parametrize("share", ["0/2", "3/2", "1", "a/b", "1/99999", "01/2"])
def test_a_share_is_a_number_of_a_number(folder: Path, share: str) -> None:
    assert answer(folder, "digest", "m", "--shard", share, "--format", "json").codes == ["USAGE"]


def test_the_list_shows_what_the_manifest_would(folder: Path) -> None:
    got = answer(folder, "digest", "m", *SHARDS, "--list", "--no-tree-digest")
    assert [line.partition("  ")[2] for line in got.stdout.splitlines()] == [
        "sub/x:0:1", "w.bin:0:4", "w.bin:4:8", "w.bin:8:10",
        got.stdout.splitlines()[-2].partition("  ")[2], "not computed",
    ]  # fmt: skip


def test_every_serialization_can_be_signed_from_the_command_line(folder: Path) -> None:
    for number, words in enumerate(
        [SHARDS, ("--hash", "blake2b"), ("--hash", "blake3"), (*SHARDS, "--hash", "blake3", "--no-tree-digest")]
    ):
        if "--no-tree-digest" in words:
            (folder / "m/empty").unlink()
        got = answer(folder, "sign", "m", "--key", "k.pem", "--bundle", f"{number}.sig", *words, "--format", "json")
        assert (got.exit_code, got.document["oms"]) == (0, True)
        assert (got.document["tree_digest"] is None) == ("--no-tree-digest" in words)
        got = answer(folder, "verify", "m", "--key", "k.pub", "--bundle", f"{number}.sig", "--format", "json")
        assert (got.document["verdict"], got.document["oms"]) == ("VERIFIED", True)
    assert answer(folder, "sign", "m", "--key", "k.pem", "--shard-size", "4").exit_code == 2


def sums(folder: Path) -> None:
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  ./{path.relative_to(folder / 'm')}\n"
        for path in (folder / "m").rglob("*")
        if path.is_file()
    ]
    (folder / "SHA256SUMS").write_text("".join(lines))


def test_a_model_that_is_not_here_is_signed_by_what_sha256sum_wrote(folder: Path) -> None:
    sums(folder)
    words = ("sign", "--from-digests", "SHA256SUMS", "--key", "k.pem", "--bundle", "m.sig", "--format", "json")
    assert answer(folder, *words).codes == ["USAGE"]
    got = answer(folder, *words, "--name", "m")
    assert (got.exit_code, got.document["files"]["unread"]) == (0, ["empty", "sub/x", "w.bin"])
    assert answer(folder, "verify", "m", "--bundle", "m.sig", "--key", "k.pub").exit_code == 0
    assert answer(folder, *words, "--name", "m").codes == ["OUTPUT_EXISTS"]
    assert answer(folder, *words, "--name", "m", "--force").exit_code == 0
    over_a_key = [word if word != "m.sig" else "k.pem" for word in words]
    assert answer(folder, *over_a_key, "--name", "m", "--force").codes == ["OUTPUT_EXISTS"]
    to_stdout = [word if word != "m.sig" else "-" for word in words]
    assert answer(folder, *to_stdout, "--name", "m").exit_code == 0


@pytest.mark.parametrize(
    "words",
    [
        ("--key", "k.pem"),
        ("m", "--key", "k.pem", "--name", "x"),
        ("m", "--key", "k.pem", "--changed", "w.bin"),
        ("m", "--key", "k.pem", "--from-digests", "SHA256SUMS", "--previous", "m.sig"),
        ("m", "--key", "k.pem", "--from-digests", "SHA256SUMS", "--hash", "blake3"),
        ("--key", "k.pem", "--from-digests", "SHA256SUMS", "--name", "m"),
    ],
)
def test_flags_that_do_not_go_together_are_usage_errors(folder: Path, words: tuple[str, ...]) -> None:
    sums(folder)
    assert answer(folder, "sign", *words, "--format", "json").codes == ["USAGE"]


def test_only_what_changed_is_read_and_the_rest_is_listed(folder: Path) -> None:
    assert answer(folder, "sign", "m", "--key", "k.pem").exit_code == 0
    (folder / "m/sub/x").write_text("y")
    words = ("sign", "m", "--key", "k.pem", "--previous", "m/model.sig", "--changed", "sub/x")
    assert answer(folder, *words, "--format", "json").codes == ["OUTPUT_EXISTS"]
    got = answer(folder, *words, "--force", "--format", "json")
    assert (got.exit_code, got.document["files"]["unread"]) == (0, ["empty", "w.bin"])
    assert "the bytes of 2 of 3 files were not read here" in got.document["warnings"][0]
    assert answer(folder, "verify", "m", "--key", "k.pub").exit_code == 0
    text = answer(folder, *words, "--force").stdout
    assert "not read     empty\n  not read     w.bin" in text


def test_somebody_elses_previous_signature_needs_their_key(folder: Path) -> None:
    assert run("key", "generate", "other.pem", cwd=folder).exit_code == 0
    assert answer(folder, "sign", "m", "--key", "other.pem", "--bundle", "old.sig").exit_code == 0
    words = ("sign", "m", "--key", "k.pem", "--previous", "old.sig", "--format", "json")
    assert answer(folder, *words).codes == ["SIGNATURE_WRONG_KEY"]
    assert answer(folder, *words, "--previous-key", "other.pub").exit_code == 0


def test_whoever_signs_with_a_certificate_builds_on_what_their_key_signed_before(folder: Path, lab: Lab) -> None:
    chain = ("--certificate", str(lab.leaf.path), "--certificate-chain", str(lab.middle.path))
    sign = ("sign", "m", "--key", str(lab.leaf.key_path), *chain, "--format", "json")
    assert answer(folder, *sign, "--bundle", "old.sig").exit_code == 0
    (folder / "m/sub/x").write_text("y")
    got = answer(folder, *sign, "--bundle", "new.sig", "--previous", "old.sig", "--changed", "sub")
    assert (got.exit_code, got.document["files"]["unread"]) == (0, ["empty", "w.bin"])
    words = ("verify", "m", "--bundle", "new.sig", "--ca-roots", str(lab.root.path))
    assert answer(folder, *words, "--certificate-identity", "ci@example.org").exit_code == 0
    other = ("sign", "m", "--key", "k.pem", "--previous", "old.sig", "--format", "json")
    assert answer(folder, *other).codes == ["SIGNATURE_WRONG_KEY"]
