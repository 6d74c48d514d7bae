"""OMS v1.0, section 6: which files, under which names, with which digests."""

from __future__ import annotations

import hashlib
import os
from typing import Any

import omsbundles
import pytest
from omsbundles import FILES, Statement, decoded, resources_of, sealed
from refusals import refused_with

from modelsign.artifact.model import open_artifact
from modelsign.scan.engine import is_inert

GIT = {".gitattributes": b"* text", ".gitignore": b"x", ".github/CODEOWNERS.md": b"x", ".git/config": b"x"}


def names(bundle: bytes) -> list[str]:
    return [resource["name"] for resource in decoded(bundle)[1]["predicate"]["resources"]]


def ignored(bundle: bytes) -> list[str]:
    return decoded(bundle)[1]["predicate"]["serialization"]["ignore_paths"]


@pytest.mark.oms("6.1-all-files", "6.3-files")
def test_every_regular_file_is_enumerated_hidden_and_empty_ones_too(sign, model) -> None:
    omsbundles.put(model, {"a/b/c/d": b"1", ".hidden/x": b"2", "empty": b""})
    bundle = sign(model)
    assert names(bundle) == sorted([*FILES, ".hidden/x", "a/b/c/d", "empty"])
    for resource in decoded(bundle)[1]["predicate"]["resources"]:
        assert resource["digest"] == hashlib.sha256((model / resource["name"]).read_bytes()).hexdigest()


@pytest.mark.oms("6.1-not-empty")
@pytest.mark.parametrize("files", [{}, {".git/config": b"x", ".gitignore": b"x"}, {"model.sig": b""}])
def test_a_model_without_a_file_is_neither_signed_nor_verified(tmp_path, sign, verify, key, files) -> None:
    empty = omsbundles.put(tmp_path / "empty", files)
    empty.mkdir(exist_ok=True)
    assert refused_with(sign, empty) == "EMPTY_MODEL"
    assert refused_with(verify, empty, sealed(Statement(resources=[]), key)) == "EMPTY_MODEL"


@pytest.mark.oms("6.1.1-links-refused")
def test_links_are_not_followed_by_default_and_are_in_no_manifest(sign, verify, model) -> None:
    bundle = sign(model)
    (model / "link").symlink_to("weights.bin")
    assert refused_with(sign, model) == "LINK_NOT_ALLOWED"
    assert refused_with(verify, model, bundle) == "LINK_NOT_ALLOWED"


@pytest.mark.oms("6.1.1-links-followed")
def test_links_that_are_allowed_are_hashed_under_their_own_names(sign, verify, model) -> None:
    for link in ("one", "two"):
        (model / link).symlink_to("weights.bin")
    bundle = sign(model, opening={"allow_symlinks": True})
    _, statement = decoded(bundle)
    assert statement["predicate"]["serialization"]["allow_symlinks"] is True
    digests = {resource["name"]: resource["digest"] for resource in statement["predicate"]["resources"]}
    assert digests["one"] == digests["two"] == digests["weights.bin"]
    assert verify(model, bundle, opening={"allow_symlinks": True}).reasons == ()


@pytest.mark.oms("6.1.1-outside")
def test_links_out_of_the_model_are_refused_or_told(sign, model, tmp_path) -> None:
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs/blob").write_bytes(b"blob")
    (model / "link").symlink_to("../blobs/blob")
    assert refused_with(sign, model, opening={"allow_symlinks": True}) == "LINK_LEAVES_MODEL"
    with open_artifact(model, link_roots=[tmp_path / "blobs"]) as artifact:
        assert any("out of the model" in warning for warning in artifact.warnings)
    assert "link" in names(sign(model, opening={"link_roots": [tmp_path / "blobs"]}))


@pytest.mark.oms("6.1.1-cycles")
@pytest.mark.parametrize(("target", "code"), [(".", "LINK_TO_DIRECTORY"), ("loop", "LINK_CYCLE")])
def test_links_in_a_circle_are_refused(sign, model, target, code) -> None:
    (model / "loop").symlink_to(target)
    assert refused_with(sign, model, opening={"allow_symlinks": True}) == code


@pytest.mark.oms("6.1.1-verifier")
@pytest.mark.parametrize("recorded", [True, False])
def test_whoever_verifies_decides_about_links_whatever_is_recorded(verify, model, key, recorded) -> None:
    (model / "link").symlink_to("weights.bin")
    statement = Statement(resources=resources_of({**FILES, "link": FILES["weights.bin"]}))
    statement.serialization["allow_symlinks"] = recorded
    bundle = sealed(statement, key)
    assert refused_with(verify, model, bundle) == "LINK_NOT_ALLOWED"
    assert verify(model, bundle, opening={"allow_symlinks": True}).reasons == ()


