"""Commands that are listed now and loaded when they are called.

Together their modules take ten times as long to load as a command line takes to be understood.
"""

import gc
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand

from api import garbage_collector
from api.cli.plain_help import with_plain_help


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
    """A process of commands alone has paused the garbage collector since its start."""
    was_paused = not gc.isenabled()
    garbage_collector.pause()
    found = getattr(import_module(module), attribute)
    if was_paused:
        garbage_collector.resume()
    else:
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
