"""What may be done to an agent that stays, by its state. Everything else is refused."""

from collections.abc import Mapping
from enum import StrEnum

from workflows.states import AgentState


class AgentAct(StrEnum):
    """What people, and parents, do to an agent."""

    MESSAGE = "message"
    INTERRUPT = "interrupt"
    PAUSE = "pause"
    RESUME = "resume"
    RESTART = "restart"
    CHANGE = "change"
    TERMINATE = "terminate"
    DELETE = "delete"


class ChildrenFate(StrEnum):
    """What becomes of the agents that a terminated one has made: they end with it, and theirs, or
    they belong to its own parent from now on, or to nobody."""

    TERMINATE = "terminate"
    HAND_OVER = "hand_over"


_ALIVE = frozenset(AgentState) - {AgentState.TERMINATED}

# The states in which each may be done.
LEGAL: Mapping[AgentAct, frozenset[AgentState]] = {
    AgentAct.MESSAGE: _ALIVE,
    AgentAct.INTERRUPT: frozenset({AgentState.RUNNING, AgentState.PAUSED}),
    AgentAct.PAUSE: frozenset({AgentState.IDLE, AgentState.RUNNING, AgentState.ERROR}),
    AgentAct.RESUME: frozenset({AgentState.PAUSED}),
    AgentAct.RESTART: frozenset({AgentState.ERROR}),
    AgentAct.CHANGE: _ALIVE,
    AgentAct.TERMINATE: _ALIVE,
    AgentAct.DELETE: frozenset({AgentState.TERMINATED}),
}

# Why not, and what to do, where that is not plain from the state alone.
_WHY: Mapping[tuple[AgentAct, AgentState], str] = {
    (AgentAct.INTERRUPT, AgentState.IDLE): "it answers nobody now",
    (AgentAct.INTERRUPT, AgentState.ERROR): "its turn has ended; restart it",
    (AgentAct.PAUSE, AgentState.PAUSED): "it is paused already",
    (AgentAct.RESUME, AgentState.ERROR): "it is not paused; restart it",
    (AgentAct.RESTART, AgentState.PAUSED): "resume it first; whether it failed shows then",
}


def is_legal(act: AgentAct, state: AgentState) -> bool:
    return state in LEGAL[act]


def why_not(act: AgentAct, state: AgentState) -> str:
    """Why an act that is not legal is refused, in words for people."""
    if state is AgentState.TERMINATED:
        return "it is terminated, which is for good; create another one"
    if act is AgentAct.DELETE:
        return f"it is {state}; terminate it first"
    return _WHY.get((act, state), f"it is {state}, not {' or '.join(sorted(LEGAL[act]))}")
