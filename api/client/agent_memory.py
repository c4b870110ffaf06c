"""The calls of what agents that stay remember."""

from api.client.asking import Fields, asked
from api.client.calls import part
from api.client.transport import Params, Transport
from api.wire.memory_requests import NoteRequest
from api.wire.responses.agent_memory import Note, Summary
from api.wire.responses.pages import Page


class AgentMemory:
    """``client.memory``. Agents are named by their ids; calls raise as those of ``Client`` do."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def notes(self, agent_id: str, params: Params | None = None) -> Page[Note]:
        """A page of notes, the newest first; ``text`` are words that each has."""
        path = _path(agent_id, "notes")
        return await self._transport.call("GET", path, Page[Note], params=params, repeatable=True)

    async def write(self, agent_id: str, request: NoteRequest | Fields) -> Note:
        body = asked(NoteRequest, request).model_dump_json().encode()
        return await self._transport.call("POST", _path(agent_id, "notes"), Note, body=body)

    async def delete(self, agent_id: str, note_id: str) -> None:
        await self._transport.delete(_path(agent_id, "notes", note_id))

    async def summaries(self, agent_id: str, params: Params | None = None) -> Page[Summary]:
        """A page of summaries, the newest first."""
        path = _path(agent_id, "summaries")
        return await self._transport.call(
            "GET", path, Page[Summary], params=params, repeatable=True
        )


def _path(agent_id: str, *parts: str) -> str:
    return "/agents/" + "/".join(map(part, (agent_id, *parts)))
