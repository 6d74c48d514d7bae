"""The zygote: it serves many threads, ends with its parent, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from processes import PROGRAM, gone

from modelsign.errors import ModelsignError
from modelsign.sandbox.confine import Fences
from modelsign.sandbox.zygote import Zygote, shared

HOLDS_A_CHILD = f"""
import os, sys, time
from modelsign.sandbox.confine import Fences
from modelsign.sandbox.zygote import shared
zygote = shared({PROGRAM!r}, {{}})
child = zygote.fork({{}}, Fences())
print(zygote.process, child.process, flush=True)
WHAT
"""


def holder(what, **settings):
    """Start a process that has a zygote and a child; return it and their numbers."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS_A_CHILD.replace("WHAT", what)], stdout=subprocess.PIPE, text=True, **settings
    )
    numbers = process.stdout.readline().split()
    process.stdout.close()
    return process, [int(number) for number in numbers]


def descriptors():
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def add(child, *numbers):
    return child.ask({"call": "add_up", "numbers": numbers}, most_bytes=1000, seconds=60.0)["returned"]


def test_closing_it_leaves_no_process_no_zombie_and_no_descriptor():
    before = descriptors()
    zygote = Zygote(PROGRAM, {})
    children = [zygote.fork({}, Fences()) for _ in range(3)]
    assert [add(child, 1, 2) for child in children] == [3, 3, 3]
    zygote.close()
    for process in (zygote.process, *(child.process for child in children)):
        assert not Path(f"/proc/{process}").exists()
    assert [child.end() for child in children] == ["ended with its zygote"] * 3
    assert descriptors() == before
    zygote.close()


def test_a_child_that_is_ended_is_gone_and_stays_no_zombie(zygote):
    before = descriptors()
    child = zygote.fork({}, Fences())
    assert child.end() == "SIGKILL"
    assert not Path(f"/proc/{child.process}").exists()
    assert child.end() == "SIGKILL"
    assert descriptors() == before


def test_one_that_was_never_asked_is_ended_too():
    zygote = Zygote(PROGRAM, {})
    zygote.close()
    assert not Path(f"/proc/{zygote.process}").exists()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_all_end_with_a_parent_that_is_killed(number):
    process, numbers = holder("time.sleep(600)")
    process.send_signal(number)
    process.wait()
    assert all(map(gone, numbers))


@pytest.mark.parametrize("what", ["sys.exit(0)", "raise SystemExit(3)", "os._exit(0)", "1 / 0"])
def test_all_end_with_a_parent_that_ends(what):
    process, numbers = holder(what, stderr=subprocess.DEVNULL)
    process.wait()
    assert all(map(gone, numbers))


def test_a_child_that_hangs_ends_with_its_parent():
    ask = "child.ask({'call': 'spin'}, most_bytes=9, seconds=600.0)"
    process, numbers = holder(ask)
    process.kill()
    process.wait()
    assert all(map(gone, numbers))


def test_children_end_with_a_zygote_that_is_killed():
    zygote = Zygote(PROGRAM, {})
    child = zygote.fork({}, Fences())
    os.kill(zygote.process, signal.SIGKILL)
    assert gone(child.process)
    with pytest.raises(ModelsignError) as caught:
        add(child, 1)
    assert caught.value.code == "SANDBOX_ENDED"
    assert child.end() == "ended with its zygote"
    with pytest.raises(ModelsignError) as caught:
        zygote.fork({}, Fences())
    assert caught.value.code == "SANDBOX_UNAVAILABLE"
    assert zygote.closed


def test_it_serves_many_threads(zygote):
    def work(number):
        with zygote.fork({}, Fences()) as child:
            return [add(child, number, step) for step in range(10)]

    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(work, range(12)))
    assert found == [[number + step for step in range(10)] for number in range(12)]


def test_it_is_shared_and_started_anew_where_it_ended():
    first = shared(PROGRAM, {})
    assert shared(PROGRAM, {}) is first
    first.close()
    second = shared(PROGRAM, {})
    assert second is not first
    assert second.process != first.process
    second.close()


FORKS = """
import os
pid = os.fork()
if not pid:
    own = shared(PROGRAM, {})
    assert own is not zygote and own.process != zygote.process
    with own.fork({}, Fences()) as other:
        assert other.ask(REQUEST, most_bytes=99, seconds=60.0) == {"returned": 3}
    zygote.close()  # ends nothing: it is not this process's
    sys.exit(0)
assert os.waitpid(pid, 0)[1] == 0
assert child.ask(REQUEST, most_bytes=99, seconds=60.0) == {"returned": 3}
"""


def test_a_fork_of_the_parent_has_a_zygote_of_its_own_and_harms_no_other():
    forks = FORKS.replace("PROGRAM", repr(PROGRAM)).replace("REQUEST", "{'call': 'add_up', 'numbers': [1, 2]}")
    process, numbers = holder(forks)
    assert process.wait() == 0
    assert all(map(gone, numbers))


def test_it_starts_where_standard_streams_are_closed(tmp_path):
    program = HOLDS_A_CHILD.replace("print(zygote.process, child.process, flush=True)", "").replace(
        "WHAT",
        f"said = child.ask({{'call': 'add_up', 'numbers': [1, 2]}}, most_bytes=99, seconds=60.0)\n"
        f"open({str(tmp_path / 'said')!r}, 'w').write(str(said))",
    )
    subprocess.run(["/bin/sh", "-c", '"$0" -c "$1" <&- >&- 2>&-', sys.executable, program], check=True)
    assert (tmp_path / "said").read_text(encoding="utf-8") == "{'returned': 3}"


def test_a_parent_that_ignores_its_children_may_have_one():
    ignoring = "signal.signal(signal.SIGCHLD, signal.SIG_IGN)"
    program = HOLDS_A_CHILD.replace("import os", f"import signal; {ignoring}; import os").replace(
        "WHAT", "assert child.end() == 'SIGKILL'; zygote.close()"
    )
    subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("executable", ["", "/nowhere/python", "/bin/true"])
def test_without_an_interpreter_there_is_none_and_that_is_told(executable, monkeypatch):
    before = descriptors()
    monkeypatch.setattr(sys, "executable", executable)
    with pytest.raises(ModelsignError) as caught:
        Zygote(PROGRAM, {}).fork({}, Fences())
    assert caught.value.code == "SANDBOX_UNAVAILABLE"
    assert descriptors() == before


def test_a_program_packed_into_one_file_is_not_started_again(monkeypatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    with pytest.raises(ModelsignError) as caught:
        Zygote(PROGRAM, {})
    assert caught.value.code == "SANDBOX_UNAVAILABLE"
