"""Agents that stay on a whole stack, as people have them: over HTTP."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from temporalio.client import Client, WorkflowHandle

from tests.doubles.scripted_models import Conversation
from tests.live import Live, until
from workflows.resident_contracts import agent_workflow_id
from workflows.states import AgentState


@dataclass(frozen=True, slots=True)
class LiveAgent:
    """An agent whose model says what its test wrote."""

    live: Live
    id: str
    name: str
    talk: Conversation

    async def send(
        self, content: str, *, key: str | None = None, status: int = 202, **more: object
    ) -> dict[str, Any]:
        """Post a message; gives the answer, which has this status."""
        answer = await self.try_to_send(content, key=key, **more)
        assert answer.status_code == status, answer.text
        return dict(answer.json())

    async def try_to_send(
        self, content: str, *, key: str | None = None, **more: object
    ) -> httpx.Response:
        headers = {"Idempotency-Key": key} if key else {}
        body = {"content": content, **more}
        return await self.live.http.post(f"{self._url}/messages", json=body, headers=headers)

    async def do(self, act: str, status: int = 200, **body: object) -> dict[str, Any]:
        """Pause, resume, restart, interrupt, terminate; gives the agent as it is then."""
        answer = await self.live.http.post(f"{self._url}/{act}", json=body or None)
        assert answer.status_code == status, answer.text
        return dict(answer.json())

    async def delete(self) -> int:
        return (await self.live.http.delete(self._url)).status_code

    async def show(self) -> dict[str, Any]:
        answer = await self.live.http.get(self._url)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def inbox(self) -> Sequence[dict[str, Any]]:
        """All of it, in order."""
        items: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            page = {"limit": 200} if cursor is None else {"limit": 200, "cursor": cursor}
            answer = await self.live.http.get(f"{self._url}/messages", params=page)
            assert answer.status_code == 200, answer.text
            items += answer.json()["items"]
            cursor = answer.json()["next_cursor"]
            if cursor is None:
                return sorted(items, key=lambda item: int(item["seq"]))

    async def replies(self) -> list[str]:
        return [item["content"] for item in await self.inbox() if item["kind"] == "reply"]

    async def exchanges(self) -> Sequence[dict[str, Any]]:
        """Its tasks, the oldest first."""
        params = {"parent_id": self.id, "limit": 200}
        answer = await self.live.http.get("/api/v1/tasks", params=params)
        assert answer.status_code == 200, answer.text
        return list(reversed(answer.json()["items"]))

    async def exchange(self) -> dict[str, Any]:
        """The last one, whole."""
        return await self.live.task((await self.exchanges())[-1]["task_id"])

    async def replied(self, *replies: str, seconds: float = 60) -> None:
        """Return once these are all its replies."""
        said: list[str] = []

        async def holds() -> bool:
            said[:] = await self.replies()
            return len(said) >= len(replies)

        await until(holds, seconds, what=lambda: f"{said} of {replies}")
        assert said == list(replies)

    async def gets(self, state: AgentState, seconds: float = 60) -> dict[str, Any]:
        """The agent, once it is in this state."""
        shown: dict[str, Any] = {}

        async def holds() -> bool:
            shown.update(await self.show())
            return bool(shown["state"] == state)

        await until(holds, seconds, what=lambda: f"{shown}")
        return shown

    async def workflow(self) -> WorkflowHandle[Any, Any]:
        client = await Client.connect(self.live.services.temporal_address)
        return client.get_workflow_handle(agent_workflow_id(UUID(self.id)))

    @property
    def _url(self) -> str:
        return f"/api/v1/agents/{self.id}"


async def live_agent(live: Live, talk: Conversation, **more: object) -> LiveAgent:
    """A new agent, whose model is known by its goal."""
    name = f"agent-{uuid4().hex[:8]}"
    body: Mapping[str, object] = {"name": name, "profile": {"goal": talk.prompt()}, **more}
    answer = await live.http.post("/api/v1/agents", json=body)
    assert answer.status_code == 201, answer.text
    return LiveAgent(live, answer.json()["id"], name, talk)


async def execute(live: Live, statement: str, **values: object) -> None:
    """Change a row behind everybody's back."""
    async with _connecting(live) as connection:
        await connection.execute(text(statement), values)


@asynccontextmanager
async def _connecting(live: Live) -> AsyncIterator[Any]:
    engine = create_async_engine(live.services.database_url)
    try:
        async with engine.begin() as connection:
            yield connection
    finally:
        await engine.dispose()
