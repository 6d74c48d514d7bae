"""Runs the command line in this process, as a user would see it."""

from __future__ import annotations

import io
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

from modelsign.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Answered:
    """What one run of the command line left behind."""

    exit_code: int
    out: bytes
    stderr: str

    @property
    def stdout(self) -> str:
        return self.out.decode("utf-8")

    @property
    def document(self) -> Any:
        """The JSON document on stdout; exactly one."""
        return json.loads(self.stdout)

    @property
    def codes(self) -> list[str]:
        """The reason codes of the JSON document."""
        return [reason["code"] for reason in self.document["reasons"]]


def modelsign(
    *arguments: str | os.PathLike[str],
    environ: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    cwd: str | os.PathLike[str] | None = None,
) -> Answered:
    """Run ``modelsign`` with these arguments; ``environ`` is added to the environment."""
    stdout, stderr = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
    before = Path.cwd()
    fed = io.TextIOWrapper(io.BytesIO(stdin), "utf-8")
    try:
        if cwd is not None:
            os.chdir(cwd)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MODELSIGN_")}
        with (
            mock.patch.dict(os.environ, {**kept, **(environ or {})}, clear=True),
            mock.patch.object(sys, "stdin", fed),
            redirect_stdout(stdout),
            redirect_stderr(stderr),
        ):
            exit_code = main([os.fspath(argument) for argument in arguments])
            stdout.flush()
            stderr.flush()
    finally:
        os.chdir(before)
    return Answered(exit_code, stdout.buffer.getvalue(), stderr.buffer.getvalue().decode("utf-8"))
