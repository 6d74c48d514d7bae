"""Name the species of an iris with a model that a policy allows: python predict.py MODEL POLICY SIGNERS CM CM CM CM."""

from __future__ import annotations

import sys

import modelsign

SPECIES = ("setosa", "versicolor", "virginica")


def predict(path: str, policy: str, signers: str, *measures: float) -> str:
    """Return the species by the lengths and widths of sepal and petal, in centimetres."""
    model = modelsign.load(path, policy=policy, parameters={"signers": signers})
    return SPECIES[model.predict([measures])[0]]


if __name__ == "__main__":
    print(predict(*sys.argv[1:4], *map(float, sys.argv[4:])))
