"""picklescan and fickling as second opinions: what they find, what counts as silence, and who says what."""

from __future__ import annotations

import pickle
from collections import OrderedDict
from importlib.util import find_spec

import model_files
import pytest
from commandline import modelsign

from modelsign.artifact.model import open_artifact
from modelsign.examine import compare, examine
from modelsign.opinions import _index, asking, fickling, picklescan
from modelsign.verdict import worst

MEMBERS = [
    pytest.param(
        member, marks=pytest.mark.skipif(find_spec(member) is None, reason=f"{member} is not installed"), id=member
    )
    for member in ("fickling", "picklescan")
]
MODULES = {"fickling": fickling, "picklescan": picklescan}


def put(folder, **files):
    for name, data in files.items():
        (folder / name.replace("_", ".")).write_bytes(data)
    return str(folder)


@pytest.mark.parametrize("engine", MEMBERS)
def test_what_it_finds_is_a_finding_about_the_file(tmp_path, engine):
    asked = _index.load(engine).ask(put(tmp_path, bad_pkl=model_files.EVIL, good_pkl=b"\x80\x02]."), 60)
    assert (asked.opinion.status, asked.opinion.files) == (
        "findings",
        {"bad.pkl": "unsafe", "good.pkl": "nothing found"},
    )
    assert asked.opinion.version
    path, finding = asked.findings[0]
    assert (path, finding.rule, finding.outcome) == ("bad.pkl", "opinion-unsafe", "unsafe")


@pytest.mark.parametrize("engine", MEMBERS)
def test_it_looks_into_archives(tmp_path, engine):
    asked = _index.load(engine).ask(put(tmp_path, bad_pt=model_files.pytorch(model_files.EVIL)), 60)
    assert asked.opinion.files == {"bad.pt": "unsafe"}


@pytest.mark.parametrize("engine", MEMBERS)
@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("good_pkl", b"\x80\x02].", ("no findings", {"good.pkl": "nothing found"})),
        ("model_safetensors", model_files.safetensors(), ("nothing scanned", {})),
        ("config_json", b"{}", ("nothing scanned", {})),
    ],
)
def test_silence_counts_only_where_something_was_read(tmp_path, engine, name, data, said):
    asked = _index.load(engine).ask(put(tmp_path, **{name: data}), 60)
    assert (asked.opinion.status, asked.opinion.files) == said
    assert asked.findings == ()


@pytest.mark.parametrize("engine", MEMBERS)
def test_a_file_it_cannot_read_to_its_end_is_no_opinion(tmp_path, engine):
    asked = _index.load(engine).ask(put(tmp_path, broken_pkl=b"\x80\x02cos\nsys"), 60)
    assert asked.opinion.status in {"failed", "findings", "nothing scanned", "no findings"}
    assert asked.opinion.files.get("broken.pkl") != "unsafe"


@pytest.mark.parametrize("engine", ["fickling", "picklescan"])
@pytest.mark.parametrize(("program", "status"), [("raise SystemExit(3)", "absent"), ("print('{}')", "failed")])
def test_whatever_goes_wrong_is_a_status(tmp_path, monkeypatch, engine, program, status):
    runner = tmp_path / "runner.py"
    runner.write_text(program)
    monkeypatch.setattr(MODULES[engine], "_RUNNER", str(runner))
    opinion = _index.load(engine).ask(str(tmp_path), 60).opinion
    assert (opinion.status, opinion.files) == (status, {})
    assert engine in opinion.engine


def test_a_scanner_that_talks_without_end_is_stopped(tmp_path, monkeypatch):
    runner = tmp_path / "runner.py"
    runner.write_text("while True:\n    print('x' * 10000)\n")
    monkeypatch.setattr(picklescan, "_RUNNER", str(runner))
    monkeypatch.setattr(asking, "_ANSWER_BYTES", 100_000)
    asked = picklescan.ask(str(tmp_path), 60)
    assert asked.opinion.status == "failed"
    assert "more than 100000 bytes" in asked.opinion.message


def test_a_scanner_gets_no_more_memory_than_its_share(tmp_path, monkeypatch):
    runner = tmp_path / "runner.py"
    runner.write_text("kept = bytearray(64 * 1024 ** 3)\n")
    monkeypatch.setattr(picklescan, "_RUNNER", str(runner))
    assert picklescan.ask(str(tmp_path), 60).opinion.status == "failed"


