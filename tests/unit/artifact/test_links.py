"""Where symbolic links may lead: nowhere by default, inside the model or into named folders when allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from refusals import build, refusal, refused_with

from modelsign.artifact.hashing import hash_artifact
from modelsign.artifact.model import open_artifact

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    build(tmp_path, {"outside/x": "secret"})
    return build(tmp_path / "m", {"w": "weights", "sub/x": "1"})


def link(model: Path, target: str | Path, name: str = "link") -> Path:
    (model / name).symlink_to(target)
    return model


def test_a_link_to_a_file_inside_is_refused_unless_allowed(model: Path) -> None:
    link(model, "w", "sub/link")
    (model / "sub/link").unlink()
    link(model, "../w", "sub/link")
    assert refused_with(open_artifact, model) == "LINK_NOT_ALLOWED"
    with open_artifact(model, allow_symlinks=True) as artifact:
        assert artifact.names == ("sub/link", "sub/x", "w")
        assert artifact.follows_links
        assert artifact.linked == ("sub/link",)
        assert dict(artifact.files)["sub/link"] == 7
        digests = hash_artifact(artifact)
        assert digests["sub/link"] == digests["w"]


@pytest.mark.parametrize("allowed", [True, False])
@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("../outside/x", "LINK_LEAVES_MODEL"),
        ("/etc/passwd", "LINK_LEAVES_MODEL"),
        ("../outside", "LINK_LEAVES_MODEL"),
        ("..", "LINK_LEAVES_MODEL"),
        ("sub", "LINK_TO_DIRECTORY"),
        (".", "LINK_TO_DIRECTORY"),
        ("link", "LINK_CYCLE"),
        ("nowhere", "LINK_DANGLING"),
    ],
)
def test_links_that_lead_astray_are_refused_even_where_links_are_allowed(
    model: Path,
    target: str,
    code: str,
    allowed: bool,  # noqa: FBT001
) -> None:
    fault = refusal(open_artifact, link(model, target), allow_symlinks=allowed)
    assert (fault.code, fault.exit_status) == (code, 1)
    assert "link" in fault.message


def test_links_in_a_circle_are_refused(model: Path) -> None:
    link(model, "b", "a")
    assert refused_with(open_artifact, link(model, "a", "b"), allow_symlinks=True) == "LINK_CYCLE"


def test_a_link_to_a_device_in_a_named_folder_is_refused(model: Path) -> None:
    assert refused_with(open_artifact, link(model, "/dev/null"), link_roots=["/dev"]) == "SPECIAL_FILE"


def test_links_into_a_named_folder_are_followed_as_in_a_hugging_face_cache(tmp_path: Path) -> None:
    build(tmp_path, {"hub/blobs/abc": "weights", "hub/other/x": "no"})
    snapshot = build(tmp_path / "hub/snapshots/rev", {})
    link(snapshot, "../../blobs/abc", "model.safetensors")
    assert refused_with(open_artifact, snapshot) == "LINK_LEAVES_MODEL"
    with open_artifact(snapshot, link_roots=[tmp_path / "hub/blobs"]) as artifact:
        assert artifact.names == ("model.safetensors",)
        with artifact.open("model.safetensors") as reading:
            assert reading.read_at(0, 9) == b"weights"
    link(snapshot, "../../other/x", "x")
    assert refused_with(open_artifact, snapshot, link_roots=[tmp_path / "hub/blobs"]) == "LINK_LEAVES_MODEL"


def test_a_named_folder_does_not_allow_links_inside_the_model(model: Path, tmp_path: Path) -> None:
    assert refused_with(open_artifact, link(model, "w"), link_roots=[tmp_path / "outside"]) == "LINK_NOT_ALLOWED"


def test_a_link_root_that_is_not_there_is_a_usage_error(model: Path, tmp_path: Path) -> None:
    assert refused_with(open_artifact, model, link_roots=[tmp_path / "none"]) == "NO_SUCH_MODEL"
    assert refused_with(open_artifact, model, link_roots=[tmp_path / "outside/x"]) == "FILE_CHANGED_WHILE_READ"


def test_a_folder_whose_name_begins_alike_is_not_inside(tmp_path: Path) -> None:
    build(tmp_path, {"m-evil/x": "1"})
    model = build(tmp_path / "m", {"w": "1"})
    assert refused_with(open_artifact, link(model, "../m-evil/x"), allow_symlinks=True) == "LINK_LEAVES_MODEL"


def test_a_link_exchanged_after_listing_does_not_redirect_the_reading(model: Path, tmp_path: Path) -> None:
    link(model, "w")
    with open_artifact(model, allow_symlinks=True) as artifact:
        (model / "link").unlink()
        (model / "link").symlink_to(tmp_path / "outside/x")
        with artifact.open("link") as reading:
            assert reading.read_at(0, 20) == b"weights"
        (model / "w").unlink()
        (model / "w").symlink_to(tmp_path / "outside/x")
        assert refused_with(artifact.open, "link") == "FILE_CHANGED_WHILE_READ"


def test_links_under_gits_names_obey_the_same_rules(model: Path) -> None:
    link(model, "/etc/passwd", ".gitignore")
    assert refused_with(open_artifact, model) == "LINK_LEAVES_MODEL"
    (model / ".gitignore").unlink()
    link(model, "sub", ".github")
    assert refused_with(open_artifact, model) == "LINK_TO_DIRECTORY"


def test_git_itself_may_be_a_link_because_nothing_of_it_is_read(model: Path) -> None:
    link(model, "/nowhere", ".git")
    with open_artifact(model) as artifact:
        assert artifact.names == ("sub/x", "w")
