"""``python -m modelsign``: the same as the ``modelsign`` script.

Python puts the working directory first on the module path for ``-m``, and the working directory may well be a model:
it is taken out before anything else is imported, or the model's own ``click.py`` would run.
"""

from __future__ import annotations

import os
import sys


def _leave_working_directory() -> None:
    try:
        here = os.getcwd()  # noqa: PTH109 - pathlib is imported from the very path that is mended here
    except OSError:
        here = ""
    if not sys.flags.safe_path and sys.path and sys.path[0] in ("", here):
        del sys.path[0]


if __name__ == "__main__":
    _leave_working_directory()
    from modelsign.cli.main import main

    sys.exit(main())
