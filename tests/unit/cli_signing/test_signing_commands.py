"""sign, verify, digest, inspect and key, as a user calls them: exit statuses, places, refusals, documents."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from bundlecraft import encoded, raw_bundle
from commandline import modelsign
from refusals import build

if TYPE_CHECKING:
    from pathlib import Path

    from commandline import Answered


@pytest.fixture
def here(tmp_path: Path) -> Path:
    build(tmp_path / "model", {"config.json": "{}", "sub/w.safetensors": "weights"})
    assert run(tmp_path, "key", "generate", "signer.pem").exit_code == 0
    return tmp_path


def run(folder: Path, *arguments: str, stdin: bytes = b"", environ: dict[str, str] | None = None) -> Answered:
    return modelsign(*arguments, "--format", "json", "--no-config", cwd=folder, stdin=stdin, environ=environ)


def outcome(
    folder: Path, *arguments: str, stdin: bytes = b"", environ: dict[str, str] | None = None
) -> tuple[int, list[str]]:
    answer = run(folder, *arguments, stdin=stdin, environ=environ)
    assert answer.document["exit_code"] == answer.exit_code
    return answer.exit_code, answer.codes


VERIFY = ("verify", "model", "--key", "signer.pub")
SIGN = ("sign", "model", "--key", "signer.pem")


def test_the_main_road(here: Path) -> None:
    signed = run(here, *SIGN)
    assert (signed.exit_code, signed.document["bundle"]) == (0, "model/model.sig")
    verified = run(here, *VERIFY)
    assert (verified.exit_code, verified.document["verdict"]) == (0, "VERIFIED")
    digest = run(here, "digest", "model")
    for name in ("root_digest", "tree_digest"):
        assert signed.document[name] == verified.document[name] == digest.document[name]
    assert verified.document["signed_root_digest"] == digest.document["root_digest"]
    assert [entry["name"] for entry in digest.document["resources"]] == ["config.json", "sub/w.safetensors"]
    assert signed.document["oms"] is verified.document["oms"] is True


def test_every_answer_of_verify_differs(here: Path) -> None:
    assert outcome(here, *VERIFY) == (1, ["SIGNATURE_MISSING"])
    run(here, *SIGN)
    run(here, "key", "generate", "stranger.pem")
    assert outcome(here, "verify", "model", "--key", "stranger.pub") == (1, ["SIGNATURE_WRONG_KEY"])
    assert outcome(here, "verify", "model") == (2, ["NO_TRUST_SOURCE"])
    assert outcome(here, "verify", "nowhere", "--key", "signer.pub") == (2, ["NO_SUCH_MODEL"])
    assert outcome(here, "verify", "model", "--key", "nowhere.pub") == (3, ["INPUT_UNREADABLE"])
    assert outcome(here, "verify", "model", "--key", "model/config.json") == (3, ["KEY_MALFORMED"])
    assert outcome(here, "verify", "model", "--key", "signer.pem") == (2, ["KEY_IS_PRIVATE"])
    (here / "empty").mkdir()
    assert outcome(here, "verify", "empty", "--key", "signer.pub") == (4, ["EMPTY_MODEL"])
    (here / "model/extra.py").touch()
    assert outcome(here, *VERIFY) == (1, ["FILE_UNSIGNED"])
    (here / "model/extra.py").unlink()
    (here / "model/config.json").write_text("[]")
    assert outcome(here, *VERIFY) == (1, ["FILE_CHANGED"])
    (here / "model/config.json").unlink()
    assert outcome(here, *VERIFY) == (1, ["FILE_MISSING"])
    (here / "model/model.sig").write_bytes((here / "model/model.sig").read_bytes()[:-20])
    code, reasons = outcome(here, *VERIFY)
    assert (code, set(reasons)) == (1, {"EVIDENCE_NOT_A_BUNDLE", "BUNDLE_MALFORMED"}) or (code, reasons) == (
        3,
        ["BUNDLE_MALFORMED"],
    )


def test_a_truncated_signature_is_malformed_and_not_negative(here: Path) -> None:
    run(here, *SIGN)
    data = (here / "model/model.sig").read_bytes()
    (here / "model/model.sig").write_bytes(data[: len(data) // 2])
    answer = run(here, *VERIFY)
    assert (answer.exit_code, answer.codes, answer.document["verdict"]) == (3, ["BUNDLE_MALFORMED"], "UNDECIDED")


@pytest.mark.parametrize("place", ["folder", "fifo", "/dev/null", "missing"])
def test_what_is_no_file_in_the_place_of_a_signature(here: Path, place: str) -> None:
    (here / "folder").mkdir()
    os.mkfifo(here / "fifo")
    code = "SIGNATURE_MISSING" if place == "missing" else "SIGNATURE_NOT_A_FILE"
    assert outcome(here, *VERIFY, "--bundle", place) == (1, [code])


def test_a_folder_in_the_default_place_is_refused_at_sign_and_verify(here: Path) -> None:
    build(here / "model", {"model.sig/pytorch_model.bin": "x"})
    assert outcome(here, *VERIFY) == (1, ["SIGNATURE_NOT_A_FILE"])
    assert outcome(here, *SIGN) == (1, ["SIGNATURE_NOT_A_FILE"])
    assert outcome(here, *SIGN, "--force") == (1, ["SIGNATURE_NOT_A_FILE"])


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        (".github/x.bin", b"x", "LOADABLE_UNDER_GIT_PATH"),
        ("a\x1b[2J", b"x", "NAME_CONTROL_CHARACTER"),
        ("CONFIG.json", b"x", "NAME_COLLIDES_CASE"),
        ("caf\udce9", b"x", "NAME_NOT_UTF8"),
    ],
)
def test_refused_trees_are_refused_at_sign_and_at_verify(here: Path, name: str, content: bytes, code: str) -> None:
    run(here, *SIGN)
    build(here / "model", {name: content})
    for words in (VERIFY, (*SIGN, "--force"), ("digest", "model")):
        assert outcome(here, *words) == (1, [code])


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("../signer.pub", "LINK_LEAVES_MODEL"),
        ("link", "LINK_CYCLE"),
        ("sub", "LINK_TO_DIRECTORY"),
        ("config.json", "LINK_NOT_ALLOWED"),
    ],
)
def test_links_are_refused_at_sign_and_at_verify(here: Path, target: str, code: str) -> None:
    run(here, *SIGN)
    (here / "model/link").symlink_to(target)
    for words in (VERIFY, (*SIGN, "--force")):
        assert outcome(here, *words) == (1, [code])


def test_links_are_followed_where_both_sides_say_so(here: Path) -> None:
    (here / "model/link").symlink_to("config.json")
    assert outcome(here, *SIGN, "--allow-symlinks") == (0, [])
    assert outcome(here, *VERIFY) == (1, ["LINK_NOT_ALLOWED"])
    assert outcome(here, *VERIFY, "--allow_symlinks") == (0, [])
    (here / "model/link").unlink()
    build(here, {"blobs/x": "{}"})
    (here / "model/link").symlink_to("../blobs/x")
    assert outcome(here, *VERIFY, "--link-root", "blobs") == (0, [])


def test_insecure_switches_show_in_the_answer(here: Path) -> None:
    run(here, *SIGN)
    build(here / "model", {"extra.py": ""})
    assert outcome(here, *VERIFY, "--ignore-unsigned-files") == (1, ["UNSIGNED_LOADABLE"])
    answer = run(here, *VERIFY, "--ignore-unsigned-files", "--insecure-unsigned-loadable")
    assert answer.exit_code == 0
    assert "--insecure-unsigned-loadable was given" in answer.document["warnings"]
    assert answer.document["files"]["unsigned"] == ["extra.py"]
    build(here / "model", {"a\tb": ""})
    answer = run(here, *SIGN, "--force", "--insecure-names")
    assert "--insecure-names was given" in answer.document["warnings"]
    assert outcome(here, *VERIFY, "--insecure-names") == (0, [])


def test_git_is_left_out_with_a_warning(here: Path) -> None:
    build(here / "model", {".git/config": "x"})
    for words in (SIGN, VERIFY, ("digest", "model")):
        answer = run(here, *words)
        assert answer.exit_code == 0
        assert any(".git is left out" in warning for warning in answer.document["warnings"])


def test_paths_to_ignore_are_agreed_on_by_both_sides(here: Path) -> None:
    build(here / "model", {"logs/x": ""})
    assert outcome(here, *SIGN, "--ignore-paths", "lgos") == (2, ["IGNORE_MATCHES_NOTHING"])
    assert outcome(here, *SIGN, "--ignore-paths", "../x") == (2, ["IGNORE_PATH_OUTSIDE"])
    assert outcome(here, *SIGN, "--ignore-paths", "logs") == (0, [])
    assert outcome(here, *VERIFY) == (1, ["SIGNER_IGNORES_MORE", "FILE_UNSIGNED"])
    assert outcome(here, *VERIFY, "--ignore-paths", "./logs/") == (0, [])
    assert outcome(here, "digest", "model", "--ignore-paths", "lgos") == (2, ["IGNORE_MATCHES_NOTHING"])


def test_nothing_is_overwritten_without_force(here: Path) -> None:
    run(here, *SIGN)
    before = (here / "model/model.sig").read_bytes()
    assert outcome(here, *SIGN) == (2, ["OUTPUT_EXISTS"])
    assert (here / "model/model.sig").read_bytes() == before
    (here / "model/model.sig").write_text("broken")
    assert outcome(here, *SIGN, "--force") == (0, [])
    assert (here / "model/model.sig").read_bytes() == before
    assert sorted(entry.name for entry in (here / "model").iterdir()) == ["config.json", "model.sig", "sub"]


def test_further_signatures_lie_beside_the_first(here: Path) -> None:
    for name in ("bob", "carol"):
        run(here, "key", "generate", f"{name}.pem")
    run(here, *SIGN)
    assert outcome(here, "sign", "model", "--key", "bob.pem", "--add") == (0, [])
    assert len(list((here / "model/model.sig.d").iterdir())) == 1
    both = ("--key", "signer.pub", "--key", "bob.pub")
    assert outcome(here, "verify", "model", *both) == (0, [])
    three = (*both, "--key", "carol.pub")
    assert outcome(here, "verify", "model", *three) == (1, ["SIGNATURES_TOO_FEW"])
    assert outcome(here, "verify", "model", *three, "--threshold", "2") == (0, [])
    assert outcome(here, "verify", "model", *both, "--threshold", "3") == (2, ["THRESHOLD_IMPOSSIBLE"])
    assert outcome(here, "verify", "model", *both, "--bundle", "model/model.sig") == (1, ["SIGNATURES_TOO_FEW"])
    assert outcome(here, "sign", "model", "--key", "bob.pem", "--add", "--bundle", "x") == (2, ["USAGE"])


def test_bundles_can_lie_elsewhere_or_come_by_pipe(here: Path) -> None:
    assert outcome(here, *SIGN, "--bundle", "out.sig") == (0, [])
    assert outcome(here, *VERIFY, "--signature", "out.sig") == (0, [])
    piped = modelsign(*SIGN, "--bundle", "-", cwd=here)
    assert json.loads(piped.out)["mediaType"].endswith("v0.3+json")
    assert outcome(here, *VERIFY, "--bundle", "-", stdin=piped.out) == (0, [])
    assert outcome(here, *SIGN, "--bundle", "model/my.sig") == (0, [])
    assert outcome(here, *VERIFY, "--bundle", "model/my.sig") == (0, [])
    assert outcome(here, *SIGN, "--bundle", "nowhere/out.sig") == (3, ["OUTPUT_UNWRITABLE"])


def test_single_files_are_signed_beside_themselves(here: Path) -> None:
    build(here, {"w s.pkl": "weights"})
    assert outcome(here, "sign", "w s.pkl", "--key", "signer.pem") == (0, [])
    assert (here / "w s.pkl.sig").exists()
    assert outcome(here, "verify", "./w s.pkl", "--key", "signer.pub") == (0, [])
    build(here, {"w.pt": "weights", "w.pt.sig": (here / "w s.pkl.sig").read_bytes()})
    assert outcome(here, "verify", "w.pt", "--key", "signer.pub")[1][0] == "MODEL_RENAMED"


def test_the_spellings_of_model_signing_are_accepted(here: Path) -> None:
    assert outcome(here, "sign", "model", "--private_key", "signer.pem", "--signature", "x.sig") == (0, [])
    assert outcome(
        here, "verify", "model", "--public_key", "signer.pub", "--signature", "x.sig", "--ignore_unsigned_files"
    ) == (0, [])


def test_signing_without_a_method_is_a_usage_error(here: Path) -> None:
    assert outcome(here, "sign", "model") == (2, ["NO_SIGNING_METHOD"])
    assert outcome(here, "sign", "model", "--key", "signer.pub") == (2, ["KEY_IS_PUBLIC"])
    assert outcome(here, "sign", "nowhere", "--key", "signer.pem") == (2, ["NO_SUCH_MODEL"])


def test_a_model_with_a_private_key_is_not_signed(here: Path) -> None:
    (here / "model/README.md").write_bytes((here / "signer.pem").read_bytes())
    assert outcome(here, *SIGN) == (1, ["PRIVATE_KEY_IN_MODEL"])
    assert not (here / "model/model.sig").exists()


def test_the_document_shows_hostile_names_escaped(here: Path) -> None:
    build(here / "model", {"a\x1b]0;x\x07": ""})
    answer = modelsign(*VERIFY, cwd=here)
    assert answer.exit_code == 1
    assert "\x1b" not in answer.stdout + answer.stderr
    assert "NAME_CONTROL_CHARACTER" in answer.stdout


# --- keys -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "algorithm",
    [
        "ecdsa-p256-sha256",
        "ecdsa-p384-sha384",
        "ecdsa-p521-sha512",
        "ed25519",
        "rsa-pss-sha256",
        "ml-dsa-65",
        "ml-dsa-87",
    ],
)
def test_every_kind_of_key_signs_and_verifies(here: Path, algorithm: str) -> None:
    made = run(here, "key", "generate", "k.pem", "--algorithm", algorithm)
    assert (made.exit_code, made.document["algorithm"]) == (0, algorithm)
    assert outcome(here, "sign", "model", "--key", "k.pem") == (0, [])
    verified = run(here, "verify", "model", "--key", "k.pub")
    assert (verified.exit_code, verified.document["oms"]) == (0, algorithm.startswith("ecdsa"))
    assert verified.document["signers"][0]["algorithm"] == algorithm


def test_a_private_key_is_its_owners_alone_and_is_never_replaced(here: Path) -> None:
    assert stat.S_IMODE((here / "signer.pem").stat().st_mode) == 0o600
    before = (here / "signer.pem").read_bytes()
    for words in (("signer.pem",), ("signer.pem", "--force"), ("new.pem", "--public-out", "signer.pub")):
        assert outcome(here, "key", "generate", *words) == (2, ["OUTPUT_EXISTS"])
    assert (here / "signer.pem").read_bytes() == before
    assert not (here / "new.pem").exists()


def test_a_pair_is_written_whole_or_not_at_all(here: Path) -> None:
    words = ("key", "generate", "half.pem", "--public-out", "nowhere/half.pub")
    assert outcome(here, *words) == (3, ["OUTPUT_UNWRITABLE"])
    assert not (here / "half.pem").exists()


def test_a_model_whose_own_name_cannot_be_written_down_is_not_signed(here: Path) -> None:
    build(here / "caf\udce9", {"w": "1"})
    assert outcome(here, "sign", "caf\udce9", "--key", "signer.pem") == (1, ["NAME_NOT_UTF8"])
    assert outcome(here, "digest", "caf\udce9") == (0, [])
    build(here, {"caf\udce9/x\ty": "1"})
    assert outcome(here, "digest", "caf\udce9/x\ty") == (1, ["NAME_CONTROL_CHARACTER"])
    assert outcome(here, "digest", "caf\udce9/x\ty", "--insecure-names") == (0, [])


def test_a_private_key_is_not_written_into_a_model(here: Path) -> None:
    build(here, {"unsigned/pytorch_model.bin": "x", "unsigned/sub/x": "x"})
    assert outcome(here, "key", "generate", "unsigned/sub/k.pem") == (2, ["KEY_INSIDE_MODEL"])
    run(here, *SIGN)
    (here / "model/deep/er").mkdir(parents=True)
    for place in ("model/k.pem", "model/deep/er/k.pem"):
        assert outcome(here, "key", "generate", place) == (2, ["KEY_INSIDE_MODEL"])
        assert not (here / place).exists()
    assert outcome(here, "key", "generate", "nowhere/k.pem") == (3, ["OUTPUT_UNWRITABLE"])


def test_encrypted_keys_take_their_password_from_a_file_or_the_environment(here: Path) -> None:
    build(here, {"password": "secret\n", "wrong": "Secret"})
    assert outcome(here, "key", "generate", "k.pem", "--password-file", "password") == (0, [])
    assert b"ENCRYPTED" in (here / "k.pem").read_bytes()
    sign = ("sign", "model", "--key", "k.pem")
    assert outcome(here, *sign) == (2, ["KEY_PASSWORD_NEEDED"])
    assert outcome(here, *sign, "--password-file", "wrong") == (2, ["KEY_PASSWORD_WRONG"])
    assert outcome(here, *sign, "--password-file", "env:NONE") == (2, ["USAGE"])
    assert outcome(here, *SIGN, "--password-file", "password") == (2, ["KEY_NOT_ENCRYPTED"])
    assert outcome(here, *sign, "--password-file", "env:PASS", environ={"PASS": "secret"}) == (0, [])
    assert outcome(here, "verify", "model", "--key", "k.pub") == (0, [])
    assert outcome(here, "key", "generate", "n.pem", "--encrypt") == (2, ["KEY_PASSWORD_NEEDED"])


def test_showing_a_key_never_shows_its_private_half(here: Path) -> None:
    private, public = run(here, "key", "show", "signer.pem"), run(here, "key", "show", "signer.pub")
    for name in ("key_digest", "hint", "public_pem", "algorithm", "oms"):
        assert private.document[name] == public.document[name]
    assert "PRIVATE KEY" not in private.stdout
    assert outcome(here, "key", "show", "signer.pem", "--public-out", "again.pub") == (0, [])
    assert (here / "again.pub").read_bytes() == (here / "signer.pub").read_bytes()
    assert outcome(here, "key", "show", "model/config.json") == (3, ["KEY_MALFORMED"])
    piped = modelsign("key", "show", "-", cwd=here, stdin=(here / "signer.pub").read_bytes())
    assert (piped.exit_code, public.document["key_digest"] in piped.stdout) == (0, True)


# --- digest and inspect -----------------------------------------------------------------


def test_digest_lists_files_as_sha256sum_does(here: Path) -> None:
    answer = modelsign("digest", "model", "--list", cwd=here)
    assert "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a  config.json\n" in answer.stdout
    assert "--list" not in modelsign("digest", "model", cwd=here).stdout
    assert outcome(here, "digest", "nowhere") == (2, ["NO_SUCH_MODEL"])


def test_inspect_shows_everything_and_says_that_nothing_was_verified(here: Path) -> None:
    run(here, *SIGN)
    (here / "model/config.json").write_text("changed")
    for words in (("model",), ("model/model.sig",)):
        answer = run(here, "inspect", *words)
        assert answer.exit_code == 0
        assert answer.document["verified"] is False
        assert "NOTHING HERE WAS VERIFIED" in answer.document["warnings"][0]
        (bundle,) = answer.document["bundles"]
        assert bundle["source"] == "model/model.sig"
        assert bundle["statement"]["model"]["files"] == 2
        assert bundle["problems"] == []
        assert bundle["material"]["kind"] == "public_key"
    assert modelsign("inspect", "model", cwd=here).stdout.startswith("NOTHING HERE WAS VERIFIED")
    piped = run(here, "inspect", "-", stdin=(here / "model/model.sig").read_bytes())
    assert piped.document["bundles"] == [{**bundle, "source": "-"}]


def test_inspect_shows_each_line_of_a_store_and_of_standard_input(here: Path) -> None:
    lines = encoded(raw_bundle(b"[]")) + b"\n\n" + encoded(raw_bundle(b'{"predicateType": "x"}')) + b"\n"
    build(here, {"x.intoto.jsonl": lines})
    answer = run(here, "inspect", "x.intoto.jsonl").document["bundles"]
    assert [entry["source"] for entry in answer] == ["x.intoto.jsonl:1", "x.intoto.jsonl:3"]
    assert answer[0]["statement"]["problem"] == "the payload is not an object"
    assert answer[1]["statement"]["predicate_type"] == "x"
    piped = run(here, "inspect", "-", stdin=lines).document["bundles"]
    assert [entry["statement"] for entry in piped] == [entry["statement"] for entry in answer]


def test_inspect_shows_a_models_attestations_too(here: Path) -> None:
    build(here, {"model/model.intoto.jsonl": encoded(raw_bundle(b"{}")) + b"\n"})
    assert [entry["source"] for entry in run(here, "inspect", "model").document["bundles"]] == [
        "model/model.intoto.jsonl:1"
    ]
    run(here, *SIGN)
    assert len(run(here, "inspect", "model").document["bundles"]) == 2


def test_inspect_names_the_fault_of_a_broken_payload(here: Path) -> None:
    broken = b'{"_type": "https://in-toto.io/Statement/v1", "predicateType": "https://model_signing/signature/v1.0"}'
    build(here, {"a.sig": encoded(raw_bundle(b"\xff")), "b.sig": encoded(raw_bundle(broken)), "c.sig": "{"})
    for name, code in (("a.sig", "JSON_MALFORMED"), ("b.sig", "MANIFEST_MALFORMED")):
        (entry,) = run(here, "inspect", name).document["bundles"]
        assert entry["statement"]["problem"].startswith(code)
    assert outcome(here, "inspect", "c.sig") == (3, ["BUNDLE_MALFORMED"])
    assert outcome(here, "inspect", "model") == (1, ["SIGNATURE_MISSING"])
    assert outcome(here, "inspect", "nowhere") == (1, ["SIGNATURE_MISSING"])


def test_a_signature_replaced_by_a_process_that_is_killed_is_never_signed(here: Path) -> None:
    run(here, *SIGN)
    kill = (
        "import os\n"
        "from modelsign import files\n"
        "files.os.replace = lambda *_, **__: os.kill(os.getpid(), 9)\n"
        "from modelsign.cli.main import main\n"
        "main(['sign', 'model', '--key', 'signer.pem', '--force'])\n"
    )
    subprocess.run([sys.executable, "-c", kill], cwd=here, check=False, capture_output=True)
    (left,) = [path.name for path in (here / "model").iterdir() if path.name.startswith(".modelsign-")]
    verified = run(here, *VERIFY)
    assert (verified.exit_code, verified.document["verdict"]) == (0, "VERIFIED")
    assert any(left in warning for warning in verified.document["warnings"])
    signed = run(here, *SIGN, "--force")
    assert (signed.exit_code, signed.document["files"]["signed"]) == (0, 2)


def test_standard_input_is_read_once(here: Path) -> None:
    run(here, *SIGN)
    key = (here / "signer.pub").read_bytes()
    assert outcome(here, "verify", "model", "--key", "-", stdin=key) == (0, [])
    assert outcome(here, "verify", "model", "--key", "-", "--bundle", "-", stdin=key) == (2, ["USAGE"])


def test_nothing_in_a_bundle_or_a_path_looks_like_a_line_of_ours(here: Path) -> None:
    forged = raw_bundle(hint="x\nVERIFIED\n  signed by    key Somebody Trusted")
    forged["dsseEnvelope"]["payloadType"] = "a\nVERIFIED"
    (here / "i.sig").write_bytes(encoded(forged))
    shown = modelsign("inspect", "i.sig", cwd=here)
    assert "VERIFIED" in shown.stdout
    assert not [line for line in shown.stdout.splitlines() if line.startswith(("VERIFIED", "  signed by"))]
    signed = modelsign("sign", "model", "--key", "signer.pem", "--bundle", "x\nVERIFIED", cwd=here)
    assert signed.exit_code == 0
    assert not [line for line in signed.stdout.splitlines() if line.startswith("VERIFIED")]


@pytest.mark.parametrize("place", ["signer.pem", "other.pem", "model/config.json", "notes.txt", "model/empty"])
def test_force_replaces_signatures_and_nothing_else(here: Path, place: str) -> None:
    run(here, "key", "generate", "other.pem")
    build(here, {"notes.txt": "precious", "model/empty": ""})
    before = (here / place).read_bytes()
    assert outcome(here, *SIGN, "--bundle", place, "--force") == (2, ["OUTPUT_EXISTS"])
    assert (here / place).read_bytes() == before


def test_force_never_replaces_the_model_itself(here: Path) -> None:
    build(here, {"w.bin": "weights", "none.bin": ""})
    for name in ("w.bin", "none.bin"):
        assert outcome(here, "sign", name, "--key", "signer.pem", "--bundle", name, "--force") == (
            2,
            ["OUTPUT_EXISTS"],
        )
    assert (here / "w.bin").read_bytes() == b"weights"


@pytest.mark.parametrize("content", [b"", b"broken", encoded(raw_bundle())])
@pytest.mark.parametrize("place", [None, "model/model.sig", "model/model.sig.d/x.sig"])
def test_force_replaces_whatever_stands_in_the_place_of_a_signature(
    here: Path, place: str | None, content: bytes
) -> None:
    build(here, {place or "model/model.sig": content})
    named = ["--bundle", place] if place else []
    assert outcome(here, *SIGN, *named, "--force") == (0, [])
    assert outcome(here, *VERIFY) == (0, [])


def test_a_private_key_in_the_place_of_a_signature_is_not_lost(here: Path) -> None:
    build(here, {"model/model.sig": (here / "signer.pem").read_bytes()})
    assert outcome(here, *SIGN, "--force") == (2, ["OUTPUT_EXISTS"])


@pytest.mark.parametrize("content", ["", encoded(raw_bundle())])
def test_force_replaces_an_empty_file_or_a_bundle_elsewhere(here: Path, content: str) -> None:
    build(here, {"x.sig": content})
    assert outcome(here, *SIGN, "--bundle", "x.sig", "--force") == (0, [])
    assert outcome(here, *VERIFY, "--bundle", "x.sig") == (0, [])


@pytest.mark.parametrize(
    "place", [".github/x.sig", ".gitignore", "model.intoto.jsonl", "model.sig.d/x", "model.sig.d/a/x.sig"]
)
def test_no_signature_is_written_where_it_could_not_be_verified(here: Path, place: str) -> None:
    (here / "model" / place).parent.mkdir(parents=True, exist_ok=True)
    code, reasons = outcome(here, *SIGN, "--bundle", f"model/{place}")
    assert (code, reasons) in ((2, ["USAGE"]), (1, ["SIGNATURE_NOT_A_FILE"]))
    assert not (here / "model" / place).exists()


def test_a_report_of_sign_is_not_written_into_the_model(here: Path) -> None:
    assert outcome(here, *SIGN, "--format", "json", "-o", "model/sub/report.json") == (2, ["USAGE"])
    assert not (here / "model/model.sig").exists()
    assert outcome(here, *SIGN) == (0, [])


def test_add_does_not_write_through_a_link(here: Path) -> None:
    build(here, {"w.bin": "weights", "elsewhere/keep": ""})
    (here / "w.bin.sig.d").symlink_to("elsewhere")
    assert outcome(here, "sign", "w.bin", "--key", "signer.pem", "--add") == (1, ["SIGNATURE_NOT_A_FILE"])
    assert [path.name for path in (here / "elsewhere").iterdir()] == ["keep"]
    (here / "w.bin.sig.d").unlink()
    (here / "w.bin.sig.d").write_text("a file")
    assert outcome(here, "sign", "w.bin", "--key", "signer.pem", "--add") == (3, ["OUTPUT_UNWRITABLE"])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("pytorch_model.bin", "x"),
        ("tokenizer.json", "{}"),
        ("Model-00001-of-2.safetensors", "x"),
        ("saved_model.pb", "x"),
        ("flax_model.msgpack", "x"),
        ("model.safetensors.index.json", "{}"),
        ("MLmodel", "x"),
    ],
)
def test_a_models_folder_is_known_by_its_files_and_so_is_what_lies_below(here: Path, name: str, content: str) -> None:
    build(here, {f"u/{name}": content, "u/sub/other.txt": "", "beside/iris.joblib": "x", "beside/x.pt": "x"})
    for place in ("u/k.pem", "u/sub/k.pem", "u/../u/sub/k.pem"):
        assert outcome(here, "key", "generate", place) == (2, ["KEY_INSIDE_MODEL"])
    assert outcome(here / "u", "key", "generate", "k.pem") == (2, ["KEY_INSIDE_MODEL"])
    assert outcome(here, "key", "generate", "beside/k.pem") == (0, [])
    os.mkfifo(here / "beside/pipe")
    (here / "beside/dangling").symlink_to("nowhere")
    assert outcome(here, "key", "generate", "beside/k2.pem") == (0, [])


def test_weights_in_a_home_or_a_shared_folder_make_no_model_of_all_below(here: Path) -> None:
    build(here, {"home/tokenizer.json": "x", "shared/tokenizer.json": "x", "home/keys/x": "", "shared/keys/x": ""})
    (here / "shared").chmod(0o1777)
    assert outcome(here, "key", "generate", "home/keys/k.pem") == (2, ["KEY_INSIDE_MODEL"])
    environ = {"HOME": str(here / "home")}
    assert run(here, "key", "generate", "home/keys/k.pem", environ=environ).exit_code == 0
    assert outcome(here, "key", "generate", "shared/keys/k.pem") == (0, [])


def test_no_public_key_is_written_into_a_signed_model(here: Path) -> None:
    run(here, *SIGN)
    for words in (("generate", "k.pem"), ("show", "signer.pem")):
        assert outcome(here, "key", *words, "--public-out", "model/sub/x.pub") == (2, ["KEY_INSIDE_MODEL"])
    assert not (here / "k.pem").exists()
    assert outcome(here, *VERIFY) == (0, [])


def test_a_password_too_long_to_encrypt_with_is_refused(here: Path) -> None:
    words = ("key", "generate", "k.pem", "--password-file", "env:PW")
    assert run(here, *words, environ={"PW": "a" * 1024}).codes == ["KEY_PASSWORD_WRONG"]
    assert run(here, *words, environ={"PW": "a" * 1023}).exit_code == 0
    signing = (*SIGN[:3], "k.pem", "--password-file", "env:PW")
    assert run(here, *signing, environ={"PW": "a" * 1023}).exit_code == 0
    assert run(here, *signing, "--force", environ={"PW": "a" * 1500}).codes == ["KEY_PASSWORD_WRONG"]
    assert run(here, *signing, "--force", environ={"PW": ""}).codes == ["KEY_PASSWORD_NEEDED"]


def test_a_standard_input_that_is_closed_is_unreadable(here: Path) -> None:
    command = f"exec {sys.executable} -m modelsign verify model --key - --format json --no-config <&-"
    got = subprocess.run(["bash", "-c", command], cwd=here, capture_output=True, check=False)
    assert (got.returncode, json.loads(got.stdout)["reasons"][0]["code"]) == (3, "INPUT_UNREADABLE")


def test_variables_are_named_by_the_flag_and_hold_lists_as_paths_do(here: Path) -> None:
    run(here, *SIGN)
    run(here, "key", "generate", "b c.pem")
    run(here, *SIGN[:2], "--key", "b c.pem", "--add")
    verify = VERIFY[:2]
    for value in ("b c.pub", "b c.pub:signer.pub", "b c.pub\nsigner.pub\n"):
        answer = run(here, *verify, environ={"MODELSIGN_VERIFY_KEY": value})
        assert (answer.exit_code, len(answer.document["signers"])) == (0, 1 + ("signer" in value))
    assert run(here, *verify, environ={"MODELSIGN_VERIFY_PUBLIC_KEY": "signer.pub"}).exit_code == 0
    assert run(here, *verify, environ={"MODELSIGN_VERIFY_KEYS": "signer.pub"}).codes == ["NO_TRUST_SOURCE"]
    assert run(here, *VERIFY, environ={"MODELSIGN_VERIFY_THRESHOLD": "2"}).codes == ["THRESHOLD_IMPOSSIBLE"]
    assert run(here, *VERIFY, environ={"MODELSIGN_VERIFY_IGNORE_PATHS": "a b"}).codes == ["IGNORE_MATCHES_NOTHING"]


def test_configuration_names_flags_as_the_command_line_does(here: Path) -> None:
    run(here, *SIGN)
    for value in ('"signer.pub"', '["signer.pub"]'):
        (here / "c.toml").write_text(f"[verify]\nkey = {value}\n")
        answer = modelsign("verify", "model", "--config", "c.toml", "--format", "json", cwd=here)
        assert (answer.exit_code, answer.document["verdict"]) == (0, "VERIFIED")
    (here / "c.toml").write_text('[verify]\nkeys = ["signer.pub"]\n')
    answer = modelsign("verify", "model", "--config", "c.toml", "--format", "json", cwd=here)
    assert (answer.exit_code, answer.codes) == (2, ["CONFIG_REFUSED"])
