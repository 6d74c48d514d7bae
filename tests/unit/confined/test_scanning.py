"""Scans in a confined child: the same answers, one file a crash, and an honest word about what held them."""

from __future__ import annotations

import json
import os
import pickle
import signal
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import model_files
import pytest
from processes import gone

from modelsign import limits
from modelsign.artifact.model import open_artifact
from modelsign.artifact.reading import BytesReading, FileReading
from modelsign.artifact.snapshot import take_snapshot
from modelsign.confined import scanning
from modelsign.confined.scanning import Scanner, is_inert, scan_artifact, scan_bytes
from modelsign.sandbox.confine import LAYERS, Fences
from modelsign.sandbox.zygote import shared
from modelsign.scan import engine
from modelsign.scan.trace import tracing

MIB = 1024 * 1024
LYING = str(Path(__file__).parents[2] / "support" / "lying_program.py")
HARMLESS = pickle.dumps({"weights": [1, 2, 3]})


def scan(folder, **settings):
    with open_artifact(folder, strict_names=False) as artifact:
        return scan_artifact(artifact, **settings)


def outcomes(result):
    return {file.path: (str(file.outcome), [finding.rule for finding in file.findings]) for file in result.files}


def the_child():
    """Return the process id of the one child that the scanner's zygote has."""
    zygote = shared(scanning.PROGRAM, {}).process
    return int(Path(f"/proc/{zygote}/task/{zygote}/children").read_text(encoding="ascii"))


@pytest.fixture
def lies(monkeypatch):
    """Put children that lie in the place of the scanner's."""
    monkeypatch.setattr(scanning, "PROGRAM", LYING)
    yield
    shared(LYING, {}).close()


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    for number in range(5):
        (folder / f"{number}.pkl").write_bytes(pickle.dumps(list(range(number))))
    return folder


def test_every_good_and_bad_file_gets_the_same_answer_in_a_child(tmp_path):
    for number, files in enumerate([*model_files.GOOD.values(), *model_files.BAD.values()]):
        for name, data in files.items():
            for cut in (len(data), len(data) // 2, 9):
                place = tmp_path / f"{number}-{cut}" / name
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(data[:cut])
    with open_artifact(tmp_path, strict_names=False) as artifact:
        with tracing() as own_traces:
            own = engine.scan_artifact(artifact)
        with tracing() as traces:
            confined = scan_artifact(artifact)
    assert len(own.files) > 300
    assert not [rule.id for rule in confined.rules if rule.id.startswith("supervisor-")]
    assert confined.files == own.files
    assert confined == own
    assert traces.found == own_traces.found
    assert confined.confinement.in_force[0] == "process"


def test_what_held_it_is_told_and_is_no_part_of_what_is_compared(model):
    confined, own = scan(model), scan(model, sandbox=False)
    assert {"process", "rlimits", "no-new-privileges", "seccomp"} <= set(confined.confinement.in_force)
    assert str(confined.confinement).startswith("confined by: process, rlimits, no-new-privileges")
    assert str(own.confinement) == "not confined: process: it was not asked for"
    assert confined == own
    assert confined.ruleset_digest == own.ruleset_digest


@pytest.mark.parametrize("missing", LAYERS)
def test_a_kernel_without_a_layer_is_told_and_scans_all_the_same(missing, model):
    left = tuple(layer for layer in LAYERS if layer != missing)
    with open_artifact(model) as artifact, Scanner(total=10, largest=10, layers=left) as scanner:
        with artifact.open("1.pkl") as reading:
            assert scanner.scan(reading, "1.pkl") == engine.scan_file(reading, "1.pkl")
        assert f"{missing}: not asked for" in str(scanner.confinement)
        assert missing not in scanner.confinement.in_force


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL, signal.SIGSYS, signal.SIGABRT, signal.SIGTERM])
def test_a_crash_costs_one_file(number, model):
    def crash(name, *_):
        if name == "2.pkl":
            os.kill(the_child(), number)

    found = scan(model, progress=crash)
    assert outcomes(found) == {
        "0.pkl": ("clean", []),
        "1.pkl": ("clean", []),
        "2.pkl": ("incomplete", ["supervisor-crash"]),
        "3.pkl": ("clean", []),
        "4.pkl": ("clean", []),
    }
    lost = found.files[2]
    assert (lost.sha256, lost.size) == (None, (model / "2.pkl").stat().st_size)
    assert signal.Signals(number).name in lost.findings[0].message
    assert found.outcome == "incomplete"
    assert found.exit_status(frozenset({"unverified", "unsupported", "incomplete"})) == 3
    assert [rule.id for rule in found.rules] == ["supervisor-crash"]


