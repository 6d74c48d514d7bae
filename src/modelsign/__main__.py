"""``python -m modelsign``: the same as the ``modelsign`` script."""

from __future__ import annotations

import sys

from modelsign.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
