"""Runs the cases of a checkout of the OMS conformance suite and prints what became of each, with the reason.

    python tools/conformance/run_oms.py CHECKOUT [--markdown]

The suite itself looks at the exit status alone and runs with ``pytest test --entrypoint tools/conformance/oms``; this
says *why* a case was refused. Its cases, models and keys are read where they are and never copied into this project.
Round trips of the method sigstore need a Sigstore that can be signed with, and are left out here. Exit status 1 if a
case does not end as the suite expects.
"""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from oms_client import main as client

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Outcome(NamedTuple):
    """What became of one case; ``codes`` are the reasons, none where it was accepted."""

    name: str
    method: str
    wanted: bool
    accepted: bool
    codes: tuple[str, ...]

    @property
    def right(self) -> bool:
        """Whether that is what the suite expects."""
        return self.wanted is self.accepted


def run(checkout: Path) -> list[Outcome]:
    """Run every case that needs no service."""
    cases = checkout / "test/test-cases"
    verified = [_verify(checkout, case.parent) for case in sorted(cases.glob("verify/*/*/config.json"))]
    signed = [_round_trip(checkout, case.parent) for case in sorted(cases.glob("roundtrip/*/config.json"))]
    return [*verified, *(outcome for outcome in signed if outcome is not None)]


def _verify(checkout: Path, folder: Path) -> Outcome:
    case = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    with _model(checkout, folder, case) as model:
        status, codes = _run(_verifying(checkout, case, model, folder / "bundle.sig"))
    wanted = case.get("expect", "pass") == "pass"
    return Outcome(f"{folder.parent.name}/{folder.name}", case["method"], wanted, status == 0, codes)


def _round_trip(checkout: Path, folder: Path) -> Outcome | None:
    case = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if case["method"] == "sigstore":
        return None
    assets, signer = checkout / "test/assets", case["sign"]
    with _model(checkout, folder, case) as model:
        bundle = model / "bundle.sig" if case.get("sig_inside_model") else model.parent / "bundle.sig"
        words = ["sign-model", "--method", case["method"], "--model-path", str(model), "--output-bundle", str(bundle)]
        words += ["--private-key", str(assets / signer["private_key"]), *_ignoring(case, model)]
        words += ["--signing-cert", str(assets / signer["signing_cert"])] if "signing_cert" in signer else []
        status, codes = _run(words + _chain(assets, signer))
        if status == 0:
            if case["verify"].get("ignore_unsigned_files"):
                (model / "injected.bin").write_text("injected after signing\n", encoding="utf-8")
            status, codes = _run(_verifying(checkout, case, model, bundle))
    wanted = case.get("expect", "pass") == "pass"
    return Outcome(f"roundtrip/{folder.name}", case["method"], wanted, status == 0, codes)


@contextlib.contextmanager
def _model(checkout: Path, folder: Path, case: dict[str, Any]) -> Iterator[Path]:
    """Copy a case's model and change it as the case says."""
    root = folder if case.get("model_relative_to") == "test_dir" else checkout / "test/assets"
    source = root / case["model"]
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place) / (source.name if source.is_file() else "model")
        shutil.copy2(source, copy) if source.is_file() else shutil.copytree(source, copy)
        changes = case.get("model_modifications", {})
        for name, text in (changes.get("tamper", {}) | changes.get("inject", {})).items():
            (copy / name).write_text(text, encoding="utf-8")
        for name in changes.get("delete", []):
            (copy / name).unlink(missing_ok=True)
        for name, target in changes.get("symlinks", {}).items():
            (copy / name).symlink_to(target)
        yield copy


def _verifying(checkout: Path, case: dict[str, Any], model: Path, bundle: Path) -> list[str]:
    assets, asked = checkout / "test/assets", case["verify"]
    words = ["verify-model", "--method", case["method"], "--model-path", str(model), "--bundle", str(bundle)]
    words += ["--public-key", str(assets / asked["public_key"])] if "public_key" in asked else []
    for name in ("identity", "identity_provider"):
        words += [f"--{name.replace('_', '-')}", asked[name]] if name in asked else []
    words += ["--ignore-unsigned-files"] if asked.get("ignore_unsigned_files") else []
    return words + _chain(assets, asked) + _ignoring(case, model)


def _chain(assets: Path, block: dict[str, Any]) -> list[str]:
    return [word for path in block.get("cert_chain", []) for word in ("--cert-chain", str(assets / path))]


def _ignoring(case: dict[str, Any], model: Path) -> list[str]:
    root = model if model.is_dir() else model.parent
    return [word for path in case["verify"].get("ignore_paths", []) for word in ("--ignore-paths", str(root / path))]


def _run(words: Sequence[str]) -> tuple[int, tuple[str, ...]]:
    said, warned = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(warned):
        status = client(words)
        said.flush()
    answer = json.loads(said.buffer.getvalue() or "{}")  # type: ignore[attr-defined] # BytesIO has it
    return status, tuple(reason["code"] for reason in answer.get("reasons", []))


def main(arguments: Sequence[str]) -> int:
    """Print the outcomes; as a table where ``--markdown`` asks for one."""
    if not arguments:
        print(__doc__)
        return 2
    outcomes = run(Path(arguments[0]))
    if "--markdown" in arguments:
        print("| case | method | must | reasons |\n| --- | --- | --- | --- |")
        for outcome in outcomes:
            codes = ", ".join(f"`{code}`" for code in outcome.codes)
            wrong = "" if outcome.right else " **wrong**"
            print(f"| {outcome.name} | {outcome.method} | {'verify' if outcome.wanted else 'fail'}{wrong} | {codes} |")
    else:
        for outcome in outcomes:
            mark = "ok  " if outcome.right else "WRONG"
            print(f"{mark} {outcome.name}: {', '.join(outcome.codes) or 'accepted'}")
    right = sum(outcome.right for outcome in outcomes)
    print(f"\n{right} of {len(outcomes)} as the suite expects", file=sys.stderr)
    return 0 if right == len(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
