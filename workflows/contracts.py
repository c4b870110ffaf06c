"""The messages between the API, the workflows and the activities: frozen, small, ids and numbers.

They end up in workflow history, so none may hold a file's content, a script's output, a secret or
a definition: those are kept in PostgreSQL and S3 and read by id.
"""

from enum import StrEnum
from typing import Literal
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from workflows.states import Status

TASK_QUEUE = "agentos"


class Message(BaseModel):
    model_config = ConfigDict(frozen=True)


# The code of what failed because its worker died, or was given up for lost.
WORKER_LOST = "worker-lost"

# The code of a node's task that was cut off because its plan had ended.
PLAN_ENDED = "plan-ended"

# A detail of what an activity raises: the failure is one to retry, and was retried as often as it
# may be. Temporal cannot know, as it counts attempts that were lost with their worker, too.
RETRIES_USED_UP = "retries-used-up"


class Failure(Message):
    """Why something ended badly. ``code`` is stable; ``message`` is for people.

    ``detail`` may quote what a script printed: it is kept in rows, never in workflow history.
    """

    code: str
    message: str = Field(max_length=4_096)
    detail: str | None = Field(default=None, max_length=4_096)
    step: str | None = None
    attempts: int | None = None


class TaskRun(Message):
    """The input of a task's workflow. ``run`` counts from 1; a retry by a person is the next run.

    ``paused``: the run starts paused, as when it continued as new while paused. ``agent_id`` is the
    agent that stays, where the task is an exchange of one.
    """

    task_id: UUID
    team_id: UUID
    run: int
    paused: bool = False
    agent_id: UUID | None = None


class Hold(Message):
    """A piece of work cannot run now, through no fault of its own: it is asked for again in
    ``seconds``, or as soon as the workflow is told that it may be. That is no attempt at it, of
    which there were ``tried`` before."""

    seconds: float
    tried: int = 0


class StepPlan(Message):
    """What the workflow must know about a step. Its definition is in the step's row."""

    id: str
    kind: Literal["skill", "tool", "code"]
    title: str
    timeout_seconds: float
    retries: int


class PipelineRun(TaskRun):
    """The input of PipelineWorkflow.

    ``first`` is the index of the step to begin with: those before it keep their results. There were
    ``tried`` attempts at it before the run continued as new.
    """

    steps: tuple[StepPlan, ...]
    first: int = 0
    tried: int = 0


class StepCall(Message):
    """Run one step. The step's row has its definition and the results of those before it.

    With the success of the last one, ``is_last``, the run is completed. ``tried``: as in ``Hold``.
    """

    task_id: UUID
    team_id: UUID
    sub_task_id: UUID
    run: int
    step: str
    retries: int
    timeout_seconds: float
    is_last: bool = False
    tried: int = 0


class StepOutcome(Message):
    """``closed``: the step's activity has already closed the task. ``held``: there is no outcome
    yet."""

    exit_code: int
    files: int
    closed: bool = False
    held: Hold | None = None


class TaskMark(Message):
    """A change of a living task's state that the workflow decided on."""

    task_id: UUID
    team_id: UUID
    run: int
    status: Status


class TaskClose(Message):
    """The end of a run. ``sub_task_id`` is the step that ended it, if one did. ``agent_id``: as in
    ``TaskRun``."""

    task_id: UUID
    team_id: UUID
    run: int
    status: Status
    failure: Failure | None = None
    sub_task_id: UUID | None = None
    agent_id: UUID | None = None


class PipelineResult(Message):
    task_id: UUID
    steps: int


class Hint(StrEnum):
    """A remark of the loop to the model before its next turn."""

    CALL_A_TOOL = "call_a_tool"
    GOING_ROUND = "going_round"
    LAST_TURN = "last_turn"


class Verdict(StrEnum):
    """The outcome for a call that had to wait for a person."""

    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"


class RunLimits(Message):
    """Limits of a run. ``turns`` and ``tokens`` are counted from its start."""

    turns: int
    tokens: int
    cost_usd: float | None
    seconds: float


class Spent(Message):
    """What a run has used so far. ``seconds`` are those of work, not of waiting for people;
    ``silent`` counts the answers without a call in a row; ``digests`` are those of the last turns,
    the latest last. ``node_tokens`` and ``node_cost_usd`` are what the nodes of a plan have used
    beside its own turns."""

    turns: int = 0
    tokens: int = 0
    cost_usd: float = 0.0
    seconds: float = 0.0
    silent: int = 0
    digests: tuple[str, ...] = ()
    node_tokens: int = 0
    node_cost_usd: float = 0.0

    @property
    def all_tokens(self) -> int:
        return self.tokens + self.node_tokens

    @property
    def all_cost_usd(self) -> float:
        return self.cost_usd + self.node_cost_usd


