"""Tools, and the MCP servers that bring them."""

from pydantic import ConfigDict, Field, JsonValue

from api.wire.responses.base import Answer
from workflows.open_values import Open
from workflows.states import Permission, ToolType


class Tool(Answer):
    """``schema`` is the JSON schema of its arguments."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    name: str
    type: Open[ToolType]
    description: str
    schema_: dict[str, JsonValue] = Field(alias="schema")
    is_active: bool
    permission_level: Open[Permission]


class RegisteredServer(Answer):
    """``server`` is ``mcp.<name>``. ``refused`` lists the tools that were left out, and why."""

    server: Tool
    tools: list[Tool]
    refused: list[str]
