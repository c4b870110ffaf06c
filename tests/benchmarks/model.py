"""A model that answers by a script: at once, or at a steady pace, and always the same."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

Reply = dict[str, object]


@dataclass(frozen=True, slots=True)
class ScriptedModels:
    """The server of such models. ``base_url`` is what OPENAI_BASE_URL is set to."""

    base_url: str

    async def add(self, name: str, replies: Sequence[Reply]) -> str:
        """Register a model that gives these replies over and over; gives its full name."""
        body = {"id": name, "replies": list(replies), "repeats": True}
        async with self._client() as client:
            answer = await client.post("/scripts", json=body)
        answer.raise_for_status()
        return str(answer.json()["model"])

    async def last_request(self, name: str) -> dict[str, object]:
        """The body of the last request that a model was sent."""
        async with self._client() as client:
            answer = await client.get(f"/scripts/{name}/requests", timeout=60)
        answer.raise_for_status()
        last: dict[str, object] = answer.json()["requests"][-1]["body"]
        return last

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.base_url.removesuffix("/v1"), trust_env=False)


@asynccontextmanager
async def scripted_models() -> AsyncIterator[ScriptedModels]:
    """Serve them from a process of its own while the block runs."""
    command = ("deploy.cli", "model", "--port", "0", "--allow-scripts")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *command, stderr=asyncio.subprocess.PIPE
    )
    try:
        assert process.stderr is not None
        ready = (await process.stderr.readline()).decode()
        yield ScriptedModels(ready.split()[-1])
    finally:
        process.terminate()
        await process.wait()


def call(tool: str, **arguments: object) -> Reply:
    """A reply that calls a tool, with a few words before."""
    calls = [{"name": tool, "arguments": arguments}]
    return {"kind": "answer", "text": ["I look ", "at it."], "calls": calls}


def say(*tokens: str) -> Reply:
    """A reply of words alone, which is the answer of an agent that stays."""
    return {"kind": "answer", "text": list(tokens), "calls": []}


def finish(*tokens: str, pause_seconds: float = 0.0) -> Reply:
    """The last reply of a task: words, one token a chunk, and the call of ``finish``."""
    calls = [{"name": "finish", "arguments": {"summary": "Done."}}]
    answer = {"kind": "answer", "text": list(tokens), "calls": calls}
    return {**answer, "pause_seconds": pause_seconds}
