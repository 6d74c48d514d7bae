"""TensorFlow checkpoints: the index is read entry by entry, shards are numbers, and the state file stays at home."""

from __future__ import annotations

import model_files
import pytest
import tensorflowbytes as tf

from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file


def scan(data, name="variables.index"):
    return scan_file(BytesReading(data), name)


@pytest.mark.parametrize("name", model_files.GOOD["tensorflow-checkpoint"])
def test_good_checkpoints_are_clean(name):
    result = scan(model_files.GOOD["tensorflow-checkpoint"][name], name)
    assert (result.format, result.outcome) == ("tensorflow-checkpoint", "clean")


def test_an_index_is_recognised_by_content():
    assert scan(tf.index(), "anything").format == "tensorflow-checkpoint"


BAD = {
    "another size": tf.entry(size=9),
    "a shard that is not there": tf.entry(shard=1),
    "a negative size": tf.entry(kind=7, size=-1),
    "an offset that overflows": tf.entry(offset=2**63 - 2),
    "a shape that overflows": tf.entry(dims=(2**40, 2**40), size=8),
    "a negative shape": tf.entry(dims=(-1,), size=0),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_entries_must_agree(bad):
    result = scan(tf.index({b"a": tf.entry(), b"b": bad}))
    assert {finding.rule for finding in result.findings} == {"tensorflow-checkpoint-entry"}
    assert result.outcome == "incomplete"


def test_a_compressed_block_or_another_table_is_unsupported():
    assert scan(tf.index(compressed=1)).outcome == "unsupported"


def test_damage_anywhere_has_an_answer():
    data = tf.index({b"model/%d" % number: tf.entry() for number in range(20)})
    for at in range(len(data)):
        flipped = data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]
        scan(flipped)
        scan(data[at:])


def test_a_shard_is_numbers_and_a_payload_in_it_counts():
    name = "variables/variables.data-00000-of-00001"
    assert scan(bytes(range(256)) * 4, name).outcome == "clean"
    assert scan(model_files.EVIL, name).outcome == "unsafe"
    assert scan(model_files.archive({"a.pkl": model_files.EVIL}), name).outcome == "unsafe"
    assert scan(b"import os\n", name).outcome == "unsupported"
    assert scan(b"\x7fELF" + bytes(60), name).outcome == "unsafe"


def test_the_state_file_names_a_checkpoint_beside_it():
    good = 'model_checkpoint_path: "ckpt-1"\nall_model_checkpoint_paths: "ckpt-1"\nlast_preserved_timestamp: 1.5e9\n'
    assert scan(good.encode(), "checkpoint").outcome == "clean"
    assert scan(b'model_checkpoint_path: "/other/ckpt"', "a/checkpoint").outcome == "unverified"
    assert scan(b"model_checkpoint_path: other", "checkpoint").outcome == "unsupported"
