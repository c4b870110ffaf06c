"""Groups of agents whose exchanges a test takes and ends itself, by the statements of workers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from activities.store import group_turns, groups
from activities.store.database import Database
from activities.store.exchanges import BegunExchange
from activities.store.group_messages import NewGroupMessage, PostedToGroup, post_to_group
from activities.store.groups import NewGroup
from activities.store.keys import DEFAULT_TEAM
from activities.store.reading.groups import (
    StoredGroup,
    StoredGroupMessage,
    find_group,
    list_group_messages,
)
from tests.actors import SOMEBODY
from tests.integration.resident_rows import new_agent, read, write
from tests.integration.residents import begin, end
from workflows.definitions.group import GroupLimits
from workflows.states import GroupMode


@dataclass
class GroupDesk:
    """A group of agents ``a0``, ``a1``, ... Each has its own list of members' ids."""

    database: Database
    id: UUID
    members: list[UUID] = field(default_factory=list)

    @classmethod
    async def of(cls, database: Database, count: int, **more: Any) -> "GroupDesk":
        """``more``: mode, limits, answering (places of members)."""
        tag = uuid4().hex[:6]
        members = [await new_agent(database, name=f"a{place}-{tag}") for place in range(count)]
        desk = cls(database, uuid4(), members)
        answering = [str(members[place]) for place in more.get("answering", ())]
        new = NewGroup(
            id=desk.id,
            name=f"group-{tag}",
            mode=more.get("mode", GroupMode.OPEN),
            limits=GroupLimits.model_validate(more.get("limits", {})),
            members=[str(member) for member in members],
            answering=answering,
        )
        assert await groups.create_group(database, SOMEBODY, new) is None
        return desk

    async def post(self, content: str, **more: Any) -> PostedToGroup:
        message = NewGroupMessage(
            group_id=self.id,
            team_id=DEFAULT_TEAM,
            id=uuid4(),
            content=content,
            from_name=more.pop("from_name", "Ann"),
            **more,
        )
        posted = await post_to_group(self.database, message)
        assert isinstance(posted, PostedToGroup), posted
        return posted

    async def begin(self, place: int) -> BegunExchange | None:
        """A member takes what is unread."""
        return await begin(self.database, self.members[place])

    async def end(self, place: int, begun: BegunExchange, reply: str | None) -> None:
        """Its exchange ends with a reply, or badly with None."""
        await end(self.database, self.members[place], begun.id, reply)

    async def answer(self, place: int, reply: str | None) -> None:
        begun = await self.begin(place)
        assert begun is not None, f"{place} has nothing to answer"
        await self.end(place, begun, reply)

    async def miss(self) -> None:
        """All that a pass of the API does."""
        while await group_turns.miss_turns(self.database):
            pass

    async def group(self) -> StoredGroup:
        found = await find_group(self.database, DEFAULT_TEAM, self.id)
        assert found is not None
        return found

    async def said(self) -> Sequence[StoredGroupMessage]:
        return (await list_group_messages(self.database, self.id, None, 10_000))[0]

    async def words(self) -> list[str]:
        """What was said, and the reasons of silence."""
        return [message.reason or message.content for message in await self.said()]

    async def inbox(self, place: int) -> list[str]:
        rows = await self.rows(
            "SELECT content FROM inbox WHERE agent_id = :id AND kind = 'message' ORDER BY seq",
            id=self.members[place],
        )
        return [row.content for row in rows]

    async def due(self) -> list[int]:
        """Who is to speak, by place."""
        rows = await self.rows(
            "SELECT turn.agent_id FROM group_turns AS turn JOIN groups"
            " ON groups.thread_id = turn.thread_id AND groups.round = turn.round"
            " WHERE groups.id = :id AND turn.state = 'due'",
            id=self.id,
        )
        return sorted(self.members.index(row.agent_id) for row in rows)

    async def pause(self, place: int, *, resume: bool = False) -> None:
        moment = "NULL" if resume else "now()"
        await self.execute(
            f"UPDATE agents SET paused_at = {moment} WHERE id = :id",
            id=self.members[place],
        )

    async def execute(self, statement: str, **values: Any) -> None:
        await write(self.database, statement, **values)

    async def rows(self, statement: str, **values: Any) -> Sequence[Any]:
        return await read(self.database, statement, **values)