def test_one_crash_among_a_thousand_files_costs_one(tmp_path):
    for number in range(1000):
        (tmp_path / f"{number:03}.pkl").write_bytes(HARMLESS)

    def crash(name, *_):
        if name == "500.pkl":
            os.kill(the_child(), signal.SIGSEGV)

    found = scan(tmp_path, progress=crash)
    assert [file.path for file in found.files if file.outcome != "clean"] == ["500.pkl"]
    assert len(found.files) == 1000


def test_a_zygote_that_is_killed_costs_one_file_and_is_started_anew(model):
    def crash(name, *_):
        if name == "2.pkl":
            child = the_child()
            os.kill(shared(scanning.PROGRAM, {}).process, signal.SIGKILL)
            assert gone(child)

    found = scan(model, progress=crash)
    assert [file.path for file in found.files if file.outcome != "clean"] == ["2.pkl"]
    assert found.confinement.in_force[0] == "process"


def test_a_file_that_needs_more_memory_than_the_fence_costs_one_file(model):
    (model / "2.json").write_text(json.dumps(dict.fromkeys(map(str, range(500_000)))), encoding="utf-8")
    found = scan(model, fences=Fences(memory_bytes=112 * MIB, file_bytes=MIB))
    assert outcomes(found)["2.json"] == ("incomplete", ["supervisor-crash"])
    assert found.files[2].findings[0].message.startswith("MemoryError")
    assert [file.path for file in found.files if file.outcome != "clean"] == ["2.json"]


def test_a_file_that_takes_more_processor_time_than_the_fence_costs_one_file(model):
    def spend(name, *_):
        if name == "2.pkl":
            os.kill(the_child(), signal.SIGXCPU)  # as the kernel does; test_confinement.py has it do so

    found = scan(model, progress=spend)
    assert outcomes(found)["2.pkl"] == ("incomplete", ["supervisor-timeout"])
    assert "SIGXCPU" in found.files[2].findings[0].message
    assert [file.path for file in found.files if file.outcome != "clean"] == ["2.pkl"]


def test_a_child_that_says_nothing_costs_one_file(model):
    def stop(name, *_):
        if name == "2.pkl":
            os.kill(the_child(), signal.SIGSTOP)

    found = scan(model, progress=stop, fences=Fences(wait_seconds=1))
    assert outcomes(found)["2.pkl"] == ("incomplete", ["supervisor-timeout"])
    assert [file.path for file in found.files if file.outcome != "clean"] == ["2.pkl"]


@pytest.mark.parametrize(
    "lie",
    [
        "clean-with-findings",
        "rule-nobody-knows",
        "milder-outcome",
        "no-digest-at-all",
        "negative-size",
        "no-file",
        "no-findings",
        "a-number",
        "traces-of-nothing",
        "format-with-escapes",
        "inert-and-unsafe",
        "long",
        "no-json",
    ],
)
@pytest.mark.usefixtures("lies")
def test_an_answer_that_no_scan_gives_is_incomplete(lie, tmp_path, monkeypatch):
    monkeypatch.setattr(scanning, "ANSWER_BYTES", 100_000)
    (tmp_path / f"{lie}.pkl").write_bytes(model_files.EVIL)
    (tmp_path / "zzz.pkl").write_bytes(HARMLESS)
    found = scan(tmp_path)
    assert outcomes(found) == {f"{lie}.pkl": ("incomplete", ["supervisor-crash"]), "zzz.pkl": ("clean", [])}
    assert "\x1b" not in found.files[0].findings[0].message


