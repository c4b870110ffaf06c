"""Events: what happened to a task, for those who follow it.

An event is written once, numbered within its task, and sent to whoever watches. Nothing is decided
by events, so old ones can be swept. Writers make them here, and readers parse them here. A reader
that is older or newer than the writer skips events and fields that it does not know, keeps the name
of a state that it does not know, and takes the default for a field that is missing. Only what an
event would say nothing without has no default.
"""

from collections.abc import Mapping, Set
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue, PlainSerializer

from workflows.contracts import Failure
from workflows.open_values import OPEN, Open
from workflows.states import Phase, Status, TaskType


class EventType(StrEnum):
    """The names of events on the wire and in rows."""

    TASK_STATUS = "task.status"
    PAUSE_REQUESTED = "task.pause_requested"
    RESUME_REQUESTED = "task.resume_requested"
    STEP_STARTED = "step.started"
    STEP_PHASE = "step.phase"
    STEP_OUTPUT = "step.output"
    STEP_OUTPUT_CUT = "step.output_cut"
    STEP_RETRYING = "step.retrying"
    STEP_HELD = "step.held"
    STEP_COMPLETED = "step.completed"
    STEP_FAILED = "step.failed"
    STEP_BLOCKED = "step.blocked"
    STEP_CANCELLED = "step.cancelled"
    ARTIFACT_CREATED = "artifact.created"
    TURN_STARTED = "turn.started"
    TURN_HELD = "turn.held"
    LLM_DELTA = "llm.delta"
    LLM_RESTARTED = "llm.restarted"
    LLM_RETRYING = "llm.retrying"
    MESSAGE_CREATED = "message.created"
    MESSAGE_TOLD = "message.told"
    MESSAGE_READ = "message.read"
    TOOL_CALLED = "tool.called"
    TOOL_RESULT = "tool.result"
    TOOL_FALLBACK = "tool.fallback"
    USAGE = "usage"
    APPROVAL_ASKED = "approval.asked"
    APPROVAL_DECIDED = "approval.decided"
    TASK_ROUTED = "task.routed"
    PLAN_OPENED = "plan.opened"
    NODE_STARTED = "node.started"
    NODE_ENDED = "node.ended"


# With ``+00:00``, as the stream's own ``created_at``; pydantic writes ``Z``.
Moment = Annotated[datetime, PlainSerializer(datetime.isoformat, when_used="unless-none")]


class Event(BaseModel):
    """What all events share. The fields of a class are the payload of its type."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    type: ClassVar[EventType]

    @property
    def data(self) -> dict[str, JsonValue]:
        """The payload as it is sent: what the writer has set, and nothing that is None."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)


class StepEvent(Event):
    """An event of a step of a pipeline or of a call of an agent; ``step`` is its name."""

    step: str


class TurnEvent(Event):
    """An event of a turn of an agent; ``turn`` counts from 1."""

    turn: int


# The task.


class TaskStatus(Event):
    """The task has changed its state. ``error`` says why it ended badly."""

    type = EventType.TASK_STATUS

    status: Open[Status]
    error: Failure | None = None


class PauseRequested(Event):
    """Someone asked the task to pause before its next step or turn."""

    type = EventType.PAUSE_REQUESTED


class ResumeRequested(Event):
    """Someone asked the task to resume, or withdrew a pause."""

    type = EventType.RESUME_REQUESTED


# Steps and calls.


class StepStarted(StepEvent):
    """An attempt begins; ``attempt`` counts from 1 within a run of the task. ``items`` is how many
    a step has that runs once for each: they are steps of their own from here on, ``chart[0]``.
    ``kept`` of them are completed since an earlier run; with 0, all run."""

    type = EventType.STEP_STARTED

    attempt: int = 1
    items: int | None = None
    kept: int | None = None


class StepPhase(StepEvent):
    """The attempt has entered another phase. ``detail`` says what in it takes long."""

    type = EventType.STEP_PHASE

    phase: Open[Phase] | None = None
    detail: str | None = None


class StepOutput(StepEvent):
    """A piece of what the step printed to ``stream``; it may end within a line."""

    type = EventType.STEP_OUTPUT

    stream: str = "stdout"
    text: str = ""


