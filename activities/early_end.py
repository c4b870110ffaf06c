"""Reading a stream that may not be read to its end."""

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

T = TypeVar("T")


@asynccontextmanager
async def closing(items: AsyncIterable[T]) -> AsyncIterator[AsyncIterator[T]]:
    """The items, one by one. At the end their generator is closed, also one that is not exhausted.

    A client of HTTP has one generator for each of its layers. Left to the garbage collector, they
    are closed when their event loop may be gone, which fails in whatever code runs at that moment.
    """
    iterator = aiter(items)
    try:
        yield iterator
    finally:
        if isinstance(iterator, AsyncGenerator):
            await iterator.aclose()
