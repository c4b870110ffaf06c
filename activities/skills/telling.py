"""Telling whoever waits for a script what is being prepared for it, such as an installation.

It is said deep within what many share; who listens is known to the attempt alone.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_listener: ContextVar[Callable[[str], None] | None] = ContextVar("listener", default=None)


def tell(what: str) -> None:
    """Say what takes long, as in ``installing pandas``."""
    listener = _listener.get()
    if listener is not None:
        listener(what)


@contextmanager
def telling(listener: Callable[[str], None]) -> Iterator[None]:
    """Hand on what is told within the block, and in what it starts."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
