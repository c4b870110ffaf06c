"""Asking whoever sits at the terminal, before something is done that cannot be undone."""

import sys

import typer


def ask(question: str, *, yes: bool) -> None:
    """Go on only if the answer is yes; a program, which has no terminal, is not asked.

    Raises:
        typer.Abort
    """
    if not yes and sys.stdin.isatty():
        typer.confirm(question, abort=True, err=True)