@pytest.mark.oms("6.1.2-canonical")
@pytest.mark.parametrize(
    "name",
    ["/weights.bin", "../model/weights.bin", "./weights.bin", "sub/./x", "sub//x", "sub/", "sub/..", "", "a/../b"],
)
def test_a_name_that_is_not_canonical_is_refused(refused, model, key, name) -> None:
    resources = sorted([*resources_of(FILES), {**resources_of({"x": b"x"})[0], "name": name}], key=lambda r: r["name"])
    assert refused(model, sealed(Statement(resources=resources), key)) == ["NAME_LEAVES_MODEL"]


@pytest.mark.oms("6.1.2-canonical", "6.1.2-verifier")
def test_names_are_relative_with_slashes_however_the_model_is_named(sign, verify, model, monkeypatch) -> None:
    monkeypatch.chdir(model)
    for path in (".", "./", "../model", f"{model}/", f"{model}/../model/.", model):
        bundle = sign(path)
        assert names(bundle) == sorted(FILES)
        assert verify(path, bundle).reasons == ()


@pytest.mark.oms("6.1.2-single-file")
def test_a_single_file_has_its_base_name_alone(sign, verify, refused, model) -> None:
    bundle = sign(model / "sub/adapter.bin")
    assert names(bundle) == ["adapter.bin"]
    assert decoded(bundle)[1]["subject"][0]["name"] == "adapter.bin"
    assert verify(model / "sub/adapter.bin", bundle).reasons == ()
    (model / "sub/adapter.bin").rename(model / "other.bin")
    assert refused(model / "other.bin", bundle)[0] == "MODEL_RENAMED"


@pytest.mark.oms("6.1.2-byte-exact")
def test_names_are_compared_byte_by_byte(refused, verify, model, key) -> None:
    cased = sealed(Statement(resources=resources_of({**FILES, "Weights.bin": b"x"})), key)
    assert refused(model, cased) == ["NAME_COLLIDES_CASE"]
    omsbundles.put(model, {"Weights.bin": b"x"})
    assert verify(model, cased, strict_names=False, opening={"strict_names": False}).reasons == ()
    (model / "Weights.bin").rename(model / "weights2.bin")
    got = refused(model, cased, strict_names=False, opening={"strict_names": False})
    assert got == ["FILE_MISSING", "FILE_UNSIGNED"]


@pytest.mark.oms("6.1.2-utf8")
def test_a_name_that_is_not_utf8_is_not_signed(sign, model) -> None:
    with open(os.fsencode(model) + b"/\xff.bin", "wb") as stream:  # noqa: PTH123 - a name of bytes
        stream.write(b"x")
    assert refused_with(sign, model) == "NAME_NOT_UTF8"


@pytest.mark.oms("6.2-defaults", "6.2.1-top-level")
def test_gits_names_at_the_top_are_left_out_and_recorded(sign, verify, model) -> None:
    omsbundles.put(model, {**GIT, "sub/.gitignore": b"signed"})
    opening = {"is_inert": is_inert}
    bundle = sign(model, opening=opening)
    assert names(bundle) == sorted([*FILES, "sub/.gitignore"])
    assert {".git", ".gitattributes", ".github", ".gitignore"} <= set(ignored(bundle))
    assert verify(model, bundle, opening=opening).reasons == ()


@pytest.mark.oms("6.2-defaults")
def test_what_could_be_loaded_under_gits_names_is_refused_unless_admitted(sign, model) -> None:
    omsbundles.put(model, {".github/pytorch_model.bin": b"\x80\x04N."})
    assert refused_with(sign, model) == "LOADABLE_UNDER_GIT_PATH"
    assert names(sign(model, opening={"unsigned_loadable": True})) == sorted(FILES)


@pytest.mark.oms("6.2-signature-file")
@pytest.mark.parametrize("place", ["model.sig", "bundle.sig", "sub/x.json"])
def test_the_signature_itself_is_left_out_on_both_ways(sign, verify, model, place) -> None:
    bundle = sign(model, opening={"bundles": [model / place]})
    (model / place).write_bytes(bundle)
    assert names(bundle) == sorted(FILES)
    assert place in ignored(bundle)
    assert verify(model, bundle, opening={"bundles": [model / place]}).reasons == ()
    assert names(sign(model, opening={"bundles": [model / place]})) == sorted(FILES)


