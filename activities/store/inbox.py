"""Writing to the inboxes of agents that stay: a message is a row first, then somebody is told.

Numbers are dealt out under the lock of the agent's row, so that they have no gaps, and whoever has
seen number n misses nothing below it. A statement that writes to several inboxes locks the agents
first, in the order of their ids (``lock_agents``): two that answer each other must not wait for
each other.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.inputs.errors import InputsGone
from activities.store import events, fence
from activities.store.database import Database
from activities.store.errors import driver_error
from activities.store.input_holding import hold_inputs
from workflows.states import InboxKind, MessageMode

# Whoever tells the workflows of agents hears here which has something new: an agent's id.
CHANNEL = "agentos_inbox"

# For so long after an answer the workflow of an agent listens, if ``AGENTOS_AGENT_IDLE_SECONDS`` is
# as it comes. Where it is not, telling the agent takes a call more.
AWAKE_SECONDS = 30.0

# Rows of an inbox from the first that is unread on. More are refused.
MAX_UNREAD = 10_000


class Refused(Enum):
    """Why a message was not written."""

    GONE = auto()  # No such agent in this team, or one that is deleted.
    TERMINATED = auto()
    FULL = auto()
    KEY_TAKEN = auto()  # Another message has the same client key.
    WITHDRAWN = auto()  # It was written, and taken back.


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """What is to stand in the inbox of ``agent_id``.

    Of those with the same ``client_key`` the first counts, and ``request_digest`` tells a repeat
    from another message. One that ``is_owed`` is written however full the inbox is: it answers what
    the agent itself has sent, or says that nobody will. With ``tells`` whoever writes it tells the
    agent at once, unless it is answering; else the ``Teller`` is to. See ``InboxRow`` for the rest.
    """

    agent_id: UUID
    team_id: UUID
    content: str
    kind: InboxKind = InboxKind.MESSAGE
    id: UUID | None = None
    from_agent_id: UUID | None = None
    from_name: str = ""
    to_agent_id: UUID | None = None
    to_name: str = ""
    attachments: Mapping[str, str] | None = None
    mode: MessageMode = MessageMode.QUEUE
    hops: int = 0
    reply_to: UUID | None = None
    exchange_id: UUID | None = None
    group_id: UUID | None = None
    thread_id: UUID | None = None
    round: int = 0
    is_interrupted: bool = False
    is_read: bool = False
    is_owed: bool = False
    tells: bool = False
    client_key: str | None = None
    request_digest: str | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """``is_new``: it was not there already, under the same client key. ``name`` is that of the
    agent. It ``is_answering``: when that ends, its workflow looks again by itself. It ``is_awake``:
    it answers, or has done so a moment ago, so its workflow is most likely open."""

    id: UUID
    seq: int
    name: str
    is_new: bool
    is_answering: bool = False
    is_awake: bool = False


async def post(database: Database, message: NewMessage) -> Posted | Refused:
    """Write one message. A repeat under the same client key gives what was written first.

    Raises:
        InputsGone: what is attached was deleted.
    """
    posted = await _post(database, message)
    if posted is Refused.FULL:
        # Or it was terminated between the snapshot of the statement and its lock.
        posted = await _post(database, message)
    return posted


async def post_within(connection: AsyncConnection, message: NewMessage) -> Posted | Refused:
    """The same within the caller's transaction, which has locked the agent: see ``lock_agents``."""
    rows = (await connection.execute(_POST, _values(message))).all()
    return _posted(rows, message)


async def lock_agents(connection: AsyncConnection, agent_ids: Iterable[UUID]) -> None:
    """Lock the rows of agents until the transaction ends, in the order that all writers keep."""
    await connection.execute(_LOCK, {"agent_ids": sorted(set(agent_ids))})


async def note_told(database: Database, told: Mapping[UUID, int]) -> None:
    """Write down of agents that their workflows know of the message with this number.

    It waits for nobody: an agent that is locked takes its messages at this moment, and writes that
    down itself, or is told once more.
    """
    values = {"agent_ids": list(told), "seqs": list(told.values())}
    await database.execute(_NOTE_TOLD, values)


