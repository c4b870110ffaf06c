"""Hears what PostgreSQL announces, over one connection, and wakes those who wait for a task."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar
from uuid import UUID

from activities.store.events import CHANNEL, read_word
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


class EndBell(Bell):
    """Rings when a task has ended, or when that may have been missed (``has_ended`` is not set)."""

    def __init__(self) -> None:
        super().__init__()
        self.has_ended = False


AnyBell = TypeVar("AnyBell", bound=Bell)


class Notifications:
    """``run`` listens, for the life of the process. Anybody may wait meanwhile."""

    def __init__(self, database_url: str) -> None:
        self._listener = Listener(
            database_url, CHANNEL, on_word=self._on_word, on_connected=self._on_connected
        )
        self._bells: defaultdict[UUID, set[Bell]] = defaultdict(set)
        self._end_bells: defaultdict[UUID, set[EndBell]] = defaultdict(set)
        self.on_any: Callable[[UUID | None], None] = _nobody
        """Is told of everything that is announced; None: it may have been anything."""
        self.closing = False
        """Set when the server stops: who waits must come to an end."""
        self.connections = 0
        """How often it has begun to listen: what was announced in between nobody has heard."""
        self._others: list[Callable[[], None]] = []

    @contextmanager
    def listening(self, task_id: UUID) -> Iterator[Bell]:
        """A bell for the events of a task, while the block runs."""
        with _hung(self._bells, task_id, Bell()) as bell:
            yield bell

    @contextmanager
    def listening_for_end(self, task_id: UUID) -> Iterator[EndBell]:
        """A bell for the end of a task, while the block runs."""
        with _hung(self._end_bells, task_id, EndBell()) as bell:
            yield bell

    def hear(self, channel: str, look: Callable[[], None]) -> None:
        """Have somebody look when there is a word on another channel, or when that may have been
        missed: before ``run``."""
        self._others.append(look)
        self._listener.hear(channel, lambda _: look())

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
            heard = read_word(word)
            if heard.has_ended:
                self._ring_end(heard.id)
            else:
                self.ring(heard.id)
                self.on_any(heard.id)

    def _ring_end(self, task_id: UUID) -> None:
        for bell in self._end_bells.get(task_id, ()):
            bell.has_ended = True
            bell.ring()

    def _on_connected(self) -> None:
        self.connections += 1
        self._ring_all()
        self.on_any(None)
        for look in self._others:
            look()

    def _ring_all(self) -> None:
        for task_id in self._bells:
            self.ring(task_id)
        for bells in self._end_bells.values():
            for bell in bells:
                bell.ring()


@contextmanager
def _hung(
    bells: defaultdict[UUID, set[AnyBell]], task_id: UUID, bell: AnyBell
) -> Iterator[AnyBell]:
    bells[task_id].add(bell)
    try:
        yield bell
    finally:
        bells[task_id].discard(bell)
        if not bells[task_id]:
            del bells[task_id]


def _nobody(_: UUID | None) -> None:
    """Nobody hears everything."""
