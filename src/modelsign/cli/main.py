"""The entry point: finds the command, and turns whatever it ends in into one document and an exit status.

``--version`` and ``--help`` import no command module. This is the one place that catches everything.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from modelsign.cli.command import Group
    from modelsign.cli.session import Session
    from modelsign.errors import ModelsignError
    from modelsign.verdict import Report

__all__ = ["COMMANDS", "main", "root"]

_Result = TypeVar("_Result")

COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "sign": ("modelsign.cli.sign", "Sign a model."),
    "verify": ("modelsign.cli.verify", "Verify a model's signature."),
    "digest": ("modelsign.cli.digest", "Show a model's digests."),
    "inspect": ("modelsign.cli.inspect", "Show what a bundle says, without trusting it."),
    "key": ("modelsign.cli.key", "Make and show keys."),
    "revocation": ("modelsign.cli.revocation", "Make and show signed lists of what does not count any more."),
    "attest": ("modelsign.cli.attest", "Sign claims about a model."),
    "scan": ("modelsign.cli.scan", "Say what a model's files would do when loaded."),
    "check": ("modelsign.cli.check", "Decide by a trust policy whether a model may be loaded."),
    "policy": ("modelsign.cli.policy", "Lint, test and explain trust policies."),
    "explain": ("modelsign.cli.explain", "Explain a reason code or a rule."),
    "doctor": ("modelsign.cli.doctor", "Say what this installation can and cannot do."),
    "completion": ("modelsign.cli.completion", "Print shell completion."),
}
"""Every command: its module, and its one line of help."""

_ABOUT: Final = """\
Decides whether a machine-learning model may be loaded.

bytes → manifest → evidence → policy → verdict → load: sign, attest, scan, check against a trust policy, then load
the very bytes that were judged.

