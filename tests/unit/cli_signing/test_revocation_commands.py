"""A revocation list is made, extended and renewed by its authority, and verify heeds it."""

from __future__ import annotations

import hashlib
import json
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from commandline import modelsign
from refusals import build

from modelsign.artifact.model import open_artifact
from modelsign.signing.keys import load_private_key
from modelsign.signing.revocation_list import RevocationList, seal_list
from modelsign.signing.sign import sign_model
from modelsign.signing.validity import Validity

if TYPE_CHECKING:
    from commandline import Answered

    from modelsign.signing.revocation_list import Revoked

DAY = timedelta(days=1)


class Place(NamedTuple):
    """A signed model with its keys, and an authority with an empty list."""

    folder: Path

    @property
    def model(self) -> Path:
        return self.folder / "model"

    @property
    def list(self) -> Path:
        return self.folder / "revoked.json"

    def key(self, name: str) -> Path:
        return self.folder / f"{name}.pem"

    def pub(self, name: str) -> Path:
        return self.folder / f"{name}.pub"

    def add(self, *words: object) -> Answered:
        options = ("--key", self.key("authority"), "--reason", "stolen", "--format", "json")
        return modelsign("revocation", "add", self.list, *options, *map(str, words))

    def verify(self, *words: object) -> Answered:
        options = ("--revocation-list", self.list, "--revocation-key", self.pub("authority"), "--format", "json")
        return modelsign("verify", self.model, "--key", self.pub("signer"), *options, *map(str, words))

    def put(self, issued: datetime, expires: datetime, *entries: Revoked, version: int = 1) -> None:
        authority = load_private_key(self.key("authority").read_bytes())
        sealed = seal_list(RevocationList(version, issued, expires, entries), authority)
        self.list.write_bytes(sealed.bundle)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path)
    build(made.model, {"config.json": "{}", "w.bin": "weights"})
    for name in ("signer", "authority"):
        assert modelsign("key", "generate", made.key(name)).exit_code == 0
    assert modelsign("sign", made.model, "--key", made.key("signer")).exit_code == 0
    assert modelsign("revocation", "init", made.list, "--key", made.key("authority")).exit_code == 0
    return made


def test_a_model_verifies_while_nothing_on_the_list_is_against_it(place: Place) -> None:
    answer = place.verify()
    assert (answer.exit_code, answer.document["revocation_list"]["version"]) == (0, 1)
    plain = modelsign("verify", place.model, "--key", place.pub("signer"), "--format", "json")
    assert "revocation_list" not in plain.document
    assert place.verify("--max-revocation-age", "7d", "--revocation-version", "1").exit_code == 0


def test_a_revoked_key_refuses_and_each_change_is_a_new_version(place: Place) -> None:
    added = place.add("--revoke-key", place.pub("signer"))
    assert (added.exit_code, added.document["version"], len(added.document["entries"])) == (0, 2, 1)
    refused = place.verify()
    assert (refused.exit_code, refused.codes, refused.document["verdict"]) == (1, ["SIGNER_REVOKED"], "REFUSED")
    renewed = modelsign(
        "revocation", "renew", place.list, "--key", place.key("authority"), "--expires", "1d", "--format", "json"
    )
    assert (renewed.document["version"], len(renewed.document["entries"])) == (3, 1)
    assert place.verify("--revocation-version", "4").codes == ["REVOCATION_LIST_ROLLED_BACK"]


