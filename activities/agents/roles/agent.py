"""A model that works on a task with tools."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pydantic import JsonValue

from activities.agents.prompts import system_prompt
from activities.agents.roles.base import Role, RoleTurn
from activities.patience import patiently
from activities.tools.finish import FINISH
from activities.tools.offered import OfferedTool
from activities.tools.skills import AllowedSkills
from activities.tools.working_files import WorkingFiles, working_files
from workflows.definitions.agent import Agent
from workflows.states import TaskType


class AgentRole(Role):
    task_type = TaskType.AGENT

    def agent(self, turn: RoleTurn) -> Agent:
        return Agent.model_validate(turn.begun.definition)

    async def offered(self, turn: RoleTurn) -> Mapping[str, OfferedTool]:
        agent = self.agent(turn)
        offered = await self._toolbox.offered(
            turn.begun.team_id, agent, is_first_turn=turn.is_first
        )
        if not agent.output_files:
            return offered

        async def missing(_: Mapping[str, JsonValue]) -> Sequence[tuple[str, str]]:
            made = {file.name for file in (await self._files(turn)).files if not file.is_input}
            return [
                ("", f"you have not made {name!r} yet, which has to be there")
                for name in agent.output_files
                if name not in made
            ]

        return {**offered, FINISH: replace(offered[FINISH], check=missing)}

    async def system(self, turn: RoleTurn, offered: Mapping[str, OfferedTool]) -> str:
        agent = self.agent(turn)
        files = await self._files(turn)
        skills = await AllowedSkills(self._equipment.catalogue, agent.skills).all()
        return system_prompt(agent, offered.values(), skills, files.files)

    async def _files(self, turn: RoleTurn) -> WorkingFiles:
        database, team_id = self._equipment.database, turn.begun.team_id
        return await patiently(lambda: working_files(database, turn.call.task_id, team_id))


ROLE = AgentRole
