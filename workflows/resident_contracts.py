"""The messages between the API, the workflow of an agent that stays, and its activities."""

from uuid import UUID, uuid5

from workflows.agent_contracts import AgentRun
from workflows.contracts import Message

# Signals of ``ConversationWorkflow``. Each carries the number of a message: "there is this one".
LOOK = "look"
INTERRUPT = "interrupt"


class ConversationRun(Message):
    """The input of ConversationWorkflow, also when it continues as new: then ``exchange`` is the
    one that it is in, if any, ``through`` the number of the last message in that, and ``cut`` says
    that it is to be cut short."""

    agent_id: UUID
    team_id: UUID
    paused: bool = False
    exchange: AgentRun | None = None
    through: int = 0
    cut: bool = False


class TakeCall(Message):
    """Begin an exchange with all messages that are unread."""

    agent_id: UUID
    team_id: UUID


class Taken(Message):
    """``exchange``: what is to be answered, up to message ``through``; None where there is nothing
    to do now, and then the agent listens for ``idle_seconds`` more before its workflow ends.
    ``summarises``: older exchanges are to be summed up meanwhile."""

    exchange: AgentRun | None = None
    through: int = 0
    idle_seconds: float = 0.0
    summarises: bool = False


class CutCall(Message):
    """An exchange ends before its answer is whole: ``turn`` is the one that was not finished, and
    ``seq`` the number of the last message before it."""

    task_id: UUID
    run: int
    turn: int
    seq: int


def agent_workflow_id(agent_id: UUID) -> str:
    """``agent-<agent id>``, so that ``temporal workflow cancel -w agent-<id>`` works."""
    return f"agent-{agent_id}"


def agent_id_of(workflow: str) -> UUID | None:
    """The agent whose workflow has this id; None when it is somebody else's."""
    kind, _, agent_id = workflow.partition("-")
    try:
        return UUID(agent_id) if kind == "agent" else None
    except ValueError:
        return None


def exchange_id(agent_id: UUID, number: int) -> UUID:
    """The id of the task that is an agent's ``number``-th exchange: a repeat finds its own row."""
    return uuid5(agent_id, f"exchange:{number}")
