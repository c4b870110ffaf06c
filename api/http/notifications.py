"""Hears what PostgreSQL announces, over one connection, and wakes those who wait for a task."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from uuid import UUID

from activities.store.events import CHANNEL
from activities.store.listener import Listener


class Bell:
    """Rings when something may have happened to a task. It holds one bit, however much happened."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()

    async def wait(self, timeout_seconds: float) -> bool:
        """True once it was rung since the last ``wait``; False when it was not for that long."""
        try:
            # `asyncio.wait_for` of Python 3.11 swallows that it is cancelled as this is rung:
            # whoever reads for viewers that have gone would go on for ever.
            async with asyncio.timeout(timeout_seconds):
                await self._rung.wait()
        except TimeoutError:
            return False
        self._rung.clear()
        return True


class Notifications:
    """``run`` listens, for the life of the process. Anybody may wait meanwhile."""

    def __init__(self, database_url: str) -> None:
        self._listener = Listener(
            database_url, CHANNEL, on_word=self._on_word, on_connected=self._on_connected
        )
        self._bells: defaultdict[UUID, set[Bell]] = defaultdict(set)
        self.on_any: Callable[[UUID | None], None] = _nobody
        """Is told of everything that is announced; None: it may have been anything."""
        self.closing = False
        """Set when the server stops: who waits must come to an end."""
        self.connections = 0
        """How often it has begun to listen: what was announced in between nobody has heard."""

    @contextmanager
    def listening(self, task_id: UUID) -> Iterator[Bell]:
        """A bell for the events of a task, while the block runs."""
        bell = Bell()
        self._bells[task_id].add(bell)
        try:
            yield bell
        finally:
            self._bells[task_id].discard(bell)
            if not self._bells[task_id]:
                del self._bells[task_id]

    def ring(self, task_id: UUID) -> None:
        """Let those who wait for this task look for themselves."""
        for bell in self._bells.get(task_id, ()):
            bell.ring()

    def close(self) -> None:
        """Let everybody who waits come to an end."""
        self.closing = True
        self._ring_all()

    async def run(self) -> None:
        """Listen until cancelled."""
        await self._listener.run()

    def _on_word(self, word: str) -> None:
        with suppress(ValueError):  # Not one of ours.
            changed = UUID(word)
            self.ring(changed)
            self.on_any(changed)

    def _on_connected(self) -> None:
        self.connections += 1
        self._ring_all()
        self.on_any(None)

    def _ring_all(self) -> None:
        for task_id in self._bells:
            self.ring(task_id)


def _nobody(_: UUID | None) -> None:
    """Nobody hears everything."""
