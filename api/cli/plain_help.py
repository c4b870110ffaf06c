"""Help as people read it: flags take no value, what a command needs has no braces around it, and a
docstring is text."""

import re
from typing import Any

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

_CODE = re.compile(r"``([^`]+)``")
_BRACES = str.maketrans("", "", "{}")


def plain(text: str) -> str:
    """A docstring without its marks; lines end where the screen does."""
    paragraphs = _CODE.sub(r"`\1`", text).split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


class PlainHelp:
    """Beside a class of commands."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "help": plain(options.get("help") or "")})

    def get_params(self, ctx: Any) -> list[Any]:
        parameters: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for each in parameters:
            if each.metavar is None and isinstance(each, TyperArgument):
                each.metavar = each.name.upper()
            elif each.metavar is None and isinstance(each, TyperOption) and each.is_flag:
                each.metavar = ""  # Else it reads `<bool>`, as if one were to follow.
        return parameters

    def format_help(self, ctx: Any, formatter: Any) -> None:
        try:
            super().format_help(ctx, formatter)  # type: ignore[misc]
        except SystemExit:  # So rich, which prints it, ends a program when nobody reads.
            raise typer.Exit from None

    def get_usage(self, ctx: Any) -> str:
        usage: str = super().get_usage(ctx)  # type: ignore[misc]
        return usage.translate(_BRACES)


class PlainCommand(PlainHelp, TyperCommand):
    """One that is no group."""


class PlainGroup(PlainHelp, TyperGroup):
    """A group of commands."""


def with_plain_help(app: typer.Typer) -> None:
    """Let all commands of an application, whatever groups they are in, have such help."""
    for command in app.registered_commands:
        if command.cls is TyperCommand:  # One that has another knows why.
            command.cls = PlainCommand
    for group in app.registered_groups:
        if group.typer_instance is not None:
            info = group.typer_instance.info
            info.cls = info.cls or PlainGroup
            with_plain_help(group.typer_instance)
