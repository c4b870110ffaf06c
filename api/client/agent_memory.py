"""The calls of what agents that stay remember."""

from api.client.agent_ids import find_agent_id
from api.client.asking import Fields, asked, worded
from api.client.calls import Id, part
from api.client.queries import Filter, queried
from api.client.transport import Params, Transport
from api.wire.memory_requests import NoteRequest
from api.wire.responses.agent_memory import Note, Summary
from api.wire.responses.pages import Page


class AgentMemory:
    """``client.memory``. Agents are named as in
    ``client.agents``; calls raise as those of ``Client`` do."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def notes(
        self, /, agent_id: Id, params: Params | None = None, **filters: Filter
    ) -> Page[Note]:
        """A page of notes, the newest first; ``text`` are words that each has."""
        path = await self._path(agent_id, "notes")
        return await self._transport.call(
            "GET", path, Page[Note], params=queried(params, filters), repeatable=True
        )

    async def write(self, agent_id: Id, request: NoteRequest | Fields | str) -> Note:
        body = asked(NoteRequest, worded("text", request)).model_dump_json().encode()
        return await self._transport.call(
            "POST", await self._path(agent_id, "notes"), Note, body=body
        )

    async def delete(self, agent_id: Id, note_id: str) -> None:
        await self._transport.delete(await self._path(agent_id, "notes", note_id))

    async def summaries(
        self, /, agent_id: Id, params: Params | None = None, **filters: Filter
    ) -> Page[Summary]:
        """A page of summaries, the newest first."""
        path = await self._path(agent_id, "summaries")
        return await self._transport.call(
            "GET", path, Page[Summary], params=queried(params, filters), repeatable=True
        )

    async def _path(self, agent_id: Id, *parts: str) -> str:
        found = await find_agent_id(self._transport, agent_id)
        return "/agents/" + "/".join(map(part, (found, *parts)))