@pytest.mark.usefixtures("lies")
def test_the_digest_of_a_sealed_copy_is_not_for_the_child_to_say(tmp_path):
    (tmp_path / "other-digest.pkl").write_bytes(HARMLESS)
    (tmp_path / "zzz.pkl").write_bytes(HARMLESS)
    with open_artifact(tmp_path) as artifact, take_snapshot(artifact) as copy:
        found = scan_artifact(copy)
    assert outcomes(found) == {"other-digest.pkl": ("incomplete", ["supervisor-crash"]), "zzz.pkl": ("clean", [])}
    assert found.files[0].sha256 is None


def test_a_file_that_is_written_to_between_two_readings_is_found_out_in_the_child(tmp_path):
    place = tmp_path / "a.bin"
    place.write_bytes(bytes(3 * MIB))
    with FileReading(os.open(place, os.O_RDONLY), "a.bin") as reading, Scanner(total=1, largest=1) as scanner:
        assert scanner.scan(reading, "a.bin").sha256 is not None
        place.write_bytes(b"")
        emptied = scanner.scan(reading, "a.bin")  # the child asks for the size anew: it is what it judges
    assert emptied.size == 0
    assert emptied.sha256 == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_long_unpacked_streams_find_room_in_a_child_that_can_open_no_file(tmp_path):
    inner = HARMLESS + bytes(12 * MIB)
    nested = zlib.compress(zlib.compress(inner + os.urandom(9 * MIB), 1), 1)
    (tmp_path / "a.pkl.z").write_bytes(zlib.compress(inner))
    (tmp_path / "b.pkl.z").write_bytes(nested)
    assert limits.SCAN_MEMORY_BYTES < 12 * MIB
    assert scan(tmp_path).files == scan(tmp_path, sandbox=False).files


def test_a_full_disk_in_a_child_is_incomplete_and_no_crash(tmp_path):
    (tmp_path / "a.pkl.z").write_bytes(zlib.compress(HARMLESS + bytes(12 * MIB)))
    found = scan(tmp_path, fences=Fences(file_bytes=MIB))
    assert (found.outcome, found.files[0].findings[0].rule) == ("incomplete", "file-unreadable")


def test_names_that_are_no_text_come_back_as_they_went(tmp_path):
    (tmp_path / "a.pkl").write_bytes(b"\x80\x04\x8c\x03\xed\xa0\x80\x8c\x01x\x93.")
    own, confined = scan(tmp_path, sandbox=False), scan(tmp_path)
    assert "\ud800" in own.files[0].globals[0]
    assert confined.files == own.files


def test_progress_within_one_big_file_is_told_from_the_child(tmp_path):
    size = 40 * MIB
    (tmp_path / "big.bin").write_bytes(bytes(size))
    steps = []
    scan(tmp_path, progress=lambda *step: steps.append(step))
    assert steps[0] == ("big.bin", 0, size)
    assert steps[-1] == ("", size, size)
    assert len(steps) > 5
    assert [done for _, done, _ in steps] == sorted(done for _, done, _ in steps)


def test_names_trusted_by_the_caller_are_trusted_in_the_child(tmp_path):
    (tmp_path / "a.pkl").write_bytes(b"cours\nThing\n.")
    assert scan(tmp_path).files[0].outcome == "unverified"
    assert scan(tmp_path, trust_globals=frozenset({"ours.Thing"})).files[0].outcome == "clean"


def test_bytes_in_memory_are_scanned_in_a_child_too():
    found = scan_bytes(model_files.EVIL, "-")
    assert found.files == (engine.scan_file(BytesReading(model_files.EVIL), "-"),)
    assert found.confinement.in_force[0] == "process"
    assert scan_bytes(b"", "-").files == (engine.scan_file(BytesReading(b""), "-"),)
    assert scan_bytes(b"", "-", sandbox=False).confinement.in_force == ()


