"""all-MiniLM-L6-v2 as a small forward pass over plain arrays: what a sentence means, as 384 numbers.

BERT (Devlin et al., 2018) with mean pooling and unit length, as the model's own ``modules.json`` asks for. It needs
the tensors and the tokenizer of the model, no framework, and no network.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import erf
from tokenizers import Tokenizer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Array = NDArray[np.float32]


class MiniLM:
    """A sentence encoder made from the bytes of a model folder."""

    def __init__(self, tensors: Mapping[str, Array], config: bytes, tokenizer: bytes) -> None:
        """Take the tensors by name, ``config.json`` and ``tokenizer.json``."""
        settings = json.loads(config)
        self.tensors = tensors
        self.layers: int = settings["num_hidden_layers"]
        self.heads: int = settings["num_attention_heads"]
        self.epsilon: float = settings["layer_norm_eps"]
        self.tokenizer = Tokenizer.from_str(tokenizer.decode("utf-8"))
        self.tokenizer.no_padding()

    def encode(self, sentence: str) -> Array:
        """Return the sentence's embedding, of length one."""
        ids = self.tokenizer.encode(sentence).ids
        states = (
            self.tensors["embeddings.word_embeddings.weight"][ids]
            + self.tensors["embeddings.position_embeddings.weight"][: len(ids)]
            + self.tensors["embeddings.token_type_embeddings.weight"][0]
        )
        states = self._norm(states, "embeddings.LayerNorm")
        for layer in range(self.layers):
            states = self._layer(states, f"encoder.layer.{layer}")
        mean = states.mean(axis=0)
        return mean / np.linalg.norm(mean)

    def _layer(self, states: Array, name: str) -> Array:
        attended = self._dense(self._attention(states, f"{name}.attention.self"), f"{name}.attention.output.dense")
        states = self._norm(states + attended, f"{name}.attention.output.LayerNorm")
        inner = self._dense(states, f"{name}.intermediate.dense")
        inner = inner * 0.5 * (1 + erf(inner / np.sqrt(2)))
        return self._norm(states + self._dense(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm")

    def _attention(self, states: Array, name: str) -> Array:
        words, width = states.shape
        query, key, value = (
            self._dense(states, f"{name}.{part}").reshape(words, self.heads, -1).swapaxes(0, 1)
            for part in ("query", "key", "value")
        )
        scores = query @ key.swapaxes(1, 2) / np.sqrt(width // self.heads)
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        return (weights @ value).swapaxes(0, 1).reshape(words, width)

    def _dense(self, states: Array, name: str) -> Array:
        return states @ self.tensors[f"{name}.weight"].T + self.tensors[f"{name}.bias"]

    def _norm(self, states: Array, name: str) -> Array:
        centred = states - states.mean(axis=-1, keepdims=True)
        scaled = centred / np.sqrt(centred.var(axis=-1, keepdims=True) + self.epsilon)
        return scaled * self.tensors[f"{name}.weight"] + self.tensors[f"{name}.bias"]
