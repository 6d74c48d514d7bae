"""Brings the trust root and signing configuration of a Sigstore instance up to date, by TUF (its specification 1.0).

``python-tuf`` does the updating, over this project's transport, in a folder that the caller names. What was current
stays there, with the time when it was; without a network it is used as it is, and its age is told. For the public
instance there is at last the root that the installed ``sigstore`` package ships.

A repository that answers wrongly (signatures, a version that went back, metadata that expired) is refused, whatever
lies in the folder; only one that cannot be reached may be done without, and only if the caller bounds the age.
"""

# ruff: noqa: PLC0415
# tuf is imported when an update is wanted.

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign import files, limits, timestamp
from modelsign.errors import ModelsignError, error
from modelsign.signing.sigstore.services.signing_config import parse_signing_config
from modelsign.signing.sigstore.trust_root import DatedRoot, parse_trust_root, read_shipped_root
from modelsign.transport import check_url, server_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime, timedelta

    from modelsign.transport import Transport

__all__ = ["PUBLIC_GOOD", "Current", "Repository", "current_trust", "trust_at_hand"]

PUBLIC_GOOD: Final = "https://tuf-repo-cdn.sigstore.dev"
"""The repository of the public Sigstore instance."""
_ROOT: Final = "trusted_root.json"
_CONFIG: Final = "signing_config.v0.2.json"
_STAMP: Final = "refreshed"
_WHAT: Final = "TUF repository"


class Repository(NamedTuple):
    """A TUF repository: its URL, where its copy is kept, and the root metadata it is first trusted by.

    Without ``first_root`` it is the one shipped with ``sigstore``, which there is for the public instance alone.
    """

    url: str
    folder: str
    first_root: bytes | None = None


class Current(NamedTuple):
    """A trust root, and the signing configuration beside it, None where there is none."""

    dated: DatedRoot
    signing_config: Mapping[str, object] | None
    warnings: tuple[str, ...] = ()


def current_trust(
    repository: Repository, transport: Transport, *, now: datetime, max_age: timedelta | None = None
) -> Current:
    """Return what the repository says now.

    Where it cannot be reached, what is at hand is used if ``max_age`` is given and holds, and a warning says so.

    Raises:
        ModelsignError: ``TRUST_UPDATE_REFUSED``, ``TRUST_ROOT_UNKNOWN``, a reason of the transport, or one of the
            documents.

    """
    if transport.offline:
        return trust_at_hand(repository, now=now, max_age=max_age)
    check_url(repository.url, what=_WHAT)
    try:
        found = _update(repository, transport)
    except ModelsignError as fault:
        if fault.code not in _AWAY:
            raise
        if max_age is None:
            raise error(fault.code, fault.message, advice=_MEANWHILE) from fault
        at_hand = trust_at_hand(repository, now=now, max_age=max_age)
        note = f"the trust root was not brought up to date: {fault.message}"
        return at_hand._replace(warnings=(note, *at_hand.warnings))
    _write(_place(repository), _STAMP, timestamp.write(now).encode())
    return _read(found[_ROOT], found.get(_CONFIG), repository.url, now)


def trust_at_hand(repository: Repository, *, now: datetime, max_age: timedelta | None = None) -> Current:
    """Return what was current when the repository was last asked, or else what ``sigstore`` ships; opens no socket.

    Raises:
        ModelsignError: ``TRUST_ROOT_UNKNOWN`` where there is nothing, ``TRUST_ROOT_TOO_OLD``, or a reason of the
            documents.

    """
    folder = _place(repository)
    root = _kept(folder, _ROOT)
    if root is not None:
        current = _read(root, _kept(folder, _CONFIG), f"the copy of {repository.url}", _stamped(folder))
    elif repository.url.rstrip("/") == PUBLIC_GOOD:
        config = _shipped(repository.url, _CONFIG)
        current = Current(read_shipped_root(), None if config is None else parse_signing_config(config))
    else:
        raise error("TRUST_ROOT_UNKNOWN", f"there is no copy of {repository.url} on this machine")
    age = current.dated.check_age(now, max_age)
    told = "of unknown age" if age is None else f"{age.days} days old"
    return current._replace(
        warnings=(f"the trust root from {current.dated.place} is {told}", *current.dated.root.warnings)
    )


