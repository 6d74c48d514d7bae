"""``modelsign doctor``: what this installation can and cannot do, and how to get what is missing.

Looks at the interpreter, the installed distributions and the kernel. Touches no network and changes nothing.
"""

from __future__ import annotations

import os
import platform
import sys
from typing import TYPE_CHECKING, Final

from modelsign.cli.command import define
from modelsign.reasons import ExitStatus
from modelsign.verdict import Answer, Report

if TYPE_CHECKING:
    from modelsign.cli.command import Session

__all__ = ["command"]

_OLDEST: Final = (3, 11)
_LANDLOCK_CREATE_RULESET: Final = 444
_LANDLOCK_VERSION_QUERY: Final = 1


@define("doctor", examples=("modelsign doctor", "modelsign doctor --format json"), formats=("text", "json"))
def command(session: Session) -> Report:
    """Say what this installation can and cannot do.

    Exits 0 if everything the core needs is there, 3 if something is missing; extras are optional.
    """
    checks = [_interpreter(), *_distributions(), _post_quantum(), _memfd(), _landlock(), *_places(session)]
    broken = [check for check in checks if check["state"] == "broken"]
    width = max(len(check["name"]) for check in checks)
    lines = [f"{check['state']:<7} {check['name']:<{width}}  {check['observed']}" for check in checks]
    lines += [f"\n{check['name']}: {check['advice']}" for check in checks if check["advice"]]
    status = ExitStatus.UNDECIDED if broken else ExitStatus.OK
    reasons: tuple[Answer, ...] = ()
    if broken:
        from modelsign.errors import error

        missing = ", ".join(check["name"] for check in broken)
        reasons = (Answer.of(error("INSTALLATION_BROKEN", f"missing or too old: {missing}")),)
    return Report(session.command, status, body={"checks": checks}, reasons=reasons, text="\n".join(lines) + "\n")


def _check(name: str, observed: str, *, state: str = "ok", advice: str = "") -> dict[str, str]:
    return {"name": name, "state": state, "observed": observed, "advice": advice}


def _interpreter() -> dict[str, str]:
    observed = f"{platform.python_implementation()} {platform.python_version()} ({sys.executable})"
    if sys.version_info[:2] < _OLDEST:
        return _check("python", observed, state="broken", advice="modelsign needs Python 3.11 or newer.")
    return _check("python", observed)


def _distributions() -> list[dict[str, str]]:
    """Compare what is installed with what this distribution declares, extras included."""
    from importlib import metadata

    from modelsign._version import __version__

    checks = [_check("modelsign", __version__)]
    try:
        declared = metadata.requires("modelsign") or []
    except metadata.PackageNotFoundError:
        advice = "Install it with pip; a bare source tree has no list of dependencies."
        return [_check("modelsign", f"{__version__}, not installed", state="absent", advice=advice)]
    for line in declared:
        wanted, extra = _parsed(line)
        if extra not in ("dev", "test", "demo", "all") and not wanted.startswith("modelsign"):
            checks.append(_distribution(wanted, extra, marker=line.partition(";")[2]))
    return checks


def _parsed(line: str) -> tuple[str, str | None]:
    """Split a requirement into what is wanted and the extra that wants it."""
    wanted, _, marker = line.partition(";")
    _, found, rest = marker.partition("extra ==")
    return wanted.strip(), rest.strip().strip("\"')") if found else None


def _distribution(wanted: str, extra: str | None, *, marker: str) -> dict[str, str]:
    from importlib import metadata

    name = wanted
    for stop in "<>=!~[ ":
        name = name.partition(stop)[0]
    bound = wanted.removeprefix(name).strip()
    label = f"{name} [{extra}]" if extra else name
    install = f"pip install 'modelsign[{extra}]'" if extra else "pip install --upgrade modelsign"
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        if 'python_version < "3.13"' in marker and sys.version_info >= (3, 13):
            advice = "It has no release for this Python; use 3.11 or 3.12 where you need it."
            return _check(label, "no release for this Python", state="absent", advice=advice)
        state = "absent" if extra else "broken"
        return _check(label, f"not installed (wanted {bound or 'any'})", state=state, advice=f"{install}")
    least = bound.partition(">=")[2].partition(",")[0].strip()
    if least and _numbers(version) < _numbers(least):
        return _check(label, f"{version}, wanted {bound}", state="broken", advice=f"{install}")
    return _check(label, version)


def _numbers(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version; enough to compare it with a lower bound of plain numbers."""
    parts = []
    for part in version.split("."):
        digits = "".join(character for character in part if character.isdigit())
        if not digits or not part[0].isdigit():
            break
        parts.append(int(digits))
    while parts and parts[-1] == 0:
        parts.pop()
    return tuple(parts)


def _post_quantum() -> dict[str, str]:
    """Whether the cryptography that is installed has ML-DSA; its name for it alone says nothing."""
    from modelsign.errors import ModelsignError
    from modelsign.signing.keys import generate

    try:
        generate("ml-dsa-65")
    except ModelsignError as fault:
        return _check("post-quantum keys", fault.message, state="absent", advice=fault.advice)
    except ImportError:
        return _check("post-quantum keys", "no cryptography", state="absent", advice="pip install --upgrade modelsign")
    return _check("post-quantum keys", "ML-DSA-65, ML-DSA-87")


def _memfd() -> dict[str, str]:
    """Whether the gate can keep a sealed copy of a model in memory."""
    import fcntl

    advice = "Loading through the gate needs Linux 3.17 or newer; signing, verifying, scanning and checking do not."
    if not hasattr(os, "memfd_create"):
        return _check("sealed memory", "not on this system", state="absent", advice=advice)
    try:
        descriptor = os.memfd_create("modelsign-doctor", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    except OSError as fault:
        return _check("sealed memory", fault.strerror or str(fault), state="absent", advice=advice)
    try:
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
    except OSError as fault:
        return _check("sealed memory", fault.strerror or str(fault), state="absent", advice=advice)
    finally:
        os.close(descriptor)
    return _check("sealed memory", "memfd with seals")


def _landlock() -> dict[str, str]:
    """Whether the kernel can confine the process that asks other scanners."""
    import ctypes

    advice = "Linux 5.13 or newer with Landlock switched on confines scans further; resource limits apply without it."
    if sys.platform != "linux":
        return _check("landlock", "not on this system", state="absent", advice=advice)
    version = ctypes.CDLL(None, use_errno=True).syscall(_LANDLOCK_CREATE_RULESET, None, 0, _LANDLOCK_VERSION_QUERY)
    if version < 1:
        return _check("landlock", os.strerror(ctypes.get_errno()), state="absent", advice=advice)
    return _check("landlock", f"ABI {version}")


def _places(session: Session) -> list[dict[str, str]]:
    from modelsign.cli import config
    from modelsign.errors import ModelsignError

    try:
        found = config.sources(named=None, environ=session.environ, cwd=session.cwd)
    except ModelsignError as fault:
        return [_check("configuration", fault.message, state="broken", advice=fault.advice)]
    if not found:
        return [_check("configuration", "none")]
    return [
        _check("configuration", f"{source.path}{' (found: presentation only)' if source.discovered else ''}")
        for source in found
    ]
