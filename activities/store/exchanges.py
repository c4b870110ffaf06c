"""The exchanges of agents that stay: begun with what is unread, each a task of its own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.store import events, fence
from activities.store.daily_limits import USED_UP
from activities.store.database import Database
from activities.store.task_statements import CREATE
from activities.store.tasks import NewTask, close_task, row_of
from workflows.contracts import Failure, TaskClose
from workflows.definitions.resident import Exchange, Resident
from workflows.resident_contracts import exchange_id
from workflows.states import InboxKind, Status, TaskType

# What one exchange takes at most; the rest is for the next.
MAX_MESSAGES = 100
MAX_CHARACTERS = 200_000
# What was said in groups meanwhile comes on top: of more than that the latest.
MAX_HEARD = 50
MAX_HEARD_CHARACTERS = 50_000


@dataclass(frozen=True, slots=True)
class UnreadMessage:
    """What an agent has not read yet. ``from_agent_id`` is None where a person wrote. ``group`` is
    the name of the group in which it was said. ``is_aside``: that was while it was not the agent's
    turn, and it is not to be answered."""

    id: UUID
    seq: int
    kind: InboxKind
    from_agent_id: UUID | None
    from_name: str
    content: str
    attachments: Mapping[str, str]
    is_reply: bool
    group_id: UUID | None
    group: str
    is_aside: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Shape:
    """What messages become as a task: what people call it, what the model reads, and the files that
    came with them."""

    name: str
    prompt: str
    inputs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BegunExchange:
    """``through`` is the number of the last message that it takes."""

    id: UUID
    definition: Exchange
    through: int


Shaping = Callable[[str, Sequence[UnreadMessage]], Shape]
"""From the name of the agent and its messages."""


class _LeftBehind(Exception):
    """The agent's exchange is one whose workflow was ended from outside."""

    def __init__(self, task_id: UUID, run: int) -> None:
        self.task_id = task_id
        self.run = run


async def begin_exchange(
    database: Database, agent_id: UUID, team_id: UUID, execution: str, shaping: Shaping
) -> BegunExchange | None:
    """Take what is unread, or what ``execution``, a Temporal run id, has taken already. None where
    nothing is to be done: no messages, or an agent that is paused, in error or terminated, or has
    used what it may use on a day."""
    try:
        async with database.writing() as connection:
            return await _begin(connection, agent_id, execution, shaping)
    except _LeftBehind as left:
        await close_task(database, _end_of(left, team_id, agent_id))
        return None


async def _begin(
    connection: AsyncConnection, agent_id: UUID, execution: str, shaping: Shaping
) -> BegunExchange | None:
    agent = (await connection.execute(_LOCK, {"agent_id": agent_id})).one_or_none()
    if agent is None:
        return None
    if agent.is_living:
        if agent.execution != execution:
            raise _LeftBehind(agent.exchange_id, agent.run)
        definition = Exchange.model_validate(agent.exchange)
        return BegunExchange(agent.exchange_id, definition, agent.through)
    if agent.is_stopped or agent.has_failed:
        return None
    rows = (await connection.execute(_UNREAD, {"agent_id": agent_id, "most": MAX_MESSAGES})).all()
    taken = _taken(rows)
    if not taken:
        return None
    return await _write(connection, agent, execution, taken, shaping)


def _taken(rows: Sequence[Row[*tuple[Any, ...]]]) -> Sequence[UnreadMessage]:
    """As many as go together, in their order: those of a group are answered to that group."""
    taken: list[UnreadMessage] = []
    characters = 0
    for row in rows:
        characters += len(row.content)
        is_other = taken and row.group_id != taken[0].group_id
        if is_other or (taken and characters > MAX_CHARACTERS):
            break
        taken.append(_message(row))
    return taken


async def _heard(
    connection: AsyncConnection, agent_id: UUID, through: int
) -> Sequence[UnreadMessage]:
    """What was said in groups since the exchange before, while it was not the agent's turn."""
    values = {"agent_id": agent_id, "through": through, "most": MAX_HEARD}
    heard: list[UnreadMessage] = []
    characters = 0
    for row in await connection.execute(_HEARD, values):
        characters += len(row.content)
        if characters > MAX_HEARD_CHARACTERS:
            break
        heard.append(_message(row, is_aside=True))
    return heard[::-1]


def _message(row: Row[*tuple[Any, ...]], *, is_aside: bool = False) -> UnreadMessage:
    return UnreadMessage(
        id=row.id,
        seq=row.seq,
        kind=InboxKind(row.kind),
        from_agent_id=row.from_agent_id,
        from_name=row.from_name,
        content=row.content,
        attachments=row.attachments or {},
        is_reply=row.reply_to is not None,
        group_id=row.group_id,
        group=row.to_name if row.group_id is not None else "",
        is_aside=is_aside,
        created_at=row.created_at,
    )


