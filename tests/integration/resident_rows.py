"""Agents that stay, whose exchanges a test begins and ends in place of a worker."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx

from activities.store.exchanges import BegunExchange, Shape, UnreadMessage, begin_exchange
from activities.store.keys import DEFAULT_TEAM
from activities.store.tasks import close_task
from tests.integration.api_stage import Stage
from workflows.contracts import Failure, TaskClose
from workflows.states import AgentState, Status

EXECUTION = "of a test"
FAILURE = Failure(code="turns-used-up", message="It went on for too long.")


@dataclass(frozen=True, slots=True)
class Residents:
    """The agents of a team on a stage without a worker."""

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

    async def take(self, agent_id: str) -> UUID:
        """Begin an exchange with what is unread; the id of its task."""
        begun = await begin_exchange(
            self.stage.database, UUID(agent_id), self.team_id, EXECUTION, shape
        )
        assert isinstance(begun, BegunExchange)
        await self.stage.execute(
            "UPDATE tasks SET status = 'running', started_at = now() WHERE id = :id", id=begun.id
        )
        return begun.id

    async def reply(self, agent_id: str, text: str) -> None:
        """End the present exchange with a reply."""
        task_id = await self.take(agent_id)
        await self.stage.execute(
            "UPDATE tasks SET result = jsonb_build_object('reply', CAST(:text AS text))"
            " WHERE id = :id",
            text=text,
            id=task_id,
        )
        await self.end(agent_id, task_id, Status.COMPLETED)

    async def end(self, agent_id: str, task_id: UUID, status: Status) -> None:
        close = TaskClose(
            task_id=task_id,
            team_id=self.team_id,
            run=1,
            status=status,
            failure=None if status is Status.COMPLETED else FAILURE,
            agent_id=UUID(agent_id),
        )
        assert await close_task(self.stage.database, close)

    async def fail(self, agent_id: str) -> None:
        """Have it end badly what it answers now."""
        await self.end(agent_id, await self.take(agent_id), Status.FAILED)

    async def in_state(self, state: AgentState) -> str:
        """A new agent in this state. One that is paused was answering."""
        agent_id = await self.create()
        if state is not AgentState.IDLE:
            await self.send(agent_id)
            await self.take(agent_id)
        match state:
            case AgentState.PAUSED:
                await self.http.post(f"/agents/{agent_id}/pause")
            case AgentState.ERROR:
                await self.fail(agent_id)
            case AgentState.TERMINATED:
                await self.http.post(f"/agents/{agent_id}/terminate")
        assert (await self.show(agent_id))["state"] == state
        return agent_id


def shape(name: str, messages: Sequence[UnreadMessage]) -> Shape:
    attachments = {name: ref for each in messages for name, ref in each.attachments.items()}
    return Shape(name, "\n".join(each.content for each in messages), attachments)
