"""Slots in the database: who gets one, who waits, and who is called."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from activities.limits.base import Bounds, Limit, Limits, tool_key
from activities.limits.shortage import Shortage
from activities.store import slots, tasks
from activities.store.database import Database
from activities.store.keys import DEFAULT_TEAM
from activities.store.slots import Piece
from tests.integration.activities.store.test_attempts import new_task
from tests.integration.resident_rows import write
from workflows.contracts import TaskClose
from workflows.states import Status

LIFE_SECONDS = 60.0
NOW = 0.0


def limit(name: str, **bounds: int) -> Limit:
    return Limit(tool_key(DEFAULT_TEAM, name), f"tool:{name}", DEFAULT_TEAM, Bounds(**bounds))


SLOW = limit("slow", running=1)
OTHER = limit("other", running=1)
RARE = limit("rare", per_minute=10)


def those(*limits: Limit) -> Limits:
    return Limits.of(limits, {})


ALL = those(SLOW, OTHER, RARE)


async def piece(database: Database, priority: int = 5) -> Piece:
    task = replace(new_task(), priority=priority)
    await tasks.create_task(database, task)
    return Piece(uuid4(), uuid4(), task.id, 1, "worker-1")


async def take(
    database: Database,
    each: Piece,
    *wanted: Limit,
    limits: Limits = ALL,
    life: float = LIFE_SECONDS,
) -> Shortage | None:
    return await slots.take(database, each, wanted or (SLOW,), limits, life)


async def names(database: Database, called: Sequence[UUID], *pieces: Piece) -> list[int]:
    return [[each.task_id for each in pieces].index(task_id) for task_id in called]


async def test_no_more_run_at_once_than_a_limit_allows(database: Database) -> None:
    first, second = await piece(database), await piece(database)
    assert await take(database, first) is None
    shortage = await take(database, second)
    assert shortage is not None
    assert shortage.what == "a slot of tool:slow (0 before it)"
    assert await slots.give_back(database, first.token, ALL) == (second.task_id,)
    assert await take(database, second) is None


async def test_rivals_for_the_last_slot_do_not_both_get_it(database: Database) -> None:
    rivals = [await piece(database) for _ in range(8)]
    found = await asyncio.gather(*(take(database, each) for each in rivals))
    assert found.count(None) == 1


async def test_all_slots_are_taken_or_none(database: Database) -> None:
    first, second, third = [await piece(database) for _ in range(3)]
    await take(database, first, OTHER)
    assert await take(database, second, SLOW, OTHER) is not None
    assert await take(database, third, SLOW) is None


async def test_a_repeat_of_an_attempt_finds_its_own_slot(database: Database) -> None:
    first, second = await piece(database), await piece(database)
    again = replace(first, token=uuid4())
    await take(database, first)
    assert await take(database, again) is None
    await take(database, second)
    # The attempt before, which was given up for lost, gives back nothing of the one after it.
    assert await slots.give_back(database, first.token, ALL) == ()
    assert await take(database, second) is not None


async def test_a_repeat_of_an_attempt_does_not_go_to_the_end_of_the_line(
    database: Database,
) -> None:
    first, waiting = await piece(database), await piece(database)
    await take(database, first)
    await take(database, waiting)
    assert await take(database, replace(first, token=uuid4())) is None


async def test_who_comes_first_goes_first_but_for_the_more_urgent(database: Database) -> None:
    first, second, third = [await piece(database, priority) for priority in (5, 5, 9)]
    running = await piece(database)
    await take(database, running)
    for each in (first, second, third):
        await take(database, each)
    shortage = await take(database, second)
    assert shortage is not None
    assert shortage.what == "a slot of tool:slow (2 before it)"
    assert await slots.give_back(database, running.token, ALL) == (third.task_id,)
    assert await take(database, first) is not None
    assert await take(database, third) is None


async def test_who_waits_longer_asks_less_often(database: Database) -> None:
    running, waiting = await piece(database), await piece(database)
    await take(database, running)
    found = [await take(database, waiting) for _ in range(9)]
    assert [shortage and shortage.seconds for shortage in found] == [
        *(5.0, 10.0, 20.0, 40.0, 80.0, 160.0),
        *(300.0, 300.0, 300.0),
    ]


async def test_who_has_many_before_it_asks_less_often(database: Database) -> None:
    pieces = [await piece(database) for _ in range(10)]
    found = [await take(database, each) for each in pieces]
    assert [shortage and shortage.seconds for shortage in found[-3:]] == [6.0, 7.0, 8.0]


async def test_what_a_dead_worker_has_taken_is_free_after_a_while(database: Database) -> None:
    dead, waiting = await piece(database), await piece(database)
    await take(database, dead, life=NOW)
    assert await take(database, waiting) is None


async def test_a_slot_that_is_renewed_stays_taken(database: Database) -> None:
    running, waiting = await piece(database), await piece(database)
    await take(database, running, life=NOW)
    await slots.renew(database, [running.token], LIFE_SECONDS)
    assert await take(database, waiting) is not None


async def test_those_whose_slot_became_free_by_itself_are_called_once(database: Database) -> None:
    running, waiting = await piece(database), await piece(database)
    await take(database, running)
    await take(database, waiting)
    assert await slots.call_next(database, ALL) == ()
    await write(database, "UPDATE slots SET expires_at = now()")
    assert await slots.call_next(database, ALL) == (waiting.task_id,)
    assert await slots.call_next(database, ALL) == ()


async def test_those_whose_limit_was_raised_are_called(database: Database) -> None:
    running, waiting = await piece(database), await piece(database)
    await take(database, running)
    await take(database, waiting)
    raised = those(limit("slow", running=2))
    assert await slots.call_next(database, raised) == (waiting.task_id,)


async def test_a_limit_below_what_runs_lets_nobody_begin(database: Database) -> None:
    wide = limit("slow", running=3)
    running = [await piece(database) for _ in range(3)]
    for each in running:
        assert await take(database, each, wide, limits=those(wide)) is None
    waiting = await piece(database)
    assert await take(database, waiting, SLOW) is not None
    assert await slots.give_back(database, running[0].token, ALL) == ()


async def test_who_was_told_and_does_not_come_is_passed_over(database: Database) -> None:
    running, absent, waiting = [await piece(database) for _ in range(3)]
    await take(database, running)
    await take(database, absent)
    await take(database, waiting)
    assert await slots.give_back(database, running.token, ALL) == (absent.task_id,)
    assert await take(database, waiting) is not None
    await write(
        database,
        "UPDATE slot_waits SET told_at = now() - interval '1 hour' WHERE told_at IS NOT NULL",
    )
    assert await slots.call_next(database, ALL) == (waiting.task_id,)
    assert await take(database, waiting) is None


async def test_a_task_that_is_paused_keeps_nobody_waiting(database: Database) -> None:
    running, paused, waiting = [await piece(database) for _ in range(3)]
    await take(database, running)
    await take(database, paused)
    await take(database, waiting)
    await write(
        database, "UPDATE tasks SET pause_requested_at = now() WHERE id = :id", id=paused.task_id
    )
    assert await slots.give_back(database, running.token, ALL) == (waiting.task_id,)


async def test_a_task_that_ends_gives_up_its_place_at_once(database: Database) -> None:
    running, ended, waiting = [await piece(database) for _ in range(3)]
    await take(database, running)
    await take(database, ended)
    await take(database, waiting)
    close = TaskClose(task_id=ended.task_id, team_id=DEFAULT_TEAM, run=1, status=Status.CANCELLED)
    await tasks.close_task(database, close)
    assert await slots.give_back(database, running.token, ALL) == (waiting.task_id,)


async def test_a_task_that_has_ended_does_not_get_into_the_line(database: Database) -> None:
    running, ended = await piece(database), await piece(database)
    await take(database, running)
    close = TaskClose(task_id=ended.task_id, team_id=DEFAULT_TEAM, run=1, status=Status.CANCELLED)
    await tasks.close_task(database, close)
    assert await take(database, ended) is None
    assert await slots.give_back(database, running.token, ALL) == ()


async def test_calls_keep_to_their_rate_and_wait_for_the_next_token(database: Database) -> None:
    first, second, third = [await piece(database) for _ in range(3)]
    assert await take(database, first, RARE) is None
    found = [await take(database, second, RARE), await take(database, third, RARE)]
    assert [shortage and shortage.what for shortage in found] == [
        "its turn with tool:rare (10 a minute)"
    ] * 2
    assert [shortage and round(shortage.seconds) for shortage in found] == [6, 12]


async def test_a_rate_lets_so_many_begin_as_time_has_passed(database: Database) -> None:
    first, *others = [await piece(database) for _ in range(3)]
    quick = limit("quick", per_minute=600)  # of which sixty may come at once
    limits = those(quick)
    assert await take(database, first, quick, limits=limits) is None
    await write(
        database, "UPDATE rate_buckets SET tokens = 0, filled_at = now() - interval '100 ms'"
    )
    found = [await take(database, each, quick, limits=limits) for each in others]
    assert found[0] is None


@pytest.mark.parametrize(
    "bounds", [{"running": 1}, {"per_minute": 1}, {"running": 1, "per_minute": 1}]
)
async def test_who_waits_for_a_place_takes_no_token(
    database: Database, bounds: dict[str, int]
) -> None:
    both = limit("both", **bounds)
    running, waiting = await piece(database), await piece(database)
    await take(database, running, OTHER)
    assert await take(database, waiting, OTHER, both, limits=those(OTHER, both)) is not None
    await slots.give_back(database, running.token, ALL)
    assert await take(database, waiting, OTHER, both, limits=those(OTHER, both)) is None


async def test_a_call_of_a_task_that_is_to_pause_takes_what_is_free(database: Database) -> None:
    first = await piece(database)
    pause = "UPDATE tasks SET pause_requested_at = now() WHERE id = :id"
    await write(database, pause, id=first.task_id)
    assert await take(database, first) is None


async def test_what_no_limit_holds_any_more_keeps_no_place(database: Database) -> None:
    first, second, third = [await piece(database) for _ in range(3)]
    assert await take(database, first) is None
    assert await take(database, second) is not None
    await slots.leave(database, second.holder)
    assert await slots.give_back(database, first.token, ALL) == ()
    assert await take(database, third) is None