\b
Exit status: 0 positive, 1 negative, 2 usage, 3 cannot decide (refuse), 4 nothing to check.
"""


def root() -> Group:
    """Return the top of the command tree."""
    import click

    from modelsign._version import __version__
    from modelsign.cli.command import group

    made = group("modelsign", _ABOUT, table=COMMANDS)
    made.context_settings["auto_envvar_prefix"] = "MODELSIGN"
    version = click.version_option(
        __version__, "-V", "--version", prog_name="modelsign", message="%(prog)s %(version)s"
    )
    return version(made)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status. Never raises, and never ends in 1 for a fault of its own."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        status = _attempt(lambda: _main(words))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        _silence_stdout()
        return 3
    if isinstance(status, Exception):  # what failed may be the very way to say so
        _complain(status)
        return 3
    return status


def _main(words: list[str]) -> int:
    if words and words[0] in ("--version", "-V"):
        from modelsign._version import __version__

        if sys.stdout is not None:
            sys.stdout.write(f"modelsign {__version__}\n")
            sys.stdout.flush()
        return 0
    return _run(words, os.environ, _cwd())


def _attempt(step: Callable[[], _Result]) -> _Result | Exception:
    """Take a step, and return its result or whatever went wrong: a fault nobody foresaw ends in 3, never in 1."""
    try:
        return step()
    except BrokenPipeError:
        raise
    except Exception as fault:  # noqa: BLE001 - the one place that catches everything
        return fault


def _cwd() -> str:
    """Return the working directory; empty where it is gone, for then it holds no configuration either."""
    try:
        return os.getcwd()  # noqa: PTH109 - a plain string is enough
    except OSError:
        return ""


def _complain(fault: Exception) -> None:
    """Say on stderr, if there is one, that nothing could be said on stdout."""
    _silence_stdout()
    try:
        sys.stderr.write(f"modelsign: INTERNAL: {type(fault).__name__}: {str(fault)!a}\n")
        sys.stderr.flush()
    except (AttributeError, OSError, ValueError):
        return


def _run(words: list[str], environ: Mapping[str, str], cwd: str) -> int:
    from modelsign.cli.presentation import guess
    from modelsign.cli.session import Session

    named = words[0] if words and words[0] in COMMANDS else "modelsign"
    session = Session(command=named, environ=environ, cwd=cwd, presentation=guess(words, environ, command=named))
    answered = _attempt(lambda: _document(words, session))
    if isinstance(answered, Exception):
        from modelsign.cli.last_words import last_words
        from modelsign.errors import error

        _trace(session, answered)
        report = _failed(session, error("INTERNAL", f"{type(answered).__name__}: {answered}"))
        answered = report, last_words(report, session.presentation.format)
    return answered if isinstance(answered, int) else _show(*answered, session)


def _document(words: list[str], session: Session) -> tuple[Report, str] | int:
    """Run the command and render its report; a status where help was printed already."""
    from modelsign.cli.presentation import wants_colour

    report = _answer(words, session)
    if isinstance(report, int):
        return report
    chosen = session.presentation
    colour = chosen.output is None and wants_colour(chosen.color, session.environ, sys.stdout)
    return report, _render(report, chosen.format, colour=colour)


def _answer(words: list[str], session: Session) -> Report | int:
    """Run the command; return its report, or a status where help was printed already."""
    import click

    from modelsign.errors import ModelsignError, error

    try:
        returned = root().main(words, prog_name="modelsign", standalone_mode=False, obj=session)
    except ModelsignError as fault:
        if session.presentation.verbose > 1:
            _trace(session, fault)
        return _failed(session, fault)
    except click.exceptions.NoArgsIsHelpError as fault:
        sys.stdout.write(f"{fault.format_message()}\n")
        return 2
    except click.ClickException as fault:
        context = getattr(fault, "ctx", None)
        path = context.command_path if context is not None else "modelsign"
        return _failed(session, error("USAGE", fault.format_message(), advice=f"Read `{path} --help`."))
    except (KeyboardInterrupt, click.Abort):
        return _failed(session, error("INTERRUPTED", "interrupted"))
    except SystemExit as stop:  # click's answer to shell completion, and to a closed pipe under --help
        if not stop.code:
            return 0
        raise BrokenPipeError from None  # its status 1 would read as a verdict
    return returned if returned is not None else 0


def _failed(session: Session, fault: ModelsignError) -> Report:
    from modelsign.reasons import CATALOG
    from modelsign.verdict import Answer, Report

    body = {"details": fault.details} if fault.details else {}
    if fault.advice == CATALOG["USAGE"].advice and session.command in COMMANDS:
        fault.advice = f"Read `modelsign {session.command} --help`."
    return Report(session.command, fault.exit_status, body=body, reasons=(Answer.of(fault),))


def _render(report: Report, name: str, *, colour: bool) -> str:
    from modelsign.report import _index

    if name not in _index.IDS:
        from modelsign.cli.last_words import last_words

        return last_words(report, name)
    return str(_index.load(name).render(report, colour=colour))


def _show(report: Report, document: str, session: Session) -> int:
    """Write the document; where that fails, say so on stdout, or else on stderr."""
    from modelsign.cli.presentation import emit
    from modelsign.errors import ModelsignError

    try:
        emit(document, session.presentation, to_stderr=session.stdout_taken)
    except ModelsignError as fault:
        return _show_elsewhere(fault, report, session)
    except BrokenPipeError:
        _silence_stdout()
    return int(report.exit_status)


def _show_elsewhere(fault: ModelsignError, report: Report, session: Session) -> int:
    """Say that the answer could not be written; a negative verdict stays negative."""
    import dataclasses

    from modelsign.cli.last_words import last_words
    from modelsign.cli.presentation import emit
    from modelsign.errors import ModelsignError

    failure = _failed(session, fault)
    status = report.exit_status or fault.exit_status
    failure = dataclasses.replace(failure, exit_status=status, reasons=(*report.reasons, *failure.reasons))
    nowhere = session.presentation.output is None
    try:
        document = last_words(failure, session.presentation.format)
        emit(document, dataclasses.replace(session.presentation, output=None), to_stderr=nowhere)
    except (ModelsignError, BrokenPipeError):
        _silence_stdout()
    return int(status)


def _trace(session: Session, fault: Exception) -> None:
    if session.presentation.verbose and sys.stderr is not None:
        import traceback

        traceback.print_exception(fault)


def _silence_stdout() -> None:
    """Keep the interpreter from complaining about a closed pipe when it flushes stdout at the end."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (AttributeError, OSError, ValueError):
        return
