"""What every process tells of itself: its connections, its disk, and how late its event loop is."""

import asyncio
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from activities.metrics.definitions import (
    CONNECTIONS,
    DISK_FREE,
    DISK_SIZE,
    LOOP_LAG,
    MCP_CONNECTED,
    MOST_CONNECTIONS,
    OVERFLOW,
    WAITING,
    WAITS,
)
from activities.metrics.numbers import Numbers
from activities.store.database import Database
from activities.tools.mcp.pool import McpPool

_LOOK_SECONDS = 1.0


class ProcessNumbers:
    """``disks`` are folders by the names that their disks are told under."""

    def __init__(
        self, numbers: Numbers, database: Database, mcp: McpPool, disks: Mapping[str, Path]
    ) -> None:
        self._numbers = numbers
        self._database = database
        self._mcp = mcp
        self._disks = disks
        self._waits = 0
        numbers.before_reading(self._read)

    async def run(self) -> None:
        """Measure the event loop until cancelled."""
        while True:
            due = time.monotonic() + _LOOK_SECONDS
            await asyncio.sleep(_LOOK_SECONDS)
            self._numbers.observe(LOOP_LAG, max(time.monotonic() - due, 0.0))

    def _read(self) -> None:
        numbers, use = self._numbers, self._database.pool_use()
        numbers.set(CONNECTIONS, use.in_use, "in_use")
        numbers.set(CONNECTIONS, use.idle, "idle")
        numbers.set(MOST_CONNECTIONS, use.most)
        numbers.set(OVERFLOW, use.overflow)
        numbers.set(WAITING, use.waiting)
        numbers.count(WAITS, by=use.waits - self._waits)
        self._waits = use.waits
        numbers.set(MCP_CONNECTED, self._mcp.connected)
        for name, folder in self._disks.items():
            with suppress(OSError):  # It is not there yet.
                usage = shutil.disk_usage(folder)
                numbers.set(DISK_FREE, usage.free, name)
                numbers.set(DISK_SIZE, usage.total, name)
