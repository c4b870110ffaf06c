"""The state of an agent that stays, derived of its rows: nobody stores it.

A statement joins ``JOINED`` and selects ``STATE``; both speak of the table ``agents``.
"""

from workflows.states import LIVING, AgentState, Status

_BAD = ", ".join(f"'{status}'" for status in (Status.FAILED, Status.BLOCKED, Status.CANCELLED))
_LIVING = ", ".join(f"'{status}'" for status in sorted(LIVING))

JOINED = "LEFT JOIN tasks AS exchange ON exchange.id = agents.exchange_id"

HAS_UNREAD = """EXISTS (
    SELECT FROM inbox WHERE inbox.agent_id = agents.id AND inbox.read_at IS NULL
)"""

# An exchange that a person has cut off by terminating it, or in Temporal, counts as an error: what
# it had read is unread still, and a restart takes it again.
STATE = f"""CASE
    WHEN agents.terminated_at IS NOT NULL THEN '{AgentState.TERMINATED}'
    WHEN agents.paused_at IS NOT NULL THEN '{AgentState.PAUSED}'
    WHEN exchange.status IN ({_BAD}) THEN '{AgentState.ERROR}'
    WHEN exchange.status IN ({_LIVING}) OR {HAS_UNREAD} THEN '{AgentState.RUNNING}'
    ELSE '{AgentState.IDLE}'
END"""

# Of those there are: not deleted, and of the team that asks.
IS_PRESENT = "agents.id = :agent_id AND agents.team_id = :team_id AND agents.deleted_at IS NULL"
