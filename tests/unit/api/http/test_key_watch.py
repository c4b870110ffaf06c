"""Ending what a revoked key has begun."""

import asyncio
from collections.abc import Collection
from typing import cast

import pytest

from activities.store.database import Database
from api.http import key_watch
from api.http.key_watch import KeyWatch
from tests.live import until


async def test_a_database_that_refuses_once_does_not_end_the_watch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = 0

    async def valid_keys(_: Database, used: Collection[str]) -> set[str]:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise ValueError("password authentication failed")
        return set()

    monkeypatch.setattr(key_watch, "valid_keys", valid_keys)
    monkeypatch.setattr(key_watch, "CHECK_SECONDS", 0.01)
    watch = KeyWatch(cast(Database, None))
    running = asyncio.create_task(watch.run())
    with watch.using("digest") as scope:

        async def is_ended() -> bool:
            return scope.cancel_called

        await asyncio.shield(asyncio.ensure_future(until(is_ended)))
    assert not running.done()
    running.cancel()
