import time

import pytest

from activities.patience import patiently
from workflows.backoff import Backoff
from workflows.errors import BadInput, TemporaryFailure


class Service:
    """Fails as often as it is told, then answers."""

    def __init__(self, failures: int, error: Exception) -> None:
        self.calls = 0
        self._failures = failures
        self._error = error

    async def call(self) -> str:
        self.calls += 1
        if self.calls <= self._failures:
            raise self._error
        return "answer"


AWAY = TemporaryFailure(service="S3", reason="refused")


async def test_a_service_that_comes_back_is_waited_for() -> None:
    service = Service(2, AWAY)
    assert await patiently(service.call) == "answer"
    assert service.calls == 3


async def test_patience_ends() -> None:
    service = Service(100, AWAY)
    with pytest.raises(TemporaryFailure):
        await patiently(service.call, patience_seconds=0.05)
    assert service.calls < 10


async def test_patience_and_pauses_begin_anew_with_each_try_that_gets_on() -> None:
    service = Service(6, AWAY)
    growing = Backoff(first_seconds=0.02, factor=100.0)
    began = time.monotonic()
    answer = await patiently(
        service.call, patience_seconds=0.05, backoff=growing, progress=lambda: service.calls
    )
    assert answer == "answer"
    assert time.monotonic() - began > 6 * 0.02 * 0.75


async def test_patience_ends_for_a_service_with_which_nothing_gets_on_any_more() -> None:
    service = Service(100, AWAY)
    with pytest.raises(TemporaryFailure):
        await patiently(service.call, patience_seconds=0.05, progress=lambda: min(service.calls, 2))


async def test_a_refusal_is_not_repeated() -> None:
    service = Service(1, BadInput(reason="no"))
    with pytest.raises(BadInput):
        await patiently(service.call)
    assert service.calls == 1
