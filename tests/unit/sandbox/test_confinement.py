"""What a confined child can and cannot do, tried for real in one."""

from __future__ import annotations

import os
from contextlib import closing

import pytest
from processes import PROGRAM

from modelsign.errors import ModelsignError
from modelsign.sandbox.confine import LAYERS, Fences, confine
from modelsign.sandbox.zygote import Zygote

MIB = 1024 * 1024
FORBIDDEN = (
    "read_passwd",
    "list_root",
    "write_file",
    "make_temporary_file",
    "open_own_memory",
    "make_memory_file",
    "remove_file",
    "change_mode",
    "make_folder",
    "open_socket",
    "open_unix_socket",
    "execute",
    "spawn",
    "fork",
    "start_thread",
    "kill_parent",
    "trace_parent",
    "executable_memory",
)
WITHOUT_SECCOMP = tuple(layer for layer in LAYERS if layer != "seccomp")


def code_of(call, *arguments, **settings):
    with pytest.raises(ModelsignError) as caught:
        call(*arguments, **settings)
    return caught.value.code, caught.value.message


def test_every_layer_this_kernel_has_is_in_force_and_the_rest_is_told(zygote):
    with zygote.fork({}, Fences()) as child:
        told = [*child.confined.in_force, *(line.partition(":")[0] for line in child.confined.missing)]
    assert sorted(told) == sorted(LAYERS)
    assert {"rlimits", "no-new-privileges", "seccomp"} <= set(child.confined.in_force)


@pytest.mark.parametrize("call", FORBIDDEN)
def test_a_confined_child_cannot(call, ask, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("as it was", encoding="utf-8")
    assert "refused" in ask(call, path=str(victim))
    assert [entry.name for entry in tmp_path.iterdir()] == ["victim"]
    assert victim.read_text(encoding="utf-8") == "as it was"


@pytest.mark.parametrize("call", ["read_passwd", "list_root", "write_file", "remove_file", "execute"])
def test_landlock_alone_keeps_every_path_shut(call, ask, zygote, tmp_path):
    with zygote.fork({}, Fences(), ("no-new-privileges", "landlock")) as child:
        if "landlock" not in child.confined.in_force:
            pytest.skip("the kernel has no Landlock")
    victim = tmp_path / "victim"
    victim.write_text("as it was", encoding="utf-8")
    assert ask(call, layers=("no-new-privileges", "landlock"), path=str(victim)) == {"refused": "Permission denied"}
    assert victim.read_text(encoding="utf-8") == "as it was"


def test_rlimits_alone_let_nothing_be_written(ask, tmp_path):
    assert ask("write_file", layers=("rlimits",), path=str(tmp_path / "new")) == {"refused": "File too large"}


def test_without_any_layer_the_same_calls_succeed_so_the_layers_are_what_refuses(ask, tmp_path):
    victim = tmp_path / "victim"
    for call in ("read_passwd", "write_file", "open_socket", "fork", "executable_memory", "spawn"):
        assert "returned" in ask(call, layers=(), path=str(victim)), call


def test_it_can_read_what_it_was_handed_and_compute(ask, tmp_path):
    (tmp_path / "file").write_text("the bytes", encoding="utf-8")
    descriptor = os.open(tmp_path / "file", os.O_RDONLY)
    assert ask("read_descriptor", [descriptor]) == {"returned": "the bytes"}
    assert ask("write_descriptor", [descriptor]) == {"refused": "Bad file descriptor"}
    os.close(descriptor)
    assert ask("add_up", numbers=list(range(1000))) == {"returned": 499500}
    assert ask("allocate", bytes=64 * MIB) == {"returned": 64 * MIB}


def test_it_has_neither_the_environment_nor_descriptors_of_its_parent(monkeypatch, tmp_path):
    monkeypatch.setenv("SECRET", "of the parent")
    kept = os.open(tmp_path, os.O_RDONLY)
    os.set_inheritable(kept, True)  # noqa: FBT003 - as a library in C may leave them
    with closing(Zygote(PROGRAM, {})) as zygote, zygote.fork({}, Fences()) as child:
        seen = [
            child.ask({"call": call}, most_bytes=1000, seconds=60.0)["returned"]
            for call in ("environment", "open_descriptors")
        ]
    os.close(kept)
    assert set(seen[0]) <= {"LC_CTYPE"}  # Python's own
    assert seen[1][:3] == [0, 1, 2]
    assert len(seen[1]) == 4  # the connection


def test_memory_beyond_the_fence_is_an_error_that_is_told(ask):
    code, message = code_of(ask, "allocate", bytes=512 * MIB, fences=Fences(memory_bytes=256 * MIB))
    assert code == "SANDBOX_ENDED"
    assert message.startswith("MemoryError")


def test_processor_time_beyond_the_fence_ends_the_child(zygote):
    with zygote.fork({}, Fences(cpu_seconds=1)) as child:
        code, _ = code_of(child.ask, {"call": "spin"}, most_bytes=100, seconds=300.0)
        assert (code, child.end()) == ("SANDBOX_ENDED", "SIGXCPU")


def test_silence_beyond_the_fence_is_not_waited_for(ask):
    assert code_of(ask, "sleep", seconds=0.2)[0] == "SANDBOX_SILENT"


@pytest.mark.parametrize(("call", "end"), [("read_null_pointer", "SIGSEGV"), ("abort", "SIGABRT")])
def test_a_crash_is_told_by_its_signal(call, end, zygote):
    with zygote.fork({}, Fences()) as child:
        code, _ = code_of(child.ask, {"call": call}, most_bytes=100, seconds=60.0)
        assert (code, child.end()) == ("SANDBOX_ENDED", end)


def test_an_exception_is_told_by_its_name_and_ends_the_child(zygote):
    with zygote.fork({}, Fences()) as child:
        code, message = code_of(child.ask, {"call": "no_such_thing"}, most_bytes=100, seconds=60.0)
        assert (code, message) == ("SANDBOX_ENDED", "KeyError: 'no_such_thing'")
        assert code_of(child.ask, {"call": "add_up", "numbers": []}, most_bytes=100, seconds=60.0)[0] == "SANDBOX_ENDED"


def test_a_child_that_cannot_begin_is_none(zygote):
    code, message = code_of(zygote.fork, {"begins": "badly"}, Fences())
    assert code == "SANDBOX_UNAVAILABLE"
    assert "ValueError: begins badly" in message


def test_what_is_told_before_the_answer_is_heard_in_order(zygote):
    heard = []
    with zygote.fork({}, Fences()) as child:
        request = {"call": "count_aloud", "numbers": 100}
        said = child.ask(request, most_bytes=100, seconds=60.0, told=heard.append)
        assert child.ask(request, most_bytes=100, seconds=60.0) == said == {"returned": "done"}
    assert heard == list(range(100))


def test_telling_without_end_is_no_answer(zygote):
    with zygote.fork({}, Fences()) as child:
        request = {"call": "count_aloud", "numbers": 10**9}
        assert code_of(child.ask, request, most_bytes=100, seconds=0.3)[0] == "SANDBOX_SILENT"


def test_an_answer_longer_than_agreed_is_not_read(ask):
    assert code_of(ask, "talk", characters=1000, most_bytes=1000)[0] == "SANDBOX_ANSWER"
    assert ask("talk", characters=900, most_bytes=1000) == {"returned": "x" * 900}


def test_layers_that_are_not_asked_for_are_told():
    assert confine(Fences(), ()).missing == tuple(f"{layer}: not asked for" for layer in LAYERS)
