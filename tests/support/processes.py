"""Where the probing program lies, and waiting for processes to be gone."""

from __future__ import annotations

import os
from pathlib import Path
from time import monotonic, sleep

PROGRAM = str(Path(__file__).with_name("probe_program.py"))


def gone(process: int) -> bool:
    """Wait until a process is no more, not even as a zombie that nobody waits for but init."""
    until = monotonic() + 30
    while monotonic() < until:
        try:
            state = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z" and os.getpid() != 1 and _parent(process) != os.getpid():
            return True
        sleep(0.02)
    return False


def _parent(process: int) -> int:
    try:
        return int(Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[1])
    except OSError:
        return 0
