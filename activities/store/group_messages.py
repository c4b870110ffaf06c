"""Messages that begin a discussion in a group: of people, and of agents that broadcast."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.inputs.errors import InputsGone
from activities.store.database import Database
from activities.store.group_rounds import Woken, open_discussion
from activities.store.group_rows import LockedGroup, Words, locked_group, note_silence, say
from activities.store.input_holding import hold_inputs
from workflows.discussions import Said, Silence, digest_of


class Unposted(Enum):
    """Why a message was not posted."""

    GONE = auto()  # No such group in this team.
    NO_MEMBER = auto()
    KEY_TAKEN = auto()  # Another message has the same client key.


@dataclass(frozen=True, slots=True, kw_only=True)
class NewGroupMessage:
    """What is to be said to all members of a group, by a person or by a member.

    Of those with the same ``client_key`` the first counts, and ``request_digest`` tells a repeat
    from another message. ``hops`` counts the messages of agents that led to it. With ``tells``
    whoever posts it tells those whose turn it is at once; else the ``Teller`` is to.
    """

    group_id: UUID
    team_id: UUID
    id: UUID
    content: str
    from_name: str
    from_agent_id: UUID | None = None
    attachments: Mapping[str, str] | None = None
    hops: int = 0
    tells: bool = False
    client_key: str | None = None
    request_digest: str | None = None


@dataclass(frozen=True, slots=True)
class PostedToGroup:
    """``is_new``: it was not there already, under the same client key. ``woken`` are those whose
    turn it is to answer."""

    id: UUID
    seq: int
    created_at: datetime
    is_new: bool
    woken: Sequence[Woken] = ()


async def post_to_group(database: Database, message: NewGroupMessage) -> PostedToGroup | Unposted:
    """Say something to all members of a group: it begins a discussion, and ends an earlier one.

    All of it in one transaction, so that no member is given it without the others.

    Raises:
        InputsGone: what is attached was deleted.
    """
    async with database.writing() as connection:
        gone = await hold_inputs(connection, message.team_id, message.attachments or {})
        group = await locked_group(connection, message.group_id, message.team_id)
        if group is None:
            return Unposted.GONE
        if message.client_key is not None:
            earlier = await _earlier(connection, message)
            if earlier is not None:
                return earlier
        # What was there when it was first written may be gone now: that makes no repeat wrong.
        if gone:
            raise InputsGone(gone)
        if message.from_agent_id is not None and not await _is_member(connection, message):
            return Unposted.NO_MEMBER
        if group.thread_id is not None:
            await note_silence(connection, group, group.thread_id, Silence.SUPERSEDED)
        seq = await _say(connection, group, message)
        first = Said(message.from_agent_id, digest_of(message.content))
        woken = await open_discussion(connection, group, message.id, first, tells=message.tells)
        created_at = await connection.scalar(_NOW)
        assert isinstance(created_at, datetime)
    return PostedToGroup(message.id, seq, created_at, is_new=True, woken=woken)


async def _say(connection: AsyncConnection, group: LockedGroup, message: NewGroupMessage) -> int:
    words = Words(
        id=message.id,
        thread_id=message.id,
        from_agent_id=message.from_agent_id,
        from_name=message.from_name,
        content=message.content,
        attachments=message.attachments,
        hops=message.hops,
        client_key=message.client_key,
        request_digest=message.request_digest,
    )
    seq = await say(connection, group, words)
    assert seq is not None, "the group is locked, and the key was looked for"
    return seq


async def _earlier(
    connection: AsyncConnection, message: NewGroupMessage
) -> PostedToGroup | Unposted | None:
    values = {"group_id": message.group_id, "client_key": message.client_key}
    row = (await connection.execute(_EARLIER, values)).one_or_none()
    if row is None:
        return None
    if row.request_digest != message.request_digest:
        return Unposted.KEY_TAKEN
    return PostedToGroup(row.id, row.seq, row.created_at, is_new=False)


async def _is_member(connection: AsyncConnection, message: NewGroupMessage) -> bool:
    values = {"group_id": message.group_id, "agent_id": message.from_agent_id}
    return bool(await connection.scalar(_IS_MEMBER, values))


_EARLIER = text(
    """
    SELECT id, seq, request_digest, created_at FROM group_messages
    WHERE group_id = :group_id AND client_key = :client_key
    """
)

_IS_MEMBER = text(
    """
    SELECT EXISTS (
        SELECT FROM group_members WHERE group_id = :group_id AND agent_id = :agent_id
    )
    """
)

_NOW = text("SELECT now()")
