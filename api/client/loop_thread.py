"""An event loop in a thread, on which the asynchronous client works for programs that are not."""

import asyncio
import os
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from concurrent import futures
from contextlib import suppress
from typing import Any, Generic, TypeVar

from api.client.errors import ClientUnusable
from api.client.transport import CLOSED

Result = TypeVar("Result")

_ENDING = "the program is ending; use it before that"
_FORKED = "it was made before this process was forked; make one in each process"
_OWN_THREAD = (
    "this is its own thread, which would wait for itself; in on_lost only note the reason, and "
    "call it elsewhere"
)


class LoopThread:
    """An event loop in a thread, so that one that the program runs itself, as notebooks do, is not
    in the way. The thread ends with the program, or when it is stopped.

    A call is refused where its end would be waited for without end. ``close`` is the last one that
    is made.
    """

    def __init__(self, close: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._close = close
        self._process_id = os.getpid()
        self._loop = asyncio.new_event_loop()
        # Held to hand something to the loop, so that whatever it is given is ended with it.
        self._handing = threading.Lock()
        self._has_ended = False
        self._open: set[_Followed[Any]] = set()
        self._thread = threading.Thread(target=self._work, daemon=True, name="agentos")
        self._thread.start()

    def run(self, call: Coroutine[Any, Any, Result]) -> Result:
        """What a call gives. One that is interrupted, by Ctrl-C as well, is cancelled.

        Raises:
            ClientUnusable: it cannot be made here, or was cut off by ``stop`` in another thread.
        """
        future = self._begun(call)
        try:
            return future.result()
        except futures.CancelledError as error:
            if not self._has_ended:
                raise
            raise ClientUnusable(reason=CLOSED) from error
        except BaseException:
            future.cancel()
            raise

    def iterate(self, items: AsyncGenerator[Result, None]) -> Iterator[Result]:
        """The items of a generator, each when it is asked for."""
        followed = _Followed(items)
        self._open.add(followed)
        try:
            while True:
                try:
                    item = self.run(followed.next())
                except _Ended:
                    return
                yield item
        finally:
            # Where no call can be made, the end of the loop closes it, or that of the program.
            with suppress(ClientUnusable):
                self.run(followed.close())
            if not self._has_ended:
                self._open.discard(followed)

    def stop(self) -> None:
        """End all calls, those that other threads wait for as well, and then the thread.

        Raises:
            ClientUnusable: the thread would wait for itself.
        """
        if not self._is_within_reach:
            return
        if threading.current_thread() is self._thread:
            raise ClientUnusable(reason=_OWN_THREAD)
        with self._handing:
            if not self._has_ended:
                self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    @property
    def _is_within_reach(self) -> bool:
        """Threads are not copied to a forked process, and stand still when a program ends."""
        return os.getpid() == self._process_id and not sys.is_finalizing()

    def _begun(self, call: Coroutine[Any, Any, Result]) -> futures.Future[Result]:
        try:
            # First, for a fork may have copied the lock as another thread held it.
            if not self._is_within_reach:
                raise ClientUnusable(reason=_ENDING if sys.is_finalizing() else _FORKED)
            if threading.current_thread() is self._thread:
                raise ClientUnusable(reason=_OWN_THREAD)
            with self._handing:
                if self._has_ended:
                    raise ClientUnusable(reason=CLOSED)
                return asyncio.run_coroutine_threadsafe(call, self._loop)
        except ClientUnusable:
            call.close()
            raise

    def _work(self) -> None:
        """Until it is stopped, or a call raises ``SystemExit``, as ``on_lost`` may."""
        try:
            with suppress(SystemExit):  # Whoever made the call has it.
                self._loop.run_forever()
        finally:
            with self._handing:
                self._has_ended = True
            self._loop.run_until_complete(self._end())
            self._loop.close()

    async def _end(self) -> None:
        """Whoever waits for a call learns that it is over: what was handed over before this has
        become a task by now."""
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        # From without: asyncio closes those within at the same time, which fails.
        await asyncio.gather(*(each.close() for each in list(self._open)), return_exceptions=True)
        await self._loop.shutdown_asyncgens()
        await self._close()


class _Ended(Exception):
    """No future may have ``StopAsyncIteration``."""


class _Followed(Generic[Result]):
    """A generator of which an item is awaited, or its end."""

    def __init__(self, items: AsyncGenerator[Result, None]) -> None:
        self._items = items
        self._awaited: asyncio.Task[Any] | None = None

    async def next(self) -> Result:
        self._awaited = asyncio.current_task()
        try:
            return await anext(self._items)
        except StopAsyncIteration:
            raise _Ended from None

    async def close(self) -> None:
        """After Ctrl-C it may still be at an item, or at the end of one."""
        if self._awaited is not None and not self._awaited.done():
            if not self._awaited.cancelling():  # A second time would cut off what it closes.
                self._awaited.cancel()
            await asyncio.wait([self._awaited])
        await self._items.aclose()
