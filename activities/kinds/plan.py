"""Tasks of type ``plan``: a model splits the work into nodes, each of which is a task."""

from collections.abc import Iterator, Mapping
from uuid import UUID

from activities.kinds.agent import name_of
from activities.kinds.agent_validation import (
    AGENT,
    problems_with_agent,
    problems_with_limits,
    problems_with_result,
)
from activities.kinds.base import Installed, Kind, RunnableTask
from activities.kinds.requests import check_fields, check_prompt
from activities.store.reading.messages import last_message_before, turn_at
from activities.store.reading.plan_calls import resumed_call
from workflows.agent_contracts import RunLimits
from workflows.definitions.plan import MIN_TURNS, Plan
from workflows.definitions.task_request import TaskRequest
from workflows.plan import PlanWorkflow
from workflows.plan_contracts import PlanRun
from workflows.pointers import Problem
from workflows.states import TaskType

_AT = "/plan"


class PlanKind(Kind[Plan]):
    """``first_step`` of such a task is the number of the last message that its run keeps: where a
    call that makes or revises a plan has that number, the run begins with the plan as it stands."""

    task_type = TaskType.PLAN
    model = Plan
    workflow = PlanWorkflow

    def define(self, request: TaskRequest) -> Plan:
        check_fields(request, "plan")
        check_prompt(request, "a task of type plan needs a prompt that says what to do")
        return request.plan or Plan()

    def name(self, prompt: str | None, definition: Plan) -> str:
        return name_of(prompt)

    async def own_problems(
        self, installed: Installed, team_id: UUID, definition: Plan, inputs: Mapping[str, str]
    ) -> list[Problem]:
        agent = definition.agent
        return [
            *await problems_with_agent(installed, team_id, agent, inputs, f"{_AT}{AGENT}"),
            *await problems_with_result(definition.output_schema, _AT),
            *problems_with_limits(installed, definition.limits, agent.model, _AT),
            *_turns(definition),
        ]

    async def message(self, installed: Installed, task: RunnableTask) -> PlanRun:
        plan, seq = self.read(task), task.first_step
        resumed = await resumed_call(installed.database, task.id, seq) if seq else None
        turn = await turn_at(installed.database, task.id, seq) if seq else 0
        if resumed is not None:
            # That turn is not whole before the nodes have run; other calls of it may be.
            seq = max(seq, await last_message_before(installed.database, task.id, turn + 1))
            turn -= 1
        return PlanRun(
            task_id=task.id,
            team_id=task.team_id,
            run=task.run,
            limits=RunLimits.model_validate(plan.limits.model_dump()),
            approval_seconds=installed.approval_seconds,
            turn=turn,
            seq=seq,
            parallel=plan.parallel,
            resumed=resumed,
            model=installed.model_of(plan.agent.model),
        )


def _turns(plan: Plan) -> Iterator[Problem]:
    """With fewer, all nodes would run, and nobody would be left to say what they made."""
    if plan.limits.turns < MIN_TURNS:
        message = f"a planner needs at least {MIN_TURNS} turns: to make its plan, and to sum it up"
        yield Problem("/plan/limits/turns", message)


KIND = PlanKind()
