"""Tasks of type ``agent``: a model with tools, until it finishes."""

import textwrap
from collections.abc import Mapping
from uuid import UUID

from activities.kinds.agent_validation import problems_with_agent
from activities.kinds.base import Installed, Kind, RunnableTask
from activities.kinds.requests import check_fields, check_prompt
from activities.store.reading.messages import turn_at
from workflows.agent import AgentWorkflow
from workflows.agent_contracts import AgentRun, RunLimits
from workflows.definitions.agent import Agent
from workflows.definitions.task_request import TaskRequest
from workflows.pointers import Problem
from workflows.states import TaskType

_NAME_CHARACTERS = 80


class AgentKind(Kind[Agent]):
    """``first_step`` of such a task is the number of the last message that its run keeps."""

    task_type = TaskType.AGENT
    model = Agent
    workflow = AgentWorkflow

    def define(self, request: TaskRequest) -> Agent:
        check_fields(request, "agent")
        check_prompt(request, "a task of type agent needs a prompt that says what to do")
        return request.agent or Agent()

    def name(self, prompt: str | None, definition: Agent) -> str:
        return name_of(prompt)

    async def own_problems(
        self, installed: Installed, team_id: UUID, definition: Agent, inputs: Mapping[str, str]
    ) -> list[Problem]:
        return await problems_with_agent(installed, team_id, definition, inputs)

    async def message(self, installed: Installed, task: RunnableTask) -> AgentRun:
        seq = task.first_step
        return AgentRun(
            task_id=task.id,
            team_id=task.team_id,
            run=task.run,
            limits=RunLimits.model_validate(self.read(task).limits.model_dump()),
            approval_seconds=installed.approval_seconds,
            turn=await turn_at(installed.database, task.id, seq) if seq else 0,
            seq=seq,
            model=installed.model_of(self.read(task).model),
        )


KIND = AgentKind()


def name_of(prompt: str | None) -> str:
    """The prompt's first words."""
    words = " ".join((prompt or "").split())
    return textwrap.shorten(words, _NAME_CHARACTERS, placeholder=" …")
