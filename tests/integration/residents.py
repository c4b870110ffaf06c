"""Agents that stay as rows, and exchanges as their workflow writes them, without any workflow."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from activities.store import events, inbox
from activities.store.database import Database
from activities.store.exchanges import Shape, begin_exchange
from activities.store.inbox import NewMessage, Posted
from activities.store.keys import DEFAULT_TEAM
from activities.store.tasks import close_task
from workflows.contracts import Failure, TaskClose
from workflows.events import Event, LlmDelta
from workflows.states import Status


@dataclass(frozen=True)
class RowAgent:
    """An agent that does what a test says."""

    database: Database
    id: UUID
    team_id: UUID
    name: str

    async def post(self, content: str = "hello") -> int:
        """A message of a person; its number."""
        message = NewMessage(
            agent_id=self.id, team_id=self.team_id, content=content, from_name="user"
        )
        posted = await inbox.post(self.database, message)
        assert isinstance(posted, Posted)
        return posted.seq

    async def begin(self) -> UUID:
        """Take what is unread; the task of the exchange."""
        begun = await begin_exchange(
            self.database,
            self.id,
            self.team_id,
            "run",
            lambda name, messages: Shape(name, "\n".join(m.content for m in messages), {}),
        )
        assert begun is not None
        return begun.id

    async def say(self, task_id: UUID, *words: str) -> None:
        await self.tell(task_id, *(LlmDelta(turn=1, text=word) for word in words))

    async def tell(self, task_id: UUID, *told: Event) -> None:
        async with self.database.writing() as connection:
            await events.append(connection, task_id, told)

    async def cut(self, task_id: UUID, reply: str) -> None:
        """End the exchange as one that was interrupted."""
        await self.execute(
            "UPDATE tasks SET result = jsonb_build_object('interrupted', true) WHERE id = :task_id",
            task_id=task_id,
        )
        await self.end(task_id, reply)

    async def end(self, task_id: UUID, reply: str | None) -> None:
        """Give the reply; without one the exchange fails."""
        status, failure = Status.COMPLETED, None
        if reply is None:
            status, failure = Status.FAILED, Failure(code="odd", message="It went wrong.")
        await self.execute(
            "UPDATE tasks SET result = coalesce(result, CAST('{}' AS jsonb)) "
            "|| jsonb_build_object('reply', CAST(:reply AS text)) WHERE id = :task_id",
            task_id=task_id,
            reply=reply,
        )
        close = TaskClose(
            task_id=task_id,
            team_id=self.team_id,
            run=1,
            status=status,
            failure=failure,
            agent_id=self.id,
        )
        assert await close_task(self.database, close)

    async def change(self, column: str) -> None:
        """Set a time of the agent to now, as pausing, terminating and deleting do."""
        await self.execute(
            f"""
            WITH agent AS (
                UPDATE agents SET {column} = now(), updated_at = now() WHERE id = :agent_id
                RETURNING id, team_id
            )
            SELECT pg_notify('{events.CHANNEL}', CAST(id AS text)),
                   pg_notify('{events.CHANNEL}', CAST(team_id AS text))
            FROM agent
            """,
            agent_id=self.id,
        )

    async def rows(self, statement: str) -> Sequence[Any]:
        """Those that a query gives, of which ``:id`` is the agent's id."""
        async with self.database.reading(fresh=True) as connection:
            return (await connection.execute(text(statement), {"id": self.id})).all()

    async def execute(self, statement: str, **values: object) -> None:
        async with self.database.writing() as connection:
            await connection.execute(text(statement), values)


async def row_agent(database: Database, team_id: UUID = DEFAULT_TEAM) -> RowAgent:
    agent = RowAgent(database, uuid4(), team_id, f"agent-{uuid4().hex[:8]}")
    await agent.execute(
        "INSERT INTO agents "
        "(id, team_id, name, definition, depth, message_seq, told_seq, exchanges) "
        "VALUES (:id, :team_id, :name, CAST('{}' AS jsonb), 0, 0, 0, 0)",
        id=agent.id,
        team_id=team_id,
        name=agent.name,
    )
    return agent
