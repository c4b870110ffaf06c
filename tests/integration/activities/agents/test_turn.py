"""Turns of a model as activities: what is written of them, whatever goes wrong."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import JsonValue
from sqlalchemy import text as query
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.agents.adapter import Agents
from activities.agents.patient_turns import held_by_model
from activities.agents.roles.table import roles_of
from activities.agents.turn import TurnOptions, Turns
from activities.attempts.attempt import as_application_error
from activities.llm.base import Answer, ModelOptions
from activities.llm.models import Models
from activities.store import tasks
from activities.store.blobs import Blobs
from activities.store.database import Database
from activities.store.keys import DEFAULT_TEAM
from activities.store.options import S3Options
from activities.store.reading.tasks import find_details
from activities.store.tasks import NewTask
from activities.tools.found import found_line
from activities.tools.mcp.results import McpResult
from activities.tools.offered import OfferedTool
from activities.tools.registry import Registry
from activities.tools.toolbox import McpTools, Toolbox
from tests.doubles.model_server import (
    Exchange,
    ModelServer,
    call,
    calls,
    delta,
    events,
    model_server,
    refusal,
    text,
)
from tests.equipment import TOKENS, equipment, installed
from tests.integration.new_tasks import new_task
from workflows.agent_contracts import Hint, ThinkCall, Thought
from workflows.contracts import RETRIES_USED_UP, Hold
from workflows.definitions import resident
from workflows.definitions.agent import Agent
from workflows.errors import InternalError
from workflows.errors.models import ModelUnavailable
from workflows.errors.tasks import WorkersLost
from workflows.policies import LOST_ATTEMPTS, THINK_RETRIES
from workflows.states import TaskType

# Nothing is ever asked of it: no connection is made before it is needed.
BLOBS = Blobs(S3Options("http://127.0.0.1:1", "bucket", "key", "secret"))
LISTS = calls(call(0, id="c1", name="list_files", arguments="{}"))
RESULT = query(
    """
    INSERT INTO messages
        (task_id, seq, team_id, turn, role, content, request_id, is_protected, execution,
         prompt_tokens, completion_tokens, cost_usd)
    SELECT id, :seq, team_id, 1, 'tool', :text, 'c1', false, 'a', 0, 0, 0 FROM tasks
    WHERE id = :id"""
)
BREAKS_OFF = events(delta(content="Let me see"), done=False)


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with model_server() as served:
        yield served


@pytest.fixture
async def task_id(database: Database) -> UUID:
    task = new_task(TaskType.AGENT, Agent(), prompt="Do it.")
    await tasks.create_task(database, task)
    return task.id


@asynccontextmanager
async def worker(
    database: Database,
    server: ModelServer,
    folder: Path,
    *names: str,
    mcp: McpTools | None = None,
    context_tokens: int = 128_000,
) -> AsyncIterator[Turns]:
    options = ModelOptions(names or ("first",), server.url, context_tokens=context_tokens)
    models = Models(options, TOKENS)
    try:
        equipped = equipment(database, BLOBS, folder, models=models)
        roles = roles_of(equipped, Toolbox(Registry(), database, mcp=mcp), installed(equipped))
        yield Turns(equipped, roles, TurnOptions())
    finally:
        await models.close()


class BrokenModels(Models):
    """Has a fault of its own."""

    def __init__(self, like: Models | None) -> None:
        assert like is not None

    async def complete(self, *args: Any, **options: Any) -> Answer:
        raise KeyError("Ann's row")


@pytest.fixture
async def turns(database: Database, server: ModelServer, tmp_path: Path) -> AsyncIterator[Turns]:
    async with worker(database, server, tmp_path) as turns:
        yield turns


async def think(turns: Turns, call: ThinkCall, attempt: int = 1) -> Thought:
    environment = ActivityEnvironment()
    environment.info = replace(
        environment.info, attempt=attempt, workflow_run_id="a", heartbeat_details=[attempt - 1]
    )

    async def run() -> Thought:
        async with as_application_error():
            return await turns.make(call)

    return await environment.run(run)


async def think_as_worker(
    turns: Turns, call: ThinkCall, attempt: int, failures: int
) -> tuple[list[int], ApplicationError]:
    """A turn that fails, whose ``attempt`` knows of ``failures``: what the next one is told."""
    environment = ActivityEnvironment()
    environment.info = replace(
        environment.info, attempt=attempt, workflow_run_id="a", heartbeat_details=[failures]
    )
    told: list[int] = []
    environment.on_heartbeat = told.append
    toolbox = Toolbox(Registry(), turns._equipment.database)
    agents = Agents(turns._equipment, toolbox, turns._roles, TurnOptions())
    with pytest.raises(ApplicationError) as raised:
        await environment.run(agents.think, call)
    return told, raised.value


async def messages(database: Database, task_id: UUID) -> list[tuple[str, str]]:
    statement = query("SELECT role, content FROM messages WHERE task_id = :id ORDER BY seq")
    async with database.reading() as connection:
        return [(row[0], row[1]) for row in await connection.execute(statement, {"id": task_id})]


async def tokens_of_team(database: Database) -> int:
    async with database.reading() as connection:
        return int(await connection.scalar(query("SELECT sum(tokens) FROM team_usage")) or 0)


@pytest.mark.parametrize(("failures", "is_last"), [(0, False), (5, False), (6, True)])
async def test_a_turn_is_retried_as_often_however_many_of_its_workers_were_lost(
    turns: Turns, server: ModelServer, task_id: UUID, failures: int, is_last: bool
) -> None:
    server.answers(BREAKS_OFF)
    first = ThinkCall(task_id=task_id, run=1, turn=1, seq=0)
    attempt = failures + 1 + LOST_ATTEMPTS
    told, error = await think_as_worker(turns, first, attempt, failures)
    assert told[-1] == failures + 1
    assert error.type == ModelUnavailable.code
    assert error.non_retryable is is_last
    assert (RETRIES_USED_UP in error.details) is is_last


async def test_a_turn_that_loses_too_many_workers_says_so(
    turns: Turns, server: ModelServer, task_id: UUID
) -> None:
    first = ThinkCall(task_id=task_id, run=1, turn=1, seq=0)
    _, error = await think_as_worker(turns, first, 2 + LOST_ATTEMPTS, 0)
    assert (error.type, error.non_retryable) == (WorkersLost.code, True)
    assert not server.requests


@pytest.mark.parametrize("swept", [False, True])
async def test_an_answer_that_broke_off_is_paid_for_by_team_and_turn(
    turns: Turns, database: Database, server: ModelServer, task_id: UUID, swept: bool
) -> None:
    """Also when the events that told of it are ``swept`` before the next attempt."""
    server.answers(BREAKS_OFF, LISTS)
    first = ThinkCall(task_id=task_id, run=1, turn=1, seq=0)
    with pytest.raises(ApplicationError):
        await think(turns, first)
    lost = await tokens_of_team(database)
    assert lost > 100  # The prompt, for the most part.
    if swept:
        async with database.writing() as connection:
            await connection.execute(query("DELETE FROM events"))
    thought = await think(turns, first, 2)
    assert thought.tokens == lost + 15
    assert await tokens_of_team(database) == lost + 15


async def test_a_turn_that_would_take_more_than_is_left_is_not_made(
    turns: Turns, server: ModelServer, task_id: UUID
) -> None:
    first = ThinkCall(task_id=task_id, run=1, turn=1, seq=0, tokens_left=400, tokens_limit=100_000)
    with pytest.raises(ApplicationError) as raised:
        await think(turns, first)
    assert (raised.value.type, raised.value.non_retryable) == ("tokens-used-up", True)
    assert not server.requests


async def test_what_broke_off_before_is_not_left_for_the_turn(
    turns: Turns, server: ModelServer, task_id: UUID
) -> None:
    server.answers(BREAKS_OFF)
    first = ThinkCall(
        task_id=task_id, run=1, turn=1, seq=0, tokens_left=6_000, tokens_limit=100_000
    )
    for attempt in (1, 2):
        with suppress(ApplicationError):
            await think(turns, first, attempt)
    before, after = (request.body["max_tokens"] for request in server.requests)
    assert after < before - 100


async def test_an_answer_that_another_attempt_has_given_meanwhile_is_the_one_that_counts(
    turns: Turns, database: Database, server: ModelServer, task_id: UUID, tmp_path: Path
) -> None:
    """Temporal took the first worker for dead, but it was only slow."""
    first = ThinkCall(task_id=task_id, run=1, turn=1, seq=0)
    given: list[Thought] = []

    async def slowly(exchange: Exchange) -> None:
        async with worker(database, server, tmp_path) as another:
            given.append(await think(another, first, 2))
        await text("Nobody waits for this.")(exchange)

    server.answers(slowly, LISTS)
    assert await think(turns, first) == given[0]
    assert len(given[0].calls) == 1
    assert [role for role, _ in await messages(database, task_id)] == [
        "system",
        "user",
        "assistant",
    ]


async def test_a_model_that_was_cut_off_is_told_so_and_nothing_else(
    turns: Turns, database: Database, server: ModelServer, task_id: UUID
) -> None:
    server.answers(text("Well, to begin with, ", finish="length"), LISTS)
    thought = await think(turns, ThinkCall(task_id=task_id, run=1, turn=1, seq=0))
    assert (thought.seq, thought.silent) == (4, True)
    hint = Hint.CALL_A_TOOL
    again = ThinkCall(task_id=task_id, run=1, turn=2, seq=thought.seq, hint=hint)
    assert (await think(turns, again)).seq == 6
    said = [message["content"] for message in server.requests[1].body["messages"]]
    assert said[2] == "Well, to begin with, "
    assert "cut off before it called a tool" in said[3]
    assert len(said) == 4


async def test_a_model_that_says_something_and_calls_nothing_is_asked_to(
    turns: Turns, server: ModelServer, task_id: UUID
) -> None:
    server.answers(text("Hello!"), LISTS)
    thought = await think(turns, ThinkCall(task_id=task_id, run=1, turn=1, seq=0))
    hint = Hint.CALL_A_TOOL
    await think(turns, ThinkCall(task_id=task_id, run=1, turn=2, seq=thought.seq, hint=hint))
    assert "You called no tool" in server.requests[1].body["messages"][-1]["content"]


class ManyTools:
    """A server with more tools than a small model can be shown."""

    async def offered(self, team_id: UUID) -> Sequence[OfferedTool]:
        schema = {"type": "object", "properties": {"path": {"type": "string"}}}
        return [OfferedTool(f"mcp.hub.tool_{n:03}", "Does it. " * 30, schema) for n in range(140)]

    async def call(
        self, team_id: UUID, name: str, arguments: Mapping[str, JsonValue], timeout_seconds: float
    ) -> McpResult:
        raise NotImplementedError  # Nobody calls them here.


def shown(server: ModelServer, number: int = -1) -> list[str]:
    return [tool["function"]["name"] for tool in server.requests[number].body["tools"]]


async def test_a_tool_that_was_found_is_shown_to_the_model_on_any_worker_and_attempt(
    database: Database, server: ModelServer, task_id: UUID, tmp_path: Path
) -> None:
    """The conversation tells what was found, and nothing else does."""
    wanted = "mcp__hub__tool_139"
    finds = calls(call(0, id="c1", name="find_tools", arguments='{"query": "139"}'))
    server.answers(finds, BREAKS_OFF, LISTS)
    small = {"mcp": ManyTools(), "context_tokens": 4_096}
    async with worker(database, server, tmp_path / "a", **small) as first:
        thought = await think(first, ThinkCall(task_id=task_id, run=1, turn=1, seq=0))
    assert "find_tools" in shown(server)
    assert wanted not in shown(server)
    text = f"<output>\n{found_line(['mcp.hub.tool_139'])}\n</output>"
    async with database.writing() as connection:
        await connection.execute(RESULT, {"id": task_id, "seq": thought.seq, "text": text})
    again = ThinkCall(task_id=task_id, run=1, turn=2, seq=thought.seq)
    async with worker(database, server, tmp_path / "b", **small) as second:
        with pytest.raises(ApplicationError):
            await think(second, again)
    async with worker(database, server, tmp_path / "c", **small) as third:
        await think(third, again, 2)
    assert shown(server, 1) == shown(server, 2) == [*shown(server, 0), wanted]
    assert server.requests[1].body["messages"][:2] == server.requests[0].body["messages"]


SIGNED = {"google": {"thought_signature": "c2lnLTE="}}
WITH_STATE = events(
    delta(reasoning_content="I look, NUL \0, half \ud83d.", content="Looking."),
    delta(
        tool_calls=[call(0, id="g1", name="list_files", arguments="{}") | {"extra_content": SIGNED}]
    ),
    delta("stop"),
)


async def test_the_state_of_a_model_goes_back_to_it_from_another_worker_too(
    turns: Turns, database: Database, server: ModelServer, task_id: UUID, tmp_path: Path
) -> None:
    server.answers(WITH_STATE, LISTS, LISTS)
    thought = await think(turns, ThinkCall(task_id=task_id, run=1, turn=1, seq=0))
    again = ThinkCall(task_id=task_id, run=1, turn=2, seq=thought.seq)
    async with worker(database, server, tmp_path) as another:
        await think(another, again)
    sent = server.requests[1].body["messages"][2]
    assert sent["content"] == "Looking."
    assert sent["reasoning_content"] == "I look, NUL \ufffd, half ?."
    assert sent["tool_calls"][0]["extra_content"] == SIGNED
    assert [said for role, said in await messages(database, task_id) if role == "assistant"] == [
        "Looking.",
        "",
    ]


async def test_a_call_that_was_written_as_text_is_named_and_not_hinted_at_once_more(
    turns: Turns, server: ModelServer, task_id: UUID
) -> None:
    server.answers(text('<tool_call>{"name": "list_files"}</tool_call>'), LISTS)
    thought = await think(turns, ThinkCall(task_id=task_id, run=1, turn=1, seq=0))
    hint = Hint.CALL_A_TOOL
    await think(turns, ThinkCall(task_id=task_id, run=1, turn=2, seq=thought.seq, hint=hint))
    said = [message["content"] for message in server.requests[1].body["messages"]]
    assert "you wrote a call as text (<tool_call>)" in said[-1]
    assert len(said) == 4


async def told(database: Database, task_id: UUID) -> list[tuple[str, dict[str, Any]]]:
    statement = query("SELECT type, data FROM events WHERE task_id = :id ORDER BY seq")
    async with database.reading() as connection:
        return [(row[0], row[1]) for row in await connection.execute(statement, {"id": task_id})]


async def error_of(database: Database, task_id: UUID) -> Any:
    statement = query("SELECT error FROM tasks WHERE id = :id")
    async with database.reading() as connection:
        return await connection.scalar(statement, {"id": task_id})


async def test_while_a_model_is_to_be_asked_again_events_and_row_say_why(
    turns: Turns, database: Database, server: ModelServer, task_id: UUID
) -> None:
    server.answers(text("I", finish="error"), LISTS)
    first = ThinkCall(task_id=task_id, run=1, turn=1, seq=0)
    with pytest.raises(ApplicationError):
        await think(turns, first)
    [retrying] = [data for name, data in await told(database, task_id) if name == "llm.retrying"]
    assert 'ended its answer with "error"' in retrying["error"]["message"]
    assert retrying["model"] == "first"
    assert retrying["next_attempt_at"]
    assert await error_of(database, task_id) == {**retrying["error"], "step": "turn 1"}
    await think(turns, first, 2)
    assert await error_of(database, task_id) is None


async def test_a_turn_that_fails_as_nobody_foresaw_is_made_again_and_costs_a_retry(
    turns: Turns, database: Database, server: ModelServer, task_id: UUID
) -> None:
    """Were it taken for a lost worker, the next would not be told of it."""
    broken = replace(turns._equipment, models=BrokenModels(turns._equipment.models))
    turns = Turns(broken, turns._roles, TurnOptions())
    first = ThinkCall(task_id=task_id, run=1, turn=1, seq=0)
    seen, error = await think_as_worker(turns, first, 1, 0)
    assert (error.type, error.non_retryable) == (InternalError.code, False)
    assert 1 in seen
    assert "Ann" not in str(error)
    [retrying] = [data for name, data in await told(database, task_id) if name == "llm.retrying"]
    assert retrying["error"]["code"] == InternalError.code
    _, error = await think_as_worker(turns, first, THINK_RETRIES + 1, THINK_RETRIES)
    assert error.non_retryable
    assert RETRIES_USED_UP in error.details


@pytest.mark.parametrize("last", [(400, 1), (503, THINK_RETRIES + 1)], ids=["final", "last"])
async def test_of_a_failure_that_no_attempt_follows_the_row_alone_says_why(
    turns: Turns, database: Database, server: ModelServer, task_id: UUID, last: tuple[int, int]
) -> None:
    status, attempt = last
    server.answers(refusal(status, "because of the moon"))
    with pytest.raises(ApplicationError):
        await think(turns, ThinkCall(task_id=task_id, run=1, turn=1, seq=0), attempt)
    assert "llm.retrying" not in [name for name, _ in await told(database, task_id)]
    error = await error_of(database, task_id)
    assert error["step"] == "turn 1"
    assert "because of the moon" in error["message"]


async def test_that_too_many_workers_were_lost_is_in_the_row(
    turns: Turns, database: Database, server: ModelServer, task_id: UUID
) -> None:
    server.answers(BREAKS_OFF)
    first = ThinkCall(task_id=task_id, run=1, turn=1, seq=0)
    await think_as_worker(turns, first, attempt=1, failures=0)
    before = [name for name, _ in await told(database, task_id)].count("llm.retrying")
    await think_as_worker(turns, first, attempt=LOST_ATTEMPTS + 3, failures=1)
    error = await error_of(database, task_id)
    assert (error["code"], error["step"]) == ("workers-lost", "turn 1")
    assert [name for name, _ in await told(database, task_id)].count("llm.retrying") == before


async def test_a_model_in_whose_place_another_is_asked_is_named_with_the_reason(
    database: Database, server: ModelServer, task_id: UUID, tmp_path: Path
) -> None:
    server.answers(refusal(503, "loading"), LISTS)
    async with worker(database, server, tmp_path, "first", "second") as turns:
        await think(turns, ThinkCall(task_id=task_id, run=1, turn=1, seq=0))
    [retrying] = [data for name, data in await told(database, task_id) if name == "llm.retrying"]
    assert (retrying["model"], "next_attempt_at" in retrying) == ("first", False)
    assert "loading" in retrying["error"]["message"]


async def test_every_model_that_gave_no_answer_is_named_when_none_did(
    database: Database, server: ModelServer, task_id: UUID, tmp_path: Path
) -> None:
    server.answers(refusal(503, "loading"), refusal(503, "busy"))
    async with worker(database, server, tmp_path, "first", "second") as turns:
        with pytest.raises(ApplicationError):
            await think(turns, ThinkCall(task_id=task_id, run=1, turn=1, seq=0))
    found = [data for name, data in await told(database, task_id) if name == "llm.retrying"]
    assert ["next_attempt_at" in data for data in found] == [False, True]
    assert found[0]["model"] == "first"


@pytest.mark.parametrize("status", [503, 429], ids=["away", "overloaded"])
async def test_a_turn_of_an_agent_that_stays_waits_for_its_model_when_its_retries_are_used_up(
    turns: Turns, database: Database, server: ModelServer, status: int
) -> None:
    task = NewTask(
        id=uuid4(),
        team_id=DEFAULT_TEAM,
        type=TaskType.EXCHANGE,
        name="an exchange",
        definition=resident.Exchange(number=1).model_dump(mode="json", exclude_defaults=True),
        prompt="Hello.",
    )
    await tasks.create_task(database, task)
    first = ThinkCall(task_id=task.id, run=1, turn=1, seq=0)
    server.otherwise = refusal(status, "because of the moon")
    with pytest.raises(ApplicationError):
        await think(turns, first, THINK_RETRIES)
    agents = Agents(turns._equipment, Toolbox(Registry(), database), turns._roles, TurnOptions())
    holds: list[Hold] = []
    for tried in (THINK_RETRIES, THINK_RETRIES + 1):
        environment = ActivityEnvironment()
        environment.info = replace(environment.info, workflow_run_id="a")
        call = first.model_copy(update={"tried": tried})
        thought = await environment.run(agents.think, call)
        assert thought.held is not None
        holds.append(thought.held)
    assert [hold.tried for hold in holds] == [THINK_RETRIES + 1, THINK_RETRIES + 2]
    assert 60 <= holds[0].seconds < 120 <= holds[1].seconds
    error = await error_of(database, task.id)
    assert "because of the moon" in error["message"]
    *_, (name, held) = await told(database, task.id)
    assert name == "turn.held"
    assert "because of the moon" in held["reason"]
    shown = await find_details(database, DEFAULT_TEAM, task.id, fresh=True)
    assert shown is not None
    assert shown.summary.waits_for == held["reason"]
    assert shown.summary.next_attempt_at is not None
    server.otherwise = text("Here I am.")
    answered = await think(turns, first)
    assert answered.finished
    shown = await find_details(database, DEFAULT_TEAM, task.id, fresh=True)
    assert shown is not None
    assert (shown.summary.waits_for, shown.summary.error) == (None, None)


@pytest.mark.parametrize(
    ("failures", "least"), [(6, 60), (7, 120), (8, 240), (9, 300), (10**6, 300)]
)
def test_a_model_that_stays_away_is_asked_ever_less_often(failures: int, least: float) -> None:
    error = ModelUnavailable(model="m", reason="it is gone")
    held = held_by_model(error, failures, uniform=lambda low, high: low)
    assert (held.seconds, held.what) == (least, "m, which is away: it is gone")
    error.retry_after_seconds = 3_600.0
    assert held_by_model(error, failures).seconds == 3_600
