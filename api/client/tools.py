"""The calls of tools, skills, breakers and kept results."""

from api.client.asking import Fields, asked
from api.client.calls import Calls, json_of, part
from api.client.queries import Filter, queried
from api.client.transport import Params
from api.wire.requests import BreakerDecision, ClearRequest, ToolChange, ToolRegistration
from api.wire.responses.breakers import Breaker
from api.wire.responses.cache import Cleared, KeptResult
from api.wire.responses.pages import Page
from api.wire.responses.skills import Skill, SkillList
from api.wire.responses.tools import RegisteredServer, Tool

# A server may have to be fetched before it starts. This is longer than it may take.
REGISTRATION_TIMEOUT_SECONDS = 1_900.0


class ToolCalls(Calls):
    """Part of ``Client``."""

    async def tools(self, /, params: Params | None = None, **filters: Filter) -> Page[Tool]:
        """A page of tools, by name."""
        return await self._get("/tools", Page[Tool], queried(params, filters))

    async def register_tools(self, request: ToolRegistration | Fields) -> RegisteredServer:
        """Register an MCP server, which is started for it: that may take a minute."""
        return await self._transport.call(
            "POST",
            "/tools/register",
            RegisteredServer,
            body=json_of(asked(ToolRegistration, request)),
            timeout_seconds=REGISTRATION_TIMEOUT_SECONDS,
        )

    async def remove_tools(self, name: str) -> None:
        """Remove an MCP server, ``mcp.<name>``, with its tools."""
        await self._transport.delete(f"/tools/{part(name)}")

    async def change_tool(self, name: str, change: ToolChange | Fields) -> Tool:
        wanted = asked(ToolChange, change)
        return await self._transport.call(
            "PATCH",
            f"/tools/{part(name)}",
            Tool,
            body=wanted.model_dump_json(exclude_unset=True).encode(),  # null has a meaning
            repeatable=True,
        )

    async def cache(self, /, params: Params | None = None, **filters: Filter) -> Page[KeptResult]:
        """A page of the results that equal steps are given, newest first."""
        return await self._get("/cache", Page[KeptResult], queried(params, filters))

    async def clear_cache(self, request: ClearRequest | Fields) -> Cleared:
        return await self._post("/cache/clear", Cleared, asked(ClearRequest, request))

    async def breakers(self, /, params: Params | None = None, **filters: Filter) -> Page[Breaker]:
        """A page of the breakers that are not closed, or opened in the last day, by name."""
        return await self._get("/breakers", Page[Breaker], queried(params, filters))

    async def open_breaker(self, name: str, decision: BreakerDecision | Fields) -> Breaker:
        return await self._decide_breaker(name, "open", decision)

    async def close_breaker(self, name: str, decision: BreakerDecision | Fields) -> Breaker:
        return await self._decide_breaker(name, "close", decision)

    async def _decide_breaker(
        self, name: str, verb: str, decision: BreakerDecision | Fields
    ) -> Breaker:
        path, body = f"/breakers/{part(name)}/{verb}", json_of(asked(BreakerDecision, decision))
        return await self._transport.call("POST", path, Breaker, body=body)

    async def skills(self) -> SkillList:
        return await self._get("/skills", SkillList)

    async def skill(self, name: str) -> Skill:
        return await self._get(f"/skills/{part(name)}", Skill)
