"""A zygote whose children were taken over by the file they read; run by a path in place of the scanner's own.

The name of a file says what its child does.
"""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.append(str(Path(__file__).parents[2] / "src"))
    from modelsign.confined.answering import begin as honest_begin
    from modelsign.confined.answering import prepare
    from modelsign.sandbox.serving import serve

LIES = {
    "clean-with-findings": lambda said: said["file"].update(outcome="clean"),
    "rule-nobody-knows": lambda said: said["file"]["findings"].append(["made-up", "x", None, None, "high", [], None]),
    "milder-outcome": lambda said: said["file"].update(outcome="unverified"),
    "other-digest": lambda said: said["file"].update(sha256="ab" * 32),
    "no-digest-at-all": lambda said: said["file"].update(sha256="short"),
    "negative-size": lambda said: said["file"].update(size=-1),
    "no-file": lambda said: said.pop("file"),
    "no-findings": lambda said: said["file"].pop("findings"),
    "a-number": lambda said: said.update(file=7),
    "traces-of-nothing": lambda said: said.update(traces=[[1, 2, 3]]),
    "format-with-escapes": lambda said: said["file"].update(format="\x1b[2J"),
    "inert-and-unsafe": lambda said: said["file"].update(loadable=False),
    "long": lambda said: said["file"].update(globals=["x" * 1000] * 1000),
}


def begin(configuration):
    answer = honest_begin(configuration)

    def lie(request, descriptors, tell):
        name = request["name"].partition(".")[0]
        if name == "no-json":
            os.write(descriptors[0] + _to_the_connection(descriptors[0]), b"\x00\x00\x00\x02{]")
        said = answer(request, descriptors, tell)
        LIES.get(name, lambda _: None)(said)
        return said

    return lie


def _to_the_connection(descriptor):
    """Return how far off the connection is: the only other open descriptor that is a socket."""
    for number in range(3, 32):
        try:
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                return number - descriptor
        except OSError:
            continue
    raise LookupError("no connection")


if __name__ == "__main__":
    prepare()
    serve(begin)
