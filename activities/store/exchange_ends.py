"""What follows from the end of an exchange, in the transaction that ends it: its messages are read,
the reply is written down and sent on, and whoever has to know of a failure is told.

Locks are taken in this order by all who write to several inboxes: the task, the group, the agents.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.store import events
from activities.store.group_turns import EndedExchange, lock_group, on_exchange_end
from activities.store.inbox import NewMessage, lock_agents, post_within
from workflows.contracts import Failure
from workflows.definitions.resident import Resident
from workflows.states import InboxKind, Status

# What a person is called in inboxes whose name nobody has written down.
PERSON = "user"

# Of a workflow that writes its own end. People terminate agents, and know why; of this they do not.
_CANCELLED = Failure(
    code="cancelled",
    message="The turn was cancelled. Restart the agent: it takes its unread messages again.",
)

_TakenRows = Sequence[Row[*tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class _Ended:
    agent_id: UUID
    team_id: UUID
    name: str
    parent_id: UUID | None
    is_terminated: bool
    definition: Resident
    task_id: UUID
    status: Status
    reply: str
    is_interrupted: bool
    error: Failure | None
    taken: _TakenRows

    @property
    def is_good(self) -> bool:
        return self.status is Status.COMPLETED

    @property
    def hops(self) -> int:
        """Of what it says: one more than the longest chain that it answers."""
        return max((row.hops for row in self.taken), default=0) + 1

    @property
    def askers(self) -> dict[UUID, UUID]:
        """The agents that have asked it something, each with its last message. An answer to an
        answer is not sent by itself: two agents would go on for ever."""
        return {
            row.from_agent_id: row.id
            for row in self.taken
            if row.kind == InboxKind.MESSAGE
            and row.group_id is None
            and row.reply_to is None
            and row.from_agent_id not in (None, self.agent_id)
        }

    @property
    def group(self) -> Row[*tuple[Any, ...]] | None:
        """The last row that came from a group; all of an exchange come from the same."""
        return next((row for row in reversed(self.taken) if row.group_id is not None), None)

    @property
    def is_unexplained(self) -> bool:
        is_cancelled = self.status is Status.CANCELLED and not self.is_terminated
        return is_cancelled and self.error is None


async def settle(
    connection: AsyncConnection, agent_id: UUID, task_id: UUID, status: Status
) -> None:
    """Write down all that follows. The exchange has just been closed by this transaction."""
    ended = await _read(connection, agent_id, task_id, status)
    if ended is None:
        return
    if ended.is_unexplained:
        ended = replace(ended, error=_CANCELLED)
        why = {"task_id": task_id, "error": _CANCELLED.model_dump_json(exclude_none=True)}
        await connection.execute(_EXPLAIN, why)
    turn = None
    if (group := ended.group) is not None:
        turn = await lock_group(connection, group.group_id, ended.team_id, agent_id)
    told = {ended.parent_id} if ended.parent_id is not None else set[UUID]()
    await lock_agents(connection, {agent_id, *ended.askers, *told, *(turn.members if turn else ())})
    values = {"task_id": task_id, "agent_id": agent_id, "is_good": ended.is_good}
    await connection.execute(_RECORD, values)
    if ended.is_good:
        await _reply(connection, ended)
    elif ended.parent_id is not None and not ended.is_terminated:
        await _tell_parent(connection, ended, ended.parent_id)
    if group is not None and turn is not None:
        await on_exchange_end(connection, _for_group(ended, group), turn)


async def _reply(connection: AsyncConnection, ended: _Ended) -> None:
    last = next((row for row in reversed(ended.taken) if row.kind == InboxKind.MESSAGE), None)
    if ended.reply or (last is not None and last.group_id is None):
        own = NewMessage(
            id=uuid5(ended.task_id, "reply"),
            agent_id=ended.agent_id,
            team_id=ended.team_id,
            kind=InboxKind.REPLY,
            content=ended.reply,
            from_agent_id=ended.agent_id,
            from_name=ended.name,
            to_agent_id=None if last is None else last.from_agent_id,
            to_name=PERSON if last is None else last.from_name,
            reply_to=None if last is None else last.id,
            exchange_id=ended.task_id,
            group_id=None if last is None else last.group_id,
            is_interrupted=ended.is_interrupted,
        )
        await post_within(connection, own)
    if ended.hops > ended.definition.limits.hops:
        return
    for asker, question in sorted(ended.askers.items()):
        sent = NewMessage(
            id=uuid5(ended.task_id, f"reply:{asker}"),
            agent_id=asker,
            team_id=ended.team_id,
            content=ended.reply,
            from_agent_id=ended.agent_id,
            from_name=ended.name,
            hops=ended.hops,
            reply_to=question,
            is_interrupted=ended.is_interrupted,
            is_owed=True,
        )
        await post_within(connection, sent)


async def _tell_parent(connection: AsyncConnection, ended: _Ended, parent_id: UUID) -> None:
    why = ended.error.message if ended.error else "nobody has written down why"
    await post_within(
        connection,
        NewMessage(
            id=uuid5(ended.task_id, "error"),
            agent_id=parent_id,
            team_id=ended.team_id,
            kind=InboxKind.NOTICE,
            content=(
                f"Your child {ended.name} could not answer ({ended.status}): {why} It keeps its "
                "messages, and takes them again when a person restarts it."
            ),
            from_agent_id=ended.agent_id,
            from_name=ended.name,
            hops=ended.hops,
            is_owed=True,
        ),
    )


def _for_group(ended: _Ended, last: Row[*tuple[Any, ...]]) -> EndedExchange:
    return EndedExchange(
        agent_id=ended.agent_id,
        agent_name=ended.name,
        team_id=ended.team_id,
        exchange_id=ended.task_id,
        status=ended.status,
        group_id=last.group_id,
        thread_id=last.thread_id,
        round=last.round,
        reply=ended.reply if ended.is_good else None,
    )


async def _read(
    connection: AsyncConnection, agent_id: UUID, task_id: UUID, status: Status
) -> _Ended | None:
    values = {"agent_id": agent_id, "task_id": task_id}
    row = (await connection.execute(_FIND, values)).one_or_none()
    if row is None:
        return None
    result = row.result or {}
    return _Ended(
        agent_id=agent_id,
        team_id=row.team_id,
        name=row.name,
        parent_id=row.parent_id,
        is_terminated=row.terminated_at is not None,
        definition=Resident.model_validate(row.definition),
        task_id=task_id,
        status=status,
        reply=str(result.get("reply") or ""),
        is_interrupted=bool(result.get("interrupted")),
        error=row.error and Failure.model_validate(row.error),
        taken=(await connection.execute(_TAKEN, {"task_id": task_id})).all(),
    )


_FIND = text(
    """
    SELECT agents.team_id, agents.name, agents.parent_id, agents.terminated_at, agents.definition,
           tasks.result, tasks.error
    FROM agents JOIN tasks ON tasks.id = :task_id
    WHERE agents.id = :agent_id
    """
)

_TAKEN = text(
    """
    SELECT id, kind, from_agent_id, from_name, hops, reply_to, group_id, thread_id, round
    FROM inbox WHERE exchange_id = :task_id AND kind <> 'reply' ORDER BY seq
    """
)

_EXPLAIN = text("UPDATE tasks SET error = CAST(:error AS jsonb) WHERE id = :task_id")

# In one statement: whoever ends an exchange of a group keeps the others waiting.
_RECORD = text(
    f"""
    WITH read AS (
        UPDATE inbox SET read_at = now()
        WHERE exchange_id = :task_id AND read_at IS NULL AND CAST(:is_good AS bool)
    ), used AS (
        INSERT INTO agent_usage (agent_id, day, team_id, tokens, cost_usd)
        SELECT tasks.parent_id, (now() AT TIME ZONE 'utc')::date, tasks.team_id,
               coalesce(used.tokens, 0), coalesce(used.cost_usd, 0)
        FROM tasks, LATERAL (
            SELECT sum(prompt_tokens + completion_tokens) AS tokens, sum(cost_usd) AS cost_usd
            FROM (
                SELECT prompt_tokens, completion_tokens, cost_usd FROM messages
                WHERE task_id = tasks.id
                UNION ALL
                -- Those of turns that have an answer are counted with that.
                SELECT prompt_tokens, completion_tokens, cost_usd FROM lost_answers AS lost
                WHERE task_id = tasks.id AND NOT EXISTS (
                    SELECT FROM messages
                    WHERE messages.task_id = lost.task_id AND messages.turn = lost.turn
                      AND messages.role = 'assistant'
                )
            ) AS answers
        ) AS used
        WHERE tasks.id = :task_id
        ON CONFLICT (agent_id, day) DO UPDATE
            SET tokens = agent_usage.tokens + excluded.tokens,
                cost_usd = agent_usage.cost_usd + excluded.cost_usd
    ), agent AS (
        UPDATE agents SET updated_at = now() WHERE id = :agent_id RETURNING id, team_id
    )
    SELECT pg_notify('{events.CHANNEL}', CAST(id AS text)),
           pg_notify('{events.CHANNEL}', CAST(team_id AS text))
    FROM agent
    """
)
