"""The restricted unpickler imports what the scan accepted, and nothing else."""

from __future__ import annotations

import collections
import copyreg
import datetime as dt
import io
import pickle
import sys

import pytest

from modelsign.errors import ModelsignError
from modelsign.guard.restricted import AcceptedGlobals, RestrictedUnpickler, python3_name, unpickle


def accepted(*names: str) -> AcceptedGlobals:
    return AcceptedGlobals(names, "model.pkl")


def read(data: bytes, *names: str) -> object:
    return unpickle(io.BytesIO(data), accepted(*names))


@pytest.mark.parametrize("protocol", range(6))
def test_plain_values_need_no_names(protocol):
    value = {"a": [1, 2.5, None, True], "b": ("x", "y" * 70_000)}
    assert read(pickle.dumps(value, protocol)) == value


@pytest.mark.parametrize("protocol", range(6))
def test_an_accepted_name_is_imported_in_every_protocol(protocol):
    value = collections.OrderedDict(a=1)
    assert read(pickle.dumps(value, protocol), "collections.OrderedDict") == value


@pytest.mark.parametrize("protocol", range(6))
def test_any_other_name_is_refused_before_it_is_imported(protocol):
    sys.modules.pop("this", None)
    with pytest.raises(ModelsignError) as caught:
        read(pickle.dumps(dt.date(2020, 1, 1), protocol), "collections.OrderedDict")
    assert caught.value.code == "LOAD_GLOBAL_REFUSED"
    assert caught.value.details["file"] == "model.pkl"


def test_a_refused_module_is_not_even_imported():
    sys.modules.pop("antigravity", None)
    with pytest.raises(ModelsignError) as caught:
        read(b"cantigravity\nfly\n.")
    assert caught.value.code == "LOAD_GLOBAL_REFUSED"
    assert "antigravity" not in sys.modules


@pytest.mark.parametrize(
    "data",
    [
        b"cos\nsystem\n(S'true'\ntR.",
        b"(S'true'\nios\nsystem\n.",
        b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.",
        b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85R.",
        b"\x80\x02c__builtin__\neval\nX\x01\x00\x00\x001\x85R.",
        b"\x80\x04\x8c\x0bcollections\x8c\x12abc.sys.modules.os\x93.",
    ],
)
def test_every_route_to_a_name_is_watched(data):
    with pytest.raises(ModelsignError) as caught:
        read(data, "collections.OrderedDict")
    assert caught.value.code == "LOAD_GLOBAL_REFUSED"


def test_a_python_2_name_is_allowed_under_its_python_3_name():
    assert read(b"c__builtin__\nset\n.", "builtins.set") is set
    assert read(b"ccopy_reg\n_reconstructor\n.", "copyreg._reconstructor") is copyreg._reconstructor


def test_a_python_2_name_does_not_slip_in_by_its_old_spelling():
    with pytest.raises(ModelsignError) as caught:
        read(b"c__builtin__\neval\n.", "builtins.set")
    assert caught.value.code == "LOAD_GLOBAL_REFUSED"


def test_nothing_is_renamed_after_the_check():
    # CPython would map itertools.izip to builtins.zip; here the listed spelling itself is imported, and is missing.
    with pytest.raises(AttributeError):
        read(b"citertools\nizip\n.", "itertools.izip")


def test_names_of_python_2_are_mapped_as_cpython_maps_them():
    assert python3_name("__builtin__", "xrange") == ("builtins", "range")
    assert python3_name("copy_reg", "_reconstructor") == ("copyreg", "_reconstructor")
    assert python3_name("collections", "OrderedDict") == ("collections", "OrderedDict")


def test_an_unlisted_extension_code_is_refused():
    copyreg.add_extension("datetime", "date", 0x7E)
    try:
        with pytest.raises(ModelsignError) as caught:
            read(b"\x80\x02\x82\x7e.")
    finally:
        copyreg.remove_extension("datetime", "date", 0x7E)
    assert caught.value.code == "LOAD_GLOBAL_REFUSED"


def test_persistent_ids_are_never_answered():
    with pytest.raises(pickle.UnpicklingError):
        read(b"P0\n.")


def test_the_audit_trail_sees_accepted_imports():
    seen: list[tuple[object, ...]] = []
    watching = [True]

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if watching[0] and event == "pickle.find_class":
            seen.append(arguments)

    sys.addaudithook(hook)
    read(b"ccollections\nOrderedDict\n.", "collections.OrderedDict")
    watching[0] = False
    assert seen == [("collections", "OrderedDict")]


def test_strings_of_python_2_can_be_read_in_another_encoding():
    unpickler = RestrictedUnpickler(io.BytesIO(b"S'\\xe9'\n."), accepted(), encoding="latin1")
    assert unpickler.load() == "é"


def test_only_the_first_pickle_of_a_stream_is_read():
    stream = io.BytesIO(pickle.dumps(1) + b"cos\nsystem\n(S'true'\ntR.")
    assert unpickle(stream, accepted()) == 1
