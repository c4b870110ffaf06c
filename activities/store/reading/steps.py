"""The sub-tasks of a task: the steps of a pipeline, the calls of an agent, the nodes of a plan."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import ARRAY, Integer, Uuid, any_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased
from sqlmodel import col

from activities.store.approvals import Approval
from activities.store.attempts import SkillUse
from activities.store.database import Database
from activities.store.query import Asked, Query, given
from activities.store.reading.identity import ids_in
from activities.store.reading.plan_calls import PLAN_CALL
from activities.store.tables import ExecutionLog, SubTask, Task
from workflows.contracts import Failure
from workflows.states import LIVING, Phase, Status

_RUNNING = (Status.RUNNING, Status.QUEUED)


@dataclass(frozen=True, slots=True)
class ItemCounts:
    """How many items a step has, and how many of them are in which state; the others wait."""

    total: int
    completed: int
    failed: int
    running: int


@dataclass(frozen=True, slots=True)
class StepState:
    """How far a step is. ``phase`` is None unless it runs.

    ``items`` are those of a step that has some and was begun.

    ``number`` is that of a node in its plan. A node ``is_out`` that failed or was dropped, and that
    the plan goes on without since it was revised. ``planned`` is how many nodes a call would make
    that waits for a person to approve them; None for all else.
    """

    name: str
    status: Status
    phase: Phase | None
    number: int | None = None
    is_out: bool = False
    planned: int | None = None
    items: ItemCounts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(StepState):
    """A step with how it ended. ``kind`` is skill, tool or code; ``exit_code`` is None until it has
    run; ``refused`` are files that were not taken, and why; ``cached``: it gave the result of an
    equal step; ``attempts`` are those of all runs, the last of which ran ``skill``. ``child_id`` is
    the task that runs a node, once there is one: a node waits and pauses with it. An item has the
    name of its step as ``item_of``, its number as ``index``, and what it is as ``item``: a value,
    or the name of a file."""

    id: UUID
    kind: str
    order: int
    dependencies: tuple[str, ...]
    exit_code: int | None
    refused: tuple[str, ...]
    error: Failure | None
    retry_count: int
    next_attempt_at: datetime | None
    waits_for: str | None
    worker_id: str | None
    cached: bool
    started_at: datetime | None
    finished_at: datetime | None
    approval: Approval | None
    child_id: UUID | None
    has_items: bool = False
    item_of: str | None = None
    index: int | None = None
    item: JsonValue = None
    attempts: int = 0
    skill: SkillUse | None = None


@dataclass(frozen=True, slots=True)
class PlacedStep:
    """A step in the order of its task, without items."""

    id: UUID
    name: str
    status: Status


async def list_placed_steps(database: Database, task_id: UUID) -> Sequence[PlacedStep]:
    """All of them, in their order, as the primary has them."""
    async with database.reading(fresh=True) as connection:
        rows = await connection.execute(
            select(col(SubTask.id), col(SubTask.name), col(SubTask.status))
            .where(col(SubTask.task_id) == task_id, col(SubTask.item_of).is_(None))
            .order_by(col(SubTask.execution_order))
        )
        return [PlacedStep(key, name, status) for key, name, status in rows]


@dataclass(frozen=True, slots=True)
class PlacedItem:
    """An item of a step, of which all are in their order."""

    id: UUID
    name: str
    status: Status


@dataclass(frozen=True, slots=True)
class DefinedStep(PlacedStep):
    """A step as it is defined; ``kind`` is skill, tool or code."""

    kind: str
    definition: Mapping[str, JsonValue]
    dependencies: Sequence[str]
    items: Sequence[PlacedItem]


async def list_defined_steps(database: Database, task_id: UUID) -> Sequence[DefinedStep]:
    """All of them, in their order, as the primary has them."""
    columns = (col(SubTask.task_type), col(SubTask.input_context), col(SubTask.dependencies))
    async with database.reading(fresh=True) as connection:
        rows = await connection.execute(
            select(col(SubTask.id), col(SubTask.name), col(SubTask.status), *columns)
            .where(col(SubTask.task_id) == task_id, col(SubTask.item_of).is_(None))
            .order_by(col(SubTask.execution_order))
        )
        found = rows.all()
        items = await _placed_items(connection, task_id)
    return [
        DefinedStep(key, name, status, kind, definition, tuple(dependencies), items.get(key, ()))
        for key, name, status, kind, definition, dependencies in found
    ]


async def _placed_items(
    connection: AsyncConnection, task_id: UUID
) -> Mapping[UUID, Sequence[PlacedItem]]:
    """By the rows of their steps."""
    rows = await connection.execute(
        select(col(SubTask.item_of), col(SubTask.id), col(SubTask.name), col(SubTask.status))
        .where(col(SubTask.task_id) == task_id, col(SubTask.item_of).is_not(None))
        .order_by(col(SubTask.item_of), col(SubTask.item_index))
    )
    found: defaultdict[UUID, list[PlacedItem]] = defaultdict(list)
    for step, key, name, status in rows:
        assert step is not None  # as the query asks
        found[step].append(PlacedItem(key, name, status))
    return found


@dataclass(frozen=True, slots=True)
class NamedNode:
    """A node of a plan, with the task that runs it, once it has begun."""

    name: str
    child_id: UUID | None


async def find_node(database: Database, task_id: UUID, name: str) -> NamedNode | None:
    """The node of a plan with this name or number, as the primary has it."""
    number = int(name) if name.isascii() and name.isdecimal() and len(name) < 10 else None
    is_wanted = or_(col(SubTask.name) == name, col(SubTask.number) == number)
    async with database.reading(fresh=True) as connection:
        row = (
            await connection.execute(
                select(col(SubTask.name), col(SubTask.child_id))
                .where(col(SubTask.task_id) == task_id, col(SubTask.number).is_not(None), is_wanted)
                .limit(1)
            )
        ).one_or_none()
    return None if row is None else NamedNode(*row)


async def has_step(database: Database, task_id: UUID, step: str) -> bool:
    """Whether a step of the task, or an item of one, has this name or id."""
    same_id = [col(SubTask.id) == key for key in ids_in(step)]
    query = select(col(SubTask.id)).where(
        col(SubTask.task_id) == task_id, or_(col(SubTask.name) == step, *same_id)
    )
    async with database.reading(fresh=True) as connection:
        return await connection.scalar(query.limit(1)) is not None


async def find_running_step(database: Database, task_id: UUID) -> UUID | None:
    """The first one that runs or waits for another attempt."""
    async with database.reading(fresh=True) as connection:
        return await connection.scalar(
            select(col(SubTask.id))
            .where(col(SubTask.task_id) == task_id, col(SubTask.status).in_(_RUNNING))
            .order_by(col(SubTask.execution_order), col(SubTask.item_index).nulls_last())
            .limit(1)
        )


async def latest_steps(asked: Asked, team_id: UUID, task_id: UUID, limit: int) -> Sequence[Step]:
    """The last ``limit`` ones, in their order. Items come after their step, while there is room for
    them: rather those that have failed or run than others."""
    values = {"team_id": team_id, "task_id": task_id}
    steps = await _read(asked, _LATEST_STEPS, limit=limit, **values)
    open_ = [step.id for step in steps if step.has_items and step.items is None]
    counts = await _item_counts(asked, open_)
    counted = [replace(step, items=step.items or counts.get(step.id)) for step in steps]
    if not any(step.items for step in counted):
        return counted
    items = await _read(asked, _LATEST_ITEMS, limit=limit - len(steps), **values)
    return sorted([*counted, *items], key=_place)


def _place(step: Step) -> tuple[int, int]:
    return step.order, -1 if step.index is None else step.index


async def _read(asked: Asked, query: Query, **values: Any) -> Sequence[Step]:
    return [_step(row) for row in await query.rows(asked, **values)][::-1]


async def step_states(
    connection: AsyncConnection,
    team_id: UUID,
    task_ids: Collection[UUID],
    *,
    only_open: Collection[UUID],
) -> Mapping[UUID, Sequence[StepState]]:
    """The steps of many tasks, in their order, without items; of ``only_open`` those that have not
    ended."""
    rows = await connection.execute(
        select(
            col(SubTask.task_id),
            col(SubTask.name),
            col(SubTask.status),
            col(SubTask.phase),
            col(SubTask.number),
            IS_OUT,
            _PLANNED,
            col(SubTask.id),
            _HAS_ITEMS,
            _ENDED_ITEMS,
        )
        .where(
            col(SubTask.task_id).in_(task_ids),
            col(SubTask.team_id) == team_id,
            col(SubTask.item_of).is_(None),
            or_(col(SubTask.task_id).not_in(only_open), col(SubTask.status).in_(LIVING)),
        )
        .order_by(
            col(SubTask.task_id),
            col(SubTask.execution_order),
            col(SubTask.number).nulls_first(),
        )
    )
    read = rows.all()
    counts = await _item_counts(connection, [row[-3] for row in read if row[-2] and not row[-1]])
    found: defaultdict[UUID, list[StepState]] = defaultdict(list)
    for task_id, *state, key, _, ended in read:
        items = _all_completed(ended) or counts.get(key)
        found[task_id].append(replace(StepState(*state), items=items))
    return found


async def _item_counts(asked: Asked, steps: Sequence[UUID]) -> Mapping[UUID, ItemCounts]:
    """By the rows of those of the steps that have items already, and are not completed."""
    if not steps:
        return {}
    found: defaultdict[UUID, Counter[Status]] = defaultdict(Counter)
    for step, status, count in await _ITEM_COUNTS.rows(asked, steps=steps):
        found[step][status] = count
    return {step: _counted(states) for step, states in found.items()}


def _counted(states: Counter[Status]) -> ItemCounts:
    return ItemCounts(
        total=states.total(),
        completed=states[Status.COMPLETED],
        failed=states[Status.FAILED] + states[Status.BLOCKED],
        running=sum(states[status] for status in (*_RUNNING, Status.WAITING)),
    )


def _all_completed(total: int | None) -> ItemCounts | None:
    return ItemCounts(total, completed=total, failed=0, running=0) if total else None


CHILD = aliased(Task)
_WHOLE = aliased(SubTask)
_HAS_ITEMS = col(SubTask.input_context)["foreach"].is_not(None)
# How many items there were, in the row of a step that is completed: lists do not count them again.
_ENDED_ITEMS = case(
    (
        col(SubTask.status) == Status.COMPLETED,
        col(SubTask.output_result)["items"].as_integer(),
    )
)
# Of items those that are shown last.
_IS_DULL = col(SubTask.status).in_((Status.COMPLETED, Status.PENDING, Status.CANCELLED))
# What a node's row cannot know: that the task which runs it waits for somebody, or was paused.
LIVE_STATUS = case(
    (
        (col(SubTask.status) == Status.RUNNING)
        & col(CHILD.status).in_((Status.WAITING, Status.PAUSED)),
        col(CHILD.status),
    ),
    else_=col(SubTask.status),
)
IS_OUT = or_(
    *(col(SubTask.output_result)[key].astext.is_not(None) for key in ("replaced", "dropped"))
)

_ATTEMPTS = (
    select(func.count())
    .select_from(ExecutionLog)
    .where(col(ExecutionLog.sub_task_id) == col(SubTask.id))
    .correlate(SubTask)
    .scalar_subquery()
)
_NODES = col(SubTask.input_context)[("arguments", "nodes")]
_PLANNED = case(
    (
        (col(SubTask.task_type) == PLAN_CALL)
        & col(SubTask.number).is_(None)
        & (col(SubTask.status) == Status.WAITING),
        # A task that is not to be split is one node, which nobody has written down.
        case(
            (
                func.jsonb_typeof(_NODES) == "array",
                func.greatest(func.jsonb_array_length(_NODES), 1),
            ),
            else_=1,
        ),
    ),
)


def _latest(*, is_item: bool) -> Query:
    return Query(
        select(
            col(SubTask.id),
            col(SubTask.name),
            col(SubTask.task_type),
            LIVE_STATUS.label("status"),
            col(SubTask.phase),
            col(SubTask.execution_order),
            col(SubTask.number),
            col(CHILD.id).label("child_id"),
            col(SubTask.dependencies),
            col(SubTask.output_result),
            col(SubTask.error),
            col(SubTask.retry_count),
            col(SubTask.next_attempt_at),
            col(SubTask.waits_for),
            col(SubTask.worker_id),
            col(SubTask.cached),
            col(SubTask.started_at),
            col(SubTask.finished_at),
            col(SubTask.approval),
            col(SubTask.skill),
            _ATTEMPTS.label("attempts"),
            _PLANNED.label("planned"),
            _HAS_ITEMS.label("has_items"),
            _ENDED_ITEMS.label("ended_items"),
            col(_WHOLE.name).label("item_of"),
            col(SubTask.item_index),
            col(SubTask.item),
        )
        .outerjoin(CHILD, col(CHILD.id) == col(SubTask.child_id))
        .outerjoin(_WHOLE, col(_WHOLE.id) == col(SubTask.item_of))
        .where(
            col(SubTask.task_id) == given("task_id"),
            col(SubTask.team_id) == given("team_id"),
            col(SubTask.item_of).is_not(None) if is_item else col(SubTask.item_of).is_(None),
        )
        .order_by(
            *([_IS_DULL] if is_item else []),
            col(SubTask.execution_order).desc(),
            col(SubTask.number).desc().nulls_last(),
            col(SubTask.item_index),
        )
        .limit(given("limit", Integer()))
    )


_LATEST_STEPS = _latest(is_item=False)
_LATEST_ITEMS = _latest(is_item=True)
_ITEM_COUNTS = Query(
    select(col(SubTask.item_of), col(SubTask.status), func.count())
    .where(col(SubTask.item_of) == any_(given("steps", ARRAY(Uuid()))))
    .group_by(col(SubTask.item_of), col(SubTask.status))
)


def _item(kept: Mapping[str, Any]) -> JsonValue:
    value: JsonValue = kept["file"]["name"] if "file" in kept else kept["value"]
    return value


def _step(row: Any) -> Step:
    output = row.output_result or {}
    return Step(
        id=row.id,
        name=row.name,
        kind=row.task_type,
        status=row.status,
        phase=row.phase,
        number=row.number,
        planned=row.planned,
        has_items=row.has_items,
        items=_all_completed(row.ended_items),
        item_of=row.item_of,
        index=row.item_index,
        item=row.item and _item(row.item),
        is_out=any(output.get(key) is not None for key in ("replaced", "dropped")),
        child_id=row.child_id,
        order=row.execution_order,
        dependencies=tuple(row.dependencies),
        exit_code=output.get("exit_code"),
        refused=tuple(output.get("refused") or ()),
        error=row.error and Failure.model_validate(row.error),
        retry_count=row.retry_count,
        next_attempt_at=row.next_attempt_at,
        waits_for=row.waits_for,
        worker_id=row.worker_id,
        cached=row.cached,
        started_at=row.started_at,
        finished_at=row.finished_at,
        approval=row.approval and Approval.model_validate(row.approval),
        attempts=row.attempts,
        skill=row.skill and SkillUse(**row.skill),
    )