class AgentRun(TaskRun):
    """The input of AgentWorkflow, also when it continues as new.

    ``turn`` is the last turn that is whole and ``seq`` the number of the last message of it: a
    retry by a person begins after them.
    """

    limits: RunLimits
    approval_seconds: float
    turn: int = 0
    seq: int = 0
    spent: Spent = Spent()


class AutoRun(AgentRun):
    """The input of RouterWorkflow. The limits are those of whatever the task becomes, but for
    ``turns``: so many answers a router gives at most."""


class ThinkCall(Message):
    """Ask the model for turn ``turn``, with the messages up to number ``seq`` before it.

    ``routes``: it is to choose what the task is. Once that is done, no such turn begins any more.
    It may take ``tokens_left`` of the ``tokens_limit`` of the run; None: as many as it needs.
    ``tried``: as in ``Hold``, attempts that failed.
    """

    task_id: UUID
    run: int
    turn: int
    seq: int
    hint: Hint | None = None
    routes: bool = False
    tokens_left: int | None = None
    tokens_limit: int = 0
    tried: int = 0


class CallPlan(Message):
    """A tool call that the model wants. ``seq`` is the number of the message with its result.

    ``is_plan``: it makes or revises a plan, whose nodes run then; its result is what became of
    them.

    ``ask_id`` identifies the question to a person who must approve or answer it first. The ``seq``
    is not enough: after a reset of the run it may belong to another call, and the decision on the
    earlier one, which Temporal replays, must not apply to that.
    """

    seq: int
    name: str
    timeout_seconds: float
    ask_id: UUID | None = None
    is_plan: bool = False


class RouteCall(Message):
    """The call by which a router has chosen; its result would be message ``seq``. What it has
    ``spent`` counts as the task's."""

    task_id: UUID
    run: int
    seq: int
    spent: Spent = Spent()


class RunStart(Message):
    """The workflow that goes on with a task, and its input."""

    workflow: str
    input: dict[str, JsonValue]


class Thought(Message):
    """A turn of the model. ``seq`` is the number of the turn's last message.

    ``digest`` is equal for turns that react in the same way to the same observations. ``silent``:
    the model called no tool. ``finished``: it called ``finish`` with a valid result. ``held``: the
    turn was not made.
    """

    seq: int
    calls: tuple[CallPlan, ...] = ()
    tokens: int
    cost_usd: float
    digest: str
    silent: bool = False
    finished: bool = False
    held: Hold | None = None


class ActCall(Message):
    """Make the tool call whose result is message ``seq``. ``attempts`` were made before: the last
    of them had a question, of which ``verdict`` tells whether it was answered. ``tried`` follow it:
    see ``Hold``. ``agent_id``: as in ``TaskRun``."""

    task_id: UUID
    run: int
    seq: int
    verdict: Verdict | None = None
    attempts: int = 0
    tried: int = 0
    agent_id: UUID | None = None


class ActOutcome(Message):
    """``ask_id``: there is no result yet, for the tool has a question to a person. The call is made
    again when that is decided; ``attempts`` were made so far. ``held``: nor is there one yet."""

    ok: bool
    ask_id: UUID | None = None
    attempts: int = 0
    held: Hold | None = None


class Decision(Message):
    """A person's decision on a call."""

    ask_id: UUID
    verdict: Verdict


class AgentResult(Message):
    task_id: UUID
    turns: int


def workflow_id(task_id: UUID) -> str:
    """``task-<task id>``, so that ``temporal workflow cancel -w task-<id>`` works."""
    return f"task-{task_id}"


def task_id_of(workflow: str) -> UUID | None:
    """The task whose workflow has this id; None when it is somebody else's."""
    try:
        return UUID(workflow.removeprefix("task-"))
    except ValueError:
        return None


def step_sub_task_id(task_id: UUID, step: str) -> UUID:
    """The id of a step's row: derived, so that no one needs to look it up."""
    return uuid5(task_id, f"step:{step}")


def call_sub_task_id(task_id: UUID, seq: int) -> UUID:
    """The id of the row of a tool call, whose result is message ``seq`` of the task."""
    return uuid5(task_id, f"call:{seq}")
