"""Which breakers there are for people to decide on."""

import asyncio
import re
from collections.abc import Collection

from activities.llm.models import OPENAI_DEFAULT_MODEL, load_client, open_endpoint
from activities.store import breakers
from activities.store.audit import Actor
from activities.store.breakers import BreakerKey
from activities.store.tools import is_known_tool
from api.errors import BreakerNotFound
from api.services import Services
from workflows.definitions import mcp_server
from workflows.errors import AgentOSError

_NAME = re.compile(r"(?s)(tool|mcp|model):(.{1,200})")
_PATIENCE_SECONDS = 5.0
_NAMED_MODELS = 5


async def check_breaker_name(services: Services, actor: Actor, name: str) -> None:
    """Raises ``BreakerNotFound``: else there would be breakers of whatever is mistyped."""
    parts = _NAME.fullmatch(name)
    models: Collection[str] | None = ()
    if parts is not None:
        kind, named = parts.groups()
        if kind == "model":
            models = await _models(services)
            is_known = models is None or named in models
        else:
            is_known = await _is_tool(services, actor, kind, named)
        if is_known or await breakers.find(services.database, BreakerKey(actor.team_id, name)):
            return
    hint = f" Models: {', '.join(sorted(models)[:_NAMED_MODELS])}." if models else ""
    raise BreakerNotFound(name=repr(name[:100]), hint=hint)


async def _is_tool(services: Services, actor: Actor, kind: str, named: str) -> bool:
    if kind == "tool" and named in services.tools.tools:
        return True
    row = named if kind == "tool" else f"{mcp_server.PREFIX}{named}"
    return await is_known_tool(services.database, actor.team_id, row)


async def _models(services: Services) -> Collection[str] | None:
    """Those of the settings, or else of their server. None: nobody can tell, as the settings name
    no server, or it is away, which is when a person may want to open its breaker."""
    options = services.models
    if options is None:
        return None
    if options.models:
        return options.models
    await load_client()
    endpoint = open_endpoint(options)
    try:
        if endpoint.is_openai:
            return (OPENAI_DEFAULT_MODEL,)
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return await endpoint.models()
    except (AgentOSError, TimeoutError):
        return None
    finally:
        await endpoint.close()
