"""transformers: configurations of every model type, processors, tokenizers, tiny models, what its Trainer leaves.

No hub is asked: configurations and processors are made by their defaults, tokenizers trained on the spot.
"""

from __future__ import annotations

import io
import logging
import pickle
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tokenizers
import torch
import transformers
from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MODULES = ("transformers", "tokenizers", "torch")
_TEXT = ["the quick brown fox jumps over the lazy dog", "hello world, this is a test.", "Zwölf Boxkämpfer"] * 30
_SPECIAL = ["<unk>", "<s>", "</s>", "<pad>", "<mask>", "[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
_PROCESSORS = ("ImageProcessor", "ImageProcessorFast", "FeatureExtractor", "VideoProcessor")
_TEMPLATE = "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + eos_token }}{% endfor %}"
_SIZES: dict[str, int] = {
    "vocab_size": 64, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16,
    "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 32, "n_embd": 16, "n_layer": 1, "n_head": 2,
    "d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2, "num_layers": 1,
    "decoder_attention_heads": 2, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16, "d_ff": 16, "d_kv": 8, "num_heads": 2,
    "dim": 16, "n_layers": 1, "n_heads": 2, "ffn_dim": 16, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
_MODELS = (
    "bert", "distilbert", "roberta", "gpt2", "llama", "mistral", "qwen2", "gemma", "phi", "opt", "t5", "bart", "albert",
    "electra", "gpt_neox", "bloom", "falcon", "mamba", "mpt", "qwen3", "mixtral", "deberta-v2",
)  # fmt: skip
_Made = tuple[str, "bytes | Path | str"]


def _attempt(name: str, save: Callable[[Path], Any], scratch: Path) -> Iterator[_Made]:
    """Yield the folder that something saves itself in, or why it does not."""
    folder = scratch / name
    folder.mkdir(parents=True)
    try:
        save(folder)
    except (Exception, SystemExit) as fault:  # noqa: BLE001 - what wants arguments or other libraries is told
        yield name, f"{type(fault).__name__}: {str(fault).strip()[:100]}"
    else:
        yield name, folder


def _configurations(chosen: Callable[[str], bool], scratch: Path) -> Iterator[_Made]:
    def save(kind: str, folder: Path) -> None:
        configuration = transformers.AutoConfig.for_model(kind)
        configuration.save_pretrained(folder)
        transformers.GenerationConfig.from_model_config(configuration).save_pretrained(folder)

    for kind in filter(chosen, sorted(CONFIG_MAPPING_NAMES)):
        yield from _attempt(f"configuration-{kind}", lambda folder, kind=kind: save(kind, folder), scratch)


def _classes(ends: tuple[str, ...], chosen: Callable[[str], bool]) -> list[str]:
    return [
        one for one in sorted(dir(transformers)) if one.endswith(ends) and not one.startswith("Auto") and chosen(one)
    ]


def _processors(chosen: Callable[[str], bool], scratch: Path) -> Iterator[_Made]:
    for name in _classes(_PROCESSORS, chosen):

        def save(folder: Path, name: str = name) -> None:
            getattr(transformers, name)().save_pretrained(folder)

        yield from _attempt(name, save, scratch)


def _trained() -> dict[str, Any]:
    """Return a tokenizer of each kind."""
    models, trainers, splitters = tokenizers.models, tokenizers.trainers, tokenizers.pre_tokenizers
    unknown = {"unk_token": "[UNK]"}
    special: dict[str, Any] = {"special_tokens": _SPECIAL}
    unigram = trainers.UnigramTrainer(vocab_size=100, **special, **unknown)
    kinds = {
        "bytes": (models.BPE(), splitters.ByteLevel(), trainers.BpeTrainer(vocab_size=400, **special)),
        "words": (models.WordLevel(**unknown), splitters.Whitespace(), trainers.WordLevelTrainer(**special)),
        "pieces": (models.WordPiece(**unknown), splitters.BertPreTokenizer(), trainers.WordPieceTrainer(**special)),
        "unigram": (models.Unigram(), splitters.Metaspace(), unigram),
    }
    made = {}
    for name, (model, splitter, trainer) in kinds.items():
        one = tokenizers.Tokenizer(model)
        one.pre_tokenizer = splitter
        one.train_from_iterator(_TEXT, trainer)
        made[name] = one
    return made


def _tokenizers(chosen: Callable[[str], bool], scratch: Path) -> Iterator[_Made]:
    trained = _trained()
    for name, one in trained.items():
        yield f"tokenizer-{name}.json", one.to_str().encode()
        yield f"tokenizer-{name}.pkl", pickle.dumps(one)
    for name in _classes(("Tokenizer", "TokenizerFast"), chosen):

        def save(folder: Path, name: str = name) -> None:
            cls = getattr(transformers, name)
            made = cls(tokenizer_object=trained["bytes"]) if name.endswith("Fast") else cls()
            made.chat_template = _TEMPLATE
            made.save_pretrained(folder)

        yield from _attempt(name, save, scratch)


def _models(chosen: Callable[[str], bool], scratch: Path) -> Iterator[_Made]:
    for kind in filter(chosen, _MODELS):

        def save(folder: Path, kind: str = kind) -> None:
            configuration = transformers.AutoConfig.for_model(kind)
            for key, value in _SIZES.items():
                if hasattr(configuration, key):
                    setattr(configuration, key, value)
            model = transformers.AutoModel.from_config(configuration)
            model.save_pretrained(folder)
            torch.save(model.state_dict(), folder / "pytorch_model.bin")
            torch.save(model, folder / "whole.pt")

        yield from _attempt(f"model-{kind}", save, scratch)


class _Numbers(torch.utils.data.Dataset[Any]):
    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> Any:
        return {"input_ids": torch.tensor([1, 2, 3]), "labels": torch.tensor(index % 2)}


def _training(scratch: Path) -> Iterator[_Made]:
    for schedule, optimizer in (("linear", "adamw_torch"), ("cosine", "adafactor"), ("constant", "sgd")):

        def save(folder: Path, schedule: str = schedule, optimizer: str = optimizer) -> None:
            sizes = {
                key: _SIZES[key] for key in ("vocab_size", "hidden_size", "num_hidden_layers", "intermediate_size")
            }
            configuration = transformers.BertConfig(num_attention_heads=2, **sizes)
            arguments = transformers.TrainingArguments(
                output_dir=str(folder), max_steps=4, save_steps=2, logging_steps=1, report_to=[], disable_tqdm=True,
                lr_scheduler_type=schedule, optim=optimizer, per_device_train_batch_size=2,
            )  # fmt: skip
            model = transformers.BertForSequenceClassification(configuration)
            trainer = transformers.Trainer(model=model, args=arguments, train_dataset=_Numbers())
            trainer.train()
            trainer.save_model()
            trainer.save_state()

        yield from _attempt(f"training-{schedule}", save, scratch)
    saved = io.BytesIO()
    torch.save(transformers.Seq2SeqTrainingArguments(output_dir=str(scratch / "x"), report_to=[]), saved)
    yield "training_args.bin", saved.getvalue()


def files(chosen: Callable[[str], bool]) -> Iterator[_Made]:
    """Yield everything."""
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as scratch:
        yield from _configurations(chosen, Path(scratch))
        yield from _processors(chosen, Path(scratch))
        yield from _tokenizers(chosen, Path(scratch))
        yield from _models(chosen, Path(scratch))
        yield from _training(Path(scratch))
