"""A zygote whose children try what a confined process must not be able to do; run by a path, as the scanner's is.

Each request names a function below, which is called with the request and the descriptors; what it returns, or the
error it ends in, is the answer.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path


def read_passwd(_, __):
    return Path("/etc/passwd").read_text(encoding="utf-8")


def list_root(_, __):
    return [entry.name for entry in Path("/").iterdir()]


def write_file(request, _):
    Path(request["path"]).write_text("written", encoding="utf-8")


def make_temporary_file(_, __):
    return tempfile.mkstemp()[1]


def open_own_memory(_, __):
    return len(Path("/proc/self/mem").read_bytes())


def make_memory_file(_, __):
    return os.memfd_create("x")


def remove_file(request, _):
    Path(request["path"]).unlink()


def change_mode(request, _):
    Path(request["path"]).chmod(0o777)


def make_folder(request, _):
    Path(request["path"] + ".d").mkdir()


def open_socket(_, __):
    return socket.socket(socket.AF_INET).fileno()


def open_unix_socket(_, __):
    return socket.socketpair()[0].fileno()


def execute(_, __):
    os.execv("/bin/true", ["/bin/true"])


def spawn(_, __):
    return subprocess.run(["/bin/true"], check=True).returncode


def fork(_, __):
    child = os.fork()
    if not child:
        os._exit(0)
    return child


def start_thread(_, __):
    threading.Thread(target=time.time).start()


def kill_parent(_, __):
    os.kill(os.getppid(), signal.SIGKILL)


def trace_parent(_, __):
    library = ctypes.CDLL(None, use_errno=True)
    if library.ptrace(16, 1, 0, 0):  # PTRACE_ATTACH
        raise OSError(ctypes.get_errno(), "ptrace")


def executable_memory(_, __):
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)


def read_descriptor(_, descriptors):
    return os.pread(descriptors[0], 100, 0).decode()


def write_descriptor(_, descriptors):
    return os.write(descriptors[0], b"changed")


def add_up(request, _):
    return sum(request["numbers"])


def allocate(request, _):
    return len(bytearray(request["bytes"]))


def spin(_, __):
    while True:
        pass


def sleep(_, __):
    time.sleep(3600)


def read_null_pointer(_, __):
    return ctypes.string_at(0)


def abort(_, __):
    os.abort()


def talk(request, _):
    return "x" * request["characters"]


def environment(_, __):
    return sorted(os.environ)


def open_descriptors(_, __):
    """Found by trying: a confined process cannot list them."""
    found = []
    for number in range(256):
        try:
            os.fstat(number)
        except OSError:
            continue
        found.append(number)
    return found


def count_aloud(request, _, tell):
    for number in range(request["numbers"]):
        tell(number)
    return "done"


def answer(request, descriptors, tell):
    function = globals()[request["call"]]
    try:
        told = (tell,) if function is count_aloud else ()
        return {"returned": function(request, descriptors, *told)}
    except OSError as fault:
        return {"refused": fault.strerror or type(fault).__name__}
    except RuntimeError as fault:  # what threading makes of a refusal
        return {"refused": str(fault)}


def begin(configuration):
    if configuration.get("begins") == "badly":
        raise ValueError("begins badly")
    return answer


if __name__ == "__main__":
    sys.path.append(str(Path(__file__).parents[2] / "src"))
    from modelsign.sandbox.serving import serve

    serve(begin)
