"""The command line: ``commands/NAME.py`` is ``shoufu NAME``, a sub-folder is a group; nothing else to register.

A command's module exports ``command``. Modules are imported when their command is asked for, so start-up stays fast.
"""

from __future__ import annotations

import ast
import importlib
import keyword
import sys
from pathlib import Path

import click

from shoufu.runtime.errors import Problem

COMMANDS = Path(__file__).parent / "commands"
PACKAGE = "shoufu.runtime.commands"


class FolderGroup(click.Group):
    """A click group whose commands are the modules of a folder."""

    def __init__(self, folder: Path, package: str, name: str, text: str) -> None:
        super().__init__(name=name, help=text, short_help=text.split("\n")[0])
        self.folder = folder
        self.package = package

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the folder's modules and sub-folders, with dashes."""
        return sorted(_command_name(path) for path in self.folder.iterdir() if _is_command(path))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, or the group of a sub-folder; its module is imported here."""
        stem = _stem(cmd_name)
        path = self.folder / stem
        if path.is_dir() and _is_command(path):
            return FolderGroup(path, f"{self.package}.{stem}", cmd_name, summary(path / "__init__.py"))
        if not path.with_suffix(".py").is_file() or stem.startswith("_"):
            return None
        found: click.Command = importlib.import_module(f"{self.package}.{stem}").command
        found.name = cmd_name
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List commands by their modules' docstrings, importing none of them."""
        rows = [(name, summary(self._source(name))) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def _source(self, name: str) -> Path:
        path = self.folder / _stem(name)
        return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def summary(source: Path) -> str:
    """First line of the docstring of a Python file, without importing it; empty where there is none."""
    if not source.is_file():
        return ""
    text = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8")))
    return text.split("\n")[0] if text else ""


def _is_command(path: Path) -> bool:
    if path.name.startswith(("_", ".")):
        return False
    return path.suffix == ".py" or (path.is_dir() and any(_is_command(child) for child in path.iterdir()))


def _command_name(path: Path) -> str:
    return path.stem.rstrip("_").replace("_", "-")


def _stem(name: str) -> str:
    """The module of a command; one that is a word of Python's has an underscore behind it (import_)."""
    stem = name.replace("-", "_")
    return f"{stem}_" if keyword.iskeyword(stem) else stem


root = FolderGroup(COMMANDS, PACKAGE, "shoufu", "Shoufu runs a city district: one kernel, many scenes.")
root.params.append(
    click.Option(
        ["--version"],
        is_flag=True,
        expose_value=False,
        is_eager=True,
        help="Show the version.",
        callback=lambda ctx, _param, asked: _show_version(ctx) if asked else None,
    )
)


def _show_version(ctx: click.Context) -> None:
    from shoufu import __version__

    click.echo(__version__)
    ctx.exit()


def main() -> None:
    """Run the command line; a :class:`Problem` becomes one sentence on stderr and exit code 1."""
    try:
        root.main(prog_name="shoufu")
    except Problem as problem:
        click.echo(f"shoufu: {problem}", err=True)
        sys.exit(1)
    except ValueError as error:
        from shoufu.runtime.env import SettingError

        if not isinstance(error, SettingError):
            raise
        click.echo(f"shoufu: {error}", err=True)
        sys.exit(1)
