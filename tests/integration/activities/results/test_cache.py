"""The cache of results: who makes one, who waits, and what is removed."""

import asyncio
import os
import signal
import sys
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from activities.results.cache import ResultCache
from activities.store import result_cache
from activities.store.audit import Actor
from activities.store.keys import DEFAULT_TEAM
from activities.store.result_cache import Clearing, Result, Wanted
from tests.integration.agent_desk import Desk
from tests.pressure import allowed

ANYBODY = Actor(DEFAULT_TEAM, "test")


OWNER = """\
import asyncio, sys
from datetime import timedelta
from uuid import UUID
from activities.results.cache import ResultCache
from activities.store.blobs import Blobs
from activities.store.database import Database
from activities.store.options import S3Options
from activities.store.result_cache import Wanted

async def main(url, team, key):
    options = S3Options("http://127.0.0.1:9", "none", "none", "none")
    database = Database(url)
    cache = ResultCache(database, Blobs(options), claim_seconds=1.0)
    wanted = Wanted(UUID(team), key, UUID(int=1), timedelta(hours=1), "code", "code", "a")
    async with cache.place(wanted):
        print("claimed", flush=True)
        await asyncio.sleep(600)

asyncio.run(main(*sys.argv[1:]))
"""


async def test_when_the_worker_that_runs_is_killed_one_that_waits_takes_over(desk: Desk) -> None:
    key, url = uuid4().hex, desk.database.url
    owner = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", OWNER, url, str(DEFAULT_TEAM), key),
        stdout=asyncio.subprocess.PIPE,
    )
    assert owner.stdout is not None
    assert await owner.stdout.readline() == b"claimed\n"
    cache = ResultCache(desk.database, desk.blobs, claim_seconds=1.0)
    waiting = asyncio.create_task(make(cache, key, "by the one that waited"))
    await asyncio.sleep(2.5)
    assert not waiting.done(), "a claim that is renewed is not taken over"
    os.kill(owner.pid, signal.SIGKILL)
    await owner.wait()
    async with asyncio.timeout(allowed(10)):
        assert await waiting == "by the one that waited"
    assert await make(cache, key, "by nobody") == "by the one that waited"


async def make(cache: ResultCache, key: str, said: str, lifetime: str = "1h") -> str:
    async with cache.place(wanted(key)) as place:
        if place.result is not None:
            return place.result.stdout
        place.keep(Result(0, said, ""))
        return said


def wanted(key: str, **changes: Any) -> Wanted:
    place = Wanted(DEFAULT_TEAM, key, uuid4(), timedelta(hours=1), "code", "python code", "a")
    return replace(place, **changes)


async def test_a_result_that_was_begun_before_a_clearing_is_not_taken_after_it(desk: Desk) -> None:
    key, cache = uuid4().hex, ResultCache(desk.database, desk.blobs)
    async with cache.place(wanted(key)) as place:
        await result_cache.clear(desk.database, ANYBODY, Clearing())
        place.keep(Result(0, "old", ""))
    assert await make(cache, key, "new") == "new"


async def test_what_is_large_is_not_kept(desk: Desk) -> None:
    key, cache = uuid4().hex, ResultCache(desk.database, desk.blobs)
    large = "x" * (1024 * 1024 + 1)
    assert await make(cache, key, large) == large
    assert await make(cache, key, "small") == "small"


@pytest.mark.parametrize(
    ("clearing", "left"),
    [
        (Clearing(), set()),
        (Clearing(step="a"), {"skill b", "tool c"}),
        (Clearing(skill="csv"), {"skill b", "tool c"}),
        (Clearing(tool="csv"), {"skill a", "code a", "skill b"}),
        (Clearing(step="b", skill="chart"), {"skill a", "code a", "tool c"}),
        (Clearing(step="a", skill="chart"), {"skill a", "code a", "skill b", "tool c"}),
    ],
    ids=["all", "step", "skill", "tool", "step-and-skill", "neither"],
)
async def test_clearing_removes_what_is_named_of_one_team_and_says_how_many(
    desk: Desk, clearing: Clearing, left: set[str]
) -> None:
    for kind, name, step in (
        ("skill", "csv", "a"),
        ("code", "csv", "a"),
        ("skill", "chart", "b"),
        ("tool", "csv", "c"),
    ):
        place = wanted(uuid4().hex, kind=kind, name=name, step=step)
        await result_cache.claim(desk.database, place, 10)
        await result_cache.keep(desk.database, place, Result(0, "", ""))
    assert await result_cache.clear(desk.database, ANYBODY, clearing) == 4 - len(left)
    entries, _ = await result_cache.list_results(desk.database, DEFAULT_TEAM, None, 10)
    assert {f"{entry.kind} {entry.step}" for entry in entries} == left


async def test_a_clearing_is_in_the_audit_log(desk: Desk) -> None:
    actor = Actor(DEFAULT_TEAM, uuid4().hex)
    await result_cache.clear(desk.database, actor, Clearing(skill="csv"))
    async with desk.database.reading(fresh=True) as connection:
        rows = await connection.execute(
            text("SELECT action, target, details FROM audit_log WHERE actor = :actor"),
            {"actor": actor.name},
        )
        assert [tuple(row) for row in rows] == [
            ("cache.cleared", "skill csv", {"skill": "csv", "results": 0})
        ]
