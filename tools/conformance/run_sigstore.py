"""Runs every verification vector of a checkout of sigstore/sigstore-conformance and prints what became of each.

    python tools/conformance/run_sigstore.py CHECKOUT [--markdown]

The vectors themselves are never copied. Exit status 1 if one that must verify does not, or the other way round.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import sys
from pathlib import Path
from typing import NamedTuple

from sigstore_client import main as client

_REPOSITORY = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon"
IDENTITY = f"{_REPOSITORY}/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main"
ISSUER = "https://token.actions.githubusercontent.com"


class Outcome(NamedTuple):
    """What became of one vector; ``code`` is None where it was accepted."""

    name: str
    form: str
    code: str | None
    message: str

    @property
    def right(self) -> bool:
        """Whether that is what its name says."""
        return (self.code is not None) == self.name.endswith("_fail")


def run(checkout: Path) -> list[Outcome]:
    """Run every vector by path and by digest, with the arguments that the suite itself gives (``test/client.py``)."""
    folder = checkout / "test/assets/bundle-verify"
    vectors = sorted(entry for entry in folder.iterdir() if entry.is_dir())
    return [_run(vector, form) for vector in vectors for form in ("PATH", "DIGEST")]


def _run(vector: Path, form: str) -> Outcome:
    artifact = vector / "artifact" if (vector / "artifact").exists() else vector.parent / "a.txt"
    arguments = ["verify-bundle", "--bundle", str(vector / "bundle.sigstore.json")]
    if (vector / "key.pub").exists():
        arguments += ["--key", str(vector / "key.pub")]
    else:
        arguments += ["--certificate-identity", _text(vector / "identity", IDENTITY)]
        arguments += ["--certificate-oidc-issuer", _text(vector / "issuer", ISSUER)]
    if (vector / "trusted_root.json").exists():
        arguments += ["--trusted-root", str(vector / "trusted_root.json")]
    digest = f"sha256:{hashlib.sha256(artifact.read_bytes()).hexdigest()}"
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        status = client([*arguments, digest if form == "DIGEST" else str(artifact)])
    code, _, message = said.getvalue().strip().partition(": ")
    return Outcome(vector.name, form, code if status else None, message)


def _text(path: Path, default: str) -> str:
    return path.read_text(encoding="utf-8").strip() if path.exists() else default


def _table(outcomes: list[Outcome]) -> str:
    """Return a table of the vectors, those by path; by digest the answers are the same or are named too."""
    lines = ["| vector | answer |", "| --- | --- |"]
    by_name: dict[str, list[str]] = {}
    for outcome in outcomes:
        by_name.setdefault(outcome.name, []).append(f"`{outcome.code}`" if outcome.code else "accepted")
    for name, answers in by_name.items():
        lines.append(f"| {name} | {' / '.join(dict.fromkeys(answers))} |")
    return "\n".join(lines)


if __name__ == "__main__":
    results = run(Path(sys.argv[1]))
    wrong = [outcome for outcome in results if not outcome.right]
    if "--markdown" in sys.argv:
        print(_table(results))
    else:
        for result in results:
            print(
                "ok   " if result.right else "WRONG",
                result.name,
                result.form,
                result.code or "accepted",
                result.message,
            )
    accepts = [outcome for outcome in results if not outcome.name.endswith("_fail")]
    right = sum(outcome.right for outcome in accepts)
    print(
        f"\naccepts {right}/{len(accepts)}, rejects {len(results) - len(accepts) - (len(wrong) - len(accepts) + right)}"
        f"/{len(results) - len(accepts)}"
    )
    sys.exit(bool(wrong))
