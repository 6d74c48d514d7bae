"""Files that ordinary repositories hold beside models, and their dangerous neighbours."""

from __future__ import annotations

import json

__all__ = ["BAD", "GOOD"]

LINES = b'{"step": 1, "loss": NaN}\n\n{"step": 2, "loss": 0.5}\n'

GOOD: dict[str, dict[str, bytes]] = {
    "jsonl": {"log.jsonl": LINES, "data.json": b'[1]\r\n{"a": "b"}\r\n'},
}
BAD: dict[str, dict[str, bytes]] = {
    "jsonl": {
        "log.jsonl": LINES + json.dumps({"auto_map": {"AutoModel": "m.X"}}).encode(),
        "evil.json": LINES + json.dumps({"_target_": "os.system"}).encode(),
    },
}
