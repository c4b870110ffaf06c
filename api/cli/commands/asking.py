"""Asking whoever sits at the terminal, before something is done that cannot be undone."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer


def ask(question: str, *, yes: bool) -> None:
    """Go on only if the answer is yes; a program, which has no terminal, is not asked.

    Raises:
        typer.Abort
    """
    if not yes and sys.stdin.isatty():
        with _interruptible():
            typer.confirm(question, abort=True, err=True)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Within a coroutine Ctrl-C only cancels it, at its next ``await``, to which an unanswered
    question never comes."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
