"""A model that splits a task into nodes, mends the plan, and writes the result."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from pydantic import JsonValue

from activities.agents.answer import Judged, SoundCall
from activities.agents.roles.base import Role, RoleTurn
from activities.llm.base import Answer
from activities.patience import patiently
from activities.plans.ability import Ability, context_of
from activities.plans.checking import Ground
from activities.plans.fallback import Attempts, in_its_place, is_lookup
from activities.plans.make_plan import make_plan
from activities.plans.opening import MAKE_PLAN, REVISE_PLAN, whole
from activities.plans.phases import Phase, Progress, progress_of
from activities.plans.prompts import FINISH_PLAN, planner_hint, planner_prompt
from activities.plans.revise_plan import revise_plan
from activities.skills.usages import usages
from activities.store.reading.plans import StoredPlan
from activities.tools.finish import FINISH, finish_schema
from activities.tools.offered import OfferedTool
from activities.tools.skills import AllowedSkills
from activities.tools.working_files import working_files
from workflows.agent_contracts import Hint
from workflows.definitions.agent import Agent
from workflows.definitions.plan import MIN_TURNS, Plan, Revision
from workflows.errors.models import ModelNotConfigured
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
        if progress.phase is Phase.FINISH:
            return {FINISH: finish}
        is_first = progress.phase is Phase.MAKE
        tool = make_plan(ground) if is_first else revise_plan(ground, progress.plan)
        found = {tool.name: tool, **({FINISH: finish} if progress.may_give_up else {})}
        may_look_up = self._attempts(turn, progress).may_look_up and _leaves_turns(turn, ground)
        return {**found, **(ground.ability.lookups if may_look_up else {})}

    async def system(self, turn: RoleTurn, offered: Mapping[str, OfferedTool]) -> str:
        ground = await self._ground(turn)
        database, team_id = self._equipment.database, turn.begun.team_id
        files = await patiently(lambda: working_files(database, turn.call.task_id, team_id))
        inputs = [file for file in files.files if file.is_input]
        scripts = await usages(self._equipment.catalogue, ground.ability.skills)
        return planner_prompt(ground.ability, ground.plan, inputs, scripts)

    def hint(self, hint: Hint, offered: Mapping[str, OfferedTool]) -> str:
        tool = _planning(offered)
        return super().hint(hint, offered) if tool is None else planner_hint(hint, tool.name)

    async def judge(
        self, turn: RoleTurn, answer: Answer, offered: Mapping[str, OfferedTool], first_seq: int
    ) -> tuple[Answer, Judged]:
        answer, judged = await super().judge(turn, answer, offered, first_seq)
        tool = _planning(offered)
        if tool is None or judged.result is not None:
            return answer, judged
        _refuse_beside_others(answer, judged)
        progress = await progress_of(self._equipment.database, turn.call.task_id)
        if any(call.tool is tool for call in judged.calls):
            judged.calls[0] = _as_made(judged.calls[0], progress.plan)
            return answer, judged
        attempts = self._attempts(turn, progress)
        looks_up = is_lookup(answer.requests, self._lookups)
        if not attempts.is_last or (looks_up and attempts.may_look_up):
            return answer, judged
        answer, judged = in_its_place(answer, judged, tool, _INSTEAD[tool.name], first_seq)
        judged.calls[0] = _as_made(judged.calls[0], progress.plan)
        return answer, judged

    def _attempts(self, turn: RoleTurn, progress: Progress) -> Attempts:
        since = progress.last.seq if progress.last else 0
        return Attempts.of(turn.heard, since, self._lookups)

    @property
    def _lookups(self) -> Collection[str]:
        tools = self._installed.tools.tools
        return {name for name, tool in tools.items() if tool.reads == "means"}

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


def _planning(offered: Mapping[str, OfferedTool]) -> OfferedTool | None:
    """The call that makes or revises the plan; None where there is nothing left to plan."""
    return next((tool for tool in offered.values() if tool.made_as == "plan"), None)


def _leaves_turns(turn: RoleTurn, ground: Ground) -> bool:
    """Whether the plan can be made, and summed up, in turns after this one."""
    return ground.plan.limits.turns - turn.call.turn >= MIN_TURNS


def _refuse_beside_others(answer: Answer, judged: Judged) -> None:
    """A plan is a turn of its own: a run that begins again with one drops what comes after its
    result, and the model has not read the results of other calls."""
    if len(answer.requests) == 1:
        return
    for call in [call for call in judged.calls if call.tool.made_as == "plan"]:
        judged.calls.remove(call)
        judged.results[call.seq] = (call.request, _ALONE.format(name=call.tool.name))


def _as_made(call: SoundCall, plan: StoredPlan) -> SoundCall:
    """A call as it is kept: whoever is to approve it sees the one node of what is atomic, and that
    nothing can be done is no question to a person."""
    if call.tool.name == REVISE_PLAN:
        is_empty = Revision.model_validate(call.arguments).is_empty
        auto = replace(call.tool, permission=Permission.AUTO)
        return replace(call, tool=auto) if is_empty else call
    if not call.arguments.get("atomic"):
        return call
    node = whole(plan).model_dump(mode="json", exclude_defaults=True)
    return replace(call, arguments={**call.arguments, "nodes": [node]})


ROLE = PlannerRole
