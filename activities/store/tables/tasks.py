"""Tasks, and the parts of which they consist."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, UniqueConstraint, false, text, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from activities.store import fence
from activities.store.columns import (
    created_at_column,
    enum_column,
    json_column,
    moment_column,
    team_column,
    text_column,
)
from activities.store.row import Row
from workflows.states import Phase, Status, TaskType


class Task(Row, table=True):
    """``run`` counts from 1 and grows with every retry by a person, which begins at ``first_step``.

    ``parent_id`` is the plan that a node belongs to. ``route`` says what was asked for and what was
    chosen, and why, where a task of type ``auto`` has become another.

    ``cache``: its steps may take the results of equal ones, and leave theirs to others.
    ``schedule_id`` is the schedule that has made it, which may be gone, and ``scheduled_at`` when
    that run of it was due.

    ``pause_requested_at``: somebody asked for a pause that was not withdrawn since; whether it has
    come is in the state.

    ``callbacks`` are who is told of this task alone, each with ``url``, ``origin`` and ``events``;
    those of a node are its plan's.

    ``event_seq`` is the number of the task's last event. ``executions`` are the Temporal run ids
    that have worked on it, the present one last: Temporal gives a run a new one when it continues
    as new and when it is reset, and what an earlier one still does must not count any more.

    ``told_number`` is the number of the last message that people have told its agent.

    ``waits_for`` says for what its turn waited last, until ``next_attempt_at``: it holds until the
    model is asked again, or the task ends.

    ``agent_id`` is the agent that stays which has begun it, and was told that it ended at
    ``reported_at``: another end is told again, with the ``hops`` of the exchange that began it.
    Of its tokens and cost ``counted_...`` are counted as that agent's already. An exchange of such
    an agent has it as its ``parent_id``.

    ``request_inputs`` are the inputs as they were submitted, by name: the ``ref`` and, where the
    store has the bytes, their ``sha256``. A retry may have given the task others since. None where
    an older version has accepted it.

    ``created_by`` is the name of the API key that submitted it, or ``LOCAL_USER``.

    ``deleted_at``: nobody is shown it any more, and housekeeping removes it.
    """

    __tablename__ = "tasks"
    __table_args__ = (
        Index("tasks_by_team", "team_id", text("created_at DESC"), text("id DESC")),
        Index(
            "tasks_by_parent",
            "parent_id",
            "created_at",
            postgresql_where=text("parent_id IS NOT NULL"),
        ),
        Index(
            "tasks_living",
            "created_at",
            "id",
            postgresql_where=text(fence.IS_LIVING),
        ),
        Index(
            "tasks_by_state",
            "team_id",
            "type",
            "status",
            text("created_at DESC"),
            text("id DESC"),
            postgresql_where=text("parent_id IS NULL"),
        ),
        Index(
            "tasks_by_text",
            text("(agentos_trigrams(name, prompt) || ARRAY[CAST(team_id AS text)])"),
            postgresql_using="gin",
            postgresql_with={"gin_pending_list_limit": 512},
            postgresql_where=text("parent_id IS NULL"),
        ),
        Index(
            "tasks_by_end",
            "team_id",
            "finished_at",
            "id",
            postgresql_where=text("finished_at IS NOT NULL AND parent_id IS NULL"),
        ),
        Index(
            "exchanges_by_end",
            "team_id",
            "finished_at",
            "id",
            postgresql_where=text("finished_at IS NOT NULL AND type = 'exchange'"),
        ),
        Index(
            "tasks_by_name",
            "team_id",
            "name",
            text("finished_at DESC"),
            postgresql_where=text("finished_at IS NOT NULL AND parent_id IS NULL"),
        ),
        Index(
            "tasks_in_trouble",
            "team_id",
            postgresql_where=text("status = 'running' AND error IS NOT NULL"),
        ),
        Index(
            "tasks_deleted",
            "team_id",
            "deleted_at",
            postgresql_where=text("deleted_at IS NOT NULL"),
        ),
        Index(
            "tasks_by_input",
            text("jsonb_path_query_array(inputs, '$.*')"),
            postgresql_using="gin",
            postgresql_where=text("inputs <> '{}'"),
        ),
        Index(
            "tasks_by_schedule",
            "schedule_id",
            "created_at",
            postgresql_where=text("schedule_id IS NOT NULL"),
        ),
        Index(
            "tasks_unreported",
            "finished_at",
            postgresql_where=text(
                "agent_id IS NOT NULL AND finished_at IS NOT NULL"
                " AND reported_at IS DISTINCT FROM finished_at"
            ),
        ),
        Index(
            "tasks_by_agent",
            "agent_id",
            "created_at",
            postgresql_where=text("agent_id IS NOT NULL"),
        ),
        Index(
            "tasks_begun",
            "created_at",
            postgresql_where=text("agent_id IS NOT NULL AND status = 'pending'"),
        ),
        UniqueConstraint("team_id", "idempotency_key", name="tasks_idempotency"),
    )

    id: UUID = Field(primary_key=True)
    team_id: UUID = team_column()
    parent_id: UUID | None = None
    type: TaskType = enum_column(TaskType)
    name: str = text_column("")
    prompt: str | None = text_column()
    priority: int = 5
    status: Status = enum_column(Status, Status.PENDING)
    definition: dict[str, Any] | None = json_column()
    inputs: dict[str, str] = json_column(nullable=False)
    route: dict[str, Any] | None = json_column()
    result: dict[str, Any] | None = json_column()
    error: dict[str, Any] | None = json_column()
    run: int = 1
    first_step: int = 0
    pause_requested_at: datetime | None = moment_column()
    event_seq: int = Field(default=0, sa_type=BigInteger)
    told_number: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    executions: list[str] = Field(
        default=None,
        sa_type=JSONB,
        nullable=False,
        sa_column_kwargs={"server_default": text("'[]'")},
    )
    schedule_id: UUID | None = None
    scheduled_at: datetime | None = moment_column()
    waits_for: str | None = text_column()
    next_attempt_at: datetime | None = moment_column()
    agent_id: UUID | None = None
    reported_at: datetime | None = moment_column()
    hops: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    counted_tokens: int = Field(
        default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": text("0")}
    )
    counted_cost_usd: float = Field(default=0.0, sa_column_kwargs={"server_default": text("0")})
    idempotency_key: str | None = text_column()
    request_digest: str | None = text_column()
    request_inputs: dict[str, Any] | None = json_column()
    cache: bool = Field(default=True, sa_column_kwargs={"server_default": true()})
    callbacks: list[dict[str, Any]] | None = json_column()
    created_by: str | None = text_column()
    created_at: datetime = created_at_column()
    updated_at: datetime = created_at_column()
    started_at: datetime | None = moment_column()
    finished_at: datetime | None = moment_column()
    deleted_at: datetime | None = moment_column()


class SubTask(Row, table=True):
    """A step of a pipeline, a tool call of an agent, a node of a plan.

    ``input_context`` is its definition; ``output_result`` what it gave beside files and output;
    ``approval`` what a person was asked about it, until when, and what they said. A node has a
    ``number`` in its plan, from 1 on, and ``child_id`` is the task that runs it. Its
    ``execution_order`` is that of the call that planned it. ``waits_for`` says what a queued one
    waits for that was held. ``cached``: what it gave is the result of an equal step. ``skill`` is
    that which its last attempt ran: ``name``, ``version`` and ``digest``.

    An item of a step has the step's row as ``item_of``, its place among the items as
    ``item_index``, from 0 on, and what it is as ``item``: ``{"value": ...}``, or ``{"file": ...}``
    with ``id`` and ``name``. Its definition is that of the step; its own row has what runs, in
    short, and the step's ``execution_order``.
    """

    __tablename__ = "sub_tasks"
    __table_args__ = (
        Index("sub_tasks_by_task", "task_id", "execution_order"),
        Index(
            "sub_tasks_waiting",
            "created_at",
            postgresql_where=text("status = 'waiting'"),
        ),
        Index(
            "sub_tasks_retrying",
            "team_id",
            "task_id",
            postgresql_where=text("next_attempt_at IS NOT NULL"),
        ),
        Index(
            "sub_tasks_by_item",
            "item_of",
            "item_index",
            postgresql_where=text("item_of IS NOT NULL"),
        ),
        # Lists of tasks are not to read all items to find the steps among them.
        Index(
            "sub_tasks_without_items",
            "task_id",
            "execution_order",
            postgresql_where=text("item_of IS NULL"),
        ),
        Index(
            "sub_tasks_by_state_of_item",
            "item_of",
            "status",
            postgresql_where=text("item_of IS NOT NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    team_id: UUID = team_column()
    task_id: UUID = Field(foreign_key="tasks.id", ondelete="CASCADE")
    parent_id: UUID | None = None
    name: str = text_column()
    task_type: str = text_column()
    status: Status = enum_column(Status, Status.PENDING)
    phase: Phase | None = enum_column(Phase)
    dependencies: list[str] = json_column(nullable=False)
    input_context: dict[str, Any] = json_column(nullable=False)
    output_result: dict[str, Any] | None = json_column()
    approval: dict[str, Any] | None = json_column()
    error: dict[str, Any] | None = json_column()
    retry_count: int = 0
    next_attempt_at: datetime | None = moment_column()
    waits_for: str | None = text_column()
    execution_order: int = 0
    number: int | None = None
    child_id: UUID | None = None
    item_of: UUID | None = None
    item_index: int | None = None
    item: dict[str, Any] | None = json_column()
    worker_id: str | None = text_column()
    cached: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    skill: dict[str, Any] | None = json_column()
    created_at: datetime = created_at_column()
    started_at: datetime | None = moment_column()
    finished_at: datetime | None = moment_column()


class PlanRevision(Row, table=True):
    """How a plan was revised, in its ``run``, by the call whose result is message ``seq``. ``drop``
    are names of nodes, ``replaced`` those that had failed; ``rewire`` are new definitions of
    pending ones, and ``former`` has what the rows of these were before."""

    __tablename__ = "plan_revisions"

    task_id: UUID = Field(primary_key=True, foreign_key="tasks.id", ondelete="CASCADE")
    seq: int = Field(primary_key=True)
    team_id: UUID = team_column()
    run: int = 1
    reason: str = text_column("")
    add: list[dict[str, Any]] = json_column(nullable=False)
    drop: list[str] = json_column(nullable=False)
    rewire: list[dict[str, Any]] = json_column(nullable=False)
    replaced: list[str] = json_column(nullable=False)
    former: list[dict[str, Any]] = json_column(nullable=False)
    created_at: datetime = created_at_column()
