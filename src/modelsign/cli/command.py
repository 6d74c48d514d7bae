"""The one way a command is declared; everything commands have in common is here.

A command is a module ``cli/<name>.py`` that ends in a module-level ``command``::

    @define("verify", examples=("modelsign verify model --key signer.pub",), formats=ALL_FORMATS)
    @click.argument("model")
    @click.option("--key", "keys", multiple=True, help="A public key that must have signed.")
    def command(session: Session, *, model: str, keys: tuple[str, ...]) -> Report:
        '''Verify a model's signature. (The first line is the short help.)'''

It gets its own parameters and a :class:`~modelsign.cli.session.Session`, returns a
:class:`~modelsign.verdict.Report` and never prints. Errors are raised (``modelsign.errors``); ``cli.main`` turns
them into the document and the exit status. The common flags (``--format``, ``-o``, ``-q``, ``-v``, ``--color``,
``--no-progress``, ``--force``, ``--config``, ``--no-config``) are added here and are not passed on. Underscores in
flags are accepted everywhere; other spellings are further names of the same ``click.option``. A
``click.BadParameter`` or ``click.UsageError`` raised by a command is a usage error like any other.

A group (``key``, ``attest``, ``policy``) is ``command = group("key", "Make and show keys.")`` and its members are
``@define("key generate", within=command, ...)``; or, to import them only when used,
``command = group("attest", "…", table={"scan": ("modelsign.cli.attest_scan", "One line.")})``.
"""

from __future__ import annotations

import importlib
import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from modelsign.cli.presentation import ALL_FORMATS, DATA_FORMATS, Presentation, guess
from modelsign.cli.sections import by_section
from modelsign.cli.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from modelsign.verdict import Report

__all__ = ["ALL_FORMATS", "DATA_FORMATS", "NO_SANDBOX", "Group", "ReportingCommand", "Session", "define", "group"]

NO_SANDBOX = click.option("--no-sandbox", is_flag=True, help="Scan in this process instead of a confined one.")
"""The switch of every command that scans; the result tells."""
_SETTINGS: dict[str, Any] = {
    "help_option_names": ["-h", "--help"],
    "token_normalize_func": lambda token: token.replace("_", "-"),
    "max_content_width": 100,
}
_HOLD_COLONS = frozenset({"NAME", "NAME=VALUE", "PATTERN", "TEXT", "URI", "URL"})
_COMMON = ("format", "output", "quiet", "verbose", "color", "no_progress", "force", "config", "no_config")


def define(
    name: str,
    *,
    examples: Sequence[str],
    formats: Sequence[str] = DATA_FORMATS,
    within: click.Group | None = None,
) -> Callable[[Callable[..., Report]], ReportingCommand]:
    """Make a command of a function that takes a session and its parameters, and returns a report.

    ``name`` is the full name (``key generate``), ``examples`` are at least two lines a reader could run, ``formats``
    what ``--format`` takes, ``within`` the group to join.
    """

    def decorate(function: Callable[..., Report]) -> ReportingCommand:
        parameters: list[click.Parameter] = list(reversed(getattr(function, "__click_params__", [])))
        for parameter in parameters:
            if isinstance(parameter, click.Option):
                _name_variables(parameter, name)
        own = {parameter.name for parameter in parameters}
        shared = [option for option in _common_options(name, formats) if option.name not in own]
        made = ReportingCommand(
            name.rsplit(maxsplit=1)[-1],
            callback=function,
            params=[*parameters, *shared],
            help=function.__doc__,
            context_settings=dict(_SETTINGS),
            full_name=name,
            examples=tuple(examples),
            own=frozenset(str(parameter) for parameter in own),
        )
        if within is not None:
            within.add_command(made)
        return made

    return decorate


def group(name: str, help_text: str, *, table: Mapping[str, tuple[str, str]] | None = None) -> Group:
    """Make a group of commands; ``table`` maps a member's name to its module and its one line of help."""
    return Group(name.rsplit(maxsplit=1)[-1], help=help_text, context_settings=dict(_SETTINGS), table=table or {})


