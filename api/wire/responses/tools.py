"""Tools, and the MCP servers that bring them."""

from datetime import datetime

from pydantic import ConfigDict, Field, JsonValue

from api.wire.responses.base import Answer
from workflows.definitions.fallback import Fallback
from workflows.open_values import Open
from workflows.states import Permission, ToolType


class ChangedTool(Answer):
    """What a tool was before its server changed it, ``at`` a time."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    at: datetime
    description: str
    schema_: dict[str, JsonValue] = Field(alias="schema")

    @property
    def schema(self) -> dict[str, JsonValue]:  # type: ignore[override]  # pydantic's is deprecated
        return self.schema_


class CheckedServer(Answer):
    """How a server answered ``at`` a time: with ``tools``, or not, for the reason in ``error``."""

    at: datetime
    tools: int
    duration_ms: int
    error: str | None = None


class Tool(Answer):
    """``schema`` is the JSON schema of its arguments.

    ``refused`` lists the tools of an MCP server that are left out, and why. ``changed`` is set when
    the server has changed the definition of a tool; a change of the tool's settings clears it. Of
    its calls ``max_running`` may run at once, and ``calls_per_minute`` be made; null is no limit.
    ``fallback`` is called in its place while its breaker is open. ``is_server``: it is no tool, but
    an MCP server; ``checked`` is how that answered when somebody asked last. ``is_own``: it is a
    function of the house that runs AgentOS.
    """

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    name: str
    type: Open[ToolType]
    description: str
    schema_: dict[str, JsonValue] = Field(alias="schema")
    is_active: bool
    permission_level: Open[Permission]
    refused: tuple[str, ...] = ()
    changed: ChangedTool | None = None
    max_running: int | None = None
    calls_per_minute: int | None = None
    fallback: Fallback | None = None
    is_server: bool = False
    is_own: bool = False
    checked: CheckedServer | None = None

    @property
    def schema(self) -> dict[str, JsonValue]:  # type: ignore[override]  # pydantic's is deprecated
        return self.schema_


class RegisteredServer(Answer):
    """``server`` is ``mcp.<name>``. ``refused`` lists the tools that were left out, and why."""

    server: Tool
    tools: list[Tool]
    refused: list[str]
