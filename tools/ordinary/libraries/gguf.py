"""GGUF: a file of every architecture and kind of number, as its own writer writes them; both byte orders, parts."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gguf
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MODULES = ("gguf",)
_TEMPLATE = (
    "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)


def _written(writer: Any) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _model(path: Path, architecture: str, **options: Any) -> None:
    writer = gguf.GGUFWriter(str(path), architecture, **options)
    writer.add_name(architecture)
    writer.add_block_count(2)
    writer.add_context_length(128)
    writer.add_embedding_length(32)
    writer.add_head_count(4)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(["<s>", "a", "ü"])
    writer.add_token_scores([0.0, 1.0, 2.0])
    writer.add_token_types([3, 1, 1])
    writer.add_chat_template(_TEMPLATE)
    writer.add_license("mit")
    writer.add_tags(["a", "b"])
    writer.add_array("x.y", [1, 2, 3])
    writer.add_bool("z", val=True)
    for block in range(4):
        writer.add_tensor(f"blk.{block}.attn_q.weight", np.ones((32, 32), "f4"))
        writer.add_tensor(f"blk.{block}.attn_k.weight", np.ones((32, 32), "f2"))
    _written(writer)


def _numbers(path: Path, kind: Any) -> None:
    elements, size = gguf.GGML_QUANT_SIZES[kind]
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_quantization_version(2)
    writer.add_tensor("w", np.zeros((2, 256 // elements * size), "u1"), raw_dtype=kind)
    _written(writer)


def files(chosen: Callable[[str], bool]) -> Iterator[tuple[str, bytes | str]]:
    """Yield everything."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for architecture in filter(chosen, gguf.MODEL_ARCH_NAMES.values()):
            _model(folder / f"{architecture}.gguf", architecture)
        for kind in gguf.GGMLQuantizationType:
            if chosen(kind.name):
                try:
                    _numbers(folder / f"numbers-{kind.name}.gguf", kind)
                except (ValueError, NotImplementedError) as fault:
                    yield f"numbers-{kind.name}.gguf", f"{type(fault).__name__}: {fault}"
        for order in gguf.GGUFEndian:
            _model(folder / f"order-{order.name}.gguf", "llama", endianess=order)
        _model(folder / "parts.gguf", "llama", split_max_tensors=3)
        for path in sorted(folder.iterdir()):
            yield path.name, path.read_bytes()