async def _post(database: Database, message: NewMessage) -> Posted | Refused:
    values = _values(message)
    try:
        if message.attachments:
            rows = await _post_held(database, message, values)
        else:
            rows = await database.execute(_POST, values)
    except (asyncpg.UniqueViolationError, IntegrityError) as error:
        if not isinstance(driver_error(error), asyncpg.UniqueViolationError):
            raise
        rows = await database.execute(_FIND, values)  # The same was written at the same moment.
    return _posted(rows, message)


async def _post_held(
    database: Database, message: NewMessage, values: Mapping[str, Any]
) -> Sequence[Any]:
    async with database.writing() as connection:
        gone = await hold_inputs(connection, message.team_id, message.attachments or {})
        rows = (await connection.execute(_FIND if gone else _POST, values)).all()
    # What was there when it was first written may be gone now: that makes no repeat wrong.
    if gone and not rows:
        raise InputsGone(gone)
    return rows


def _posted(rows: Sequence[Any], message: NewMessage) -> Posted | Refused:
    if not rows:
        return Refused.GONE
    [row] = rows
    if row.written is not None:
        return Posted(
            row.id,
            row.written,
            row.name,
            is_new=True,
            is_answering=row.is_answering,
            is_awake=row.is_answering or row.has_answered,
        )
    if row.earlier is not None:
        if row.earlier_digest != message.request_digest:
            return Refused.KEY_TAKEN
        if row.is_withdrawn:
            return Refused.WITHDRAWN
        return Posted(row.earlier, row.earlier_seq, row.name, is_new=False)
    return Refused.TERMINATED if row.is_terminated else Refused.FULL


def _values(message: NewMessage) -> dict[str, Any]:
    attachments = dict(message.attachments or {})
    return {
        "id": message.id or uuid4(),
        "agent_id": message.agent_id,
        "team_id": message.team_id,
        "kind": message.kind,
        "from_agent_id": message.from_agent_id,
        "from_name": message.from_name,
        "to_agent_id": message.to_agent_id,
        "to_name": message.to_name,
        # PostgreSQL keeps no NUL in text, and no half of a character.
        "content": message.content.replace("\0", "\ufffd").encode("utf-8", "replace").decode(),
        "attachments": events.as_json(attachments) if attachments else None,
        "mode": message.mode,
        "hops": message.hops,
        "reply_to": message.reply_to,
        "exchange_id": message.exchange_id,
        "group_id": message.group_id,
        "thread_id": message.thread_id,
        "round": message.round,
        "is_interrupted": message.is_interrupted,
        "is_read": message.is_read,
        "is_owed": message.is_owed,
        "tells": message.tells,
        "client_key": message.client_key,
        "request_digest": message.request_digest,
        "most": MAX_UNREAD,
    }


# The statement has a table ``agents``, and the bound is ``:most``.
IS_FULL = """(agents.message_seq >= :most + (
    SELECT min(seq) - 1 FROM inbox WHERE agent_id = agents.id AND read_at IS NULL
)) IS TRUE"""

_EARLIER = """
    SELECT id, seq, request_digest, withdrawn_at IS NOT NULL AS is_withdrawn FROM inbox
    WHERE agent_id = :agent_id AND client_key = CAST(:client_key AS text)
"""

_IS_READ = f"(:is_read OR CAST(:kind AS text) = '{InboxKind.REPLY}')"

# Whoever writes it leaves an agent that answers alone, unless it is to be interrupted.
_IS_TOLD = f"""(
    :tells AND (NOT agent.is_answering OR CAST(:mode AS text) = '{MessageMode.INTERRUPT}')
)"""

