"""A token that stands among the arguments is refused, and is not shown a second time."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest
from commandline import modelsign
from papersigstore import Paper
from refusals import build

if TYPE_CHECKING:
    from pathlib import Path

VALID = {"start": "2020-01-01T00:00:00Z"}
SERVICE = {"url": "https://service.example", "majorApiVersion": 1, "validFor": VALID, "operator": "one"}
CONFIG = {
    "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
    **{name: [SERVICE] for name in ("caUrls", "oidcUrls", "rekorTlogUrls", "tsaUrls")},
    **{name: {"selector": "ANY"} for name in ("rekorTlogConfig", "tsaConfig")},
}


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


@pytest.mark.parametrize("form", ["{}.{}.c2ln", "{}.{}.c2lnbg==", " {}.{}.c2ln", "{}.{}.c2ln\n", "{}.{}"])
def test_a_token_among_the_arguments_is_never_repeated(tmp_path: Path, form: str) -> None:
    build(tmp_path / "model", {"config.json": "{}"})
    (tmp_path / "root.json").write_text(json.dumps(Paper().trust_root()))
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    token = form.format(part({"alg": "RS256"}).rstrip("="), part({"iss": "https://i.example", "sub": "me"}))
    where = ("--trusted-root", "root.json", "--signing-config", "config.json")
    words = ("sign", "model", "--keyless", *where, "--identity-token", token, "--yes", "--format", "json")
    answer = modelsign(*words, cwd=tmp_path)
    assert (answer.exit_code, answer.codes) == (2, ["USAGE"])
    assert part({"iss": "https://i.example", "sub": "me"}) not in answer.stdout + answer.stderr
