"""Summaries of what agents that stay and those who write to them have said: each is a row more, and
what it sums up stays."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Integer, Uuid

from activities.llm.base import Charge
from activities.store import events
from activities.store.database import Database
from activities.store.model_usage import count_for_model
from activities.store.notes import storable
from workflows.definitions.resident import Resident
from workflows.resident_contracts import exchange_id

# The last exchanges, the present one among them, are never summed up: they are sent as they are.
KEPT_EXCHANGES = 5
# So many are summed up in any case, however little was said in each.
MOST_UNSUMMED = 100


@dataclass(frozen=True, slots=True)
class Summarised:
    """What was written: the exchanges up to the ``through``-th, as ``model`` has summed them up."""

    through: int
    text: str
    model: str
    tokens: int
    cost_usd: float
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSummary:
    """Without a ``text`` there is none, but a ``charge``: a model has answered something else."""

    agent_id: UUID
    team_id: UUID
    through: int
    text: str | None
    model: str
    charge: Charge


@dataclass(frozen=True, slots=True)
class Unsummed:
    """What is old enough to be summed up, and is not: exchanges behind the ``through``-th, before
    the ``before``-th; about ``characters`` were said in them."""

    through: int
    before: int
    characters: int

    @property
    def exchanges(self) -> int:
        return max(self.before - self.through - 1, 0)


@dataclass(frozen=True, slots=True)
class Remembering:
    """An agent that is not terminated, with what its team has used of its quota today."""

    definition: Resident
    exchanges: int
    tokens_today: int
    daily_tokens: int | None


async def find_remembering(database: Database, agent_id: UUID, team_id: UUID) -> Remembering | None:
    rows = await database.execute(_FIND, {"agent_id": agent_id, "team_id": team_id})
    return next(
        (
            Remembering(
                Resident.model_validate(row.definition),
                row.exchanges,
                row.tokens_today,
                row.daily_tokens,
            )
            for row in rows
        ),
        None,
    )


async def unsummed(database: Database, agent_id: UUID, exchanges: int) -> Unsummed:
    """Of an agent that has had so many ``exchanges``, the present one included."""
    before = exchanges - KEPT_EXCHANGES + 1
    async with database.reading(fresh=True) as connection:
        through = await connection.scalar(_THROUGH, {"agent_id": agent_id}) or 0
        numbers = range(through + 1, before)[-MOST_UNSUMMED:]
        if not numbers:
            return Unsummed(through, before, 0)
        ids = [exchange_id(agent_id, number) for number in numbers]
        characters = await connection.scalar(_SIZE, {"ids": ids}) or 0
    return Unsummed(through, before, characters)


async def write_summary(database: Database, new: NewSummary) -> bool:
    """Add a summary, and count what it took as the team's and the agent's. False when there is one
    up to the same exchange, which stays. Not safe to repeat: it would count again."""
    values = {
        "agent_id": new.agent_id,
        "team_id": new.team_id,
        "through": new.through,
        "text": None if new.text is None else storable(new.text),
        "model": new.model,
        "tokens": new.charge.tokens,
        "prompt_tokens": new.charge.prompt_tokens,
        "completion_tokens": new.charge.completion_tokens,
        "cost_usd": new.charge.cost_usd,
    }
    rows = await database.execute(_WRITE, values)
    return any(row.is_written for row in rows)


async def list_summaries(
    database: Database, agent_id: UUID, before: int, limit: int
) -> tuple[Sequence[Summarised], int | None]:
    """A page, the latest first: those that go less far than ``before``, if that is not 0. And the
    ``through`` of its last one if there are more."""
    values = {"agent_id": agent_id, "before": before, "limit": limit + 1}
    async with database.reading(fresh=True) as connection:
        found = [Summarised(*row) for row in await connection.execute(_LIST, values)]
    if len(found) <= limit:
        return found, None
    return found[:limit], found[limit - 1].through


_AGENT = bindparam("agent_id", type_=Uuid())

_FIND = text(
    """
    SELECT agents.definition, exchanges, coalesce(used.tokens, 0) AS tokens_today,
           teams.daily_tokens
    FROM agents JOIN teams ON teams.id = agents.team_id
    LEFT JOIN team_usage AS used
        ON used.team_id = agents.team_id AND used.day = (now() AT TIME ZONE 'utc')::date
    WHERE agents.id = :agent_id AND agents.team_id = :team_id AND terminated_at IS NULL
      AND deleted_at IS NULL AND exchanges > 0
    """
)
_THROUGH = text("SELECT max(through) FROM agent_summaries WHERE agent_id = :agent_id").bindparams(
    _AGENT
)
# The lengths of long texts are known without reading them.
_SIZE = text(
    """
    SELECT sum(octet_length(content)) FROM messages
    WHERE task_id = ANY(:ids) AND role <> 'system'
    """
).bindparams(bindparam("ids", type_=ARRAY(Uuid())))
_WRITE = text(
    f"""
    WITH agent AS (
        -- First, as whoever ends an exchange does: the references to it lock it in the end.
        SELECT id, team_id FROM agents WHERE id = :agent_id AND team_id = :team_id
        FOR KEY SHARE
    ), written AS (
        INSERT INTO agent_summaries (agent_id, through, team_id, text, model, tokens, cost_usd)
        SELECT id, :through, team_id, :text, :model, :tokens, :cost_usd FROM agent
        WHERE CAST(:text AS text) IS NOT NULL
        ON CONFLICT (agent_id, through) DO NOTHING
        RETURNING agent_id
    ), of_agent AS (
        INSERT INTO agent_usage (agent_id, day, team_id, tokens, cost_usd)
        SELECT id, (now() AT TIME ZONE 'utc')::date, team_id, :tokens, :cost_usd FROM agent
        ON CONFLICT (agent_id, day) DO UPDATE
            SET tokens = agent_usage.tokens + excluded.tokens,
                cost_usd = agent_usage.cost_usd + excluded.cost_usd
    ), of_team AS (
        INSERT INTO team_usage (team_id, day, tokens, cost_usd)
        SELECT team_id, (now() AT TIME ZONE 'utc')::date, :tokens, :cost_usd FROM agent
        ON CONFLICT (team_id, day) DO UPDATE
            SET tokens = team_usage.tokens + excluded.tokens,
                cost_usd = team_usage.cost_usd + excluded.cost_usd
    ), of_model AS (
        {count_for_model("agent", ":prompt_tokens", ":completion_tokens", ":cost_usd")}
    )
    SELECT EXISTS (SELECT FROM written) AS is_written,
           pg_notify('{events.CHANNEL}', CAST(id AS text))
    FROM agent
    """
)
_LIST = text(
    """
    SELECT through, text, model, tokens, cost_usd, created_at FROM agent_summaries
    WHERE agent_id = :agent_id AND (CAST(:before AS int) = 0 OR through < :before)
    ORDER BY through DESC LIMIT :limit
    """
).bindparams(_AGENT, bindparam("before", type_=Integer()))