def test_models_files_signatures_and_identities_can_be_revoked(place: Place) -> None:
    digests = modelsign("digest", place.model, "--format", "json").document
    added = place.add("--revoke-model", place.model, "--revoke-signature", place.model / "model.sig")
    assert [entry["kind"] for entry in added.document["entries"]] == ["signature", "model"]
    assert added.document["entries"][1]["dirHash1"] == digests["tree_digest"]
    assert place.verify().codes == ["SIGNATURE_REVOKED"]
    since = ("--revoke-identity", "ci@example.org", "--since", "2026-01-02")
    assert place.add(*since, "--revoke-tree-digest", "ab" * 32).exit_code == 2
    more = place.add("--revoke-identity", "ci@example.org", "--issuer", "https://i", "--since", "2026-01-02")
    entry = more.document["entries"][-1]
    assert (entry["issuer"], entry["since"]) == ("https://i", "2026-01-02T00:00:00Z")
    assert place.add("--revoke-file-digest", "AB" * 32).codes == ["USAGE"]
    assert place.add("--revoke-file-digest", "ab" * 32, "--revoke-tree-digest", "ab" * 32).exit_code == 0


def test_a_revoked_file_refuses_the_model(place: Place) -> None:
    digest = hashlib.sha256(b"weights").hexdigest()
    assert place.add("--revoke-file-digest", digest).exit_code == 0
    assert place.verify().codes == ["MODEL_REVOKED"]


def test_only_the_authority_changes_a_list(place: Place) -> None:
    before = place.list.read_bytes()
    stranger = ("revocation", "renew", place.list, "--key", place.key("signer"), "--format", "json")
    assert modelsign(*stranger).codes == ["REVOCATION_LIST_UNTRUSTED"]
    assert place.list.read_bytes() == before
    handed_over = modelsign(*stranger, "--previous-key", place.pub("authority"))
    assert handed_over.exit_code == 0
    assert place.verify().codes == ["REVOCATION_LIST_UNTRUSTED"]
    assert place.verify("--revocation-key", place.pub("signer")).exit_code == 0


def test_a_list_is_not_begun_twice(place: Place) -> None:
    again = modelsign("revocation", "init", place.list, "--key", place.key("authority"), "--format", "json")
    assert again.codes == ["OUTPUT_EXISTS"]


def test_a_list_that_is_missing_stale_expired_or_to_come_is_a_refusal(place: Place) -> None:
    now = datetime.now(UTC)
    for times, words, code in (
        ((now - 9 * DAY, now + DAY), ("--max-revocation-age", "8d"), "REVOCATION_LIST_STALE"),
        ((now - 9 * DAY, now - DAY), (), "REVOCATION_LIST_EXPIRED"),
        ((now + DAY, now + 9 * DAY), (), "REVOCATION_LIST_FROM_THE_FUTURE"),
    ):
        place.put(*times)
        answer = place.verify(*words)
        assert (answer.exit_code, answer.codes, answer.document["verdict"]) == (1, [code], "REFUSED")
    place.list.unlink()
    assert place.verify().codes == ["REVOCATION_LIST_MISSING"]
    assert place.add("--revoke-key", place.pub("signer")).codes == ["REVOCATION_LIST_MISSING"]


@pytest.mark.parametrize(
    "words",
    [
        ("--revocation-list", "x"),
        ("--revocation-key", "signer.pub"),
        ("--max-revocation-age", "7d"),
        ("--revocation-version", "1"),
    ],
)
def test_half_a_question_about_revocation_is_a_usage_error(place: Place, words: tuple[str, ...]) -> None:
    asked = ("verify", place.model, "--key", place.pub("signer"), "--format", "json", *words)
    answer = modelsign(*asked, cwd=place.folder)
    assert (answer.exit_code, answer.codes) == (2, ["REVOCATION_NOT_ASKED"])


