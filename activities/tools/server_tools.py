"""The tools of servers that an agent may find."""

from collections.abc import Mapping
from uuid import UUID

from activities.tools.offered import OfferedTool
from activities.tools.selection import is_allowed
from activities.tools.toolbox import Toolbox
from workflows.definitions.agent import Agent


class AllowedServerTools:
    """The tools of servers that ``agent`` may call, whether it was shown them or not."""

    def __init__(self, toolbox: Toolbox, team_id: UUID, agent: Agent) -> None:
        self._toolbox = toolbox
        self._team_id = team_id
        self._agent = agent

    async def all(self) -> Mapping[str, OfferedTool]:
        """By name."""
        offered = await self._toolbox.offered(self._team_id, self._agent)
        return {name: tool for name, tool in offered.items() if tool.source is not None}

    def allows(self, name: str) -> bool:
        """Whether the agent may use a tool at all, of a server or native."""
        return is_allowed(self._agent, name)
