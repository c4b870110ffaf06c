"""The messages between the workflows of agents and their activities: see ``contracts``."""

from enum import StrEnum
from uuid import UUID, uuid5

from workflows.contracts import Hold, Message, TaskRun


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
    retry by a person begins after them. ``model`` is the one that is asked first.
    """

    limits: RunLimits
    approval_seconds: float
    turn: int = 0
    seq: int = 0
    spent: Spent = Spent()
    model: str = ""


class AutoRun(AgentRun):
    """The input of RouterWorkflow. The limits are those of whatever the task becomes, but for
    ``turns``: so many answers a router gives at most."""


class ThinkCall(Message):
    """Ask the model for turn ``turn``, with the messages up to number ``seq`` before it.

    ``routes``: it is to choose what the task is. Once that is done, no such turn begins any more.
    It may take ``tokens_left`` of the ``tokens_limit`` of the run; None: as many as it needs. No
    turn follows one that takes ``cost_left_usd`` or more. The run is cut off in ``seconds_left`` of
    work; None: there is no such limit, or an older worker asks.
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
    cost_left_usd: float | None = None
    seconds_left: float | None = None
    tried: int = 0


class CallPlan(Message):
    """A tool call that the model wants. ``seq`` is the number of the message with its result.

    ``is_plan``: it makes or revises a plan, whose nodes run then; its result is what became of
    them. ``place`` is its number in its turn, and ``subject`` the skill, script or language that it
    is about, where that is one that is known here.

    ``ask_id`` identifies the question to a person who must approve or answer it first. The ``seq``
    is not enough: after a reset of the run it may belong to another call, and the decision on the
    earlier one, which Temporal replays, must not apply to that.
    """

    seq: int
    name: str
    timeout_seconds: float
    ask_id: UUID | None = None
    is_plan: bool = False
    place: int = 0
    subject: str = ""

    @property
    def title(self) -> str:
        return f"{self.name} {self.subject}".rstrip()


class RouteCall(Message):
    """The call by which a router has chosen; its result would be message ``seq``. What it has
    ``spent`` counts as the task's."""

    task_id: UUID
    run: int
    seq: int
    spent: Spent = Spent()


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
    again when that is decided; ``attempts`` were made so far. ``held``: nor is there one yet.
    ``made``: as in ``StepOutcome``."""

    ok: bool
    ask_id: UUID | None = None
    attempts: int = 0
    held: Hold | None = None
    made: tuple[str, ...] = ()


class Decision(Message):
    """A person's decision on a call."""

    ask_id: UUID
    verdict: Verdict


class AgentResult(Message):
    """``files`` and ``page``: as in ``PipelineResult``."""

    task_id: UUID
    turns: int
    files: tuple[str, ...] = ()
    page: str = ""


def call_sub_task_id(task_id: UUID, seq: int) -> UUID:
    """The id of the row of a tool call, whose result is message ``seq`` of the task."""
    return uuid5(task_id, f"call:{seq}")
