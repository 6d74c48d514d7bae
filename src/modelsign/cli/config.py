"""Configuration files: which are read, and what each may set.

A file that the caller names (``--config``, ``MODELSIGN_CONFIG``) or that belongs to the user or the system may set
any flag. A file that is merely found (``modelsign.toml`` or ``[tool.modelsign]`` from the working directory upward
to the repository's root) sets presentation only: whoever wrote the folder must not choose what is trusted there
(DESIGN, security rule 2).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from modelsign.errors import ModelsignError, error

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["PRESENTATION_KEYS", "Source", "flag_defaults", "sources"]

PRESENTATION_KEYS: Final = ("format", "color", "progress", "quiet", "verbose")
"""What a discovered file may set, at its top level."""
_NAME: Final = "modelsign.toml"
_MOST_BYTES: Final = 1024 * 1024
_LEVELS: Final = 64


class Source:
    """One configuration file: where it is, whether it was merely found, and what it says."""

    __slots__ = ("discovered", "path", "table")

    def __init__(self, path: str, table: Mapping[str, object], *, discovered: bool) -> None:
        """Take a parsed file."""
        self.path = path
        self.table = table
        self.discovered = discovered


def sources(
    *, named: str | None, environ: Mapping[str, str], cwd: str, user: bool = True, discover: bool = True
) -> tuple[Source, ...]:
    """Read every configuration file that applies, the weakest first.

    Raises:
        ModelsignError: ``CONFIG_REFUSED`` for a file that cannot be read or understood.

    """
    found: list[Source] = []
    if user:
        own = [path for path in _own_places(environ) if _is_file(path)]
        found += [Source(path, _table(path), discovered=False) for path in own]
    if discover and cwd:
        found += _discovered(cwd)
    chosen = named or environ.get("MODELSIGN_CONFIG")
    if chosen:
        found.append(Source(chosen, _table(chosen), discovered=False))
    return tuple(found)


def flag_defaults(
    found: Collection[Source], *, command: str, commands: Collection[str], flags: Collection[str]
) -> dict[str, object]:
    """Turn files into defaults for one command's flags; a stronger file overrides a weaker one.

    ``flags`` are the parameter names the command has. A presentation key that it does not have is passed over.

    Raises:
        ModelsignError: ``CONFIG_REFUSED`` for a key that is not known, or not allowed in a discovered file.

    """
    result: dict[str, object] = {}
    for source in found:
        for key in source.table:
            if key not in PRESENTATION_KEYS and (source.discovered or key not in commands):
                raise _refuse_key(source, key)
        result |= _presentation(source)
        table: object = source.table
        for word in command.split():
            table = table.get(word, {}) if isinstance(table, dict) else {}
        if isinstance(table, dict):
            result |= _of_command(source, command, table, flags)
    return {name: value for name, value in result.items() if name in flags}


def _presentation(source: Source) -> dict[str, object]:
    result = {key: source.table[key] for key in PRESENTATION_KEYS if key in source.table}
    for key, value in result.items():
        kind = {"format": str, "color": str, "progress": bool, "quiet": bool, "verbose": int}[key]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise error("CONFIG_REFUSED", f"{source.path}: {key!r} must be a {kind.__name__}")
    if "progress" in result:
        result["no_progress"] = not result.pop("progress")
    return result


def _of_command(source: Source, command: str, table: Mapping[str, object], flags: Collection[str]) -> dict[str, object]:
    result: dict[str, object] = {}
    for key, value in table.items():
        name = key.replace("-", "_")
        if name in flags:
            result[name] = value
        elif not isinstance(value, dict):
            raise error("CONFIG_REFUSED", f"{source.path}: {command!r} has no flag {key!r}")
    return result


def _refuse_key(source: Source, key: str) -> Exception:
    if not source.discovered:
        return error("CONFIG_REFUSED", f"{source.path}: unknown key {key!r}")
    return error(
        "CONFIG_REFUSED",
        f"{source.path} sets {key!r}; a configuration file that is merely found may set "
        f"{', '.join(PRESENTATION_KEYS)} and nothing else",
        advice="Move the setting to your user configuration or name the file with --config; --no-config ignores it.",
    )


def _own_places(environ: Mapping[str, str]) -> tuple[str, ...]:
    system = environ.get("XDG_CONFIG_DIRS", "").split(os.pathsep)[0] or "/etc/xdg"
    user = environ.get("XDG_CONFIG_HOME", "")
    if os.name == "posix" and os.uname().sysname == "Linux":
        home = environ.get("HOME", "")
        user = user or (f"{home}/.config" if home else "")
        return tuple(f"{base}/modelsign/config.toml" for base in (system, user) if base.startswith("/"))
    import platformdirs

    places = platformdirs.PlatformDirs("modelsign", appauthor=False)
    return tuple(str(Path(base) / "config.toml") for base in (places.site_config_dir, places.user_config_dir))


def _discovered(cwd: str) -> list[Source]:
    """Look from the working directory up to the repository's root; outside a repository, only where we stand."""
    here = Path(cwd)
    folders = [here, *here.parents][:_LEVELS]
    root = next((place for place, folder in enumerate(folders) if os.path.exists(folder / ".git")), 0)  # noqa: PTH110 - as below
    for folder in folders[: root + 1]:
        own, project = folder / _NAME, folder / "pyproject.toml"
        if _is_file(own):
            return [Source(str(own), _table(str(own)), discovered=True)]
        if _is_file(project):
            table = _tool_table(str(project))
            if table is not None:
                return [Source(f"{project} [tool.modelsign]", table, discovered=True)]
    return []


def _is_file(path: str | os.PathLike[str]) -> bool:
    """Say whether there is a file; unlike pathlib's, False also where a folder above may not be searched."""
    return os.path.isfile(path)  # noqa: PTH113 - for that very difference


def _table(path: str) -> dict[str, object]:
    import tomllib

    from modelsign import files

    try:
        data = files.read_bounded(path, _MOST_BYTES, what="configuration file")
    except ModelsignError as fault:
        raise error("CONFIG_REFUSED", fault.message) from None
    try:
        return tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as fault:
        raise error("CONFIG_REFUSED", f"{path} is not TOML: {fault}") from None


def _tool_table(path: str) -> dict[str, object] | None:
    """Return ``[tool.modelsign]``; a pyproject.toml that is broken or has none is not ours to complain about."""
    import tomllib

    from modelsign import files

    try:
        data = files.read_bounded(path, _MOST_BYTES, what="configuration file")
        if b"modelsign" not in data:
            return None
        tool = tomllib.loads(data.decode("utf-8")).get("tool")
    except (ModelsignError, ValueError, RecursionError):
        return None
    table = tool.get("modelsign") if isinstance(tool, dict) else None
    return table if isinstance(table, dict) else None
