"""The rows of tasks and attempts: what a repeat, a late comer or a rival changes. Nothing."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text, update
from sqlmodel import col

from activities.store import approvals, attempts, events, migrations, tasks
from activities.store.approvals import Approval
from activities.store.attempts import Attempt, Ended, StoredFile
from activities.store.database import Database
from activities.store.keys import DEFAULT_TEAM
from activities.store.migrations.check import is_current
from activities.store.reading.results import results_of
from activities.store.tables import SubTask
from activities.store.tasks import NewTask
from tests.actors import SOMEBODY
from tests.integration import new_tasks
from tests.integration.restarts import restart
from workflows.contracts import WORKER_LOST, Failure, TaskClose, TaskMark
from workflows.definitions.pipeline import Pipeline
from workflows.errors.tasks import TaskMoved
from workflows.events import StepCompleted, StepOutput, StepOutputCut, StepPhase
from workflows.pipeline_contracts import StepOutcome, step_sub_task_id
from workflows.states import Phase, Status, TaskType

PIPELINE = Pipeline.model_validate(
    {
        "name": "two",
        "steps": [{"id": "one", "skill": "noop"}, {"id": "two", "skill": "noop", "retries": 1}],
    }
)


def new_task(**more: object) -> NewTask:
    return new_tasks.new_task(TaskType.PIPELINE, PIPELINE, **more)


def attempt_at(task_id: UUID, step: str, number: int = 1, run: int = 1) -> Attempt:
    return Attempt(
        task_id=task_id,
        sub_task_id=step_sub_task_id(task_id, step),
        run=run,
        number=number,
        retries=1,
        worker_id="worker-1",
    )


async def rows(database: Database, query: str, **values: object) -> list[tuple[object, ...]]:
    async with database.reading() as connection:
        return [tuple(row) for row in await connection.execute(text(query), values)]


async def statuses(database: Database, task_id: UUID) -> list[object]:
    """The task's, then its steps' in order."""
    query = """
        SELECT status FROM tasks WHERE id = :id UNION ALL
        (SELECT status FROM sub_tasks WHERE task_id = :id ORDER BY execution_order)"""
    return [row[0] for row in await rows(database, query, id=task_id)]


REPORT = StoredFile("report.csv", 12, "text/csv", "ab" * 32)
DONE = Ended(Status.COMPLETED, 5, exit_code=0, stdout='{"rows": 3}', files=(REPORT,))


async def test_migrations_can_run_twice_and_leave_nothing_missing(empty_database_url: str) -> None:
    await migrations.migrate(empty_database_url)
    await migrations.migrate(empty_database_url)
    assert await is_current(empty_database_url)


async def test_the_same_idempotency_key_gives_the_same_task(database: Database) -> None:
    first = await tasks.create_task(database, new_task(idempotency_key="k", request_digest="d"))
    second = await tasks.create_task(database, new_task(idempotency_key="k", request_digest="e"))
    assert (first.is_new, second.is_new) == (True, False)
    assert (second.id, second.request_digest) == (first.id, "d")


async def test_an_attempt_that_ends_twice_leaves_each_artifact_once(database: Database) -> None:
    task = await tasks.create_task(database, new_task())
    attempt = attempt_at(task.id, "one")
    await attempts.begin(database, attempt)
    assert await attempts.end(database, attempt, DONE)
    assert not await attempts.end(database, attempt, DONE)
    found = await rows(database, "SELECT name, sha256 FROM task_artifacts")
    assert found == [("report.csv", REPORT.sha256)]


async def test_a_step_that_has_succeeded_is_not_begun_again(database: Database) -> None:
    task = await tasks.create_task(database, new_task())
    await attempts.begin(database, attempt_at(task.id, "one"))
    await attempts.end(database, attempt_at(task.id, "one"), DONE)
    begun = await attempts.begin(database, attempt_at(task.id, "one", number=2))
    assert begun.outcome is not None
    assert begun.outcome.files == 1


async def test_the_success_of_the_last_step_completes_the_task(database: Database) -> None:
    task = await tasks.create_task(database, new_task())
    last = replace(attempt_at(task.id, "one"), is_last=True)
    await attempts.begin(database, last)
    told = replace(DONE, events=(StepCompleted(step="one"),))
    assert await attempts.end(database, last, told)
    assert await statuses(database, task.id) == ["completed", "completed", "pending"]
    found = await rows(database, "SELECT seq, type, data FROM events ORDER BY seq DESC LIMIT 2")
    [(last_seq, *closed), (_, kind, _)] = found
    assert (kind, closed) == ("step.completed", ["task.status", {"status": "completed"}])
    query = "SELECT event_seq, finished_at IS NOT NULL FROM tasks"
    assert await rows(database, query) == [(last_seq, True)]


async def test_a_last_step_that_fails_leaves_the_task_open(database: Database) -> None:
    task = await tasks.create_task(database, new_task())
    last = replace(attempt_at(task.id, "one"), is_last=True)
    await attempts.begin(database, last)
    await attempts.end(database, last, replace(DONE, status=Status.QUEUED))
    assert await statuses(database, task.id) == ["running", "queued", "pending"]


async def test_a_repeat_of_the_step_that_completed_its_task_gives_its_outcome(
    database: Database,
) -> None:
    """As when the worker died before it could tell Temporal."""
    task = await tasks.create_task(database, new_task())
    last = replace(attempt_at(task.id, "one"), is_last=True)
    await attempts.begin(database, last)
    await attempts.end(database, last, DONE)
    begun = await attempts.begin(database, replace(last, number=2))
    assert begun.outcome == StepOutcome(exit_code=0, files=1, closed=True)
    with pytest.raises(TaskMoved):
        await attempts.begin(database, attempt_at(task.id, "two"))


async def test_a_last_step_that_ends_as_its_task_is_cancelled_changes_nothing(
    database: Database,
) -> None:
    task = await tasks.create_task(database, new_task())
    last = replace(attempt_at(task.id, "one"), is_last=True)
    await attempts.begin(database, last)
    async with database.writing() as cancelling:
        await cancelling.execute(text("UPDATE tasks SET status = 'cancelled'"))
        ending = asyncio.create_task(attempts.end(database, last, DONE))
        await until_one_waits(database)
    assert not await ending
    assert await statuses(database, task.id) == ["cancelled", "running", "pending"]


async def test_a_step_that_an_earlier_attempt_ends_meanwhile_is_not_begun(
    database: Database,
) -> None:
    task = await tasks.create_task(database, new_task())
    await attempts.begin(database, attempt_at(task.id, "one"))
    async with database.writing() as ending:
        await ending.execute(text("SELECT FROM tasks FOR UPDATE"))
        done = {"status": "completed", "output_result": {"exit_code": 0}}
        await ending.execute(update(SubTask).where(col(SubTask.name) == "one").values(**done))
        beginning = asyncio.create_task(
            attempts.begin(database, attempt_at(task.id, "one", number=2))
        )
        await until_one_waits(database)
    assert (await beginning).outcome == StepOutcome(exit_code=0, files=0)
    told = await rows(database, "SELECT event_seq, (SELECT count(*) FROM events) FROM tasks")
    assert told == [(3, 3)]


async def test_a_decision_waits_for_the_end_of_its_task_and_not_the_other_way_round(
    database: Database,
) -> None:
    task = await tasks.create_task(database, new_task())
    moment = datetime.now(UTC)
    approval = Approval(
        id=task.id, kind="approval", asked_at=moment, expires_at=moment + timedelta(hours=1)
    )
    waiting = {"status": "waiting", "approval": approval.model_dump(mode="json")}
    async with database.writing() as connection:
        await connection.execute(
            update(SubTask).where(col(SubTask.name) == "one").values(**waiting)
        )
    call = await approvals.find_asked(database, task.id, "one")
    assert call is not None
    async with database.writing() as ending:
        await ending.execute(text("UPDATE tasks SET status = 'cancelled'"))
        deciding = asyncio.create_task(approvals.decide(database, SOMEBODY, call, "approve", None))
        await until_one_waits(database)
        await ending.execute(text("UPDATE sub_tasks SET status = 'cancelled'"))
    assert not await deciding


async def until_one_waits(database: Database) -> None:
    """Until a statement waits for a lock."""
    query = """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'"""
    while await rows(database, query) == [(0,)]:
        await asyncio.sleep(0.01)