def test_whether_a_file_is_inert_is_asked_in_a_child(tmp_path):
    for name, data, inert in (("a.json", b"{}", True), ("b.pkl", HARMLESS, False)):
        (tmp_path / name).write_bytes(data)
        with FileReading(os.open(tmp_path / name, os.O_RDONLY), name) as reading:
            assert is_inert(reading, name) is inert
            assert is_inert(reading, name, sandbox=False) is inert


@pytest.mark.parametrize("executable", ["", "/nowhere/python", "/bin/false"])
def test_where_no_child_can_be_started_it_scans_here_and_says_so(executable, model, monkeypatch):
    expected = scan(model, sandbox=False)
    shared(scanning.PROGRAM, {}).close()
    monkeypatch.setattr(sys, "executable", executable)
    found = scan(model)
    assert found == expected
    assert found.confinement.in_force == ()
    assert str(found.confinement).startswith("not confined: process: ")
    monkeypatch.undo()
    assert scan(model).confinement.in_force[0] == "process"


def test_a_confinement_lost_on_the_way_is_not_told_as_kept(model, monkeypatch):
    def lose(name, *_):
        if name == "2.pkl":
            monkeypatch.setattr(sys, "executable", "")
            shared(scanning.PROGRAM, {}).close()

    found = scan(model, progress=lose)
    monkeypatch.undo()
    assert outcomes(found)["2.pkl"] == ("incomplete", ["supervisor-crash"])
    assert outcomes(found)["3.pkl"] == ("clean", [])
    assert found.confinement.in_force == ()


def test_scans_in_many_threads_give_each_its_own_answer(tmp_path):
    for number in range(6):
        (tmp_path / str(number)).mkdir()
        for name in range(20):
            (tmp_path / str(number) / f"{name}.pkl").write_bytes(pickle.dumps([number, name]))
    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(scan, [tmp_path / str(number) for number in range(6)]))
    assert found == [scan(tmp_path / str(number), sandbox=False) for number in range(6)]


def test_no_descriptor_and_no_child_is_left(model):
    scan(model)
    zygote = shared(scanning.PROGRAM, {}).process
    before = sum(1 for _ in Path("/proc/self/fd").iterdir())
    for _ in range(3):
        scan(model)
    with open_artifact(model) as artifact, pytest.raises(KeyboardInterrupt):
        scan_artifact(artifact, progress=_interrupt)
    assert sum(1 for _ in Path("/proc/self/fd").iterdir()) == before
    assert Path(f"/proc/{zygote}/task/{zygote}/children").read_text(encoding="ascii") == ""


def _interrupt(name, *_):
    if name == "3.pkl":
        raise KeyboardInterrupt


def test_an_interruption_while_a_child_is_asked_ends_it(model):
    def stop(name, *_):
        if name == "2.pkl":
            os.kill(the_child(), signal.SIGSTOP)
            signal.setitimer(signal.ITIMER_REAL, 0.3)

    before = signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        with pytest.raises(KeyboardInterrupt):
            scan(model, progress=stop)
    finally:
        signal.signal(signal.SIGALRM, before)
    zygote = shared(scanning.PROGRAM, {}).process
    assert Path(f"/proc/{zygote}/task/{zygote}/children").read_text(encoding="ascii") == ""
    assert scan(model).outcome == "clean"


def test_an_empty_list_of_files_needs_no_process(model):
    with open_artifact(model) as artifact:
        artifact._files = ()
        found = scan_artifact(artifact)
    assert found.files == ()
    assert str(found.confinement) == "not confined: process: nothing was scanned"


def test_fences_are_wider_than_any_budget():
    fences = scanning._fences(total=10**12, largest=10**11)
    assert fences.file_bytes > limits.SCAN_UNPACKED_BYTES + limits.SCAN_DEPTH * 10**11
    assert fences.cpu_seconds > 10**12 // (10 * MIB)
    assert fences.wait_seconds > 10**11 // MIB