@pytest.mark.parametrize(
    "words",
    [
        ("add", "revoked.json", "--key", "authority.pem", "--reason", "x"),
        (
            "add",
            "revoked.json",
            "--key",
            "authority.pem",
            "--reason",
            "x",
            "--revoke-key",
            "signer.pub",
            "--issuer",
            "i",
        ),
        ("add", "-", "--key", "authority.pem", "--reason", "x", "--revoke-key", "signer.pub"),
        ("renew", "revoked.json", "--key", "authority.pem", "--key", "signer.pem"),
        ("renew", "revoked.json", "--key", "authority.pem", "--expires", "2020-01-01"),
        ("renew", "revoked.json", "--key", "authority.pem", "--expires", "soon"),
        ("renew", "revoked.json", "--key", "authority.pem", "--expires", "999999w"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(place: Place, words: tuple[str, ...]) -> None:
    before = place.list.read_bytes()
    assert modelsign("revocation", *words, cwd=place.folder).exit_code == 2
    assert place.list.read_bytes() == before


def test_a_list_is_shown_and_says_loudly_when_nothing_was_verified(place: Place) -> None:
    place.add("--revoke-key", place.pub("signer"), "--since", "2026-01-02T03:04:05Z")
    loud = modelsign("revocation", "show", place.list)
    assert "NOT VERIFIED" in loud.stdout
    assert "since 2026-01-02T03:04:05Z: stolen" in loud.stdout
    assert "nothing was verified" in loud.stderr + loud.stdout
    sure = modelsign("revocation", "show", place.list, "--revocation-key", place.pub("authority"), "--format", "json")
    assert sure.document["signer"]["method"] == "key"
    assert sure.document["warnings"] == []
    wrong = modelsign("revocation", "show", place.list, "--revocation-key", place.pub("signer"), "--format", "json")
    assert wrong.codes == ["REVOCATION_LIST_UNTRUSTED"]
    now = datetime.now(UTC)
    place.put(now - 9 * DAY, now - DAY)
    old = modelsign("revocation", "show", place.list, "--format", "json")
    assert any("expired" in warning for warning in old.document["warnings"])


def test_sign_writes_until_when_a_signature_is_good_and_verify_says_so(place: Place) -> None:
    words = ("sign", place.model, "--key", place.key("signer"), "--force", "--format", "json")
    done = modelsign(*words, "--expires", "90d").document
    assert done["oms"] is True
    seen = modelsign("verify", place.model, "--key", place.pub("signer"), "--format", "json").document
    assert (seen["verdict"], seen["expires"], seen["oms"]) == ("VERIFIED", done["expires"], True)
    assert modelsign(*words).document["expires"] is None
    for odd in ("2020-01-01", "yesterday", "0d", ""):
        assert modelsign(*words, "--expires", odd).exit_code == 2


def test_verify_refuses_a_signature_that_expired(place: Place) -> None:
    now = datetime.now(UTC)
    key = load_private_key(place.key("signer").read_bytes())
    with open_artifact(place.model) as artifact:
        bundle = sign_model(artifact, key, validity=Validity(now - 2 * DAY, now - DAY)).bundle
    (place.model / "model.sig").write_bytes(bundle)
    answer = modelsign("verify", place.model, "--key", place.pub("signer"), "--format", "json")
    assert (answer.exit_code, answer.codes) == (1, ["SIGNATURE_EXPIRED"])
    assert json.loads(answer.stdout)["verdict"] == "REFUSED"


def test_the_page_on_revoking_does_what_it_says(tmp_path: Path) -> None:
    page = Path(__file__).resolve().parents[3] / "docs/revoking.md"
    for name in ("model", "bad-model"):
        build(tmp_path / name, {"config.json": "{}", "w.bin": name})
    for name in ("signer", "old"):
        modelsign("key", "generate", tmp_path / f"{name}.pem")
    modelsign("sign", tmp_path / "model", "--key", tmp_path / "signer.pem")
    lines = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("modelsign ")]
    assert len(lines) == 8
    for line in lines:
        answer = modelsign(*shlex.split(line)[1:], cwd=tmp_path)
        assert answer.exit_code == 0, line + answer.stdout + answer.stderr
    modelsign("sign", "bad-model", "--key", "signer.pem", cwd=tmp_path)
    asked = ("--revocation-list", "revoked.json", "--revocation-key", "authority.pub", "--format", "json")
    assert modelsign("verify", "bad-model", "--key", "signer.pub", *asked, cwd=tmp_path).codes == ["MODEL_REVOKED"]
