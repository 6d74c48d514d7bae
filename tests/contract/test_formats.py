"""Every file format keeps the contract of ``scan/format.py``: described, fixtured, total, bounded, deterministic."""

from __future__ import annotations

import contextlib
import re
import sys
import tracemalloc

import model_files
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from modelsign.artifact.reading import BLOCK, BytesReading
from modelsign.errors import ModelsignError
from modelsign.opinions.opinion import RULES as OPINION_RULES
from modelsign.scan.engine import formats, scan_file
from modelsign.scan.formats import _index
from modelsign.scan.rules import ENGINE_RULES
from modelsign.verdict import Outcome, Rule

IDS = _index.IDS
KNOWN = {rule.id: rule for entry in formats() for rule in entry.rules} | {rule.id: rule for rule in ENGINE_RULES}
SAMPLES = [data for files in (*model_files.GOOD.values(), *model_files.BAD.values()) for data in files.values()]
NEVER_CLEAN = {"executable", "notebook", "python", "script"}
"""Formats of which no file is clean: programs."""
QUIET = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
MEMORY_FACTOR = 40
MEMORY_BASE = 8 * 1024 * 1024


@pytest.mark.parametrize("member_id", IDS)
def test_the_descriptor_says_what_it_is(member_id):
    entry = _index.load(member_id)
    assert entry.id == member_id
    assert re.fullmatch(r"[a-z0-9-]+", entry.id)
    assert entry.title
    assert entry.description.endswith(".")
    assert sys.modules[entry.scan.__module__].__doc__
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in entry.extensions)
    assert set(entry.refines) <= set(IDS)


@pytest.mark.parametrize("member_id", IDS)
def test_it_has_good_and_bad_files(member_id):
    assert model_files.GOOD[member_id] or member_id in NEVER_CLEAN
    assert model_files.BAD[member_id]


@pytest.mark.parametrize("rule", [*KNOWN.values(), *OPINION_RULES], ids=lambda rule: rule.id)
def test_a_rule_has_a_page_s_worth_of_words(rule):
    assert isinstance(rule, Rule)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", rule.id)
    assert rule.title
    assert rule.title[0].islower()
    assert len(rule.description) > 60
    assert rule.description.endswith(".")
    assert rule.advice.endswith(".")


def test_no_two_rules_share_an_id():
    rules = {rule for entry in formats() for rule in entry.rules} | set(ENGINE_RULES) | set(OPINION_RULES)
    assert len({rule.id for rule in rules}) == len(rules)


@pytest.mark.parametrize("member_id", IDS)
def test_its_findings_come_from_its_own_rules(member_id):
    entry = _index.load(member_id)
    allowed = {rule.id for rule in entry.rules}
    for name, data in {**model_files.GOOD[member_id], **model_files.BAD[member_id]}.items():
        for cut in (len(data), len(data) // 2, 9, 1):
            reading = BytesReading(data[:cut])
            if entry.recognise(reading, name):
                assert {finding.rule for finding in entry.scan(reading, name).findings} <= allowed


def total(data, name):
    """Ask every reader and the engine; nothing but an answer or a ModelsignError may come out."""
    reading = BytesReading(data)
    for entry in formats():
        with contextlib.suppress(ModelsignError):
            entry.recognise(reading, name)
            entry.scan(reading, name)
    result = scan_file(reading, name)
    assert {finding.rule for finding in result.findings} <= KNOWN.keys()
    assert result == scan_file(BytesReading(data), name)
    return result


@pytest.mark.parametrize("member_id", IDS)
def test_every_truncation_has_an_answer(member_id):
    for name, data in {**model_files.GOOD[member_id], **model_files.BAD[member_id]}.items():
        steps = range(0, len(data), max(1, len(data) // 60))
        for cut in steps:
            total(data[:cut], name)


@seed(20260101)
@QUIET
@given(
    sample=st.sampled_from(SAMPLES),
    edits=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255), st.sampled_from("xid")), max_size=8),
    name=st.sampled_from(["model.pt", "a.npy", "a.npz", "m.safetensors", "config.json", "README.md", "x", "a.gz"]),
)
def test_every_mutation_has_an_answer(sample, edits, name):
    data = bytearray(sample[:20_000])
    for place, value, kind in edits:
        at = place % (len(data) + 1)
        if kind == "x" and at < len(data):
            data[at] = value
        elif kind == "i":
            data[at:at] = bytes([value]) * (1 + value % 9)
        else:
            del data[at : at + value]
    total(bytes(data), name)


@seed(20260102)
@QUIET
@given(
    data=st.binary(max_size=400),
    head=st.sampled_from([b"", b"PK\x03\x04", b"\x93NUMPY\x01\x00", b"\x1f\x8b\x08", b"x\x9c", b"{", b"\x80\x04"]),
)
def test_any_bytes_have_an_answer(data, head):
    total(head + data, "file")


@pytest.mark.parametrize("member_id", IDS)
def test_memory_is_bounded_by_the_input(member_id):
    for name, data in {**model_files.GOOD[member_id], **model_files.BAD[member_id]}.items():
        scan_file(BytesReading(data), name)  # tables and modules are loaded once
        tracemalloc.start()
        scan_file(BytesReading(data), name)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak <= MEMORY_BASE + 8 * BLOCK + MEMORY_FACTOR * len(data), name


def test_a_bad_file_is_bad_for_every_name_and_a_name_never_helps():
    names = ["README.md", "config.json", "model.safetensors", "a.npy", "a.pt", "x.py", "x.yaml", "archive.zip"]
    for files in model_files.BAD.values():
        for own, data in files.items():
            wanted = scan_file(BytesReading(data), "plain").outcome
            ranks = list(Outcome)
            for name in names:
                got = scan_file(BytesReading(data), name).outcome
                assert ranks.index(got) >= ranks.index(wanted) or wanted is Outcome.UNSUPPORTED, (own, name)
