"""One reader of a task's events, and many viewers, each of whom gets each event once, in order."""

import asyncio
import random
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import TextClause, text

from activities.store import events, tasks
from activities.store.database import Database, Row
from activities.store.keys import DEFAULT_TEAM
from activities.store.reading.events import find_end, read_events
from api.http.feed import KEPT_EVENTS
from api.http.feeds import Feeds
from api.http.notifications import Notifications
from api.http.task_stream import Position, follow
from tests.integration.new_tasks import new_task
from workflows.definitions.pipeline import Pipeline
from workflows.errors.services import DatabaseNewer
from workflows.events import StepOutput, TaskStatus
from workflows.states import Status, TaskType

WAIT_SECONDS = 60.0
NEVER = 3_600.0  # seconds
PIPELINE = Pipeline.model_validate({"name": "one", "steps": [{"id": "one", "skill": "noop"}]})
_ID = re.compile(rb"^id: (\d+)$", re.MULTILINE)


class CountedDatabase(Database):
    """Counts the queries for events."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.event_queries = 0

    async def execute(self, statement: TextClause, values: Mapping[str, Any]) -> Sequence[Row]:
        self.event_queries += "FROM events" in statement.text
        return await super().execute(statement, values)


@dataclass
class Stage:
    """A task, and what an API process has to show it."""

    database: CountedDatabase
    notifications: Notifications
    feeds: Feeds
    task_id: UUID

    async def append(self, count: int, letters: int = 1) -> None:
        output = [StepOutput(step="one", text="x" * letters)] * count
        async with self.database.writing() as connection:
            await events.append(connection, self.task_id, output)

    async def finish(self, status: str = "completed") -> None:
        """Append the last event of the run, or the first of the next one."""
        event = TaskStatus(status=Status(status))
        async with self.database.writing() as connection:
            await connection.execute(
                text("UPDATE tasks SET status = :status WHERE id = :id"),
                {"status": status, "id": self.task_id},
            )
            await events.append(connection, self.task_id, [event])

    async def last(self) -> int:
        end = await find_end(self.database, DEFAULT_TEAM, self.task_id)
        assert end is not None
        return end.seq


@asynccontextmanager
async def staged(url: str, *, listens: bool = True) -> AsyncIterator[Stage]:
    """A task with one event. Nobody looks for events without being told of them."""
    database, notifications = CountedDatabase(url), Notifications(url)
    task = new_task(TaskType.PIPELINE, PIPELINE)
    await tasks.create_task(database, task)
    feeds = Feeds(database, notifications, heartbeat_seconds=NEVER)
    stage = Stage(database, notifications, feeds, task.id)
    listening = asyncio.create_task(notifications.run()) if listens else None
    yield stage
    notifications.close()
    if listening:
        listening.cancel()
        await asyncio.wait([listening])
    await database.close()


@pytest.fixture
async def stage(database_url: str) -> AsyncIterator[Stage]:
    async with staged(database_url) as stage:
        yield stage


class Viewer:
    """Follows from number ``first`` on; ``seen`` are the numbers that it got."""

    def __init__(self, stage: Stage, first: int = 0) -> None:
        self.first = first
        self.seen: list[int] = []
        self.reads = asyncio.Event()
        self.reads.set()
        self._stage = stage
        self._following: asyncio.Task[None] | None = None

    @property
    def seq(self) -> int:
        return self.seen[-1] if self.seen else self.first

    def connect(self) -> None:
        if self._following is None:
            self._following = asyncio.create_task(self._follow())

    async def disconnect(self) -> None:
        if self._following is not None:
            self._following.cancel()
            with suppress(asyncio.CancelledError):
                await self._following
            self._following = None

    async def end(self) -> None:
        """Return once its stream has ended."""
        self.reads.set()
        self.connect()
        assert self._following is not None
        async with asyncio.timeout(WAIT_SECONDS):
            await self._following

    async def until(self, seq: int) -> None:
        async with asyncio.timeout(WAIT_SECONDS):
            while self.seq < seq:
                await asyncio.sleep(0.002)

    async def _follow(self) -> None:
        stage = self._stage
        position = Position(stage.task_id, self.seq, await stage.last())
        async with aclosing(follow(stage.database, stage.feeds, position)) as chunks:
            async for chunk in chunks:
                await self.reads.wait()
                self.seen += map(int, _ID.findall(chunk))


async def join(stage: Stage, count: int, first: int = 0) -> list[Viewer]:
    """So many viewers, once they have seen all that there is."""
    viewers = [Viewer(stage, first) for _ in range(count)]
    for viewer in viewers:
        viewer.connect()
    await all_until(viewers, await stage.last())
    return viewers


async def all_until(viewers: Iterable[Viewer], seq: int) -> None:
    for viewer in viewers:
        await viewer.until(seq)


@pytest.mark.parametrize("viewers", [1, 60])
async def test_many_viewers_cause_as_many_queries_as_one(stage: Stage, viewers: int) -> None:
    crowd = await join(stage, 1)
    await stage.append(1)
    await all_until(crowd, await stage.last())  # Notifications are heard by now.
    crowd += await join(stage, viewers - 1)
    before = stage.database.event_queries
    for _ in range(5):
        await stage.append(3)
        await all_until(crowd, await stage.last())
    assert stage.database.event_queries - before == 5
    await stage.finish()
    for viewer in crowd:
        await viewer.end()
        assert viewer.seen == list(range(1, await stage.last() + 1))


async def test_viewers_at_about_one_place_share_the_first_query(stage: Stage) -> None:
    await stage.append(1_000)
    before = stage.database.event_queries
    viewers = [Viewer(stage, first) for first in (990, 980, 1_001, 970)]
    for viewer in viewers:
        viewer.connect()
    await all_until(viewers, 1_001)
    await asyncio.sleep(0)
    assert stage.database.event_queries - before <= 2  # One more once notifications are heard.
    for viewer in viewers:
        await viewer.disconnect()


async def test_a_feed_stops_reading_when_its_last_viewer_has_left(stage: Stage) -> None:
    viewers = await join(stage, 3)
    for viewer in viewers:
        await viewer.disconnect()
    before = stage.database.event_queries
    await stage.append(1)
    await asyncio.sleep(0.1)
    assert stage.database.event_queries == before


async def test_a_slow_viewer_holds_nobody_up_and_gets_everything_in_the_end(stage: Stage) -> None:
    slow, quick = await join(stage, 2)
    slow.reads.clear()
    for _ in range(4):
        await stage.append(KEPT_EVENTS)
    await quick.until(await stage.last())
    await stage.finish()
    await quick.end()
    assert len(slow.seen) < KEPT_EVENTS
    await slow.end()
    assert slow.seen == quick.seen == list(range(1, await stage.last() + 1))


async def test_a_viewer_who_joins_late_gets_all_events_in_order(stage: Stage) -> None:
    [early] = await join(stage, 1)
    await stage.append(3 * KEPT_EVENTS)
    await early.until(await stage.last())
    late, resumed = Viewer(stage), Viewer(stage, first=KEPT_EVENTS)
    late.connect()
    resumed.connect()
    await stage.append(10)
    await stage.finish()
    for viewer in (early, late, resumed):
        await viewer.end()
        assert viewer.seen == list(range(viewer.first + 1, await stage.last() + 1))


async def test_a_viewer_who_joins_brings_a_feed_without_notifications_up_to_date(
    database_url: str,
) -> None:
    async with staged(database_url, listens=False) as stage:
        [early] = await join(stage, 1)
        await stage.append(5)
        [late] = await join(stage, 1)
        await early.until(6)
        await stage.finish()
        last = Viewer(stage)
        for viewer in (last, early, late):
            await viewer.end()
            assert viewer.seen == list(range(1, 8))


async def test_a_retry_goes_on_in_another_feed(stage: Stage) -> None:
    [slow] = await join(stage, 1)
    slow.reads.clear()
    await stage.append(1)
    await asyncio.sleep(0.05)  # It is being sent that.
    await stage.finish()
    first_end = await stage.last()
    [also] = await join(stage, 1)
    await also.end()
    await stage.finish("pending")
    [next_run] = await join(stage, 1, first=first_end)
    await stage.append(2)
    await next_run.until(await stage.last())
    await stage.finish()
    await next_run.end()
    assert next_run.seen == list(range(first_end + 1, await stage.last() + 1))
    await slow.end()
    assert slow.seen == list(range(1, slow.seq + 1))
    assert slow.seq >= first_end


async def test_a_viewer_who_joins_after_the_end_gets_a_feed_of_their_own(stage: Stage) -> None:
    crowd = await join(stage, 60)
    with stage.feeds.joined(stage.task_id, 1, 1) as feed:
        await stage.finish()
        while not feed.has_ended:
            await asyncio.sleep(0)
        with stage.feeds.joined(stage.task_id, 2, 2) as following:  # All the others are waking.
            assert following is not feed
    for viewer in crowd:
        await viewer.end()


async def test_a_feed_that_the_last_viewer_left_is_not_joined(stage: Stage) -> None:
    with stage.feeds.joined(stage.task_id, 1, 1) as left:
        pass
    with stage.feeds.joined(stage.task_id, 1, 1) as feed:
        assert feed is not left


async def test_events_that_were_deleted_are_passed_over(stage: Stage) -> None:
    await stage.append(3 * KEPT_EVENTS)
    async with stage.database.writing() as connection:
        await connection.execute(text("DELETE FROM events"))
    viewer = Viewer(stage)
    viewer.connect()
    await asyncio.sleep(0.1)
    assert stage.database.event_queries < 5
    await stage.append(2)
    await stage.finish()
    await viewer.end()
    last = await stage.last()
    assert viewer.seen == [last - 2, last - 1, last]


async def test_a_state_of_a_newer_version_is_said_to_be_one(stage: Stage) -> None:
    async with stage.database.writing() as connection:
        await connection.execute(text("UPDATE tasks SET status = 'dreaming'"))
    with pytest.raises(DatabaseNewer, match="dreaming"):
        await read_events(stage.database, stage.task_id, after=0)
    with pytest.raises(DatabaseNewer, match="dreaming"):
        await find_end(stage.database, DEFAULT_TEAM, stage.task_id)


async def test_a_task_that_is_gone_has_ended(database: Database) -> None:
    page = await read_events(database, uuid4(), after=0)
    assert (list(page.events), page.has_more, page.has_ended) == ([], False, True)


async def test_a_task_that_is_deleted_ends_its_streams(stage: Stage) -> None:
    viewers = await join(stage, 3)
    await stage.append(1)
    await all_until(viewers, 2)  # Notifications are heard by now.
    async with stage.database.writing() as connection:
        await connection.execute(text("DELETE FROM tasks"))
    stage.notifications.ring(stage.task_id)
    for viewer in viewers:
        await viewer.end()


async def test_a_reader_that_breaks_ends_the_streams(stage: Stage) -> None:
    viewers = await join(stage, 3)
    async with stage.database.writing() as connection:
        await connection.execute(text("ALTER TABLE events RENAME TO gone"))
    stage.notifications.ring(stage.task_id)
    for viewer in viewers:
        await viewer.end()
    async with stage.database.writing() as connection:
        await connection.execute(text("ALTER TABLE gone RENAME TO events"))
    await join(stage, 1)


@pytest.mark.parametrize("seed", range(8))
async def test_each_viewer_gets_each_event_once_whatever_happens_in_between(
    stage: Stage, seed: int
) -> None:
    draw = random.Random(seed)
    viewers: list[Viewer] = []
    done: Counter[str] = Counter()
    for _ in range(120):
        viewer = draw.choice(viewers) if viewers else None
        match draw.choice(["join", "append", "append", "leave", "return", "stop", "go"]):
            case "join" if len(viewers) < 12:
                viewers.append(Viewer(stage, draw.randint(0, await stage.last())))
                viewers[-1].connect()
                done["join"] += 1
            case "append":
                await stage.append(draw.choice([1, 1, 1, 7, 60, 450]), draw.choice([1, 1, 900]))
            case "leave" if viewer:
                await viewer.disconnect()
            case "return" if viewer:
                viewer.connect()
            case "stop" if viewer:
                viewer.reads.clear()
            case "go" if viewer:
                viewer.reads.set()
        await asyncio.sleep(draw.choice([0, 0, 0.001, 0.01]))
    assert done["join"] > 4
    await stage.finish()
    for viewer in viewers:
        await viewer.end()
        assert viewer.seen == list(range(viewer.first + 1, await stage.last() + 1))
