"""Notices of tasks: written with the change of state, whoever makes it, and taken by one sender."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from activities.store import deliveries, tasks, webhooks
from activities.store.audit import Actor
from activities.store.database import Database
from activities.store.deliveries import Claimed, Sent, Wanted
from activities.store.housekeeping.base import Scope, short_transaction
from activities.store.housekeeping.table import SWEEPS
from activities.store.keys import DEFAULT_TEAM, create_team
from activities.store.reading.deliveries import Delivery, DeliveryFilter, list_deliveries
from activities.store.tasks import NewCallback
from activities.store.webhooks import NewWebhook, SwitchedOff, webhook_switched_off
from tests.integration.new_tasks import new_task
from tests.integration.restarts import restart
from workflows.contracts import Failure, TaskClose, TaskMark
from workflows.definitions.agent import Agent
from workflows.definitions.webhook import DEFAULT_NOTICES, DeliveryState, Notice
from workflows.states import Status, TaskType

ACTOR = Actor(DEFAULT_TEAM, "test")
WANTED = Wanted(free=100, each=10, lease_seconds=60.0)
SENT = Sent(at="2026-11-29T12:00:00+00:00", duration_ms=5, status=500, error="it answered 500")


async def hook(
    database: Database, *, events: Sequence[Notice] = tuple(Notice), origin: str = "https://a:443"
) -> UUID:
    new = NewWebhook(uuid4(), f"{origin}/hook", origin, events, b"sealed")
    made = await webhooks.create_webhook(database, ACTOR, new)
    assert made is not None
    return made.id


async def task(database: Database, **more: Any) -> UUID:
    new = new_task(TaskType.AGENT, Agent(), prompt="x", **more)
    return (await tasks.create_task(database, new)).id


async def close(database: Database, task_id: UUID, status: Status, run: int = 1) -> bool:
    failure = None if status is Status.COMPLETED else Failure(code="x", message="x")
    closing = TaskClose(
        team_id=DEFAULT_TEAM, task_id=task_id, run=run, status=status, failure=failure
    )
    return await tasks.close_task(database, closing)


async def mark(database: Database, task_id: UUID, *statuses: Status, run: int = 1) -> None:
    for status in statuses:
        await tasks.mark_task(
            database, TaskMark(team_id=DEFAULT_TEAM, task_id=task_id, run=run, status=status)
        )


async def told(database: Database, task_id: UUID | None = None) -> list[str]:
    """Of which notices, the oldest first."""
    found = await written(database, task_id)
    return [str(each.type) for each in reversed(found)]


async def written(database: Database, task_id: UUID | None = None) -> Sequence[Delivery]:
    wanted = DeliveryFilter(task_id=task_id)
    return (await list_deliveries(database, DEFAULT_TEAM, wanted, None, 100))[0]


async def execute(database: Database, statement: str, **values: object) -> None:
    async with database.writing() as connection:
        await connection.execute(text(statement), values)


async def test_each_change_of_state_that_was_asked_about_is_written_down(
    database: Database,
) -> None:
    await hook(database)
    task_id = await task(database)
    assert await told(database) == []
    await execute(
        database,
        "UPDATE tasks SET status = 'running', started_at = now() WHERE id = :id",
        id=task_id,
    )
    await mark(database, task_id, Status.WAITING, Status.RUNNING, Status.PAUSED, Status.RUNNING)
    await mark(database, task_id, Status.WAITING)
    assert await close(database, task_id, Status.BLOCKED)
    assert not await close(database, task_id, Status.FAILED)
    assert await told(database, task_id) == [
        "task.started",
        "task.waiting",
        "task.waiting",
        "task.blocked",
    ]


@pytest.mark.parametrize(
    "status", [Status.COMPLETED, Status.FAILED, Status.BLOCKED, Status.CANCELLED]
)
async def test_every_end_is_told_once_in_each_run(database: Database, status: Status) -> None:
    await hook(database, events=DEFAULT_NOTICES)
    task_id = await task(database)
    await close(database, task_id, status)
    assert await restart(database, task_id, 1, first_step=0, inputs={})
    await close(database, task_id, status, run=2)
    found = await written(database, task_id)
    assert {(each.type, each.run) for each in found} == {
        (f"task.{status}", 1),
        (f"task.{status}", 2),
    }
    assert len(found) == 2


async def test_what_is_rolled_back_is_not_told(database: Database) -> None:
    await hook(database)
    task_id = await task(database)
    async with database.writing() as connection:
        change = text("UPDATE tasks SET status = 'failed' WHERE id = :id")
        await connection.execute(change, {"id": task_id})
        await connection.rollback()
    assert await told(database) == []


async def test_the_task_of_a_node_is_not_told_of_nor_its_callbacks(database: Database) -> None:
    await hook(database)
    plan = await task(database)
    callback = NewCallback("https://b/", "https://b:443", tuple(Notice))
    node = await task(database, parent_id=plan, callbacks=(callback,))
    await close(database, node, Status.COMPLETED)
    assert await told(database) == []
    await close(database, plan, Status.COMPLETED)
    assert await told(database) == ["task.completed"]


async def test_a_task_that_is_written_as_ended_is_told_of(database: Database) -> None:
    """No writer does so today, and none can forget it."""
    await hook(database)
    await execute(
        database,
        "INSERT INTO tasks (id, team_id, type, name, priority, status, definition, inputs, run, "
        "first_step, event_seq) "
        "VALUES (:id, :team, 'agent', 'x', 5, 'failed', '{}', '{}', 1, 0, 1)",
        id=uuid4(),
        team=DEFAULT_TEAM,
    )
    assert await told(database) == ["task.failed"]


async def test_webhooks_that_are_off_or_of_other_teams_are_not_told(database: Database) -> None:
    off = await hook(database)
    await webhooks.change_webhook(database, ACTOR, off, is_active=False)
    other = Actor(await create_team(database, "other"), "test")
    theirs = NewWebhook(uuid4(), "https://c/", "https://c:443", tuple(Notice), b"")
    assert await webhooks.create_webhook(database, other, theirs)
    await close(database, await task(database), Status.FAILED)
    async with database.reading(fresh=True) as connection:
        assert await connection.scalar(text("SELECT count(*) FROM webhook_deliveries")) == 0


# Taken by one sender.


async def claimed(database: Database, wanted: Wanted = WANTED) -> Sequence[Claimed]:
    return await deliveries.claim_due(database, wanted)


async def one(database: Database) -> Claimed:
    await hook(database)
    await close(database, await task(database), Status.FAILED)
    [delivery] = await claimed(database)
    return delivery


async def test_what_one_has_taken_no_other_takes_until_the_lease_is_over(
    database: Database,
) -> None:
    first = await one(database)
    assert await claimed(database) == []
    await execute(database, "UPDATE webhook_deliveries SET next_at = now()")
    [second] = await claimed(database)
    assert second.id == first.id
    # The first was only slow. What it writes counts no more.
    assert not await deliveries.fix_body(database, first, "late")
    await deliveries.delivered(database, first, replace(SENT, error=None))
    [found] = await written(database)
    assert (found.state, found.attempts) == (DeliveryState.PENDING, [])
    assert await deliveries.fix_body(database, second, "body")
    await deliveries.delivered(database, second, replace(SENT, error=None))
    [found] = await written(database)
    assert (found.state, len(found.attempts)) == (DeliveryState.DELIVERED, 1)


async def test_a_failure_is_kept_with_its_attempts_and_the_webhook_is_failing_since_the_first(
    database: Database,
) -> None:
    delivery = await one(database)
    assert delivery.webhook_id is not None
    await deliveries.postponed(database, delivery, SENT, 0.0)
    first = await webhooks.find_webhook(database, DEFAULT_TEAM, delivery.webhook_id)
    [delivery] = await claimed(database)
    assert (delivery.tries, delivery.failing_seconds > 0) == (1, True)
    await deliveries.postponed(database, delivery, SENT, 60.0)
    second = await webhooks.find_webhook(database, DEFAULT_TEAM, delivery.webhook_id)
    assert first
    assert second
    assert first.failing_since == second.failing_since != None  # noqa: E711
    assert await claimed(database) == []
    assert await deliveries.resend(database, ACTOR, delivery.id)
    [delivery] = await claimed(database)
    await deliveries.delivered(database, delivery, replace(SENT, error=None))
    well = await webhooks.find_webhook(database, DEFAULT_TEAM, delivery.webhook_id)
    assert well
    assert well.failing_since is None
    [found] = await written(database)
    assert [each.error for each in found.attempts] == ["it answered 500", "it answered 500", None]


async def test_of_many_attempts_the_last_are_kept(database: Database) -> None:
    delivery = await one(database)
    for number in range(deliveries.MAX_ATTEMPTS_KEPT + 3):
        await deliveries.postponed(database, delivery, replace(SENT, duration_ms=number), 0.0)
        [delivery] = await claimed(database)
    [found] = await written(database)
    assert [each.duration_ms for each in found.attempts] == list(range(3, 53))


async def test_receivers_are_served_in_turns_however_much_one_is_to_get(
    database: Database,
) -> None:
    for origin in ("https://a:443", "https://b:443", "https://c:443"):
        callback = NewCallback(f"{origin}/x", origin, DEFAULT_NOTICES)
        for _ in range(20 if origin == "https://a:443" else 2):
            await close(database, await task(database, callbacks=(callback,)), Status.FAILED)
    a, b, c = (f"{DEFAULT_TEAM} https://{name}:443" for name in "abc")
    taken = await claimed(database, replace(WANTED, each=3))
    assert sorted(each.target for each in taken) == [a] * 3 + [b] * 2 + [c] * 2
    taken = await claimed(database, replace(WANTED, each=3, places={a: 1}))
    assert [each.target for each in taken] == [a]
    assert await claimed(database, replace(WANTED, each=3, places={a: 0})) == []
    assert await claimed(database, replace(WANTED, each=3, after=a)) == []
    assert len(await claimed(database, replace(WANTED, free=2, each=3))) == 2


async def test_a_team_has_so_many_webhooks_and_no_more(database: Database) -> None:
    for _ in range(webhooks.MAX_WEBHOOKS):
        await hook(database)
    new = NewWebhook(uuid4(), "https://a/", "https://a:443", tuple(Notice), b"")
    assert await webhooks.create_webhook(database, ACTOR, new) is None


async def test_old_deliveries_are_swept_a_few_at_a_time_and_never_what_is_to_be_sent(
    database: Database,
) -> None:
    await hook(database)
    for _ in range(4):
        await close(database, await task(database), Status.FAILED)
    first, second, *others = await claimed(database)
    await deliveries.delivered(database, second, replace(SENT, error=None))
    for each in others:
        await deliveries.given_up(database, each, SENT, "no")
    [sweep] = [each for each in SWEEPS if each.name == "deliveries"]
    later = datetime.now(UTC) + timedelta(days=1)

    async def swept(before: datetime, limit: int) -> int:
        async with short_transaction(database) as connection:
            scope = Scope(DEFAULT_TEAM, before, None, limit)
            return (await sweep.step(connection, scope)).removed

    assert await swept(later - timedelta(days=2), 10) == 0
    assert await swept(later, 2) == 2
    assert await swept(later, 10) == 1
    assert [each.id for each in await written(database)] == [first.id]


async def test_what_is_sent_again_is_not_swept_meanwhile(database: Database) -> None:
    delivery = await one(database)
    await deliveries.given_up(database, delivery, SENT, "no")
    assert await deliveries.resend(database, ACTOR, delivery.id)
    async with database.reading(fresh=True) as connection:
        ended = "SELECT count(*) FROM webhook_deliveries WHERE ended_at IS NOT NULL"
        assert await connection.scalar(text(ended)) == 0


async def test_the_letter_of_a_webhook_stays_open_when_its_task_ends(database: Database) -> None:
    webhook = await hook(database)
    task_id = await task(database)
    await mark(database, task_id, Status.RUNNING)
    off = SwitchedOff(DEFAULT_TEAM, webhook, task_id, 1, "it answered 500")
    assert await webhook_switched_off(database, off)
    await close(database, task_id, Status.COMPLETED)
    async with database.reading(fresh=True) as connection:
        [state] = await connection.scalars(text("SELECT state FROM dead_letters"))
    assert state == "open"
