"""Which parts of a task that ended badly are dead letters, and at what cost."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from activities.store import tasks
from activities.store.database import Database
from activities.store.keys import DEFAULT_TEAM
from activities.store.reading.dead_letters import (
    DeadLetterFilter,
    StoredLetter,
    count_letters,
    list_letter_ids,
    list_letters,
)
from tests.integration.new_tasks import new_task
from tests.integration.plan_rows import PlanRows, a_node, a_plan
from workflows.contracts import Failure, TaskClose
from workflows.definitions.agent import Agent
from workflows.states import LetterState, Status, TaskType

_ALL = DeadLetterFilter()


async def _close(
    database: Database,
    task_id: UUID,
    status: Status = Status.FAILED,
    code: str = "it-failed",
    **more: Any,
) -> None:
    failure = None if status is Status.COMPLETED else Failure(code=code, message=f"{code} 7")
    close = TaskClose(
        task_id=task_id, team_id=DEFAULT_TEAM, run=1, status=status, failure=failure, **more
    )
    assert await tasks.close_task(database, close)


async def _letters(database: Database, wanted: DeadLetterFilter = _ALL) -> Sequence[StoredLetter]:
    return (await list_letters(database, DEFAULT_TEAM, wanted, None, 100))[0]


async def _fail_node(plan: PlanRows, name: str, code: str) -> None:
    await plan.execute(
        "UPDATE sub_tasks SET error = jsonb_build_object('code', CAST(:code AS text), 'message',"
        " 'No.') WHERE task_id = :id AND name = :name",
        code=code,
        id=plan.id,
        name=name,
    )


async def test_a_plan_has_a_letter_for_each_node_that_failed_and_none_for_the_others(
    database: Database,
) -> None:
    plan = await a_plan(database)
    await plan.call([], Status.RUNNING)
    for number, (name, status) in enumerate(
        [
            ("done", Status.COMPLETED),
            ("one", Status.FAILED),
            ("two", Status.BLOCKED),
            ("never", Status.PENDING),
            ("cut", Status.CANCELLED),
        ],
        start=1,
    ):
        await plan.node(a_node(name), number, status)
    out = {"output_result": {"replaced": 6}}
    await plan.node(a_node("replaced"), 6, Status.FAILED, **out)
    await _fail_node(plan, "one", "script-failed")
    await _fail_node(plan, "two", "model-overloaded")
    await plan.speak(plan.children["one"], 1, 40, 0.5)
    await plan.speak(plan.id, 3, 1_000)
    await _close(database, plan.id, code="nodes-failed")
    found = sorted(await _letters(database), key=lambda letter: letter.part or "")
    assert [(letter.part, letter.error.code, letter.parts["runs"]) for letter in found] == [
        ("one", "script-failed", "agent"),
        ("two", "model-overloaded", "agent"),
    ]
    one, two = found
    assert {one.task_id, two.task_id} == {plan.id}
    # Two answers of half a second: that of the node's task, and not that of the planner.
    assert (one.tokens, one.cost_usd, one.seconds) == (40, 0.5, 0.5)
    assert (two.tokens, two.cost_usd, two.seconds) == (0, 0.0, 0.0)


async def test_the_task_of_a_node_has_no_letter_of_its_own(database: Database) -> None:
    plan = await a_plan(database)
    child = await plan.node(a_node("one"), 1, Status.RUNNING)
    assert child is not None
    await _close(database, child)
    assert await _letters(database) == []


async def test_a_plan_that_failed_without_a_node_has_a_letter_for_its_call(
    database: Database,
) -> None:
    plan = await a_plan(database)
    call = await plan.call([], Status.RUNNING)
    await plan.node(a_node("done"), 1, Status.COMPLETED)
    await _close(database, plan.id, sub_task_id=call)
    [letter] = await _letters(database)
    assert (letter.part, letter.sub_task_id) == ("1.1 make_plan", call)
    assert letter.parts["runs"] == "make_plan"


async def test_an_agent_that_reached_a_limit_has_a_letter_of_itself_whatever_calls_failed(
    database: Database,
) -> None:
    task = new_task(TaskType.AGENT, Agent(), prompt="Do it.")
    await tasks.create_task(database, task)
    agent = PlanRows(database, task.id, {})
    await agent.execute(
        "UPDATE tasks SET status = 'running', started_at = now() - interval '1 h' WHERE id = :id",
        id=task.id,
    )
    await agent.call([], Status.FAILED, tool="run_code", name="1.1 run_code")
    await agent.speak(task.id, 2, 300, 1.5)
    await agent.execute("UPDATE messages SET created_at = now() WHERE task_id = :id", id=task.id)
    await _close(database, task.id, code="turns-used-up")
    [letter] = await _letters(database)
    assert (letter.part, letter.sub_task_id, letter.error.code) == (None, None, "turns-used-up")
    assert (letter.tokens, letter.cost_usd, letter.seconds) == (300, 1.5, 0.5)
    assert letter.parts["message"] == "turns-used-up #"


async def test_a_part_that_failed_without_an_error_keeps_no_task_from_its_end(
    database: Database,
) -> None:
    task = new_task(TaskType.AGENT, Agent(), prompt="Do it.")
    await tasks.create_task(database, task)
    agent = PlanRows(database, task.id, {})
    await agent.call([], Status.FAILED, tool="run_code", name="1.1 run_code")
    await agent.execute("UPDATE sub_tasks SET error = 'null' WHERE task_id = :id", id=task.id)
    await _close(database, task.id, code="turns-used-up")
    [letter] = await _letters(database)
    assert (letter.part, letter.error.code) == (None, "turns-used-up")


async def test_letters_are_gone_through_oldest_first_without_gaps(database: Database) -> None:
    made = []
    for _ in range(5):
        task = new_task(TaskType.AGENT, Agent(), prompt="Do it.")
        await tasks.create_task(database, task)
        await _close(database, task.id, Status.BLOCKED)
        made.append(task.id)
    seen, place = [], None
    while page := await list_letter_ids(database, DEFAULT_TEAM, _ALL, place, 2):
        seen += [task_id for _, task_id, _, _ in page]
        place = page[-1][3]
    assert seen == made
    assert await count_letters(database, DEFAULT_TEAM, _ALL) == 5
    other = DeadLetterFilter(states=(LetterState.REQUEUED, LetterState.DISCARDED))
    assert await count_letters(database, DEFAULT_TEAM, other) == 0


async def test_letters_go_with_their_task(database: Database) -> None:
    task = new_task(TaskType.AGENT, Agent(), prompt="Do it.")
    await tasks.create_task(database, task)
    await _close(database, task.id)
    async with database.writing() as connection:
        await connection.execute(text("DELETE FROM tasks WHERE id = :id"), {"id": task.id})
    assert await _letters(database) == []
