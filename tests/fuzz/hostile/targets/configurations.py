"""Configuration files, and the metadata of TUF repositories; the network is left out."""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

from tuf.api.metadata import Metadata
from tufrepository import TufRepository

from hostile.target import Target
from hostile.targets.sigstores import root_seeds
from modelsign.cli import config
from modelsign.signing.sigstore.services.trust_updates import Repository, current_trust
from modelsign.transport import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

URL = "https://tuf.example"
COMMANDS, FLAGS = {"sign", "verify", "scan"}, {"format", "color", "no_progress", "quiet", "verbose", "key", "bundle"}


@cache
def folder(kind: str) -> Path:
    """Return a folder of this process, which goes with it."""
    made = tempfile.TemporaryDirectory(prefix=f"modelsign-fuzz-{kind}-")
    KEPT.append(made)
    return Path(made.name)


KEPT: list[tempfile.TemporaryDirectory[str]] = []


def configuration(data: bytes) -> object:
    path = folder("configuration") / "modelsign.toml"
    path.write_bytes(data)
    found = config.sources(named=str(path), environ={}, cwd="", user=False)
    return config.flag_defaults(found, command="verify", commands=COMMANDS, flags=FLAGS)


def discovered(data: bytes) -> object:
    path = folder("project") / "pyproject.toml"
    path.write_bytes(data)
    found = config.sources(named=None, environ={}, cwd=str(path.parent), user=False)
    return config.flag_defaults(found, command="verify", commands=COMMANDS, flags=FLAGS)


@cache
def repository() -> TufRepository:
    made = TufRepository(folder("repository"))
    made.publish({"trusted_root.json": root_seeds()[0]}, 1, days=3000)
    return made


def updated(document: str, data: bytes) -> object:
    """Bring a trust root up to date from a repository in which one document is these bytes."""
    place, copy = repository().folder, folder("copy")

    def send(_method: str, url: str, **_: object) -> Answer:
        name = url.removeprefix(f"{URL}/")
        if name == document:
            return Answer(200, {}, data)
        path = place / name
        return Answer(200, {}, path.read_bytes()) if path.is_file() else Answer(404, {}, b"")

    shutil.rmtree(copy)
    copy.mkdir()
    asked = Repository(URL, str(copy), repository().first_root)
    return current_trust(asked, SimpleNamespace(send=send, offline=False), now=datetime.now(UTC), max_age=timedelta(1))


def next_root() -> list[bytes]:
    root = Metadata.from_bytes(repository().first_root)
    root.signed.version = 2
    root.sign(repository().signer)
    return [root.to_bytes()]


def document(name: str) -> Callable[[], list[bytes]]:
    return lambda: [(repository().folder / name).read_bytes()]


CONFIGURATIONS = [
    b'format = "json"\nverbose = 1\nprogress = false\n[verify]\nkey = "k.pub"\n',
    b"color = 'never'\nquiet = true\n[sign]\n",
]
PROJECTS = [b'[project]\nname = "x"\n[tool.modelsign]\nformat = "json"\ncolor = "never"\n', b"[tool]\nmodelsign = 1\n"]

TARGETS = (
    Target("configuration", configuration, lambda: CONFIGURATIONS, "text"),
    Target("project-configuration", discovered, lambda: PROJECTS, "text"),
    Target("tuf-root", lambda data: updated("2.root.json", data), next_root),
    Target("tuf-timestamp", lambda data: updated("timestamp.json", data), document("timestamp.json")),
    Target("tuf-snapshot", lambda data: updated("1.snapshot.json", data), document("1.snapshot.json")),
    Target("tuf-targets", lambda data: updated("1.targets.json", data), document("1.targets.json")),
)
