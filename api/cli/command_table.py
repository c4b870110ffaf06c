"""Commands that are listed now and loaded when they are called.

Together their modules take ten times as long to load as a command line takes to be understood.
"""

import gc
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand

from api.cli.plain_help import with_plain_help

# How many more objects may be made than freed before Python looks for garbage. With its own number,
# 700, it looks some twenty times in a short command, for nothing.
_NEW_OBJECTS = 10_000


def add_command(app: typer.Typer, name: str, place: str, summary: str, panel: str) -> None:
    """Add a command, or a group of commands, that is at ``module:attribute``.

    ``summary`` is its line in the help of ``app``; a command has it in its docstring as well.
    """

    class Listed(TyperCommand):
        """Stands for the command. Whatever it is asked, beside its summary, the other answers."""

        def make_context(self, *arguments: Any, **options: Any) -> Any:
            return _load(name, place, summary).make_context(*arguments, **options)

    app.command(name, cls=Listed, help=summary, rich_help_panel=panel)(_not_called)


def _not_called() -> None:
    """The parameters of a command are those of the function that is loaded."""


def _imported(module: str, attribute: str) -> Any:
    """What is loaded stays: to look for garbage in it takes a tenth of the time. A process of
    commands alone has switched the collector off, and has it look seldom from here on."""
    is_of_commands_alone = not gc.isenabled()
    gc.disable()
    found = getattr(import_module(module), attribute)
    if is_of_commands_alone:
        gc.freeze()
        gc.set_threshold(_NEW_OBJECTS)
    gc.enable()
    return found


def _load(name: str, place: str, summary: str) -> Any:
    module, _, attribute = place.partition(":")
    found = _imported(module, attribute)
    app = typer.Typer(add_completion=False)
    app.callback()(_not_called)  # With a callback it is a group, also of one command.
    if isinstance(found, typer.Typer):
        app.add_typer(found, name=name, help=summary)
    else:
        app.command(name)(found)
    with_plain_help(app)
    group: Any = typer.main.get_command(app)
    return group.commands[name]