class StepOutputCut(StepEvent):
    """The step has printed ``limit`` characters; no more is sent live. The log has everything."""

    type = EventType.STEP_OUTPUT_CUT

    limit: int = 0


class AttemptEnded(StepEvent):
    """What the ends of attempts share. ``status`` is that of the step then."""

    status: ClassVar[Status]

    attempt: int = 1
    duration_ms: int | None = None


class AttemptFailed(AttemptEnded):
    """What the ends of attempts share that did not succeed. ``error`` says why."""

    error: Failure | None = None


class StepRetrying(AttemptFailed):
    """The attempt has failed; the next one is due at ``next_attempt_at``."""

    type = EventType.STEP_RETRYING
    status = Status.QUEUED

    next_attempt_at: Moment | None = None


class StepHeld(StepEvent):
    """The step cannot run now, through no fault of its own: it waits for ``reason``, and is tried
    again at ``next_attempt_at`` at the latest. That is no attempt."""

    type = EventType.STEP_HELD

    reason: str = ""
    next_attempt_at: Moment | None = None


class StepCompleted(AttemptEnded):
    """The step has succeeded. ``refused`` lists files that were not collected, and why; ``cached``:
    the result is that of an equal step before."""

    type = EventType.STEP_COMPLETED
    status = Status.COMPLETED

    exit_code: int | None = None
    files: int = 0
    refused: tuple[str, ...] = ()
    cached: bool | None = None


class StepFailed(AttemptFailed):
    """The step has failed in a way that a retry would not fix."""

    type = EventType.STEP_FAILED
    status = Status.FAILED


class StepBlocked(AttemptFailed):
    """The step has failed and used up its retries."""

    type = EventType.STEP_BLOCKED
    status = Status.BLOCKED


class StepCancelled(AttemptEnded):
    """The step was cancelled."""

    type = EventType.STEP_CANCELLED
    status = Status.CANCELLED


class ArtifactCreated(StepEvent):
    """The step has made a file, which can be fetched at ``url``."""

    type = EventType.ARTIFACT_CREATED

    id: str = ""
    name: str
    size: int = 0
    mime_type: str = ""
    url: str = ""


# Turns of an agent.


class TurnStarted(TurnEvent):
    """The model is asked for the first time in this turn. What was seen of it and of later turns
    no longer counts: the task was retried, or its workflow reset."""

    type = EventType.TURN_STARTED


class TurnHeld(TurnEvent):
    """The model cannot be asked now: see ``StepHeld``."""

    type = EventType.TURN_HELD

    reason: str = ""
    next_attempt_at: Moment | None = None


class LlmDelta(TurnEvent):
    """The model has produced ``text``."""

    type = EventType.LLM_DELTA

    text: str = ""


class LlmRestarted(TurnEvent):
    """The model is asked again. Its earlier text in this turn no longer counts."""

    type = EventType.LLM_RESTARTED


class LlmRetrying(TurnEvent):
    """``model`` gave no answer; ``error`` says why. It is asked again at ``next_attempt_at``;
    without one, the next model is asked at once."""

    type = EventType.LLM_RETRYING

    model: str = ""
    error: Failure | None = None
    next_attempt_at: Moment | None = None


class MessageCreated(TurnEvent):
    """The model's answer, message ``seq``, is complete. ``content`` is its beginning."""

    type = EventType.MESSAGE_CREATED

    seq: int = 0
    role: str = ""
    content: str = ""
    model: str = ""


class MessageTold(Event):
    """A person has told the agent something, its message ``number``, which the model reads before
    its next turn. ``content`` is its beginning, and ``sender`` the person's name."""

    type = EventType.MESSAGE_TOLD

    number: int = 0
    sender: str = Field(default="", alias="from")
    content: str = ""


class MessageRead(TurnEvent):
    """In this turn the model has read what it was told: the messages of these ``numbers``."""

    type = EventType.MESSAGE_READ

    numbers: tuple[int, ...] = ()


class Usage(TurnEvent):
    """The usage of an answer. ``is_lost``: it broke off, but was paid for all the same."""

    type = EventType.USAGE

    model: str = ""
    tokens: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    is_lost: bool = False


