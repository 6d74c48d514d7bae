"""Files that installed libraries make are clean, but for those listed. A slice; the whole is ``make ordinary``."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from modelsign.verdict import Outcome

TOOL = Path(__file__).parents[2] / "tools/ordinary/__main__.py"
KNOWN = {
    "scipy": {
        "KDTree", "LinearNDInterpolator", "NearestNDInterpolator", "Rotation", "kdtree", "linregress", "pearsonr",
        "ttest",
    },
    "numpy": {"strings-of-any-length"},
}  # fmt: skip
"""What is not clean, and why: docs/false-alarms.md."""


@pytest.fixture(scope="module")
def ordinary():
    spec = importlib.util.spec_from_file_location("ordinary_files", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.mark.slow
@pytest.mark.parametrize("library", ["numpy", "pandas", "scipy", "sklearn", "xgboost", "lightgbm"])
def test_a_slice_of_what_a_library_makes_is_clean(ordinary, tmp_path, library):
    try:
        figures = ordinary.measure(library, tmp_path, one_in=12, seed="a slice")
    except LookupError as missing:
        pytest.skip(str(missing))
    unclean = {name.partition(".")[0]: scan.findings for name, scan in figures.unclean}
    assert figures.scans
    assert {name: found for name, found in unclean.items() if name not in KNOWN.get(library, ())} == {}
    if library != "scipy":
        assert not any(scan.outcome is Outcome.UNSAFE for _, scan in figures.scans)


def test_the_figures_count_what_is_unsafe_or_not_clean(ordinary):
    figures = ordinary.Figures("library", "3.11", {}, {}, [])
    assert not figures.is_good, "nothing made is no figure"
    assert "sklearn" in ordinary.libraries()