@pytest.mark.skipif(find_spec("picklescan") is None, reason="picklescan is not installed")
def test_a_comparison_says_who_says_what_of_each_file(tmp_path):
    put(tmp_path, bad_pkl=model_files.EVIL, config_json=b"{}")
    with open_artifact(tmp_path) as artifact:
        rows = compare(examine(artifact, opinions=["picklescan"])).comparison
    assert [(row.path, row.outcome, dict(row.opinions)) for row in rows] == [
        ("bad.pkl", "unsafe", {"picklescan": "unsafe"}),
        ("config.json", "clean", {"picklescan": "not looked at"}),
    ]


@pytest.mark.skipif(find_spec("picklescan") is None, reason="picklescan is not installed")
def test_the_command_shows_the_comparison_as_a_table_and_as_json(tmp_path):
    put(tmp_path, bad_pkl=model_files.EVIL, config_json=b"{}")
    asked = ("scan", tmp_path, "--compare")
    lines = modelsign(*asked).stdout.splitlines()
    assert [*_columns(lines, "modelsign")] == ["modelsign", *_index.IDS, "file"]
    assert _columns(lines, "unsafe", "bad.pkl")[0] == "unsafe"
    assert _columns(lines, "clean", "config.json")[1:] == ["not looked at"] * len(_index.IDS) + ["config.json"]
    document = modelsign(*asked, "--format", "json").document
    row = document["comparison"][0]
    assert (row["path"], row["outcome"], row["opinions"]["picklescan"]) == ("bad.pkl", "unsafe", "unsafe")


def _columns(lines, first, last="file"):
    (line,) = (line for line in lines if line.startswith(first) and line.endswith(last) and "  " in line)
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


@pytest.mark.skipif(find_spec("fickling") is None, reason="fickling is not installed")
def test_a_comparison_decides_nothing_until_an_opinion_is_asked_for(tmp_path):
    put(tmp_path, ordered_pkl=pickle.dumps({"x": OrderedDict(y=1)}))
    compared = modelsign("scan", tmp_path, "--compare", "--format", "json")
    assert compared.document["comparison"][0]["opinions"]["fickling"] == "doubtful"
    assert (compared.exit_code, compared.document["outcome"], compared.document["warnings"]) == (0, "clean", [])
    assert compared.document["files"][0]["findings"] == []
    asked = modelsign("scan", tmp_path, "--compare", "--opinion", "fickling", "--format", "json")
    assert (asked.exit_code, asked.document["outcome"]) == (3, "unverified")
    assert [finding["rule"] for finding in asked.document["files"][0]["findings"]] == ["opinion-doubt"]


@pytest.mark.parametrize("engine", ["fickling", "modelscan", "picklescan"])
def test_no_answer_of_a_real_scanner_lowers_an_outcome(tmp_path, engine):
    if find_spec(engine) is None:
        pytest.skip(f"{engine} is not installed")
    ours = {
        "broken.pkl": b"\x80\x02cos\nsys",
        "call.pkl": model_files.EVIL,
        "config.json": b"{}",
        "plain.pkl": b"\x80\x02].",
        "unknown.pkl": b"cmine\nThing\n.",
    }
    put(tmp_path, **{name.replace(".", "_"): data for name, data in ours.items()})
    with open_artifact(tmp_path) as artifact:
        alone = {file.path: file.outcome for file in examine(artifact).files}
        result = examine(artifact, opinions=[engine])
    for file in result.files:
        assert worst([alone[file.path], file.outcome]) is file.outcome
    (opinion,) = result.opinions
    assert (opinion.engine, opinion.status) == (engine, "findings")


@pytest.mark.parametrize("engine", ["fickling", "modelscan", "picklescan"])
def test_a_real_scanner_that_looked_at_nothing_has_no_opinion(tmp_path, engine):
    if find_spec(engine) is None:
        pytest.skip(f"{engine} is not installed")
    put(tmp_path, config_json=b"{}")
    got = modelsign("scan", tmp_path, "--second-opinion", engine, "--format", "json")
    (opinion,) = got.document["opinions"]
    assert (opinion["status"], opinion["files"], got.exit_code) == ("nothing scanned", {}, 0)
    assert got.document["warnings"] == [f"no second opinion of {engine}: nothing scanned ({opinion['message']})"]


def test_a_comparison_alone_asks_every_scanner_there_is(tmp_path):
    put(tmp_path, config_json=b"{}")
    document = modelsign("scan", tmp_path, "--compare", "--format", "json").document
    assert [opinion["engine"] for opinion in document["opinions"]] == list(_index.IDS)
    assert modelsign("scan", tmp_path, "--format", "json").document["comparison"] == []