_AWAY: Final = frozenset(
    {"NETWORK_UNREACHABLE", "NETWORK_TIMEOUT", "NETWORK_BUSY", "NETWORK_SERVER_FAILED", "NETWORK_TLS_REFUSED"}
)
"""Reasons that say nothing of the repository but that it did not answer."""
_MEANWHILE: Final = (
    "Check the connection and try again; --max-root-age 7d takes a copy at hand up to that age, and `verify --offline` "
    "asks nobody."
)


def _update(repository: Repository, transport: Transport) -> dict[str, bytes]:
    """Refresh the copy and return its documents by name."""
    from tuf.api import exceptions
    from tuf.ngclient.updater import Updater

    from modelsign.signing.sigstore.services.tuf_fetcher import TransportFetcher

    first = repository.first_root or _shipped(repository.url, "root.json")
    if first is None:
        raise error("TRUST_ROOT_UNKNOWN", f"nothing says by which root {repository.url} is first trusted")
    folder = _place(repository)
    fetcher, found = TransportFetcher(transport), {}
    targets = f"{repository.url.rstrip('/')}/targets/"
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)  # noqa: PTH103 - strings, as python-tuf takes them
        with _alone(folder):
            updater = Updater(folder, repository.url, folder, targets, fetcher, bootstrap=first)
            updater.refresh()
            for name in (_ROOT, _CONFIG):
                target = updater.get_targetinfo(name)
                if target is not None:
                    path = updater.find_cached_target(target) or updater.download_target(target)
                    found[name] = files.read_bounded(path, limits.TRUST_ROOT_BYTES, what="trust document")
    except exceptions.DownloadError as fault:
        raise fetcher.fault or _refused(repository, fault) from None
    except (exceptions.RepositoryError, ValueError, LookupError, TypeError) as fault:
        raise _refused(repository, fault) from None
    except OSError as fault:
        raise error("OUTPUT_UNWRITABLE", f"the copy of {repository.url} in {folder}: {fault.strerror}") from None
    if _ROOT not in found:
        raise error("TRUST_UPDATE_REFUSED", f"the repository {repository.url} has no {_ROOT}")
    return found


@contextlib.contextmanager
def _alone(folder: str) -> Iterator[None]:
    """Keep other processes from updating the same copy meanwhile."""
    import fcntl

    with open(os.path.join(folder, ".lock"), "ab") as lock:  # noqa: PTH118, PTH123 - strings, as python-tuf takes them
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _read(root: bytes, config: bytes | None, place: str, as_of: datetime | None) -> Current:
    dated = DatedRoot(parse_trust_root(root), place, as_of)
    return Current(dated, None if config is None else parse_signing_config(config), dated.root.warnings)


def _place(repository: Repository) -> str:
    return os.path.join(repository.folder, hashlib.sha256(repository.url.rstrip("/").encode()).hexdigest()[:32])  # noqa: PTH118 - a string


def _kept(folder: str, name: str) -> bytes | None:
    path = os.path.join(folder, name)  # noqa: PTH118 - a string
    if not os.path.exists(path):  # noqa: PTH110 - same
        return None
    return files.read_bounded(path, limits.TRUST_ROOT_BYTES, what="trust document")


def _stamped(folder: str) -> datetime | None:
    data = _kept(folder, _STAMP)
    try:
        return None if data is None else timestamp.read(data.decode("ascii", "replace").strip())
    except ValueError:
        return None


def _write(folder: str, name: str, data: bytes) -> None:
    files.write_atomic(os.path.join(folder, name), data, force=True)  # noqa: PTH118 - a string


def _shipped(url: str, name: str) -> bytes | None:
    """Return a document of the public instance as the package ``sigstore`` ships it; None for another instance."""
    if url.rstrip("/") != PUBLIC_GOOD:
        return None
    from importlib.resources import files as resources
    from urllib.parse import quote

    try:
        return (resources("sigstore") / "_store" / quote(PUBLIC_GOOD, safe="") / name).read_bytes()
    except (FileNotFoundError, ModuleNotFoundError):
        return None


def _refused(repository: Repository, fault: Exception) -> ModelsignError:
    said = server_words(str(fault).encode("utf-8", "replace"))
    return error("TRUST_UPDATE_REFUSED", f"the repository {repository.url} is refused: {said or type(fault).__name__}")
