"""Who is to be told of messages: nobody who looks again anyhow."""

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

import pytest

from activities.store import inbox
from activities.store.database import Database
from activities.store.exchanges import Shape, UnreadMessage, begin_exchange
from activities.store.inbox import NewMessage, note_told
from activities.store.keys import DEFAULT_TEAM
from activities.store.reading.untold import untold
from activities.store.residents import (
    delete_resident,
    pause_resident,
    restart_resident,
    resume_resident,
)
from activities.store.tasks import close_task
from activities.store.unable import note_unable
from tests.actors import SOMEBODY
from tests.integration.resident_rows import new_agent, read, write
from workflows.contracts import TaskClose
from workflows.states import MessageMode, Status

HOUR_AGO = "UPDATE agents SET told_at = now() - interval '1 hour'"


def shape(name: str, messages: Sequence[UnreadMessage]) -> Shape:
    return Shape(name, "ask", {})


async def post(database: Database, agent_id: UUID, mode: MessageMode = MessageMode.QUEUE) -> None:
    message = NewMessage(agent_id=agent_id, team_id=DEFAULT_TEAM, content="ask", mode=mode)
    await inbox.post(database, message)


async def take(database: Database, agent_id: UUID) -> UUID:
    begun = await begin_exchange(database, agent_id, DEFAULT_TEAM, "execution", shape)
    assert begun is not None
    return begun.id


async def end(
    database: Database, agent_id: UUID, task_id: UUID, status: Status = Status.COMPLETED
) -> None:
    close = TaskClose(
        task_id=task_id,
        team_id=DEFAULT_TEAM,
        run=1,
        status=status,
        agent_id=agent_id,
    )
    assert await close_task(database, close)


async def due(database: Database) -> list[tuple[UUID, bool]]:
    return [(each.agent_id, each.interrupts) for each in await untold(database, 10)]


async def test_an_agent_that_answers_is_told_when_it_has_answered_and_did_not_look(
    database: Database,
) -> None:
    agent_id = await new_agent(database)
    await post(database, agent_id)
    task_id = await take(database, agent_id)
    await post(database, agent_id)
    await write(database, HOUR_AGO)
    assert not await due(database)
    await end(database, agent_id, task_id)
    assert await due(database) == [(agent_id, False)]


async def test_an_agent_that_answers_is_told_once_of_what_interrupts_it(
    database: Database,
) -> None:
    agent_id = await new_agent(database)
    await post(database, agent_id)
    await take(database, agent_id)
    await post(database, agent_id, MessageMode.INTERRUPT)
    [(told, interrupts)] = await due(database)
    assert (told, interrupts) == (agent_id, True)
    await note_told(database, {agent_id: 2})
    await post(database, agent_id)
    await write(database, HOUR_AGO)
    assert not await due(database)


@pytest.mark.parametrize("meanwhile", [0, 1])
async def test_of_what_an_agent_has_taken_it_need_not_be_told(
    database: Database, meanwhile: int
) -> None:
    agent_id = await new_agent(database)
    await post(database, agent_id)
    task_id = await take(database, agent_id)
    for _ in range(meanwhile):
        await post(database, agent_id)
    await end(database, agent_id, task_id)
    if meanwhile:
        await end(database, agent_id, await take(database, agent_id))
    [agent] = await read(database, "SELECT message_seq, told_seq FROM agents")
    assert agent.told_seq == agent.message_seq


async def count_untold(database: Database) -> int:
    """How many agents every pass looks at."""
    [row] = await read(database, "SELECT count(*) FROM agents WHERE message_seq > told_seq")
    return int(row.count)


async def terminate(database: Database, agent_id: UUID) -> None:
    await write(database, "UPDATE agents SET terminated_at = now() WHERE id = :id", id=agent_id)


async def use_up(database: Database, agent_id: UUID) -> None:
    await write(
        database,
        """
        WITH used AS (
            INSERT INTO agent_usage (agent_id, day, team_id, tokens, cost_usd)
            SELECT id, (now() AT TIME ZONE 'utc')::date, team_id, 10, 0 FROM agents WHERE id = :id
        )
        UPDATE agents SET definition = '{"limits": {"daily_tokens": 10}}' WHERE id = :id""",
        id=agent_id,
    )


