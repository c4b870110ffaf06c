"""Tools: what there is, and what the team says about it."""

from fastapi import APIRouter

from activities.store.tools import ToolSetting, set_native_tool, tool_settings
from activities.tools.registry import Tool
from api import schemas
from api.deps import ServicesDep, TeamDep
from api.errors import NotFound
from api.schemas import Page, ToolChange
from workflows.contracts import ToolType

router = APIRouter(prefix="/tools", tags=["tools"])


@router.get("")
async def list_tools(services: ServicesDep, team_id: TeamDep) -> Page[schemas.Tool]:
    """Every tool with its arguments, by name."""
    settings = await tool_settings(services.database, team_id)
    return Page(
        items=[
            _view(tool, settings.get(name, ToolSetting()))
            for name, tool in services.tools.tools.items()
        ]
    )


@router.patch("/{name}")
async def change_tool(
    name: str, change: ToolChange, services: ServicesDep, team_id: TeamDep
) -> schemas.Tool:
    """Switch a tool on or off for the team, or say whether somebody is asked before it runs."""
    tool = services.tools.tools.get(name)
    if tool is None:
        raise NotFound(kind="tool", id=repr(name[:100]))
    setting = await set_native_tool(
        services.database,
        team_id,
        name,
        is_active=change.is_active,
        permission_level=change.permission_level,
    )
    return _view(tool, setting)


def _view(tool: Tool, setting: ToolSetting) -> schemas.Tool:
    return schemas.Tool(
        name=tool.name,
        type=ToolType.NATIVE,
        description=tool.description,
        schema_=tool.schema,
        is_active=setting.is_active,
        permission_level=setting.permission_level,
    )