async def test_an_attempt_given_up_for_lost_changes_nothing_when_it_comes_back(
    database: Database,
) -> None:
    task = await tasks.create_task(database, new_task())
    late, next_one = attempt_at(task.id, "one"), attempt_at(task.id, "one", number=2)
    await attempts.begin(database, late)
    await attempts.begin(database, next_one)
    assert not await attempts.end(database, late, DONE)
    await attempts.set_phase(database, late, Phase.POST_PROCESS, [StepPhase(step="one")])
    assert await rows(database, "SELECT * FROM events WHERE type = 'step.phase'") == []
    assert await rows(database, "SELECT * FROM task_artifacts") == []
    logs = await rows(database, "SELECT status, error FROM execution_logs ORDER BY attempt")
    assert [row[0] for row in logs] == ["failed", "running"]
    assert "worker" in json.dumps(logs[0][1])


async def test_events_of_an_attempt_are_numbered_and_its_phase_stays(database: Database) -> None:
    task = await tasks.create_task(database, new_task())
    attempt = attempt_at(task.id, "one")
    await attempts.begin(database, attempt)
    said = [StepOutput(step="one", text=str(number)) for number in range(3)]
    await attempts.set_phase(database, attempt, Phase.EXECUTING, said[:2])
    await attempts.set_phase(database, attempt, None, said[2:])
    step = str(attempt.sub_task_id)
    phase = await rows(database, "SELECT phase FROM sub_tasks WHERE id = :id", id=step)
    assert phase == [("executing",)]
    told = await rows(database, "SELECT seq, type, data ->> 'text' FROM events ORDER BY seq")
    assert told[3:] == [(seq, "step.output", str(seq - 4)) for seq in (4, 5, 6)]


