"""What is wrong with the value of an option, in our words."""

import re

import typer
from pydantic import ValidationError

from workflows.suggestions import nearest
from workflows.validation_messages import message_of

_NO_CHOICE = re.compile(r"'(?P<given>.*?)' is not one of (?P<names>'.*')\.?")


def reworded(error: typer.BadParameter) -> typer.BadParameter:
    """The parser of commands has the words of pydantic."""
    cause = error.__cause__
    if isinstance(cause, ValidationError):
        first = cause.errors(include_url=False)[0]
        error.message = _choice(message_of(first).rstrip("."))
    return error


def _choice(message: str) -> str:
    """With the name that may be meant, where one of several belongs."""
    found = _NO_CHOICE.fullmatch(message)
    if found is None:
        return f"{message}."
    names = re.findall(r"'([^']*)'", found["names"])
    meant = nearest(found["given"], names)
    hint = f" Did you mean {meant}?" if meant else ""
    return f"{found['given']!r} is not one of {', '.join(names)}.{hint}"