async def _write(
    connection: AsyncConnection,
    agent: Row[*tuple[Any, ...]],
    execution: str,
    taken: Sequence[UnreadMessage],
    shaping: Shaping,
) -> BegunExchange:
    number = agent.exchanges + 1
    task_id = exchange_id(agent.id, number)
    definition = Resident.model_validate(agent.definition).exchange(number, agent.name)
    heard = await _heard(connection, agent.id, taken[-1].seq)
    shape = shaping(agent.name, sorted((*heard, *taken), key=lambda message: message.seq))
    task = NewTask(
        id=task_id,
        team_id=agent.team_id,
        parent_id=agent.id,
        type=TaskType.EXCHANGE,
        name=shape.name,
        definition=definition.model_dump(mode="json", exclude_defaults=True),
        prompt=shape.prompt,
        inputs=shape.inputs,
    )
    await connection.execute(CREATE, row_of(task))
    await connection.execute(
        _BEGIN,
        {
            "agent_id": agent.id,
            "task_id": task_id,
            "number": number,
            "execution": execution,
            "message_ids": [message.id for message in taken],
            "through": taken[-1].seq,
        },
    )
    return BegunExchange(task_id, definition, taken[-1].seq)


def _end_of(left: _LeftBehind, team_id: UUID, agent_id: UUID) -> TaskClose:
    failure = Failure(
        code="terminated",
        message="Its workflow was ended in Temporal. Restart the agent: it takes its unread "
        "messages again.",
    )
    return TaskClose(
        task_id=left.task_id,
        team_id=team_id,
        run=left.run,
        status=Status.CANCELLED,
        failure=failure,
        agent_id=agent_id,
    )


_LOCK = text(
    f"""
    SELECT agents.id, agents.team_id, agents.name, agents.definition, agents.exchanges,
           agents.exchange_id, tasks.run, tasks.definition AS exchange,
           coalesce({fence.IS_LIVING}, false) AS is_living,
           coalesce(tasks.status IN ('{Status.FAILED}', '{Status.BLOCKED}', '{Status.CANCELLED}'),
                    false) AS has_failed,
           agents.paused_at IS NOT NULL OR agents.terminated_at IS NOT NULL
               OR agents.deleted_at IS NOT NULL OR {USED_UP} IS NOT NULL AS is_stopped,
           tasks.executions ->> -1 AS execution,
           (SELECT max(seq) FROM inbox
            WHERE exchange_id = tasks.id AND kind <> '{InboxKind.REPLY}') AS through
    FROM agents LEFT JOIN tasks ON tasks.id = agents.exchange_id
    WHERE agents.id = :agent_id
    FOR UPDATE OF agents
    """
)

_UNREAD = text(
    """
    SELECT id, seq, kind, from_agent_id, from_name, to_name, content, attachments, reply_to,
           group_id, created_at
    FROM inbox WHERE agent_id = :agent_id AND read_at IS NULL
    ORDER BY seq LIMIT :most
    """
)

# It was read from the first, since it was nobody's turn to answer it (see ``group_rounds``), and no
# exchange has taken it, so as not to answer it in its group.
_HEARD = text(
    """
    SELECT id, seq, kind, from_agent_id, from_name, to_name, content, attachments, reply_to,
           group_id, created_at
    FROM inbox
    WHERE agent_id = :agent_id AND seq < :through AND seq > coalesce((
        SELECT seq FROM inbox
        WHERE agent_id = :agent_id AND exchange_id IS NOT NULL AND kind <> 'reply'
        ORDER BY seq DESC LIMIT 1
    ), 0) AND group_id IS NOT NULL AND kind = 'message' AND exchange_id IS NULL
      AND read_at IS NOT NULL
    ORDER BY seq DESC LIMIT :most
    """
)

_BEGIN = text(
    f"""
    WITH task AS (
        UPDATE tasks SET executions = jsonb_build_array(CAST(:execution AS text))
        WHERE id = :task_id
    ), taken AS (
        UPDATE inbox SET exchange_id = :task_id
        WHERE id = ANY(CAST(:message_ids AS uuid[]))
    ), agent AS (
        UPDATE agents
        SET exchange_id = :task_id, exchanges = :number, updated_at = now(),
            -- What was taken, and what there is to read of one's own words, nobody need tell.
            told_seq = greatest(told_seq, coalesce((
                SELECT min(seq) - 1 FROM inbox
                WHERE agent_id = :agent_id AND read_at IS NULL AND seq > :through
            ), message_seq))
        WHERE id = :agent_id
        RETURNING id, team_id
    )
    SELECT pg_notify('{events.CHANNEL}', CAST(id AS text)),
           pg_notify('{events.CHANNEL}', CAST(team_id AS text))
    FROM agent
    """
)
