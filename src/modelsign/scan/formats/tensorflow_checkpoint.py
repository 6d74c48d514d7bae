"""TensorFlow checkpoints: the index, the shards of numbers, and the little text file that names the newest.

The index is a table of tensors by name, each with its type, shape and place in a shard; all of it is read and the sizes
must agree. Shards are numbers without structure of their own, known by their names alone; what any other reader finds
in their bytes counts all the same. Nothing in a checkpoint is run. Restoring checks checksums; a scan does not.

Source: ``tensorflow/core/protobuf/tensor_bundle.proto`` and ``core/util/tensor_bundle`` of TensorFlow 2.21.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from modelsign.scan import sniff
from modelsign.scan.format import Format, Inspection
from modelsign.scan.frameworks.sstable import Compressed, entries, is_table
from modelsign.scan.relative import why_escapes
from modelsign.scan.rules import BROKEN, UNSUPPORTED
from modelsign.scan.syntax import protobuf
from modelsign.scan.syntax.protobuf import Handler, Walk
from modelsign.scan.syntax.wire import Malformed
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.artifact.reading import Reading
    from modelsign.scan.syntax.protobuf import Values
    from modelsign.verdict import Finding

__all__ = ["FORMAT"]

_REFERENCE: Final = ("https://www.tensorflow.org/guide/checkpoint",)
ENTRY: Final = Rule(
    "tensorflow-checkpoint-entry",
    "a tensor's entry in the checkpoint contradicts itself",
    Severity.HIGH,
    Outcome.INCOMPLETE,
    "Type and shape call for another number of bytes than the entry gives, a size is negative or overflows, or the "
    "shard does not exist. Restoring such an entry reads the wrong bytes.",
    "Fetch the checkpoint again, or ask its author to save it again.",
    _REFERENCE,
)
ELSEWHERE: Final = Rule(
    "tensorflow-checkpoint-elsewhere",
    "the file that names the newest checkpoint points out of its folder",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "`tf.train.latest_checkpoint` follows the path in this file, so that weights from another place than this model "
    "would be restored.",
    "Delete the file, or restore the checkpoint by its own name.",
    _REFERENCE,
)
_SHARD: Final = re.compile(r"\.data-\d{5}-of-\d{5}(?:\.tempstate\d+)?")
_STATE_LINE: Final = re.compile(
    r'(?:(?:all_)?model_checkpoint_paths?: "(?P<path>[^"\\]*)"'
    r"|(?:all_model_checkpoint_timestamps|last_preserved_timestamp): [0-9.e+-]+)?"
)
_STATE_BYTES: Final = 1024 * 1024
_BITS: Final[Mapping[int, int]] = {
    1: 32, 2: 64, 3: 32, 4: 8, 5: 16, 6: 8, 8: 64, 9: 64, 10: 8, 11: 8, 12: 8, 13: 32, 14: 16, 15: 16, 16: 16, 17: 16,
    18: 128, 19: 16, 22: 32, 23: 64, 24: 8, 25: 8, 26: 8, 27: 8, 28: 8,
}  # fmt: skip
"""Bits of one number of each type (``types.proto``) that is stored as such; text and variants are not."""
_MOST: Final = 2**63 - 1
_MOST_FINDINGS: Final = 20


def _recognise(reading: Reading, name: str) -> bool:
    return reading.size > 0 and (is_table(reading) or _SHARD.search(name) is not None or _is_state(name))


def _is_state(name: str) -> bool:
    return name.rsplit("/", 1)[-1] == "checkpoint"


def _scan(reading: Reading, name: str) -> Inspection:
    if is_table(reading):
        return _scan_index(reading)
    if _is_state(name):
        return _scan_state(reading)
    return Inspection(readable=not sniff.is_text(reading) and sniff.by_content(reading) is None)


def _scan_state(reading: Reading) -> Inspection:
    data = reading.read_at(0, _STATE_BYTES)
    text = data.decode("utf-8", "replace")
    matches = [_STATE_LINE.fullmatch(line) for line in text.splitlines()]
    if len(data) != reading.size or not all(matches):
        return Inspection(readable=False)
    paths = dict.fromkeys(match["path"] for match in matches if match and match["path"])
    findings = tuple(
        ELSEWHERE.finding(f"{path[:200]!r}: {reason}") for path in paths if (reason := why_escapes(path)) is not None
    )
    return Inspection(readable=True, findings=findings[:_MOST_FINDINGS])


@dataclass(slots=True)
class _Entry:
    """What one value of the index says; one for each walk."""

    shards: int | None = None
    faults: list[str] = field(default_factory=list)

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "tensorflow.BundleHeaderProto": Handler(frozenset({"num_shards"}), self._header),
            "tensorflow.BundleEntryProto": Handler(
                frozenset({"dtype", "shape", "shard_id", "offset", "size", "slices"}), self._entry
            ),
            "tensorflow.TensorSliceProto": Handler(frozenset(), lambda _: True),
            "tensorflow.TensorShapeProto": Handler(
                frozenset({"dim", "unknown_rank"}), lambda values: values.all("dim")
            ),
            "tensorflow.TensorShapeProto.Dim": Handler(
                frozenset({"size"}), lambda values: (values.signed("size") or [0])[-1]
            ),
        }

    def _header(self, values: Values) -> None:
        self.shards = (values.signed("num_shards") or [0])[-1]

    def _entry(self, values: Values) -> None:
        shard, offset, size = ((values.signed(name) or [0])[-1] for name in ("shard_id", "offset", "size"))
        if shard < 0 or (self.shards is not None and shard >= self.shards):
            self.faults.append(f"shard {shard} of {self.shards}")
        if min(offset, size) < 0 or offset + size > _MOST:
            self.faults.append("place and size overflow")
        count = 1
        for length in values.last("shape", []):
            count *= length
            if length < 0 or count > _MOST:
                self.faults.append("the shape is negative or overflows")
                return
        bits = _BITS.get(values.last("dtype", 0))
        if bits is not None and not values.all("slices") and count * bits // 8 != size:
            self.faults.append(f"type and shape call for {count * bits // 8} bytes, the entry has {size}")


def _scan_index(reading: Reading) -> Inspection:
    """Read every entry; the one with the empty name is the header."""
    findings: dict[Finding, None] = {}
    entry = _Entry()
    walk = Walk(reading, "tensorflow", entry.handlers())
    try:
        for key, place in entries(reading):
            walk.run("tensorflow.BundleEntryProto" if key else "tensorflow.BundleHeaderProto", place)
            for fault in entry.faults:
                if len(findings) < _MOST_FINDINGS:
                    findings.setdefault(ENTRY.finding(f"{key[:100]!r}: {fault}", offset=place.start))
            entry.faults.clear()
    except Malformed as fault:
        findings.setdefault(BROKEN.finding(f"the index: {fault}"))
    except Compressed:
        findings.setdefault(UNSUPPORTED.finding("a block of the index is compressed, which cannot be judged yet"))
    if entry.shards is None:
        return Inspection(readable=True, findings=(*findings, UNSUPPORTED.finding("a LevelDB table without a header")))
    return Inspection(readable=True, findings=(*walk.findings(), *findings))


FORMAT = Format(
    id="tensorflow-checkpoint",
    title="TensorFlow checkpoint",
    description="The index of a checkpoint, its shards of numbers, and the file that names the newest.",
    recognise=_recognise,
    scan=_scan,
    extensions=(".index",),
    rules=(ENTRY, ELSEWHERE, UNSUPPORTED, *protobuf.RULES),
)
