"""The calls by which planners make and revise their plans."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Uuid, bindparam, or_, select, text
from sqlmodel import col

from activities.store.database import Database
from activities.store.tables import SubTask
from workflows.agent_contracts import call_sub_task_id
from workflows.states import Status

PLAN_CALL = "plan"


async def resumed_call(database: Database, task_id: UUID, seq: int) -> int | None:
    """``seq``, where the call with that result makes or revises a plan that is not completed.

    One that a person denied, or never approved, is none to go on with.
    """
    asked, decision = (col(SubTask.approval)[field].astext for field in ("kind", "decision"))
    async with database.reading(fresh=True) as connection:
        status = await connection.scalar(
            select(col(SubTask.status)).where(
                col(SubTask.id) == call_sub_task_id(task_id, seq),
                col(SubTask.task_type) == PLAN_CALL,
                or_(asked.is_(None), decision == "approve"),
            )
        )
    return None if status in (None, Status.COMPLETED) else seq


@dataclass(frozen=True, slots=True)
class OpenedCall:
    """A call whose plan, or revision, is in the rows of nodes; its result is message ``seq``.

    ``was_answered``: the planner has said something since. ``is_outdated``: its result tells of
    nodes as they were before they ran for a later call.
    """

    id: UUID
    seq: int
    status: Status
    was_answered: bool
    is_outdated: bool


async def last_opened_call(
    database: Database, task_id: UUID, before: int | None = None
) -> OpenedCall | None:
    """The call by which a plan was made, or revised, last, in a turn ``before`` this one; None
    before there is a plan."""
    place = {"task_id": task_id, "before": before}
    async with database.reading(fresh=True) as connection:
        row = (await connection.execute(_LAST_OPENED, place)).one_or_none()
    if row is None:
        return None
    return OpenedCall(row.id, row.seq, Status(row.status), row.was_answered, row.is_outdated)


_LAST_OPENED = text(
    f"""
    SELECT call.id, call.execution_order AS seq, call.status,
           EXISTS (SELECT FROM messages WHERE task_id = :task_id AND role = 'assistant'
                   AND messages.seq > call.execution_order) AS was_answered,
           EXISTS (SELECT FROM sub_tasks AS node
                   WHERE node.task_id = :task_id AND node.number IS NOT NULL
                     AND node.execution_order <= call.execution_order
                     AND node.finished_at > call.finished_at
                     AND node.output_result ->> 'dropped' IS NULL) AS is_outdated
    FROM sub_tasks AS call
    WHERE call.task_id = :task_id AND call.task_type = '{PLAN_CALL}' AND call.number IS NULL
      AND (CAST(:before AS int) IS NULL
           OR CAST(call.input_context ->> 'turn' AS int) < CAST(:before AS int))
      AND (EXISTS (SELECT FROM sub_tasks AS node
                   WHERE node.task_id = :task_id AND node.number IS NOT NULL
                     AND node.execution_order = call.execution_order)
           OR EXISTS (SELECT FROM plan_revisions AS revision
                      WHERE revision.task_id = :task_id AND revision.seq = call.execution_order))
    ORDER BY call.execution_order DESC
    LIMIT 1
    """
).bindparams(bindparam("task_id", type_=Uuid()))


@dataclass(frozen=True, slots=True)
class LastPlanCall:
    """A call that makes or revises a plan; its result is message ``seq``. ``is_refused``: a person
    denied it, or nobody answered in time; ``has_note``: they said something."""

    seq: int
    is_refused: bool
    has_note: bool


async def last_plan_call(database: Database, task_id: UUID) -> LastPlanCall | None:
    """The last one of a task; None before there was one."""
    async with database.reading(fresh=True) as connection:
        row = (
            await connection.execute(
                select(col(SubTask.execution_order), col(SubTask.status), col(SubTask.approval))
                .where(
                    col(SubTask.task_id) == task_id,
                    col(SubTask.task_type) == PLAN_CALL,
                    col(SubTask.number).is_(None),
                )
                .order_by(col(SubTask.execution_order).desc())
                .limit(1)
            )
        ).one_or_none()
    if row is None:
        return None
    asked = row.approval or {}
    is_refused = bool(asked) and row.status is Status.FAILED
    return LastPlanCall(row.execution_order, is_refused, bool(asked.get("note")))
