"""How a task of type ``plan`` was split, and what became of its nodes."""

from datetime import datetime
from uuid import UUID

from pydantic import JsonValue

from api.wire.responses.base import Answer
from workflows.open_values import Open
from workflows.states import NodeKind, Size, Status


class PlanNode(Answer):
    """A node: what it has to do, and how far it is.

    ``depends_on`` are all nodes that it waits for, also those whose files are its ``inputs``.
    ``task_id`` is the task that runs it, once there is one, and ``number`` its place in the plan;
    while the plan waits for a person, neither is known. The plan goes on without a node ``is_out``,
    which failed or was dropped before the plan was revised.
    """

    id: str
    title: str
    description: str
    kind: Open[NodeKind]
    depends_on: list[str]
    inputs: dict[str, str]
    output_schema: dict[str, JsonValue] | None
    files: list[str]
    skills: list[str] | None
    tools: list[str] | None
    steps: list[dict[str, JsonValue]] | None = None
    size: Open[Size]
    status: Open[Status]
    task_id: UUID | None = None
    error: dict[str, JsonValue] | None = None
    number: int | None = None
    is_out: bool = False
    summary: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


class PlanRevision(Answer):
    """How the planner changed what was left after a failure. ``rewire`` are nodes as they are since
    then."""

    reason: str
    add: list[dict[str, JsonValue]]
    drop: list[str]
    rewire: list[dict[str, JsonValue]]
    at: datetime


class PlanBudget(Answer):
    """``seconds`` are those of work, without those in which the plan was paused or waited for
    people. None is no limit, or not known."""

    tokens: int | None
    cost_usd: float | None
    seconds: float | None


class PlanOfTask(Answer):
    """``reason`` is why the model cut the work so, or did not cut it at all; where the plan
    ``is_edited``, a person has put other nodes in the place of those since.

    ``estimate`` is what nodes were granted together with what the planner used, or the limits of
    the whole while some nodes have not begun: it is no limit itself, and is of one run. ``spent``
    is that of the plan and of all below it, in all of its runs.
    """

    nodes: list[PlanNode]
    revisions: list[PlanRevision]
    estimate: PlanBudget
    spent: PlanBudget
    reason: str | None = None
    is_edited: bool = False
