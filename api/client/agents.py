"""The calls of agents that stay, of their messages, and of templates."""

from pydantic import BaseModel

from api.client.agent_ids import find_agent_id
from api.client.asking import Fields, Key, asked, keyed, worded
from api.client.calls import Id, part
from api.client.queries import Filter, queried
from api.client.transport import (
    ANSWER_TIMEOUT_SECONDS,
    Answer,
    Params,
    Transport,
)
from api.wire.agent_requests import (
    AgentChange,
    AgentRequest,
    MessageRequest,
    RestartRequest,
    TemplateRequest,
    TerminateRequest,
)
from api.wire.responses.agents import (
    Agent,
    AgentMessage,
    AgentTemplate,
    MessageSent,
    TemplateList,
)
from api.wire.responses.pages import Page


class Agents:
    """``client.agents``. An agent goes by its name, its id, or six or more characters of that:
    ``AgentUnknown`` and ``AgentAmbiguous`` say that it is none, or not one. Calls raise as those of
    ``Client`` do."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def create(self, request: AgentRequest | Fields, *, idempotency_key: Key = None) -> Agent:
        """Make an agent. An answer that is lost on the way makes no second one."""
        wanted, headers = asked(AgentRequest, request), keyed(idempotency_key)
        return await self._call("POST", "/agents", Agent, wanted, headers=headers, repeatable=True)

    async def list(self, /, params: Params | None = None, **filters: Filter) -> Page[Agent]:
        """A page of agents, the newest first. ``params`` are the query of ``GET /agents``."""
        return await self._get("/agents", Page[Agent], queried(params, filters))

    async def find_id(self, agent_id: Id) -> str:
        """The id of the agent that is meant."""
        return await find_agent_id(self._transport, agent_id)

    async def show(self, agent_id: Id) -> Agent:
        return await self._get(await self._path(agent_id), Agent)

    async def children(
        self, /, agent_id: Id, params: Params | None = None, **filters: Filter
    ) -> Page[Agent]:
        """A page of the agents that an agent has made, the newest first."""
        return await self._get(
            await self._path(agent_id, "children"), Page[Agent], queried(params, filters)
        )

    async def change(self, agent_id: Id, change: AgentChange | Fields) -> Agent:
        """Change an agent from its next turn on. What is not set stays as it is."""
        wanted = asked(AgentChange, change)
        return await self._call("PATCH", await self._path(agent_id), Agent, wanted, repeatable=True)

    async def pause(self, agent_id: Id) -> Agent:
        return await self._call("POST", await self._path(agent_id, "pause"), Agent)

    async def resume(self, agent_id: Id) -> Agent:
        return await self._call("POST", await self._path(agent_id, "resume"), Agent)

    async def restart(self, agent_id: Id, request: RestartRequest | Fields) -> Agent:
        """Let an agent whose last turn ended badly go on."""
        wanted = asked(RestartRequest, request)
        return await self._call("POST", await self._path(agent_id, "restart"), Agent, wanted)

    async def interrupt(self, agent_id: Id) -> Agent:
        """Cut the answer short that an agent is giving."""
        return await self._call("POST", await self._path(agent_id, "interrupt"), Agent)

    async def terminate(self, agent_id: Id, request: TerminateRequest | Fields) -> Agent:
        wanted = asked(TerminateRequest, request)
        return await self._call("POST", await self._path(agent_id, "terminate"), Agent, wanted)

    async def delete(self, agent_id: Id) -> None:
        """Delete an agent that is terminated."""
        await self._transport.delete(await self._path(agent_id))

    async def send(
        self,
        agent_id: Id,
        request: MessageRequest | Fields | str,
        *,
        wait_seconds: int = 0,
        idempotency_key: Key = None,
    ) -> MessageSent:
        """Write to an agent, a text or all that a message may have, and wait up to 60 seconds for
        its reply. The same key is the same message, so whoever waits for longer sends it again."""
        wanted = asked(MessageRequest, worded("content", request))
        return await self._call(
            "POST",
            await self._path(agent_id, "messages"),
            MessageSent,
            wanted,
            headers=keyed(idempotency_key),
            params={"wait": wait_seconds} if wait_seconds else None,
            repeatable=True,
            timeout_seconds=ANSWER_TIMEOUT_SECONDS + wait_seconds,
        )

    async def messages(
        self, /, agent_id: Id, params: Params | None = None, **filters: Filter
    ) -> Page[AgentMessage]:
        """The last page of messages and replies; the next one is what was before them."""
        return await self._get(
            await self._path(agent_id, "messages"), Page[AgentMessage], queried(params, filters)
        )

    async def message(self, agent_id: Id, message_id: str) -> AgentMessage:
        return await self._get(await self._path(agent_id, "messages", message_id), AgentMessage)

    async def withdraw(self, agent_id: Id, message_id: str) -> None:
        """Take back a message that the agent has not begun to read."""
        await self._transport.delete(await self._path(agent_id, "messages", message_id))

    async def templates(self) -> TemplateList:
        """All of them, by name, and files that cannot be used."""
        return await self._get("/agent-templates", TemplateList)

    async def template(self, name: str) -> AgentTemplate:
        return await self._get(_template(name), AgentTemplate)

    async def set_template(self, name: str, request: TemplateRequest | Fields) -> AgentTemplate:
        wanted = asked(TemplateRequest, request)
        return await self._call("PUT", _template(name), AgentTemplate, wanted, repeatable=True)

    async def delete_template(self, name: str) -> None:
        await self._transport.delete(_template(name))

    async def _path(self, agent_id: Id, *parts: str) -> str:
        found = await find_agent_id(self._transport, agent_id)
        return "/".join(["/agents", *map(part, (found, *parts))])

    async def _get(self, path: str, answer: type[Answer], params: Params | None = None) -> Answer:
        return await self._transport.call("GET", path, answer, params=params, repeatable=True)

    async def _call(
        self,
        method: str,
        path: str,
        answer: type[Answer],
        request: BaseModel | None = None,
        **options: object,
    ) -> Answer:
        body = None
        if request is not None:  # A null has a meaning: every skill, any model.
            body = request.model_dump_json(by_alias=True, exclude_unset=True).encode()
        return await self._transport.call(method, path, answer, body=body, **options)  # type: ignore[arg-type]


def _template(name: str) -> str:
    return f"/agent-templates/{part(name)}"
