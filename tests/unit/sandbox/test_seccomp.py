"""The filter, decided call by call for both architectures by a small interpreter of classic BPF."""

from __future__ import annotations

from struct import iter_unpack

import pytest

from modelsign.sandbox.seccomp import filter_program

ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050001, 0x80000000
X86_64, AARCH64, I386, ARM = 0xC000003E, 0xC00000B7, 0x40000003, 0x40000028
PROCESS = 4711
DENIED = {
    "open": (2, None),
    "openat": (257, 56),
    "openat2": (437, 437),
    "creat": (85, None),
    "execve": (59, 221),
    "execveat": (322, 281),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "connect": (42, 203),
    "bind": (49, 200),
    "fork": (57, None),
    "vfork": (58, None),
    "clone": (56, 220),
    "clone3": (435, 435),
    "kill": (62, 129),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "pidfd_send_signal": (424, 424),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "memfd_create": (319, 279),
    "unlinkat": (263, 35),
    "renameat2": (316, 276),
    "mkdirat": (258, 34),
    "linkat": (265, 37),
    "symlinkat": (266, 36),
    "fchmod": (91, 52),
    "fchown": (93, 55),
    "mount": (165, 40),
    "unshare": (272, 97),
    "setns": (308, 268),
    "prctl": (157, 167),
    "seccomp": (317, 277),
    "bpf": (321, 280),
    "io_uring_setup": (425, 425),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "ioctl": (16, 29),
    "prlimit64": (302, 261),
    "setuid": (105, 146),
    "shmget": (29, 194),
    "a call of the future": (900, 900),
}
ALLOWED = {"read": (0, 63), "pread64": (17, 67), "sendmsg": (46, 211), "exit_group": (231, 94), "brk": (12, 214)}


def decide(machine, number, arguments=(), *, audit=None):
    """Run the filter over one call, as the kernel does."""
    steps = list(iter_unpack("=HBBI", filter_program(machine, PROCESS)))
    audit = {"x86_64": X86_64, "aarch64": AARCH64}[machine] if audit is None else audit
    data = {0: number, 4: audit}
    for index, value in enumerate(arguments):
        data |= {16 + 8 * index: value & 0xFFFFFFFF, 20 + 8 * index: value >> 32}
    at, loaded = 0, 0
    while True:
        code, yes, no, value = steps[at]
        at += 1
        if code == 0x20:
            loaded = data.get(value, 0)
        elif code == 0x06:
            return value
        else:
            met = {0x15: loaded == value, 0x35: loaded >= value, 0x45: bool(loaded & value)}[code]
            at += yes if met else no


@pytest.mark.parametrize(("machine", "column"), [("x86_64", 0), ("aarch64", 1)])
@pytest.mark.parametrize("name", DENIED)
def test_a_call_that_reaches_out_is_refused(name, machine, column):
    number = DENIED[name][column]
    if number is not None:
        assert decide(machine, number) == REFUSE


@pytest.mark.parametrize(("machine", "column"), [("x86_64", 0), ("aarch64", 1)])
@pytest.mark.parametrize("name", ALLOWED)
def test_a_call_that_computes_is_allowed(name, machine, column):
    assert decide(machine, ALLOWED[name][column]) == ALLOW


@pytest.mark.parametrize(("machine", "numbers"), [("x86_64", (9, 10)), ("aarch64", (222, 226))])
def test_memory_can_be_had_but_not_executed(machine, numbers):
    for number in numbers:
        assert decide(machine, number, (0, 4096, 3)) == ALLOW
        assert decide(machine, number, (0, 4096, 5)) == REFUSE
        assert decide(machine, number, (0, 4096, 7)) == REFUSE


@pytest.mark.parametrize(("machine", "number"), [("x86_64", 234), ("aarch64", 131)])
def test_it_may_end_itself_and_nobody_else(machine, number):
    assert decide(machine, number, (PROCESS, PROCESS, 6)) == ALLOW
    assert decide(machine, number, (1, 1, 9)) == REFUSE


@pytest.mark.parametrize(("machine", "other"), [("x86_64", I386), ("x86_64", AARCH64), ("aarch64", ARM)])
def test_another_numbering_kills(machine, other):
    assert decide(machine, 0, audit=other) == KILL


def test_x32_kills():
    assert decide("x86_64", 0x40000000) == KILL
    assert decide("x86_64", 0x40000000 | 59) == KILL


def test_a_machine_whose_numbers_are_unknown_has_no_filter():
    with pytest.raises(OSError, match="riscv64 are not known"):
        filter_program("riscv64", PROCESS)
