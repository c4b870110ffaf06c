"""Agents that stay, whose exchanges a test begins and ends in place of a worker."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx

from activities.residents.prompts import shape
from activities.store import events, inbox
from activities.store.database import Database
from activities.store.exchanges import BegunExchange, begin_exchange
from activities.store.inbox import NewMessage, Posted
from activities.store.keys import DEFAULT_TEAM
from activities.store.tasks import close_task
from tests.integration.api_stage import Stage
from tests.integration.resident_rows import new_agent, read, write
from workflows.contracts import Failure, TaskClose
from workflows.events import Event, LlmDelta
from workflows.states import AgentState, Status

EXECUTION = "of a test"
FAILURE = Failure(code="odd", message="It went wrong.")


async def begin(
    database: Database, agent_id: UUID, team_id: UUID = DEFAULT_TEAM
) -> BegunExchange | None:
    """An agent takes what is unread, if there is anything and it may."""
    begun = await begin_exchange(database, agent_id, team_id, EXECUTION, shape)
    if begun is not None:
        await write(
            database,
            "UPDATE tasks SET status = 'running', started_at = now() WHERE id = :id",
            id=begun.id,
        )
    return begun


async def end(
    database: Database,
    agent_id: UUID,
    task_id: UUID,
    reply: str | None,
    *,
    team_id: UUID = DEFAULT_TEAM,
    is_cut: bool = False,
) -> None:
    """An exchange ends with a reply, maybe as one that was interrupted; without one it fails."""
    if reply is not None:
        result: dict[str, Any] = {"reply": reply, **({"interrupted": True} if is_cut else {})}
        await write(
            database,
            "UPDATE tasks SET result = CAST(:result AS jsonb) WHERE id = :id",
            result=events.as_json(result),
            id=task_id,
        )
    close = TaskClose(
        task_id=task_id,
        team_id=team_id,
        run=1,
        status=Status.FAILED if reply is None else Status.COMPLETED,
        failure=FAILURE if reply is None else None,
        agent_id=agent_id,
    )
    assert await close_task(database, close)


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
        begun = await begin(self.database, self.id, self.team_id)
        assert begun is not None
        return begun.id

    async def say(self, task_id: UUID, *words: str) -> None:
        await self.tell(task_id, *(LlmDelta(turn=1, text=word) for word in words))

    async def tell(self, task_id: UUID, *told: Event) -> None:
        async with self.database.writing() as connection:
            await events.append(connection, task_id, told)

    async def cut(self, task_id: UUID, reply: str) -> None:
        """End the exchange as one that was interrupted."""
        await end(self.database, self.id, task_id, reply, team_id=self.team_id, is_cut=True)

    async def end(self, task_id: UUID, reply: str | None) -> None:
        """Give the reply; without one the exchange fails."""
        await end(self.database, self.id, task_id, reply, team_id=self.team_id)

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
        return await read(self.database, statement, id=self.id)

    async def execute(self, statement: str, **values: object) -> None:
        await write(self.database, statement, **values)


async def row_agent(database: Database, team_id: UUID = DEFAULT_TEAM) -> RowAgent:
    name = f"agent-{uuid4().hex[:8]}"
    return RowAgent(database, await new_agent(database, name=name, team_id=team_id), team_id, name)


@dataclass(frozen=True, slots=True)
class Residents:
    """The agents of a team, over the API of a stage without a worker."""

    stage: Stage
    http: httpx.AsyncClient
    team_id: UUID = DEFAULT_TEAM

    async def create(self, **more: Any) -> str:
        body = {"name": f"agent {uuid4()}"[:40], **more}
        answer = await self.http.post("/agents", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def show(self, agent_id: str) -> dict[str, Any]:
        answer = await self.http.get(f"/agents/{agent_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def send(self, agent_id: str, content: str = "Hello", **more: Any) -> dict[str, Any]:
        body = {"content": content, **more}
        answer = await self.http.post(f"/agents/{agent_id}/messages", json=body)
        assert answer.status_code == 202, answer.text
        return dict(answer.json())

    async def begin(self, agent_id: str) -> UUID:
        """Have it take what is unread; the task of the exchange."""
        begun = await begin(self.stage.database, UUID(agent_id), self.team_id)
        assert begun is not None
        return begun.id

    async def reply(self, agent_id: str, text: str) -> None:
        """End the present exchange with a reply."""
        await self._end(agent_id, text)

    async def fail(self, agent_id: str) -> None:
        """Have it end badly what it answers now."""
        await self._end(agent_id, None)

    async def in_state(self, state: AgentState) -> str:
        """A new agent in this state. One that is paused was answering."""
        agent_id = await self.create()
        if state is not AgentState.IDLE:
            await self.send(agent_id)
            await self.begin(agent_id)
        match state:
            case AgentState.PAUSED:
                await self.http.post(f"/agents/{agent_id}/pause")
            case AgentState.ERROR:
                await self.fail(agent_id)
            case AgentState.TERMINATED:
                await self.http.post(f"/agents/{agent_id}/terminate")
        assert (await self.show(agent_id))["state"] == state
        return agent_id

    async def _end(self, agent_id: str, reply: str | None) -> None:
        task_id = await self.begin(agent_id)
        await end(self.stage.database, UUID(agent_id), task_id, reply, team_id=self.team_id)
