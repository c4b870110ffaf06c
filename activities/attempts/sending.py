"""Sending events beside the work that they tell of."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any


@asynccontextmanager
async def sending(send: Coroutine[Any, Any, None], flushing: asyncio.Lock) -> AsyncIterator[None]:
    """Run ``send`` while the block runs. It holds ``flushing`` while events are under way.

    They are let through at the end: cut in two, they might be sent twice. Only a block that is
    cancelled does not wait for them: the database may be away, and nobody sends them again.
    """
    task = asyncio.create_task(send)
    try:
        yield
    except asyncio.CancelledError:
        task.cancel()
        raise
    finally:
        try:
            async with flushing:
                task.cancel()
        finally:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await task