async def test_files_of_a_later_attempt_replace_those_of_an_earlier_one(
    database: Database,
) -> None:
    task = await tasks.create_task(database, new_task())
    failed = replace(DONE, status=Status.QUEUED, files=(replace(REPORT, name="half.csv"), REPORT))
    await attempts.begin(database, attempt_at(task.id, "one"))
    await attempts.end(database, attempt_at(task.id, "one"), failed)
    await attempts.begin(database, attempt_at(task.id, "one", number=2))
    await attempts.end(database, attempt_at(task.id, "one", number=2), DONE)
    assert await rows(database, "SELECT name FROM task_artifacts") == [("report.csv",)]


async def test_a_closed_task_begins_and_ends_no_attempts(database: Database) -> None:
    task = await tasks.create_task(database, new_task())
    running = attempt_at(task.id, "one")
    await attempts.begin(database, running)
    close = TaskClose(task_id=task.id, team_id=DEFAULT_TEAM, run=1, status=Status.CANCELLED)
    assert await tasks.close_task(database, close)
    assert not await tasks.close_task(database, close)
    assert not await attempts.end(database, running, DONE)
    with pytest.raises(TaskMoved):
        await attempts.begin(database, attempt_at(task.id, "two"))
    assert await statuses(database, task.id) == ["cancelled"] * 3
    assert await rows(database, "SELECT status FROM execution_logs") == [("cancelled",)]


async def test_a_task_that_fails_takes_over_what_its_step_told(database: Database) -> None:
    task = await tasks.create_task(database, new_task())
    attempt = attempt_at(task.id, "one")
    told = Failure(code="script-failed", message="it failed", detail="no such column", step="one")
    await attempts.begin(database, attempt)
    await attempts.end(database, attempt, Ended(Status.FAILED, 5, exit_code=2, failure=told))
    history = Failure(code="script-failed", message="it failed", step="one")
    await tasks.close_task(
        database,
        TaskClose(
            task_id=task.id,
            team_id=DEFAULT_TEAM,
            run=1,
            status=Status.FAILED,
            failure=history,
            sub_task_id=attempt.sub_task_id,
        ),
    )
    assert await statuses(database, task.id) == ["failed", "failed", "pending"]
    [(error,)] = await rows(database, "SELECT error FROM tasks")
    assert error == told.model_dump(mode="json", exclude_none=True)


async def test_a_retry_keeps_what_the_steps_before_it_made(database: Database) -> None:
    task = await tasks.create_task(database, new_task())
    await attempts.begin(database, attempt_at(task.id, "one"))
    await attempts.end(database, attempt_at(task.id, "one"), DONE)
    await attempts.begin(database, attempt_at(task.id, "two"))
    close = TaskClose(task_id=task.id, team_id=DEFAULT_TEAM, run=1, status=Status.FAILED)
    await tasks.close_task(database, close)
    begin = {"first_step": 1, "again": [step_sub_task_id(task.id, "two")]}
    assert await restart(database, task.id, 1, **begin, inputs={})
    assert not await restart(database, task.id, 1, **begin, inputs={})
    assert await statuses(database, task.id) == ["pending", "completed", "pending"]
    with pytest.raises(TaskMoved):
        await attempts.begin(database, attempt_at(task.id, "two"))
    await attempts.begin(database, attempt_at(task.id, "two", run=2))
    assert await statuses(database, task.id) == ["running", "completed", "running"]
    found = await results_of(database, task.id, ["one", "two"], with_stdout=["one"])
    assert found.keys() == {"one"}
    assert (found["one"].stdout, [file.name for file in found["one"].files]) == (
        '{"rows": 3}',
        ["report.csv"],
    )


async def test_marking_a_task_that_has_ended_changes_nothing(database: Database) -> None:
    task = await tasks.create_task(database, new_task())
    close = TaskClose(task_id=task.id, team_id=DEFAULT_TEAM, run=1, status=Status.FAILED)
    await tasks.close_task(database, close)
    mark = TaskMark(task_id=task.id, team_id=DEFAULT_TEAM, run=1, status=Status.RUNNING)
    await tasks.mark_task(database, mark)
    assert (await statuses(database, task.id))[0] == "failed"


