"""The group of all commands, which tells of wrong values of options in our words."""

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
            return super().invoke(ctx)
        except typer.BadParameter as error:
            raise _reworded(error) from error.__cause__


def _reworded(error: typer.BadParameter) -> typer.BadParameter:
    # Loaded now: pydantic takes longer to load than most commands take to be understood.
    reworded: typer.BadParameter = import_module("api.cli.usage_words").reworded(error)
    return reworded
