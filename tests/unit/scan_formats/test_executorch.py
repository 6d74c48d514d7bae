"""ExecuTorch programs: operators by list, delegates by what is known of them, every index and segment in bounds."""

from __future__ import annotations

import pytest
from flatbytes import Wide, build, program
from packed_files import EVIL

from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file
from modelsign.verdict import Outcome

XNNPACK = b"\0\0\0\0XH00" + bytes(40)


def scanned(data, name="model.pte"):
    return scan_file(BytesReading(data), name)


def rules(data):
    return {finding.rule for finding in scanned(data).findings}


def delegate(name, location=1, index=0):
    return {0: name, 1: {0: (1, location), 1: (4, index)}}


def lowered(name, blob):
    """A program whose one delegate has its blob in a segment."""
    data = program(delegates=[delegate(name)], segments=[{0: (8, 0), 1: (8, len(blob))}])
    return data + blob


@pytest.mark.parametrize("name", ["model.pte", "file", "README.md"])
def test_a_program_of_known_operators_is_clean(name):
    scan = scanned(program(), name)
    assert (scan.format, scan.outcome, scan.findings) == ("executorch", Outcome.CLEAN, ())


@pytest.mark.parametrize(
    "operator",
    ["aten::convolution", "executorch_prim::et_view", "quantized_decomposed::add", "llama::sdpa_with_kv_cache"],
)
def test_operators_that_are_registered_are_known(operator):
    assert rules(program(operator=operator)) == set()


@pytest.mark.parametrize("operator", ["mine::op", "aten::from_file", "aten::save", "add", ""])
def test_other_operators_are_unverified(operator):
    assert rules(program(operator=operator)) == {"executorch-operator-unknown"}


def test_xnnpack_s_graph_is_known_and_other_delegates_are_not():
    assert rules(lowered("XnnpackBackend", XNNPACK)) == set()
    assert rules(lowered("XnnpackBackend", bytes(60))) == {"executorch-delegate"}
    assert rules(lowered("QnnBackend", XNNPACK)) == {"executorch-delegate"}


@pytest.mark.parametrize("name", ["CudaBackend", "MetalBackend"])
def test_a_delegate_that_brings_a_native_library_is_unsafe(name):
    scan = scanned(lowered(name, b"\x7fELF" + bytes(60)))
    assert scan.outcome is Outcome.UNSAFE
    assert "executorch-native-library" in {finding.rule for finding in scan.findings}


def test_a_payload_among_the_numbers_is_unsafe():
    assert scanned(lowered("XnnpackBackend", EVIL.ljust(60, b"."))).outcome is Outcome.UNSAFE


@pytest.mark.parametrize(
    "data",
    [
        program(segments=[{0: (8, 0), 1: (8, 1)}]),
        program(segments=[{0: (8, 2**64 - 1), 1: (8, 2)}]),
        program(call=(1, {0: (4, 1), 1: [0]})),
        program(call=(1, {0: (4, -1), 1: [0]})),
        program(call=(1, {0: (4, 0), 1: [2]})),
        program(call=(1, {0: (4, 0), 1: [-1]})),
        program(call=(2, {0: (4, 0), 1: []})),
        program(call=(3, {0: (4, 0), 1: (4, 9)})),
        program(call=(4, {0: (4, 0), 1: (4, 5)})),
        program(call=(5, {0: (4, 7)})),
        program(call=(9, {})),
        program(values=[{0: (1, 5), 1: {2: [-2], 3: b"\0"}}]),
        program(values=[{0: (1, 5), 1: {2: [2], 3: b"\5"}}]),
        program(values=[{0: (1, 5), 1: {2: [2], 3: b"\0", 5: (4, 9)}}]),
        program(values=[{0: (1, 10), 1: {0: [7]}}]),
        program(extra={7: [{0: "w", 1: (4, 3)}]}),
        program(extra={5: {0: (4, 3), 1: Wide([0])}}),
        program(delegates=[delegate("XnnpackBackend", 0, 5)]),
    ],
)
def test_what_leads_behind_a_list_or_the_file_is_incomplete_cve_2025_54949_to_54952(data):
    assert "executorch-index" in rules(data)


def test_the_mark_alone_and_the_name_alone_are_incomplete():
    assert rules(b"\0\0\0\0ET12") == {"broken-format"}
    assert rules(b"none") == {"broken-format"}
    assert rules(build({}, b"ET12")) == set()


def test_every_truncation_and_flipped_bit_has_an_answer():
    data = lowered("XnnpackBackend", XNNPACK)
    for cut in range(len(data)):
        scanned(data[:cut], "file")
    for place in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[place // 8] ^= 1 << place % 8
        scanned(bytes(flipped), "file")
