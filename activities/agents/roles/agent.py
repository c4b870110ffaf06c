"""A model that works on a task with tools."""

from collections.abc import Mapping

from activities.agents.prompts import system_prompt
from activities.agents.roles.base import Role, RoleTurn
from activities.patience import patiently
from activities.tools.offered import OfferedTool
from activities.tools.skills import AllowedSkills
from activities.tools.working_files import working_files
from workflows.definitions.agent import Agent
from workflows.states import TaskType


class AgentRole(Role):
    task_type = TaskType.AGENT

    def agent(self, turn: RoleTurn) -> Agent:
        return Agent.model_validate(turn.begun.definition)

    async def offered(self, turn: RoleTurn) -> Mapping[str, OfferedTool]:
        return await self._toolbox.offered(
            turn.begun.team_id, self.agent(turn), is_first_turn=turn.is_first
        )

    async def system(self, turn: RoleTurn, offered: Mapping[str, OfferedTool]) -> str:
        agent = self.agent(turn)
        database, begun = self._equipment.database, turn.begun
        files = await patiently(lambda: working_files(database, turn.call.task_id, begun.team_id))
        skills = await AllowedSkills(self._equipment.catalogue, agent.skills).all()
        return system_prompt(agent, offered.values(), skills, files.files)


ROLE = AgentRole
