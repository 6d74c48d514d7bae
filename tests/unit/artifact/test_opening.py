"""What counts as a file of a model, and what is refused while it is listed."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from refusals import build, refusal, refused_with

from modelsign import limits
from modelsign.artifact import model as opening
from modelsign.artifact import walk
from modelsign.artifact.model import FileEntry, open_artifact
from modelsign.scan.engine import is_inert


def names(path: Path | str, **options: object) -> tuple[str, ...]:
    with open_artifact(path, **options) as artifact:  # type: ignore[arg-type] # options of one test
        return artifact.names


def test_a_folder_is_listed_in_the_order_of_code_points(tmp_path: Path) -> None:
    model = build(tmp_path / "m", {"b": "2", "a/b": "1", "a-b": "", "Z": "22", "é": "", "a.txt": ""})
    with open_artifact(model) as artifact:
        assert artifact.names == ("Z", "a-b", "a.txt", "a/b", "b", "é")
        assert artifact.files[0] == FileEntry("Z", 2)
        assert [entry.name for entry in artifact.files] == list(artifact.names)
        assert (artifact.name, artifact.single_file) == ("m", False)
        assert artifact.warnings == ()
        with artifact.open("a/b") as reading:
            assert reading.read_at(0, 9) == b"1"
        with pytest.raises(KeyError):
            artifact.descriptor("../m/b")


def test_a_single_file_is_named_by_its_base_name(tmp_path: Path) -> None:
    build(tmp_path, {"w.bin": "123", "w.bin.sig": "x", "other": ""})
    with open_artifact(tmp_path / "w.bin") as artifact:
        assert artifact.files == (FileEntry("w.bin", 3),)
        assert artifact.single_file
        assert artifact.evidence == ()


def test_the_file_a_single_link_leads_to_is_the_model_under_the_name_of_the_link(tmp_path: Path) -> None:
    build(tmp_path, {"blobs/abc": "123"})
    (tmp_path / "w.bin").symlink_to("blobs/abc")
    with open_artifact(tmp_path / "w.bin") as artifact:
        assert artifact.files == (FileEntry("w.bin", 3),)
        with artifact.open("w.bin") as reading:
            assert reading.size == 3


@pytest.mark.parametrize("spelling", [".", "./", "../m", "../m/", "../m/."])
def test_relative_spellings_mean_the_same_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spelling: str) -> None:
    model = build(tmp_path / "m", {"a": "1"})
    monkeypatch.chdir(model)
    with open_artifact(spelling) as artifact:
        assert (artifact.name, artifact.names) == ("m", ("a",))


def test_a_model_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    build(tmp_path, {"file": ""})
    for path in (tmp_path / "none", tmp_path / "file/below", f"{tmp_path}/file/", "nul\0byte", "x" * 5000):
        assert refused_with(open_artifact, path) == "NO_SUCH_MODEL"
    assert refusal(open_artifact, tmp_path / "none").exit_status == 2


def test_an_empty_model_is_nothing_to_check(tmp_path: Path) -> None:
    model = build(tmp_path / "m", {"model.sig": "{}", "model.intoto.jsonl": "", ".git/config": "x", ".gitignore": ""})
    (model / "empty-folder").mkdir()
    fault = refusal(open_artifact, model)
    assert (fault.code, fault.exit_status) == ("EMPTY_MODEL", 4)


def test_evidence_is_never_a_file_of_the_model(tmp_path: Path) -> None:
    model = build(
        tmp_path / "m",
        {"w": "1", "model.sig": "x", "model.sig.d/a.sig": "y", "model.intoto.jsonl": "z", "sub/model.sig": "file"},
    )
    with open_artifact(model) as artifact:
        assert artifact.names == ("sub/model.sig", "w")
        assert artifact.evidence == ("model.intoto.jsonl", "model.sig", "model.sig.d/a.sig")
        with artifact.open("model.sig.d/a.sig") as reading:
            assert reading.read_at(0, 1) == b"y"


def test_a_bundle_the_caller_names_in_the_model_is_evidence(tmp_path: Path) -> None:
    model = build(tmp_path / "m", {"w": "1", "my.sig": "x"})
    with open_artifact(model, bundles=[model / "my.sig", model / "new.sig", tmp_path / "out.sig"]) as artifact:
        assert artifact.names == ("w",)
        assert artifact.evidence == ("my.sig",)
        assert artifact.named_evidence == ("my.sig", "new.sig")


@pytest.mark.parametrize("name", ["model.sig", "model.intoto.jsonl"])
def test_a_folder_in_the_place_of_a_signature_is_refused(tmp_path: Path, name: str) -> None:
    model = build(tmp_path / "m", {"w": "1", f"{name}/pytorch_model.bin": "x"})
    fault = refusal(open_artifact, model)
    assert (fault.code, fault.exit_status) == ("SIGNATURE_NOT_A_FILE", 1)


@pytest.mark.parametrize("inside", ["weights.bin", "deeper/a.sig"])
def test_only_signature_files_lie_in_the_folder_of_signatures(tmp_path: Path, inside: str) -> None:
    model = build(tmp_path / "m", {"w": "1", f"model.sig.d/{inside}": "x"})
    assert refused_with(open_artifact, model) == "SIGNATURE_NOT_A_FILE"


def test_links_and_fifos_in_the_place_of_signatures_are_refused(tmp_path: Path) -> None:
    model = build(tmp_path / "m", {"w": "1"})
    (model / "model.sig").symlink_to("w")
    assert refused_with(open_artifact, model) == "SIGNATURE_NOT_A_FILE"
    (model / "model.sig").unlink()
    os.mkfifo(model / "model.sig")
    assert refused_with(open_artifact, model) == "SIGNATURE_NOT_A_FILE"
    (model / "model.sig").unlink()
    (model / "model.sig.d").mkdir()
    os.mkfifo(model / "model.sig.d/a.sig")
    assert refused_with(open_artifact, model) == "SIGNATURE_NOT_A_FILE"
    (model / "model.sig.d/a.sig").unlink()
    (model / "model.sig.d/a\x01.sig").touch()
    assert refused_with(open_artifact, model) == "NAME_CONTROL_CHARACTER"
    (model / "model.sig.d/a\x01.sig").unlink()
    (model / "model.sig.d").rmdir()
    (model / "model.sig.d").touch()
    with open_artifact(model) as artifact:
        assert artifact.evidence == ("model.sig.d",)


def test_git_is_left_out_with_a_warning_at_the_top_only(tmp_path: Path) -> None:
    model = build(tmp_path / "m", {"w": "1", ".git/hooks/x": "x", "sub/.git/config": "y", ".gitattributes": "* text"})
    with open_artifact(model) as artifact:
        assert artifact.names == ("sub/.git/config", "w")
        assert artifact.ignored == (".git", ".gitattributes")
        assert artifact.aside == (".gitattributes",)
        assert any(".git is left out" in warning for warning in artifact.warnings)
    everything = names(model, ignore_git_paths=False)
    assert everything == (".git/hooks/x", ".gitattributes", "sub/.git/config", "w")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (".github/pytorch_model.bin", b"\x80\x02."),
        (".github/workflows/ci.yml", b"on: push\n"),
        (".github/setup.py", b"pass\n"),
        (".github/config.json", b'{"auto_map": {"AutoModel": "x--modeling.M"}}'),
        (".gitattributes/weights.bin", b"x"),
        (".gitattributes", b"\x80\x02."),
        (".gitignore", b"\xff\xfe"),
    ],
)
def test_what_is_loadable_under_gits_names_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    model = build(tmp_path / "m", {"w": "1", name: content})
    fault = refusal(open_artifact, model)
    assert (fault.code, fault.exit_status) == ("LOADABLE_UNDER_GIT_PATH", 1)
    assert name in fault.message
    assert names(model, unsigned_loadable=True) == ("w",)
    assert name in names(model, ignore_git_paths=False)


def test_what_is_inert_under_gits_names_is_left_aside(tmp_path: Path) -> None:
    model = build(tmp_path / "m", {"w": "1", ".github/README.md": "# hi", ".github/x.json": "{}", ".gitignore": "*.o"})
    with open_artifact(model, is_inert=is_inert) as artifact:
        assert artifact.aside == (".github/README.md", ".github/x.json", ".gitignore")
        assert artifact.ignored == (".github", ".gitignore")
    assert refused_with(open_artifact, model) == "LOADABLE_UNDER_GIT_PATH", "without a scanner nobody can say"


def test_a_payload_under_an_innocent_name_under_gits_names_is_refused(tmp_path: Path) -> None:
    model = build(tmp_path / "m", {"w": "1", ".github/README.md": "cos\nsystem\n(S'true'\ntR."})
    fault = refusal(open_artifact, model, is_inert=is_inert)
    assert fault.code == "LOADABLE_UNDER_GIT_PATH"


def test_special_files_are_refused_and_do_not_block(tmp_path: Path) -> None:
    model = build(tmp_path / "m", {"w": "1"})
    os.mkfifo(model / "fifo")
    fault = refusal(open_artifact, model)
    assert (fault.code, fault.exit_status) == ("SPECIAL_FILE", 1)
    (model / "fifo").unlink()
    os.mkfifo(model / ".gitignore")
    assert refused_with(open_artifact, model) == "SPECIAL_FILE"
    assert refused_with(open_artifact, model / ".gitignore") == "SPECIAL_FILE"
    assert refused_with(open_artifact, "/dev/null") == "SPECIAL_FILE"


def test_sockets_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = build(tmp_path / "m", {"w": "1"})
    monkeypatch.chdir(model)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s")
        assert refused_with(open_artifact, model) == "SPECIAL_FILE"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        (b"caf\xe9.bin", "NAME_NOT_UTF8"),
        (b"a\x1b[2J.bin", "NAME_CONTROL_CHARACTER"),
        (b"a\nb", "NAME_CONTROL_CHARACTER"),
        ("\u202egnp.bin".encode(), "NAME_CONTROL_CHARACTER"),
    ],
)
def test_hostile_names_are_refused(tmp_path: Path, name: bytes, code: str) -> None:
    model = build(tmp_path / "m", {"w": "1"})
    Path(os.fsdecode(os.fsencode(model) + b"/" + name)).touch()
    fault = refusal(open_artifact, model)
    assert (fault.code, fault.exit_status) == (code, 1)


def test_colliding_files_and_folders_are_refused_unless_names_may_be_insecure(tmp_path: Path) -> None:
    model = build(tmp_path / "m", {"A/x": "1", "a/y": "2"})
    assert refused_with(open_artifact, model) == "NAME_COLLIDES_CASE"
    assert names(model, strict_names=False) == ("A/x", "a/y")
    other = build(tmp_path / "n", {"caf\u00e9": "1", "cafe\u0301": "2"})
    assert refused_with(open_artifact, other) == "NAME_COLLIDES_NORMALISED"


def test_paths_to_ignore_are_exact_and_cover_what_lies_below(tmp_path: Path) -> None:
    model = build(tmp_path / "m", {"w": "1", "logs/a": "", "logs2": "", "sub/logs": "", "sub/x": ""})
    with open_artifact(model, ignore_paths=["logs/", "./sub/x", Path("nowhere")]) as artifact:
        assert artifact.names == ("logs2", "sub/logs", "w")
        assert artifact.ignored == ("logs", "sub/x")
        assert artifact.unmatched_ignores == ("nowhere",)


@pytest.mark.parametrize("path", ["", ".", "..", "../x", "/abs", "a/../.."])
def test_paths_to_ignore_outside_the_model_are_usage_errors(tmp_path: Path, path: str) -> None:
    model = build(tmp_path / "m", {"w": "1"})
    assert refused_with(open_artifact, model, ignore_paths=[path]) == "IGNORE_PATH_OUTSIDE"


def test_ignored_special_files_and_links_do_no_harm(tmp_path: Path) -> None:
    model = build(tmp_path / "m", {"w": "1"})
    os.mkfifo(model / "fifo")
    (model / "link").symlink_to("/etc")
    (model / ".gitignore").symlink_to("/etc/passwd")
    assert names(model, ignore_paths=["fifo", "link", ".gitignore"]) == ("w",)


def test_deep_trees_are_walked_without_recursion_and_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = build(tmp_path / "m", {"/".join(["d"] * 60) + "/f": "1"})
    assert len(names(model)) == 1
    monkeypatch.setattr(limits, "MODEL_DEPTH", 10)
    fault = refusal(open_artifact, model)
    assert (fault.code, fault.exit_status) == ("MODEL_TOO_DEEP", 3)


def test_trees_with_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = build(tmp_path / "m", {str(number): "" for number in range(5)})
    monkeypatch.setattr(limits, "MODEL_FILES", 4)
    assert refused_with(open_artifact, model) == "MODEL_TOO_LARGE"


def test_unreadable_folders_and_files_are_undecided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = build(tmp_path / "m", {"w": "1", "secret/x": "2"})
    real = os.open

    def guarded(path: str, *arguments: object, **options: object) -> int:
        if path == "secret":
            raise PermissionError(13, "Permission denied")
        return real(path, *arguments, **options)  # type: ignore[arg-type] # handed through

    monkeypatch.setattr(os, "open", guarded)
    fault = refusal(open_artifact, model)
    assert (fault.code, fault.exit_status) == ("FILE_UNREADABLE", 3)
    assert "secret" in fault.message


def test_a_folder_replaced_by_a_link_while_listing_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = build(tmp_path / "m", {"w": "1", "sub/x": "2"})
    build(tmp_path / "evil", {"x": "3"})
    real = walk._list_folder

    def exchange(*arguments: object, **options: object) -> list[str]:
        found = real(*arguments, **options)  # type: ignore[arg-type] # handed through
        if found == ["sub"]:
            (model / "sub").rename(tmp_path / "gone")
            (model / "sub").symlink_to(tmp_path / "evil")
        return found

    monkeypatch.setattr(walk, "_list_folder", exchange)
    assert refused_with(open_artifact, model) == "FILE_CHANGED_WHILE_READ"


def test_files_replaced_after_listing_are_noticed(tmp_path: Path) -> None:
    model = build(tmp_path / "m", {"w": "1", "sub/x": "2", "gone": "3"})
    with open_artifact(model) as artifact:
        (model / "w").unlink()
        (model / "w").symlink_to("/etc/passwd")
        assert refused_with(artifact.open, "w") == "FILE_CHANGED_WHILE_READ"
        (model / "w").unlink()
        os.mkfifo(model / "w")
        assert refused_with(artifact.open, "w") == "FILE_CHANGED_WHILE_READ"
        (model / "gone").unlink()
        assert refused_with(artifact.open, "gone") == "FILE_CHANGED_WHILE_READ"
        with pytest.raises(Exception, match="replaced"):
            _ = artifact.files
        (model / "sub").rename(tmp_path / "elsewhere")
        assert refused_with(artifact.open_folder, "sub") == "FILE_CHANGED_WHILE_READ"


def test_an_artifact_can_be_closed_twice(tmp_path: Path) -> None:
    artifact = open_artifact(build(tmp_path / "m", {"w": "1"}))
    descriptor = artifact.descriptor("w")
    artifact.close()
    artifact.close()
    assert os.read(descriptor, 5) == b"1"
    os.close(descriptor)


def test_no_descriptor_is_left_open_after_a_refusal(tmp_path: Path) -> None:
    model = build(tmp_path / "m", {"w": "1", "A": "", "a": ""})
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for _ in range(5):
        refused_with(open_artifact, model)
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


SCRATCH = ".modelsign-0123456789abcdef.part"


@pytest.mark.parametrize("folder", ["", "sub/", "model.sig.d/", ".github/"])
def test_what_a_write_cut_short_left_behind_is_never_a_file_of_the_model(tmp_path, folder):
    model = build(tmp_path / "m", {"w": "1", "sub/v": "2", folder + SCRATCH: "half"})
    with open_artifact(model) as artifact:
        assert artifact.names == ("sub/v", "w")
        assert artifact.aside == artifact.evidence == ()
        assert artifact.leftovers == (folder + SCRATCH,)
        assert any(folder + SCRATCH in warning for warning in artifact.warnings)
        with artifact.open(folder + SCRATCH) as reading:
            assert reading.size == 4


def test_a_scratch_file_that_has_taken_its_name_meanwhile_is_nothing(monkeypatch, tmp_path):
    model = build(tmp_path / "m", {"w": "1", SCRATCH: "x"})
    real = opening.walk

    def renamed(*arguments, **options):
        listing = real(*arguments, **options)
        (model / SCRATCH).unlink()
        return listing

    monkeypatch.setattr(opening, "walk", renamed)
    with open_artifact(model) as artifact:
        assert (artifact.names, artifact.leftovers, artifact.warnings) == (("w",), (), ())


def test_links_folders_and_pipes_under_the_name_of_scratch_are_what_they_are(tmp_path):
    model = build(tmp_path / "m", {"w": "1", f"{SCRATCH}/inside": "2"})
    with open_artifact(model) as artifact:
        assert artifact.names == (f"{SCRATCH}/inside", "w")
    model = build(tmp_path / "n", {"w": "1"})
    (model / SCRATCH).symlink_to("w")
    assert refusal(open_artifact, model).exit_status == 1
    (model / SCRATCH).unlink()
    os.mkfifo(model / SCRATCH)
    assert refusal(open_artifact, model).code == "SIGNATURE_NOT_A_FILE"


@pytest.mark.parametrize("name", ["ignore_paths", "link_roots", "bundles"])
def test_one_text_in_the_place_of_a_list_is_not_read_letter_by_letter(tmp_path: Path, name: str) -> None:
    fault = refusal(open_artifact, build(tmp_path / "m", {"w": "1"}), **{name: "w"})
    assert fault.code == "USAGE"
    assert name in fault.message
