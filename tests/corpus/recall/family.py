"""The family as a whole: its cases, what must come of each, and the names that are argued one by one.

``whole`` is every name by every route as a bare file, and every route in every container with a few names each, drawn
by a seed; ``slice_of`` is so many of all combinations, drawn by a seed.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file
from recall.containers import CONTAINERS
from recall.names import gadgets
from recall.routes import CALLS, ROUTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from modelsign.verdict import FileScan
    from recall.names import Gadget

IN_CONTAINERS = 8
"""How many names go through each route in each container."""


@dataclass(frozen=True)
class Case:
    """One file of the family."""

    gadget: Gadget
    route: Callable[[str, str], bytes]
    container: str

    @property
    def calls(self) -> bool:
        """Whether the name is called when the file is loaded."""
        return self.route in CALLS

    def file(self) -> tuple[str, bytes]:
        """The file's name and bytes."""
        return CONTAINERS[self.container](self.route(self.gadget.module, self.gadget.name))

    def scan(self) -> FileScan:
        """What the scanner says of it."""
        name, data = self.file()
        return scan_file(BytesReading(data), name)

    def __str__(self) -> str:
        return f"{self.gadget.path} by {self.route.__name__} in {self.container}"


def whole(seed: int) -> Iterator[Case]:
    """Every name by every route, bare, and every route in every container."""
    names = gadgets()
    for route in ROUTES:
        yield from (Case(gadget, route, "bare") for gadget in names)
    draw = random.Random(seed)
    for route in ROUTES:
        for container in list(CONTAINERS)[1:]:
            yield from (Case(gadget, route, container) for gadget in draw.sample(names, IN_CONTAINERS))


def slice_of(count: int, seed: int) -> list[Case]:
    """So many cases; each combination of a route and a container stands in it once before any stands there twice."""
    draw, names = random.Random(seed), gadgets()
    combinations = list(itertools.product(ROUTES, CONTAINERS))
    draw.shuffle(combinations)
    return [Case(draw.choice(names), *combinations[number % len(combinations)]) for number in range(count)]
