"""Uvicorn, without its looks ten times a second at whether it is to end: it is told so instead."""

import asyncio
from contextlib import suppress

import uvicorn

# How often the date in its answers moves on. Uvicorn sees to it at every tenth tick, from this one.
_TICK_SECONDS = 1.0
_DATE_TICK = 0


class SleepingServer(uvicorn.Server):
    """Wakes once a second while it does nothing."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._told = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def stop(self) -> None:
        """End, at once. In a handler of signals as well, which may interrupt anything."""
        self.should_exit = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._told.set)

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(_DATE_TICK):
            with suppress(TimeoutError):
                async with asyncio.timeout(_TICK_SECONDS):
                    await self._told.wait()
