"""Whatever happens to the original during and after the check, the loader sees the bytes that were judged, or nothing.

Every test changes the original at a point the gate announces (or all the time, from another thread or process) and
then compares what was loaded with what was signed.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
import signedmodels

from modelsign.errors import ModelsignError
from modelsign.guard.load import load
from modelsign.guard.verified import Stage, verified

pytest.importorskip("safetensors.numpy")

GOOD, EVIL = signedmodels.weights(1.0), signedmodels.weights(666.0)


@pytest.fixture
def model(tmp_path):
    return signedmodels.make(tmp_path, {"weights.safetensors": GOOD, "config.json": b"{}"})


def write_in_place(path, data):
    with path.open("r+b") as stream:
        stream.write(data)


def swap_by_rename(path, data):
    other = path.with_name(f"{path.name}.new")
    other.write_bytes(data)
    other.replace(path)


def swap_for_a_link(path, data):
    other = path.parent.parent / "elsewhere"
    other.write_bytes(data)
    path.unlink()
    path.symlink_to(other)


def truncate(path, data):
    del data
    os.truncate(path, 10)


def remove(path, data):
    del data
    path.unlink()


CHANGES = [write_in_place, swap_by_rename, swap_for_a_link, truncate, remove]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@pytest.mark.parametrize("stage", [Stage.COPIED, Stage.JUDGED])
def test_a_change_after_the_copy_does_not_reach_the_loader(model, change, stage):
    def meddle(now: Stage) -> None:
        if now is stage:
            change(model.path / "weights.safetensors", EVIL)

    assert set(load(model.path, **model.arguments, progress=meddle)["w"]) == {1.0}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_change_before_the_copy_is_denied(model, change):
    def meddle(now: Stage) -> None:
        if now is Stage.OPENED:
            change(model.path / "weights.safetensors", EVIL)

    with pytest.raises(ModelsignError) as caught:
        load(model.path, **model.arguments, progress=meddle)
    assert caught.value.code in {"LOAD_DENIED", "FILE_CHANGED_WHILE_READ"}


@pytest.mark.parametrize("stage", list(Stage))
def test_a_file_added_after_the_listing_is_not_in_the_copy(model, stage):
    def meddle(now: Stage) -> None:
        if now is stage:
            (model.path / "sitecustomize.py").write_text("raise SystemExit('never')")

    with verified(model.path, **model.arguments, progress=meddle) as judged:
        assert sorted(entry.name for entry in Path(judged.path).iterdir()) == ["config.json", "weights.safetensors"]
        assert [entry.name for entry in judged.files] == ["config.json", "weights.safetensors"]
        with pytest.raises(ModelsignError) as caught:
            judged.open("sitecustomize.py")
    assert caught.value.code == "LOAD_NO_SUCH_FILE"


def test_the_folder_itself_can_be_exchanged_after_the_copy(model):
    def meddle(now: Stage) -> None:
        if now is Stage.COPIED:
            evil = model.path.with_name("evil")
            shutil.copytree(model.path, evil)
            (evil / "weights.safetensors").write_bytes(EVIL)
            model.path.rename(model.path.with_name("gone"))
            evil.rename(model.path)

    assert set(load(model.path, **model.arguments, progress=meddle)["w"]) == {1.0}


def test_a_change_inside_the_block_reaches_neither_path_nor_stream(model):
    with verified(model.path, **model.arguments) as judged:
        write_in_place(model.path / "weights.safetensors", EVIL)
        with judged.open("weights.safetensors") as stream:
            assert stream.read() == GOOD
        assert Path(judged.path, "weights.safetensors").read_bytes() == GOOD
        assert set(judged.load("weights.safetensors")["w"]) == {1.0}


def test_what_was_loaded_stays_as_it_was_after_the_block(model):
    pytest.importorskip("torch")
    tensors = load(model.path, **model.arguments, framework="torch")
    write_in_place(model.path / "weights.safetensors", EVIL)
    assert set(tensors["w"].tolist()) == {1.0}


def test_nobody_can_write_to_the_copy(model):
    with verified(model.path, **model.arguments) as judged:
        place = Path(judged.path, "weights.safetensors")
        with pytest.raises(PermissionError):
            write_in_place(place, EVIL)
        with pytest.raises(PermissionError):
            place.write_bytes(EVIL)
        with pytest.raises(PermissionError):
            os.truncate(place, 0)
        assert set(judged.load("weights.safetensors")["w"]) == {1.0}


def test_the_folder_of_the_copy_is_private_and_gone_afterwards(model):
    with verified(model.path, **model.arguments) as judged:
        path = Path(judged.path)
        assert path.parent.stat().st_mode & 0o077 == 0
    assert not path.exists()


# --- all the time -----------------------------------------------------------------------


@contextmanager
def hammer(target, *arguments):
    """Run something over and over in a thread."""
    stop = threading.Event()

    def again():
        while not stop.is_set():
            target(*arguments)

    thread = threading.Thread(target=again)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def attempts(model, count: int) -> tuple[int, int]:
    """Load again and again; return how often it worked, with the signed values, and how often it was refused."""
    loaded = refused = 0
    for _ in range(count):
        try:
            values = set(load(model.path, **model.arguments)["w"])
        except ModelsignError as fault:
            assert fault.code in {"LOAD_DENIED", "LOAD_UNDECIDED", "FILE_CHANGED_WHILE_READ"}  # noqa: PT017
            refused += 1
        else:
            assert values == {1.0}
            loaded += 1
    return loaded, refused


def test_a_thread_that_writes_in_place_all_the_time_never_reaches_the_loader(tmp_path):
    big = [signedmodels.weights(value, 300_000) for value in (1.0, 666.0)]
    model = signedmodels.make(tmp_path, {"weights.safetensors": big[0]})
    path = model.path / "weights.safetensors"

    def flicker():
        write_in_place(path, big[1])
        write_in_place(path, big[0])

    with hammer(flicker):
        loaded, refused = attempts(model, 15)
    assert loaded + refused == 15


def test_a_thread_that_renames_all_the_time_never_reaches_the_loader(model, tmp_path):
    path, evil, good = model.path / "weights.safetensors", tmp_path / "evil", tmp_path / "good"

    def flicker():
        for source, data in ((evil, EVIL), (good, GOOD)):
            source.write_bytes(data)
            source.replace(path)

    with hammer(flicker):
        loaded, refused = attempts(model, 15)
    assert loaded + refused == 15


def test_a_process_that_writes_all_the_time_never_reaches_the_loader(model):
    program = (
        "import sys, itertools\n"
        "place, good, evil = sys.argv[1], *(open(name, 'rb').read() for name in sys.argv[2:])\n"
        "print('ready', flush=True)\n"
        "for data in itertools.cycle((evil, good)):\n"
        "    with open(place, 'r+b') as stream:\n"
        "        stream.write(data)\n"
    )
    good, evil = model.path.with_name("good"), model.path.with_name("evil")
    good.write_bytes(GOOD)
    evil.write_bytes(EVIL)
    place = model.path / "weights.safetensors"
    with subprocess.Popen([sys.executable, "-c", program, place, good, evil], stdout=subprocess.PIPE) as writer:
        writer.stdout.readline()
        try:
            loaded, refused = attempts(model, 15)
        finally:
            writer.kill()
    assert loaded + refused == 15


# --- children ---------------------------------------------------------------------------


def test_a_forked_child_reads_the_copy(model):
    with verified(model.path, **model.arguments) as judged:
        remove(model.path / "weights.safetensors", None)
        ours, theirs = multiprocessing.Pipe()
        child = multiprocessing.get_context("fork").Process(target=_child, args=(judged, theirs))
        child.start()
        assert ours.recv() == [1.0] * 8
        child.join()


def _child(judged, pipe):
    pipe.send(judged.load("weights.safetensors")["w"].tolist())


def test_a_program_started_inside_the_block_reads_the_copy(model):
    with verified(model.path, **model.arguments) as judged:
        remove(model.path / "weights.safetensors", None)
        shown = subprocess.run(["cat", f"{judged.path}/weights.safetensors"], capture_output=True, check=True)
    assert shown.stdout == GOOD


# --- one file, many files ---------------------------------------------------------------


def test_a_single_file_has_a_path_with_its_own_name(tmp_path):
    model = signedmodels.make(tmp_path, {"w.safetensors": GOOD}, single=True)

    def meddle(now: Stage) -> None:
        if now is Stage.COPIED:
            swap_by_rename(model.path, EVIL)

    with verified(model.path, **model.arguments, progress=meddle) as judged:
        assert Path(judged.path).name == "w.safetensors"
        with judged.open() as stream:
            assert stream.read() == GOOD
        assert set(judged.load()["w"]) == {1.0}


def test_every_file_of_many_is_the_signed_one(tmp_path):
    files = {f"part/{number}.npy": signedmodels.npy([number] * 4) for number in range(30)}
    model = signedmodels.make(tmp_path, files)

    def meddle(now: Stage) -> None:
        if now is Stage.JUDGED:
            shutil.rmtree(model.path)

    with verified(model.path, **model.arguments, progress=meddle) as judged:
        for number in range(30):
            assert judged.load(f"part/{number}.npy").tolist() == [number] * 4