async def fail(database: Database, agent_id: UUID) -> None:
    await post(database, agent_id)
    await end(database, agent_id, await take(database, agent_id), Status.FAILED)


async def pause(database: Database, agent_id: UUID) -> None:
    await pause_resident(database, SOMEBODY, agent_id)


@pytest.mark.parametrize("stop", [pause, fail, terminate, use_up])
async def test_an_agent_that_cannot_read_is_told_of_nothing_and_no_pass_looks_at_it_twice(
    database: Database, stop: Callable[[Database, UUID], Awaitable[None]]
) -> None:
    agent_id, other = await new_agent(database), await new_agent(database)
    await stop(database, agent_id)
    for each in (agent_id, other):
        await post(database, each)
    await write(database, HOUR_AGO)
    assert await due(database) == [(other, False)]
    await note_unable(database, 10)
    assert await due(database) == [(other, False)]
    assert await count_untold(database) == 1
    await post(database, agent_id, MessageMode.INTERRUPT)
    assert await due(database) == [(other, False)]


@pytest.mark.parametrize("is_skipped", [False, True])
async def test_who_may_go_on_is_told_of_what_came_meanwhile_though_nobody_says_so(
    database: Database, is_skipped: bool
) -> None:
    paused, failed = await new_agent(database), await new_agent(database)
    await pause(database, paused)
    await fail(database, failed)
    for each in (paused, failed):
        await post(database, each)
    await note_unable(database, 10)
    await write(database, "UPDATE agents SET told_at = now()")  # None has been silent for long.
    assert not await due(database)
    await resume_resident(database, SOMEBODY, paused)
    await restart_resident(database, SOMEBODY, failed, skip=is_skipped)
    assert {each for each, _ in await due(database)} == {paused, failed}
    await take(database, paused)
    await take(database, failed)
    assert await count_untold(database) == 0


async def test_who_goes_on_with_what_it_has_taken_is_told_of_nothing(database: Database) -> None:
    agent_id = await new_agent(database)
    await post(database, agent_id)
    await take(database, agent_id)
    await pause(database, agent_id)
    await resume_resident(database, SOMEBODY, agent_id)
    assert await count_untold(database) == 0


async def test_an_agent_that_has_used_up_its_day_is_told_on_the_next(database: Database) -> None:
    agent_id = await new_agent(database)
    await use_up(database, agent_id)
    await post(database, agent_id)
    await note_unable(database, 10)
    await write(database, HOUR_AGO)
    assert not await due(database)
    await write(database, "UPDATE agent_usage SET day = day - 1")
    assert await due(database) == [(agent_id, False)]


@pytest.mark.parametrize("stop", [pause, use_up])
async def test_what_interrupts_an_answer_is_told_although_nothing_else_would_be_read(
    database: Database, stop: Callable[[Database, UUID], Awaitable[None]]
) -> None:
    agent_id = await new_agent(database)
    await post(database, agent_id)
    await take(database, agent_id)
    await stop(database, agent_id)
    await post(database, agent_id)
    assert not await due(database)
    await post(database, agent_id, MessageMode.INTERRUPT)
    await note_unable(database, 10)
    assert await due(database) == [(agent_id, True)]


async def test_of_a_deleted_agent_no_message_waits(database: Database) -> None:
    agent_id = await new_agent(database)
    await post(database, agent_id)
    await terminate(database, agent_id)
    acted = await delete_resident(database, SOMEBODY, agent_id)
    assert acted is not None
    assert acted.is_done
    assert not await read(database, "SELECT id FROM inbox WHERE read_at IS NULL")


async def test_an_agent_is_told_though_whoever_wrote_to_it_died_before_it_could_tell(
    database: Database,
) -> None:
    agent_id = await new_agent(database)
    message = NewMessage(agent_id=agent_id, team_id=DEFAULT_TEAM, content="ask", tells=True)
    await inbox.post(database, message)
    assert await due(database) == [(agent_id, False)]
