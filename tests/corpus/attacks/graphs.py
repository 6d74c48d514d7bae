"""Graphs of operators: TensorFlow, ONNX, GGUF, and what else runs without Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flatbytes as fb
import ggufbytes
import model_files
import onnxbytes as ox
import ordinary_files
import r_files
import tensorflowbytes as tf
from ggufbytes import F32, gguf

from attacks.attack import Attack

if TYPE_CHECKING:
    from attacks.attack import File

_SYSTEM = "tensorflow-operator-dangerous"


def _external(**values: str) -> File:
    return "model.onnx", ox.model(tensors=(ox.tensor(external=values),))


def _onnx(identifier: str, what: str, location: str) -> Attack:
    return Attack(identifier, what, lambda: _external(location=location), "onnx-external-path")


def _gguf(identifier: str, what: str, data: bytes, *also: str) -> Attack:
    return Attack(identifier, what, lambda: ("model.gguf", data), "gguf-overflow", also=also)


def _graph(identifier: str, what: str, operator: str) -> Attack:
    return Attack(
        identifier, what, lambda: ("saved_model.pb", tf.saved_model(tf.graph(tf.node("x", operator)))), _SYSTEM
    )


ATTACKS: tuple[Attack, ...] = (
    _graph("ReadFile and WriteFile", "operators of TensorFlow read and write files when the graph runs", "WriteFile"),
    _graph("PyFunc", "an operator of TensorFlow calls Python", "PyFunc"),
    _onnx("CVE-2022-25882", "the numbers of a tensor stand in a file that its path leads to", "../../../../etc/passwd"),
    _onnx("CVE-2024-27318", "the check of that path was on its beginning alone", "a/../../secret"),
    _onnx("CVE-2025-51480", "saving a model writes the file that the path leads to", "/etc/cron.d/job"),
    _onnx("CVE-2026-27489", "the path leads through a symbolic link", "link/../../secret"),
    _onnx("CVE-2026-34446", "the path is a hard link, or spelt for Windows", "..\\..\\secret"),
    _onnx("CVE-2026-34447", "the path ends early for one of two readers", "weights.bin\0.txt"),
    Attack(
        "CVE-2026-34445",
        "a key of a tensor's external data sets an attribute of the object that holds it",
        lambda: _external(location="w.bin", __class__="x"),
        "onnx-external-key",
    ),
    Attack(
        "CVE-2024-34359",
        "a chat template in a GGUF file is rendered outside of a sandbox",
        lambda: ("model.gguf", gguf(template="{{ ().__class__.__base__.__subclasses__() }}")),
        "jinja-escape",
    ),
    _gguf(
        "CVE-2025-53630",
        "the sum of the tensors' sizes overflows",
        gguf(tensors=[("a", (2**61, 1), F32, 0), ("b", (2**60 - 8,), F32, 2**63 - 2**32)], data=b""),
    ),
    _gguf(
        "CVE-2026-27940",
        "the sum overflows with the padding, which the first repair had left out",
        gguf(tensors=[("a", (2**60, 1), F32, 0), ("b", (2**60 - 8,), F32, 2**62)], data=b""),
        "GHSA-3p4r-fq3f-q74v",
    ),
    _gguf(
        "CVE-2026-33298",
        "the product of a tensor's dimensions overflows: little memory, and a tensor of exabytes",
        gguf(tensors=[("a", (2**31, 2**31, 8), F32, 0)], data=b""),
        "GHSA-96jg-mvhq-q7q7",
    ),
    _gguf("CVE-2024-21802", "the shape overflows", gguf(tensors=[("a", (2**32, 2**32), F32, 0)])),
    _gguf("CVE-2024-21836", "the number of tensors overflows", gguf(counts=(2**62, 0))),
    _gguf("CVE-2024-23605", "the number of entries overflows", gguf(counts=(0, 2**62))),
    _gguf(
        "CVE-2024-23496",
        "the length of a text overflows",
        b"GGUF\3\0\0\0" + bytes(8) + b"\1" + bytes(7) + b"\xff" * 8 + b"key",
    ),
    _gguf(
        "CVE-2024-21825",
        "the length of a list overflows",
        gguf(counts=(0, 1), entries=[])[:24]
        + ggufbytes.Writer().text("k")
        + b"\x09\0\0\0\x0c\0\0\0"
        + b"\xff" * 7
        + b"\x0f",
    ),
    Attack(
        "CVE-2026-7482",
        "a tensor's shape reaches beyond the file: a server gives away what lies in memory behind it",
        lambda: ("model.gguf", gguf(tensors=[("a", (1000,), F32, 0)])),
        "gguf-layout",
        outcome="incomplete",
        also=("Bleeding Llama",),
    ),
    Attack(
        "llamafile",
        "a program, an archive and a model in one file",
        lambda: ("model.llamafile", b"MZqFpD='\n" + bytes(55) + model_files.archive({"model.gguf": gguf()})),
        "ambiguous-format",
    ),
    *(
        Attack(
            identifier,
            what,
            lambda parts=parts: ("model.tflite", fb.build(fb.model(**parts))),
            "tflite-size",
            outcome="incomplete",
        )
        for identifier, what, parts in (
            ("CVE-2022-23558", "the size of an array in TensorFlow Lite overflows", {"tensor": {0: [2**31 - 1] * 4}}),
            ("CVE-2022-23559", "the product of the sizes of a look-up overflows", {"tensor": {0: [-1]}}),
            ("CVE-2022-23560", "an operator reads beyond its tensors", {"operator": {0: (4, 5)}}),
            ("CVE-2022-23561", "an operator writes beyond its tensors", {"tensor": {2: (4, 9)}}),
        )
    ),
    *(
        Attack(
            identifier,
            what,
            lambda parts=parts: ("model.pte", fb.program(**parts)),
            "executorch-index",
            outcome="incomplete",
        )
        for identifier, what, parts in (
            (
                "CVE-2025-30402",
                "ExecuTorch loads a method whose value is not there",
                {"call": (1, {0: (4, 0), 1: [2]})},
            ),
            (
                "CVE-2025-30405",
                "the sum of an offset and a size overflows",
                {"segments": [{0: (8, 2**64 - 1), 1: (8, 2)}]},
            ),
            ("CVE-2025-54949", "a tensor's shape overflows", {"values": [{0: (1, 5), 1: {2: [-2], 3: b"\0"}}]}),
            ("CVE-2025-54950", "a list leads to a value that is not there", {"values": [{0: (1, 10), 1: {0: [7]}}]}),
            ("CVE-2025-54951", "a segment lies behind the file", {"segments": [{0: (8, 0), 1: (8, 1)}]}),
            ("CVE-2025-54952", "an operator's number leads behind the list", {"call": (1, {0: (4, 1), 1: [0]})}),
        )
    ),
    Attack(
        "CVE-2024-27322",
        "a promise in R's serialisation is evaluated when the value is looked at",
        lambda: ("model.rds", r_files.write(r_files.promise(r_files.UNBOUND))),
        "rds-promise",
    ),
    Attack(
        "CVE-2023-47248",
        "PyArrow unpickles the metadata of a type of columns as soon as it reads a table",
        lambda: ("table.parquet", ordinary_files.parquet(ordinary_files.PICKLED_TYPE)),
        "arrow-pickled-type",
    ),
)
