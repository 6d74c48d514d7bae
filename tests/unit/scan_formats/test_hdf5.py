"""HDF5: every way out of the file is found, in files written by hand and by h5py; nothing else is said."""

from __future__ import annotations

import random
import struct

import hdf5_files as made
import model_files
import pytest

from modelsign import limits
from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file
from modelsign.scan.hdf5.walk import hdf5_of

PICKLE = b"cposix\nsystem\n(S'true'\ntR."
NUMBERS = [
    (1, b"\x02\x01\x00\x01" + struct.pack("<Q", 4)),
    (3, b"\x10\x08\x00\x00\x01\x00\x00\x00\x00\x00\x08\x00"),
    (5, b"\x03\x0a"),
]


def scan(data, name="model.h5"):
    return scan_file(BytesReading(data), name)


def rules(data):
    return {finding.rule for finding in scan(data).findings}


def dataset(*messages):
    place, raw = made.first(*NUMBERS, *messages)
    return made.hdf5(made.hard("d", place), objects=(raw,))


CONTIGUOUS = (8, b"\x03\x01" + made.NOWHERE + struct.pack("<Q", 4))
FILES = (7, b"\x01\0\0\0" + struct.pack("<HHQ", 1, 1, 0) + struct.pack("<QQQ", 0, 0, 4))
VIRTUAL = (8, b"\x04\x03" + struct.pack("<QI", 0, 1))
OUTSIDE = {
    "CVE-2026-1669 external link": (made.hdf5(made.external("w", "/etc/passwd")), "hdf5-external-file"),
    "CVE-2026-1669 external data files": (dataset(CONTIGUOUS, FILES), "hdf5-external-file"),
    "CVE-2026-1669 virtual dataset": (dataset(VIRTUAL), "hdf5-external-file"),
    "user-defined link": (made.hdf5(made.linked("u", 200, b"x")), "hdf5-user-link"),
    "filter plugin": (dataset((11, b"\x02\x01" + struct.pack("<HHHH", 32015, 0, 0, 0))), "hdf5-filter-plugin"),
    "metadata cache image": (made.hdf5(extension=[(24, bytes(17))]), "hdf5-unusual-metadata"),
    "file driver": (made.hdf5(extension=[(20, b"\0NCSAmult\0\0")]), "hdf5-unusual-metadata"),
    "shared messages": (made.hdf5(extension=[(15, b"\0" * 10)]), "hdf5-unusual-metadata"),
    "pickle in an attribute": (made.hdf5(made.text("CLASS", PICKLE)), "pickle-execute"),
    "pickled rows": (dataset(made.text("PSEUDOATOM", b"object")), "hdf5-pickled-objects"),
}


@pytest.mark.parametrize("case", OUTSIDE)
def test_what_leads_out_of_the_file_is_found(case):
    data, rule = OUTSIDE[case]
    assert rule in rules(data)


@pytest.mark.parametrize("case", [case for case in OUTSIDE if case.startswith("CVE")])
def test_what_opens_other_files_is_unsafe(case):
    result = scan(OUTSIDE[case][0], "weights.bin")
    assert (result.outcome, result.format) == ("unsafe", "hdf5")


def test_the_file_an_external_link_names_is_told():
    (finding,) = scan(OUTSIDE["CVE-2026-1669 external link"][0]).findings
    assert (finding.member, finding.message) == ("/w", "links to an object in the file '/etc/passwd'")


@pytest.mark.parametrize("name", model_files.GOOD["hdf5"])
def test_files_made_by_hand_are_clean_and_the_library_reads_them(name, tmp_path):
    h5py = pytest.importorskip("h5py", reason="h5py is not installed")
    data = model_files.GOOD["hdf5"][name]
    assert (scan(data, name).outcome, scan(data, name).format) == ("clean", "hdf5")
    path = tmp_path / "file.h5"
    path.write_bytes(data)
    with h5py.File(path) as opened:
        assert isinstance(list(opened), list)


