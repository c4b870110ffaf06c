"""Calls of the asynchronous client as those of one that is not."""

import functools
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, Self, TypeVar, overload

from api.client.loop_thread import LoopThread

Given = ParamSpec("Given")
Result = TypeVar("Result")


class Part(Protocol):
    """What has calls: ``_inner`` makes them, on ``_loop``."""

    _inner: Any
    _loop: LoopThread


class Blocking(Generic[Given, Result]):
    """A call of the asynchronous client as one that returns when it is done."""

    def __init__(
        self, call: Callable[Concatenate[Any, Given], Coroutine[Any, Any, Result]]
    ) -> None:
        functools.update_wrapper(self, call)
        self._call = call

    def __call__(self, part: Part, *args: Given.args, **options: Given.kwargs) -> Result:
        """As a function of the class."""
        return part._loop.run(self._call(part._inner, *args, **options))

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
        return part._loop.iterate(self._call(part._inner, *args, **options))

    @overload
    def __get__(self, part: None, owner: type) -> Self: ...

    @overload
    def __get__(self, part: Part, owner: type) -> Callable[Given, Iterator[Result]]: ...

    def __get__(self, part: Part | None, owner: type) -> Self | Callable[Given, Iterator[Result]]:
        if part is None:
            return self
        return functools.update_wrapper(functools.partial(self, part), self._call)
