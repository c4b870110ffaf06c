"""The latest events of a task, encoded once for all who view it."""

import asyncio
import time
from collections import deque

from activities.store.reading.events import EventPage
from api.http.frames import Frame, encode, join

KEPT_EVENTS = 500
KEPT_BYTES = 256 * 1024
# What is written to a connection at once.
CHUNK_BYTES = 32 * 1024
# So many viewers are woken at once; then other calls have their turn. To send something to each of
# a thousand takes some 30 ms. The feed rests twice as long as that took, while events gather.
WOKEN_AT_ONCE = 10
REST_RATIO = 2.0
LONGEST_REST_SECONDS = 0.1


class Feed:
    """Events with numbers above ``floor``, up to ``seq``, and the viewers who wait for more.

    A viewer has a number only, that of the last event it was sent. So a slow one holds nobody up
    and takes no memory: once it is below ``floor`` it must find the next events elsewhere.

    ``has_ended``: nothing comes after ``seq``. ``is_closed``: nobody reads any more, because the
    server stops or the reader broke; viewers are to come back.
    """

    def __init__(self, floor: int) -> None:
        self.floor = self.seq = floor
        self.has_ended = False
        self.is_closed = False
        self.viewers = 0
        self._frames: deque[Frame] = deque()
        self._kept_bytes = 0
        self._latest = (floor, Frame(floor, b""))
        self._waiting: set[asyncio.Future[None]] = set()

    def after(self, seq: int) -> Frame | None:
        """What follows number ``seq``, empty if nothing does; None when that is not kept."""
        if seq < self.floor:
            return None
        if seq >= self.seq:
            return Frame(seq, b"")
        if self._latest[0] != seq:  # Most viewers are at the same place.
            self._latest = (seq, self._after(seq))
        return self._latest[1]

    def _after(self, seq: int) -> Frame:
        frames, size_bytes = [], 0
        for frame in self._frames:
            if frame.seq > seq and size_bytes < CHUNK_BYTES:
                frames.append(frame)
                size_bytes += len(frame.content)
        return join(frames)

    async def news(self) -> None:
        """Wait until there is something new, or had not been for the time of a heartbeat."""
        woken = asyncio.get_running_loop().create_future()
        self._waiting.add(woken)
        try:
            await woken
        finally:
            self._waiting.discard(woken)

    def add(self, page: EventPage) -> None:
        for frame in map(encode, page.events):
            self._frames.append(frame)
            self._kept_bytes += len(frame.content)
            self.seq = frame.seq
        while len(self._frames) > KEPT_EVENTS or self._kept_bytes > KEPT_BYTES:
            dropped = self._frames.popleft()
            self._kept_bytes -= len(dropped.content)
            self.floor = dropped.seq
        self._latest = (self.seq, Frame(self.seq, b""))
        self.has_ended = page.has_ended

    async def wake(self) -> None:
        """Let those who wait look again, a few at a time, and rest."""
        waiting, self._waiting = self._waiting, set()
        began = time.monotonic()
        for number, woken in enumerate(waiting, start=1):
            _set(woken)
            if number % WOKEN_AT_ONCE == 0:
                await asyncio.sleep(0)
        if len(waiting) >= WOKEN_AT_ONCE:
            rest_seconds = REST_RATIO * (time.monotonic() - began)
            await asyncio.sleep(min(rest_seconds, LONGEST_REST_SECONDS))

    def close(self) -> None:
        self.is_closed = True
        for woken in self._waiting:
            _set(woken)


def _set(woken: asyncio.Future[None]) -> None:
    if not woken.done():  # Its viewer may have gone away.
        woken.set_result(None)