# Who views the agent, or the team, looks for what is new; who tells workflows hears of it, too,
# unless the agent would be told twice.
_TOLD = f"""pg_notify('{events.CHANNEL}', CAST(agent.id AS text)),
           pg_notify('{events.CHANNEL}', CAST(agent.team_id AS text)),
           CASE WHEN NOT ({_IS_READ} OR {_IS_TOLD})
                THEN pg_notify('{CHANNEL}', CAST(agent.id AS text)) END"""

_POST = text(
    f"""
    WITH earlier AS (
        {_EARLIER}
    ), found AS (
        SELECT id, name, terminated_at IS NOT NULL AS is_terminated,
               {IS_FULL} AS is_full
        FROM agents WHERE id = :agent_id AND team_id = :team_id AND deleted_at IS NULL
    ), agent AS (
        UPDATE agents
        SET message_seq = message_seq + 1, updated_at = now(),
            -- What is read already wakes nobody.
            told_seq = told_seq + CAST({_IS_READ} AND told_seq = message_seq AS int)
        FROM found
        WHERE agents.id = found.id AND agents.terminated_at IS NULL
          AND (:is_owed OR CAST(:kind AS text) = '{InboxKind.REPLY}' OR NOT is_full)
          AND NOT EXISTS (SELECT FROM earlier)
        RETURNING agents.id, agents.team_id, agents.message_seq,
            -- One that ends at this moment may look alive: then the Teller tells.
            EXISTS (
                SELECT FROM tasks WHERE tasks.id = agents.exchange_id AND {fence.IS_LIVING}
            ) AS is_answering,
            EXISTS (
                SELECT FROM tasks WHERE tasks.id = agents.exchange_id
                AND finished_at > now() - make_interval(secs => {AWAKE_SECONDS})
            ) AS has_answered
    ), written AS (
        INSERT INTO inbox
            (id, team_id, agent_id, seq, kind, from_agent_id, from_name, to_agent_id, to_name,
             content, attachments, mode, hops, reply_to, exchange_id, group_id, thread_id, round,
             is_interrupted, client_key, request_digest, read_at)
        SELECT :id, agent.team_id, agent.id, agent.message_seq, :kind, :from_agent_id, :from_name,
               :to_agent_id, :to_name, :content, CAST(:attachments AS jsonb), :mode, :hops,
               :reply_to, :exchange_id, :group_id, :thread_id, :round, :is_interrupted,
               :client_key, :request_digest,
               CASE WHEN {_IS_READ} THEN now() END
        FROM agent
        RETURNING id, seq
    )
    SELECT coalesce(written.id, found.id) AS id, written.seq AS written, found.name,
           found.is_terminated,
           earlier.id AS earlier, earlier.seq AS earlier_seq,
           earlier.request_digest AS earlier_digest, earlier.is_withdrawn, agent.is_answering,
           agent.has_answered, {_TOLD}
    FROM found LEFT JOIN written ON true LEFT JOIN agent ON true LEFT JOIN earlier ON true
    """
)

_FIND = text(
    f"""
    WITH earlier AS (
        {_EARLIER}
    )
    SELECT earlier.id, CAST(NULL AS bigint) AS written, agents.name, false AS is_terminated,
           earlier.id AS earlier, seq AS earlier_seq, earlier.request_digest AS earlier_digest,
           earlier.is_withdrawn
    FROM earlier, agents
    WHERE agents.id = :agent_id
    """
)

_LOCK = text(
    "SELECT id FROM agents WHERE id = ANY(CAST(:agent_ids AS uuid[])) ORDER BY id FOR UPDATE"
)

_NOTE_TOLD = text(
    """
    WITH told AS (
        SELECT * FROM unnest(CAST(:agent_ids AS uuid[]), CAST(:seqs AS bigint[])) AS given (id, seq)
    ), free AS (
        SELECT id FROM agents WHERE id IN (SELECT id FROM told) FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE agents SET told_seq = greatest(told_seq, told.seq), told_at = now()
    FROM told JOIN free USING (id)
    WHERE agents.id = told.id
    """
)