@pytest.mark.parametrize("user_block", [512, 1024, 4096, 65536])
def test_a_superblock_behind_a_user_block_is_found(user_block):
    data = made.hdf5(made.external("w"), user_block=user_block)
    assert rules(data) == {"hdf5-external-file"}


def test_soft_links_and_cycles_end():
    place, raw = made.first(made.LINK_INFO, made.GROUP_INFO, made.hard("self", 48), made.linked("s", 1, b"/nowhere"))
    data = made.hdf5(made.hard("a", place), made.hard("b", place), objects=(raw,))
    assert scan(data).outcome == "clean"


def test_an_object_header_that_continues_in_itself_is_broken():
    place, raw = made.first((16, struct.pack("<QQ", 48, 60)))
    assert "broken-format" in rules(made.hdf5(made.hard("a", place), objects=(raw,)))


def test_metadata_that_is_read_again_and_again_is_beyond_the_budget(monkeypatch):
    monkeypatch.setattr(limits, "HDF5_STEPS", 5)
    assert "budget-exceeded" in rules(made.hdf5(*(made.linked(f"s{number}", 1, b"/x") for number in range(20))))


def test_headers_that_overlap_cost_no_more_than_the_file_allows():
    names = [made.hard(f"l{number}", 48 + number) for number in range(2000)]
    data = made.hdf5(*names, objects=(b"OHDR\x02\x02" * 400,))
    assert scan(data).outcome == "incomplete"


@pytest.mark.parametrize("version", ["earliest", "v108", "v110", "v112", "latest"])
@pytest.mark.parametrize("ordered", [False, True])
def test_every_group_the_library_writes_is_walked(version, ordered, tmp_path):
    h5py = pytest.importorskip("h5py", reason="h5py is not installed")
    path = tmp_path / "file.h5"
    with h5py.File(path, "w", libver=version) as target:
        group = target.create_group("groups", track_order=ordered)
        for number in range(150):
            inner = group.create_group(f"group{number}", track_order=ordered)
            for extra in range(12):
                inner.attrs[f"text{extra}"] = "x" * extra
            inner.attrs["last"] = PICKLE.decode()
            inner["out"] = h5py.ExternalLink(f"file{number}", "/x")
    found = scan(path.read_bytes()).findings
    assert sum(finding.rule == "hdf5-external-file" for finding in found) == 150
    assert sum(finding.rule == "pickle-execute" for finding in found) == 150


def test_texts_of_the_root_are_read_however_they_are_stored(tmp_path):
    h5py = pytest.importorskip("h5py", reason="h5py is not installed")
    numpy = pytest.importorskip("numpy", reason="numpy is not installed")
    long = "y" * 60_000
    for value in ("short", long, numpy.bytes_(long), numpy.array([b"short"])):
        for version in ("earliest", "latest"):
            path = tmp_path / "file.h5"
            with h5py.File(path, "w", libver=version) as target:
                for number in range(12):
                    target.attrs[f"a{number}"] = numpy.bytes_("z" * 5000)
                target.attrs["model_config"] = value
            found = hdf5_of(BytesReading(path.read_bytes()))
            assert found.texts["model_config"] in ([b"short"], [long.encode()])


def test_huge_attributes_are_read_from_the_fractal_heap(tmp_path):
    h5py = pytest.importorskip("h5py", reason="h5py is not installed")
    numpy = pytest.importorskip("numpy", reason="numpy is not installed")
    path = tmp_path / "file.h5"
    with h5py.File(path, "w", libver="latest") as target:
        for number in range(12):
            target.attrs[f"a{number}"] = numpy.bytes_(b"z" * 20_000 * number + PICKLE)
        target.attrs["model_config"] = numpy.bytes_(b"y" * 200_000)
    found = hdf5_of(BytesReading(path.read_bytes()))
    assert (found.findings[0].rule, found.texts["model_config"]) == ("pickle-execute", [b"y" * 200_000])


