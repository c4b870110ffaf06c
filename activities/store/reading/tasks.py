"""Tasks: as a list shows them, as a whole, and as whoever acts on one needs it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import func, select
from sqlmodel import col

from activities.store.database import Database
from activities.store.query import Asked, Query, given
from activities.store.reading.artifacts import Artifact, artifacts_of
from activities.store.reading.attempts import beginning_of, output_of_items
from activities.store.reading.cursor import Cursor, cut
from activities.store.reading.plan_usage import Used, uses_of
from activities.store.reading.recent_runs import RecentRun, recent_runs
from activities.store.reading.steps import Step, StepState, latest_steps, step_states
from activities.store.reading.task_creators import CREATOR, Creator, creator_of, with_creators
from activities.store.reading.task_search import TaskFilter, find_page
from activities.store.reading.usage import TaskUsage, usage_of
from activities.store.tables import Message, Task
from workflows.contracts import Failure
from workflows.states import Status, TaskType

# Of a task's artifacts so many are shown with it; all of them are at /tasks/{id}/artifacts.
MAX_ARTIFACTS_SHOWN = 1_000
# A pipeline has fewer steps, but an agent may make thousands of calls.
MAX_SUB_TASKS_SHOWN = 1_000
MAX_PRINTED_CHARACTERS = 64 * 1024
MAX_PROMPT_SHOWN = 2_000


@dataclass(frozen=True, slots=True)
class Route:
    """What was asked for and what was chosen, and why."""

    requested: str
    type: TaskType
    reason: str


@dataclass(frozen=True, slots=True)
class TaskSummary:
    """``turns`` is in how many of its present run the model has answered, of ``turn_limit``, where
    its definition sets one. ``waits_for`` says what its turn waits for, until ``next_attempt_at``.
    ``agent_id`` is the agent that stays which has begun it. ``used`` is with what its nodes used,
    and ``recent`` are the last runs of its name that have ended: None where nobody asked."""

    id: UUID
    parent_id: UUID | None
    type: TaskType
    name: str
    status: Status
    prompt: str | None
    priority: int
    run: int
    error: Failure | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    turn_limit: int | None
    turns: int
    steps: Sequence[StepState]
    route: Route | None = None
    schedule_id: UUID | None = None
    scheduled_at: datetime | None = None
    agent_id: UUID | None = None
    waits_for: str | None = None
    next_attempt_at: datetime | None = None
    created_by: Creator | None = None
    used: Used | None = None
    recent: Sequence[RecentRun] | None = None


@dataclass(frozen=True, slots=True)
class Printed:
    """The ``text`` is the beginning if it ``is_cut``. ``of_items``: it is what the items of a step
    have printed, between brackets and commas; nothing where that is too long."""

    text: str
    is_cut: bool = False
    of_items: bool = False


@dataclass(frozen=True, slots=True)
class TaskDetails:
    """All that is shown of one task. ``definition`` is as it was sent. Of many steps and artifacts
    the last and the first are here. ``printed`` is what the last completed step printed;
    ``result`` is what an agent gave. ``event_seq`` is the number of
    the last event that is in all this. ``is_pausing``: a pause was asked for, and has not come."""

    summary: TaskSummary
    definition: Mapping[str, JsonValue] | None
    inputs: Mapping[str, str]
    result: Mapping[str, JsonValue] | None
    steps: Sequence[Step]
    artifacts: Sequence[Artifact]
    usage: TaskUsage
    printed: Printed | None
    event_seq: int = 0
    is_pausing: bool = False


@dataclass(frozen=True, slots=True)
class StoredTask:
    """What is needed to act on a task. ``parent_id`` is the plan whose node it is. Of
    the ``prompt`` it has the beginning."""

    id: UUID
    team_id: UUID
    parent_id: UUID | None
    type: TaskType
    name: str
    priority: int
    status: Status
    run: int
    first_step: int
    inputs: dict[str, str]
    definition: Mapping[str, JsonValue]
    pause_requested_at: datetime | None
    schedule_id: UUID | None = None
    scheduled_at: datetime | None = None
    prompt: str | None = None
    agent_id: UUID | None = None
    created_by: str | None = None


async def list_summaries(
    database: Database,
    team_id: UUID,
    wanted: TaskFilter,
    cursor: Cursor | None,
    limit: int,
    *,
    only_open: Collection[TaskType] = (),
    with_runs: bool = False,
) -> tuple[Sequence[TaskSummary], Cursor | None]:
    """A page of tasks, the newest first, and the place of its last one if there are more.

    Of tasks of the types ``only_open`` the steps that have ended are left out: they may be many.
    """
    async with database.reading() as connection:
        ids = await find_page(connection, team_id, wanted, cursor, limit + 1)
        query = with_creators(select(*_SUMMARY).where(col(Task.id).in_(ids)))
        query = query.order_by(col(Task.created_at).desc(), col(Task.id).desc())
        found = (await connection.execute(query)).all()
        rows, following = cut(found, limit, lambda row: Cursor(row.created_at, row.id))
        brief = [row.id for row in rows if row.type in only_open]
        shown = [row.id for row in rows]
        steps = await step_states(connection, team_id, shown, only_open=brief)
        used = await uses_of(connection, shown, None)
        names = {row.name for row in rows} if with_runs else ()
        recent = await recent_runs(connection, team_id, names) if names else {}
    return [
        replace(
            _summary(row, steps.get(row.id, ())),
            used=sum(used[row.id].values(), Used()),
            recent=recent.get(row.name, ()) if with_runs else None,
        )
        for row in rows
    ], following


async def find_details(
    database: Database, team_id: UUID, task_id: UUID, *, fresh: bool = False
) -> TaskDetails | None:
    """A task as a whole."""
    async with database.reader(fresh=fresh) as reader:
        row = await _DETAILS.row(reader, task_id=task_id, team_id=team_id)
        if row is None:
            return None
        steps = await latest_steps(reader, team_id, task_id, MAX_SUB_TASKS_SHOWN)
        return TaskDetails(
            summary=_summary(row, [step for step in steps if step.item_of is None]),
            definition=row.definition,
            inputs=row.inputs,
            result=row.result,
            steps=steps,
            artifacts=await artifacts_of(reader, team_id, task_id, MAX_ARTIFACTS_SHOWN),
            usage=await usage_of(reader, team_id, task_id),
            printed=await _printed_by(reader, steps),
            event_seq=row.event_seq,
            is_pausing=row.status is Status.RUNNING and row.pause_requested_at is not None,
        )


async def find_task(database: Database, team_id: UUID, task_id: UUID) -> StoredTask | None:
    """A task to act on, read from the primary."""
    async with database.reader(fresh=True) as reader:
        return _stored(await _FOUND_OF_TEAM.row(reader, task_id=task_id, team_id=team_id))


async def find_task_of_any_team(database: Database, task_id: UUID) -> StoredTask | None:
    """As ``find_task``: not for what a client asks."""
    async with database.reader(fresh=True) as reader:
        return _stored(await _FOUND.row(reader, task_id=task_id))


async def has_task(database: Database, team_id: UUID, task_id: UUID) -> bool:
    async with database.reading() as connection:
        found = await connection.scalar(
            select(col(Task.id)).where(
                col(Task.id) == task_id,
                col(Task.team_id) == team_id,
                col(Task.deleted_at).is_(None),
            )
        )
    return found is not None


def _stored(row: Any) -> StoredTask | None:
    if row is None:
        return None
    return StoredTask(
        id=row.id,
        team_id=row.team_id,
        parent_id=row.parent_id,
        type=row.type,
        name=row.name,
        priority=row.priority,
        status=row.status,
        run=row.run,
        first_step=row.first_step,
        inputs=row.inputs,
        definition=row.definition,
        pause_requested_at=row.pause_requested_at,
        schedule_id=row.schedule_id,
        scheduled_at=row.scheduled_at,
        prompt=row.prompt,
        agent_id=row.agent_id,
        created_by=row.created_by,
    )


_TASK = select(
    col(Task.id),
    col(Task.team_id),
    col(Task.parent_id),
    col(Task.type),
    col(Task.name),
    col(Task.priority),
    col(Task.status),
    col(Task.run),
    col(Task.first_step),
    col(Task.inputs),
    col(Task.definition),
    col(Task.pause_requested_at),
    col(Task.schedule_id),
    col(Task.scheduled_at),
    func.left(col(Task.prompt), MAX_PROMPT_SHOWN).label("prompt"),
    col(Task.agent_id),
    col(Task.created_by),
).where(col(Task.id) == given("task_id"), col(Task.deleted_at).is_(None))
_FOUND = Query(_TASK)
_FOUND_OF_TEAM = Query(_TASK.where(col(Task.team_id) == given("team_id")))


_TURNS = (
    select(func.count(col(Message.turn).distinct()))
    .where(
        col(Message.task_id) == col(Task.id),
        col(Message.role) == "assistant",
        col(Message.seq) > col(Task.first_step),
    )
    .correlate(Task)
    .scalar_subquery()
)

_SUMMARY: tuple[Any, ...] = (
    col(Task.id),
    col(Task.parent_id),
    col(Task.type),
    col(Task.name),
    col(Task.status),
    col(Task.prompt),
    col(Task.priority),
    col(Task.run),
    col(Task.error),
    col(Task.created_at),
    col(Task.started_at),
    col(Task.finished_at),
    col(Task.route),
    col(Task.schedule_id),
    col(Task.scheduled_at),
    col(Task.agent_id),
    col(Task.waits_for),
    col(Task.next_attempt_at),
    *CREATOR,
    col(Task.definition)["limits"]["turns"].as_integer().label("turn_limit"),
    _TURNS.label("turns"),
)

_MORE = (
    col(Task.definition),
    col(Task.inputs),
    col(Task.result),
    col(Task.event_seq),
    col(Task.pause_requested_at),
)


_DETAILS = Query(
    with_creators(
        select(*_SUMMARY, *_MORE).where(
            col(Task.id) == given("task_id"),
            col(Task.team_id) == given("team_id"),
            col(Task.deleted_at).is_(None),
        )
    )
)


def _summary(row: Any, steps: Sequence[StepState]) -> TaskSummary:
    waits = row.status is Status.RUNNING and row.waits_for is not None
    return TaskSummary(
        id=row.id,
        parent_id=row.parent_id,
        type=row.type,
        name=row.name,
        status=row.status,
        prompt=row.prompt,
        priority=row.priority,
        run=row.run,
        error=row.error and Failure.model_validate(row.error),
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        turn_limit=row.turn_limit,
        turns=row.turns,
        steps=steps,
        route=row.route and _route(row.route),
        schedule_id=row.schedule_id,
        scheduled_at=row.scheduled_at,
        agent_id=row.agent_id,
        waits_for=row.waits_for if waits else None,
        next_attempt_at=row.next_attempt_at if waits else None,
        created_by=creator_of(row),
    )


def _route(kept: Mapping[str, Any]) -> Route:
    return Route(kept["requested"], TaskType(kept["type"]), kept["reason"])


async def _printed_by(asked: Asked, steps: Sequence[Step]) -> Printed | None:
    whole = [step for step in steps if step.item_of is None]
    completed = [step for step in whole if step.status is Status.COMPLETED]
    if not completed:
        return None
    last = completed[-1]
    if last.has_items:
        of_items = await output_of_items(asked, last.id, MAX_PRINTED_CHARACTERS)
        return Printed(of_items or "", is_cut=of_items is None, of_items=True)
    text = await beginning_of(asked, last.id, MAX_PRINTED_CHARACTERS + 1) or ""
    return Printed(text[:MAX_PRINTED_CHARACTERS], is_cut=len(text) > MAX_PRINTED_CHARACTERS)
