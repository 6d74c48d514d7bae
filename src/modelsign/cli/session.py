"""What a command is handed besides its arguments: streams, clock, environment, working directory.

Everything the libraries may not fetch for themselves enters here, once.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from modelsign.cli.presentation import Presentation
from modelsign.cli.progress import Progress
from modelsign.report.escape import escape_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

__all__ = ["Session"]


@dataclass(slots=True)
class Session:
    """One run of one command.

    ``command`` is its full name (``key generate``). ``stdout_taken`` is set once the command wrote data of its own
    to stdout; the report then goes to stderr, or to ``-o FILE``. ``stdin_taken`` is set once something was read from
    stdin, which gives its bytes once.
    """

    command: str
    environ: Mapping[str, str]
    cwd: str
    presentation: Presentation = field(default_factory=Presentation)
    stdout_taken: bool = False
    stdin_taken: bool = False

    @property
    def force(self) -> bool:
        """Whether files that exist may be replaced (``--force``)."""
        return self.presentation.force

    def now(self) -> datetime:
        """Return the time, in UTC."""
        from datetime import UTC, datetime

        return datetime.now(UTC)

    def log(self, message: str, *, level: int = 1) -> None:
        """Say something on stderr if ``-v`` was given at least ``level`` times."""
        if self.presentation.verbose >= level and not self.presentation.quiet:
            self._tell(message)

    def warn(self, message: str) -> None:
        """Say something on stderr unless ``-q``. What belongs to the result goes into ``Report.warnings``."""
        if not self.presentation.quiet:
            self._tell(f"warning: {message}")

    @property
    def progress(self) -> Callable[[str, int, int], None] | None:
        """A callback ``(what, done bytes, bytes in all)`` that draws on stderr; None where nothing should be drawn."""
        wanted = self.presentation.progress and not self.presentation.quiet
        if not wanted or sys.stderr is None or not sys.stderr.isatty() or self.environ.get("TERM") == "dumb":
            return None
        return Progress(sys.stderr)

    def read(self, path: str, most_bytes: int, *, what: str = "file") -> bytes:
        """Read a small file, or stdin where ``path`` is ``-``.

        Raises:
            ModelsignError: ``INPUT_UNREADABLE`` or ``INPUT_TOO_LARGE``; ``USAGE`` where ``-`` was given twice.

        """
        if path != "-":
            from modelsign import files

            return files.read_bounded(path, most_bytes, what=what)
        from modelsign.errors import error

        if self.stdin_taken:
            raise error("USAGE", f"standard input was read already, and the {what} is to come from it too")
        self.stdin_taken = True
        if sys.stdin is None:
            raise error("INPUT_UNREADABLE", f"{what} on standard input, which is closed")
        try:
            data = sys.stdin.buffer.read(most_bytes + 1)
        except (OSError, ValueError) as fault:
            raise error("INPUT_UNREADABLE", f"{what} on standard input: {fault}") from None
        if len(data) > most_bytes:
            raise error("INPUT_TOO_LARGE", f"{what} on standard input has more than {most_bytes} bytes")
        return data

    @contextmanager
    def naming(self, path: str, advice: Mapping[str, str] | None = None) -> Iterator[None]:
        """Begin the message of whatever is wrong with the contents of a file with its name: several may be given.

        ``advice`` is what helps here, by reason code, where the catalog speaks of another use.

        Raises:
            ModelsignError: what is raised inside, but for its message.

        """
        from modelsign.errors import ModelsignError, error

        try:
            yield
        except ModelsignError as fault:
            place = "standard input" if path == "-" else path
            helps = (advice or {}).get(fault.code, fault.advice)
            raise error(fault.code, f"{place}: {fault.message}", advice=helps, details=fault.details) from fault

    def write(self, path: str, data: bytes, *, mode: int = 0o644) -> None:
        """Write a file whole or not at all, or stdout where ``path`` is ``-``; replaces only under ``--force``.

        Raises:
            ModelsignError: ``OUTPUT_EXISTS`` or ``OUTPUT_UNWRITABLE``.

        """
        if path == "-":
            self.stdout_taken = True
            sys.stdout.flush()
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
            return
        from modelsign import files

        files.write_atomic(path, data, mode=mode, force=self.force)

    def secret(self, source: str | None, *, prompt: str) -> bytes | None:
        """Return a secret: from a file, from ``env:NAME``, or, where ``source`` is None, by asking on the terminal.

        Returns None where nobody can be asked. One line end at the end of a file does not belong to the secret.

        Raises:
            ModelsignError: ``USAGE`` for an unset variable, ``INPUT_UNREADABLE``, ``INPUT_TOO_LARGE``.

        """
        from modelsign import limits

        if source is None:
            return self._ask(prompt)
        if source.startswith("env:"):
            name = source.removeprefix("env:")
            if name not in self.environ:
                from modelsign.errors import error

                raise error(
                    "USAGE",
                    f"the environment variable {name} is not set",
                    advice=f"Set {name} to the secret itself, or name a file that holds it.",
                )
            return os.fsencode(self.environ[name])
        data = self.read(source, limits.KEY_BYTES, what=f"file of the {prompt}")
        return data.removesuffix(b"\n").removesuffix(b"\r")

    @property
    def interactive(self) -> bool:
        """Whether a person can be asked: both stdin and stderr are a terminal."""
        return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))

    def agrees(self, question: str) -> bool:
        """Ask a question on the terminal that is answered by yes or no; False where nobody can be asked."""
        if not self.interactive:
            return False
        sys.stderr.write(f"modelsign: {question} [y/N] ")
        sys.stderr.flush()
        return sys.stdin.readline().strip().lower() in {"y", "yes"}

    def tell(self, message: str) -> None:
        """Say something on stderr that a person should know before it happens, unless ``-q``."""
        if not self.presentation.quiet:
            self._tell(message)

    def cache_folder(self, name: str) -> str:
        """Return where copies of what others publish are kept, in the user's own folder for such things.

        The folder need not be there. Where nothing says whose it is, it is one that cannot be made.
        """
        base = self.environ.get("XDG_CACHE_HOME", "")
        home = self.environ.get("HOME", "")
        if not base.startswith("/"):
            base = f"{home}/.cache" if home.startswith("/") else os.devnull
        return f"{base}/modelsign/{name}"

    def _ask(self, prompt: str) -> bytes | None:
        if sys.stdin is None or not sys.stdin.isatty():
            return None
        import getpass

        return getpass.getpass(f"{prompt}: ").encode()

    def _tell(self, message: str) -> None:
        if sys.stderr is not None:
            sys.stderr.write(f"modelsign: {escape_line(message)}\n")