class ReportingCommand(click.Command):
    """A command whose callback returns a report; ``cli.main`` renders it."""

    def __init__(
        self, name: str, *, full_name: str, examples: tuple[str, ...], own: frozenset[str], **settings: Any
    ) -> None:
        """Take what :func:`define` puts together."""
        super().__init__(name, **settings)
        self.full_name = full_name
        self.examples = examples
        self.own = own

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the configuration first, so that it can give defaults."""
        if ctx.resilient_parsing:
            return super().parse_args(ctx, args)
        words, configured = list(args), None
        try:
            given, _, _ = self.make_parser(ctx).parse_args(args=list(args))
            helping = self.get_help_option(ctx)
            if helping is None or helping.name not in given:
                ctx.default_map = configured = self._configured(ctx, given)
            return super().parse_args(ctx, args)
        except click.UsageError as fault:
            fault.ctx = fault.ctx or ctx
            self._settle(ctx, words, configured)
            raise

    def invoke(self, ctx: click.Context) -> Report:
        """Settle the presentation and call the function."""
        run = ctx.find_object(Session)
        if run is None:  # invoked without cli.main, by a test
            import os

            run = Session(self.full_name, os.environ, os.getcwd())  # noqa: PTH109 - a plain string
        values = dict(ctx.params)
        run.command = self.full_name
        run.presentation = Presentation(
            format=values["format"],
            output=None if values["output"] in (None, "-") else values["output"],
            color=values["color"],
            quiet=values["quiet"],
            verbose=values["verbose"],
            progress=not values["no_progress"],
            force=bool(values.get("force")),
        )
        _refuse_to_replace(run)
        passed = {key: value for key, value in values.items() if key in self.own or key not in _COMMON}
        report: Report = ctx.invoke(self.callback, run, **passed)  # type: ignore[arg-type] # define() sets it
        return report

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the flags by section."""
        options = [option for option in self.get_params(ctx) if isinstance(option, click.Option)]
        for title, group in by_section(options).items():
            rows = [record for option in group if (record := option.get_help_record(ctx)) is not None]
            with formatter.section(title):
                formatter.write_dl(rows)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Show the examples."""
        del ctx
        with formatter.section("Examples"):
            for line in self.examples:
                formatter.write(f"{'':>{formatter.current_indent}}{line}\n")

    def _settle(self, ctx: click.Context, words: Sequence[str], configured: Mapping[str, object] | None) -> None:
        """Find out how the refusal of arguments is to be shown: as the answer would have been."""
        session = ctx.find_object(Session)
        if session is None:
            return
        if configured is None:
            from modelsign.errors import ModelsignError

            named = next((word.partition("=")[2] for word in words if word.startswith("--config=")), None)
            if "--config" in words[:-1]:
                named = words[words.index("--config") + 1]
            try:
                configured = self._configured(ctx, {"config": named, "no_config": "--no-config" in words})
            except ModelsignError:
                configured = {}
        session.presentation = guess(words, session.environ, command=self.full_name, configured=configured)

    def _configured(self, ctx: click.Context, given: Mapping[str, Any]) -> dict[str, object]:
        from modelsign.cli import config

        session = ctx.find_object(Session)
        if session is None or given.get("no_config") or session.environ.get("MODELSIGN_NO_CONFIG") in ("1", "true"):
            return {}
        found = config.sources(named=given.get("config"), environ=session.environ, cwd=session.cwd)
        if not found:
            return {}
        root = ctx.find_root().command
        options = {word: option for option in self.params for word in _spellings(option)}
        spelled = config.flag_defaults(
            found,
            command=self.full_name,
            commands=root.list_commands(ctx) if isinstance(root, click.Group) else (),
            flags=options,
        )
        defaults: dict[str, object] = {}
        for word, value in spelled.items():
            several = getattr(options[word], "multiple", False) and isinstance(value, str)
            defaults[str(options[word].name)] = [value] if several else value
        offered = next(option.type for option in self.params if option.name == "format")
        if isinstance(offered, click.Choice) and defaults.get("format") in set(ALL_FORMATS) - set(offered.choices):
            del defaults["format"]
        return defaults


class Group(click.Group):
    """A group that imports a command only when it is used, and asks "did you mean"."""

    def __init__(self, name: str, *, table: Mapping[str, tuple[str, str]], **settings: Any) -> None:
        """Take the table from a command's name to its module and its one line of help."""
        super().__init__(name, **settings)
        self.table = dict(table)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names: the table's in its order, then members that were added."""
        return [*self.table, *(name for name in super().list_commands(ctx) if name not in self.table)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command by its name in the table."""
        if cmd_name in self.table:
            found = importlib.import_module(self.table[cmd_name][0]).command
            return found if isinstance(found, click.Command) else None
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the members without importing them."""
        rows = []
        for name in self.list_commands(ctx):
            if name in self.table:
                rows.append((name, self.table[name][1]))
            elif (member := self.get_command(ctx, name)) is not None:
                rows.append((name, member.get_short_help_str(limit=100)))
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or name the nearest ones."""
        name = args[0]
        if not name.startswith("-") and not ctx.resilient_parsing:
            known = self.list_commands(ctx)
            if name not in known and name.replace("_", "-") not in known:
                import difflib

                near = difflib.get_close_matches(name, known, n=3)
                hint = f" Did you mean {', '.join(near)}?" if near else f" The commands are {', '.join(known)}."
                raise click.UsageError(f"No such command {name!r}.{hint}", ctx=ctx)
        return super().resolve_command(ctx, args)


class _Listed(click.types.StringParamType):
    """A text of which a variable can hold several: one a line, or, for paths, separated as in ``PATH``."""

    def __init__(self, *, by_line: bool) -> None:
        """Take whether a line end alone separates: URLs, names and patterns may hold what separates paths."""
        self.by_line = by_line

    def split_envvar_value(self, rv: str) -> Sequence[str]:
        """Split at newlines if there is one, else as ``PATH``; blanks and ``://`` belong to the values."""
        values = rv.split("\n") if self.by_line or "\n" in rv else re.split(f"{os.pathsep}(?!//)", rv)
        return [value for value in values if value]


def _spellings(option: click.Parameter) -> list[str]:
    """Return the names of a flag as they stand in configuration and, in upper case, in variables."""
    return [word[2:].replace("-", "_") for word in option.opts if word.startswith("--")]


def _name_variables(option: click.Option, command: str) -> None:
    """Name a flag's variables by the flag, not by the parameter it fills."""
    option.allow_from_autoenv = False
    option.envvar = option.envvar or [_variable(command, word) for word in _spellings(option)]
    if option.multiple and type(option.type) is click.types.StringParamType:
        option.type = _Listed(by_line=option.metavar in _HOLD_COLONS)


def _variable(command: str, flag: str) -> str:
    return f"MODELSIGN_{command}_{flag}".replace(" ", "_").replace("-", "_").upper()


def _refuse_to_replace(session: Session) -> None:
    """Find out before any work whether the report has a place to go; if not, the answer goes to stdout."""
    wanted = session.presentation
    if wanted.output is not None and not wanted.force and os.path.isfile(wanted.output):  # noqa: PTH113 - pathlib costs 4 ms at start-up
        from modelsign.errors import error

        session.presentation = replace(wanted, output=None)
        raise error("OUTPUT_EXISTS", f"{wanted.output} exists already")


def _common_options(name: str, formats: Sequence[str]) -> list[click.Option]:
    def variables(flag: str) -> list[str]:
        return [_variable(name, flag), f"MODELSIGN_{flag}"]

    options = [
        click.Option(
            ["--format"],
            type=click.Choice(list(formats)),
            default="text",
            show_default=True,
            envvar=variables("FORMAT"),
            help="How the answer is written.",
        ),
        click.Option(
            ["-o", "--output"],
            metavar="FILE",
            envvar=variables("OUTPUT"),
            help="Where the answer goes, success or failure; - is standard output.",
        ),
        click.Option(["--force"], is_flag=True, envvar=variables("FORCE"), help="Replace files that exist."),
        click.Option(["-q", "--quiet"], is_flag=True, envvar=variables("QUIET"), help="Say nothing on stderr."),
        click.Option(["-v", "--verbose"], count=True, envvar=variables("VERBOSE"), help="Say more; repeat for more."),
        click.Option(
            ["--color", "--colour"],
            type=click.Choice(["auto", "always", "never"]),
            default="auto",
            envvar=variables("COLOR"),
            help="Colour the text; auto obeys NO_COLOR.",
        ),
        click.Option(["--no-progress"], is_flag=True, envvar=variables("NO_PROGRESS"), help="Draw no progress."),
        click.Option(["--config"], metavar="FILE", envvar=["MODELSIGN_CONFIG"], help="Read this configuration too."),
        click.Option(["--no-config"], is_flag=True, envvar=["MODELSIGN_NO_CONFIG"], help="Read no configuration."),
    ]
    for option in options:
        setattr(option, "section", "The answer")  # noqa: B010 - click's options have no such field of their own
    return options
