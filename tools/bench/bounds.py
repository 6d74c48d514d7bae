"""What files cost that are as large as a bound of ``limits.py`` allows, and what those just beyond it cost.

    python tools/bench/bounds.py             every bound
    python tools/bench/bounds.py yaml xml    some of them

``hostile`` takes files of one small size; here each bomb of a kind is as large as the bound of its reader, then a
fiftieth larger. The larger one is to be refused, cheaply; neither may take twice the memory that a scan may take.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

from hostile import scan, warm_up
from pairs import row

from modelsign import limits

if TYPE_CHECKING:
    from bombs import Bomb
    from hostile import Cost

PEAK = 2.0
SECONDS = 600
MIB = limits.MIB


class Bound(NamedTuple):
    """The bombs of a family, all of them where none is named, at a number of bytes, which is a bound if it says so."""

    id: str
    family: str
    size: int
    of: str
    bombs: tuple[str, ...] = ()


BOUNDS = (
    Bound("yaml", "yaml", limits.YAML_BYTES, "YAML_BYTES"),
    Bound("toml", "toml", limits.TOML_BYTES, "TOML_BYTES"),
    Bound(
        "source",
        "python",
        limits.SOURCE_BYTES,
        "SOURCE_BYTES",
        ("semicolons", "lines", "sums", "dictionary", "f-strings", "strings", "chain of names"),
    ),
    Bound(
        "templates",
        "jinja",
        limits.TEMPLATE_CHARACTERS,
        "TEMPLATE_CHARACTERS",
        ("outputs", "sums", "assignments", "attributes", "filters", "strings", "an ordinary template again"),
    ),
    Bound(
        "json",
        "json",
        limits.SCAN_JSON_BYTES,
        "SCAN_JSON_BYTES",
        (
            "empty objects",
            "floats",
            "strings",
            "wide characters",
            "escapes",
        ),
    ),
    Bound("json room", "json", 11 * MIB, "SCAN_JSON_ROOM", ("empty objects", "empty lists", "objects")),
    Bound("notebooks", "notebook", limits.NOTEBOOK_BYTES, "NOTEBOOK_BYTES"),
    Bound(
        "xml",
        "pmml",
        limits.XML_BYTES,
        "XML_BYTES",
        ("text", "one attribute", "a comment", "one long name"),
    ),
    Bound("xml, read", "pmml", 32 * MIB, "an eighth of XML_BYTES", ("elements", "attributes", "elements in elements")),
    Bound("hdf5", "hdf5", 64 * MIB, "HDF5_STEPS, HDF5_REREAD", ("attributes", "groups", "messages", "pickles")),
    Bound("streams", "compressed", MIB // 2, "SCAN_WORK"),
)


def at_most(bomb: Bomb, size: int) -> int:
    """Return what size to ask for, so that the file has at most so many bytes, and nearly so many."""
    made = len(bomb.make(size))
    return size if made <= size else int(size * size / made) - 64


def main() -> None:
    """Print a line a bound, and the figures over all of them."""
    warm_up()  # first: it finds where the bombs lie
    from bombs import BOMBS  # noqa: PLC0415 - after the path is set

    chosen = [bound for bound in BOUNDS if not sys.argv[1:] or bound.id in sys.argv[1:]]
    print(
        f"   {'':<12}{'bound':>26}{'MB':>8}{'bombs':>6}{'s':>8}{'s/MB':>8}{'/ limit':>9}{'beyond s':>10}{'/ limit':>9}"
    )
    worst, dearest = 0.0, 0.0
    for bound in chosen:
        bombs = [one for one in BOMBS if one.family == bound.family and one.id in (bound.bombs or (one.id,))]
        within: list[tuple[Cost, str]] = []
        beyond: list[tuple[Cost, str]] = []
        for bomb in bombs:
            size = at_most(bomb, bound.size)
            within.append((scan(bomb, size, SECONDS), bomb.id))
            beyond.append((scan(bomb, size + size // 50 + 1, SECONDS), bomb.id))
        cost, name = max(within, key=lambda one: one[0].cpu)
        hungriest = max(within, key=lambda one: one[0].peak)
        over = max(one.cpu for one, _ in beyond)
        peaks = [max(one.peak for one, _ in some) / limits.SCAN_PEAK_BYTES for some in (within, beyond)]
        print(
            f"   {bound.id:<12}{bound.of:>26}{cost.size / 1e6:>8.1f}{len(bombs):>6}{cost.cpu:>8.2f}"
            f"{cost.cpu / cost.size * 1e6:>8.2f}{peaks[0]:>9.3f}{over:>10.2f}{peaks[1]:>9.3f}"
            f"  dearest {name} ({cost.outcome}), most memory {hungriest[1]} ({hungriest[0].outcome})",
            flush=True,
        )
        worst, dearest = max(worst, *peaks), max(dearest, cost.cpu, over)
    row("files at a bound: CPU of the dearest", dearest, "<=", SECONDS, "s")
    row("files at a bound: peak memory / limit", worst, "<=", PEAK)


if __name__ == "__main__":
    main()
