"""An application with two ways to its model: python app.py gated|forgotten MODEL SIGNERS."""

from __future__ import annotations

import sys

import preload_hook
from joblib import load as forgotten_load

preload_hook.install()


def main(way: str, path: str, signers: str) -> None:
    """Load the model and say how many coefficients it has."""
    if way == "gated":
        model = preload_hook.load(path, policy="baseline", parameters={"signers": signers})
    else:
        model = forgotten_load(path)
    print(f"{type(model).__name__} with {model.coef_.size} coefficients")


if __name__ == "__main__":
    main(*sys.argv[1:])
