"""What the tests need beside Python packages: Debian's packages, by the program that tells whether each is there.

``make test`` installs what is missing where it may (as root, with apt-get); elsewhere the tests that need a program
skip and say which. Under ``CI=true`` such a skip is a failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

PACKAGES = {
    "node": "nodejs",  # runs the Sigstore of the tests
    "npm": "npm",  # fetches what that is made of
    "openssl": "openssl",  # makes and verifies keys, certificates, timestamps
    "pkcs11-tool": "opensc",  # looks into tokens and signs with them
    "softhsm2-util": "softhsm2",  # a token in software
}
"""Program → Debian package."""


def main() -> int:
    """Install what is missing; never fail, as the tests that miss something say so themselves."""
    missing = sorted({package for program, package in PACKAGES.items() if shutil.which(program) is None})
    if not missing:
        return 0
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        print(f"== not installed, and not installable from here: {', '.join(missing)}", flush=True)
        return 0
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update"], ["install", "--yes", "--no-install-recommends", *missing]):
        command = ["apt-get", "-qq", *words]
        print("+", " ".join(command), flush=True)
        if subprocess.run(command, env=quiet, check=False, stdout=subprocess.DEVNULL).returncode:
            print(f"== could not install {', '.join(missing)}", flush=True)
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
