"""The ends of tasks that agents that stay have begun, told in their inboxes: each once."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from activities.store import begun_tasks, tasks
from activities.store.audit import Deed
from activities.store.begun_tasks import report_ends, unstarted
from activities.store.database import Database
from activities.store.new_residents import Made, NewResident, create_resident
from activities.store.restarts import Reason, Restart, restart_task
from tests.actors import SOMEBODY
from tests.integration.new_tasks import new_task
from workflows.contracts import Failure, TaskClose
from workflows.definitions.agent import Agent
from workflows.states import Status, TaskType

URL = "https://agentos.example"


@pytest.fixture
async def agent(database: Database) -> UUID:
    return await make(database, "keeper")


async def make(database: Database, name: str) -> UUID:
    made = await create_resident(
        database, SOMEBODY, NewResident(id=uuid4(), name=name, definition={}), most=100
    )
    assert isinstance(made, Made)
    return made.id


async def begin(database: Database, agent_id: UUID | None) -> UUID:
    task = new_task(TaskType.AGENT, Agent(), agent_id=agent_id)
    await tasks.create_task(database, task)
    return task.id


async def end(
    database: Database, task_id: UUID, status: Status = Status.COMPLETED, run: int = 1
) -> None:
    failure = None
    if status is not Status.COMPLETED:
        failure = Failure(code="broken", message="It broke.\nFile 'x' created at y", step="clean")
    close = TaskClose(
        task_id=task_id, team_id=SOMEBODY.team_id, run=run, status=status, failure=failure
    )
    assert await tasks.close_task(database, close)


async def change(database: Database, statement: str, **values: object) -> None:
    async with database.writing() as connection:
        await connection.execute(text(statement), values)


async def made(database: Database, task_id: UUID, *names: str) -> None:
    for name in names:
        sub_task = uuid4()
        await change(
            database,
            """
            INSERT INTO sub_tasks
                (id, team_id, task_id, name, task_type, status, dependencies, input_context,
                 retry_count, execution_order)
            VALUES (:id, :team_id, :task_id, 'call', 'tool', 'completed', '[]', '{}', 0, 0)""",
            id=sub_task,
            team_id=SOMEBODY.team_id,
            task_id=task_id,
        )
        await change(
            database,
            """
            INSERT INTO task_artifacts
                (id, team_id, task_id, sub_task_id, type, name, size, mime_type, sha256)
            VALUES (:id, :team_id, :task_id, :sub_task, 'file', :name, 12, 'text/csv', 'a')""",
            id=uuid4(),
            team_id=SOMEBODY.team_id,
            task_id=task_id,
            sub_task=sub_task,
            name=name,
        )


async def told(database: Database, agent_id: UUID) -> list[Any]:
    query = "SELECT kind, content FROM inbox WHERE agent_id = :agent_id ORDER BY seq"
    async with database.reading(fresh=True) as connection:
        return [*(await connection.execute(text(query), {"agent_id": agent_id})).all()]


async def report(database: Database) -> None:
    await report_ends(database, most=10, public_url=URL)


async def test_an_agent_is_told_once_of_the_end_of_its_task_with_the_files(
    database: Database, agent: UUID
) -> None:
    task_id = await begin(database, agent)
    await made(database, task_id, "report.csv", "it's.csv")
    await report(database)
    assert await told(database, agent) == []
    await end(database, task_id)
    for _ in range(2):
        await report(database)
    [notice] = await told(database, agent)
    assert notice.kind == "notice"
    assert f"completed. Id: {task_id}" in notice.content
    assert f"File 'report.csv' created at {URL}/api/v1/artifacts/" in notice.content
    assert "(12 bytes, artifact:" in notice.content
    assert r"File 'it\'s.csv' created" in notice.content


@pytest.mark.parametrize("status", [Status.FAILED, Status.BLOCKED, Status.CANCELLED])
async def test_an_agent_is_told_why_its_task_ended_badly(
    database: Database, agent: UUID, status: Status
) -> None:
    task_id = await begin(database, agent)
    await end(database, task_id, status)
    await report(database)
    [notice] = await told(database, agent)
    assert f"has ended: {status}" in notice.content
    # What a script says cannot pass for a line of the report.
    assert "Error (at clean): It broke. File 'x' created at y" in notice.content.splitlines()


async def test_tasks_that_are_begun_at_once_are_no_more_than_an_agent_may_have(
    database: Database, agent: UUID
) -> None:
    wanted = [new_task(TaskType.AGENT, Agent(), agent_id=agent) for _ in range(6)]
    begun = await asyncio.gather(
        *(begun_tasks.begin(database, each, hops=0, most=2) for each in wanted)
    )
    assert sorted(str(each) for each in begun) == ["2", "2", "2", "2", "None", "None"]


async def test_a_notice_of_the_end_has_the_hops_of_the_turn_that_began_the_task(
    database: Database, agent: UUID
) -> None:
    task = new_task(TaskType.AGENT, Agent(), agent_id=agent)
    assert await begun_tasks.begin(database, task, hops=7, most=100) is None
    await end(database, task.id)
    await report(database)
    async with database.reading(fresh=True) as connection:
        assert await connection.scalar(text("SELECT hops FROM inbox")) == 7


async def answered(database: Database, task_id: UUID, turn: int, tokens: int) -> None:
    await change(
        database,
        """
        INSERT INTO messages (task_id, seq, team_id, turn, role, content, is_protected, execution,
                              prompt_tokens, completion_tokens, cost_usd)
        VALUES (:task_id, :turn, :team_id, :turn, 'assistant', 'x', false, 'e', :tokens, 0,
                0.5)""",
        task_id=task_id,
        team_id=SOMEBODY.team_id,
        turn=turn,
        tokens=tokens,
    )


async def test_what_a_task_uses_counts_as_its_agents_once_and_after_a_retry_what_is_new(
    database: Database, agent: UUID
) -> None:
    async def used() -> tuple[int, float]:
        async with database.reading(fresh=True) as connection:
            rows = await connection.execute(
                text("SELECT sum(tokens), sum(cost_usd) FROM agent_usage")
            )
            [found] = rows
        return int(found[0]), float(found[1])

    task_id = await begin(database, agent)
    await answered(database, task_id, 1, 100)
    await end(database, task_id, Status.FAILED)
    for _ in range(2):
        await report(database)
    assert await used() == (100, 0.5)
    reason = Reason(SOMEBODY, Deed("task.retried", str(task_id)))
    assert await restart_task(database, task_id, 1, Restart(0, {}), reason)
    await answered(database, task_id, 2, 30)
    await end(database, task_id, run=2)
    await report(database)
    assert await used() == (130, 1.0)


async def test_the_end_of_each_run_of_a_task_is_told(database: Database, agent: UUID) -> None:
    task_id = await begin(database, agent)
    await end(database, task_id, Status.FAILED)
    await report(database)
    reason = Reason(SOMEBODY, Deed("task.retried", str(task_id)))
    assert await restart_task(database, task_id, 1, Restart(0, {}), reason)
    await report(database)
    assert len(await told(database, agent)) == 1
    await end(database, task_id, run=2)
    await report(database)
    assert ["failed" in row.content for row in await told(database, agent)] == [True, False]


async def test_a_task_that_was_reset_and_ends_again_in_its_run_is_told_again(
    database: Database, agent: UUID
) -> None:
    task_id = await begin(database, agent)
    await end(database, task_id, Status.FAILED)
    await report(database)
    await change(database, "UPDATE tasks SET status = 'running', finished_at = NULL")
    await end(database, task_id)
    await report(database)
    assert len(await told(database, agent)) == 2


async def test_many_apis_that_look_at_once_tell_each_end_once(
    database: Database, agent: UUID
) -> None:
    for _ in range(10):
        await end(database, await begin(database, agent))
    await asyncio.gather(*(report_ends(database, most=10, public_url=URL) for _ in range(5)))
    await report(database)
    assert len(await told(database, agent)) == 10


async def test_an_end_told_in_a_transaction_that_is_lost_is_told_again(
    database: Database, agent: UUID
) -> None:
    """As after kill -9: what was not committed is gone as a whole."""
    await end(database, await begin(database, agent))
    await change(
        database,
        """
        CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'lost'; END $$""",
    )
    await change(
        database,
        "CREATE TRIGGER lose BEFORE UPDATE OF reported_at ON tasks"
        " FOR EACH ROW EXECUTE FUNCTION lose()",
    )
    with pytest.raises(Exception, match="lost"):
        await report(database)
    assert await told(database, agent) == []
    await change(database, "DROP TRIGGER lose ON tasks")
    await report(database)
    assert len(await told(database, agent)) == 1


async def test_the_files_of_a_plan_are_those_of_its_nodes(database: Database, agent: UUID) -> None:
    plan = await begin(database, agent)
    node = await begin(database, None)
    await change(
        database, "UPDATE tasks SET parent_id = :plan WHERE id = :node", plan=plan, node=node
    )
    await made(database, node, "part.csv")
    await end(database, plan)
    await report(database)
    [notice] = await told(database, agent)
    assert "File 'part.csv'" in notice.content


async def test_of_very_many_files_the_latest_are_told(database: Database, agent: UUID) -> None:
    task_id = await begin(database, agent)
    await made(database, task_id, *(f"{number}.csv" for number in range(60)))
    await end(database, task_id)
    await report(database)
    [notice] = await told(database, agent)
    assert notice.content.count("created at") == 50
    assert "10 older files" in notice.content


async def test_of_a_task_that_was_deleted_only_that_is_told(
    database: Database, agent: UUID
) -> None:
    task_id = await begin(database, agent)
    await made(database, task_id, "gone.csv")
    await end(database, task_id)
    await change(database, "UPDATE tasks SET deleted_at = now()")
    await report(database)
    [notice] = await told(database, agent)
    assert "deleted" in notice.content
    assert "gone.csv" not in notice.content


async def test_what_need_not_be_told_holds_nothing_up(database: Database, agent: UUID) -> None:
    other = await make(database, "other")
    await end(database, await begin(database, agent))
    await change(database, "UPDATE agents SET terminated_at = now() WHERE id = :id", id=agent)
    await end(database, await begin(database, other))
    await end(database, await begin(database, None))
    first = await report_ends(database, most=1, public_url=URL)
    assert (first.number, first.full) == (1, frozenset())
    await report_ends(database, most=1, public_url=URL)
    assert await told(database, agent) == []
    assert len(await told(database, other)) == 1


async def test_tasks_of_agents_that_nobody_works_on_are_found_to_be_started(
    database: Database, agent: UUID
) -> None:
    wanted = await begin(database, agent)
    await begin(database, None)
    await end(database, await begin(database, agent))
    assert await unstarted(database, since_seconds=30, limit=10) == [(wanted, 1)]
    assert await unstarted(database, since_seconds=0, limit=10) == []
