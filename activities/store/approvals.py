"""Decisions of people on the calls of an agent that wait for one."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, JsonValue
from sqlalchemy import Boolean, DateTime, Row, Select, func, literal_column, or_, select, text
from sqlmodel import col

from activities.store import audit, events, fence
from activities.store.audit import Actor, Deed
from activities.store.database import Database
from activities.store.tables import SubTask, Task
from workflows.events import ApprovalDecided
from workflows.states import FINAL, Status

Answer = Literal["approve", "deny"]

# Spelt out, as the index of the few that wait has it: a value that is bound might hide it.
IS_WAITING = literal_column(f"sub_tasks.status = '{Status.WAITING}'", Boolean())
# As much of an id as commands show, or more.
_ASK = re.compile(r"[0-9a-f]{8}[0-9a-f-]{0,28}")


class Elicitation(BaseModel):
    """What the server of a tool asks while a call is made, and what was replied to its earlier
    questions of this call, by their keys. The attempt ``asked_in`` found it.

    ``form`` is JSON as text, and ``key`` is kept and never made from the rest again: as jsonb,
    neither numbers nor the order of fields come back as they were. ``url`` is a page to open."""

    model_config = ConfigDict(frozen=True)

    asked_in: int
    text: str
    form: str | None = None
    url: str | None = None
    key: str = ""
    replies: dict[str, dict[str, JsonValue]] = {}


class Approval(BaseModel):
    """What a person is asked about a call, until when, and what they said.

    ``kind`` says whether the call may be made only if they approve, or is itself a question, to
    which ``note`` is then the answer. With an ``elicitation`` the question is one of the tool's
    server, and the answer goes to that. ``number`` counts what was asked about the call, this
    included: whoever decides on it without saying what they were shown may mean an earlier one.
    ``is_edited``: they have put other nodes in the place of those of a plan, or other arguments in
    that of those of a call.
    """

    model_config = ConfigDict(frozen=True)

    id: UUID
    kind: Literal["approval", "answer"]
    question: str | None = None
    asked_at: datetime
    expires_at: datetime
    decision: Answer | None = None
    note: str | None = None
    decided_at: datetime | None = None
    number: int = 1
    elicitation: Elicitation | None = None
    is_edited: bool = False


@dataclass(frozen=True, slots=True)
class AskedCall:
    """A call that waits, or waited, for a person. ``seq`` is the number of its result's message,
    and ``task_type`` what kind of sub-task it is."""

    id: UUID
    task_id: UUID
    run: int
    seq: int
    name: str
    task_type: str
    status: Status
    context: dict[str, Any]
    approval: Approval

    @property
    def is_waiting(self) -> bool:
        return self.status is Status.WAITING


async def asked_calls(
    database: Database, task_id: UUID, limit: int, *, after: int = 0, waiting: bool = False
) -> Sequence[AskedCall]:
    """The calls of a task that somebody was asked about, the oldest first, from ``seq`` ``after``
    on, which no two calls share.

    ``waiting`` leaves out those on which somebody has decided, or nobody can any more.
    """
    query = _ASKED.where(col(SubTask.task_id) == task_id, col(SubTask.execution_order) > after)
    if waiting:
        query = query.where(col(SubTask.status) == Status.WAITING, _DECISION.is_(None))
    return await _calls(database, query.order_by(col(SubTask.execution_order)).limit(limit))


async def find_asked(database: Database, task_id: UUID, call: str) -> AskedCall | None:
    """By the id of its row, its name, the number in that, or the beginning of the id of its ask."""
    name = col(SubTask.name)
    is_meant = or_(name == call, func.split_part(name, " ", 1) == call)
    if _ASK.fullmatch(call):
        is_meant = or_(is_meant, col(SubTask.approval)["id"].astext.startswith(call))
    with suppress(ValueError):
        is_meant = or_(is_meant, col(SubTask.id) == UUID(call))
    query = _ASKED.where(col(SubTask.task_id) == task_id, is_meant)
    found = await _calls(database, query.order_by(col(SubTask.execution_order).desc()).limit(1))
    return found[0] if found else None


async def pending_question(database: Database, sub_task_id: UUID, attempts: int) -> Approval | None:
    """The question that a call has found after so many attempts at it, and waits for."""
    query = select(col(SubTask.approval)).where(
        col(SubTask.id) == sub_task_id, col(SubTask.status) == Status.WAITING
    )
    async with database.reading(fresh=True) as connection:
        row = await connection.scalar(query)
    approval = row and Approval.model_validate(row)
    if approval and approval.elicitation and approval.elicitation.asked_in > attempts:
        return approval
    return None


async def decide(
    database: Database,
    actor: Actor,
    call: AskedCall,
    answer: Answer,
    note: str | None,
    *,
    nodes: Sequence[Mapping[str, JsonValue]] | None = None,
    arguments: Mapping[str, JsonValue] | None = None,
) -> bool:
    """Write down a decision and tell of it. False when the call does not wait for one any more, or
    for one on something else. The ``nodes`` of a plan take the place of those that it was to have,
    and the ``arguments`` of a call that of its own.
    """
    is_edited = nodes is not None or arguments is not None
    event = ApprovalDecided(
        step=call.name,
        call_id=str(call.id),
        ask_id=str(call.approval.id),
        decision=answer,
        note=note,
    )
    values = {
        **events.values([event]),
        "id": call.id,
        "ask_id": str(call.approval.id),
        "task_id": call.task_id,
        "run": call.run,
        "word": events.as_json({"decision": answer, "note": note, "is_edited": is_edited}),
        "nodes": None if nodes is None else events.as_json([dict(node) for node in nodes]),
        "arguments": None if arguments is None else events.as_json(dict(arguments)),
    }
    async with database.writing() as connection:
        if (await connection.execute(_DECIDE, values)).first() is None:
            return False
        await audit.note(connection, actor, _deed(call, answer, note, is_edited=is_edited))
    return True


def _deed(call: AskedCall, answer: Answer, note: str | None, *, is_edited: bool) -> Deed:
    asked = call.approval
    details: dict[str, JsonValue] = {"call": call.name, "ask_id": str(asked.id), "kind": asked.kind}
    if is_edited:
        details["edited"] = True
    action = "call.approved" if answer == "approve" else "call.denied"
    return Deed(action, str(call.task_id), note or "", details)


async def decided_calls(database: Database, age: timedelta, limit: int) -> Sequence[AskedCall]:
    """Calls of living tasks that still wait though they were decided on so long ago."""
    decided_at = col(SubTask.approval)["decided_at"].astext.cast(DateTime(timezone=True))
    query = _ASKED.where(
        IS_WAITING,
        _DECISION.is_not(None),
        decided_at < func.now() - age,
        col(Task.status).not_in([str(status) for status in FINAL]),
    )
    return await _calls(database, query.order_by(decided_at).limit(limit))


async def _calls(database: Database, query: Select[*tuple[Any, ...]]) -> Sequence[AskedCall]:
    async with database.reading(fresh=True) as connection:
        return [call_of(row) for row in await connection.execute(query)]


def call_of(row: Row[*tuple[Any, ...]]) -> AskedCall:
    """A call that was asked about, as a row of its columns has it."""
    return AskedCall(
        id=row.id,
        task_id=row.task_id,
        run=row.run,
        seq=row.execution_order,
        name=row.name,
        task_type=row.task_type,
        status=row.status,
        context=row.input_context,
        approval=Approval.model_validate(row.approval),
    )


_DECISION = col(SubTask.approval)["decision"].astext

_ASKED = (
    select(
        col(SubTask.id),
        col(SubTask.task_id),
        col(Task.run),
        col(SubTask.execution_order),
        col(SubTask.name),
        col(SubTask.task_type),
        col(SubTask.status),
        col(SubTask.input_context),
        col(SubTask.approval),
    )
    .join(Task, col(Task.id) == col(SubTask.task_id))
    .where(col(SubTask.approval)["kind"].astext.is_not(None))
)

# The row of the task is locked first, as everywhere: in the other order, a decision and the end of
# the task would wait for each other. Of two who decide at once, the second finds the call decided.
_DECIDE = text(
    f"""
    WITH task AS (
        SELECT id FROM tasks WHERE {fence.IS_PRESENT_RUN} FOR UPDATE
    ), call AS (
        UPDATE sub_tasks
        SET approval = approval || CAST(:word AS jsonb)
                       || jsonb_build_object('decided_at', now()),
            input_context = CASE
                WHEN CAST(:arguments AS jsonb) IS NOT NULL THEN input_context
                    || jsonb_build_object('arguments', CAST(:arguments AS jsonb), 'is_edited', true)
                WHEN CAST(:nodes AS jsonb) IS NULL THEN input_context
                ELSE jsonb_set(
                    input_context #- '{{arguments,atomic}}',
                    '{{arguments,nodes}}',
                    CAST(:nodes AS jsonb)
                )
            END
        FROM task
        WHERE sub_tasks.id = :id AND sub_tasks.status = '{Status.WAITING}'
          AND approval ->> 'id' = :ask_id
          AND approval ->> 'decision' IS NULL
          AND CAST(approval ->> 'expires_at' AS timestamptz) > now()
          AND sub_tasks.task_id = task.id
        RETURNING sub_tasks.task_id
    ), numbered AS (
        UPDATE tasks SET {events.COUNT}
        FROM call WHERE tasks.id = call.task_id
        RETURNING {events.NUMBERED}
    ), event AS (
        {events.INSERT} {events.given("numbered")}
    )
    SELECT {events.notify("numbered")} FROM numbered
    """
)
