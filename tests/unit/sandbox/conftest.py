"""A zygote that forks children which try things."""

from __future__ import annotations

import pytest
from processes import PROGRAM

from modelsign.sandbox.confine import Fences
from modelsign.sandbox.zygote import Zygote


@pytest.fixture(scope="session")
def zygote():
    made = Zygote(PROGRAM, {"LC_ALL": "C.UTF-8"})
    yield made
    made.close()


@pytest.fixture
def ask(zygote):
    """Ask a new child, confined by all there is, to call a function of the program."""

    def asked(call, descriptors=(), *, fences=None, layers=None, **request):
        bounds = {"most_bytes": 1 << 20, "seconds": 60.0}
        bounds |= {bound: request.pop(bound) for bound in tuple(bounds) if bound in request}
        more = {} if layers is None else {"layers": layers}
        with zygote.fork({}, fences or Fences(), **more) as child:
            return child.ask({"call": call, **request}, descriptors, **bounds)

    return asked
