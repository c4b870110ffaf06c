"""Calls of the asynchronous client for programs that are not: made on a loop of their own."""

import asyncio
import functools
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, Self, TypeVar, overload

Given = ParamSpec("Given")
Result = TypeVar("Result")


class LoopThread:
    """An event loop in a thread, so that one that the program runs itself, as notebooks do, is not
    in the way. The thread ends with the program, or when it is stopped."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="agentos")
        self._thread.start()

    def run(self, call: Coroutine[Any, Any, Result]) -> Result:
        """What a call gives. One that is interrupted, by Ctrl-C as well, is cancelled."""
        future = asyncio.run_coroutine_threadsafe(call, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def iterate(self, items: AsyncGenerator[Result, None]) -> Iterator[Result]:
        """The items of a generator, each when it is asked for."""
        try:
            while True:
                try:
                    item = self.run(_following(items))
                except _Ended:
                    return
                yield item
        finally:
            if not self.is_stopped:
                self.run(items.aclose())

    @property
    def is_stopped(self) -> bool:
        return self._loop.is_closed()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Part(Protocol):
    """What has calls: ``inner`` makes them, on ``loop``."""

    inner: Any
    loop: LoopThread


class Blocking(Generic[Given, Result]):
    """A call of the asynchronous client as one that returns when it is done."""

    def __init__(
        self, call: Callable[Concatenate[Any, Given], Coroutine[Any, Any, Result]]
    ) -> None:
        functools.update_wrapper(self, call)
        self._call = call

    def __call__(self, part: Part, *args: Given.args, **options: Given.kwargs) -> Result:
        """As a function of the class."""
        return part.loop.run(self._call(part.inner, *args, **options))

    @overload
    def __get__(self, part: None, owner: type) -> Self: ...

    @overload
    def __get__(self, part: Part, owner: type) -> Callable[Given, Result]: ...

    def __get__(self, part: Part | None, owner: type) -> Self | Callable[Given, Result]:
        if part is None:
            return self
        return functools.update_wrapper(functools.partial(self, part), self._call)


class Iterating(Generic[Given, Result]):
    """A call that gives one thing after another, as one that is iterated over."""

    def __init__(
        self, call: Callable[Concatenate[Any, Given], AsyncGenerator[Result, None]]
    ) -> None:
        functools.update_wrapper(self, call)
        self._call = call

    def __call__(self, part: Part, *args: Given.args, **options: Given.kwargs) -> Iterator[Result]:
        """As a function of the class."""
        return part.loop.iterate(self._call(part.inner, *args, **options))

    @overload
    def __get__(self, part: None, owner: type) -> Self: ...

    @overload
    def __get__(self, part: Part, owner: type) -> Callable[Given, Iterator[Result]]: ...

    def __get__(self, part: Part | None, owner: type) -> Self | Callable[Given, Iterator[Result]]:
        if part is None:
            return self
        return functools.update_wrapper(functools.partial(self, part), self._call)


class _Ended(Exception):
    """No future may have ``StopAsyncIteration``."""


async def _following(items: AsyncGenerator[Result, None]) -> Result:
    try:
        return await anext(items)
    except StopAsyncIteration:
        raise _Ended from None
