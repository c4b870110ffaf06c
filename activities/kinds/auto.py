"""Tasks of type ``auto``: a model chooses what the task is."""

from collections.abc import Mapping
from uuid import UUID

from activities.kinds.agent import KIND as AGENT
from activities.kinds.agent import name_of
from activities.kinds.base import Installed, Kind, RunnableTask
from activities.kinds.plan import KIND as PLAN
from activities.kinds.requests import check_prompt
from workflows.agent_contracts import AutoRun, RunLimits
from workflows.definitions.auto import Auto
from workflows.definitions.task_request import TaskRequest
from workflows.pointers import Problem
from workflows.router import RouterWorkflow
from workflows.states import TaskType


class AutoKind(Kind[Auto]):
    """A run of such a task always begins at the start."""

    task_type = TaskType.AUTO
    model = Auto
    workflow = RouterWorkflow

    def define(self, request: TaskRequest) -> Auto:
        needed = "a task of type auto needs a prompt that says what to do, or a pipeline"
        check_prompt(request, needed)
        return Auto(agent=request.agent, plan=request.plan)

    def name(self, prompt: str | None, definition: Auto) -> str:
        return name_of(prompt)

    async def own_problems(
        self, installed: Installed, team_id: UUID, definition: Auto, inputs: Mapping[str, str]
    ) -> list[Problem]:
        """What is wrong with the options of the types that it may become, each problem once."""
        found: list[Problem] = []
        if definition.agent is not None or definition.plan is None:
            agent = definition.as_agent
            found += await AGENT.own_problems(installed, team_id, agent, inputs)
        if definition.plan is not None:
            found += await PLAN.own_problems(installed, team_id, definition.plan, inputs)
        return list(dict.fromkeys(found))

    async def message(self, installed: Installed, task: RunnableTask) -> AutoRun:
        limits = self.read(task).limits
        return AutoRun(
            task_id=task.id,
            team_id=task.team_id,
            run=task.run,
            limits=RunLimits.model_validate(limits.model_dump()),
            approval_seconds=installed.approval_seconds,
            model=installed.model_of(None),
        )


KIND = AutoKind()
