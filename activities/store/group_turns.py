"""What the end of an exchange means to the group whose messages it answers."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from workflows.states import Status


@dataclass(frozen=True, slots=True)
class EndedExchange:
    """An exchange that took messages of discussion ``thread_id`` of a group, the last of them of
    ``round``. ``reply`` is None where it ended badly."""

    agent_id: UUID
    agent_name: str
    team_id: UUID
    exchange_id: UUID
    status: Status
    group_id: UUID
    thread_id: UUID
    round: int
    reply: str | None


async def lock_group(connection: AsyncConnection, group_id: UUID) -> Collection[UUID]:
    """Lock a group until the transaction ends, and give its members, none of whom is locked yet.
    Groups come before agents: see ``inbox.lock_agents``."""
    return ()


async def on_exchange_end(connection: AsyncConnection, ended: EndedExchange) -> None:
    """Post the reply, and note that the member has had its turn. The group and its members are
    locked."""
