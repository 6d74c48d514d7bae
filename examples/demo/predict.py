"""Name the species of an iris with a model that a policy allows: python predict.py MODEL CM CM CM CM."""

from __future__ import annotations

import sys

import modelsign

KEYS = {"signers": "release.pub", "builders": "builder.pub", "scanners": "scanner.pub"}
SPECIES = ("setosa", "versicolor", "virginica")


def predict(path: str, *measures: float) -> str:
    """Return the species by the lengths and widths of sepal and petal, in centimetres."""
    model = modelsign.load(path, policy="policy.yaml", parameters=KEYS)
    return SPECIES[model.predict([measures])[0]]


if __name__ == "__main__":
    try:
        print(predict(sys.argv[1], *map(float, sys.argv[2:])))
    except modelsign.ModelsignError as refusal:
        sys.exit(f"{refusal.code}: {refusal}")
