"""The public API: its names, that they are cheap, documented and typed, and that there are not too many."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

import modelsign

MOST_NAMES = 40
NAMES = [name for name in modelsign.__all__ if not name.startswith("__")]


def test_the_names_are_few_sorted_and_listed():
    assert len(modelsign.__all__) <= MOST_NAMES
    assert modelsign.__all__ == sorted(modelsign.__all__)
    assert set(modelsign.__all__) <= set(dir(modelsign))
    assert sorted(name for names in modelsign._HOMES.values() for name in names) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_is_there_documented_and_typed(name):
    value = getattr(modelsign, name)
    assert getattr(modelsign, name) is value
    assert inspect.getdoc(value), f"{name} has no documentation"
    if inspect.isfunction(value):
        signature = inspect.signature(value)
        assert signature.return_annotation is not inspect.Signature.empty
        assert all(p.annotation is not inspect.Parameter.empty for p in signature.parameters.values())


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = modelsign.nonsense


def test_no_public_name_is_hidden_by_a_module_of_the_same_name():
    program = "import pkgutil, modelsign; print(*[m.name for m in pkgutil.iter_modules(modelsign.__path__)])"
    modules = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not set(modules) & set(modelsign.__all__)


def test_importing_the_package_imports_nothing_of_it():
    program = "import sys, modelsign; print(*[name for name in sys.modules if name.startswith('modelsign')])"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert sorted(loaded) == ["modelsign", "modelsign._version"]
