"""The group of all commands, which tells of wrong values of options in our words."""

import sys
from importlib import import_module
from typing import Any

import typer

from api.cli.broken_pipes import BrokenOff, print_nothing_more
from api.cli.plain_help import PlainGroup

_BROKEN_OFF = 141  # 128 + SIGPIPE, by which a program of the system ends there


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
        except BrokenPipeError as error:  # Whoever reads, such as `head`, has seen enough.
            print_nothing_more(sys.stdout)
            raise typer.Exit(_BROKEN_OFF if isinstance(error, BrokenOff) else 0) from None
        return given


def _reworded(error: typer.BadParameter) -> typer.BadParameter:
    # Loaded now: pydantic takes longer to load than most commands take to be understood.
    reworded: typer.BadParameter = import_module("api.cli.usage_words").reworded(error)
    return reworded
