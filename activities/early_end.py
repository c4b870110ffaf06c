"""Reading a stream that may not be read to its end."""

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

T = TypeVar("T")


@asynccontextmanager
async def closing(items: AsyncIterable[T]) -> AsyncIterator[AsyncIterator[T]]:
    """``aclosing`` for what is typed as no generator, and may be one: it is closed at the end, read
    out or not.

    A client of HTTP has one generator for each of its layers. Left to the garbage collector, they
    are closed when their event loop may be gone, which fails in whatever code runs at that moment.
    """
    iterator = aiter(items)
    try:
        yield iterator
    finally:
        if isinstance(iterator, AsyncGenerator):
            await iterator.aclose()
