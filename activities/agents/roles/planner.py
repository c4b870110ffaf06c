"""A model that splits a task into nodes, mends the plan, and writes the result."""

from collections.abc import Mapping
from dataclasses import replace

from pydantic import JsonValue

from activities.agents.answer import Judged, SoundCall
from activities.agents.roles.base import Role, RoleTurn
from activities.llm.base import Answer
from activities.patience import patiently
from activities.plans.ability import Ability, context_of
from activities.plans.checking import Ground
from activities.plans.fallback import MAX_REPAIRS, in_its_place, unsound_answers
from activities.plans.make_plan import make_plan
from activities.plans.opening import MAKE_PLAN, REVISE_PLAN
from activities.plans.phases import Phase, progress_of
from activities.plans.prompts import FINISH_PLAN, planner_prompt
from activities.plans.revise_plan import revise_plan
from activities.skills.usages import usages
from activities.tools.finish import FINISH, finish_schema
from activities.tools.offered import OfferedTool
from activities.tools.skills import AllowedSkills
from activities.tools.working_files import working_files
from workflows.definitions.agent import Agent
from workflows.definitions.plan import Plan, Revision
from workflows.errors import ModelNotConfigured
from workflows.states import Permission, TaskType

# In place of answers that are not sound: the whole task is one node, and nothing is revised.
_INSTEAD: Mapping[str, dict[str, JsonValue]] = {MAKE_PLAN: {"atomic": True}, REVISE_PLAN: {}}

_ALONE = "Not run: call {name} once and alone, with all that belongs to it."


class PlannerRole(Role):
    """What it may call in a turn follows from how far the plan has come."""

    task_type = TaskType.PLAN

    def agent(self, turn: RoleTurn) -> Agent:
        plan = self._plan(turn)
        return Agent(model=plan.agent.model, output_schema=plan.output_schema)

    async def offered(self, turn: RoleTurn) -> Mapping[str, OfferedTool]:
        progress = await progress_of(self._equipment.database, turn.call.task_id)
        ground = await self._ground(turn, is_fresh=turn.is_first)
        finish = OfferedTool(
            FINISH,
            FINISH_PLAN,
            finish_schema(ground.plan.output_schema),
            is_retry_safe=True,
            ends_task=True,
        )
        match progress.phase:
            case Phase.MAKE:
                tool = make_plan(ground)
            case Phase.REVISE:
                tool = revise_plan(ground, progress.plan)
            case Phase.FINISH:
                return {FINISH: finish}
        return {tool.name: tool, **({FINISH: finish} if progress.may_give_up else {})}

    async def system(self, turn: RoleTurn, offered: Mapping[str, OfferedTool]) -> str:
        ground = await self._ground(turn)
        database, team_id = self._equipment.database, turn.begun.team_id
        files = await patiently(lambda: working_files(database, turn.call.task_id, team_id))
        inputs = [file for file in files.files if file.is_input]
        scripts = await usages(self._equipment.catalogue, ground.ability.skills)
        return planner_prompt(ground.ability, ground.plan, inputs, scripts)

    async def judge(
        self, turn: RoleTurn, answer: Answer, offered: Mapping[str, OfferedTool], first_seq: int
    ) -> tuple[Answer, Judged]:
        answer, judged = await super().judge(turn, answer, offered, first_seq)
        tool = next((tool for tool in offered.values() if tool.made_as == "plan"), None)
        if tool is None or judged.result is not None:
            return answer, judged
        if len(answer.requests) > 1:
            # A run that begins again with a plan drops what comes after its result.
            for call in judged.calls:
                judged.results[call.seq] = (call.request, _ALONE.format(name=tool.name))
            judged.calls.clear()
        if judged.calls:
            judged.calls[0] = _unasked(judged.calls[0])
            return answer, judged
        progress = await progress_of(self._equipment.database, turn.call.task_id)
        since = progress.last.seq if progress.last else 0
        if unsound_answers(turn.heard, since) < MAX_REPAIRS:
            return answer, judged
        answer, judged = in_its_place(answer, judged, tool, _INSTEAD[tool.name], first_seq)
        judged.calls[0] = _unasked(judged.calls[0])
        return answer, judged

    def _plan(self, turn: RoleTurn) -> Plan:
        plan = Plan.model_validate(turn.begun.definition)
        atomicity = plan.atomicity or self._installed.atomicity
        return plan.model_copy(update={"atomicity": atomicity})

    async def _ground(self, turn: RoleTurn, *, is_fresh: bool = False) -> Ground:
        """What a plan has to be fit for; ``is_fresh``: with what was registered just now."""
        models, plan = self._equipment.models, self._plan(turn)
        if models is None:
            raise ModelNotConfigured
        offered = await self._toolbox.offered(
            turn.begun.team_id, plan.agent, is_first_turn=is_fresh
        )
        skills = await AllowedSkills(self._equipment.catalogue, plan.agent.skills).all()
        ability = Ability.of(offered, skills, await context_of(models, plan.agent))
        given = tuple(turn.begun.inputs)
        return Ground(self._installed, turn.begun.team_id, plan, given, ability)


def _unasked(call: SoundCall) -> SoundCall:
    """The call; that nothing can be done is no question to a person."""
    if call.tool.name != REVISE_PLAN or not Revision.model_validate(call.arguments).is_empty:
        return call
    return replace(call, tool=replace(call.tool, permission=Permission.AUTO))


ROLE = PlannerRole
