"""Reading a stream that may not be read to its end."""

from collections.abc import AsyncIterator

import pytest

from activities.early_end import closing


class Numbers:
    """Ten numbers, and whether their generator was closed."""

    def __init__(self) -> None:
        self.is_closed = False

    async def __aiter__(self) -> AsyncIterator[int]:
        try:
            for number in range(10):
                yield number
        finally:
            self.is_closed = True


async def test_what_is_read_to_its_end_comes_whole() -> None:
    numbers = Numbers()
    async with closing(numbers) as items:
        assert [number async for number in items] == list(range(10))
    assert numbers.is_closed


async def test_what_is_left_early_is_closed_at_once() -> None:
    numbers = Numbers()
    async with closing(numbers) as items:
        assert await anext(items) == 0
        assert not numbers.is_closed
    assert numbers.is_closed


async def test_what_a_failing_reader_leaves_is_closed_at_once() -> None:
    numbers = Numbers()
    with pytest.raises(ZeroDivisionError):
        await _inverses(numbers)
    assert numbers.is_closed


async def _inverses(numbers: Numbers) -> list[float]:
    async with closing(numbers) as items:
        return [1 / number async for number in items]


async def test_an_iterator_that_is_no_generator_needs_no_closing() -> None:
    class Once:
        def __init__(self) -> None:
            self._left = [1]

        def __aiter__(self) -> "Once":
            return self

        async def __anext__(self) -> int:
            if not self._left:
                raise StopAsyncIteration
            return self._left.pop()

    async with closing(Once()) as items:
        assert [number async for number in items] == [1]
