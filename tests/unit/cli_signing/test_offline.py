"""``--offline`` opens no socket, for whatever way to sign."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
from commandline import modelsign
from refusals import build

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "uri", ["hashivault://release", "awskms:///alias/release", "azurekms://v.vault.azure.net/release"]
)
def test_no_service_is_asked_for_its_key_and_no_credentials_are_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uri: str
) -> None:
    def forbidden(*_: object, **__: object) -> None:
        pytest.fail("a socket was opened")

    monkeypatch.setattr(socket, "socket", forbidden)
    monkeypatch.setattr(socket, "create_connection", forbidden)
    build(tmp_path / "model", {"config.json": "{}"})
    answer = modelsign(
        *("sign", "model", "--kms", uri, "--offline", "--format", "json", "--no-config"),
        cwd=tmp_path,
        environ={"VAULT_ADDR": "http://127.0.0.1:9", "VAULT_TOKEN": "a token"},
    )
    assert (answer.exit_code, answer.codes) == (2, ["NETWORK_OFFLINE"])
    assert not (tmp_path / "model/model.sig").exists()
