"""Agents that stay, over HTTP, as a user has them."""

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx

from tests.benchmarks.stage import Stage

AGENTS = "/api/v1/agents"
# Long enough that whoever waits for an answer is not in the way of what is measured.
_QUIET_SECONDS = 0.1
_POLL_SECONDS = 0.05
_PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Resident:
    stage: Stage
    id: str

    @classmethod
    async def create(cls, stage: Stage, model: str) -> "Resident":
        """One that is asleep: no workflow was ever started for it."""
        body = {"name": f"agent-{uuid4()}", "model": model}
        answer = (await stage.http.post(AGENTS, json=body)).raise_for_status()
        return cls(stage, answer.json()["id"])

    async def send(self, content: str, http: httpx.AsyncClient | None = None) -> str:
        """The id of the message. It goes over HTTP, or by ``http``."""
        path, body = f"{AGENTS}/{self.id}/messages", {"content": content}
        answer = await (http or self.stage.http).post(path, json=body)
        return str(answer.raise_for_status().json()["id"])

    async def answered(self, message_id: str) -> dict[str, Any]:
        """A message, once it is answered."""
        path = f"{AGENTS}/{self.id}/messages/{message_id}"
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while True:
                await asyncio.sleep(_POLL_SECONDS)
                message = (await self.stage.http.get(path)).raise_for_status().json()
                if message["status"] == "read":
                    return dict(message)

    async def look_ms(self, http: httpx.AsyncClient | None = None) -> float:
        """From the moment in which a message is sent until the agent begins to look for it: that is
        the beginning of the transaction in which it takes it. It has answered by the end."""
        began = time.time()
        message_id = await self.send("Are you there?", http)
        await asyncio.sleep(_QUIET_SECONDS)
        message = await self.answered(message_id)
        exchange = await self.stage.task(message["task_id"])
        taken_at = datetime.fromisoformat(exchange["created_at"]).timestamp()
        return (taken_at - began) * 1_000