def test_arrays_with_the_library_s_own_filters_are_clean(tmp_path):
    h5py = pytest.importorskip("h5py", reason="h5py is not installed")
    numpy = pytest.importorskip("numpy", reason="numpy is not installed")
    path = tmp_path / "file.h5"
    with h5py.File(path, "w") as target:
        numbers = numpy.arange(10_000).reshape(100, 100)
        target.create_dataset("a", data=numbers, compression="gzip", shuffle=True, fletcher32=True)
        target.create_dataset("b", data=numbers, compression="lzf", chunks=(10, 10))
        target.create_dataset("c", data=["text", "more"])
        target.create_dataset("d", data=numpy.zeros(3, [("x", "f4"), ("y", "S3")]))
        target["e"] = numpy.dtype("f8")
    assert scan(path.read_bytes()).outcome == "clean"


@pytest.mark.parametrize("how", ["link", "files", "virtual", "plugin"])
def test_what_the_library_writes_that_leads_out_is_found(how, tmp_path):
    h5py = pytest.importorskip("h5py", reason="h5py is not installed")
    path = tmp_path / "file.h5"
    with h5py.File(path, "w") as target:
        if how == "link":
            target["x"] = h5py.ExternalLink("/etc/passwd", "/x")
        elif how == "files":
            target.create_dataset("x", (10,), "u1", external=[("/etc/passwd", 0, 10)])
        elif how == "virtual":
            layout = h5py.VirtualLayout((10,), "f4")
            layout[:] = h5py.VirtualSource("/etc/passwd", "d", (10,))
            target.create_virtual_dataset("x", layout)
        else:
            space = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            space.set_chunk((5,))
            space.set_filter(32001, h5py.h5z.FLAG_OPTIONAL, (1, 2, 3))
            kind = h5py.h5t.IEEE_F32LE
            h5py.h5d.create(target.id, b"x", kind, h5py.h5s.create_simple((10,)), space)
    (finding,) = scan(path.read_bytes()).findings
    assert finding.rule == ("hdf5-filter-plugin" if how == "plugin" else "hdf5-external-file")
    assert finding.member == "/x"
    assert how == "plugin" or "/etc/passwd" in finding.message


def test_an_attribute_that_claims_any_number_of_texts_is_read_as_far_as_it_goes():
    space = b"\x02\x02\x00\x01" + b"\xff" * 16
    for kind in (b"\x13\x00\x00\x00" + bytes(4), b"\x13\x00\x00\x00\x01\x00\x00\x00", b"\x19\x01\x00\x00" + bytes(4)):
        head = struct.pack("<BBHHHB", 3, 0, 13, len(kind), len(space), 0)
        scan(made.hdf5((12, head + b"model_config\0" + kind + space + bytes(40))))


def test_any_damage_has_an_answer():
    chance = random.Random(11)
    for data, _ in OUTSIDE.values():
        for cut in range(0, len(data), 7):
            scan(data[:cut])
        for _ in range(150):
            changed = bytearray(data)
            for _ in range(chance.randrange(1, 4)):
                changed[chance.randrange(8, len(changed))] = chance.choice([0, 1, 8, 255, chance.randrange(256)])
            scan(bytes(changed))


@pytest.mark.parametrize("version", ["earliest", "latest"])
def test_any_damage_to_a_file_of_the_library_has_an_answer(version, tmp_path):
    h5py = pytest.importorskip("h5py", reason="h5py is not installed")
    path = tmp_path / "file.h5"
    with h5py.File(path, "w", libver=version) as target:
        for number in range(12):
            target.create_group(f"g{number}").attrs["t"] = "text"
            target.attrs[f"a{number}"] = "x" * 4000
    data = path.read_bytes()
    chance = random.Random(12)
    for _ in range(400):
        changed = bytearray(data)
        for _ in range(chance.randrange(1, 4)):
            place = chance.choice([chance.randrange(400), chance.randrange(len(data))])
            changed[place] = chance.choice([0, 1, 8, 255, chance.randrange(256)])
        hdf5_of(BytesReading(bytes(changed)))
