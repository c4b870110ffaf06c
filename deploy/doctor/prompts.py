"""What a task would send to each model before its first word, and whether that fits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from activities.agents.prompts import first_message, system_prompt
from activities.llm.base import ChatMessage, ModelOptions
from activities.llm.conversation import Conversation
from activities.llm.models import PROMPT_SHARE, Models
from activities.skills.catalogue import Catalogue
from activities.store.database import Database
from activities.store.keys import DEFAULT_TEAM
from activities.store.mcp_tools import CallableTool, callable_tools
from activities.store.migrations.check import is_current
from activities.store.tools import ToolSetting, tool_settings
from activities.tokens import Tokens
from activities.tools.mcp.team_tools import offered_tool
from activities.tools.offered import OfferedTool, allowed_tools, native_tools
from deploy.doctor.tools import sound_tools
from deploy.local.machine import Finding
from deploy.offline_model import LABEL
from workflows.definitions.agent import Agent
from workflows.errors import AgentOSError
from workflows.errors.services import DatabaseOutdated

_PROMPT = "Say hello."
_REMEDY = (
    "Set AGENTOS_MODEL_CONTEXT_TOKENS if the model reads more; else use one with a longer context, "
    "or switch off tools that agents can do without (`agentos tools disable`)."
)


@dataclass(frozen=True, slots=True)
class PromptSources:
    """What prompts are made of. Without ``database_url``, the tools of servers are not known."""

    models: ModelOptions | None
    catalogue: Catalogue
    tool_folders: Sequence[Path] = ()
    has_search: bool = False
    database_url: str | None = field(default=None, repr=False)

    @property
    def named(self) -> Sequence[str | None]:
        """The models to look at; None is the one that the server names."""
        return (self.models and self.models.models) or (None,)


async def check_prompt(name: str, sources: PromptSources, model: str | None) -> Finding:
    """What agents of the default team would send. Without ``model``, it is the one that is used
    where none is named."""
    models = Models(sources.models or ModelOptions(), Tokens())
    try:
        if model is None and sources.models is not None:
            model = await models.default_model()
    except AgentOSError:
        return Finding(name, True, "not known: see `models`")
    finally:
        await models.close()
    skills = await sources.catalogue.skills()
    tools, note = await _offered(sources)
    messages = (
        ChatMessage("system", system_prompt(Agent(), tools.values(), skills, ())),
        ChatMessage("user", first_message(_PROMPT)),
    )
    sent = models.conversation(model or "", messages, [tool.spec for tool in tools.values()])
    context_tokens = models.context_tokens_of(model or "")
    left = round(context_tokens * PROMPT_SHARE) - sent.size_tokens()
    said = f"{model or LABEL} reads {context_tokens} tokens; {_told(sent)}; {max(left, 0)} are left"
    return Finding(name, left > 0, f"{said} for the conversation{note}", _REMEDY)


def _told(sent: Conversation) -> str:
    shares, offer = sent.shares(), sent.offer
    return (
        f"a task begins with {sent.size_tokens()}: system prompt {shares.system_prompt}, "
        f"skills {shares.skills} ({offer.skills} shown, {offer.hidden_skills} left out), "
        f"tools {shares.tools} ({len(sent.shown)} shown, {offer.hidden_tools} left out)"
    )


async def _offered(sources: PromptSources) -> tuple[Mapping[str, OfferedTool], str]:
    """The tools of the default team, and what is to be known of them."""
    settings: Mapping[str, ToolSetting] = {}
    stored: Sequence[CallableTool] = ()
    missing = None
    if sources.database_url is None:
        missing = "no stack is running"
    else:
        try:
            settings, stored = await _read(sources.database_url)
        except AgentOSError as error:
            missing = str(error).rstrip(".")
    registry = sound_tools(sources.tool_folders)
    active = native_tools(registry, settings) | {tool.name: offered_tool(tool) for tool in stored}
    note = f"; tools of MCP servers are not counted: {missing}" if missing else ""
    return allowed_tools(active, Agent(), has_search=sources.has_search), note


async def _read(url: str) -> tuple[Mapping[str, ToolSetting], Sequence[CallableTool]]:
    """What the default team says of native tools, and those that its servers have.

    Raises ``DatabaseRefused``, ``DatabaseOutdated``, ``TemporaryFailure``.
    """
    if not await is_current(url):
        raise DatabaseOutdated
    database = Database(url)
    try:
        settings = await tool_settings(database, DEFAULT_TEAM)
        return settings, await callable_tools(database, DEFAULT_TEAM)
    finally:
        await database.close()