@pytest.mark.oms("6.2.1-exact")
def test_ignored_paths_are_exact_and_from_the_root(sign, model) -> None:
    omsbundles.put(model, {"cache/x": b"1", "sub/cache": b"2", "cache.bin": b"3"})
    bundle = sign(model, opening={"ignore_paths": ["cache"]})
    assert names(bundle) == sorted([*FILES, "sub/cache", "cache.bin"])
    assert "cache" in ignored(bundle)


@pytest.mark.oms("6.2.1-no-patterns")
def test_no_ignored_path_is_a_pattern_absolute_or_outside(sign, model) -> None:
    for name in ("a*", "b?", "c["):
        omsbundles.put(model, {name: b"x"})
        assert refused_with(sign, model, opening={"ignore_paths": [name]}) == "IGNORE_PATH_IS_PATTERN"
    for path in ("/sub", "../x", "sub/../../x", ".", ""):
        assert refused_with(sign, model, opening={"ignore_paths": [path]}) == "IGNORE_PATH_OUTSIDE"
    assert refused_with(sign, model, opening={"ignore_paths": ["nowhere*"]}) == "IGNORE_MATCHES_NOTHING"
    assert "sub" in ignored(sign(model, opening={"ignore_paths": ["./sub/"]}))


@pytest.mark.oms("6.2.1-no-patterns")
@pytest.mark.parametrize("path", ["*", "weights.???", "/", "../model", "sub\\x"])
def test_a_recorded_path_is_never_taken_for_a_pattern(refused, model, key, path) -> None:
    statement = Statement(resources=resources_of({"config.json": b"{}"}))
    statement.serialization["ignore_paths"] = [path]
    assert "FILE_UNSIGNED" in refused(model, sealed(statement, key), ignore_paths=())


@pytest.mark.oms("6.2.1-uncovered", "8.4-ignored")
def test_what_the_signer_left_out_is_accepted_by_name_and_nothing_else_is(verify, refused, model, key) -> None:
    omsbundles.put(model, {"log": b"x"})
    statement = Statement()
    statement.serialization["ignore_paths"] = ["log"]
    bundle = sealed(statement, key)
    assert refused(model, bundle) == ["SIGNER_IGNORES_MORE", "FILE_UNSIGNED"]
    assert verify(model, bundle, ignore_paths=("log",)).reasons == ()
    omsbundles.put(model, {"extra": b"x"})
    assert refused(model, bundle, ignore_paths=("log",)) == ["FILE_UNSIGNED"]


@pytest.mark.oms("6.5-one-subject")
@pytest.mark.parametrize("count", [0, 2])
def test_a_statement_has_one_subject(refused, sign, model, key, count) -> None:
    assert len(decoded(sign(model))[1]["subject"]) == 1

    def change(value: dict[str, Any]) -> None:
        value["subject"] *= count

    assert refused(model, sealed(Statement(change=change), key)) == ["MANIFEST_MALFORMED"]


@pytest.mark.oms("6.5.1-root", "6.5.1-recorded")
def test_the_root_digest_is_over_the_raw_digests_in_order(sign, refused, model, key) -> None:
    _, statement = decoded(sign(model))
    root = statement["subject"][0]["digest"]["sha256"]
    assert root == omsbundles.root_of(statement["predicate"]["resources"])
    wrong = Statement(change=lambda value: value["subject"][0].update(digest={"sha256": "ab" * 32}))
    assert refused(model, sealed(wrong, key)) == ["MANIFEST_INCONSISTENT"]
    absent = Statement(change=lambda value: value["subject"][0].update(digest={"sha512": "ab" * 64}))
    assert refused(model, sealed(absent, key)) == ["MANIFEST_MALFORMED"]


@pytest.mark.oms("6.5.1-root")
def test_the_root_digest_is_sha256_whatever_hashes_the_files(verify, model, key) -> None:
    statement = Statement(resources=resources_of(FILES, "blake2b"))
    statement.serialization["hash_type"] = "blake2b"
    result = verify(model, sealed(statement, key))
    assert (result.reasons, len(result.signed_root_digest)) == ((), 64)


@pytest.mark.oms("6.5-subject-name")
def test_the_subject_is_called_as_the_model_is(sign, model, monkeypatch) -> None:
    monkeypatch.chdir(model)
    for path in (model, f"{model}/", ".", "../model"):
        assert decoded(sign(path))[1]["subject"][0]["name"] == "model"
