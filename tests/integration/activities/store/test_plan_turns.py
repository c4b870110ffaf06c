"""What is dropped of a plan where its planner's turns are made again, and what is gone on with."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from activities.store import attempts, turns
from activities.store.approvals import Approval
from activities.store.attempts import Attempt
from activities.store.database import Database
from activities.store.reading.plan_calls import (
    LastPlanCall,
    last_opened_call,
    last_plan_call,
    resumed_call,
)
from activities.store.turns import Turn
from tests.integration.plan_rows import PLANNED_SEQ, PlanRows, a_node, a_plan
from workflows.states import Status

REVISED_SEQ = 6


async def _revised(database: Database) -> PlanRows:
    """A plan of which one node was kept, one replaced and one dropped by a revision."""
    plan = await a_plan(database)
    await plan.speak(plan.id, PLANNED_SEQ - 1, 10)
    await plan.call(())
    await plan.node(a_node("kept"), 1, Status.COMPLETED, output_result={"summary": "x"})
    await plan.node(a_node("failed"), 2, Status.FAILED, output_result={"replaced": REVISED_SEQ})
    await plan.node(a_node("idle"), 3, Status.CANCELLED, output_result={"dropped": REVISED_SEQ})
    await plan.call((), tool="revise_plan", seq=REVISED_SEQ, name="2.1 revise_plan")
    await plan.revise("x", drop=["idle"], replaced=["failed"])
    return plan


async def _nodes(plan: PlanRows) -> Sequence[tuple[object, ...]]:
    async with plan.database.reading(fresh=True) as connection:
        rows = await connection.execute(
            text(
                "SELECT name, status, output_result FROM sub_tasks "
                "WHERE task_id = :id AND number IS NOT NULL ORDER BY number"
            ),
            {"id": plan.id},
        )
        return [tuple(row) for row in rows]


async def _revisions(plan: PlanRows) -> int:
    async with plan.database.reading(fresh=True) as connection:
        count = await connection.scalar(
            text("SELECT count(*) FROM plan_revisions WHERE task_id = :id"), {"id": plan.id}
        )
        return int(count or 0)


async def test_a_turn_that_is_made_again_before_a_revision_takes_it_back(
    database: Database,
) -> None:
    plan = await _revised(database)
    await turns.begin_turn(database, Turn(plan.id, 1, 2, PLANNED_SEQ, "another"), known=0)
    assert await _nodes(plan) == [
        ("kept", "completed", {"summary": "x"}),
        ("failed", "failed", None),
        ("idle", "pending", None),
    ]
    assert await _revisions(plan) == 0


async def test_a_node_that_a_revision_rewired_is_as_it_was_when_that_is_taken_back(
    database: Database,
) -> None:
    plan = await a_plan(database)
    await plan.node(a_node("failed"), 1, Status.FAILED)
    await plan.node(a_node("join", "later"), 2, Status.COMPLETED)
    await plan.node(a_node("after", "join"), 3, Status.COMPLETED)
    await plan.node(a_node("aside"), 4, Status.COMPLETED)
    dropped = {"output_result": {"dropped": PLANNED_SEQ}}
    await plan.node(a_node("gone", "join"), 5, Status.CANCELLED, **dropped)
    await plan.revise("x", former=[_former("join", "failed")])
    await plan.revise("y", seq=REVISED_SEQ + 2, former=[_former("join", "instead")])
    await turns.begin_turn(database, Turn(plan.id, 1, 2, PLANNED_SEQ, "another"), known=0)
    assert await _nodes(plan) == [
        ("failed", "failed", None),
        ("join", "pending", None),
        ("after", "pending", None),
        ("aside", "completed", None),
        ("gone", "cancelled", {"dropped": PLANNED_SEQ}),
    ]
    async with plan.database.reading(fresh=True) as connection:
        rows = await connection.execute(
            text(
                "SELECT dependencies, input_context -> 'depends_on' FROM sub_tasks "
                "WHERE task_id = :id AND name = 'join'"
            ),
            {"id": plan.id},
        )
        assert [tuple(row) for row in rows] == [(["failed"], ["failed"])]


async def test_a_call_that_is_made_again_undoes_the_plans_of_later_turns(
    database: Database,
) -> None:
    plan = await a_plan(database)
    await plan.execute("UPDATE tasks SET executions = '[\"a\"]' WHERE id = :id", id=plan.id)
    again = await plan.call((), tool="read", seq=PLANNED_SEQ - 1, name="1.1 read")
    # Of the same turn: its nodes may have begun before the call is made again.
    await plan.call((), Status.RUNNING, name="1.2 make_plan")
    await plan.node(a_node("join", "later"), 1, Status.COMPLETED)
    await plan.call((), tool="revise_plan", seq=REVISED_SEQ, name="2.1 revise_plan", turn=2)
    await plan.node(a_node("later"), 2, Status.COMPLETED, seq=REVISED_SEQ)
    await plan.revise("x", former=[_former("join")])
    attempt = Attempt(plan.id, again, 1, 1, 0, "w", execution="b", begun_in="b")
    await attempts.begin(database, attempt)
    assert await _nodes(plan) == [("join", "pending", None)]
    assert await _revisions(plan) == 0
    assert await last_plan_call(database, plan.id) == LastPlanCall(PLANNED_SEQ, False, False)


def _former(name: str, *depends_on: str) -> dict[str, object]:
    context = a_node(name, *depends_on).model_dump(mode="json", exclude_defaults=True)
    return {"name": name, "input_context": context, "dependencies": list(depends_on)}


async def test_a_turn_after_a_revision_leaves_it(database: Database) -> None:
    plan = await _revised(database)
    before = await _nodes(plan)
    await turns.begin_turn(database, Turn(plan.id, 1, 3, REVISED_SEQ, "another"), known=0)
    assert await _nodes(plan) == before
    assert await _revisions(plan) == 1


async def test_the_last_call_that_was_carried_out_is_found(database: Database) -> None:
    plan = await a_plan(database)
    assert await last_opened_call(database, plan.id) is None
    await plan.call((), Status.WAITING)
    assert await last_opened_call(database, plan.id) is None
    # A node may be a plan itself: it is none of the calls.
    await plan.node(a_node("inner", kind="plan"), 1, Status.RUNNING)
    made = await last_opened_call(database, plan.id)
    assert made is not None
    assert (made.seq, made.was_answered) == (PLANNED_SEQ, False)
    await plan.speak(plan.id, PLANNED_SEQ + 1, 10)
    asked = await plan.call((), tool="revise_plan", seq=REVISED_SEQ, name="2.1 revise_plan")
    made = await last_opened_call(database, plan.id)
    assert made is not None
    assert (made.seq, made.was_answered) == (PLANNED_SEQ, True)
    # A revision may have no nodes of its own.
    await plan.revise("x", drop=["inner"])
    revised = await last_opened_call(database, plan.id)
    assert revised is not None
    assert (revised.id, revised.seq) == (asked, REVISED_SEQ)


@pytest.mark.parametrize(
    ("status", "decision", "goes_on"),
    [
        (Status.PENDING, None, True),
        (Status.COMPLETED, None, False),
        (Status.BLOCKED, "approve", True),
        (Status.FAILED, "deny", False),
        (Status.FAILED, "nobody", False),
    ],
)
async def test_a_plan_is_gone_on_with_unless_it_is_completed_or_was_not_approved(
    database: Database,
    status: Status,
    decision: Literal["approve", "deny", "nobody"] | None,
    goes_on: bool,
) -> None:
    plan = await a_plan(database)
    await plan.call((), status, approval=decision and _decided(decision))
    found = await resumed_call(database, plan.id, PLANNED_SEQ)
    assert found == (PLANNED_SEQ if goes_on else None)


def _decided(decision: Literal["approve", "deny", "nobody"]) -> Approval:
    now = datetime.now(UTC)
    return Approval(
        id=_ASK,
        kind="approval",
        asked_at=now,
        expires_at=now,
        decision=None if decision == "nobody" else decision,
    )


_ASK: UUID = uuid4()
