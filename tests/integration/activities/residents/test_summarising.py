"""Summing up: what is old is put into a few words, once, by a model that nobody waits for."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.limits.base import Bounds
from activities.limits.book import LimitBook
from activities.limits.slots import Slots
from activities.llm.base import ModelOptions
from activities.llm.models import Models
from activities.residents.adapter import Conversations
from activities.residents.options import ConversationOptions, MemoryOptions
from activities.residents.summarising import Summariser
from activities.residents.summary_prompt import MAX_SUMMARY_CHARACTERS
from activities.store.blobs import Blobs
from activities.store.database import Database
from activities.store.keys import DEFAULT_TEAM
from activities.store.options import S3Options
from activities.store.summaries import KEPT_EXCHANGES, Summarised, list_summaries
from tests.doubles.model_server import ModelServer, delta, events, model_server, text, usage
from tests.doubles.scripted_models import Endless
from tests.equipment import TOKENS, equipment, installed
from tests.integration.resident_rows import new_agent, new_exchange, read, write
from tests.pressure import allowed
from workflows.resident_contracts import TakeCall
from workflows.states import Status

# Nothing is ever asked of it: no connection is made before it is needed.
BLOBS = Blobs(S3Options("http://127.0.0.1:1", "bucket", "key", "secret"))
EXCHANGES = 12
OLD = EXCHANGES - KEPT_EXCHANGES


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with model_server() as served:
        yield served


@pytest.fixture
async def agent_id(database: Database) -> UUID:
    """An agent that has said enough to be summed up, and answers now."""
    agent_id = await new_agent(database)
    for number in range(1, EXCHANGES):
        said = [{"role": "assistant", "turn": 1, "content": f"reply {number} " + "word " * 200}]
        await new_exchange(database, agent_id, number, f"ask {number}", said, reply=f"re {number}")
    await new_exchange(database, agent_id, EXCHANGES, "now", status=Status.RUNNING)
    return agent_id


@asynccontextmanager
async def summing_up(
    database: Database,
    server: ModelServer,
    folder: Path,
    *,
    context_tokens: int = 128_000,
    summarise_tokens: int = 1_000,
    slots: Slots | None = None,
    daily_tokens: int = 0,
) -> AsyncIterator[Summariser]:
    models = Models(ModelOptions(("first",), server.url, context_tokens=context_tokens), TOKENS)
    equipped = replace(equipment(database, BLOBS, folder, models=models), slots=slots)
    options = MemoryOptions(summarise_tokens=summarise_tokens, daily_tokens=daily_tokens)
    try:
        yield Summariser(equipped, options)
    finally:
        await models.close()


@pytest.fixture
async def summariser(
    database: Database, server: ModelServer, tmp_path: Path
) -> AsyncIterator[Summariser]:
    async with summing_up(database, server, tmp_path) as summariser:
        yield summariser


def call_of(agent_id: UUID) -> TakeCall:
    return TakeCall(agent_id=agent_id, team_id=DEFAULT_TEAM)


async def written(database: Database, agent_id: UUID) -> list[Summarised]:
    found, _ = await list_summaries(database, agent_id, 0, 100)
    return list(found)


async def used(database: Database) -> tuple[int, int]:
    [row] = await read(
        database,
        "SELECT (SELECT sum(tokens) FROM team_usage) AS team,"
        " (SELECT sum(tokens) FROM agent_usage) AS agent",
    )
    return row.team or 0, row.agent or 0


async def test_what_is_old_is_summed_up(
    database: Database, server: ModelServer, summariser: Summariser, agent_id: UUID
) -> None:
    server.answers(text("They asked twelve times."))
    assert await summariser.is_due(agent_id, EXCHANGES, None)
    await summariser.summarise(call_of(agent_id))
    [summary] = await written(database, agent_id)
    assert (summary.through, summary.text, summary.model) == (
        OLD,
        "They asked twelve times.",
        "first",
    )
    assert await used(database) == (summary.tokens, summary.tokens)
    [request] = server.requests
    asked = request.body["messages"][-1]["content"]
    assert "ask 1\n" in asked
    assert f"reply {OLD} " in asked
    assert f"reply {OLD + 1} " not in asked
    [count] = await read(database, "SELECT count(*) AS n FROM messages")
    assert count.n == EXCHANGES - 1  # Nothing is deleted.


async def test_a_summary_goes_on_from_the_one_before(
    database: Database, server: ModelServer, summariser: Summariser, agent_id: UUID
) -> None:
    server.answers(text("first summary"), text("second summary"))
    await summariser.summarise(call_of(agent_id))
    for number in range(EXCHANGES + 1, 2 * EXCHANGES):
        said = [{"role": "assistant", "turn": 1, "content": "later " * 200}]
        await new_exchange(database, agent_id, number, f"ask {number}", said, reply="re")
    await summariser.summarise(call_of(agent_id))
    assert [each.through for each in await written(database, agent_id)] == [
        2 * EXCHANGES - 1 - KEPT_EXCHANGES,
        OLD,
    ]
    asked = server.requests[1].body["messages"][-1]["content"]
    assert "first summary" in asked
    assert "ask 1\n" not in asked


async def test_a_repeat_changes_nothing(
    database: Database, server: ModelServer, summariser: Summariser, agent_id: UUID
) -> None:
    server.answers(text("once"))
    await summariser.summarise(call_of(agent_id))
    before = await used(database)
    await summariser.summarise(call_of(agent_id))
    assert len(server.requests) == 1
    assert await used(database) == before
    assert not await summariser.is_due(agent_id, EXCHANGES, None)


async def test_of_two_at_once_one_counts(
    database: Database, server: ModelServer, summariser: Summariser, agent_id: UUID
) -> None:
    server.answers(text("one"), text("two"))
    await asyncio.gather(*(summariser.summarise(call_of(agent_id)) for _ in range(2)))
    [summary] = await written(database, agent_id)
    # Both are paid for all the same.
    assert (await used(database))[1] == summary.tokens * len(server.requests)


@pytest.mark.parametrize(
    "answer",
    [
        text(" "),
        text("x" * (MAX_SUMMARY_CHARACTERS + 1)),
        events(delta(content="They ask"), delta("length"), usage(10, 5)),
    ],
    ids=["empty", "long", "cut off"],
)
async def test_an_answer_that_is_no_summary_is_refused_and_paid_for(
    database: Database,
    server: ModelServer,
    summariser: Summariser,
    agent_id: UUID,
    answer: object,
) -> None:
    server.answers(answer)  # type: ignore[arg-type]
    await summariser.summarise(call_of(agent_id))
    assert not await written(database, agent_id)
    assert min(await used(database)) > 0


async def test_a_model_that_reads_little_sums_up_bit_by_bit(
    database: Database, server: ModelServer, tmp_path: Path, agent_id: UUID
) -> None:
    server.answers(*(text(f"summary {number}") for number in range(4)))
    few = {"context_tokens": 2_048, "summarise_tokens": 100}
    async with summing_up(database, server, tmp_path, **few) as summariser:
        for _ in range(4):
            await summariser.summarise(call_of(agent_id))
    throughs = [each.through for each in await written(database, agent_id)]
    assert throughs == sorted(set(throughs), reverse=True)
    assert 2 <= len(throughs) <= 4
    assert throughs[0] == OLD


async def test_what_was_said_briefly_is_not_summed_up(
    database: Database, server: ModelServer, summariser: Summariser
) -> None:
    agent_id = await new_agent(database)
    for number in range(1, EXCHANGES + 1):
        await new_exchange(database, agent_id, number, "hi", reply="hi")
    assert not await summariser.is_due(agent_id, EXCHANGES, None)
    await summariser.summarise(call_of(agent_id))
    assert not server.requests


async def test_many_short_exchanges_are_summed_up(
    database: Database, summariser: Summariser
) -> None:
    agent_id = await new_agent(database)
    await write(database, "UPDATE agents SET exchanges = 108")
    assert await summariser.is_due(agent_id, 108, None)


async def test_no_summary_is_made_once_the_team_has_used_up_its_tokens(
    database: Database, server: ModelServer, tmp_path: Path, agent_id: UUID
) -> None:
    await write(
        database,
        "INSERT INTO team_usage (team_id, day, tokens, cost_usd)"
        " SELECT id, (now() AT TIME ZONE 'utc')::date, 10, 0 FROM teams",
    )
    async with summing_up(database, server, tmp_path, daily_tokens=10) as summariser:
        await summariser.summarise(call_of(agent_id))
    assert not server.requests


async def test_a_summary_waits_for_no_slot(
    database: Database, server: ModelServer, tmp_path: Path, agent_id: UUID
) -> None:
    """It gives up until the next time: whoever answers goes first."""
    book = LimitBook(database, {"first": Bounds(running=1)})

    async def tell(_: str) -> None:
        pass

    slots = Slots(database, book, "worker-1", tell=tell)
    [task] = await read(database, "SELECT id FROM tasks WHERE status = 'running'")
    server.answers(text("now"))
    async with summing_up(database, server, tmp_path, slots=slots) as summariser:
        async with slots.for_turn(task.id, 1, DEFAULT_TEAM, "first"):
            await summariser.summarise(call_of(agent_id))
            assert not server.requests
        assert not await read(database, "SELECT holder FROM slot_waits")
        await summariser.summarise(call_of(agent_id))
    assert len(await written(database, agent_id)) == 1
    assert not await read(database, "SELECT holder FROM slots")
    await slots.close()


def hosted(summariser: Summariser) -> Conversations:
    return Conversations(installed(summariser._equipment), ConversationOptions(), summariser)


async def test_a_summary_stops_within_a_second_of_its_cancellation(
    database: Database, server: ModelServer, summariser: Summariser, agent_id: UUID
) -> None:
    endless = Endless("They asked")
    server.answers(endless)
    environment = ActivityEnvironment()
    beats: list[object] = []
    environment.on_heartbeat = lambda *details: beats.append(details)
    running = asyncio.ensure_future(
        environment.run(hosted(summariser).summarise, call_of(agent_id))
    )
    await endless.begun.wait()
    await asyncio.sleep(0.5)
    began = time.monotonic()
    environment.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert time.monotonic() - began < allowed(1)
    assert beats
    assert not await written(database, agent_id)
    assert min(await used(database)) > 0  # What it has read and written by then is paid for.


async def test_a_model_that_fails_leaves_the_conversation_as_it_is(
    database: Database, server: ModelServer, summariser: Summariser, agent_id: UUID
) -> None:
    server.answers(events(delta(content="They"), done=False))
    with pytest.raises(ApplicationError):
        await ActivityEnvironment().run(hosted(summariser).summarise, call_of(agent_id))
    assert not await written(database, agent_id)


async def test_nothing_is_summed_up_of_whom_there_is_not(
    server: ModelServer, summariser: Summariser, agent_id: UUID
) -> None:
    await summariser.summarise(TakeCall(agent_id=uuid4(), team_id=DEFAULT_TEAM))
    await summariser.summarise(TakeCall(agent_id=agent_id, team_id=uuid4()))
    assert not server.requests
