"""What the store tells of tasks: typed, of one team, in as few statements as can be."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from alembic.autogenerate import render_python_code
from alembic.operations.ops import AddColumnOp, UpgradeOps
from sqlalchemy import Column, text

from activities.llm.base import Answer, ChatMessage, ToolRequest, Usage
from activities.store import attempts, keys, tasks, turns
from activities.store.attempts import Attempt, Ended, StoredFile, ToolMessage
from activities.store.columns import EnumText
from activities.store.database import Database
from activities.store.keys import DEFAULT_TEAM
from activities.store.migrations.new import render_item
from activities.store.query import Reader
from activities.store.reading.artifacts import list_artifacts
from activities.store.reading.attempts import list_attempts
from activities.store.reading.cursor import Cursor
from activities.store.reading.files import (
    KeptFile,
    MadeFile,
    StoredRef,
    TaskFiles,
    files_of_task,
    find_files,
)
from activities.store.reading.messages import (
    TurnMessage,
    find_turn_of_call,
    has_protected_result,
    last_message_before,
    list_messages,
    messages_of_last_turn,
    turn_at,
)
from activities.store.reading.runs import find_run
from activities.store.reading.steps import PlacedStep, find_running_step, list_placed_steps
from activities.store.reading.suspects import only_sweep
from activities.store.reading.task_search import TaskFilter
from activities.store.reading.tasks import (
    Printed,
    find_details,
    find_task,
    find_task_of_any_team,
    has_task,
    list_summaries,
)
from activities.store.reading.traces import find_trace
from activities.store.turns import Call, CallDefinition, EndedTurn, Turn
from tests.integration.new_tasks import new_task
from workflows.agent_contracts import Thought, call_sub_task_id
from workflows.contracts import Failure, TaskClose
from workflows.definitions.agent import Agent
from workflows.definitions.inputs import ArtifactRef, FileRef
from workflows.definitions.pipeline import Pipeline
from workflows.errors.services import DatabaseNewer
from workflows.pipeline_contracts import step_sub_task_id
from workflows.states import ArtifactType, Phase, Status, TaskType

PIPELINE = Pipeline.model_validate(
    {"name": "two", "steps": [{"id": "one", "skill": "noop"}, {"id": "two", "skill": "noop"}]}
)
FAILURE = Failure(code="script-failed", message="It failed.", detail="no", step="two", attempts=1)
REPORT = StoredFile("report.csv", 12, "text/csv", "ab" * 32)
EVERYTHING = TaskFilter()


@pytest.fixture
async def other_team(database: Database) -> UUID:
    return await keys.create_team(database, "another")


async def run_pipeline(database: Database) -> UUID:
    """A task whose first step is completed with a file, and whose second one has failed."""
    task = new_task(TaskType.PIPELINE, PIPELINE, inputs={"x": "https://files.example/y"})
    await tasks.create_task(database, task)
    for step, ended in (
        ("one", Ended(Status.COMPLETED, 5, exit_code=0, stdout="{}", files=(REPORT,))),
        ("two", Ended(Status.FAILED, 7, exit_code=3, refused=("a: no",), failure=FAILURE)),
    ):
        attempt = Attempt(task.id, step_sub_task_id(task.id, step), 1, 1, 1, "worker-1")
        await attempts.begin(database, attempt)
        await attempts.end(database, attempt, ended)
    close = TaskClose(
        task_id=task.id,
        team_id=DEFAULT_TEAM,
        run=1,
        status=Status.FAILED,
        failure=FAILURE,
        sub_task_id=step_sub_task_id(task.id, "two"),
    )
    await tasks.close_task(database, close)
    return task.id


async def run_agent(database: Database) -> UUID:
    """Messages 1 and 2 are the opening; turn 1 has a call and its result, turn 2 an open call."""
    agent = Agent.model_validate({"limits": {"turns": 7}})
    task = new_task(TaskType.AGENT, agent, prompt="Do it.")
    await tasks.create_task(database, task)
    opening = {1: ChatMessage("system", "You are."), 2: ChatMessage("user", "Do it.")}
    await _answer(database, Turn(task.id, 1, 1, 0, "a"), 3, opening)
    attempt = Attempt(task.id, call_sub_task_id(task.id, 4), 1, 1, 3, "worker-1", "a")
    await attempts.begin(database, attempt)
    message = ToolMessage(4, 1, "r", "<skill>one", is_protected=True)
    await attempts.end(database, attempt, Ended(Status.COMPLETED, 5, exit_code=0, message=message))
    await _answer(database, Turn(task.id, 1, 2, 4, "a"), 5, {})
    return task.id


async def _answer(database: Database, turn: Turn, seq: int, before: dict[int, ChatMessage]) -> None:
    await turns.begin_turn(database, turn, known=0)
    request = ToolRequest("r", "list_files", "{}")
    said = ChatMessage("assistant", "calling", requests=(request,), turn=turn.turn)
    usage = Usage(90, 10, is_estimate=False)
    definition = CallDefinition(
        tool="list_files", arguments={}, turn=turn.turn, request_id="r", is_retry_safe=True
    )
    ended = EndedTurn(
        messages={**before, seq: said},
        answer=Answer("m", "calling", (request,), usage, 0.25, 5, 9, "tool_calls"),
        thought=Thought(seq=seq + 1, tokens=100, cost_usd=0.25, digest="d"),
        calls=(Call(seq + 1, f"{turn.turn}.1 list_files", "tool", definition),),
    )
    await turns.end_turn(database, turn, ended)


async def execute(database: Database, statement: str, **values: object) -> None:
    async with database.writing() as connection:
        await connection.execute(text(statement), values)


# Types.


async def test_reading_a_pipeline_task_gives_typed_values(database: Database) -> None:
    task_id = await run_pipeline(database)
    task = await find_details(database, DEFAULT_TEAM, task_id)
    assert task is not None
    summary, [one, two] = task.summary, task.steps
    assert summary.type is TaskType.PIPELINE
    assert summary.status is Status.FAILED
    assert summary.error == FAILURE
    assert summary.created_at.tzinfo is not None
    assert (summary.turns, summary.turn_limit) == (0, None)
    assert one.status is Status.COMPLETED
    assert (one.exit_code, one.error, one.dependencies) == (0, None, ())
    assert two.status is Status.FAILED
    assert (two.exit_code, two.error, two.dependencies) == (3, FAILURE, ("one",))
    assert two.refused == ("a: no",)
    [artifact] = task.artifacts
    assert artifact.type is ArtifactType.FILE
    assert (artifact.name, artifact.step, artifact.size) == ("report.csv", "one", 12)
    assert (task.usage.attempts, task.usage.duration_ms, task.usage.turns) == (2, 12, 0)
    assert task.printed == Printed("{}")
    assert task.inputs == {"x": "https://files.example/y"}


async def test_reading_an_agent_task_gives_typed_values(database: Database) -> None:
    task_id = await run_agent(database)
    task = await find_details(database, DEFAULT_TEAM, task_id)
    assert task is not None
    assert (task.summary.turns, task.summary.turn_limit) == (2, 7)
    assert [step.status for step in task.steps] == [Status.COMPLETED, Status.QUEUED]
    assert (task.usage.tokens_used, task.usage.cost_usd, task.usage.turns) == (200, 0.5, 2)
    found, following = await list_messages(database, DEFAULT_TEAM, task_id, 0, 3)
    assert [message.role for message in found] == ["system", "user", "assistant"]
    assert found[2].requests == (ToolRequest("r", "list_files", "{}"),)
    assert (found[2].prompt_tokens, found[2].completion_tokens) == (90, 10)
    assert following == 3


async def test_a_task_to_act_on_has_its_definition_as_it_was_sent(
    database: Database,
) -> None:
    pipeline = await find_task(database, DEFAULT_TEAM, await run_pipeline(database))
    agent = await find_task_of_any_team(database, await run_agent(database))
    assert pipeline is not None
    assert agent is not None
    assert pipeline.definition == PIPELINE.model_dump(mode="json", exclude_defaults=True)
    assert agent.definition == {"limits": {"turns": 7}}
    assert agent.status is Status.RUNNING


async def test_turns_are_those_of_the_present_run(database: Database) -> None:
    await run_agent(database)
    await execute(database, "UPDATE tasks SET run = 2, first_step = 4")
    [summary], _ = await list_summaries(database, DEFAULT_TEAM, EVERYTHING, None, 1)
    assert summary.turns == 1


async def test_a_phase_is_told_while_a_step_runs(database: Database) -> None:
    task = new_task(TaskType.PIPELINE, PIPELINE)
    await tasks.create_task(database, task)
    first = step_sub_task_id(task.id, "one")
    assert await find_running_step(database, task.id) is None
    await attempts.begin(database, Attempt(task.id, first, 1, 1, 1, "worker-1"))
    [summary], _ = await list_summaries(database, DEFAULT_TEAM, EVERYTHING, None, 1)
    assert summary.steps[0].phase is Phase.PREPARE_ENV
    assert await find_running_step(database, task.id) == first
    assert await list_placed_steps(database, task.id) == [
        PlacedStep(first, "one", Status.RUNNING),
        PlacedStep(step_sub_task_id(task.id, "two"), "two", Status.PENDING),
    ]


@pytest.mark.parametrize("table", ["tasks", "sub_tasks"])
async def test_a_state_that_only_a_newer_version_knows_is_named(
    database: Database, table: str
) -> None:
    await run_pipeline(database)
    await execute(database, f"UPDATE {table} SET status = 'dreaming'")
    with pytest.raises(DatabaseNewer, match="contains the Status 'dreaming'"):
        await list_summaries(database, DEFAULT_TEAM, EVERYTHING, None, 10)


async def test_a_type_that_only_a_newer_version_knows_is_named(database: Database) -> None:
    task_id = await run_pipeline(database)
    await execute(database, "UPDATE tasks SET type = 'dream'")
    with pytest.raises(DatabaseNewer, match="contains the TaskType 'dream'"):
        await find_task(database, DEFAULT_TEAM, task_id)


def test_a_migration_writes_an_enum_as_the_text_that_it_is() -> None:
    column = Column("mood", EnumText(Status))
    upgrade = UpgradeOps([AddColumnOp("tasks", column)])
    assert "sa.Column('mood', sa.Text()" in render_python_code(upgrade, render_item=render_item)


# Teams.


async def test_a_task_of_another_team_is_not_found(database: Database, other_team: UUID) -> None:
    for task_id in (await run_pipeline(database), await run_agent(database)):
        assert await has_task(database, DEFAULT_TEAM, task_id)
        assert not await has_task(database, other_team, task_id)
        assert await find_task(database, other_team, task_id) is None
        assert await find_details(database, other_team, task_id) is None
        assert await find_trace(database, other_team, task_id) is None
        assert await list_messages(database, other_team, task_id, 0, 10) == ([], None)
        assert await list_attempts(database, other_team, task_id, None, 10) == ([], None)
        assert await list_artifacts(database, other_team, task_id, None, 10) == ([], None)
        assert await files_of_task(database, other_team, task_id, 10) == TaskFiles({}, [])
    assert await list_summaries(database, other_team, EVERYTHING, None, 10) == ([], None)


# Statements.


class _HeardDatabase(Database):
    """Notes what it is asked over a ``Reader``."""

    asked: list[str]

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.asked = []

    @asynccontextmanager
    async def reader(self, *, fresh: bool = False) -> AsyncIterator[Reader]:
        async with super().reader(fresh=fresh) as reader:
            yield replace(reader, driver=_HeardDriver(reader.driver, self.asked))


@dataclass(frozen=True, slots=True)
class _HeardDriver:
    driver: Any
    asked: list[str]

    async def fetch(self, sql: str, *values: object) -> Any:
        self.asked.append(sql)
        return await self.driver.fetch(sql, *values)


async def test_a_page_of_tasks_of_every_type_costs_four_statements(
    database: Database, queries: list[str]
) -> None:
    await run_pipeline(database)
    await run_agent(database)
    queries.clear()
    found, _ = await list_summaries(
        database, DEFAULT_TEAM, EVERYTHING, None, 10, only_open=[TaskType.AGENT]
    )
    assert len(queries) == 4
    states = [[step.status for step in task.steps] for task in found]
    assert states == [[Status.QUEUED], [Status.COMPLETED, Status.FAILED]]
    assert [task.turns for task in found] == [2, 0]


async def test_reading_one_task_costs_a_statement_for_each_kind_of_row(
    database: Database, queries: list[str]
) -> None:
    pipeline, agent = await run_pipeline(database), await run_agent(database)
    heard = _HeardDatabase(database.url)
    for task_id in (pipeline, agent):
        heard.asked.clear()
        await find_details(heard, DEFAULT_TEAM, task_id)
        assert len(heard.asked) == 5
    heard.asked.clear()
    await find_task(heard, DEFAULT_TEAM, agent)
    assert len(heard.asked) == 1
    await heard.close()
    for task_id, statements in ((pipeline, 3), (agent, 4)):
        queries.clear()
        await find_trace(database, DEFAULT_TEAM, task_id)
        assert len(queries) == statements


# Pages.


async def test_pages_of_tasks_and_attempts_go_on_where_the_last_one_ended(
    database: Database,
) -> None:
    ids = [await run_pipeline(database) for _ in range(3)]
    seen, cursor = await list_summaries(database, DEFAULT_TEAM, EVERYTHING, None, 2)
    rest, end = await list_summaries(database, DEFAULT_TEAM, EVERYTHING, cursor, 2)
    assert [task.id for task in (*seen, *rest)] == ids[::-1]
    assert end is None
    [first], following = await list_attempts(database, DEFAULT_TEAM, ids[0], None, 1)
    [second], last = await list_attempts(database, DEFAULT_TEAM, ids[0], following, 1)
    assert (first.step, first.status, first.error) == ("one", Status.COMPLETED, None)
    assert (second.step, second.status, second.error) == ("two", Status.FAILED, FAILURE)
    assert last is None
    for step in ("two", str(step_sub_task_id(ids[0], "two"))):
        found, _ = await list_attempts(database, DEFAULT_TEAM, ids[0], None, 10, step=step)
        assert [attempt.id for attempt in found] == [second.id]


# Conversations.


async def test_a_run_has_what_was_said_and_called(database: Database, other_team: UUID) -> None:
    task_id = await run_agent(database)
    run = await find_run(database, DEFAULT_TEAM, task_id)
    assert run is not None
    assert (run.type, run.prompt, run.status) == (TaskType.AGENT, "Do it.", Status.RUNNING)
    assert [(m.seq, m.role, m.arguments) for m in run.messages] == [
        (1, "system", ()),
        (2, "user", ()),
        (3, "assistant", ("{}",)),
        (4, "tool", ()),
        (5, "assistant", ("{}",)),
    ]
    assert [(c.seq, c.number, c.turn, c.status) for c in run.calls] == [
        (4, "1.1", 1, Status.COMPLETED),
        (6, "2.1", 2, Status.QUEUED),
    ]
    assert run.calls[0].definition.tool == "list_files"
    assert await find_run(database, other_team, task_id) is None


async def test_a_run_that_is_too_long_comes_without_what_was_said(database: Database) -> None:
    task_id = await run_agent(database)
    run = await find_run(database, DEFAULT_TEAM, task_id, max_messages=4)
    assert run is not None
    assert (run.is_cut, run.messages, run.calls) == (True, (), ())


async def test_a_run_of_a_pipeline_has_its_steps_in_place_of_calls(database: Database) -> None:
    run = await find_run(database, DEFAULT_TEAM, await run_pipeline(database))
    assert run is not None
    assert (run.type, run.messages) == (TaskType.PIPELINE, [])
    assert [(call.name, call.status, [file.name for file in call.files]) for call in run.calls] == [
        ("one", Status.COMPLETED, [REPORT.name]),
        ("two", Status.FAILED, []),
    ]
    assert {call.definition.tool for call in run.calls} == {"run_skill_script"}


async def test_turns_are_found_by_message_and_by_call(database: Database) -> None:
    task_id = await run_agent(database)
    assert [await turn_at(database, task_id, seq) for seq in (2, 3, 4, 5)] == [0, 1, 1, 2]
    assert [await last_message_before(database, task_id, turn) for turn in (1, 2)] == [2, 4]
    second = str(call_sub_task_id(task_id, 6))
    assert await find_turn_of_call(database, task_id, "1.1 list_files") == 1
    assert await find_turn_of_call(database, task_id, second) == 2
    assert await find_turn_of_call(database, task_id, "none") is None
    assert await messages_of_last_turn(database, task_id) == [TurnMessage(2, "assistant", 1)]


async def test_a_protected_result_is_found_by_how_it_begins(database: Database) -> None:
    task_id = await run_agent(database)
    assert await has_protected_result(database, task_id, "<skill>")
    assert not await has_protected_result(database, task_id, "skill")
    await execute(database, "UPDATE messages SET is_protected = false")
    assert not await has_protected_result(database, task_id, "<skill>")


async def test_a_trace_has_attempts_within_steps_and_answers_where_somebody_speaks(
    database: Database,
) -> None:
    pipeline = await find_trace(database, DEFAULT_TEAM, await run_pipeline(database))
    agent = await find_trace(database, DEFAULT_TEAM, await run_agent(database))
    assert pipeline is not None
    assert agent is not None
    assert pipeline.answers == ()
    assert [len(step.attempts) for step in pipeline.steps] == [1, 1]
    assert pipeline.steps[1].attempts[0].status is Status.FAILED
    assert [(answer.seq, answer.turn, answer.tokens) for answer in agent.answers] == [
        (3, 1, 100),
        (5, 2, 100),
    ]
    assert [step.order for step in agent.steps] == [4, 6]


# Files.


async def test_the_files_of_a_task_are_its_inputs_and_the_latest_that_it_made(
    database: Database, other_team: UUID
) -> None:
    task_id = await run_pipeline(database)
    found = await files_of_task(database, DEFAULT_TEAM, task_id, 10)
    made = attempts.artifact_id(step_sub_task_id(task_id, "one"), "report.csv", REPORT.sha256)
    assert found == TaskFiles(
        {"x": "https://files.example/y"}, [MadeFile(made, "report.csv", 12, "text/csv")]
    )
    refs: list[StoredRef] = [ArtifactRef(made), FileRef(made)]
    kept = KeptFile(REPORT.sha256, 12, "text/csv")
    assert await find_files(database, DEFAULT_TEAM, refs) == {ArtifactRef(made): kept}
    assert await find_files(database, other_team, refs) == {}


# Sweeps.


async def test_one_sweep_at_a_time_sees_suspects(database: Database) -> None:
    async with only_sweep(database) as suspects:
        assert suspects is not None
        async with only_sweep(database) as another:
            assert another is None
    async with only_sweep(database) as next_one:
        assert next_one is not None


async def test_tasks_that_are_silent_are_suspected_in_the_order_of_their_age(
    database: Database,
) -> None:
    ended, silent = await run_pipeline(database), await run_agent(database)
    pending = new_task(TaskType.PIPELINE, PIPELINE)
    await tasks.create_task(database, pending)
    now = datetime.now(UTC)
    for task_id, minutes in ((ended, 30), (silent, 20), (pending.id, 10)):
        await execute(
            database,
            "UPDATE tasks SET updated_at = :moment WHERE id = :id",
            id=task_id,
            moment=now - timedelta(minutes=minutes),
        )
    hour = now - timedelta(hours=1)
    async with only_sweep(database) as suspects:
        assert suspects is not None
        found, end = await suspects.quiet(
            pending_since=now, silent_since=now, after=Cursor(hour, UUID(int=0)), limit=9
        )
        assert [suspect.id for suspect in found] == [silent, pending.id]
        assert end is None
        behind, end = await suspects.quiet(
            pending_since=now, silent_since=now, after=found[0].place, limit=1
        )
        assert end == behind[-1].place
        assert [suspect.id for suspect in behind] == [pending.id]
        only_pending, _ = await suspects.quiet(
            pending_since=now, silent_since=hour, after=Cursor(hour, UUID(int=0)), limit=9
        )
        assert [suspect.id for suspect in only_pending] == [pending.id]
        alive = await suspects.alive_among([ended, silent])
        assert [suspect.id for suspect in alive] == [silent]
        assert await suspects.alive_among([]) == ()
