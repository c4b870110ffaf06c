"""Asking whoever sits at the terminal, before something is done that cannot be undone."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from api.cli import terminal


def ask(question: str, *, yes: bool) -> None:
    """Go on only if the answer is yes; a program, which has no terminal, is not asked.

    Raises:
        typer.Abort: no, or nobody sees the question.
    """
    if yes or not sys.stdin.isatty():
        return
    if terminal.stderr().quiet:
        raise typer.Abort
    try:
        with _interruptible():
            typer.confirm(question, abort=True, err=True)
    except BrokenPipeError as error:
        raise typer.Abort from error


@contextmanager
def _interruptible() -> Iterator[None]:
    """Within a coroutine Ctrl-C only cancels it, at its next ``await``, to which an unanswered
    question never comes."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
