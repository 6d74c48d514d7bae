"""Budgets: how many bytes, members, levels and operations a reader will spend.

Every parser takes its bounds from here, so that any input ends in bounded time and memory.
Budgets count operations, bytes and depth; never seconds.
"""

from __future__ import annotations

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB
GIB: Final = 1024 * MIB

JSON_DEPTH: Final = 64
"""Levels of nesting in any JSON document."""
BUNDLE_BYTES: Final = 256 * MIB
"""A bundle; one million files make about 225 MB."""
KEY_BYTES: Final = 64 * KIB
"""A PEM file with one key."""
POLICY_BYTES: Final = 1 * MIB
"""A trust policy."""
STORE_BYTES: Final = 256 * MIB
"""An attestation store (``model.intoto.jsonl``)."""
STORE_LINES: Final = 10_000
"""Bundles in an attestation store."""
MODEL_FILES: Final = 4_000_000
"""Files in one model."""
NAME_BYTES: Final = 4096
"""A resource name, in UTF-8."""