# Calls of an agent, beside those that all steps have. A call that was refused at once has no row,
# and so no ``call_id``.


class ToolCalled(StepEvent):
    """The model calls a tool. Of long ``arguments`` it is the beginning of their JSON text."""

    type = EventType.TOOL_CALLED

    call_id: str | None = None
    tool: str = ""
    arguments: JsonValue = None


class ToolResult(StepEvent):
    """The model receives a result. ``text`` is its beginning; not ``ok``: the call failed."""

    type = EventType.TOOL_RESULT

    call_id: str | None = None
    ok: bool = True
    text: str = ""


class ToolFallback(StepEvent):
    """The breaker of ``tool`` is open: another, ``answered_by``, was called in its place."""

    type = EventType.TOOL_FALLBACK

    tool: str = ""
    answered_by: str = ""


class ApprovalAsked(StepEvent):
    """A call waits for a person to approve it, or to answer its ``question``."""

    type = EventType.APPROVAL_ASKED

    call_id: str
    ask_id: str | None = None
    tool: str = ""
    arguments: JsonValue = None
    kind: Open[Literal["approval", "answer"]] = "approval"
    question: str | None = None
    url: str | None = None
    expires_at: datetime | None = None


class ApprovalDecided(StepEvent):
    """A person has decided on a call."""

    type = EventType.APPROVAL_DECIDED

    step: str = ""
    call_id: str
    ask_id: str | None = None
    decision: Open[Literal["approve", "deny"]]
    note: str | None = None


class TaskRouted(Event):
    """A task of type ``auto`` has become one of ``task_type``. What came before was the choice."""

    type = EventType.TASK_ROUTED

    task_type: Open[TaskType] = Field(alias="type")
    reason: str = ""


# Nodes of a plan. What happens within one is told by the events of the task that runs it.


class PlannedNode(BaseModel):
    """A node as a plan has it. ``kind`` says what runs it; it waits for those it depends on."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    title: str = ""
    kind: str = ""
    depends_on: tuple[str, ...] = ()


class PlanOpened(Event):
    """The plan that the call with result ``seq`` has made or revised begins. ``nodes`` are all that
    it has now, in their order."""

    type = EventType.PLAN_OPENED

    seq: int = 0
    nodes: tuple[PlannedNode, ...]


class NodeStarted(Event):
    """The task that runs node ``node``, the ``number``-th of the plan, begins, or begins again."""

    type = EventType.NODE_STARTED

    node: str
    task_id: UUID | None = None
    number: int = 0


class NodeEnded(Event):
    """The task that runs the node has ended. ``error`` says why it ended badly."""

    type = EventType.NODE_ENDED

    node: str
    status: Open[Status]
    error: Failure | None = None


MODELS: Mapping[EventType, type[Event]] = {
    model.type: model
    for model in (
        *(TaskStatus, TaskRouted, PauseRequested, ResumeRequested),
        *(StepStarted, StepPhase, StepOutput, StepOutputCut, StepRetrying, StepHeld),
        *(StepCompleted, StepFailed, StepBlocked, StepCancelled, ArtifactCreated),
        *(TurnStarted, TurnHeld, LlmDelta, LlmRestarted, LlmRetrying, MessageCreated, Usage),
        *(MessageTold, MessageRead),
        *(ToolCalled, ToolResult, ToolFallback, ApprovalAsked, ApprovalDecided),
        *(PlanOpened, NodeStarted, NodeEnded),
    )
}

# How a step can fail for good, by its state then.
STEP_FAILURES: Mapping[Status, type[AttemptFailed]] = {
    model.status: model for model in (StepFailed, StepBlocked)
}


def names_of(model: type[Event]) -> Set[str]:
    """The fields of an event as they are sent."""
    return {field.alias or name for name, field in model.model_fields.items()}


def parse(name: str, data: Mapping[str, Any]) -> Event | None:
    """An event as it was sent; None for one that a newer server has changed or added."""
    try:
        return MODELS[EventType(name)].model_validate(data, context=OPEN)
    except ValueError:  # Of which pydantic's is one.
        return None
