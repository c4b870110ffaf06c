"""Tasks, their steps and calls, and what became of them."""

from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, Field, JsonValue

from api.wire.responses.approvals import Approval
from api.wire.responses.base import Answer
from api.wire.responses.files import Artifact
from workflows.open_values import Open, OpenObject
from workflows.states import Phase, Status, TaskType


class Links(Answer):
    self: str
    events: str
    logs: str
    artifacts: str


class Accepted(Answer):
    """``existed``: an earlier request with the same ``Idempotency-Key`` has made the task."""

    task_id: UUID
    status: Open[Status]
    links: Links
    existed: bool = False


class Changed(Answer):
    """A task after a request to change its state. The change itself may still be under way."""

    task_id: UUID
    status: Open[Status]


class Progress(Answer):
    """Progress in a pipeline's steps, in the turns that an agent may take in this run, or in a
    plan's nodes.

    ``current`` is the name of the running step, call or node; ``planning`` before a plan has nodes,
    ``waiting for approval`` while a person is asked about its nodes, which are counted then, and
    ``synthesis`` when all of them are done.
    """

    done: int
    total: int
    percent: int
    current: str | None = None


class UsageInBrief(Answer):
    """What a task has used in all its runs, with the tasks of its nodes."""

    tokens_used: int
    cost_usd: float = 0.0


class Usage(UsageInBrief):
    """Of the task itself. ``attempts`` are those at steps and calls; ``duration_ms`` is their time
    and the model's."""

    turns: int = 0
    attempts: int
    duration_ms: int


class Result(Answer):
    """The result of the last step. ``stdout`` is what it printed, or the text that its tool gave;
    its beginning if it ``is_cut``, and null where it has items. ``json`` is that as JSON, if it is
    some and not too large."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    step: str
    exit_code: int
    json_: JsonValue = Field(default=None, alias="json")
    stdout: str | None = None
    is_cut: bool = False
    files: list[Artifact]

    @property
    def json(self) -> JsonValue:  # type: ignore[override]  # pydantic's is deprecated
        return self.json_


class AgentResult(Answer):
    """What an agent or a plan passed to ``finish``, and every file that was made."""

    summary: str
    result: JsonValue = None
    files: list[Artifact]


class ItemCounts(Answer):
    """How many items a step has, and how many of them are in which state; the others wait."""

    total: int
    completed: int
    failed: int
    running: int


class SkillUsed(Answer):
    """The skill that an attempt ran. ``version`` is what its SKILL.md says under ``metadata``;
    ``digest`` is the beginning of a SHA-256 over all of its files."""

    name: str
    version: str | None
    digest: str


class SubTask(Answer):
    """A step of a pipeline, a call of an agent or a node of a plan.

    ``retry_count`` is how often it was retried in this run; ``attempts`` are those of all runs, and
    the last one that ended ran ``skill``. A queued one that was held
    ``waits_for`` this. ``cached``: it was not run, but given the result of an equal step.
    ``task_id`` is the task that runs a node, once there is one.

    An item of a step with ``foreach`` has the name of the step as ``item_of``, its number there,
    from 0 on, as ``index``, and as ``item`` the value, or the name of the file, that it is. Its
    step has ``items``, once it is begun: how many there are.
    """

    id: UUID
    task_id: UUID | None = None
    name: str
    type: str
    status: Open[Status]
    phase: Open[Phase] | None
    order: int
    dependencies: list[str]
    exit_code: int | None
    refused: list[str] = Field(description="files that were not collected, and why")
    error: dict[str, JsonValue] | None
    retry_count: int
    next_attempt_at: datetime | None
    waits_for: str | None = None
    worker_id: str | None
    started_at: datetime | None
    finished_at: datetime | None
    approval: Approval | None = None
    cached: bool = False
    items: ItemCounts | None = None
    item_of: str | None = None
    index: int | None = None
    item: JsonValue = None
    attempts: int = 0
    skill: SkillUsed | None = None


class Route(Answer):
    """What a task was ``requested`` as, what it has become, and why."""

    requested: str
    type: Open[TaskType]
    reason: str


class Creator(Answer):
    """Who a task is from: ``kind`` is ``key`` or ``local``, with the ``name`` as in the audit log,
    or ``schedule``, ``agent`` or ``plan`` with the ``id``, and the name of one that is still there.
    """

    kind: str
    name: str | None = None
    id: UUID | None = None


class RecentRun(Answer):
    """A task of the same name that has ended; ``seconds`` from its start to its end."""

    task_id: UUID
    status: Open[Status]
    seconds: float | None


class TaskSummary(Answer):
    """``parent_id`` is the plan of a task that is a node of one, or the agent that stays of a task
    that is a turn of one. ``schedule_id`` is the schedule that has made it, which may be deleted by
    now, and ``scheduled_at`` when it was due; ``agent_id`` is the agent that stays which has begun
    it. ``waits_for`` says what its turn waits for, if it does, and ``next_attempt_at`` when it is
    tried again at the latest. ``recent_runs`` are the last twelve of its name that have ended, the
    oldest first, where they were asked for."""

    task_id: UUID
    parent_id: UUID | None = None
    schedule_id: UUID | None = None
    scheduled_at: datetime | None = None
    agent_id: UUID | None = None
    waits_for: str | None = None
    next_attempt_at: datetime | None = None
    type: Open[TaskType]
    name: str
    status: Open[Status]
    phase: Open[Phase] | None
    prompt: str | None
    priority: int
    run: int
    progress: Progress
    error: dict[str, JsonValue] | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    temporal_url: str | None
    route: Route | None = None
    created_by: Creator | None = None
    usage: UsageInBrief | None = None
    recent_runs: list[RecentRun] | None = None


class Task(TaskSummary):
    """``sub_tasks`` holds the latest of an agent's calls; its messages have all of them. Of the
    items of steps, which follow their step, it holds those that failed or run, and as many of the
    others as fit in 1,000.
    ``artifacts`` holds the first 1,000; the list of artifacts has all of them. ``last_event`` is
    the number of the last event that all this tells of: whoever follows goes on ``after`` it.
    ``is_pausing``: somebody has asked for a pause, which comes before the next step or turn."""

    result: OpenObject[Result | AgentResult] | None
    inputs: dict[str, str]
    definition: dict[str, JsonValue] | None
    sub_tasks: list[SubTask]
    artifacts: list[Artifact]
    usage: Usage
    last_event: int = 0
    is_pausing: bool = False