@asynccontextmanager
async def announced(database: Database) -> AsyncIterator[list[str]]:
    """What is announced in the block; all of it is there after it."""
    heard: list[str] = []
    listener = await asyncpg.connect(database.url.replace("+asyncpg", ""))
    await listener.add_listener(events.CHANNEL, lambda *args: heard.append(args[3]))
    yield heard
    await listener.fetchval("SELECT 1")  # Notifications come before the next answer.
    await listener.close()


async def test_events_are_numbered_without_gaps_and_announced(database: Database) -> None:
    task = await tasks.create_task(database, new_task())
    async with announced(database) as heard, database.writing() as connection:
        told = [StepOutput(step="one", text="a"), StepOutputCut(step="one", limit=1)]
        await events.append(connection, task.id, told)
    assert heard == [str(task.id)]
    found = await rows(database, "SELECT seq, type FROM events ORDER BY seq")
    assert found == [(1, "task.status"), (2, "step.output"), (3, "step.output_cut")]


@pytest.mark.parametrize("by_its_last_step", [False, True])
async def test_the_end_of_a_task_is_announced_by_a_word_of_its_own(
    database: Database, by_its_last_step: bool
) -> None:
    task = new_task()
    await tasks.create_task(database, task)
    first = attempt_at(task.id, "one")
    last = replace(attempt_at(task.id, "two"), is_last=by_its_last_step)
    async with announced(database) as before:
        for attempt in (first, last):
            await attempts.begin(database, attempt)
        await attempts.end(database, first, DONE)
    assert {*map(events.read_word, before)} == {events.Word(task.id, has_ended=False)}
    async with announced(database) as heard:
        if by_its_last_step:
            await attempts.end(database, last, DONE)
        else:
            end = Status.CANCELLED
            close = TaskClose(task_id=task.id, team_id=DEFAULT_TEAM, run=1, status=end)
            await tasks.close_task(database, close)
    words = [events.Word(task.id, has_ended=has_ended) for has_ended in (False, True)]
    assert [*map(events.read_word, heard)] == words


@pytest.mark.parametrize("printed", ["\0", "\\u0000", "a\\\0b", "\\\\u0000"])
async def test_an_event_may_hold_what_postgresql_does_not(database: Database, printed: str) -> None:
    task = await tasks.create_task(database, new_task())
    async with database.writing() as connection:
        await events.append(connection, task.id, [StepOutput(step="one", text=printed)])
    [(data,)] = await rows(database, "SELECT data FROM events WHERE seq = 2")
    assert data == {"step": "one", "text": printed.replace("\0", "�")}


async def test_an_attempt_that_was_lost_before_a_reset_is_seen_after_it_however_often_it_begins(
    database: Database,
) -> None:
    """Attempts count from 1 again then, and begin a second time when the database was away."""
    task = new_task()
    await tasks.create_task(database, task)
    first = attempt_at(task.id, "one")
    await attempts.begin(database, replace(first, begun_in="a"))
    for _ in range(2):
        assert (await attempts.begin(database, replace(first, begun_in="b"))).lost == 1
    query = "SELECT status, execution FROM execution_logs WHERE task_id = :id"
    assert await rows(database, query, id=task.id) == [("running", "b")]
    await attempts.end(database, replace(first, begun_in="b"), DONE)


async def test_an_attempt_that_is_lost_after_a_reset_is_seen_though_the_one_before_failed(
    database: Database,
) -> None:
    task = new_task()
    await tasks.create_task(database, task)
    first = attempt_at(task.id, "one")
    await attempts.begin(database, replace(first, begun_in="a"))
    failure = Failure(code="script-failed", message="It failed.")
    failed = Ended(Status.QUEUED, 5, exit_code=1, stdout="old", failure=failure)
    await attempts.end(database, first, failed)
    begun = await attempts.begin(database, replace(first, begun_in="b"))
    assert (begun.lost, begun.failures) == (0, 0)
    second = replace(first, number=2, begun_in="b")
    begun = await attempts.begin(database, second)
    assert (begun.lost, begun.failures) == (1, 0)
    query = """
        SELECT stdout, error ->> 'code' FROM execution_logs WHERE task_id = :id AND attempt = 1"""
    assert await rows(database, query, id=task.id) == [("", WORKER_LOST)]


async def test_later_attempts_of_before_a_reset_are_said_to_be_lost(database: Database) -> None:
    task = new_task()
    await tasks.create_task(database, task)
    first = attempt_at(task.id, "one")
    for number in (1, 2):
        await attempts.begin(database, replace(first, number=number, begun_in="a"))
    assert (await attempts.begin(database, replace(first, begun_in="b"))).lost == 2
    query = "SELECT error ->> 'code' FROM execution_logs WHERE task_id = :id AND attempt = 2"
    assert await rows(database, query, id=task.id) == [(WORKER_LOST,)]
