"""Prints who reads whose bundles: every client signs one model by every method, and every client reads what was made.

    python tools/interop                     all methods
    python tools/interop 'key EC' keyless    those whose names begin so

A cell is "yes" only where the reader accepts the bundle and refuses the same one about another model. "no" has a note
with the client's own words; "-" has one that says why there is nothing to run. The exit status is 1 where a bundle of
modelsign's is read by nobody else although somebody else can sign so, or modelsign does not read what others made.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent / "tests/support")]

from clients import CLIENTS  # noqa: E402 - same

import loopback  # noqa: E402 - the path comes first
from bench import METHODS, Bench, Impossible, Refused  # noqa: E402 - same

if TYPE_CHECKING:
    from clients import Client

    from bench import Method

OURS = CLIENTS[0].name
WIDTH = 17


class Cell(NamedTuple):
    """What was found: `yes`, `no` or `-`, and why not."""

    word: str
    why: str = ""


def main() -> int:
    """Run the matrix and print it."""
    wanted = [method for method in METHODS if not sys.argv[1:] or method.id.startswith(tuple(sys.argv[1:]))]
    reason = loopback.unavailable()
    if reason is not None:
        print(f"the matrix cannot be run: {reason}")
        return 1
    notes: list[str] = []
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "sigstore").mkdir()
        with loopback.running(Path(folder) / "sigstore") as sigstore:
            bench = Bench(Path(folder), sigstore)
            for method in wanted:
                rows = {signer.name: row_of(bench, method, signer) for signer in CLIENTS}
                show(method, rows, notes)
                wrong += faults(method, rows)
    print("Notes")
    for number, note in enumerate(notes, 1):
        print(f"  [{number}] {note}")
    for line in wrong:
        print(f"WRONG: {line}")
    return 1 if wrong else 0


def row_of(bench: Bench, method: Method, signer: Client) -> dict[str, Cell]:
    """Let one client sign and all read."""
    try:
        bundle = signer.sign(bench, method)
    except (Impossible, Refused) as fault:
        word = "-" if isinstance(fault, Impossible) else "no"
        return {reader.name: Cell(word, f"{signer.name} cannot sign: {fault}") for reader in CLIENTS}
    tampered = bench.tampered(bundle)
    return {reader.name: cell_of(bench, method, reader, (bundle, tampered)) for reader in CLIENTS}


def cell_of(bench: Bench, method: Method, reader: Client, bundles: tuple[Path, Path]) -> Cell:
    """Let one client read a bundle, and the same about another model."""
    good, tampered = bundles
    try:
        reader.read(bench, method, good)
    except (Impossible, Refused) as fault:
        return Cell("-" if isinstance(fault, Impossible) else "no", f"{reader.name} cannot read: {fault}")
    try:
        reader.read(bench, method, tampered)
    except Refused:
        return Cell("yes")
    return Cell("no", f"{reader.name} accepts it about another model too")


def show(method: Method, rows: dict[str, dict[str, Cell]], notes: list[str]) -> None:
    """Print one method's table: a line for each signer, a column for each reader."""
    print(f"\n{method.id}")
    heads = "".join(f"read by {client.name}".ljust(WIDTH + 8) for client in CLIENTS)
    print("  signed by".ljust(WIDTH + 2) + heads.rstrip())
    for signer, row in rows.items():
        line = f"  {signer}".ljust(WIDTH + 2)
        for cell in row.values():
            if cell.why and cell.why not in notes:
                notes.append(cell.why)
            mark = f" [{notes.index(cell.why) + 1}]" if cell.why else ""
            line += f"{cell.word}{mark}".ljust(WIDTH + 8)
        print(line.rstrip(), flush=True)


def faults(method: Method, rows: dict[str, dict[str, Cell]]) -> list[str]:
    """Say what is not as it must be: everything that somebody signed is read here, ours is read by somebody else."""
    found = [
        f"{method.id}: {OURS} does not read what {signer} made: {row[OURS].why}"
        for signer, row in rows.items()
        if row[OURS].word != "yes" and not row[OURS].why.startswith(f"{signer} cannot sign")
    ]
    if rows[OURS][OURS].word != "yes":
        found.append(f"{method.id}: {rows[OURS][OURS].why}")
    others = [name for name in rows if name != OURS]
    signs = any(not rows[name][OURS].why.startswith(f"{name} cannot sign") for name in others)
    if signs and not any(rows[OURS][name].word == "yes" for name in others):
        found.append(f"{method.id}: nobody else reads what {OURS} made")
    return found


if __name__ == "__main__":
    sys.exit(main())
