"""What lists of packages do when somebody installs what they name."""

from __future__ import annotations

from typing import Final

from modelsign.verdict import Outcome, Rule, Severity

__all__ = ["ELSEWHERE", "PACKAGES"]

_REFERENCES: Final = ("https://pip.pypa.io/en/stable/reference/requirements-file-format/",)
PACKAGES: Final = Rule(
    "packages-to-install",
    "the model names packages to install",
    Severity.LOW,
    Outcome.UNVERIFIED,
    "Installing what the file names runs code of those packages, in the versions that happen to be published then. "
    "Loading the model does not install them; tools such as MLflow do.",
    "Install only packages you know, from a lock file with digests.",
    _REFERENCES,
)
ELSEWHERE: Final = Rule(
    "packages-from-elsewhere",
    "the model names packages from a place of its own",
    Severity.HIGH,
    Outcome.UNVERIFIED,
    "The list installs from a URL, a repository, another index or a file, which is in the hands of whoever runs that "
    "place; a further index can replace packages of the same name.",
    "Install from indexes and versions of your own choice.",
    (*_REFERENCES, "CVE-2018-20225"),
)
