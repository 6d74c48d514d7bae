"""PEFT: adapters of each method on a tiny model, as it saves them and their states.

Left out are whole adapted models kept by torch.save, whose classes nobody has reviewed.
"""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import peft
import torch
import transformers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MODULES = ("peft", "transformers", "torch")


def _methods() -> dict[str, Any]:
    """Return configurations that have not all methods of every version, by name."""
    linear: dict[str, Any] = {"target_modules": ["query", "value"]}
    prompt: dict[str, Any] = {"task_type": "FEATURE_EXTRACTION", "num_virtual_tokens": 2}
    wanted: dict[str, dict[str, Any]] = {
        "LoraConfig": linear,
        "AdaLoraConfig": {**linear, "total_step": 10},
        "IA3Config": {**linear, "feedforward_modules": []},
        "PromptTuningConfig": prompt,
        "PrefixTuningConfig": prompt,
        "PromptEncoderConfig": {**prompt, "encoder_hidden_size": 4},
    }
    others = ("LoHaConfig", "LoKrConfig", "OFTConfig", "BOFTConfig", "VeraConfig", "LNTuningConfig", "FourierFTConfig")
    wanted.update(dict.fromkeys(others, linear))
    wanted["LNTuningConfig"] = {"target_modules": ["LayerNorm"]}
    return {name: getattr(peft, name)(**given) for name, given in wanted.items() if hasattr(peft, name)}


def files(chosen: Callable[[str], bool]) -> Iterator[tuple[str, Path | str]]:
    """Yield each adapter's folder."""
    logging.disable(logging.WARNING)
    sizes = transformers.BertConfig(
        vocab_size=64, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16
    )
    with tempfile.TemporaryDirectory() as scratch:
        for name, method in _methods().items():
            if not chosen(name):
                continue
            folder = Path(scratch) / name
            try:
                model = peft.get_peft_model(transformers.BertForMaskedLM(sizes), method)
                model.save_pretrained(folder)
                torch.save(peft.get_peft_model_state_dict(model), folder / "adapter_model.bin")
            except (ValueError, TypeError, ImportError, AttributeError) as fault:
                yield name, f"{type(fault).__name__}: {str(fault)[:100]}"
            else:
                yield name, folder
