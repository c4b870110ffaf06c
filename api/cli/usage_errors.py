"""The group of all commands, which tells of wrong values of options in our words."""

import os
import sys
from importlib import import_module
from typing import Any

import typer

from api.cli.plain_help import PlainGroup


class Commands(PlainGroup):
    """Whatever a command is given goes through it."""

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        try:
            return super().make_context(*arguments, **options)
        except typer.BadParameter as error:
            raise _reworded(error) from error.__cause__

    def invoke(self, ctx: Any) -> Any:
        try:
            given = super().invoke(ctx)
            sys.stdout.flush()
        except typer.BadParameter as error:
            raise _reworded(error) from error.__cause__
        except BrokenPipeError:  # Whoever reads, such as `head`, has seen enough: nothing is wrong.
            _print_nothing_more()
            raise typer.Exit(0) from None
        return given


def _print_nothing_more() -> None:
    """What is still buffered would end the program badly when it is written at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _reworded(error: typer.BadParameter) -> typer.BadParameter:
    # Loaded now: pydantic takes longer to load than most commands take to be understood.
    reworded: typer.BadParameter = import_module("api.cli.usage_words").reworded(error)
    return reworded
