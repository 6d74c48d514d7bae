"""Signatures lie in known places, and nothing but strict bundles may lie there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from bundlecraft import encoded, raw_bundle
from refusals import build, refusal, refused_with

from modelsign import limits
from modelsign.artifact.model import open_artifact
from modelsign.signing.evidence import bundle_place, check_evidence, find_bundles, read_bundle, read_bundles

if TYPE_CHECKING:
    from pathlib import Path

GOOD = encoded(raw_bundle())


def faults(model: Path, **options: object) -> list[str]:
    with open_artifact(model) as artifact:
        return [fault.code for fault in check_evidence(artifact, **options)]  # type: ignore[arg-type] # of one test


def test_places_follow_from_the_kind_of_model(tmp_path: Path) -> None:
    model = build(tmp_path / "m", {"w": "1", "model.sig": "", "model.sig.d/b.sig": "", "model.sig.d/a.sig": ""})
    assert bundle_place(model) == f"{model}/model.sig"
    assert find_bundles(model) == [
        f"{model}/{name}" for name in ("model.sig", "model.sig.d/a.sig", "model.sig.d/b.sig")
    ]
    build(tmp_path, {"w.bin": "1", "w.bin.sig.d/x.sig": "", "w.bin.sig.d/other": ""})
    assert bundle_place(tmp_path / "w.bin") == f"{tmp_path}/w.bin.sig"
    assert find_bundles(tmp_path / "w.bin") == [f"{tmp_path}/w.bin.sig.d/x.sig"]


def test_a_signature_that_is_not_there_is_missing(tmp_path: Path) -> None:
    fault = refusal(read_bundle, tmp_path / "none")
    assert (fault.code, fault.exit_status) == ("SIGNATURE_MISSING", 1)


def test_folders_devices_and_fifos_are_no_signatures(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for place in (tmp_path, "/dev/zero", tmp_path / "fifo"):
        fault = refusal(read_bundle, place)
        assert (fault.code, fault.exit_status) == ("SIGNATURE_NOT_A_FILE", 1)


def test_a_broken_link_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    assert refused_with(read_bundle, tmp_path / "link") == "INPUT_UNREADABLE"


def test_oversized_signatures_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BUNDLE_BYTES", 3)
    assert refused_with(read_bundle, build(tmp_path, {"x": "1234"}) / "x") == "INPUT_TOO_LARGE"
    model = build(tmp_path / "m", {"w": "1", "model.sig": "1234"})
    assert faults(model) == ["EVIDENCE_NOT_A_BUNDLE"]


def test_strict_bundles_are_admitted(tmp_path: Path) -> None:
    contents = {"model.sig": GOOD, "model.sig.d/x.sig": GOOD + b"\n", "model.intoto.jsonl": GOOD + b"\n" + GOOD + b"\n"}
    assert faults(build(tmp_path / "m", {"w": "1", **contents})) == []
    assert faults(build(tmp_path / "n", {"w": "1", "model.intoto.jsonl": b""})) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.sig", b"\x80\x04."),
        ("model.sig", b""),
        ("model.sig", GOOD + b"trailing"),
        ("model.sig", GOOD.replace(b'"keyid"', b'"weights"')),
        ("model.sig.d/x.sig", b"{}"),
        ("model.intoto.jsonl", GOOD + b"\n\n" + GOOD),
        ("model.intoto.jsonl", GOOD + b"\nPK\x03\x04"),
        ("model.intoto.jsonl", b"\n"),
        ("model.sig", GOOD.replace(b"v0.3", b"v0.9")),
    ],
)
def test_anything_else_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    model = build(tmp_path / "m", {"w": "1", name: content})
    if not content and name == "model.sig":
        assert faults(model) == []  # an empty file holds nothing a loader could take
        return
    with open_artifact(model) as artifact:
        (fault,) = check_evidence(artifact)
    assert (fault.code, fault.exit_status) == ("EVIDENCE_NOT_A_BUNDLE", 1)
    assert name in fault.message
    assert faults(model, skip={name}) == []
    assert faults(model, known={content}) == ([] if name != "model.intoto.jsonl" else ["EVIDENCE_NOT_A_BUNDLE"])


def test_a_store_has_a_bounded_number_of_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "STORE_LINES", 1)
    model = build(tmp_path / "m", {"w": "1", "model.intoto.jsonl": GOOD + b"\n" + GOOD})
    assert faults(model) == ["EVIDENCE_NOT_A_BUNDLE"]


SCRATCH = ".modelsign-0123456789abcdef.part"


def test_what_a_write_cut_short_left_behind_holds_bundles_or_refuses(tmp_path: Path) -> None:
    model = build(tmp_path / "m", {"w": "1", SCRATCH: GOOD + b"\n" + GOOD + b"\n"})
    assert faults(model) == []
    (model / SCRATCH).write_bytes(b"\x80\x04.")
    assert faults(model) == ["EVIDENCE_NOT_A_BUNDLE"]
    with open_artifact(model) as artifact:
        (model / SCRATCH).unlink()
        assert check_evidence(artifact) == []


def test_signatures_are_bounded_in_number_and_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = build(tmp_path / "m", {"w": "1", "model.sig": GOOD, "model.sig.d/a.sig": GOOD})
    assert read_bundles(find_bundles(model)) == [GOOD, GOOD]
    monkeypatch.setattr(limits, "EVIDENCE_BYTES", 2 * len(GOOD) - 1)
    assert refused_with(read_bundles, find_bundles(model)) == "INPUT_TOO_LARGE"
    assert faults(model) == ["EVIDENCE_NOT_A_BUNDLE"]
    monkeypatch.setattr(limits, "EVIDENCE_BYTES", 2 * len(GOOD))
    assert faults(model) == []
    monkeypatch.setattr(limits, "EVIDENCE_FILES", 1)
    assert refused_with(read_bundles, find_bundles(model)) == "INPUT_TOO_LARGE"
    assert faults(model) == ["EVIDENCE_NOT_A_BUNDLE"]


def test_a_sparse_giant_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "x.sig").open("wb") as stream:
        stream.truncate(limits.BUNDLE_BYTES + 1)
    monkeypatch.setattr(os, "read", lambda *_: pytest.fail("it was read"))
    assert refused_with(read_bundle, tmp_path / "x.sig") == "INPUT_TOO_LARGE"
