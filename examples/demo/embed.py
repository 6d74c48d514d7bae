"""Compare two sentences with a model that a policy allows: python embed.py MODEL SENTENCE SENTENCE."""

from __future__ import annotations

import sys

from minilm import MiniLM

import modelsign

KEYS = {"signers": "release.pub", "builders": "builder.pub", "scanners": "scanner.pub"}


def compare(path: str, first: str, second: str) -> float:
    """Return how near two sentences are: 1 for the same meaning, about 0 for none in common."""
    with modelsign.verified(path, policy="policy.yaml", parameters=KEYS) as model:
        tensors = model.load("model.safetensors")
        encoder = MiniLM(tensors, model.open("config.json").read(), model.open("tokenizer.json").read())
    return float(encoder.encode(first) @ encoder.encode(second))


if __name__ == "__main__":
    try:
        print(f"{compare(*sys.argv[1:]):.3f}")
    except modelsign.ModelsignError as refusal:
        sys.exit(f"{refusal.code}: {refusal}")
