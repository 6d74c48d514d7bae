"""What every test runs under: hypothesis profiles, a clean environment, and no silent skips in CI."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

import loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

    from certificatelab import Lab

settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile("ci", max_examples=100, deadline=None, derandomize=True, print_blob=True)
settings.register_profile(
    "fuzz", max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev"))

LIGHT = os.environ.get("MODELSIGN_TESTS") == "light"
_LINES = (Path(__file__).parent / "allowed-skips.txt").read_text(encoding="utf-8").splitlines()
ALLOWED = tuple(
    line.removeprefix("light: ").strip()
    for line in _LINES
    if line.strip() and not line.startswith("#") and (LIGHT or not line.startswith("light: "))
)

_skipped: dict[str, str] = {}


@pytest.fixture(scope="session")
def running_sigstore(tmp_path_factory: pytest.TempPathFactory) -> Iterator[loopback.LoopbackSigstore]:
    """One Sigstore on loopback for all tests of a process."""
    reason = loopback.unavailable()
    if reason is not None:
        pytest.skip(reason)
    with loopback.running(tmp_path_factory.mktemp("sigstore")) as sigstore:
        yield sigstore


@pytest.fixture
def sigstore(running_sigstore: loopback.LoopbackSigstore) -> loopback.LoopbackSigstore:
    """The Sigstore on loopback, well-behaved and without memory of what was asked."""
    running_sigstore.reset()
    return running_sigstore


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember every skip and its reason."""
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        _skipped[report.nodeid] = reason


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """A module that skips itself as a whole counts too."""
    if report.skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        _skipped[report.nodeid] = reason


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a skip that nobody allowed is a failure."""
    if os.environ.get("CI") != "true" or hasattr(session.config, "workerinput"):
        return
    refused = {node: why for node, why in _skipped.items() if not any(allowed in why for allowed in ALLOWED)}
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    for node, why in refused.items():
        terminal.write_line(f"skipped in CI, and not in tests/allowed-skips.txt: {node}: {why}", red=True)
    if refused and session.exitstatus == 0:
        session.exitstatus = 1


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """Authorities made by openssl, once for all tests of a run."""
    from certificatelab import Lab  # noqa: PLC0415 - only where certificates are tested

    return Lab(tmp_path_factory.mktemp("authorities"))
