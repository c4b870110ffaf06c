"""A model that chooses what a task is."""

import json
from collections.abc import Mapping
from dataclasses import replace

from pydantic import JsonValue

from activities.agents.answer import Judged, SoundCall, judge
from activities.agents.roles.base import Role, RoleTurn
from activities.agents.router_prompt import (
    CALL_ONCE,
    COMPILE_DESCRIPTION,
    CREATE_DESCRIPTION,
    FALL_BACK,
    NO_CALL,
    calls_named,
    compilation_schema,
    creation_schema,
    router_prompt,
)
from activities.llm.base import Answer, ToolRequest
from activities.patience import patiently
from activities.routes.choices import COMPILE_PIPELINE, CREATE_TASK, fallback
from activities.routes.grounds import Grounds
from activities.skills.usages import usages
from activities.tools.offered import OfferedTool
from activities.tools.skills import AllowedSkills
from activities.tools.working_files import working_files
from workflows.definitions.agent import Agent
from workflows.definitions.auto import MAX_ANSWERS, Auto
from workflows.states import TaskType

_WHY_CHARACTERS = 1_000


class RouterRole(Role):
    task_type = TaskType.AUTO

    def agent(self, turn: RoleTurn) -> Agent:
        return Auto.model_validate(turn.begun.definition).as_agent

    async def offered(self, turn: RoleTurn) -> Mapping[str, OfferedTool]:
        grounds = await self._grounds(turn, is_fresh=turn.is_first)
        choices = {
            CREATE_TASK: OfferedTool(
                CREATE_TASK,
                CREATE_DESCRIPTION,
                creation_schema(),
                made_as="route",
                check=grounds.problems_with_creation,
            )
        }
        if grounds.may_be_pipeline:
            choices[COMPILE_PIPELINE] = OfferedTool(
                COMPILE_PIPELINE,
                COMPILE_DESCRIPTION,
                compilation_schema(),
                made_as="route",
                check=grounds.problems_with_compilation,
            )
        return choices

    async def system(self, turn: RoleTurn, offered: Mapping[str, OfferedTool]) -> str:
        database, team_id = self._equipment.database, turn.begun.team_id
        files = await patiently(lambda: working_files(database, turn.call.task_id, team_id))
        grounds = await self._grounds(turn)
        return router_prompt(
            offered=offered,
            tools=grounds.tools,
            skills=grounds.skills,
            usages=await usages(self._equipment.catalogue, grounds.skills),
            files=files.files,
        )

    async def judge(
        self, turn: RoleTurn, answer: Answer, offered: Mapping[str, OfferedTool], first_seq: int
    ) -> tuple[Answer, Judged]:
        """One sound call chooses. What else there is goes back, until no answer may follow."""
        judged = await judge(answer, offered, self.agent(turn), first_seq)
        if len(answer.requests) > 1:
            told = CALL_ONCE.format(count=len(answer.requests))
            results = {
                first_seq + place: (request, told) for place, request in enumerate(answer.requests)
            }
            judged = Judged(results=results)
        elif not answer.requests:
            judged.note = NO_CALL.format(tools=calls_named(offered))
        if judged.calls or turn.call.turn < MAX_ANSWERS:
            return answer, judged
        return _fall_back(answer, judged, offered[CREATE_TASK], first_seq)

    async def _grounds(self, turn: RoleTurn, *, is_fresh: bool = False) -> Grounds:
        """``is_fresh``: with what was registered, or switched off, within the last second."""
        begun = turn.begun
        auto = Auto.model_validate(begun.definition)
        agent = auto.as_agent
        offered = await self._toolbox.offered(begun.team_id, agent, is_first_turn=is_fresh)
        return Grounds(
            begun=begun,
            auto=auto,
            installed=self._installed,
            tools={name: tool for name, tool in offered.items() if not tool.ends_task},
            skills=await AllowedSkills(self._equipment.catalogue, agent.skills).all(),
        )


ROLE = RouterRole


def _fall_back(
    answer: Answer, judged: Judged, create_task: OfferedTool, seq: int
) -> tuple[Answer, Judged]:
    """The answer as if it had chosen an agent, for want of a choice."""
    said = [text for _, text in judged.results.values()] or [judged.note or ""]
    why = " ".join(said[0].split())[:_WHY_CHARACTERS]
    arguments: dict[str, JsonValue] = {**fallback(FALL_BACK.format(answers=MAX_ANSWERS, why=why))}
    request = ToolRequest("fallback", CREATE_TASK, json.dumps(arguments))
    chosen = replace(answer, requests=(request,), opaque=None, finish="tool_calls")
    return chosen, Judged(calls=[SoundCall(seq, request, create_task, arguments)])
