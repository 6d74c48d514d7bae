"""A TUF repository on loopback, made by python-tuf, that can go back, expire, lie and go away."""

from __future__ import annotations

import functools
import hashlib
import http.server
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class TufRepository:
    """Metadata and targets below `folder`, signed by one key for all roles."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "targets").mkdir(parents=True)
        self.signer = CryptoSigner.generate_ecdsa()
        root = Root(consistent_snapshot=True, expires=_in_days(365))
        for role in ("root", "targets", "snapshot", "timestamp"):
            root.add_key(self.signer.public_key, role)
        self._write(root, "1.root.json")
        self.url = ""
        self.asked: list[str] = []

    @property
    def first_root(self) -> bytes:
        return (self.folder / "1.root.json").read_bytes()

    def publish(
        self, targets: Mapping[str, bytes], version: int, *, days: int = 1, signer: CryptoSigner | None = None
    ) -> None:
        """Publish targets; the timestamp expires in so many days, and is signed by `signer` if there is one."""
        listed = Targets(expires=_in_days(30), version=version)
        for name, data in targets.items():
            listed.targets[name] = TargetFile.from_data(name, data, ["sha256"])
            (self.folder / "targets" / f"{hashlib.sha256(data).hexdigest()}.{name}").write_bytes(data)
        self._write(listed, f"{version}.targets.json")
        snapshot = Snapshot(expires=_in_days(30), version=version)
        snapshot.meta["targets.json"] = MetaFile(version)
        self._write(snapshot, f"{version}.snapshot.json")
        timestamp = Timestamp(expires=_in_days(days), version=version)
        timestamp.snapshot_meta = MetaFile(version)
        self._write(timestamp, "timestamp.json", signer)

    def _write(self, signed: object, name: str, signer: CryptoSigner | None = None) -> None:
        metadata = Metadata(signed)
        metadata.sign(signer or self.signer)
        metadata.to_file(str(self.folder / name))

    @contextmanager
    def served(self) -> Iterator[None]:
        """Answer on loopback until the block ends; the URL stays the same when it is served again."""
        repository = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                repository.asked.append(self.path)

        port = int(self.url.rpartition(":")[2]) if self.url else 0
        handler = functools.partial(Handler, directory=str(self.folder))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def _in_days(days: int) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)
