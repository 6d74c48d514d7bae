"""The program of the zygote that scans: run by a path, as ``python -I``, and never imported by the rest.

Imports every reader, reads every table and asks for every codec before it says that it is ready; its children can
open nothing any more, and share all of it.
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import NoReturn


def main() -> NoReturn:
    """Be the zygote."""
    gc.disable()  # what is imported stays
    sys.path.append(str(Path(__file__).resolve().parents[2]))  # -I leaves out the ways by which the parent found it

    from modelsign.confined.answering import begin, prepare  # noqa: PLC0415 - found by the line above
    from modelsign.sandbox.serving import serve  # noqa: PLC0415 - same

    prepare()
    gc.freeze()  # children would write to the pages of all these objects, to collect none of them
    gc.enable()
    serve(begin)


if __name__ == "__main__":
    main()
