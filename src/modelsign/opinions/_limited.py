"""Runs another program, given as the first argument, within bounds on memory and time; a program of its own.

Started by ``opinions/asking.py``. Bounds that a system does not have are left out: the parent's clock holds anyway.
"""

from __future__ import annotations

import runpy
import sys

_MEMORY = 8 * 1024 * 1024 * 1024
_FILE = 4 * 1024 * 1024 * 1024
_SECONDS = 3600


def main() -> None:
    """Set the bounds."""
    try:
        import resource  # noqa: PLC0415 - not on every system
    except ImportError:
        return
    bounds = [
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_FSIZE, _FILE),
        (resource.RLIMIT_CPU, _SECONDS),
    ]
    for kind, most in bounds:
        hard = resource.getrlimit(kind)[1]
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(kind, (bound, bound))
        except (OSError, ValueError):
            continue


if __name__ == "__main__":
    main()
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
